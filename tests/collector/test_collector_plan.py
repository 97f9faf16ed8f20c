"""The plan: what is asked, what hangs under what, what is wrong."""

import numpy as np
import pytest
from collector_world import World, packed

from collector.judge.values import Node
from collector.nodes import break_loops
from collector.plan import Plan, build_plan, parse_tcp
from collector.schools import DEGRADED, DOWN, NOT_SEEN, NOT_WATCHED, UNKNOWN, UP, school_states
from collector.windows import WindowRow, window_nodes
from inventory.database import raise_version
from inventory.models import Address, Device, DeviceKind, DeviceUpstream, Site, Watch


def node(plan: Plan, name: str) -> Node:
    return plan.nodes[plan.node_index[name]]


def test_ways_follow_from_sites_and_kinds(world: World) -> None:
    world.school(1)
    site, ids = world.ids["site1"], world.ids
    switch = world.device("switch", DeviceKind.switch, site, "4.1")
    camera = world.device("camera", DeviceKind.camera, site, "4.2")
    plan = build_plan(world.register)
    assert node(plan, f"device:{ids['core']}").up == ()
    assert node(plan, f"device:{ids['gw1']}").up == (f"line:{ids['line1']}",)
    assert node(plan, f"line:{ids['line1']}").up == (f"device:{ids['agg']}",)
    assert node(plan, f"line:{ids['line1']}").probe is False
    assert node(plan, f"line:{ids['line1']}").port == (f"device:{ids['gw1']}", "GE0/0/1")
    assert node(plan, f"device:{switch}").up == node(plan, f"device:{camera}").up == (f"device:{ids['gw1']}",)
    assert node(plan, f"device:{camera}").edge
    assert node(plan, f"device:{ids['gw1']}").operator == "unicom"
    assert node(plan, f"device:{ids['gw1']}").pupils == 100
    assert plan.warnings == ()


def test_declared_ways_win_and_nothing_hangs_under_a_camera(world: World) -> None:
    world.school(1)
    site = world.ids["site1"]
    switch, camera = (
        world.device("sw", DeviceKind.switch, site, "4.1"),
        world.device("cam", DeviceKind.camera, site, "4.2"),
    )
    other = world.device("sw2", DeviceKind.switch, site, "4.3")
    with world.register.write() as session:
        for device, up in ((camera, switch), (other, camera)):
            session.add(DeviceUpstream(device_id=device, upstream_id=up))
        raise_version(session)
    plan = build_plan(world.register)
    assert node(plan, f"device:{camera}").up == (f"device:{switch}",)
    assert node(plan, f"device:{other}").up == (f"device:{world.ids['gw1']}",)
    assert any("sw2" in warning for warning in plan.warnings)


def test_where_nothing_is_known_there_is_no_way(world: World) -> None:
    site = world.ids["pop"]
    with world.register.write() as session:
        session.connection().exec_driver_sql("DELETE FROM line_site")
        raise_version(session)
    lone = world.device("gateway without a line", DeviceKind.gateway, site, "5.1")
    assert node(build_plan(world.register), f"device:{lone}").up is None


def test_loops_are_cut_and_named() -> None:
    nodes = [Node("a", ("c",)), Node("b", ("a",)), Node("c", ("b", "d")), Node("d", ())]
    kept, warnings = break_loops(nodes, [])
    ups = {n.id: n.up for n in kept}
    assert len(warnings) == 1
    assert "loop" in warnings[0]
    assert sum(len(up or ()) for up in ups.values()) == 3
    assert ups["d"] == ()


@pytest.mark.parametrize("status", ["planned", "spare", "retired"])
def test_what_is_not_in_use_is_not_asked(world: World, status: str) -> None:
    gone = world.device("gone", DeviceKind.switch, world.ids["pop"], "6.1", status=status)
    unwatched = world.device("unwatched", DeviceKind.switch, world.ids["pop"], "6.2", watch=Watch.none)
    plan = build_plan(world.register)
    assert not {gone, unwatched} & set(plan.targets.device_id.tolist())
    assert f"device:{gone}" not in plan.node_index
    assert node(plan, f"device:{unwatched}").probe is False


