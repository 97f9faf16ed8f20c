"""What the collector writes: states, outages, incidents, notices, signs of life, its own memory.

Bulk Core statements alone, on both databases; every function works in the caller's transaction, so that the judge's memory
and what it explains are committed together. Rows are mappings of column names of `inventory/models/{live,outages}.py`; what
a row does not name keeps its value (update) or gets the model's default (insert).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

from inventory.audit import record
from inventory.models import (
    Device,
    Feed,
    Incident,
    JudgeState,
    NodeState,
    Notice,
    Outage,
    Port,
    Unseen,
    complete,
    table,
    utcnow,
)

Row = Mapping[str, Any]

_CHUNK = 500


def upsert(
    session: Session, model: type[SQLModel], rows: Sequence[Row], keys: Sequence[str], keep: Sequence[str] = ()
) -> None:
    """Insert rows, or set the columns given where `keys` (a primary key or unique constraint) are there. `keep`: columns that only an insert sets."""
    connection = session.connection()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    for columns, group in _by_columns(rows).items():
        statement: Any = dialect.insert(table(model))
        changed = {name: statement.excluded[name] for name in columns if name not in keys and name not in keep}
        statement = (
            statement.on_conflict_do_update(index_elements=list(keys), set_=changed)
            if changed
            else statement.on_conflict_do_nothing(index_elements=list(keys))
        )
        connection.execute(statement, [complete(model, row) for row in group])


def write_node_states(session: Session, rows: Sequence[Row]) -> None:
    """Set the states of nodes; each row names at least kind, node_id, state, since."""
    upsert(session, NodeState, rows, ("kind", "node_id"))


def forget_node_states(session: Session, nodes: Iterable[tuple[str, int]]) -> None:
    """Take away the states of nodes (kind, id) that the plan no longer has."""
    row = table(NodeState)
    for kind, ids in _by_kind(nodes).items():
        for part in _chunks(ids):
            session.connection().execute(delete(row).where(row.c.kind == kind, row.c.node_id.in_(part)))


def open_outages(session: Session, rows: Sequence[Row]) -> list[int]:
    """Open outages; each row names at least kind, node_id, from_at. Their ids, in order.

    A node that has an open outage keeps it, so that writing the same again after a crash doubles nothing.
    """
    known = open_outage_ids(session, [(row["kind"], row["node_id"]) for row in rows])
    new = [row for row in rows if (row["kind"], row["node_id"]) not in known]
    if new:
        statement = _returning_ids(insert(table(Outage)), Outage)
        made = session.connection().execute(statement, [complete(Outage, row) for row in new]).scalars().all()
        known.update({(row["kind"], row["node_id"]): number for row, number in zip(new, made, strict=True)})
    return [known[row["kind"], row["node_id"]] for row in rows]


def close_outages(session: Session, rows: Sequence[Row]) -> None:
    """Close the open outages of nodes; each row names kind, node_id, until_at, and what else is to be set (until_latest, cause ...)."""
    update_outages(session, rows)


def update_outages(session: Session, rows: Sequence[Row]) -> None:
    """Set columns of the open outages of nodes (kind, node_id)."""
    row = table(Outage)
    still_open = (row.c.kind == bindparam("k_kind", type_=row.c.kind.type), row.c.node_id == bindparam("k_node_id"))
    _update(session, Outage, rows, ("kind", "node_id"), (*still_open, row.c.until_at.is_(None)))


def amend_outages(session: Session, rows: Sequence[Row]) -> None:
    """Correct what is written of outages by what late reports say: each row names kind, node_id, since, until, runs, and the place.

    Between since and until the node was down in `runs` [(from, until)] alone. An outage that never was is taken away; the audit keeps it.
    A bound beyond the stretch stays; where one outage was several, the last keeps the row, for it may still be open.
    """
    outage = table(Outage)
    connection = session.connection()
    for row in rows:
        since, until = row["since"], row["until"]
        mine = (outage.c.kind == row["kind"], outage.c.node_id == row["node_id"], outage.c.from_at <= until)
        there = or_(outage.c.until_at.is_(None), outage.c.until_at >= since)
        free = list(row["runs"])
        for old in connection.execute(select(outage).where(*mine, there).order_by(outage.c.from_at)).mappings().all():
            end = old["until_at"]
            runs = [run for run in free if run[1] > old["from_at"] and (end is None or run[0] < end)]
            free = [run for run in free if run not in runs]
            if not runs:
                if old["from_at"] >= since and end is not None and end <= until:
                    connection.execute(delete(outage).where(outage.c.id == old["id"]))
                    _note_amended(session, old, None)
                continue
            begins = old["from_at"] if old["from_at"] < since or runs[0][0] <= since else runs[0][0]
            ends = end if end is None or end > until or runs[-1][1] >= until else runs[-1][1]
            bounds = [(begins if i == 0 else run[0], run[1]) for i, run in enumerate(runs)]
            parts = [{**_without_id(old), "from_at": a, "until_at": b} for a, b in bounds[:-1]]
            changed = {"from_at": bounds[-1][0], "until_at": ends}
            if changed == {"from_at": old["from_at"], "until_at": end}:
                continue
            if parts:
                connection.execute(insert(outage), [complete(Outage, new) for new in parts])
            connection.execute(update(outage).where(outage.c.id == old["id"]).values(changed))
            _note_amended(session, old, changed)
        place = {name: row[name] for name in ("kind", "node_id", "school_id", "place_id", "duty_id")}
        new = [{**place, "from_at": a, "until_at": b} for a, b in free if b < until]
        if new:
            connection.execute(insert(outage), [complete(Outage, one) for one in new])


def _without_id(old: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in old.items() if name != "id"}


def _note_amended(session: Session, old: Mapping[Any, Any], changed: Row | None) -> None:
    """The trace of an outage as it was written before late reports came."""
    before = {name: str(old[name]) for name in ("kind", "node_id", "from_at", "until_at")}
    after = None if changed is None else {name: str(value) for name, value in changed.items()}
    record(session, "collector", "amend", "outages", old["id"], before, after)


def open_outage_ids(session: Session, nodes: Iterable[tuple[str, int]] | None = None) -> dict[tuple[str, int], int]:
    """{(kind, node id): outage id} of the outages that are open, of these nodes or of all."""
    row = table(Outage)
    statement = select(row.c.kind, row.c.node_id, row.c.id).where(row.c.until_at.is_(None))
    connection = session.connection()
    if nodes is None:
        return {(kind, node): number for kind, node, number in connection.execute(statement)}
    found: dict[tuple[str, int], int] = {}
    for kind, ids in _by_kind(nodes).items():
        for part in _chunks(ids):
            narrowed = statement.where(row.c.kind == kind, row.c.node_id.in_(part))
            found.update({(of, node): number for of, node, number in connection.execute(narrowed)})
    return found


def upsert_incidents(session: Session, rows: Sequence[Row]) -> dict[str, int]:
    """Make or change incidents by their `key`; a new one names at least key and from_at. {key: id}."""
    row = table(Incident)
    connection = session.connection()
    known: dict[str, int] = {}
    for part in _chunks([entry["key"] for entry in rows]):
        known.update(dict(connection.execute(select(row.c.key, row.c.id).where(row.c.key.in_(part))).tuples().all()))
    new = {entry["key"]: entry for entry in rows if entry["key"] not in known}
    old = [{"updated_at": utcnow(), **entry} for entry in rows if entry["key"] in known]
    if new:
        statement = _returning_ids(insert(row), Incident)
        made = connection.execute(statement, [complete(Incident, entry) for entry in new.values()]).scalars().all()
        known.update(dict(zip(new, made, strict=True)))
    _update(session, Incident, old, ("key",), (row.c.key == bindparam("k_key"),))
    return known


def write_verdicts(session: Session, verdicts: Mapping[int, Row]) -> None:
    """Causes of incidents {id: row} and of all their outages; what a person has corrected keeps that, but for the evidence."""
    incident, outage = table(Incident), table(Outage)
    rows = [{"id": number, **row} for number, row in verdicts.items()]
    verdict = ("cause", "cause_confidence", "cause_rule", "accountable")
    evidence = [{"id": row["id"], "cause_evidence": row["cause_evidence"]} for row in rows if "cause_evidence" in row]
    concluded = [{key: row[key] for key in ("id", *verdict)} for row in rows]
    of_incident = (incident.c.id == bindparam("k_id"), incident.c.corrected_at.is_(None))
    _update(session, Incident, evidence, ("id",), (incident.c.id == bindparam("k_id"),))
    _update(session, Incident, concluded, ("id",), of_incident)
    of_outage = (outage.c.incident_id == bindparam("k_id"), outage.c.corrected_at.is_(None))
    _update(session, Outage, concluded, ("id",), of_outage)


def upsert_incident(session: Session, row: Row) -> int:
    """One incident; its id."""
    return upsert_incidents(session, [row])[row["key"]]


def add_notices(session: Session, rows: Sequence[Row]) -> list[int]:
    """Add notices; each row names at least incident_id, event, at. Their ids, in order."""
    if not rows:
        return []
    statement = _returning_ids(insert(table(Notice)), Notice)
    return list(session.connection().execute(statement, [complete(Notice, row) for row in rows]).scalars().all())


def add_notice(session: Session, row: Row) -> int:
    """One notice; its id."""
    return add_notices(session, [row])[0]


def mark_notice(session: Session, notice_id: int, sent_at: datetime | None, error: str = "") -> None:
    """Note that a notice went out, or why it did not."""
    row = table(Notice)
    session.connection().execute(update(row).where(row.c.id == notice_id).values(sent_at=sent_at, error=error[:300]))


def beat(
    session: Session, feed: str, at: datetime | None = None, stale_after: float = 15.0, detail: Row | None = None
) -> None:
    """A sign of life of one part (`judge`, `rounds`, `outlets`). stale_after: seconds after which the board greys itself."""
    row = {"name": feed, "at": at or utcnow(), "stale_after": stale_after, "detail": dict(detail or {})}
    upsert(session, Feed, [row], ("name",))


def open_unseen(session: Session, zone: str, shard: int, from_at: datetime, reason: str) -> int:
    """Begin a span that nobody sees, unless one of this zone and shard is open; its id."""
    row = table(Unseen)
    same = select(row.c.id).where(row.c.zone == zone, row.c.shard == shard, row.c.until_at.is_(None))
    found = session.connection().execute(same).scalar()
    if found is not None:
        return int(found)
    values = complete(Unseen, {"zone": zone, "shard": shard, "from_at": from_at, "reason": reason})
    return int(session.connection().execute(insert(row).values(values).returning(row.c.id)).scalar_one())


def close_unseen(session: Session, zone: str, shard: int, until_at: datetime) -> bool:
    """End the open span of a zone and shard. Whether there was one."""
    row = table(Unseen)
    same = (row.c.zone == zone, row.c.shard == shard, row.c.until_at.is_(None))
    return bool(session.connection().execute(update(row).where(*same).values(until_at=until_at)).rowcount)


def see_unseen(
    session: Session, zone: str, shard: int, from_at: datetime, until_at: datetime, least_s: float = 0.0
) -> None:
    """Somebody saw this span after all: it is taken out of what was written as unseen. Closed rests shorter than `least_s` go too."""
    row = table(Unseen)
    within = (row.c.zone == zone, row.c.shard == shard, row.c.reason == "blind", row.c.from_at < until_at)
    touched = select(row).where(*within, or_(row.c.until_at.is_(None), row.c.until_at > from_at))
    connection = session.connection()
    for old in connection.execute(touched).mappings().all():
        connection.execute(delete(row).where(row.c.id == old["id"]))
        rests = [(old["from_at"], from_at), (until_at, old["until_at"])]
        kept = [(a, b) for a, b in rests if b is None or (b - a).total_seconds() > least_s]
        add_unseen(session, [{**_without_id(old), "from_at": a, "until_at": b} for a, b in kept])


def add_unseen(session: Session, rows: Sequence[Row]) -> None:
    """Spans known from beginning to end, such as the time between a stop and the next start: zone, shard, from_at, until_at, reason."""
    if rows:
        session.connection().execute(insert(table(Unseen)), [complete(Unseen, row) for row in rows])


def save_judge(session: Session, key: str, value: Mapping[str, Any], at: datetime | None = None) -> None:
    """Keep a value of the judge's memory."""
    save_judge_many(session, {key: value}, at)


