"""Lines are judged by their addresses and by the way that the school takes, beside the port that they end on."""

from typing import Any

import pytest
from collector_world import World
from sqlmodel import select
from test_causes_log import BEGIN, Desk

from collector.linewords import LineFacts
from collector.rounds.messages import LineRound
from collector.ways import WayNews, line_of
from inventory.credentials import Secret, new_credential
from inventory.database import raise_version
from inventory.models import Incident, Line, LineSite, NodeKind, Outage
from probes.device.routes import DefaultRoute


def facts(**known: Any) -> LineFacts:
    return LineFacts(**known)


PORT = ("cnty", "GE1")


@pytest.mark.parametrize(
    ("line", "gateway_up", "word"),
    [
        (facts(), True, None),
        (facts(ports={PORT: True}), None, "up"),
        (facts(ports={PORT: False}), True, "down"),
        (facts(ports={PORT: False}, near=True), True, "up"),
        (facts(ports={PORT: True, ("gw", "e0"): False}), True, "down"),
        (facts(near=False), True, "down"),
        (facts(near=False), False, None),
        (facts(near=False), None, None),
        (facts(near=False, far=False), False, "down"),
        (facts(far=True), False, "up"),
        (facts(way=True, far=False, near=False), True, "down"),
        (facts(way=True, far=False), True, "up"),
        (facts(way=False, was_way=True, ports={PORT: True}), True, "down"),
        (facts(way=False, was_way=True, ports={PORT: True}), False, "up"),
        (facts(way=False, was_way=False, ports={PORT: True}), True, "up"),
        (facts(way=False, was_way=True, backup=True, far=True), True, "up"),
    ],
)
def test_the_word_on_a_line(line: LineFacts, gateway_up: bool | None, word: str | None) -> None:
    assert line.word(gateway_up) == word


def test_an_address_that_never_answered_says_nothing() -> None:
    line = facts()
    line.hear_address(near=True, answered=False)
    assert line.word(True) is None
    line.hear_address(near=True, answered=True)
    line.hear_address(near=True, answered=False)
    assert line.word(True) == "down"


@pytest.fixture
def two_ways(world: World) -> World:
    """A school with two lines; the first has addresses, the second only the address of its other end."""
    world.school(1)
    assert world.register.sealer
    world.add(new_credential("c", "2c", Secret(community="public"), world.register.sealer, zone_id=world.ids["zone"]))
    backup = world.add(
        Line(
            name="backup", operator="telecom", role="backup", upstream_site_id=world.ids["pop"], far_address="127.9.2.1"
        )
    )
    with world.register.write() as session:
        session.add(LineSite(line_id=backup, site_id=world.ids["site1"]))
        line = session.get_one(Line, world.ids["line1"])
        line.near_address, line.far_address = "127.9.1.2", "127.9.1.1"
        line.end_device_id = line.end_port = None
        session.add(line)
        raise_version(session)
    world.ids["backup"] = backup
    return world


def line_incidents(desk: Desk) -> dict[int | None, tuple[str, str]]:
    with desk.world.register.session() as session:
        return {
            row.root_id: (row.status, row.cause)
            for row in session.exec(select(Incident))
            if row.root_kind == NodeKind.line
        }


def ping(desk: Desk, t: int, answered: dict[str, bool], seen: bool = True) -> None:
    """One liveness round's pings of lines' addresses."""
    told = tuple(answered[end.address] for end in desk.plan.targets.line_ends)
    desk.bench.take_lines(LineRound(desk.plan.version, BEGIN + t, told, (seen,)))


def test_a_line_whose_address_is_silent_while_the_school_answers_is_an_incident_of_the_line(two_ways: World) -> None:
    desk = Desk(two_ways)
    everything = {end.address: True for end in desk.plan.targets.line_ends}
    assert everything.keys() == {"127.9.1.1", "127.9.1.2", "127.9.2.1"}
    for t in range(0, 300, 5):
        cut = 100 <= t < 200
        ping(desk, t, everything | ({"127.9.1.2": False} if cut else {}), seen=not 100 <= t < 110)
        desk.rounds(t, t + 5, set())
        if t == 105:
            assert line_incidents(desk) == {}  # nobody saw it
        if t == 150:
            assert line_incidents(desk) == {two_ways.ids["line1"]: ("open", "line")}
    assert line_incidents(desk) == {two_ways.ids["line1"]: ("resolved", "line")}
    with two_ways.register.session() as session:
        outage = session.exec(select(Outage)).one()
    assert (outage.kind, outage.node_id) == (NodeKind.line, two_ways.ids["line1"])
    assert (outage.from_at.timestamp() - BEGIN, (outage.until_at or outage.from_at).timestamp() - BEGIN) == (110, 200)
    assert outage.cause == "line"


def test_a_silent_gateway_does_not_make_its_lines_addresses_call_them_down(two_ways: World) -> None:
    desk = Desk(two_ways)
    everything = {end.address: True for end in desk.plan.targets.line_ends}
    for t in range(0, 200, 5):
        off = t >= 100
        desk.rounds(t, t + 5, {"gw1"} if off else set())
        ping(desk, t, everything | ({"127.9.1.2": False} if off else {}))
    with two_ways.register.session() as session:
        assert [row.root_kind for row in session.exec(select(Incident))] == [NodeKind.device]


def test_a_school_that_has_left_its_line_for_the_backup_shows_that_the_line_is_down(two_ways: World) -> None:
    desk, gateway = Desk(two_ways), two_ways.ids["gw1"]
    line, backup = two_ways.ids["line1"], two_ways.ids["backup"]
    assert desk.plan.lineways.ways == {gateway: (line, backup)}
    lines_told = []
    desk.bench.record = lambda told: lines_told.append(told.get("facts"))
    for t in range(0, 300, 5):
        if t % 60 == 0:
            desk.bench.take_ways(WayNews(BEGIN + t, {gateway: backup if 120 <= t < 240 else line}))
        desk.rounds(t, t + 5, set())
    assert line_incidents(desk)[line][1] == "line"
    assert backup not in line_incidents(desk)
    assert {
        f"device:{gateway}": {"way": f"line:{backup}"},
        f"line:{line}": {"ports": {"word": "down"}},
        f"line:{backup}": {"ports": {"word": "up"}},
    } in lines_told


def test_a_default_route_leads_onto_a_line_by_port_address_or_range(two_ways: World) -> None:
    desk, gateway = Desk(two_ways), two_ways.ids["gw1"]
    assert line_of(desk.plan, gateway, DefaultRoute(3, "127.9.2.1"), "") == two_ways.ids["backup"]
    assert line_of(desk.plan, gateway, DefaultRoute(3, "127.9.1.1"), "") == two_ways.ids["line1"]
    assert line_of(desk.plan, gateway, DefaultRoute(3, "127.8.8.8"), "") is None
