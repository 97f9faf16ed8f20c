"""One device: facts, addresses, ports, neighbours; and one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select
from sqlmodel import Session

from inventory.models import (
    Address,
    Credential,
    Device,
    HistoryDay,
    Incident,
    Line,
    LineSite,
    Link,
    NodeKind,
    NodeState,
    Port,
    School,
    Site,
    State,
    Zone,
    table,
)  # fmt: skip
from inventory.scope import Scope

address, device, line, line_site, link = table(Address), table(Device), table(Line), table(LineSite), table(Link)
node, port, school, site, zone = table(NodeState), table(Port), table(School), table(Site), table(Zone)
credential, history, incident = table(Credential), table(HistoryDay), table(Incident)


@dataclass
class DeviceRows:
    """What a device's page shows of the register."""

    device: Any
    state: Any
    site: Any
    school: Any
    addresses: Sequence[Any]
    ports: Sequence[Any]
    lines: Sequence[Any]
    links: Sequence[Any]
    incident: Any

    @property
    def word(self) -> State:
        """The device's state; without a judged one, whether it was ever seen."""
        if self.state is not None:
            return State(self.state.state)
        return State.not_watched if self.device.watch == "none" or self.device.first_seen else State.not_seen


def read_device(session: Session, scope: Scope, number: int) -> DeviceRows | None:
    """The device, or None where there is none within the scope."""
    run = session.connection().execute
    found = run(scope.filter(select(device).where(device.c.id == number), Device)).first()
    if found is None:
        return None
    state = run(select(node).where(node.c.kind == NodeKind.device, node.c.node_id == number)).first()
    place = run(select(site).where(site.c.id == found.site_id)).one()
    owner = (
        run(scope.filter(select(school).where(school.c.id == place.school_id), School)).first()
        if place.school_id
        else None
    )
    addresses = run(
        select(address.c.ip, address.c.primary, zone.c.name.label("zone"))
        .select_from(address.join(zone, zone.c.id == address.c.zone_id))
        .where(address.c.device_id == number)
        .order_by(address.c.primary.desc(), address.c.id)
    ).all()
    ports = run(select(port).where(port.c.device_id == number).order_by(port.c.if_index).limit(2000)).all()
    lines = run(
        scope.filter(
            select(
                line.c.id, line.c.name, line.c.end_device_id, line.c.end_port, line.c.far_port, line.c.bandwidth_mbps
            ).where((line.c.end_device_id == number) | (line.c.far_device_id == number)),
            Line,
        )
    ).all()
    root = None
    if state is not None and state.incident_id:
        root = run(scope.filter(select(incident).where(incident.c.id == state.incident_id), Incident)).first()
    return DeviceRows(found, state, place, owner, addresses, ports, lines, _links(session, scope, number), root)


def _links(session: Session, scope: Scope, number: int) -> Sequence[Any]:
    statement = (
        select(link.c.from_port, link.c.to_port, link.c.source, device.c.id, device.c.name)
        .select_from(link.join(device, device.c.id == link.c.to_device_id))
        .where(link.c.from_device_id == number)
        .limit(200)
    )
    return session.connection().execute(scope.filter(statement, Device)).all()


def has_history(session: Session, number: int) -> bool:
    """Whether any curve of the device is kept: gateways and lines have some, cameras do not (DESIGN.md, rule 12)."""
    statement = select(history.c.device_id).where(history.c.device_id == number).limit(1)
    return session.connection().execute(statement).first() is not None


def has_credential(session: Session, rows: DeviceRows, path: str) -> bool:
    """Whether SNMP can be asked at all: a credential of its own, of its subtree or of its zone."""
    if rows.device.credential_id:
        return True
    zones = [row.zone for row in rows.addresses]
    found = session.connection().execute(
        select(credential.c.id, credential.c.region_id, zone.c.name).select_from(
            credential.outerjoin(zone, zone.c.id == credential.c.zone_id)
        )
    )
    above = {int(part) for part in path.split("/") if part.isdecimal()}
    return any(
        row.region_id in above or (row.region_id is None and (row.name is None or row.name in zones)) for row in found
    )


@dataclass
class LineRows:
    """What a line's page shows of the register."""

    line: Any
    state: Any
    upstream: Any
    served: Sequence[Any]
    end: Any
    port: Any
    incident: Any

    @property
    def word(self) -> State:
        """The line's state."""
        return State(self.state.state) if self.state is not None else State.not_watched


def read_line(session: Session, scope: Scope, number: int) -> LineRows | None:
    """The line, or None where there is none within the scope."""
    run = session.connection().execute
    found = run(scope.filter(select(line).where(line.c.id == number), Line)).first()
    if found is None:
        return None
    state = run(select(node).where(node.c.kind == NodeKind.line, node.c.node_id == number)).first()
    upstream = None
    if found.upstream_site_id:
        upstream = run(scope.filter(select(site).where(site.c.id == found.upstream_site_id), Site)).first()
    served = run(
        scope.filter(
            select(
                site.c.id.label("site_id"), site.c.name.label("site"), school.c.id, school.c.name, school.c.name_en, school.c.pupils,
                school.c.place_id, func.coalesce(node.c.state, State.not_watched).label("state"), node.c.since,
            )
            .select_from(
                line_site.join(site, site.c.id == line_site.c.site_id)
                .outerjoin(school, school.c.id == site.c.school_id)
                .outerjoin(node, and_(node.c.kind == NodeKind.school, node.c.node_id == school.c.id))
            )
            .where(line_site.c.line_id == number)
            .order_by(school.c.pupils.desc().nulls_last(), site.c.name),
            LineSite,
        )
    ).all()  # fmt: skip
    end = run(
        scope.filter(
            select(device.c.id, device.c.name, device.c.first_seen).where(device.c.id == found.end_device_id), Device
        )
    ).first()
    ending = None
    if end is not None and found.end_port:
        ending = run(select(port).where(port.c.device_id == end.id, port.c.name == found.end_port)).first()
    root = None
    if state is not None and state.incident_id:
        root = run(scope.filter(select(incident).where(incident.c.id == state.incident_id), Incident)).first()
    return LineRows(found, state, upstream, served, end, ending, root)
