"""A region: coverage as counts, and the schools cut off the longest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlmodel import Session

from api.pages.queries.places import below
from api.pages.signs import ORDER
from inventory.models import Device, DeviceKind, NodeKind, NodeState, School, Site, State, table
from inventory.scope import Scope

device, node, school, site = table(Device), table(NodeState), table(School), table(Site)


@dataclass(frozen=True)
class Coverage:
    """Schools: registered, with a gateway, ever seen, reachable now; each is part of the one before. pupils: of all registered."""

    registered: int
    gateway: int
    seen: int
    reachable: int
    down: int
    pupils: int


def count_coverage(session: Session, scope: Scope, row: Any) -> Coverage:
    """Coverage of the active schools that lie in a region, within the scope."""
    gateways = (
        select(site.c.school_id, func.count(device.c.first_seen).label("seen"))
        .select_from(device.join(site, site.c.id == device.c.site_id))
        .where(device.c.kind == DeviceKind.gateway, device.c.status == "active", site.c.school_id.is_not(None))
        .group_by(site.c.school_id)
        .subquery()
    )
    reachable = node.c.state.in_((State.up, State.degraded, State.agent_silent, State.flapping))
    statement = (
        select(
            func.count(),
            func.count(gateways.c.school_id),
            func.sum(case((gateways.c.seen > 0, 1), else_=0)),
            func.sum(case((and_(gateways.c.seen > 0, reachable), 1), else_=0)),
            func.sum(case((node.c.state == State.down, 1), else_=0)),
            func.sum(school.c.pupils),
        )
        .select_from(
            school.outerjoin(gateways, gateways.c.school_id == school.c.id).outerjoin(
                node, and_(node.c.kind == NodeKind.school, node.c.node_id == school.c.id)
            )
        )
        .where(school.c.status == "active", below(school.c.place_id, row))
    )
    return Coverage(*(int(value or 0) for value in session.connection().execute(scope.filter(statement, School)).one()))


def list_worst(session: Session, scope: Scope, row: Any, limit: int = 10) -> Sequence[Any]:
    """The schools in the worst state for the longest time."""
    rank = case(dict(ORDER.items()), value=node.c.state, else_=99)
    statement = (
        select(
            school.c.id, school.c.name, school.c.name_en, school.c.pupils, school.c.place_id, node.c.state, node.c.since
        )
        .select_from(school.join(node, and_(node.c.kind == NodeKind.school, node.c.node_id == school.c.id)))
        .where(school.c.status == "active", below(school.c.place_id, row))
        .where(node.c.state.in_((State.down, State.degraded, State.flapping, State.doubtful, State.agent_silent)))
        .order_by(rank, node.c.since)
        .limit(limit)
    )
    return session.connection().execute(scope.filter(statement, School)).all()
