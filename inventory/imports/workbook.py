"""XLSX, guarded: what a workbook would unpack to is measured before any reader sees it.

A zip of a few KiB may hold gigabytes, and one cell at XFD1048576 makes a reader lay out 17 billion; both are refused.
"""

import datetime as dt
import io
import re
import zipfile
import zlib
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from inventory.imports.problems import FileError

MAX_UNPACKED = 400 * 2**20
"""Bytes that all parts may have together; 100,000 devices of 20 columns take about 100 MiB."""

MAX_RATIO = 200
"""Unpacked to packed, beyond `RATIO_FROM` bytes; real sheets have 5 to 60."""

RATIO_FROM = 8 * 2**20
MAX_PARTS = 2000
MAX_COLUMNS = 64
MAX_ROWS = 300_000

_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{2,})\d+"')
_ROW = re.compile(rb'\br="[A-Z]*(\d{6,})"')
_PIECE = 2**20


def read_workbook(data: bytes) -> list[tuple[str, list[list[Any]]]]:
    """(name, rows) of each visible sheet, from its first row and column; cells are str, float, int, bool, date, time or "". FileError."""
    _guard(data)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [meta.name for meta in workbook.sheets_metadata if "visible" in str(meta.visible).lower()]
        return [(name, workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in names]
    except (CalamineError, ValueError, OSError) as error:
        raise FileError("broken_workbook", why=str(error)) from None


def as_text(cell: Any) -> str:
    """A cell as the person sees it: no `.0` behind codes that a spreadsheet took for numbers, dates as 2026-09-01."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e18 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
    return str(cell)


def _guard(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS:
                raise FileError("broken_workbook", why=f"{len(parts)} parts")
            _check_size(sum(part.file_size for part in parts), len(data))
            unpacked = 0
            for part in parts:
                unpacked += _measure(archive, part, unpacked, len(data))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise FileError("broken_workbook", why=str(error)) from None


def _check_size(unpacked: int, packed: int) -> None:
    ratio = unpacked / max(packed, 1)
    if unpacked > MAX_UNPACKED or (unpacked > RATIO_FROM and ratio > MAX_RATIO):
        raise FileError(
            "zip_bomb", size=round(unpacked / 2**20), limit=MAX_UNPACKED >> 20, ratio=round(ratio), max_ratio=MAX_RATIO
        )


def _measure(archive: zipfile.ZipFile, part: zipfile.ZipInfo, before: int, packed: int) -> int:
    """Unpack a part piece by piece, keeping nothing: its true size (headers may lie), and how far its cells reach."""
    size, tail = 0, b""
    sheet = part.filename.startswith("xl/worksheets/") and part.filename.endswith(".xml")
    with archive.open(part) as file:
        while piece := file.read(_PIECE):
            size += len(piece)
            _check_size(before + size, packed)
            if sheet:
                _check_reach(tail + piece, part.filename)
                tail = piece[-200:]
    return size


def _check_reach(piece: bytes, name: str) -> None:
    for match in _CELL.finditer(piece):
        column = 0
        for letter in match[1]:
            column = column * 26 + letter - 64
        if column > MAX_COLUMNS:
            raise FileError("too_wide", sheet=name.rsplit("/", 1)[-1], limit=MAX_COLUMNS)
    if any(int(match[1]) > MAX_ROWS for match in _ROW.finditer(piece)):
        raise FileError("too_long", sheet=name.rsplit("/", 1)[-1], limit=MAX_ROWS)
