"""Coverage as counts, never ratios: by county, level and kind of school, in one grouped statement."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select
from sqlmodel import Session

from inventory.models import Device, DeviceKind, NodeKind, NodeState, Region, School, Site, State, table
from inventory.scope import Scope

REACHABLE = (State.up, State.degraded, State.agent_silent)
"""Some gateway of the school answers."""

CUT = (State.down, State.flapping, State.maintenance, State.planned_off)
"""No gateway answers, or not for long; whatever explains it."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Active schools of one county (place tree), level and kind. unknown: has a gateway, and nobody can say now whether it is reachable."""

    place_id: int
    code: str
    region: str
    city_id: int | None
    level: str
    kind: str
    registered: int
    with_gateway: int
    ever_seen: int
    reachable: int
    cut_off: int
    unknown: int


FIGURES = ("registered", "with_gateway", "ever_seen", "reachable", "cut_off", "unknown")


def coverage(session: Session, scope: Scope | None = None) -> list[Coverage]:
    """A row for each county, level and kind that has schools within the scope."""
    school, region, state = table(School), table(Region), table(NodeState)
    gateways = _gateways()
    code = func.coalesce(region.c.code, region.c.local_code, "")
    watched = state.c.state.is_(None) | state.c.state.in_((State.unknown, State.doubtful))
    group = (school.c.place_id, code, region.c.name, region.c.parent_id, school.c.level, school.c.kind)
    statement = (
        select(
            *group,
            func.count(),
            func.count(gateways.c.school_id),
            func.coalesce(func.sum(gateways.c.seen), 0),
            _sum(state.c.state.in_(REACHABLE)),
            _sum(state.c.state.in_(CUT)),
            _sum(gateways.c.school_id.is_not(None) & watched),
        )
        .select_from(
            school.join(region, region.c.id == school.c.place_id)
            .outerjoin(gateways, gateways.c.school_id == school.c.id)
            .outerjoin(state, (state.c.kind == NodeKind.school) & (state.c.node_id == school.c.id))
        )
        .where(school.c.status == "active")
        .group_by(*group)
        .order_by(code, school.c.level, school.c.kind)
    )
    if scope is not None:
        statement = scope.filter(statement, School)
    found = []
    for place, county, name, city, level, kind, *figures in session.connection().execute(statement):
        counts = dict(zip(FIGURES, map(int, figures), strict=True))
        found.append(Coverage(place, county, name, city, str(level), kind, **counts))
    return found


def by_city(rows: list[Coverage]) -> dict[int | None, dict[str, int]]:
    """The figures summed by the city (its region id) that the counties belong to."""
    sums: dict[int | None, dict[str, int]] = {}
    for row in rows:
        figures = sums.setdefault(row.city_id, dict.fromkeys(FIGURES, 0))
        for name in FIGURES:
            figures[name] += getattr(row, name)
    return sums


def totals(rows: list[Coverage]) -> dict[str, int]:
    """The figures over all rows."""
    return {name: sum(getattr(row, name) for row in rows) for name in FIGURES}


def node_counts(session: Session, scope: Scope | None = None) -> dict[str, dict[str, int]]:
    """{kind of node: {state: count}}, as judged now."""
    state = table(NodeState)
    statement = select(state.c.kind, state.c.state, func.count()).group_by(state.c.kind, state.c.state)
    if scope is not None:
        statement = scope.filter(statement, NodeState)
    counts: dict[str, dict[str, int]] = {}
    for kind, word, number in session.connection().execute(statement):
        counts.setdefault(str(kind), {})[str(word)] = number
    return counts


def _gateways() -> Any:
    """Schools with an active gateway, and whether one was ever seen."""
    device, site = table(Device), table(Site)
    return (
        select(site.c.school_id, func.max(case((device.c.first_seen.is_not(None), 1), else_=0)).label("seen"))
        .join(device, device.c.site_id == site.c.id)
        .where(device.c.kind == DeviceKind.gateway, device.c.status == "active", site.c.school_id.is_not(None))
        .group_by(site.c.school_id)
        .subquery()
    )


def _sum(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))