def save_judge_many(session: Session, values: Mapping[str, Mapping[str, Any]], at: datetime | None = None) -> None:
    """Keep several values of the judge's memory."""
    now = at or utcnow()
    upsert(
        session, JudgeState, [{"key": key, "value": dict(value), "at": now} for key, value in values.items()], ("key",)
    )


def load_judge(session: Session, key: str) -> dict[str, Any] | None:
    """A value of the judge's memory, or None."""
    row = table(JudgeState)
    return session.connection().execute(select(row.c.value).where(row.c.key == key)).scalar()


def load_judge_all(session: Session, prefix: str = "") -> dict[str, dict[str, Any]]:
    """The judge's memory, or the part whose keys begin with `prefix`."""
    row = table(JudgeState)
    statement = select(row.c.key, row.c.value).where(row.c.key.startswith(prefix, autoescape=True))
    return dict(session.connection().execute(statement).tuples().all())


def forget_judge(session: Session, keys: Iterable[str]) -> None:
    """Take values out of the judge's memory."""
    row = table(JudgeState)
    for part in _chunks(list(keys)):
        session.connection().execute(delete(row).where(row.c.key.in_(part)))


def write_ports(session: Session, rows: Sequence[Row]) -> None:
    """What discovery read of ports: each row names at least device_id, name, if_index. `monitored` is set at the first sight alone."""
    upsert(session, Port, rows, ("device_id", "name"), keep=("monitored",))


