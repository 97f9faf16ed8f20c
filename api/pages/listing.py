"""A list: what its address says (search, filters, order, page), the page of rows that it leads to, and the words of a search."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import Select
from starlette.requests import Request

from api.pages.frame import Frame

PAGE_SIZE = 50


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


@dataclass
class Page:
    """One page of a list. `states` counts by state whatever state is chosen; `total` counts what the filters leave."""

    rows: Sequence[Any]
    total: int
    states: dict[str, int]

    @property
    def pages(self) -> int:
        """Number of pages."""
        return max(1, -(-self.total // PAGE_SIZE))


def template_of(frame: Frame, name: str) -> str:
    """The template of the list `name`; its table alone where htmx asks for it."""
    alone = frame.partial and frame.request.headers.get("hx-target") == "list"
    return f"{name}_table.html" if alone else f"{name}.html"


def in_order(at: ListAddress, orders: Mapping[str, Any]) -> Any:
    """What to order by, as the address asks for; what is not known there comes last either way."""
    column = orders[at.order.lstrip("-")]
    order = column.desc() if at.order.startswith("-") else column.asc()
    # Only where it can be: PostgreSQL takes no index for an order with NULLS LAST.
    return order.nulls_last() if getattr(column, "nullable", True) else order


def one_page(statement: Select[Any], at: ListAddress, orders: Mapping[str, Any], limit: int, *then: Any) -> Select[Any]:
    """`statement` in the order that the address asks for, then by `then`, cut to its page; to `limit` rows from the first where that is no page."""
    ordered = statement.order_by(in_order(at, orders), *then)
    return ordered.limit(limit).offset(at.offset if limit == PAGE_SIZE else 0)


def words_of(text: str) -> list[str]:
    """The words of a search in small letters, six at most."""
    return text.lower().split()[:6]


def like(text: str) -> str:
    """The pattern of SQL's LIKE that finds `text` anywhere; its escape character is a backslash."""
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"


def read_day(text: str, zone: ZoneInfo) -> datetime | None:
    """`2026-11-24` as the start of that day in `zone`; None where it is no day."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - the zone is given in the next line
        return day.replace(tzinfo=zone)
    except ValueError:
        return None
