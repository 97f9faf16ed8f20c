"""What devices tell of their neighbours becomes links, and ways where nothing is declared; nothing is added to the register."""

from typing import Any

import pytest
from collector_world import World
from sqlmodel import select

from collector.clock import SteadyClock
from collector.live import Live
from collector.neighbours import Neighbours, plain_name
from collector.plan import Plan, build_plan
from inventory.database import raise_version
from inventory.links import LearnedLink, findings, learned_ways
from inventory.lookup import prefix_bounds
from inventory.models import Device, DeviceKind, DeviceUpstream, Link, Prefix, Region
from inventory.scope import Scope


def reading(*neighbours: dict[str, Any], ports: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """A full reading: (ifName, MAC) of its ports, and its neighbours."""
    told = [{"protocol": "lldp", **neighbour} for neighbour in neighbours]
    return {"ports": [{"ifName": name, "ifPhysAddress": mac} for name, mac in ports], "neighbours": told}


@pytest.fixture
def campus(world: World) -> World:
    """A school with a gateway, two switches and an access point; nothing is declared of what hangs where."""
    world.school(1)
    for number, (name, kind) in enumerate(
        (("sw-core", DeviceKind.switch), ("sw-floor", DeviceKind.switch), ("ap1", DeviceKind.ap)), 1
    ):
        world.device(name, kind, world.ids["site1"], f"3.{number}", sys_name=name)
    return world


def job(world: World) -> Neighbours:
    return Neighbours(world.register, Live(SteadyClock()), keep_days=14)


def ups(plan: Plan, world: World, name: str) -> tuple[str, ...] | None:
    """What a device hangs under, by name; lines by their ids."""
    names = {f"device:{device.id}": device.name for device in plan.devices.values()}
    found = plan.nodes[plan.node_index[f"device:{world.ids[name]}"]].up
    return None if found is None else tuple(names.get(up, up) for up in found)


def tell_chain(world: World) -> None:
    """gw1 -- sw-core -- sw-floor -- ap1, each told of by one end or both, by MAC and name."""
    links = job(world)
    links.take(world.ids["gw1"], 0, reading(ports=(("GE0/0/2", "0011223344aa"),)))
    links.take(
        world.ids["sw-core"],
        0,
        reading(
            {"local_ifName": "GE1/0/1", "remote_chassis": "0011223344aa", "remote_port": "GE0/0/2"},
            {
                "local_ifName": "GE1/0/24",
                "remote_chassis": "0011223344cc",
                "remote_name": "sw-floor.school.example",
                "remote_port": "GE0/0/1",
            },
            {"local_ifName": "GE1/0/9", "remote_chassis": "ffeeddccbbaa", "remote_name": "nobody"},
            ports=(("GE1/0/1", "0011223344bb"),),
        ),
    )
    links.take(
        world.ids["sw-floor"],
        0,
        reading(
            {
                "local_ifName": "GE0/0/1",
                "remote_chassis": "0011223344bb",
                "remote_name": "sw-core",
                "remote_port": "GE1/0/24",
            },
            {"local_ifName": "GE0/0/5", "remote_name": "ap1", "remote_address": world.ip("3.3")},
            ports=(("GE0/0/1", "0011223344cc"),),
        ),
    )
    links.run()


def test_neighbours_become_links_with_source_and_confidence(campus: World) -> None:
    tell_chain(campus)
    with campus.register.session() as session:
        links = {(link.from_device_id, link.to_device_id): link for link in session.exec(select(Link))}
    name = campus.ids
    assert set(links) == {
        (name["gw1"], name["sw-core"]),
        (name["sw-core"], name["sw-floor"]),
        (name["sw-floor"], name["ap1"]),
    }
    chain = links[name["sw-core"], name["sw-floor"]]
    assert (chain.from_port, chain.to_port, chain.source, chain.confidence) == ("GE1/0/24", "GE0/0/1", "lldp", 0.99)
    assert links[name["gw1"], name["sw-core"]].confidence == 0.9
    assert links[name["gw1"], name["sw-core"]].seen_at is not None
    assert links[name["sw-floor"], name["ap1"]].confidence == 0.95


def test_learned_ways_are_used_where_nothing_is_declared(campus: World) -> None:
    before = build_plan(campus.register)
    assert ups(before, campus, "sw-floor") == ("gw1",)
    version = campus.register.version()
    tell_chain(campus)
    assert campus.register.version() == version + 1
    plan = build_plan(campus.register)
    assert ups(plan, campus, "sw-core") == ("gw1",)
    assert ups(plan, campus, "sw-floor") == ("sw-core",)
    assert ups(plan, campus, "ap1") == ("sw-floor",)
    assert ups(build_plan(campus.register, learned_confidence=0.98), campus, "ap1") == ("gw1",)
    tell_chain(campus)
    assert campus.register.version() == version + 1  # the same again is no news


def test_a_network_that_is_learned_bit_by_bit_raises_the_version_once_a_minute(campus: World) -> None:
    """100 access points are read one after another, every 10 s three of them: 340 s."""
    tell_chain(campus)
    switch, site = campus.ids["sw-floor"], campus.ids["site1"]
    names = [f"ap-{number}" for number in range(100)]
    for number, name in enumerate(names):
        campus.device(name, DeviceKind.ap, site, f"4.{number + 1}", sys_name=name)
    now = 1000.0
    links = Neighbours(campus.register, Live(SteadyClock()), keep_days=14, clock=lambda: now)
    links.take(campus.ids["gw1"], 0, reading(ports=(("GE0/0/2", "0011223344aa"),)))
    links.take(switch, 0, reading(ports=(("GE0/0/1", "0011223344cc"),)))
    links.run()
    version, raised = campus.register.version(), []
    while names or now < 1500:
        for name in [names.pop() for _ in range(3) if names]:
            told = {"local_ifName": "lan", "remote_name": "sw-floor", "remote_chassis": "0011223344cc"}
            links.take(campus.ids[name], 0, reading(told))
        links.run()
        if campus.register.version() != version:
            version = campus.register.version()
            raised.append(now)
        now += 10
    assert raised == [1000, 1060, 1120, 1180, 1240, 1300, 1360]  # the last has what was learned since the one before
    plan = build_plan(campus.register)
    assert ups(plan, campus, "ap-0") == ups(plan, campus, "ap-99") == ("sw-floor",)


def test_links_that_the_plan_makes_nothing_of_raise_no_version(campus: World) -> None:
    """What is declared, what hangs under a line, another port of the same two devices, and what was only forgotten and learned anew."""
    tell_chain(campus)
    with campus.register.write() as session:
        session.add(DeviceUpstream(device_id=campus.ids["ap1"], upstream_id=campus.ids["sw-core"]))
    campus.device("agg", DeviceKind.aggregation, campus.ids["site1"], "3.9", sys_name="agg")
    links, version = job(campus), campus.register.version()
    mac = {"remote_chassis": "0011223344aa"}
    links.take(campus.ids["gw1"], 0, reading(ports=(("GE0/0/2", "0011223344aa"),)))
    links.take(campus.ids["agg"], 0, reading({"local_ifName": "1", **mac}))
    links.take(campus.ids["ap1"], 0, reading({"local_ifName": "9", **mac}))
    links.take(campus.ids["sw-core"], 0, reading({"local_ifName": "GE1/0/2", "remote_port": "GE0/0/3", **mac}))
    links.run()
    with campus.register.session() as session:
        assert len(list(session.exec(select(Link)))) == 6
    assert campus.register.version() == version


def test_declared_beats_learned_and_the_contradiction_is_listed(campus: World) -> None:
    tell_chain(campus)
    with campus.register.write() as session:
        session.add(DeviceUpstream(device_id=campus.ids["sw-floor"], upstream_id=campus.ids["gw1"]))
        raise_version(session)
    assert ups(build_plan(campus.register), campus, "sw-floor") == ("gw1",)
    with campus.register.session() as session:
        found = {finding.device_id: finding for finding in findings(session, Scope())}
        county = session.get_one(Region, campus.ids["county"])
        assert {one.device_id for one in findings(session, Scope.under(county))} == found.keys()
        elsewhere = Scope(path="/999/")
        assert findings(session, elsewhere) == []
    assert found.keys() == {campus.ids["sw-floor"]}
    wrong = found[campus.ids["sw-floor"]]
    assert (wrong.kind, wrong.declared) == ("contradiction", [(campus.ids["gw1"], "gw1")])
    assert [(near.name, near.port, near.remote_port) for near in wrong.learned] == [("sw-core", "GE0/0/1", "GE1/0/24")]


def test_what_is_not_sure_enough_is_a_proposal_and_no_way(campus: World) -> None:
    links = job(campus)
    links.take(campus.ids["sw-core"], 0, reading({"local_ifName": "1", "remote_name": "gw1"}))
    links.take(campus.ids["sw-floor"], 0, reading({"local_ifName": "1", "remote_name": "sw-core"}))
    links.run()
    assert ups(build_plan(campus.register), campus, "sw-floor") == ("gw1",)
    with campus.register.session() as session:
        kinds = {finding.device_name: finding.kind for finding in findings(session, Scope())}
    assert kinds == {"sw-core": "proposal", "sw-floor": "proposal"}


def test_a_name_in_another_zone_or_of_two_devices_is_nobody(campus: World) -> None:
    campus.device("twin", DeviceKind.switch, campus.ids["site1"], "3.8", sys_name="sw-core")
    links = job(campus)
    links.take(campus.ids["sw-floor"], 0, reading({"local_ifName": "1", "remote_name": "sw-core"}))
    links.run()
    with campus.register.session() as session:
        assert list(session.exec(select(Link))) == []
        assert len(list(session.exec(select(Device)))) == 7  # and none was added


def test_a_name_and_a_mac_of_different_devices_is_hardly_a_link(campus: World) -> None:
    links = job(campus)
    links.take(campus.ids["gw1"], 0, reading(ports=(("e0", "0011223344aa"),)))
    told = {"local_ifName": "1", "remote_name": "sw-core", "remote_chassis": "0011223344aa"}
    links.take(campus.ids["sw-floor"], 0, reading(told))
    links.run()
    with campus.register.session() as session:
        assert session.exec(select(Link)).one().confidence == 0.4


def test_a_gateway_without_a_line_hangs_under_the_line_of_its_prefix(campus: World) -> None:
    site = campus.ids["site1"]
    lone = campus.add(_site(campus))
    campus.device("gw-lone", DeviceKind.gateway, lone, "9.1")
    for text, line in ((f"127.{campus.net}.8.0/21", campus.ids["line1"]), (f"127.{campus.net}.9.0/30", None)):
        cidr, first, last, length = prefix_bounds(text)
        row = Prefix(zone_id=campus.ids["zone"], cidr=cidr, first=first, last=last, length=length, line_id=line)
        row.site_id = None if line else site
        campus.add(row)
    plan = build_plan(campus.register)
    assert ups(plan, campus, "gw-lone") == ("line1",) or ups(plan, campus, "gw-lone") == (
        f"line:{campus.ids['line1']}",
    )


def _site(world: World) -> Any:
    from inventory.models import Site

    return Site(name="lone", place_id=world.ids["county"])


def test_ways_lead_upwards_and_never_through_what_is_no_switch() -> None:
    kinds = {1: "core", 2: "aggregation", 3: "gateway", 4: "switch", 5: "switch", 6: "camera", 7: "switch"}
    pairs = [(1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (3, 5)]
    links = [LearnedLink(a, "", b, "", "lldp", 0.9) for a, b in pairs]
    assert learned_ways(links, kinds, 0.9) == {2: [1], 3: [2], 4: [3], 5: [3], 6: [5]}


@pytest.mark.parametrize(
    ("told", "plain"), [("SW1.school.example", "sw1"), ("sw1(FOC1234)", "sw1"), (" Sw1 ", "sw1"), ("", "")]
)
def test_names_are_compared_without_domain_case_and_serial(told: str, plain: str) -> None:
    assert plain_name(told) == plain
