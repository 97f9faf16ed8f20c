"""Which subjects a rule is of, what their measures are, and what the engine raises: on a real plan, with columns as the rounds write them."""

import os
from typing import Any

import numpy as np
import pytest
from collector_world import World

from collector.degraded.engine import Change, Engine
from collector.degraded.hours import ClassHours
from collector.degraded.ringstats import RingStats
from collector.degraded.rules import RuleRow, RuleRows, masks_of, read_rules
from collector.degraded.sensors import SensorStore
from collector.degraded.subjects import Subjects, subjects_of
from collector.degraded.values import PortRows, View
from collector.degraded.world import Below, BenchWorld, port_text
from collector.plan import Plan, build_plan
from collector.schools import DOWN, UNKNOWN, UP
from collector.shared import Shape, create
from inventory.calendars.calendars import Calendars
from inventory.database import raise_version
from inventory.models import Device, DeviceKind, Line, Measure, Port, School, Watch, Zone, table
from inventory.rules import ship_rules

NOW = 1_790_000_000.0


def rule(measure: str, number: int = 1, **more: Any) -> RuleRow:
    """Raised and cleared by one reading, unless `more` says otherwise."""
    plain = RuleRow(
        number,
        f"r{number}",
        "规则",
        "rule",
        measure,
        (),
        "",
        "",
        "",
        None,
        (),
        5.0,
        2.0,
        0,
        0,
        1,
        1,
        1,
        "warning",
        "always",
        None,
    )
    return plain._replace(**more)


class Rig:
    """A plan, its subjects, and columns in which a test puts what it likes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.plan: Plan = build_plan(world.register)
        self.subjects: Subjects = subjects_of(self.plan, self.plan.monitored)
        n = len(self.plan.targets)
        fd, self.columns = create(Shape(self.plan.version, n, 4 * n, 8))
        os.close(fd)
        self.columns.offsets[:] = np.arange(n + 1) * 4
        self.columns.reading_at[:] = NOW
        self.code = np.full(len(self.plan.nodes), UP, np.uint8)
        self.explained = np.zeros(len(self.plan.nodes), np.bool_)
        self.loss, self.rtt = np.full(n, np.nan), np.full(n, np.nan)
        self.ports = PortRows(np.full(len(self.subjects.port_key), -1, np.int64))
        self.store = SensorStore()
        self.now = NOW

    def target(self, name: str) -> int:
        return int(self.plan.node_target[self.plan.node_index[f"device:{self.world.ids[name]}"]])

    def node(self, name: str) -> int:
        return self.plan.node_index[name]

    def port(self, device: str, name: str, row: int = 0, **columns: int) -> int:
        """A port's row: admin, oper, errors, mbps, and bits a second in and out."""
        key = (self.world.ids[device], name)
        at = 4 * self.target(device) + row
        self.ports.row[self.subjects.port_key.index(key)] = at
        self.columns.present[at] = 0x1FF
        self.columns.counters[at, 0] = columns.get("admin", 1)
        self.columns.counters[at, 1] = columns.get("oper", 1)
        self.columns.counters[at, 4] = columns.get("errors", 0)
        self.columns.counters[at, 8] = columns.get("mbps", 1000)
        self.columns.in_bps[at], self.columns.out_bps[at] = columns.get("down", 0), columns.get("up", 0)
        return at

    def view(self) -> View:
        self.store.follow(self.plan, self.subjects, self.rules)
        self.ports.follow(self.columns, self.columns.reading_at[self.subjects.port_target])
        return View(
            self.plan,
            self.subjects,
            self.columns,
            self.code,
            self.explained,
            RingStats(self.loss, self.rtt, self.now),
            self.ports,
            self.store.readings(self.plan),
            self.store.duplex(self.subjects),
        )

    def look(self, engine: Engine, *rules: RuleRow) -> list[tuple[str, str, bool]]:
        """(subject, node, raised) of what changes now."""
        self.rules = RuleRows(rules) if rules else engine.rules
        changes: list[Change] = engine.follow(self.plan, self.subjects, self.rules) if rules else []
        changes += engine.look(self.view(), self.now)
        return sorted((c.subject, c.node, c.raised) for c in changes)


@pytest.fixture
def town(world: World) -> World:
    """Three schools; the second has cameras and a UPS; the third is a kindergarten of another operator."""
    for number in (1, 2, 3):
        world.school(number)
    for camera in range(4):
        world.device(f"cam{camera}", DeviceKind.camera, world.ids["site2"], f"4.{camera + 1}", vendor="Hikvision")
    world.device("ups", DeviceKind.ups, world.ids["site2"], "5.1", vendor="APC", model="Smart-UPS 1500")
    with world.register.write() as session:
        connection = session.connection()
        connection.execute(
            table(School).update().where(table(School).c.id == world.ids["school3"]).values(level="kindergarten")
        )
        connection.execute(
            table(Line).update().where(table(Line).c.id == world.ids["line3"]).values(operator="telecom")
        )
        connection.execute(
            table(Line).update().where(table(Line).c.id == world.ids["line1"]).values(bandwidth_mbps=100)
        )
        session.add(Port(device_id=world.ids["agg"], name="XGE1", if_index=1, monitored=True))
    return world


