"""What the address of a list says: search, filters, order, page; and addresses that change one of them."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

PAGE_SIZE = 50
EXPORT_LIMIT = 200_000
"""Rows of a CSV export at most."""


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


def _plain(cell: object) -> object:
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + cell
    return "" if cell is None else cell
