"""The teller's database: what it reads at a start and while it goes on, and what it commits. A few statements each, all indexed."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, select, update
from sqlmodel import Session

from collector.telling.rules import base_severity
from collector.telling.teller import Changes
from collector.telling.values import Ack, Item, Subject, Told
from inventory import log
from inventory.models import (
    Delivery,
    Device,
    Incident,
    IncidentNote,
    LineSite,
    NodeKind,
    Notice,
    Region,
    Site,
    complete,
    table,
    utcnow,
)
from inventory.models.devices import DeviceKind

CURSOR = "telling"
"""Key of `judge_state`: how far the notices were taken."""

CHUNK = 500
Row = dict[str, Any]

_ITEM = ("opened", "updated", "escalated", "lapsed", "reopened", "resolved")


def moment(t: float) -> datetime:
    """Seconds since the epoch as an aware datetime."""
    return datetime.fromtimestamp(t, UTC)


# -- what the judge said ------------------------------------------------------------------------------------------------


def read_cursor(session: Session) -> int:
    """The last notice that was taken. At the very first start: the newest there is, since what is open is told then."""
    found = log.load_judge(session, CURSOR)
    if found is not None:
        return int(found["notice"])
    row = table(Notice)
    return int(session.connection().execute(select(func.max(row.c.id)).where(row.c.outlet == "")).scalar() or 0)


def read_news(connection: Connection, cursor: int, most: int = 5000) -> list[tuple[Told, int]]:
    """Notices of the judge after the cursor, with their incidents, in order. They are written by one thread: no id comes late."""
    row = table(Notice)
    statement = (
        select(row.c.id, row.c.at, row.c.event, row.c.incident_id)
        .where(row.c.id > cursor, row.c.outlet == "")
        .order_by(row.c.id)
        .limit(most)
    )
    return [
        (Told(number, at.timestamp(), event), incident) for number, at, event, incident in connection.execute(statement)
    ]


def read_subjects(connection: Connection, ids: Iterable[int]) -> dict[int, Subject]:
    """Incidents as they are now, by id."""
    incident, region = table(Incident), table(Region)
    found: dict[int, Subject] = {}
    for part in _parts(sorted(set(ids))):
        statement = (
            select(incident, region.c.name.label("region_name"))
            .select_from(incident.outerjoin(region, region.c.id == incident.c.place_id))
            .where(incident.c.id.in_(part))
        )
        rows = connection.execute(statement).mappings().all()
        roots = read_roots(connection, rows)
        for row in rows:
            found[row["id"]] = subject_of(row, roots.get((row["root_kind"], row["root_id"]), {}))
    return found


def subject_of(row: Any, root: Row) -> Subject:
    """A subject from a row of `incident` and what is known of its root."""
    node = f"{NodeKind(row['root_kind']).value}:{row['root_id']}" if row["root_id"] is not None else ""
    cls = _class_of(row, root)
    school, site = root.get("school_id") or 0, root.get("site_id")
    nodes = [one for one in (node, f"site:{site}" if site else "", f"school:{school}" if school else "") if one]
    until = row["resolved_at"]
    affected, schools, pupils = (_figure(row, name) for name in ("affected", "schools", "pupils"))
    return Subject(
        id=row["id"],
        kind=row["kind"],
        cls=cls,
        base=base_severity(row["kind"], cls, schools, pupils, row["severity"]),
        name=row["root_name"],
        root=node or f"{row['cluster_by']}:{row['cluster_value']}",
        nodes=tuple(nodes),
        path=row["path"],
        duty_path=row["duty_path"],
        school=school,
        region=row["region_name"] or "",
        from_t=row["from_at"].timestamp(),
        until_t=until.timestamp() if until is not None else None,
        affected=affected,
        schools=schools,
        pupils=pupils,
        flapping=row["flapping"],
        merged_into=row["merged_into"],
        cause=row["cause"],
        planned_t=row["planned_until"].timestamp() if row["planned_until"] is not None else None,
        severity=row["severity"],
    )


def _figure(row: Any, name: str) -> int:
    """How many; of an incident that is over, as many as were last said: by then nobody is cut off any more."""
    return int(row[name] if row["resolved_at"] is None else max(row[name], row[f"said_{name}"]))


def _class_of(row: Any, root: Row) -> str:
    """What failed, for the rules: by its kind and by the tier of the site that it stands at."""
    if row["root_id"] is None:
        return "cluster"
    if row["root_kind"] == NodeKind.line:
        return "line"
    kind, tier = root.get("kind"), root.get("tier") or ""
    if kind == DeviceKind.core or tier == "core":
        return "core"
    if tier in ("city", "county"):
        return str(tier)
    if kind == DeviceKind.aggregation or row["root_kind"] == NodeKind.site:
        return "county"
    return "school" if kind == DeviceKind.gateway or row["schools"] else "device"


def read_roots(connection: Connection, rows: Sequence[Any]) -> dict[tuple[Any, int], Row]:
    """{(kind, id): kind of device, site, its tier and school} of the incidents' roots; of a line the first site that it serves."""
    device, site, serves = table(Device), table(Site), table(LineSite)
    wanted: dict[Any, list[int]] = {}
    for row in rows:
        if row["root_id"] is not None:
            wanted.setdefault(row["root_kind"], []).append(row["root_id"])
    found: dict[tuple[Any, int], Row] = {}
    columns = (site.c.id.label("site_id"), site.c.tier, site.c.school_id)
    statements = {
        NodeKind.device: select(device.c.id, device.c.kind, *columns)
        .select_from(device.join(site, site.c.id == device.c.site_id))
        .where(device.c.id.in_(wanted.get(NodeKind.device, []))),
        NodeKind.site: select(site.c.id, *columns).where(site.c.id.in_(wanted.get(NodeKind.site, []))),
        NodeKind.line: select(serves.c.line_id.label("id"), *columns)
        .select_from(serves.join(site, site.c.id == serves.c.site_id))
        .where(serves.c.line_id.in_(wanted.get(NodeKind.line, []))),
    }
    for kind, statement in statements.items():
        if wanted.get(kind):
            for one in connection.execute(statement).mappings():
                found.setdefault((kind, one["id"]), dict(one))
    return found


