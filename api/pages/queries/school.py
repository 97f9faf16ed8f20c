"""One school: its sites, lines, devices, outages; what it hangs under, up to the core."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlmodel import Session, SQLModel

from inventory.models import (
    Address,
    Device,
    DeviceKind,
    Incident,
    Line,
    LineSite,
    NodeKind,
    NodeState,
    Outage,
    Region,
    School,
    Site,
    State,
    Unseen,
    Zone,
    table,
)  # fmt: skip
from inventory.scope import Scope

address, device, incident, line, line_site = (
    table(Address),
    table(Device),
    table(Incident),
    table(Line),
    table(LineSite),
)
node, outage, region, school, site = table(NodeState), table(Outage), table(Region), table(School), table(Site)
unseen, zone = table(Unseen), table(Zone)

NETWORK_KINDS = (DeviceKind.core, DeviceKind.aggregation, DeviceKind.gateway)
HOPS = 6
"""Levels that are followed upwards at most."""


@dataclass
class SchoolRows:
    """What a school's page shows of the register. `state` is a row of node_state or None."""

    school: Any
    state: Any
    sites: Sequence[Any]
    devices: Sequence[Any]
    lines: Sequence[Any]
    incident: Any = None
    incident_visible: bool = False
    hidden_cause: bool = False
    duty: Any = None

    @property
    def word(self) -> State:
        """The school's state."""
        return State(self.state.state) if self.state is not None else State.not_watched

    @property
    def gateways(self) -> list[Any]:
        """Its gateways; where it has none, nothing."""
        return [row for row in self.devices if row.kind == DeviceKind.gateway]


def read_school(session: Session, scope: Scope, number: int) -> SchoolRows | None:
    """The school, or None where there is none within the scope."""
    connection = session.connection()
    found = connection.execute(scope.filter(select(school).where(school.c.id == number), School)).first()
    if found is None:
        return None
    state = connection.execute(select(node).where(node.c.kind == NodeKind.school, node.c.node_id == number)).first()
    sites = connection.execute(
        select(site).where(site.c.school_id == number).order_by(site.c.main.desc(), site.c.id)
    ).all()
    ids = [row.id for row in sites]
    rows = SchoolRows(found, state, sites, _devices(session, ids), _lines(session, ids))
    if found.duty_id:
        rows.duty = connection.execute(select(region).where(region.c.id == found.duty_id)).first()
    cause = (state.incident_id if state is not None else None) or _gateways_cause(rows)
    if cause and rows.word not in (State.up, State.not_seen):
        row = connection.execute(select(incident).where(incident.c.id == cause)).first()
        visible = connection.execute(
            scope.filter(select(incident.c.id).where(incident.c.id == cause), Incident)
        ).first()
        rows.incident = row if visible is not None else None
        rows.hidden_cause = row is not None and visible is None
    return rows


def _gateways_cause(rows: SchoolRows) -> int | None:
    """The incident that its gateways are explained by, while the school's own state names none."""
    return next((row.incident_id for row in rows.gateways if row.state == State.down and row.incident_id), None)


def _devices(session: Session, sites: Sequence[int]) -> Sequence[Any]:
    statement = (
        select(
            device.c.id, device.c.name, device.c.kind, device.c.vendor, device.c.model, device.c.site_id, device.c.first_seen, device.c.watch,
            address.c.ip, zone.c.name.label("zone"), func.coalesce(node.c.state, State.not_watched).label("state"), node.c.since,
            node.c.reason, node.c.seen_at, node.c.incident_id,
        )
        .select_from(
            device.outerjoin(address, and_(address.c.device_id == device.c.id, address.c.primary.is_(True)))
            .outerjoin(zone, zone.c.id == address.c.zone_id)
            .outerjoin(node, and_(node.c.kind == NodeKind.device, node.c.node_id == device.c.id))
        )
        .where(device.c.site_id.in_(sites), device.c.status == "active")
        .order_by(device.c.kind, device.c.name)
    )  # fmt: skip
    return session.connection().execute(statement).all() if sites else []


def _lines(session: Session, sites: Sequence[int]) -> Sequence[Any]:
    statement = (
        select(line, func.coalesce(node.c.state, State.not_watched).label("state"), node.c.since, node.c.reason)
        .select_from(line.outerjoin(node, and_(node.c.kind == NodeKind.line, node.c.node_id == line.c.id)))
        .where(
            line.c.id.in_(select(line_site.c.line_id).where(line_site.c.site_id.in_(sites))), line.c.status != "ended"
        )
        .order_by(line.c.role.desc(), line.c.id)
    )
    return session.connection().execute(statement).all() if sites else []


