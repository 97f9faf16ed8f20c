"""Writing a plan: one short transaction of bulk statements, with what was there before, so that it can be undone as a whole."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlmodel import Session, SQLModel

from inventory.audit import record
from inventory.database import Register, raise_version
from inventory.imports.plan import Plan
from inventory.imports.view import Change, Members, New
from inventory.imports.within import check_within, touched
from inventory.models import (
    Address,
    Device,
    ImportBatch,
    ImportChange,
    Line,
    RegisterVersion,
    School,
    SchoolCode,
    Site,
    complete,
    table,
    utcnow,
)

ORDER: tuple[type[SQLModel], ...] = (School, SchoolCode, Site, Device, Address, Line)
"""Tables in the order in which rows are made: what is referred to comes first."""


class RegisterMovedError(Exception):
    """The register has changed since the plan was made: plan again."""


def apply_plan(
    register: Register, plan: Plan, actor: str = "", progress: Callable[[str, int, int], None] | None = None
) -> int:
    """Write a plan, all of it or nothing; the batch's id. ValueError while it has problems; RegisterMovedError.

    OutsideError, and nothing is written, where it would touch what is not, or would not stay, within the plan's scope. The plan
    names such cells already: this asks the database once more.
    """
    if plan.problems:
        raise ValueError("the file has wrong cells: nothing is written")
    with register.write() as session:
        row = table(RegisterVersion)
        # On PostgreSQL the row's lock keeps others from raising the version until this is committed.
        version = session.connection().execute(select(row.c.version).with_for_update()).scalar() or 0
        if version != plan.register_version:
            raise RegisterMovedError
        check_within(session, plan.scope, touched(plan.changes, plan.members))
        batch = _add_batch(session, plan, actor)
        _Writer(session, batch, progress).write(plan)
        made = [(model, key.id if isinstance(key, New) else key) for model, key in touched(plan.changes, plan.members)]
        check_within(session, plan.scope, made)
        if plan.changes or plan.members:
            raise_version(session)
        counts = {"created": plan.counts.created, "updated": plan.counts.updated, "unchanged": plan.counts.unchanged}
        record(
            session, actor, "import", plan.what, batch, None, {"file": plan.file_name, "sha256": plan.sha256, **counts}
        )
    return batch


def _add_batch(session: Session, plan: Plan, actor: str) -> int:
    batch = ImportBatch(
        actor=actor,
        what=plan.what,
        file_name=plan.file_name[:200],
        sha256=plan.sha256,
        created=plan.counts.created,
        updated=plan.counts.updated,
        unchanged=plan.counts.unchanged,
    )
    session.add(batch)
    session.flush()
    return batch.id or 0


class _Writer:
    def __init__(self, session: Session, batch: int, progress: Callable[[str, int, int], None] | None) -> None:
        self._connection = session.connection()
        self._batch = batch
        self._log: list[dict[str, Any]] = []
        self._progress = progress or (lambda _phase, _done, _total: None)

    def write(self, plan: Plan) -> None:
        """Ids first, then rows table by table, then the pairs, then the log of it."""
        for step, model in enumerate(ORDER):
            self._progress("write", step, len(ORDER) + 1)
            changes = [change for change in plan.changes if change.model is model]
            new = [change for change in changes if isinstance(change.key, New)]
            for change, number in zip(new, allocate_ids(self._connection, model, len(new)), strict=True):
                assert isinstance(change.key, New)
                change.key.id = number
            self._insert(model, new)
            self._update(model, [change for change in changes if not isinstance(change.key, New)])
        for model in {members.model for members in plan.members}:
            self._set([members for members in plan.members if members.model is model])
        if self._log:
            self._connection.execute(insert(table(ImportChange)), self._log)
        self._progress("write", len(ORDER) + 1, len(ORDER) + 1)

    def _insert(self, model: type[SQLModel], changes: list[Change]) -> None:
        if not changes:
            return
        rows = [complete(model, {"id": _number(change.key), **_numbers(change.values)}) for change in changes]
        self._connection.execute(insert(table(model)), rows)
        self._log.extend(self._entry(model, row["id"], row.get("row_version"), None) for row in rows)

    def _update(self, model: type[SQLModel], changes: list[Change]) -> None:
        row = table(model)
        versioned = "row_version" in row.c
        groups: dict[tuple[str, ...], list[Change]] = {}
        for change in changes:
            groups.setdefault(tuple(sorted(change.values)), []).append(change)
        for columns, group in groups.items():
            values: dict[str, Any] = {name: bindparam(f"v_{name}", type_=row.c[name].type) for name in columns}
            if versioned:
                values |= {"row_version": row.c.row_version + 1, "updated_at": utcnow()}
            parameters = [
                {"k": change.key, **{f"v_{name}": value for name, value in _numbers(change.values).items()}}
                for change in group
            ]
            self._connection.execute(update(row).where(row.c.id == bindparam("k")).values(values), parameters)
        versions = _versions(self._connection, model, [_number(change.key) for change in changes]) if versioned else {}
        for change in changes:
            number = _number(change.key)
            self._log.append(self._entry(model, number, versions.get(number), change.before))

    def _set(self, sets: list[Members]) -> None:
        row, owner, member = table(sets[0].model), sets[0].owner_column, sets[0].member_column
        emptied = [{"k": _number(members.owner)} for members in sets if members.before]
        if emptied:
            self._connection.execute(delete(row).where(row.c[owner] == bindparam("k")), emptied)
        pairs = [
            complete(members.model, {owner: _number(members.owner), member: _number(one)})
            for members in sets
            for one in members.members
        ]
        if pairs:
            self._connection.execute(insert(row), pairs)
        for members in sets:
            if members.before is not None:
                self._log.append(
                    self._entry(members.model, _number(members.owner), None, {member: list(members.before)})
                )

    def _entry(
        self, model: type[SQLModel], number: int, version: int | None, before: dict[str, Any] | None
    ) -> dict[str, Any]:
        shown = None if before is None else {name: _json(value) for name, value in before.items()}
        return {
            "batch_id": self._batch,
            "resource": table(model).name,
            "resource_id": number,
            "row_version": version,
            "before": shown,
        }


def allocate_ids(connection: Connection, model: type[SQLModel], count: int) -> Iterable[int]:
    """`count` fresh ids of a table, ascending. On SQLite inside a writing transaction, which keeps others from taking them."""
    if not count:
        return ()
    name = table(model).name
    if connection.dialect.name == "postgresql":
        sequence = f"pg_get_serial_sequence('\"{name}\"', 'id')"
        rows = connection.exec_driver_sql(f"SELECT nextval({sequence}) FROM generate_series(1, {count})")
        return sorted(rows.scalars())
    highest = connection.execute(select(func.max(table(model).c.id))).scalar() or 0
    if table(model).dialect_options["sqlite"]["autoincrement"]:
        given = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (name,)).scalar() or 0
        highest = max(highest, given)
    return range(highest + 1, highest + 1 + count)


def _versions(connection: Connection, model: type[SQLModel], ids: list[int]) -> dict[int, int]:
    row = table(model)
    found: dict[int, int] = {}
    for start in range(0, len(ids), 500):
        part = select(row.c.id, row.c.row_version).where(row.c.id.in_(ids[start : start + 500]))
        found.update(dict(connection.execute(part).tuples().all()))
    return found


def _number(key: int | New | None) -> int:
    number = key.id if isinstance(key, New) else key
    if number is None:
        raise RuntimeError("a row is referred to before it is made")
    return number


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _number(value) if isinstance(value, New) else value for name, value in values.items()}


def _json(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return {"hex": value.hex()} if isinstance(value, bytes) else value
