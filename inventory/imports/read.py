"""CSV (UTF-8 with or without BOM, UTF-16 with BOM, GBK; commas, semicolons or tabs) and XLSX, as sheets of text."""

import csv
import io
from dataclasses import dataclass
from typing import Any

from inventory.imports.problems import FileError
from inventory.imports.workbook import MAX_COLUMNS, MAX_ROWS, as_text, read_workbook

MAX_BYTES = 100 * 2**20

NOTES = ("说明", "notes", "选项", "choices")
"""Sheets whose names begin so are a template's own, and are passed over."""

_DELIMITERS = (",", ";", "\t", "\uff0c", "\uff1b", "|")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet. rows: (row number as a spreadsheet shows it, cells as text); wide: numbers whose last digits the spreadsheet lost, as (row, column from 0)."""

    name: str
    rows: list[tuple[int, list[str]]]
    wide: frozenset[tuple[int, int]] = frozenset()


def read_sheets(data: bytes, file_name: str = "") -> list[Sheet]:
    """The sheets of a file that have anything in them. FileError where it cannot be used as a whole."""
    if len(data) > MAX_BYTES:
        raise FileError("too_large", limit=MAX_BYTES >> 20)
    if not data.strip():
        raise FileError("empty_file")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileError("old_workbook")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")) or file_name.lower().endswith((".xlsx", ".xlsm")):
        named = [(name, rows) for name, rows in read_workbook(data) if not name.strip().lower().startswith(NOTES)]
        sheets = [_sheet(name, rows) for name, rows in named]
    else:
        sheets = [_csv_sheet(decode(data))]
    sheets = [sheet for sheet in sheets if sheet.rows]
    if not sheets:
        raise FileError("empty_file")
    return sheets


def decode(data: bytes) -> str:
    """Text: by its BOM, else UTF-8, else GBK (GB 18030 holds it). FileError where it is none of these."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            raise FileError("not_text") from None
    if "\0" in text:
        raise FileError("not_text")
    return text


def _sheet(name: str, rows: list[list[Any]]) -> Sheet:
    if len(rows) > MAX_ROWS:
        raise FileError("too_long", sheet=name, limit=MAX_ROWS)
    kept: list[tuple[int, list[str]]] = []
    wide: set[tuple[int, int]] = set()
    for number, cells in enumerate(rows, 1):
        texts = [cell.strip() if type(cell) is str else as_text(cell) for cell in cells]
        if any(texts):
            kept.append((number, texts))
            wide.update(
                (number, column) for column, cell in enumerate(cells) if isinstance(cell, float) and abs(cell) >= 1e15
            )
    return Sheet(name, kept, frozenset(wide))


def _csv_sheet(text: str) -> Sheet:
    head = next(
        (line for line in text[:20_000].splitlines() if line.strip() and not line.lstrip('" ').startswith("#")), ""
    )
    delimiter = max(_DELIMITERS, key=head.count)
    kept: list[tuple[int, list[str]]] = []
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1):
            texts = [_unquote(cell.strip()) for cell in cells]
            if not any(texts) or (not kept and texts[0].startswith("#")):
                continue  # remarks stand above the header; below it a name may begin with #
            if len(texts) > MAX_COLUMNS:
                raise FileError("too_wide", limit=MAX_COLUMNS)
            if len(kept) >= MAX_ROWS:
                raise FileError("too_long", limit=MAX_ROWS)
            kept.append((number, texts))
    except csv.Error:
        raise FileError("not_text") from None
    return Sheet("", kept)


def _unquote(cell: str) -> str:
    """`="0123"`, by which spreadsheets keep leading zeros in CSV, is 0123; every other formula stays, to be refused."""
    if cell.startswith('="') and cell.endswith('"') and cell[2:-1].isalnum():
        return cell[2:-1]
    return cell
