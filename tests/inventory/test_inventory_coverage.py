"""Coverage as counts."""

from datetime import UTC, datetime

from sqlmodel import Session

from inventory.coverage import by_city, coverage, node_counts, totals
from inventory.database import Register
from inventory.models import Device, DeviceKind, NodeState, School, SchoolLevel, Site
from inventory.regions import load_regions, place_by_code
from inventory.scope import Scope

NOW = datetime(2026, 9, 1, tzinfo=UTC)


def _school(
    session: Session, county: int, level: SchoolLevel, gateways: int, seen: bool, state: str | None, **more: str
) -> None:
    school = School(name="s", place_id=county, level=level, **more)
    session.add(school)
    session.flush()
    site = Site(name="c", school_id=school.id, place_id=county)
    session.add(site)
    session.flush()
    for _ in range(gateways):
        session.add(Device(name="g", kind=DeviceKind.gateway, site_id=site.id, first_seen=NOW if seen else None))
    session.add(Device(name="ap", kind=DeviceKind.ap, site_id=site.id, first_seen=NOW))
    if state:
        session.add(NodeState(kind="school", node_id=school.id, state=state, since=NOW))


def test_schools_are_counted_by_county_level_and_kind(register: Register) -> None:
    primary, junior = SchoolLevel.primary, SchoolLevel.junior
    with register.session() as session:
        load_regions(session)
        place = place_by_code(session)
        here, there = place["140105"].id or 0, place["140212"].id or 0
        _school(session, here, primary, 2, True, "up")
        _school(session, here, primary, 1, True, "down")
        _school(session, here, primary, 1, False, None)
        _school(session, here, primary, 0, False, "not_watched")
        _school(session, here, junior, 1, True, "unknown")
        _school(session, here, primary, 1, True, "up", status="closed")
        _school(session, there, primary, 1, True, "degraded", kind="private")
        session.commit()
        rows = coverage(session)
        figures = {
            (row.code, row.level, row.kind): (
                row.registered,
                row.with_gateway,
                row.ever_seen,
                row.reachable,
                row.cut_off,
                row.unknown,
            )
            for row in rows
        }
        assert figures == {
            ("140105", "primary", "public"): (4, 3, 2, 1, 1, 1),
            ("140105", "junior", "public"): (1, 1, 1, 0, 0, 1),
            ("140212", "primary", "private"): (1, 1, 1, 1, 0, 0),
        }
        assert totals(rows)["registered"] == 6
        assert by_city(rows)[place["140100"].id]["with_gateway"] == 4
        assert totals(coverage(session, Scope.under(place["140200"])))["registered"] == 1
        assert node_counts(session)["school"] == {"up": 2, "down": 1, "not_watched": 1, "unknown": 1, "degraded": 1}
        assert node_counts(session, Scope.under(place["140200"])) == {"school": {"degraded": 1}}
