"""Creating, changing and deleting: within the scope before and after, audited, and the register's version raised, in one transaction."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import and_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel

from api.errors import Problem, Wrong, invalid
from api.resources.machine import Resource, Row, Work
from api.resources.reading import etag_of, read_row, visible
from api.security import CurrentUser
from inventory.audit import record
from inventory.database import Register, raise_version
from inventory.models import Region, RegionTree, table, utcnow

Result = TypeVar("Result")


def create_row(resource: Resource, register: Register, caller: CurrentUser, body: BaseModel) -> Row:
    """Create a row, and give it as it is shown."""
    _check_writer(resource, caller)
    values = body.model_dump()

    def act(work: Work) -> Row:
        session = work.session
        children = {name: values.pop(name) for name in resource.children if name in values}
        _check_references(resource, session, caller, values, {})
        _check_clashes(resource, session, values, None)
        row = resource.model(**values)
        if resource.prepare is not None:
            resource.prepare(work, row, children)
        session.add(row)
        session.flush()
        shown = _settle(resource, work, row, children, "create", None)
        if resource.reply is not None:
            resource.reply(children, shown)
        return shown

    return _in_transaction(register, caller, act)


def update_row(
    resource: Resource, register: Register, caller: CurrentUser, number: int, body: BaseModel, match: str | None
) -> Row:
    """Change the fields that `body` sets. 428 without If-Match, 412 where the version is another."""
    _check_writer(resource, caller)
    values = body.model_dump(exclude_unset=True)

    def act(work: Work) -> Row:
        session = work.session
        row, before = _find(resource, session, caller, number, match)
        audited = _auditable(resource, row, before)
        children = {name: values.pop(name) for name in resource.children if name in values}
        old = {name: getattr(row, name) for name in values}
        _check_references(resource, session, caller, values, old)
        _check_clashes(resource, session, {**row.model_dump(), **values}, number, set(values))
        for name, value in values.items():
            setattr(row, name, value)
        if resource.prepare is not None:
            resource.prepare(work, row, children)
        if hasattr(row, "row_version"):
            row.row_version += 1
        if hasattr(row, "updated_at"):
            row.updated_at = utcnow()
        session.add(row)
        session.flush()
        return _settle(resource, work, row, children, "update", audited)

    return _in_transaction(register, caller, act)


def delete_row(resource: Resource, register: Register, caller: CurrentUser, number: int, match: str | None) -> None:
    """Delete a row; 409 where others still name it."""
    _check_writer(resource, caller)

    def act(work: Work) -> None:
        session = work.session
        row, before = _find(resource, session, caller, number, match)
        used = _used_by(session, resource.model, number)
        if used:
            raise Problem("in-use", what=", ".join(used))
        audited = _auditable(resource, row, before)
        if resource.before_delete is not None:
            resource.before_delete(work, row)
        session.delete(row)
        session.flush()
        _note(resource, session, caller, number, "delete", audited, None)

    _in_transaction(register, caller, act)


def _in_transaction(register: Register, caller: CurrentUser, act: Callable[[Work], Result]) -> Result:
    try:
        with register.write() as session:
            return act(Work(session, caller, register))
    except IntegrityError as error:  # two writers at once, on PostgreSQL
        raise Problem("clash", field="?", errors=[Wrong("", "clash")]) from error


def _check_writer(resource: Resource, caller: CurrentUser) -> None:
    if resource.writers != "all" and not caller.is_admin:
        raise Problem("admin-only")
    if resource.writers == "province" and not caller.scope.everything:
        raise Problem("outside")


def _find(resource: Resource, session: Session, caller: CurrentUser, number: int, match: str | None) -> tuple[Any, Row]:
    """The row, locked, and how it is shown, after the check of If-Match (RFC 9110, 13.1.1; RFC 6585, 3)."""
    shown = read_row(resource, session, caller, number)
    if match is None:
        raise Problem("need-match")
    if match.strip() != "*" and etag_of(shown) not in _tags(match):
        raise Problem("stale", headers={"etag": etag_of(shown)})
    row = session.get(resource.model, number, with_for_update=True)
    if row is None or getattr(row, "row_version", 0) != shown.get("row_version", 0):
        raise Problem("stale")
    return row, shown


def _tags(match: str) -> list[str]:
    """The tags of an If-Match. Proxies that compress make them weak (`W/"7"`); a version is as strong as before."""
    return [tag.strip().removeprefix("W/") for tag in match.split(",")]


def _settle(resource: Resource, work: Work, row: Any, children: Row, action: str, before: Row | None) -> Row:
    session, caller = work.session, work.caller
    if resource.write_children is not None:
        resource.write_children(work, row, children)
        session.flush()
    statement = visible(resource, caller, select(table(resource.model).c.id)).where(
        table(resource.model).c.id == row.id
    )
    if session.connection().execute(statement).first() is None:
        place = next((name for name in _PLACES if hasattr(row, name)), "")
        raise Problem("outside", errors=[Wrong(place, "outside")] if place else ())
    shown = read_row(resource, session, caller, row.id)
    _note(resource, session, caller, row.id, action, before, _auditable(resource, row, shown))
    return shown


_PLACES = ("place_id", "site_id", "region_id", "school_id", "from_device_id", "duty_id")


def _note(
    resource: Resource,
    session: Session,
    caller: CurrentUser,
    number: int,
    action: str,
    before: Row | None,
    after: Row | None,
) -> None:
    record(
        session,
        actor=caller.actor,
        action=action,
        resource=resource.name,
        resource_id=number,
        before=before,
        after=after,
    )
    if resource.planned:
        raise_version(session)


def _auditable(resource: Resource, row: Any, shown: Row) -> Row:
    """What the audit keeps: the columns that may be shown, and the children; no state, no secret."""
    columns = table(resource.model).c
    keep = (set(resource.read.model_fields) & {*columns.keys(), *resource.children}) - resource.columns.keys()
    return {name: _plain(shown[name]) for name in sorted(keep) if name in shown and name != "row_version"}


def _plain(value: Any) -> Any:
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value)


def _check_references(resource: Resource, session: Session, caller: CurrentUser, values: Row, old: Row) -> None:
    wrong = [
        Wrong(name, "no-such", "id")
        for name, model in resource.references.items()
        if values.get(name) is not None
        and values[name] != old.get(name)
        and not may_name(session, caller, model, values[name], name)
    ]
    if wrong:
        raise invalid(*wrong)


def may_name(session: Session, caller: CurrentUser, model: type[SQLModel], number: int, field: str = "") -> bool:
    """Whether the caller may refer to this row. A region of the tree that the scope is not of needs only to be there, and of its tree."""
    if model is not Region:
        return caller.scope.allows(session, model, number)
    region = session.get(Region, number)
    if region is None or (field == "place_id" and region.tree is not RegionTree.place):
        return False
    if field == "duty_id" and region.tree is not RegionTree.duty:
        return False
    return region.tree is not caller.scope.tree or caller.scope.allows(session, Region, number)


def _check_clashes(
    resource: Resource, session: Session, values: Row, number: int | None, changed: Iterable[str] | None = None
) -> None:
    own = table(resource.model)
    for group in resource.clashes:
        if changed is not None and not set(group) & set(changed):
            continue
        if any(values.get(name) in (None, "") for name in group):
            continue
        statement = select(own.c.id).where(and_(*(own.c[name] == values[name] for name in group)))
        if number is not None:
            statement = statement.where(own.c.id != number)
        if session.connection().execute(statement.limit(1)).first() is not None:
            raise clash(*group)


def clash(*fields: str) -> Problem:
    """A 409 naming the fields whose values are taken."""
    return Problem("clash", field=", ".join(fields), errors=[Wrong(name, "clash") for name in fields])


def _used_by(session: Session, model: type[SQLModel], number: int) -> list[str]:
    """Tables that refer to the row without going with it."""
    own = table(model)
    used = []
    for other in SQLModel.metadata.sorted_tables:
        for key in other.foreign_keys:
            if key.column.table is not own or key.ondelete == "CASCADE":
                continue
            if session.connection().execute(select(key.parent).where(key.parent == number).limit(1)).first():
                used.append(other.name)
    return sorted(set(used))
