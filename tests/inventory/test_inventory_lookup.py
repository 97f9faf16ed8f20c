"""Whose address is this?"""

import pytest

from inventory.database import Register
from inventory.lookup import lookup, pack, parse_address, prefix_bounds
from inventory.models import Address, Device, DeviceKind, Line, LineSite, Prefix, School, Site, Zone
from inventory.regions import load_regions, place_by_code
from inventory.scope import Scope


def _address(zone: int, ip: str, device: int) -> Address:
    return Address(zone_id=zone, ip=ip, packed=pack(parse_address(ip)), device_id=device)


def _prefix(zone: int, cidr: str, **of: int) -> Prefix:
    text, first, last, length = prefix_bounds(cidr)
    return Prefix(zone_id=zone, cidr=text, first=first, last=last, length=length, **of)


@pytest.fixture
def filled(register: Register) -> Register:
    with register.session() as session:
        load_regions(session)
        place = place_by_code(session)
        session.add_all([Zone(id=1, name="edu"), Zone(id=2, name="other")])
        session.add(School(id=1, name="一中", code="3114000001", place_id=place["140105"].id or 0))
        session.add(School(id=2, name="二中", place_id=place["140106"].id or 0))
        session.flush()
        session.add(Site(id=1, name="a", school_id=1, place_id=place["140105"].id or 0))
        session.add(Site(id=2, name="b", school_id=2, place_id=place["140106"].id or 0))
        session.add_all([Line(id=1, name="backup", role="backup"), Line(id=2, name="main"), Line(id=3, name="second")])
        session.flush()
        session.add_all(
            [LineSite(line_id=1, site_id=1), LineSite(line_id=2, site_id=1), LineSite(line_id=3, site_id=2)]
        )
        session.add(Device(id=1, name="gw", kind=DeviceKind.gateway, site_id=1))
        session.flush()
        session.add_all([_address(1, "10.1.0.1", 1), _address(2, "2001:db8::1", 1)])
        session.add_all(
            [
                _prefix(1, "10.0.0.0/8", line_id=3),
                _prefix(1, "10.1.0.0/24", school_id=1),
                _prefix(1, "10.1.0.128/25", site_id=2),
                _prefix(2, "10.1.0.0/16", school_id=2),
                _prefix(1, "2001:db8::/32", school_id=2),
                _prefix(1, "::/0", school_id=1),
            ]
        )
        session.commit()
    return register


def test_the_device_comes_before_the_prefix(filled: Register) -> None:
    with filled.session() as session:
        best, *others = lookup(session, Scope(), "10.1.0.1", "edu")
    assert best["by"] == "device"
    assert best["device"] == {"id": 1, "name": "gw", "kind": "gateway"}
    assert best["school"] == {"id": 1, "name": "一中", "code": "3114000001"}
    assert best["line"]["name"] == "main"
    assert best["prefix"] == "10.1.0.0/24"
    assert [other["prefix"] for other in others] == ["10.1.0.0/24", "10.0.0.0/8"]


def test_the_longest_prefix_comes_first(filled: Register) -> None:
    with filled.session() as session:
        found = lookup(session, Scope(), "10.1.0.200", "edu")
    assert [(match["prefix"], match["school"]["id"], match["line"]["id"]) for match in found] == [
        ("10.1.0.128/25", 2, 3),
        ("10.1.0.0/24", 1, 2),
        ("10.0.0.0/8", 2, 3),
    ]
    assert all(match["by"] == "prefix" and match["device"] is None for match in found)


def test_without_a_zone_every_match_is_given(filled: Register) -> None:
    with filled.session() as session:
        assert {match["zone"] for match in lookup(session, Scope(), "10.1.0.7")} == {"edu", "other"}


def test_the_families_are_kept_apart(filled: Register) -> None:
    with filled.session() as session:
        assert [match["prefix"] for match in lookup(session, Scope(), "2001:db8:0:0::2")] == ["2001:db8::/32", "::/0"]
        assert [match["by"] for match in lookup(session, Scope(), "2001:DB8::0:1", "other")] == ["device"]
        assert lookup(session, Scope(), "192.0.2.1") == []
        assert lookup(session, Scope(), "::ffff:10.1.0.1", "edu")[0]["by"] == "device"


def test_the_scope_holds(filled: Register) -> None:
    with filled.session() as session:
        scope = Scope.under(place_by_code(session)["140106"])
        assert [match["prefix"] for match in lookup(session, scope, "10.1.0.1", "edu")] == ["10.0.0.0/8"]


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.0/8", "fe80::1%eth0", "school"])
def test_what_is_no_address_is_refused(sqlite: Register, text: str) -> None:
    with sqlite.session() as session, pytest.raises(ValueError):
        lookup(session, Scope(), text)
