"""A list as a file to take away: comma separated values, or a workbook."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.pages.frame import Frame
from api.pages.listing import PAGE_SIZE

EXPORT_LIMIT = 200_000
"""Rows of an export at most."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

Cells = Sequence[tuple[str, Callable[[Any], object]]]
"""The columns of a file: a title of the catalogue, and what a row has there."""


def wants_export(request: Request) -> str:
    """`csv` or `xlsx` where a list is asked for as a file, else ""."""
    wanted = request.query_params.get("format", "")
    return wanted if wanted in ("csv", "xlsx") else ""


def rows_wanted(request: Request) -> int:
    """How many rows the answer to a request holds: a page of them, or all of a file."""
    return EXPORT_LIMIT if wants_export(request) else PAGE_SIZE


def export(frame: Frame, name: str, cells: Cells, rows: Iterable[Any]) -> Response:
    """The file `edunet-NAME-DAY-TIME` in the form that the request asks for."""
    file = f"edunet-{name}-{frame.clock.local(frame.now).strftime('%Y%m%d-%H%M')}"
    head = [frame.text(title) for title, _ in cells]
    written = ([write(row) for _, write in cells] for row in rows)
    if wants_export(frame.request) == "xlsx":
        return write_xlsx(f"{file}.xlsx", head, written)
    return write_csv(f"{file}.csv", head, written)


def write_csv(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A CSV file with a byte order mark (spreadsheets need it for Chinese); a cell that begins a formula is made plain text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    for row in rows:
        writer.writerow([_plain(cell) for cell in row])
    return Response(
        "\ufeff" + out.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def write_xlsx(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A workbook of one sheet: the head stays in view and filters; numbers stay numbers; what begins as a formula is text."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet = book.create_sheet("edunet")
    sheet.freeze_panes = "A2"
    titles = [WriteOnlyCell(sheet, value=title) for title in head]
    for title in titles:
        title.font = Font(bold=True)
    sheet.append(titles)
    count = 1
    for row in rows:
        sheet.append([_cell(value) for value in row])
        count += 1
    last = get_column_letter(max(1, len(head)))
    sheet.auto_filter.ref = f"A1:{last}{count}"
    out = io.BytesIO()
    book.save(out)
    return Response(
        out.getvalue(),
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _cell(value: object) -> object:
    """What a cell may hold: texts without the characters that XML cannot (openpyxl refuses them), never a formula."""
    value = _plain(value)
    return _CONTROLS.sub("", value) if isinstance(value, str) else value


def _plain(cell: object) -> object:
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + cell
    return "" if cell is None else cell
