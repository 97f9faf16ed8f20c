"""Undoing an import as a whole: what it made goes, what it changed gets back what was there before."""

from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel

from inventory.audit import record
from inventory.database import Register, raise_version
from inventory.imports.apply import ORDER
from inventory.imports.problems import Problem
from inventory.imports.within import OWNERS, OutsideError, Touched, check_within
from inventory.log import forget_node_states
from inventory.models import DeviceUpstream, ImportBatch, ImportChange, LineSite, complete, table, utcnow
from inventory.scope import Scope

_PAIRS: dict[str, tuple[type[SQLModel], str]] = {
    "line_site": (LineSite, "line_id"),
    "device_upstream": (DeviceUpstream, "device_id"),
}


class UndoError(Exception):
    """It cannot be undone. problems: what has been changed, or come into use, since."""

    def __init__(self, why: str, problems: list[Problem] | None = None) -> None:
        super().__init__(why)
        self.problems = problems or []


def undo(register: Register, batch_id: int, actor: str = "", scope: Scope | None = None) -> int:
    """Undo a batch, all of it or nothing; how many rows were touched. UndoError.

    scope: of who undoes. Who sees a part may undo what he has imported himself, while all of it lies in his part.
    """
    try:
        with register.write() as session:
            return _undo(session, batch_id, actor, scope or Scope())
    except OutsideError:
        raise UndoError(f"there is no import {batch_id}") from None
    except IntegrityError as error:
        raise UndoError(f"other rows refer to what this import made: {error.orig}") from None


def _undo(session: Session, batch_id: int, actor: str, scope: Scope) -> int:
    batch = session.get(ImportBatch, batch_id)
    if batch is None or not (scope.everything or batch.actor == actor):
        raise UndoError(f"there is no import {batch_id}")
    if batch.undone_at:
        raise UndoError(f"import {batch_id} has been undone already")
    row = table(ImportChange)
    entries = (
        session.connection().execute(select(row).where(row.c.batch_id == batch_id).order_by(row.c.id.desc())).all()
    )
    check_within(session, scope, _touched(entries))
    problems = _changed_since(session, entries)
    if problems:
        raise UndoError(f"{len(problems)} rows have been changed since", problems)
    for resource in ("device_upstream", "line_site"):
        for entry in entries:
            if entry.resource == resource:
                _restore_pairs(session, entry)
    for model in reversed(ORDER):
        _undo_table(session, model, [entry for entry in entries if entry.resource == table(model).name])
    check_within(session, scope, _touched(entries))
    batch.undone_at, batch.undone_by = utcnow(), actor
    session.add(batch)
    raise_version(session)
    record(session, actor, "undo", batch.what, batch_id, None, {"rows": len(entries)})
    return len(entries)


def _touched(entries: Any) -> Touched:
    models = {table(model).name: model for model in ORDER} | {
        name: OWNERS[model] for name, (model, _) in _PAIRS.items()
    }
    return [(models[entry.resource], entry.resource_id) for entry in entries]


def _changed_since(session: Session, entries: Any) -> list[Problem]:
    problems = []
    for model in ORDER:
        row = table(model)
        if "row_version" not in row.c:
            continue
        wanted = {entry.resource_id: entry.row_version for entry in entries if entry.resource == row.name}
        ids = list(wanted)
        for start in range(0, len(ids), 500):
            part = select(row.c.id, row.c.row_version, row.c.name).where(row.c.id.in_(ids[start : start + 500]))
            for number, version, name in session.connection().execute(part):
                if version != wanted[number]:
                    problems.append(Problem("changed_since", params={"resource": row.name, "name": name}))
    return problems


def _restore_pairs(session: Session, entry: Any) -> None:
    model, owner = _PAIRS[entry.resource]
    row = table(model)
    session.connection().execute(delete(row).where(row.c[owner] == entry.resource_id))
    ((member, numbers),) = entry.before.items()
    if numbers:
        rows = [complete(model, {owner: entry.resource_id, member: number}) for number in numbers]
        session.connection().execute(insert(row), rows)


def _undo_table(session: Session, model: type[SQLModel], entries: list[Any]) -> None:
    row = table(model)
    made = [entry.resource_id for entry in entries if entry.before is None]
    for start in range(0, len(made), 500):
        part = made[start : start + 500]
        if row.name == "line":
            session.connection().execute(delete(table(LineSite)).where(table(LineSite).c.line_id.in_(part)))
        session.connection().execute(delete(row).where(row.c.id.in_(part)))
    if row.name in ("device", "line", "site", "school"):
        forget_node_states(session, [(row.name, number) for number in made])
    for entry in entries:
        if entry.before is None:
            continue
        values = {name: _value(row.c[name], value) for name, value in entry.before.items()}
        if "row_version" in row.c:
            values |= {"row_version": entry.row_version + 1, "updated_at": utcnow()}
            _follow(session, entry)
        if values:
            session.connection().execute(update(row).where(row.c.id == entry.resource_id).values(values))


def _follow(session: Session, entry: Any) -> None:
    """The import before this one left what is now restored, under a version of its own: it can still be undone."""
    row = table(ImportChange)
    session.connection().execute(
        update(row)
        .where(
            row.c.resource_id == entry.resource_id,
            row.c.resource == entry.resource,
            row.c.row_version == entry.row_version - 1,
        )
        .values(row_version=entry.row_version + 1)
    )


def _value(column: Any, value: Any) -> Any:
    if isinstance(value, dict) and "hex" in value:
        return bytes.fromhex(value["hex"])
    if value is not None and getattr(column.type, "python_type", None) is date:
        return date.fromisoformat(value)
    return value