def read_acks(connection: Connection) -> dict[int, Ack]:
    """All acknowledgements that hold, with the figures of the moment when they were given."""
    incident, note = table(Incident), table(IncidentNote)
    statement = select(incident.c.id, incident.c.acknowledged_at, incident.c.promised_at, incident.c.affected).where(
        incident.c.status == "open", incident.c.acknowledged_at.is_not(None)
    )
    rows = connection.execute(statement).all()
    given: dict[int, tuple[str, Row]] = {}
    for part in _parts([row.id for row in rows]):
        notes = select(note.c.incident_id, note.c.by, note.c.data).where(
            note.c.incident_id.in_(part), note.c.kind == "acknowledged"
        )
        for one in connection.execute(notes.order_by(note.c.id)):
            given[one.incident_id] = (one.by, one.data)
    found = {}
    for number, at, promised, affected in rows:
        by, data = given.get(number, ("", {}))
        root = ":".join(map(str, data["root"])) if data.get("root") and data["root"][0] else ""
        until = promised.timestamp() if promised is not None else None
        found[number] = Ack(at.timestamp(), until, int(data.get("affected", affected)), root, by)
    return found


def read_held(connection: Connection) -> set[int]:
    """Open incidents that are planned off, or were."""
    row = table(Incident)
    statement = select(row.c.id).where(row.c.status == "open", row.c.planned_until.is_not(None))
    return set(connection.execute(statement).scalars())


# -- a start ------------------------------------------------------------------------------------------------------------