CHOICES: list[tuple[str, dict[str, Any], set[str]]] = [
    ("loss_percent", {"kinds": ("gateway",)}, {"gw1", "gw2", "gw3"}),
    ("loss_percent", {"levels": ("kindergarten",)}, {"gw3"}),
    ("loss_percent", {"vendor": "hik*"}, {"cam0", "cam1", "cam2", "cam3"}),
    ("loss_percent", {"vendor": "apc", "model": "smart-ups *"}, {"ups"}),
    ("loss_percent", {"model": "nothing"}, set()),
    ("line_loss_percent", {"operator": "tele*"}, {"line3"}),
    ("answering_percent", {"kinds": ("camera",), "levels": ("kindergarten",)}, {"school3"}),
    ("port_down", {"kinds": ("aggregation",)}, {"agg"}),
]


def test_a_rule_is_of_those_that_it_names(town: World) -> None:
    rig = Rig(town)
    for measure, choice, expected in CHOICES:
        found = masks_of(rig.plan, rig.subjects, [rule(measure, **choice)])[1]
        traits = rig.subjects.traits_of(measure)
        numbers = {traits.names[i].split(":")[1] for i in np.flatnonzero(found).tolist()}
        assert numbers == {str(town.ids[name]) for name in expected}, (measure, choice)


def test_a_region_means_its_subtree_of_either_tree(town: World) -> None:
    rig = Rig(town)
    county, core = town.ids["county"], town.ids["core"]
    province = next(r.id for r in rig.plan.regions.values() if r.code == "140000")
    for region, inside in ((county, False), (province, True)):
        mask = masks_of(rig.plan, rig.subjects, [rule("loss_percent", region_id=region)])[1]
        assert bool(mask[rig.target("core")]) is inside
        assert mask[rig.target("gw1")]
    assert core


def test_where_a_rule_replaces_another_that_does_not_apply(town: World) -> None:
    rig = Rig(town)
    general, own = rule("loss_percent", 1), rule("loss_percent", 2, kinds=("camera",), replaces_id=1)
    masks = masks_of(rig.plan, rig.subjects, [general, own])
    assert not (masks[1] & masks[2]).any()
    assert (masks[1] | masks[2]).all()


def test_the_register_gives_the_enabled_rules(town: World) -> None:
    ship_rules(town.register)
    rules = read_rules(town.register)
    assert "line-loss" in {r.key for r in rules}
    assert "terminals-answering" not in {r.key for r in rules}
    assert all(isinstance(r.kinds, tuple) for r in rules)


def test_loss_of_a_gateway_behind_one_line_is_the_lines(town: World) -> None:
    rig, engine = Rig(town), Engine()
    rig.loss[rig.target("gw1")] = rig.loss[rig.target("agg")] = 9.0
    line = f"line:{town.ids['line1']}"
    trunk = next(
        name for name in rig.subjects.line.names if name not in {f"line:{town.ids[f'line{i}']}" for i in (1, 2, 3)}
    )
    both = [rule("line_loss_percent"), rule("loss_percent", 2)]
    assert rig.look(engine, *both) == sorted([(line, line, True), (trunk, trunk, True)])


def test_what_is_down_or_unknown_is_not_judged(town: World) -> None:
    rig, engine = Rig(town), Engine()
    rig.loss[:] = 9.0
    rig.code[rig.node(f"device:{town.ids['gw1']}")] = DOWN
    rig.code[rig.node(f"device:{town.ids['gw2']}")] = UNKNOWN
    raised = {subject for subject, _, _ in rig.look(engine, rule("line_loss_percent"))}
    assert f"line:{town.ids['line3']}" in raised
    assert not raised & {f"line:{town.ids['line1']}", f"line:{town.ids['line2']}"}


def test_a_monitored_port_is_its_devices_and_a_lines_port_the_judges(town: World) -> None:
    rig, engine = Rig(town), Engine()
    rig.port("agg", "XGE1", oper=2)
    rig.port("gw1", "GE0/0/1", oper=2)
    down = rule("port_down", raise_at=1.0, clear_at=0.0)
    node = f"device:{town.ids['agg']}"
    assert rig.look(engine, down) == [(f"port:{town.ids['agg']}:XGE1", node, True)]
    rig.port("agg", "XGE1", admin=2, oper=2)  # switched off by its administrator
    rig.columns.reading_at[:] = NOW + 60
    assert rig.look(engine) == [(f"port:{town.ids['agg']}:XGE1", node, False)]


