"""One incident: what it cuts off, what was said of it, the outages that belong to it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session, SQLModel

from api.pages.queries.causes import gateway_causes
from inventory.models import (
    Delivery,
    Device,
    Incident,
    IncidentNote,
    Line,
    NodeKind,
    NodeState,
    Notice,
    Outage,
    School,
    Silence,
    Site,
    State,
    parse_node_id,
    table,
)  # fmt: skip
from inventory.scope import Scope

incident, notice, outage, node, school = (table(model) for model in (Incident, Notice, Outage, NodeState, School))

delivery, device, line, note, silence = (table(model) for model in (Delivery, Device, Line, IncidentNote, Silence))

SCHOOLS = 500
"""Schools named on an incident's page."""
_MODELS: dict[NodeKind, type[SQLModel]] = {
    NodeKind.device: Device, NodeKind.line: Line, NodeKind.site: Site, NodeKind.school: School,
}  # fmt: skip


def read_incident(session: Session, scope: Scope, number: int) -> Any:
    """The incident, or None where there is none within the scope."""
    statement = scope.filter(select(incident).where(incident.c.id == number), Incident)
    return session.connection().execute(statement).first()


def schools_of(session: Session, scope: Scope, row: Any) -> Sequence[Any]:
    """The schools that it cuts off, or did, within the scope, most pupils first."""
    causes = gateway_causes()
    ids = select(outage.c.school_id).where(outage.c.incident_id == row.id, outage.c.kind == NodeKind.school)
    statement = (
        select(school.c.id, school.c.name, school.c.name_en, school.c.pupils, school.c.place_id, school.c.contact_name, school.c.contact_phone,
               func.coalesce(node.c.state, State.not_watched).label("state"), node.c.since)
        .select_from(school.outerjoin(node, and_(node.c.kind == NodeKind.school, node.c.node_id == school.c.id)))
        .where(or_(school.c.id.in_(row.cut or []), school.c.id.in_(select(causes.c.school_id).where(causes.c.incident_id == row.id)), node.c.incident_id == row.id, school.c.id.in_(ids)))
        .order_by(school.c.pupils.desc().nulls_last(), school.c.name)
        .limit(SCHOOLS)
    )  # fmt: skip
    return session.connection().execute(scope.filter(statement, School)).all()


def notices_of(session: Session, scope: Scope, row: Any) -> Sequence[Any]:
    """What was said of it, in order of time: the judge's words, and how each outlet took them."""
    statement = select(notice).where(notice.c.incident_id == row.id).order_by(notice.c.at, notice.c.id).limit(200)
    return session.connection().execute(scope.filter(statement, Notice)).all()


def outages_of(session: Session, scope: Scope, row: Any) -> Sequence[Any]:
    """The outages that belong to it, of devices and lines, the root's first; within the scope, at most 200."""
    statement = (
        select(outage)
        .where(outage.c.incident_id == row.id, outage.c.kind != NodeKind.school)
        .order_by(outage.c.explained, outage.c.from_at, outage.c.id)
        .limit(200)
    )
    return session.connection().execute(scope.filter(statement, Outage)).all()


def name_nodes(session: Session, scope: Scope, nodes: Sequence[str]) -> list[tuple[NodeKind, int, str]]:
    """(kind, id, name) of the judge's ids that are within the scope."""
    named = []
    for kind, number in (parse_node_id(text) for text in nodes[:8]):
        row = table(_MODELS[kind])
        statement = scope.filter(select(row.c.name).where(row.c.id == number), _MODELS[kind])
        found = session.connection().execute(statement).first()
        if found is not None:
            named.append((kind, number, found[0]))
    return named


def notes_of(session: Session, scope: Scope, row: Any) -> Sequence[Any]:
    """What people did to it, and edunet itself; the last 300, in order of time."""
    statement = select(note).where(note.c.incident_id == row.id).order_by(note.c.id.desc()).limit(300)
    rows = session.connection().execute(scope.filter(statement, IncidentNote)).all()
    return list(rows)[::-1]


def deliveries_of(session: Session, scope: Scope, row: Any) -> Sequence[Any]:
    """What was told of it by which way; the last 200, in order of time."""
    statement = select(delivery).where(delivery.c.incident_id == row.id).order_by(delivery.c.id.desc()).limit(200)
    rows = session.connection().execute(scope.filter(statement, Delivery)).all()
    return list(rows)[::-1]


def silence_of(session: Session, scope: Scope, row: Any, now: datetime) -> Any:
    """The silence of this incident alone that lasts longest, where there is one now."""
    statement = (
        select(silence)
        .where(silence.c.incident_id == row.id, silence.c.from_at <= now, silence.c.until_at > now)
        .order_by(silence.c.until_at.desc())
        .limit(1)
    )
    return session.connection().execute(scope.filter(statement, Silence)).first()


def names_of_nodes(
    session: Session, scope: Scope, nodes: Iterable[tuple[str, int]], locale: str = "zh"
) -> dict[tuple[str, int], str]:
    """Names by (kind, id), as far as they are within the scope; a statement for each kind. In English where there is such a name."""
    named: dict[tuple[str, int], str] = {}
    wanted: dict[NodeKind, set[int]] = {}
    for kind, number in nodes:
        wanted.setdefault(NodeKind(kind), set()).add(number)
    for kind, numbers in wanted.items():
        row = table(_MODELS[kind])
        name: Any = row.c.name
        if locale == "en" and "name_en" in row.c:
            name = func.coalesce(func.nullif(row.c.name_en, ""), name)
        statement = scope.filter(select(row.c.id, name).where(row.c.id.in_(numbers)), _MODELS[kind])
        named |= {(str(kind), number): name for number, name in session.connection().execute(statement)}
    return named


def device_of(session: Session, scope: Scope, row: Any) -> tuple[int, str] | None:
    """The device to ask about it: the root itself, the end of the root line, else the first device that is silent by it."""
    run = session.connection().execute
    numbers = [row.root_id] if row.root_kind == NodeKind.device else []
    if row.root_kind == NodeKind.line:
        numbers = [run(select(line.c.end_device_id).where(line.c.id == row.root_id)).scalar()]
    if not any(numbers):
        first = select(outage.c.node_id).where(outage.c.incident_id == row.id, outage.c.kind == NodeKind.device)
        numbers = [run(scope.filter(first.order_by(outage.c.id).limit(1), Outage)).scalar()]
    statement = scope.filter(select(device.c.id, device.c.name).where(device.c.id.in_(numbers)), Device)
    found = run(statement).first()
    return (found.id, found.name) if found is not None else None