def read_open(connection: Connection, cursor: int) -> list[tuple[int, Told, list[Row]]]:
    """(incident, what opened this life, its deliveries) of all that was open when the cursor stood where it stands."""
    incident, notice, delivery = table(Incident), table(Notice), table(Delivery)
    last = (
        select(notice.c.incident_id, func.max(notice.c.id).label("last"))
        .where(notice.c.id <= cursor, notice.c.outlet == "", notice.c.incident_id.in_(_maybe_open(cursor)))
        .group_by(notice.c.incident_id, notice.c.event)
        .subquery()
    )
    rows = connection.execute(
        select(notice.c.id, notice.c.at, notice.c.event, notice.c.incident_id)
        .select_from(
            notice.join(last, notice.c.id == last.c.last).join(incident, incident.c.id == notice.c.incident_id)
        )
        .order_by(notice.c.id)
    ).all()
    opening: dict[int, Told] = {}
    for number, at, event, of in rows:
        if event in ("opened", "reopened"):
            opening[of] = Told(number, at.timestamp(), event)
        elif event == "resolved":
            opening.pop(of, None)
    said: dict[int, list[Row]] = {}
    for part in _parts(list(opening)):
        statement = select(delivery).where(delivery.c.incident_id.in_(part), delivery.c.status != "dropped")
        for row in connection.execute(statement.order_by(delivery.c.id)).mappings():
            if row["opening"] == opening[row["incident_id"]].id:
                said.setdefault(row["incident_id"], []).append(dict(row))
    return [(number, told, said.get(number, [])) for number, told in opening.items()]


def _maybe_open(cursor: int) -> Any:
    """Incidents that are open, and those whose last word is not taken yet."""
    incident, notice = table(Incident), table(Notice)
    after = select(notice.c.incident_id).where(notice.c.id > cursor, notice.c.outlet == "")
    return select(incident.c.id).where((incident.c.status == "open") | incident.c.id.in_(after))


def read_unsent(connection: Connection) -> list[Row]:
    """All that was not sent: what was claimed when the program was killed may have been, and is sent again."""
    row = table(Delivery)
    statement = select(row).where(row.c.status.in_(("waiting", "claimed"))).order_by(row.c.id)
    return [dict(found) for found in connection.execute(statement).mappings()]


def item_of(row: Row, subject: Subject) -> Item:
    """An item from its row."""
    return Item(
        audience=(row["outlet_id"], row["contact_id"] or 0),
        subject=subject,
        event=row["event"],
        due=row["due_at"].timestamp(),
        queued=row["queued_at"].timestamp(),
        opening=row["opening"],
        level=row["level"],
        notices=list(row["notices"]),
        contact=row["contact"],
        id=row["id"],
        status="waiting" if row["status"] == "claimed" else row["status"],
        attempts=row["attempts"],
    )


# -- what is committed --------------------------------------------------------------------------------------------------


def write_changes(session: Session, changes: Changes, cursor: int, names: dict[int, str]) -> None:
    """All that was decided, with how far the notices were taken. New items get their ids. names: of outlets."""
    add_items(session, changes.new, names)
    mark_dropped(session, changes.dropped)
    connection = session.connection()
    if changes.remarks:
        rows = [
            {
                "incident_id": one.incident,
                "at": moment(one.t),
                "kind": one.kind,
                "text": one.text,
                "data": dict(one.data),
            }
            for one in changes.remarks
        ]
        connection.execute(insert(table(IncidentNote)), [complete(IncidentNote, row) for row in rows])
    incident = table(Incident)
    for number, since in changes.unacked.items():
        # Who acknowledged it again meanwhile keeps it.
        same = and_(incident.c.id == number, incident.c.acknowledged_at <= moment(since + 1e-3))
        cleared = {"acknowledged_at": None, "promised_at": None, "updated_at": utcnow()}
        connection.execute(update(incident).where(same).values(**cleared))
    log.save_judge(session, CURSOR, {"notice": cursor})


