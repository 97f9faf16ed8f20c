"""Lists and single rows: filters, keyset paging, counts; every statement passes the one scope filter."""

import base64
import binascii
import hashlib
import json
from datetime import date, datetime
from typing import Any

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from pydantic_core import to_json
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlmodel import Session

from api.errors import Problem, Wrong, invalid
from api.resources.machine import PAGING, ListQuery, Resource, Row
from api.security import CurrentUser
from inventory.models import Region, UtcDateTime, table
from inventory.scope import Scope


def list_rows(resource: Resource, session: Session, caller: CurrentUser, query: ListQuery) -> Row:
    """A page: {"items": [...], "next": cursor or None}, with "total" where it was asked for."""
    key, column, descending = _sort_of(resource, query)
    id_column, connection = table(resource.model).c.id, session.connection()
    narrowed = _narrow(resource, session, caller, _select(resource, caller), query)
    # First the keys of the page, then its rows: a sort of 30,000 wide rows for 50 costs a hundred times as much.
    keys = narrowed.with_only_columns(id_column, column.label("_sort"))
    if query.cursor:
        keys = keys.where(_after(resource, query.cursor, key, column, descending))
    order = (column.desc(), id_column.desc()) if descending else (column.asc(), id_column.asc())
    found = connection.execute(keys.order_by(*order).limit(query.limit + 1)).all()
    shown, more = found[: query.limit], len(found) > query.limit
    cursor = _cursor(key, shown[-1][1], shown[-1][0]) if more else None
    page: Row = {"items": _read_rows(resource, session, caller, [row[0] for row in shown]), "next": cursor}
    if query.count:
        counted = narrowed.with_only_columns(func.count(id_column))
        page["total"] = connection.execute(counted).scalar_one()
    return page


def _read_rows(resource: Resource, session: Session, caller: CurrentUser, numbers: list[int]) -> list[Row]:
    """The rows of these ids, in their order."""
    if not numbers:
        return []
    statement = _select(resource, caller).where(table(resource.model).c.id.in_(numbers))
    rows = {row["id"]: dict(row) for row in session.connection().execute(statement).mappings()}
    return _finish(resource, session, caller, [rows[number] for number in numbers if number in rows])


def read_row(resource: Resource, session: Session, caller: CurrentUser, number: int) -> Row:
    """One row as it is shown; 404 where there is none within the caller's scope."""
    statement = _select(resource, caller).where(table(resource.model).c.id == number)
    found = session.connection().execute(statement).mappings().first()
    if found is None:
        raise Problem("not-found")
    return _finish(resource, session, caller, [dict(found)])[0]


def etag_of(row: Row) -> str:
    """The entity tag: the row's version, else the hash of what is shown."""
    if "row_version" in row:
        return f'"{row["row_version"]}"'
    return f'"{hashlib.sha256(to_json(row)).hexdigest()[:16]}"'


def visible(resource: Resource, caller: CurrentUser, statement: Select[Any]) -> Select[Any]:
    """`statement` narrowed to the rows of the resource that the caller may know of."""
    if resource.own is not None:
        return statement.where(resource.own(caller))
    narrowed: Select[Any] = caller.scope.filter(statement, resource.model)
    return narrowed


def region_clause(
    session: Session, resource_model: Any, number: int | None, code: str | None
) -> ColumnElement[bool] | None:
    """The condition that a row lies in (or answers to) the subtree of a region, by id or code; 422 where there is none."""
    region: Region | None = None
    if number is not None:
        region = session.get(Region, number)
        field, expected = "region", "id"
    else:
        row = table(Region)
        found = session.connection().execute(select(row.c.id).where(row.c.code == code)).scalar()
        region = session.get(Region, found) if found is not None else None
        field, expected = "region_code", "GB/T 2260"
    if region is None:
        raise invalid(Wrong(field, "no-such", expected))
    return Scope.under(region).clause(resource_model)


def _select(resource: Resource, caller: CurrentUser) -> Select[Any]:
    own = table(resource.model)
    columns = [own.c[name] for name in resource.read.model_fields if name in own.c and name not in resource.columns]
    if "id" not in resource.read.model_fields:
        columns.insert(0, own.c.id)
    extra = [column.label(name) for name, column in resource.columns.items()]
    statement = select(*columns, *extra).select_from(own)
    if resource.join is not None:
        statement = resource.join(statement)
    return visible(resource, caller, statement)


def _narrow(
    resource: Resource, session: Session, caller: CurrentUser, statement: Select[Any], query: ListQuery
) -> Select[Any]:
    own = table(resource.model)
    for name in type(query).model_fields:
        value = getattr(query, name)
        if name in PAGING or value is None:
            continue
        if name in resource.filters:
            statement = statement.where(resource.filters[name](value))
        elif isinstance(value, list):
            statement = statement.where(own.c[name].in_(value)) if value else statement
        else:
            statement = statement.where(own.c[name] == value)
    region, code = getattr(query, "region", None), getattr(query, "region_code", None)
    if region is not None or code is not None:
        clause = region_clause(session, resource.model, region, code)
        statement = statement if clause is None else statement.where(clause)
    if query.q:
        if resource.search is None:
            raise invalid(Wrong("q", "extra_forbidden"))
        statement = statement.where(resource.search(query.q))
    return statement


def _sort_of(resource: Resource, query: ListQuery) -> tuple[str, ColumnElement[Any], bool]:
    asked = query.sort or resource.default_sort
    key = asked.removeprefix("-")
    if key == "id":
        return key, table(resource.model).c.id, asked.startswith("-")
    if key not in resource.sorts:
        raise invalid(Wrong("sort", "enum", " | ".join(["id", *resource.sorts])))
    return key, resource.sorts[key], asked.startswith("-")


def _after(
    resource: Resource, cursor: str, key: str, column: ColumnElement[Any], descending: bool
) -> ColumnElement[bool]:
    """The rows behind a cursor. The order is (column, id), so that it is total and pages neither skip nor repeat."""
    bad = invalid(Wrong("cursor", "bad-cursor"))
    try:
        sort, raw, number = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error, TypeError) as error:
        raise bad from error
    if sort != key or type(number) is not int or abs(number) > 2**53:
        raise bad
    id_column = table(resource.model).c.id
    if key == "id":
        return id_column < number if descending else id_column > number
    try:
        value = TypeAdapter(_python_type(column)).validate_python(raw)
    except ValidationError as error:
        raise bad from error
    if isinstance(value, str) and "\x00" in value:
        raise bad
    beyond = column < value if descending else column > value
    behind = id_column < number if descending else id_column > number
    return or_(beyond, and_(column == value, behind))


def _cursor(key: str, value: Any, number: int) -> str:
    plain = value.isoformat() if isinstance(value, date | datetime) else value
    return base64.urlsafe_b64encode(json.dumps([key, plain, number], separators=(",", ":")).encode()).decode()


def _python_type(column: ColumnElement[Any]) -> Any:
    return AwareDatetime if isinstance(column.type, UtcDateTime) else column.type.python_type


def _finish(resource: Resource, session: Session, caller: CurrentUser, rows: list[Row]) -> list[Row]:
    if resource.inline is not None and rows:
        resource.inline(session, caller, rows)
    for row in rows:
        for name in resource.hidden:
            row.pop(name, None)
    return rows