def test_errors_are_a_rate_and_a_counter_that_began_again_says_nothing(town: World) -> None:
    rig, engine = Rig(town), Engine()
    errors = rule("port_errors_per_second")
    said = []
    for step, count in enumerate((0, 100, 700, 10, 610)):
        rig.port("agg", "XGE1", errors=count)
        rig.columns.reading_at[:] = NOW + 60 * step
        said += [raised for _, _, raised in (rig.look(engine, errors) if step == 0 else rig.look(engine))]
        assert np.isnan(rig.ports.errors[rig.subjects.port_key.index((town.ids["agg"], "XGE1"))]) == (step in (0, 3))
    assert said == [True]


def test_a_line_is_as_full_as_its_contract_or_its_port_whichever_is_less(town: World) -> None:
    rig, engine = Rig(town), Engine()
    load = rule("line_load_percent", raise_at=90.0, clear_at=80.0)
    rig.port("gw1", "GE0/0/1", down=95_000_000)  # of 100 Mbit/s by contract
    rig.port("gw2", "GE0/0/1", down=95_000_000)  # of 1000 Mbit/s by its port
    rig.port("gw3", "GE0/0/1", mbps=100, up=95_000_000)  # of 100 by its port
    assert [subject for subject, _, _ in rig.look(engine, load)] == sorted(
        [f"line:{town.ids['line1']}", f"line:{town.ids['line3']}"]
    )


def test_the_share_of_a_schools_cameras_leaves_out_what_is_explained(town: World) -> None:
    rig, engine = Rig(town), Engine()
    share = rule("answering_percent", kinds=("camera",), at_least=2, raise_at=60.0, clear_at=90.0)
    cameras = [rig.node(f"device:{town.ids[f'cam{i}']}") for i in range(4)]
    school = f"school:{town.ids['school2']}"
    rig.code[cameras[:1]] = DOWN
    assert rig.look(engine, share) == []
    rig.code[cameras[:3]] = DOWN
    rig.explained[cameras[:3]] = True  # the switch above them has failed
    rig.now += 15
    assert rig.look(engine) == []
    rig.explained[:] = False
    rig.now += 15
    assert rig.look(engine) == [(school, school, True)]
    rig.code[cameras] = UP
    rig.now += 15
    assert rig.look(engine) == [(school, school, False)]


def test_sensors_are_judged_as_they_come_in(town: World) -> None:
    rig, engine = Rig(town), Engine()
    battery = rule("ups_on_battery", raise_at=1.0, clear_at=0.0)
    states = [{"class": "charge", "descr": "Battery", "value": 90}]
    ups = town.ids["ups"]
    for at, word, expected in ((NOW, "normal", []), (NOW + 60, "battery", [True]), (NOW + 90, "normal", [False])):
        source = {"class": "state", "descr": "Output Source", "value": 3, "state": word}
        rig.store.put(ups, at, [*states, source])
        found = rig.look(engine, battery) if at == NOW else rig.look(engine)
        assert [raised for _, _, raised in found] == expected
    assert rig.store.text_of(f"device:{ups}", "ups_on_battery") == "Output Source"
    assert rig.store.wants(ups) == {Measure.ups_on_battery}


def test_what_sensors_said_goes_on_under_other_numbers(town: World) -> None:
    rig = Rig(town)
    ups = town.ids["ups"]
    rig.store.put(ups, NOW, [{"class": "charge", "descr": "Battery", "value": 77}])
    rig.rules = RuleRows([rule("ups_charge_percent")])
    rig.view()
    town.add(Zone(name="before"))
    with town.register.write() as session:
        first = table(Device).update().where(table(Device).c.id == town.ids["core"]).values(status="spare")
        session.connection().execute(first)
        raise_version(session)
    after = Rig(town)
    assert after.target("ups") != rig.target("ups")
    after.store, after.rules = rig.store, rig.rules
    value, at = after.view().sensed[Measure.ups_charge_percent]
    assert (value[after.target("ups")], at[after.target("ups")]) == (77, NOW)
    assert np.isnan(np.delete(value, after.target("ups"))).all()


def test_half_duplex_is_known_from_full_readings(town: World) -> None:
    rig, engine = Rig(town), Engine()
    port = {"ifName": "XGE1", "ifOperStatus": "up", "ifDuplex": "halfDuplex"}
    rig.store.take(town.ids["agg"], NOW, {"device": {}, "ports": [port]})
    found = rig.look(engine, rule("half_duplex", raise_at=1.0, clear_at=0.0))
    assert [(subject, raised) for subject, _, raised in found] == [(f"port:{town.ids['agg']}:XGE1", True)]