def add_items(session: Session, items: Sequence[Item], names: dict[int, str]) -> None:
    """Rows for new items; their ids are set."""
    if not items:
        return
    rows = [
        {
            "outlet_id": item.audience[0],
            "outlet": names.get(item.audience[0], "")[:80],
            "contact_id": item.audience[1] or None,
            "contact": item.contact[:80],
            "incident_id": item.subject.id or None,
            "opening": item.opening,
            "event": item.event,
            "level": item.level,
            "notices": item.notices,
            "queued_at": moment(item.queued),
            "due_at": moment(item.due),
            "status": item.status,
            "error": item.why[:300],
        }
        for item in items
    ]
    statement = insert(table(Delivery)).returning(table(Delivery).c.id, sort_by_parameter_order=True)
    made = session.connection().execute(statement, [complete(Delivery, row) for row in rows]).scalars().all()
    for item, number in zip(items, made, strict=True):
        item.id = number


def mark_dropped(session: Session, items: Sequence[Item]) -> None:
    """What is not said any more, and why."""
    _set(session, [{"k_id": item.id, "v_status": "dropped", "v_error": item.why[:300]} for item in items if item.id])


def claim(session: Session, items: Sequence[Item], key: str, now: datetime) -> None:
    """Before a message goes: its rows say so."""
    rows = [
        {
            "k_id": item.id,
            "v_status": "claimed",
            "v_attempts": item.attempts,
            "v_claimed_at": now,
            "v_message": key,
            "v_notices": item.notices,
            "v_event": item.event,
        }
        for item in items
    ]
    _set(session, rows)


def mark_sent(session: Session, items: Sequence[Item], via: int, key: str, body: str, now: datetime) -> list[float]:
    """After it went. The first row keeps the text. Gives the delays."""
    delays = [max(0.0, now.timestamp() - item.due) for item in items]
    rows = [
        {
            "k_id": item.id,
            "v_status": "sent",
            "v_sent_at": now,
            "v_via_id": via,
            "v_delay_s": round(delay, 3),
            "v_error": item.why[:300],
            "v_message": key,
            "v_body": "" if number else body,
        }
        for number, (item, delay) in enumerate(zip(items, delays, strict=True))
    ]
    _set(session, rows)
    return delays


def mark_spared(session: Session, items: Sequence[Item], now: datetime) -> None:
    """What was told by another way on its own account: said, without a message of its own."""
    rows = [{"k_id": item.id, "v_status": "sent", "v_sent_at": now, "v_error": item.why[:300]} for item in items]
    _set(session, rows)


def write_severities(session: Session, severities: dict[int, str]) -> None:
    """What the rules made of incidents' severity."""
    incident = table(Incident)
    for number, severity in severities.items():
        changed = update(incident).where(incident.c.id == number, incident.c.severity != severity)
        session.connection().execute(changed.values(severity=severity, updated_at=utcnow()))


def mark_failed(session: Session, items: Sequence[Item], error: str) -> None:
    """It did not go: it waits again, and says why."""
    _set(session, [{"k_id": item.id, "v_status": "waiting", "v_error": error[:300]} for item in items])


def _set(session: Session, rows: Sequence[Row]) -> None:
    if not rows:
        return
    own = table(Delivery)
    values = {name[2:]: bindparam(name, type_=own.c[name[2:]].type) for name in rows[0] if name.startswith("v_")}
    session.connection().execute(update(own).where(own.c.id == bindparam("k_id")).values(values), list(rows))


def forget_deliveries(session: Session, before: datetime) -> None:
    """Take away what was said and done long ago."""
    row = table(Delivery)
    session.connection().execute(row.delete().where(row.c.queued_at < before, row.c.status.in_(("sent", "dropped"))))


def alive_today(connection: Connection, outlet: int, since: datetime) -> bool:
    """Whether an outlet's sign of life was queued since a moment."""
    row = table(Delivery)
    same = select(row.c.id).where(row.c.outlet_id == outlet, row.c.event == "alive", row.c.queued_at >= since)
    return connection.execute(same.limit(1)).first() is not None


def open_count(connection: Connection, path: str) -> int:
    """Open incidents in a subtree."""
    row = table(Incident)
    statement = select(func.count()).where(row.c.status == "open", row.c.path.like(f"{path}%"))
    return int(connection.execute(statement).scalar_one())


def _parts(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))


KEPT = timedelta(days=400)
"""How long deliveries are kept."""
