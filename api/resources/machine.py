"""What a resource is: a row that says which table, which fields, which filters; the machine does the rest.

Reading is in `reading.py`, writing in `writing.py`, the routes in `routes.py`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, create_model
from sqlalchemy import ColumnElement, Select
from sqlmodel import Session, SQLModel

from api.security import CurrentUser
from inventory.database import Register

MAX_ID = 2**31 - 1
"""Ids are 32-bit on PostgreSQL: a larger number is a wrong value, not a failure of the database."""

Id = Annotated[int, Field(ge=1, le=MAX_ID)]


def _no_nul(value: object) -> object:
    if isinstance(value, str) and ("\x00" in value or any("\ud800" <= char <= "\udfff" for char in value)):
        raise ValueError("text without NUL and lone surrogates")
    return value.strip() if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_no_nul)]
"""Text that both databases can hold, trimmed."""
Name = Annotated[str, BeforeValidator(_no_nul), StringConstraints(min_length=1, max_length=120)]
Row = dict[str, Any]
Json = dict[str, Any]


class Body(BaseModel):
    """What is sent: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", use_enum_values=False)


class ListQuery(BaseModel):
    """What every list understands."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[Text | None, Field(max_length=80, description="Words that must all be found.")] = None
    sort: Annotated[
        Text | None, Field(max_length=40, description="A column of this list; `-` before it: descending.")
    ] = None
    cursor: Annotated[str | None, Field(max_length=600, description="`next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=500, description="Rows at most.")] = 50
    count: Annotated[bool, Field(description="Count all rows that fit (`total`).")] = False


class PlacedQuery(ListQuery):
    """Lists of what lies in regions."""

    region: Annotated[Id | None, Field(description="Id of a region of either tree: its whole subtree.")] = None
    region_code: Annotated[
        Text | None, Field(max_length=12, description="GB/T 2260 code of a region: its whole subtree.")
    ] = None


PAGING = frozenset(ListQuery.model_fields) | {"region", "region_code"}
"""Fields of a query that are no filter of their own."""

Filter = Callable[[Any], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Work:
    """What the hooks of a change work with: the transaction, who asks, and the register (for its key)."""

    session: Session
    caller: CurrentUser
    register: Register


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One kind of thing in `/api/v1/`.

    read, create, update: what is given and taken (None: not to be created, changed). columns: more columns than the table's own
    that `read` shows, by name. sorts: by name, columns that are never null. search: the columns that `q` is looked for in.
    references: fields that name a row of another table, which must be within the caller's scope. clashes: groups of
    fields that no two rows may share. children: fields of `create` that are no columns, handed to the hooks.

    Hooks, in this order: prepare(work, row, children) before the row is written (derived columns, checks across fields),
    write_children(work, row, children) after it, reply(children, shown) on creation (what is told only once).
    """

    name: str
    model: type[SQLModel]
    read: type[BaseModel]
    query: type[ListQuery] = ListQuery
    create: type[BaseModel] | None = None
    update: type[BaseModel] | None = None
    deletable: bool = True
    columns: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    join: Callable[[Select[Any]], Select[Any]] | None = None
    hidden: frozenset[str] = frozenset()
    filters: Mapping[str, Filter] = field(default_factory=dict)
    sorts: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    default_sort: str = "id"
    search: Callable[[str], ColumnElement[bool]] | None = None
    own: Callable[[CurrentUser], ColumnElement[bool]] | None = None
    references: Mapping[str, type[SQLModel]] = field(default_factory=dict)
    clashes: Sequence[tuple[str, ...]] = ()
    children: frozenset[str] = frozenset()
    inline: Callable[[Session, CurrentUser, list[Row]], None] | None = None
    prepare: Callable[[Work, Any, Row], None] | None = None
    write_children: Callable[[Work, Any, Row], None] | None = None
    before_delete: Callable[[Work, Any], None] | None = None
    reply: Callable[[Row, Row], None] | None = None
    readers: Literal["all", "administrators"] = "all"
    writers: Literal["all", "administrators", "province"] = "administrators"
    planned: bool = True
    """Whether the collector's plan is built from it: a change then raises the register's version."""


def partial_of(model: type[BaseModel], name: str, leave_out: frozenset[str] = frozenset()) -> type[BaseModel]:
    """The model for PATCH: the same fields, none of them needed; null only where `model` takes null."""
    fields: dict[str, Any] = {}
    for key, info in model.model_fields.items():
        if key in leave_out:
            continue
        annotation = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation  # type: ignore[misc]  # built at run time
        fields[key] = (annotation, Field(default_factory=lambda: None, description=info.description))
    return create_model(name, __base__=Body, **fields)


def contains(column: ColumnElement[str]) -> Callable[[str], ColumnElement[bool]]:
    """A search: every word of the text stands somewhere in `column`, which is in lower case."""

    def search(text: str) -> ColumnElement[bool]:
        from sqlalchemy import and_

        return and_(*(column.like(like(word), escape="\\") for word in text.lower().split()))

    return search


def like(word: str) -> str:
    """A LIKE pattern for a word anywhere, its own wildcards escaped."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"