def write_device_facts(session: Session, rows: Sequence[Row]) -> None:
    """What devices say of themselves: each row names id, and any of sys_object_id, sys_descr, sys_name, version, engine_id, serial, first_seen ...

    Neither the row's version nor the register's is raised: nobody edited it, and no plan depends on it.
    """
    _update(session, Device, rows, ("id",), (table(Device).c.id == bindparam("k_id"),))


def mark_seen(session: Session, seen: Mapping[int, datetime]) -> None:
    """The first answers of devices {id: when}; a device that was seen before keeps its day."""
    row = table(Device)
    rows = [{"id": number, "first_seen": at} for number, at in seen.items()]
    _update(session, Device, rows, ("id",), (row.c.id == bindparam("k_id"), row.c.first_seen.is_(None)))


def _update(
    session: Session, model: type[SQLModel], rows: Sequence[Row], keys: Sequence[str], where: Sequence[Any]
) -> None:
    row = table(model)
    for columns, group in _by_columns(rows).items():
        values = {name: bindparam(f"v_{name}", type_=row.c[name].type) for name in columns if name not in keys}
        if not values:
            continue
        parameters = [
            {f"{'k' if name in keys else 'v'}_{name}": value for name, value in entry.items()} for entry in group
        ]
        session.connection().execute(update(row).where(*where).values(values), parameters)


def _returning_ids(statement: Insert, model: type[SQLModel]) -> Any:
    return statement.returning(table(model).c.id, sort_by_parameter_order=True)


def _by_columns(rows: Iterable[Row]) -> dict[tuple[str, ...], list[Row]]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    return groups


def _by_kind(nodes: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for kind, number in nodes:
        groups.setdefault(kind, []).append(number)
    return groups


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))