def test_credentials_reach_the_plan_and_no_log_line(world: World) -> None:
    world.device("sw", DeviceKind.switch, world.ids["pop"], "6.3", watch=Watch.snmp)
    world.credential("s3cret")
    plan = build_plan(world.register)
    target = plan.targets.device_id.tolist().index(world.ids["sw"])
    assert plan.targets.credentials[int(plan.targets.credential[target])].community == b"s3cret"
    assert "s3cret" not in repr(plan.targets)


def test_shards_hold_no_more_than_they_should(world: World) -> None:
    for number in range(1, 8):
        world.school(number)
    plan = build_plan(world.register, shard_size=4)
    assert [len(group) for _, _, group in plan.groups()] == [4, 4, 1]
    assert sorted(np.concatenate([group for *_, group in plan.groups()]).tolist()) == list(range(9))
    assert sum(map(len, plan.asked_ids().values())) == 9


@pytest.mark.parametrize(
    ("text", "ports", "reset"),
    [("443,8000", (443, 8000), False), ("22+reset", (22,), True), ("", (), False), ("x,0,70000", (), False)],
)
def test_tcp_ports(text: str, ports: tuple[int, ...], reset: bool) -> None:
    assert parse_tcp(text) == (ports, reset)


@pytest.mark.parametrize(
    ("gates", "expected"),
    [
        ({"gw1": UP, "gw1b": DOWN}, UP),
        ({"gw1": DOWN, "gw1b": DOWN}, DOWN),
        ({"gw1": DOWN, "gw1b": UNKNOWN}, UNKNOWN),
        ({"gw1": DOWN, "gw1b": NOT_SEEN}, DOWN),
        ({"gw1": NOT_SEEN, "gw1b": NOT_SEEN}, NOT_SEEN),
        ({"gw1": DOWN, "gw1b": DOWN, "gw1c": UP}, DEGRADED),
        ({"gw1": DOWN, "gw1b": DOWN, "gw1c": DOWN}, DOWN),
    ],
)
def test_a_school_is_what_its_gateways_make_of_it(world: World, gates: dict[str, int], expected: int) -> None:
    school = world.school(1)
    world.device("gw1b", DeviceKind.gateway, world.ids["site1"], "7.1")

    second = world.add(Site(name="second campus", school_id=school, place_id=world.ids["county"]))
    if "gw1c" in gates:
        world.device("gw1c", DeviceKind.gateway, second, "7.2")
    lone = world.school(2)
    with world.register.write() as session:
        session.connection().exec_driver_sql(f"UPDATE device SET watch='none' WHERE id={world.ids['gw2']}")
        raise_version(session)
    plan = build_plan(world.register)
    codes = np.full(len(plan.nodes), UP, np.uint8)
    for name, code in gates.items():
        codes[plan.node_index[f"device:{world.ids[name]}"]] = code
    found = school_states(plan, codes)
    assert found.state[plan.school_index[school]] == expected
    assert found.state[plan.school_index[lone]] == NOT_WATCHED
    assert found.devices[plan.school_index[school]] == len(gates)


def test_a_window_on_a_region_covers_what_lies_in_it(world: World) -> None:
    world.school(1)
    plan = build_plan(world.register)
    covered = window_nodes(plan, WindowRow(None, None, world.ids["county"], 0, 1))
    assert f"device:{world.ids['agg']}" in covered
    assert f"device:{world.ids['gw1']}" in covered
    assert f"device:{world.ids['core']}" not in covered
    assert window_nodes(plan, WindowRow("school", world.ids["school1"], None, 0, 1)) == [f"device:{world.ids['gw1']}"]
    assert window_nodes(plan, WindowRow("line", world.ids["line1"], None, 0, 1)) == [f"line:{world.ids['line1']}"]


def test_a_plan_takes_few_statements_however_many_devices(world: World) -> None:
    from sqlalchemy import event

    with world.register.write() as session:
        devices = [Device(name=f"d{i}", site_id=world.ids["pop"], kind=DeviceKind.switch) for i in range(3000)]
        session.add_all(devices)
        session.flush()
        session.add_all(
            Address(
                zone_id=world.ids["zone"],
                ip=(ip := f"127.77.{i >> 8}.{i & 255}"),
                packed=packed(ip),
                device_id=d.id or 0,
            )
            for i, d in enumerate(devices)
        )
        raise_version(session)
    statements: list[str] = []
    event.listen(world.register.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    plan = build_plan(world.register)
    assert len(plan.targets) == 3002
    assert len(statements) < 25
