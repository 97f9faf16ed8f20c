"""How far a register has come: regions, zones, credentials, schools, devices, and what was seen last."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select
from sqlmodel import Session

from inventory.models import (
    Address,
    Credential,
    Device,
    NodeKind,
    NodeState,
    Region,
    RegionTree,
    School,
    Site,
    State,
    Zone,
    table,
)
from inventory.scope import Scope

address, credential, device, node = table(Address), table(Credential), table(Device), table(NodeState)
region, school, site, zone = table(Region), table(School), table(Site), table(Zone)


@dataclass(frozen=True)
class Progress:
    """What there is. newest: the devices added last, with their state."""

    regions: int
    zones: Sequence[Any]
    credentials: Sequence[Any]
    schools: int
    devices: int
    newest: Sequence[Any]

    @property
    def seen(self) -> bool:
        """Whether one of the newest devices has answered."""
        return any(row.first_seen is not None for row in self.newest)

    @property
    def step(self) -> int:
        """The step to do next, 1 to 5."""
        if not self.regions:
            return 1
        if not self.zones:
            return 2
        if not self.credentials:
            return 3
        return 5 if self.devices else 4


def read_progress(session: Session, scope: Scope) -> Progress:
    """Within the scope; credentials without their secrets."""
    run = session.connection().execute
    return Progress(
        regions=run(select(func.count()).select_from(region).where(region.c.tree == RegionTree.place)).scalar() or 0,
        zones=run(select(zone.c.id, zone.c.name, zone.c.default).order_by(zone.c.id)).all(),
        credentials=run(
            scope.filter(
                select(credential.c.id, credential.c.name, credential.c.version).order_by(credential.c.id).limit(50),
                Credential,
            )
        ).all(),
        schools=run(scope.filter(select(func.count()).select_from(school), School)).scalar() or 0,
        devices=run(scope.filter(select(func.count()).select_from(device), Device)).scalar() or 0,
        newest=_newest(session, scope),
    )


def _newest(session: Session, scope: Scope) -> Sequence[Any]:
    statement = (
        select(
            device.c.id, device.c.name, device.c.first_seen, device.c.created_at, address.c.ip, school.c.name.label("school"),
            func.coalesce(node.c.state, State.not_seen).label("state"), node.c.since,
        )
        .select_from(
            device.join(site, site.c.id == device.c.site_id)
            .outerjoin(school, school.c.id == site.c.school_id)
            .outerjoin(address, and_(address.c.device_id == device.c.id, address.c.primary.is_(True)))
            .outerjoin(node, and_(node.c.kind == NodeKind.device, node.c.node_id == device.c.id))
        )
        .order_by(device.c.id.desc())
        .limit(5)
    )  # fmt: skip
    return session.connection().execute(scope.filter(statement, Device)).all()


def find_school(session: Session, scope: Scope, place_id: int, name: str) -> tuple[int, int | None] | None:
    """(school, main site or None) of a school of this name in a county."""
    statement = select(school.c.id).where(school.c.place_id == place_id, school.c.name == name)
    found = session.connection().execute(scope.filter(statement, School)).first()
    if found is None:
        return None
    main = (
        session.connection()
        .execute(select(site.c.id).where(site.c.school_id == found.id).order_by(site.c.main.desc(), site.c.id))
        .first()
    )
    return found.id, main.id if main else None


def is_taken(session: Session, zone_name: str, ip: str) -> bool:
    """Whether a device has this address in the zone (empty: the default zone)."""
    chosen = zone.c.name == zone_name if zone_name else zone.c.default.is_(True)
    statement = select(address.c.id).join(zone, zone.c.id == address.c.zone_id).where(chosen, address.c.ip == ip)
    return session.connection().execute(statement).first() is not None


def duty_of(session: Session, place: Any) -> int | None:
    """The bureau that answers for a place, by its code."""
    statement = select(region.c.id).where(
        region.c.tree == RegionTree.duty, region.c.local_code == (place.code or place.local_code)
    )
    found = session.connection().execute(statement).first()
    return found.id if found else None
