"""The one scope filter: nothing outside the subtree, not even a count."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, SQLModel

from inventory import models as m
from inventory.database import Register
from inventory.models import table
from inventory.regions import duty_by_code, load_regions, place_by_code
from inventory.scope import _OPEN, _RULES, NOTHING, Scope

NOW = datetime(2026, 9, 1, tzinfo=UTC)


def _fill(session: Session, code: str, number: int) -> None:
    """One row of every table that has a place, in the county `code`."""
    place, duty = place_by_code(session)[code], duty_by_code(session)[code]

    def add(row: Any) -> int:
        session.add(row)
        session.flush()
        return int(getattr(row, "id", None) or 0)

    zone = add(m.Zone(name=f"z{number}"))
    school = add(m.School(name=f"s{number}", place_id=place.id, duty_id=duty.id))
    site = add(m.Site(name=f"c{number}", school_id=school, place_id=place.id))
    device = add(m.Device(name=f"d{number}", site_id=site))
    other = add(m.Device(name=f"e{number}", site_id=site))
    line = add(m.Line(name=f"l{number}"))
    incident = add(
        m.Incident(
            key=f"i{number}", path=place.path, duty_path=duty.path, place_id=place.id, duty_id=duty.id, from_at=NOW
        )
    )
    add(m.SchoolCode(school_id=school, code=f"211400000{number}"))
    add(m.SchoolSuccession(predecessor_id=school, successor_id=school, kind="rename", on=date(2026, 1, 1)))
    add(m.LineSite(line_id=line, site_id=site))
    add(m.DeviceUpstream(device_id=device, upstream_id=other))
    add(m.Port(device_id=device, name="GE0/0/1", if_index=1))
    add(m.Address(zone_id=zone, ip="10.0.0.1", packed=b"\0" * 16, device_id=device))
    add(m.HistoryDay(device_id=device, day=date(2026, 9, 1)))
    add(m.Link(from_device_id=device, to_device_id=other))
    add(m.Prefix(zone_id=zone, cidr="10.0.0.0/24", first=b"\0" * 16, last=b"\1" * 16, length=24, line_id=line))
    add(m.Outage(kind="school", node_id=school, place_id=place.id, duty_id=duty.id, from_at=NOW))
    add(m.Notice(incident_id=incident, event="opened", at=NOW))
    for kind, node in (("device", device), ("line", line), ("site", site), ("school", school)):
        add(m.NodeState(kind=kind, node_id=node, state="up", since=NOW))
    add(m.Maintenance(kind="device", node_id=device, from_at=NOW, until_at=NOW))
    add(m.Maintenance(region_id=place.id, from_at=NOW, until_at=NOW))
    add(m.Maintenance(region_id=duty.id, from_at=NOW, until_at=NOW))
    series = add(m.Maintenance(kind="school", node_id=school, from_at=NOW, until_at=NOW, repeat="daily"))
    add(m.MaintenanceOccurrence(maintenance_id=series, from_at=NOW, until_at=NOW))
    add(m.Term(name="t", school_id=school, first_on=date(2026, 9, 1), last_on=date(2027, 1, 20)))
    add(m.ClassHours(region_id=place.id, spans=["08:00-12:00"]))
    add(m.ClassHours(region_id=duty.id, spans=["08:00-12:00"]))
    add(
        m.SpecialDay(
            name="snow", kind="holiday", school_id=school, first_on=date(2026, 12, 1), last_on=date(2026, 12, 1)
        )
    )
    add(m.Exam(name="e", school_id=school, from_at=NOW, until_at=NOW))
    add(m.Habit(school_id=school, kind="night", off_from="21:00", off_until="22:00", on_by="07:30"))
    add(m.Credential(name=f"place{number}", region_id=place.id))
    add(m.Credential(name=f"duty{number}", region_id=duty.id))
    add(m.User(name=f"place{number}", region_id=place.id))
    add(m.WallLink(name="wall", token_hash=f"p{number}", region_id=place.id))
    add(m.WallLink(name="wall", token_hash=f"d{number}", region_id=duty.id))
    add(m.User(name=f"duty{number}", region_id=duty.id))
    for region in (place, duty):
        rule = m.DegradedRule(key=f"{region.tree}{number}", name_zh="r", measure="rtt_ms", raise_at=2, clear_at=1)
        rule.region_id = region.id
        add(rule)
        outlet = add(m.Outlet(name=f"{region.tree}{number}", kind="webhook", region_id=region.id))
        add(m.NoticeRule(name=f"{region.tree}{number}", region_id=region.id))
        add(m.EscalationStep(level="county", region_id=region.id))
        contact = add(m.Contact(name=f"{region.tree}{number}", region_id=region.id))
        add(m.Duty(contact_id=contact, region_id=region.id, from_at=NOW, until_at=NOW))
        add(m.Silence(region_id=region.id, from_at=NOW, until_at=NOW, reason="work"))
    add(m.Delivery(outlet_id=outlet, incident_id=incident, event="opened", queued_at=NOW, due_at=NOW))
    add(m.IncidentNote(incident_id=incident, at=NOW, kind="comment"))


INSIDE = {m.Region: 1, m.Device: 2, m.NodeState: 4, m.Maintenance: 3}
"""Rows inside one county, where they are not one."""

HIDDEN = {m.AuditEntry, m.ImportBatch, m.ImportChange, m.LoginSession, m.LoginLink, m.Token, m.JudgeState}


@pytest.fixture
def filled(register: Register) -> Register:
    with register.session() as session:
        load_regions(session)
        _fill(session, "140105", 1)
        _fill(session, "140106", 2)
        _fill(session, "140212", 3)
        session.add(m.Incident(key="above", path=place_by_code(session)["140100"].path, from_at=NOW))
        session.add(m.Line(name="of nobody"))
        session.commit()
    return register


EVERYWHERE = {m.NoticeRule, m.EscalationStep}
"""What is shipped of these is of no region, and is read by all."""


def _shipped(session: Session, model: type[SQLModel]) -> int:
    if model not in EVERYWHERE:
        return 0
    row = table(model)
    statement = select(func.count()).select_from(row).where(row.c.region_id.is_(None))
    return int(session.connection().execute(statement).scalar() or 0)


def _count(session: Session, scope: Scope, model: type[SQLModel]) -> int:
    statement = scope.filter(select(func.count()).select_from(table(model)), model)
    return int(session.connection().execute(statement).scalar() or 0)


@pytest.mark.parametrize("tree", ["place", "duty"])
def test_a_county_sees_its_own_rows_alone(filled: Register, tree: str) -> None:
    with filled.session() as session:
        region = (place_by_code if tree == "place" else duty_by_code)(session)["140105"]
        scope = Scope.under(region)
        seen = {model: _count(session, scope, model) - _shipped(session, model) for model in _RULES}
    assert seen == {model: 0 if model in HIDDEN else INSIDE.get(model, 1) for model in _RULES}


@pytest.mark.parametrize("tree", ["place", "duty"])
def test_a_city_sees_its_counties(filled: Register, tree: str) -> None:
    with filled.session() as session:
        scope = Scope.under((place_by_code if tree == "place" else duty_by_code)(session)["140100"])
        assert _count(session, scope, m.School) == 2
        assert _count(session, scope, m.Device) == 4
        assert _count(session, scope, m.Outage) == 2
        assert _count(session, scope, m.NodeState) == 8


def test_the_province_sees_everything_and_nothing_sees_nothing(filled: Register) -> None:
    with filled.session() as session:
        assert _count(session, Scope(), m.School) == 3
        assert _count(session, Scope(), m.Line) == 4
        seen = {model: _count(session, NOTHING, model) - _shipped(session, model) for model in _RULES}
        assert seen == dict.fromkeys(_RULES, 0)


def test_a_neighbour_whose_path_begins_alike_is_outside(filled: Register) -> None:
    with filled.session() as session:
        session.add(m.Region(level="city", name="x", path="/1/2/"))
        session.add(m.Region(level="city", name="y", path="/1/20/"))
        session.flush()
        statement = Scope(m.RegionTree.place, "/1/2/").filter(select(table(m.Region).c.name), m.Region)
        names = set(session.connection().execute(statement).scalars())
    assert "x" in names
    assert "y" not in names


def test_the_scope_of_a_user_is_that_of_the_region(filled: Register) -> None:
    with filled.session() as session:
        region = place_by_code(session)["140105"]
        assert Scope.of(session, m.User(name="a")) == Scope()
        scope = Scope.of(session, m.User(name="b", region_id=region.id))
        assert scope == Scope(region.tree, region.path)
        assert Scope.of(session, m.User(name="c", region_id=999_999)) == NOTHING
        ids = session.connection().execute(select(table(m.School).c.id, table(m.School).c.place_id)).all()
        assert {number for number, _ in ids if scope.allows(session, m.School, number)} == {
            number for number, place in ids if place == region.id
        }


def test_every_table_has_a_rule_or_is_open() -> None:
    models = {getattr(m, name) for name in m.__all__ if isinstance(getattr(m, name), type)}
    tables = {model for model in models if issubclass(model, SQLModel)}
    assert tables == set(_RULES) | _OPEN


def test_a_model_without_a_rule_is_refused() -> None:
    class Stranger(SQLModel):
        pass

    with pytest.raises(TypeError, match="Stranger"):
        Scope().clause(Stranger)
