"""Which schools a window of work covers: all of a region's, one, or those that hang under what is worked on."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, or_, select, true
from sqlmodel import Session

from inventory.models import Device, DeviceKind, Line, LineSite, NodeKind, Region, School, Site, table

MOST_HOPS = 12
"""Levels of sites that are followed downwards at most; a loop in the register ends there."""


def schools_of(row: Any) -> ColumnElement[bool]:
    """The condition on `school` that a row of a calendar (region_id, school_id, levels) is meant for it."""
    school = table(School)
    whose: ColumnElement[bool] = true()
    if row.school_id is not None:
        whose = school.c.id == row.school_id
    elif row.region_id is not None:
        whose = in_region(row.region_id)
    return and_(whose, school.c.level.in_(row.levels)) if row.levels else whose


def in_region(number: int) -> ColumnElement[bool]:
    """The condition on `school` that it lies in, or answers to, the subtree of a region."""
    school, region = table(School), table(Region)
    path = select(region.c.path).where(region.c.id == number).scalar_subquery()
    below = select(region.c.id).where(region.c.path.like(path + literal("%")))
    return or_(school.c.place_id.in_(below), school.c.duty_id.in_(below))


def schools_covered(session: Session, window: Mapping[Any, Any]) -> set[int]:
    """Ids of the schools that a window (row of `maintenance`) covers. Of devices on a campus only a gateway covers its school."""
    school = table(School)
    if window["region_id"] is not None:
        return set(session.connection().execute(select(school.c.id).where(in_region(window["region_id"]))).scalars())
    kind, number = NodeKind(window["kind"]), int(window["node_id"])
    if kind == NodeKind.school:
        return {number}
    if kind == NodeKind.line:
        return _below(session, _served(session, [number]))
    site, device = table(Site), table(Device)
    if kind == NodeKind.device:
        found = (
            session.connection().execute(select(device.c.site_id, device.c.kind).where(device.c.id == number)).first()
        )
        if found is None:
            return set()
        on_campus = session.connection().execute(select(site.c.school_id).where(site.c.id == found.site_id)).scalar()
        if on_campus is not None and found.kind != DeviceKind.gateway:
            return set()
        return _below(session, [found.site_id])
    return _below(session, [number])


def _below(session: Session, sites: Iterable[int]) -> set[int]:
    """Schools at these sites and at all that hang under them by lines."""
    site, line = table(Site), table(Line)
    connection, found, seen, wanted = session.connection(), set[int](), set[int](), set(sites)
    for _ in range(MOST_HOPS):
        wanted -= seen
        if not wanted:
            break
        seen |= wanted
        schools = select(site.c.school_id).where(site.c.id.in_(wanted), site.c.school_id.is_not(None))
        found |= set(connection.execute(schools).scalars())
        lines = select(line.c.id).where(line.c.upstream_site_id.in_(wanted), line.c.status != "ended")
        wanted = set(_served(session, list(connection.execute(lines).scalars())))
    return found


def _served(session: Session, lines: list[int]) -> list[int]:
    """Sites that lines serve."""
    row = table(LineSite)
    return list(session.connection().execute(select(row.c.site_id).where(row.c.line_id.in_(lines))).scalars())
