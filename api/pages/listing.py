"""What the address of a list says: search, filters, order, page; and addresses that change one of them."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

PAGE_SIZE = 50
EXPORT_LIMIT = 200_000
"""Rows of an export at most."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True)
class ListAddress:
    """The parameters of one list. `filters` holds those that are set; `order` is a column's key, with `-` before it descending."""

    path: str
    filters: Mapping[str, str]
    order: str
    page: int

    @classmethod
    def read(cls, request: Request, names: Sequence[str], orders: Iterable[str], default: str) -> "ListAddress":
        """Read it from the request; what is not known there is passed over."""
        given = request.query_params
        filters = {name: value for name in names if (value := given.get(name, "").strip()[:120])}
        order = given.get("sort", default)
        page = given.get("page", "1")
        number = int(page) if page.isdecimal() and len(page) < 6 else 1
        return cls(request.url.path, filters, order if order.lstrip("-") in set(orders) else default, max(1, number))

    def get(self, name: str) -> str:
        """A filter's value, "" where it is not set."""
        return self.filters.get(name, "")

    def url(self, **changes: str | int | None) -> str:
        """The same list with some parameters changed (None or "" takes one away); any change but `page` leads to the first page."""
        values: dict[str, str] = {**self.filters, "sort": self.order}
        for name, value in changes.items():
            if value in (None, ""):
                values.pop(name, None)
            else:
                values[name] = str(value)
        query = urlencode(values)
        return f"{self.path}?{query}" if query else self.path

    def sort_url(self, key: str) -> str:
        """The same list in the order of a column, turned round where it is in this order already."""
        return self.url(sort=f"-{key}" if self.order == key else key)

    def direction(self, key: str) -> str:
        """`ascending`, `descending` or "" for a column."""
        if self.order.lstrip("-") != key:
            return ""
        return "descending" if self.order.startswith("-") else "ascending"

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.page - 1) * PAGE_SIZE


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


def wants_export(request: Request) -> str:
    """`csv` or `xlsx` where a list is asked for as a file, else ""."""
    wanted = request.query_params.get("format", "")
    return wanted if wanted in ("csv", "xlsx") else ""


def exported(form: str, name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """The file `name` in the form that `wants_export` found."""
    return write_xlsx(f"{name}.xlsx", head, rows) if form == "xlsx" else write_csv(f"{name}.csv", head, rows)


def _cell(value: object) -> object:
    """What a cell may hold: texts without the characters that XML cannot (openpyxl refuses them), never a formula."""
    value = _plain(value)
    return _CONTROLS.sub("", value) if isinstance(value, str) else value


def _plain(cell: object) -> object:
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + cell
    return "" if cell is None else cell