def test_a_raised_rule_goes_on_through_another_plan_and_a_restart_and_ends_when_it_is_switched_off(town: World) -> None:
    rig, engine = Rig(town), Engine()
    rig.loss[:] = 9.0
    loss = rule("line_loss_percent", kinds=())
    first = rig.look(engine, loss)
    assert first
    town.add(Device(name="new", kind=DeviceKind.switch, site_id=town.ids["pop"], watch=Watch.none))
    again = Rig(town)
    again.loss[:], again.now = 9.0, NOW + 15
    assert again.look(engine, loss) == []
    restarted = Engine()
    restarted.restore((c.rule.id, c.subject, c.at) for c in engine.raised())
    again.now += 15
    assert again.look(restarted, loss) == []
    assert {c.subject for c in restarted.raised()} == {subject for subject, _, _ in first}
    assert {(s, r) for s, _, r in again.look(restarted, rule("rtt_ms", 2))} == {(s, False) for s, _, _ in first}


def test_what_says_nothing_for_hours_is_forgotten_while_its_device_answers(town: World) -> None:
    rig, engine = Rig(town), Engine()
    rig.store.put(town.ids["ups"], NOW, [{"class": "temperature", "descr": "Battery", "value": 80}])
    hot = rule("temperature_celsius")
    assert [raised for _, _, raised in rig.look(engine, hot)] == [True]
    view = rig.view()
    assert engine.look(view, NOW + 3600) == []
    assert [c.forgotten for c in engine.look(view, NOW + 4 * 3600)] == [True]


def test_class_hours_are_the_calendars(town: World) -> None:
    rig, hours = Rig(town), ClassHours()
    assert hours(rig.plan, NOW) is None
    calendars = Calendars()
    hours.set(calendars)
    wednesday_ten = 1_795_572_000.0 - 1_795_572_000.0 % 86400 + 2 * 3600  # 10:00 in Shanghai, 2026-11-25
    midnight = wednesday_ten - 10 * 3600
    assert hours(rig.plan, wednesday_ten).tolist() == [True, True, True]  # type: ignore[union-attr]  # calendars are set
    assert hours(rig.plan, midnight).tolist() == [False, False, False]  # type: ignore[union-attr]  # likewise


def test_out_of_class_hours_nothing_is_raised(town: World) -> None:
    rig, engine = Rig(town), Engine()
    rig.loss[:] = 9.0
    lessons = rule("line_loss_percent", during="in_class")
    rig.rules = RuleRows([lessons])
    engine.follow(rig.plan, rig.subjects, rig.rules)
    nobody = np.zeros(len(rig.plan.schools), np.bool_)
    of_schools = {f"line:{town.ids[f'line{i}']}" for i in (1, 2, 3)}
    assert not {c.subject for c in engine.look(rig.view(), NOW, nobody)} & of_schools
    rig.now += 15
    assert {c.subject for c in engine.look(rig.view(), NOW, ~nobody)} >= of_schools


class Seen:
    """A bench without outages or windows."""

    def incident_key(self, node: str) -> str | None:
        return None

    def in_maintenance(self, node: str) -> bool:
        return node == "device:1"


def test_the_world_knows_ways_groups_and_who_is_out(town: World) -> None:
    rig, engine = Rig(town), Engine()
    rig.loss[:] = 1.0
    rig.look(engine, rule("line_loss_percent"), rule("port_down", 2))
    codes = rig.code, np.full(len(rig.plan.schools), UP, np.uint8)
    world = BenchWorld(rig.plan, rig.subjects, engine, Seen(), codes, lambda *_: "", Below(rig.plan))
    line, agg = f"line:{town.ids['line1']}", f"device:{town.ids['agg']}"
    assert world.ups(line) == (agg,)
    groups = [("upstream", agg), ("operator", "unicom"), ("region", str(town.ids["county"]))]
    assert world.groups(line, "line_loss_percent") == groups
    assert [world.group_size(group, "line_loss_percent") for group in groups] == [3, 2, 4]  # the trunk is in the county
    gateway = f"device:{town.ids['gw1']}"
    assert world.groups(gateway, "rtt_ms")[0] == ("upstream", agg)
    assert not world.is_out(line)
    rig.code[rig.node(gateway)] = DOWN
    assert world.is_out(line)
    assert world.is_out(gateway)
    assert not world.is_out(f"school:{town.ids['school1']}")
    assert world.in_maintenance("device:1")
    assert not world.is_there("line:999")
    port = f"port:{town.ids['agg']}:XGE1"
    assert port_text(port, "port_down") == "XGE1"