@dataclass
class Hop:
    """One level of the way to the core: lines or sites. hidden: ids outside the caller's part, drawn without a name."""

    kind: NodeKind
    rows: list[Any] = field(default_factory=list)
    hidden: frozenset[int] = frozenset()


def read_way(session: Session, scope: Scope, lines: Sequence[Any]) -> list[Hop]:
    """The levels above a school's lines: sites, their lines, the sites above ... up to one with no line. A few statements a level.

    What lies outside the scope is there too, for the way is the school's own, but named in `hidden`.
    """
    hops: list[Hop] = []
    wanted = _ids(row.upstream_site_id for row in lines)
    seen: set[int] = set()
    for _ in range(HOPS):
        wanted -= seen
        if not wanted:
            break
        seen |= wanted
        sites = _sites(session, wanted)
        hops.append(Hop(NodeKind.site, list(sites), _hidden(session, scope, Site, wanted)))
        above = _lines(session, sorted(wanted))
        if not above:
            break
        hops.append(Hop(NodeKind.line, list(above), _hidden(session, scope, Line, {row.id for row in above})))
        wanted = _ids(row.upstream_site_id for row in above)
    return hops


def _ids(values: Iterable[int | None]) -> set[int]:
    return {value for value in values if value is not None}


def _hidden(session: Session, scope: Scope, model: type[SQLModel], ids: set[int]) -> frozenset[int]:
    if scope.everything:
        return frozenset()
    row = table(model)
    seen = session.connection().execute(scope.filter(select(row.c.id).where(row.c.id.in_(ids)), model))
    return frozenset(ids - {number for (number,) in seen})


def _sites(session: Session, ids: set[int]) -> Sequence[Any]:
    """Sites with a state: their own, else that of their core, aggregation and gateway devices (any that answers: up)."""
    own = (
        session.connection()
        .execute(
            select(
                site.c.id,
                site.c.name,
                site.c.name_en,
                site.c.tier,
                site.c.owner,
                site.c.place_id,
                node.c.state,
                node.c.since,
            )
            .select_from(site.outerjoin(node, and_(node.c.kind == NodeKind.site, node.c.node_id == site.c.id)))
            .where(site.c.id.in_(ids))
        )
        .all()
    )
    devices = (
        session.connection()
        .execute(
            select(device.c.id, device.c.site_id, node.c.state)
            .select_from(device.outerjoin(node, and_(node.c.kind == NodeKind.device, node.c.node_id == device.c.id)))
            .where(device.c.site_id.in_(ids), device.c.kind.in_(NETWORK_KINDS), device.c.status == "active")
        )
        .all()
    )
    return [SiteOnWay(row, [other for other in devices if other.site_id == row.id]) for row in own]


class SiteOnWay:
    """A site of the way: its row, its network devices (id, state), and the state that follows."""

    def __init__(self, row: Any, devices: Sequence[Any]) -> None:
        self.id: int = row.id
        self.name: str = row.name
        self.name_en: str = row.name_en
        self.tier: str = row.tier
        self.since = row.since
        self.device_ids = [other.id for other in devices]
        self.state = State(row.state) if row.state is not None else _sum_up([other.state for other in devices])


def _sum_up(states: Sequence[Any]) -> State:
    known = [State(state) for state in states if state is not None]
    if any(state in (State.up, State.degraded, State.agent_silent, State.flapping) for state in known):
        return State.up
    return State.down if known and all(state == State.down for state in known) else State.unknown


def list_outages(session: Session, scope: Scope, kind: NodeKind, number: int, since: datetime) -> Sequence[Any]:
    """Outages of one node that reach into the time since `since`, the newest first. The caller has checked the scope."""
    clause = scope.clause(Incident)
    named = incident.c.root_name if clause is None else case((clause, incident.c.root_name), else_="")
    statement = (
        select(outage, named.label("root_name"))
        .select_from(outage.outerjoin(incident, incident.c.id == outage.c.incident_id))
        .where(outage.c.kind == kind, outage.c.node_id == number)
        .where(or_(outage.c.until_at.is_(None), outage.c.until_at >= since))
        .order_by(outage.c.from_at.desc())
        .limit(2000)
    )
    return session.connection().execute(statement).all()


def list_unseen(session: Session, zones: Iterable[str], since: datetime) -> list[tuple[datetime, datetime | None]]:
    """Spans since `since` that nobody saw in these zones."""
    statement = select(unseen.c.from_at, unseen.c.until_at).where(
        unseen.c.zone.in_(set(zones)), or_(unseen.c.until_at.is_(None), unseen.c.until_at >= since)
    )
    return [(row.from_at, row.until_at) for row in session.connection().execute(statement)]


def recent_since(now: datetime, days: int = 90) -> datetime:
    """The start of the time that outage histories show."""
    return now - timedelta(days=days)
