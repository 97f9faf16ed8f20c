"""Verdicts in the log: of an incident and its outages, told again afterwards, never over a person's word, and not lost by a restart."""

from typing import Any

import numpy as np
import pytest
from collector_world import World
from sqlmodel import select

from collector.causes.live import read_cause_rules
from collector.judging import Bench
from collector.ledger import Ledger
from collector.plan import build_plan
from collector.recovery import recover
from collector.rounds.messages import ShardRound
from collector.writer import write_batch
from inventory.database import raise_version
from inventory.models import CauseRule, DeviceKind, Incident, Line, NodeKind, Outage, Watch, utcnow

BEGIN = 1_800_000_000.0


class Desk:
    """A bench on a world, on virtual time, whose ledger is written at once."""

    def __init__(self, world: World) -> None:
        self.world, self.ledger = world, Ledger()
        self.bench = Bench(self.ledger, "c1")
        found = recover(world.register)
        self.bench.restore(
            found.memory, found.nodes, found.schools, found.open_outages, None, found.open_agents, found.causes
        )
        self.ids = dict(found.incident_ids)
        self.plan = build_plan(world.register)
        self.bench.follow(self.plan, BEGIN)
        self.bench.set_cause_rules(read_cause_rules(world.register))

    def rounds(self, start: int, end: int, silent: set[str], facts: dict[str, dict[str, Any]] | None = None) -> None:
        """Liveness rounds of all, every 5 s from `start` to before `end`, with what was read at the first."""
        targets = {self.plan.devices[d].name: i for i, d in enumerate(self.plan.targets.device_id.tolist())}
        for t in range(start, end, 5):
            told = {targets[name]: fact for name, fact in (facts or {}).items()} if t == start else {}
            quiet = np.array(sorted(targets[name] for name in silent), np.int64)
            at = BEGIN + t
            self.bench.take(ShardRound(self.plan.version, 0, 0, t // 5, at - 1, at, 5.0, True, quiet, facts=told))
            self.bench.step(at)
            self.write()

    def write(self) -> None:
        """Everything that is pending goes to the register."""
        batch = self.ledger.take(0.0)
        if len(batch):
            with self.world.register.write() as session:
                write_batch(session, batch, self.ids)

    def incident(self) -> Incident:
        """The only one."""
        with self.world.register.session() as session:
            return session.exec(select(Incident)).one()

    def outages(self) -> dict[tuple[NodeKind, int], Outage]:
        """All, by node."""
        with self.world.register.session() as session:
            return {(row.kind, row.node_id): row for row in session.exec(select(Outage))}


@pytest.fixture
def cut(world: World) -> Desk:
    """A school whose gateway has been silent for a minute and a half, and is back since 30 s."""
    world.school(1)
    desk = Desk(world)
    desk.rounds(0, 60, set())
    desk.rounds(60, 150, {"gw1"})
    return desk


def test_what_the_device_says_afterwards_changes_the_verdict_of_incident_and_outages(world: World, cut: Desk) -> None:
    assert cut.incident().cause == "undetermined"
    cut.rounds(150, 300, set())
    assert cut.incident().status == "resolved"
    trap = {"gw1": {"sysUpTime": 500}}
    cut.rounds(300, 310, set(), trap)
    incident = cut.incident()
    assert [piece["kind"] for piece in incident.cause_evidence] == ["restarted"]
    assert incident.cause_evidence[0]["data"]["name"] == "gw1"
    assert (incident.cause, incident.cause_confidence) == ("undetermined", 0.45)


def test_a_ups_on_battery_before_makes_it_power_for_the_schools_outage_too(world: World, cut: Desk) -> None:
    gateway = world.ids["gw1"]
    cut.bench.causes.scene.take_trap(BEGIN + 40, f"device:{gateway}", "upsTrapOnBattery")
    cut.rounds(150, 300, set())
    incident = cut.incident()
    assert (incident.cause, incident.cause_rule, incident.accountable) == ("power", "power", "power")
    outages = cut.outages()
    for node in ((NodeKind.device, gateway), (NodeKind.school, world.ids["school1"])):
        assert (outages[node].cause, outages[node].accountable) == ("power", "power")
        assert outages[node].until_at is not None


def test_a_persons_word_is_not_written_over(world: World, cut: Desk) -> None:
    with world.register.write() as session:
        for row in [*session.exec(select(Outage)), session.exec(select(Incident)).one()]:
            row.cause, row.accountable, row.corrected_at = "line", "carrier", utcnow()
            session.add(row)
    cut.bench.causes.scene.take_trap(BEGIN + 40, f"device:{world.ids['gw1']}", "upsTrapOnBattery")
    cut.rounds(150, 300, set())
    incident = cut.incident()
    assert (incident.cause, incident.accountable) == ("line", "carrier")
    assert [piece["kind"] for piece in incident.cause_evidence] == ["ups_on_battery"]
    assert {(row.cause, row.accountable) for row in cut.outages().values()} == {("line", "carrier")}


def test_evidence_outlives_a_restart_of_the_collector(world: World, cut: Desk) -> None:
    cut.bench.causes.scene.take_trap(BEGIN + 40, f"device:{world.ids['gw1']}", "upsTrapOnBattery")
    cut.rounds(150, 160, {"gw1"})
    assert cut.incident().cause == "power"
    with world.register.write() as session:
        raise_version(session)
    again = Desk(world)
    again.rounds(160, 250, {"gw1"})
    again.rounds(250, 400, set())
    assert (again.incident().cause, again.incident().status) == ("power", "resolved")


def test_an_approval_counts_for_what_is_open_and_its_withdrawal_too(world: World, cut: Desk) -> None:
    def allow(approved: bool) -> None:
        with world.register.write() as session:
            rule = session.exec(select(CauseRule).where(CauseRule.name == "power")).one()
            rule.approved = approved
            session.add(rule)
        cut.bench.set_cause_rules(read_cause_rules(world.register))

    allow(False)
    cut.bench.causes.scene.take_trap(BEGIN + 40, f"device:{world.ids['gw1']}", "upsTrapOnBattery")
    cut.rounds(150, 160, {"gw1"})
    assert (cut.incident().cause, cut.incident().accountable) == ("power", "")
    allow(True)
    cut.rounds(160, 170, {"gw1"})
    assert cut.incident().accountable == "power"
    allow(False)
    cut.rounds(170, 180, {"gw1"})
    assert cut.incident().accountable == ""


def test_a_restart_by_the_counters_end_is_none() -> None:
    from collector.causes import Scene
    from collector.judge.values import Node

    scene = Scene()
    scene.set_topology([Node("g", ())])
    scene.take_facts("g", {"sysUpTime": 2**32 - 6000}, 100.0)
    scene.take_facts("g", {"sysUpTime": 500}, 165.0)
    assert scene.uptimes["g"].wrapped
    scene.take_facts("g", {"sysUpTime": 700}, 1000.0)
    assert not scene.uptimes["g"].wrapped


def test_what_a_ups_says_of_its_battery_is_evidence_as_it_was_read(world: World) -> None:
    from collector.degraded.rules import read_rules
    from collector.degraded.sensors import SensorStore
    from collector.degraded.subjects import subjects_of

    world.school(1)
    ups = world.device("ups1", DeviceKind.ups, world.ids["site1"], "3.1", watch=Watch.icmp)
    desk, sensors = Desk(world), SensorStore()
    sensors.follow(desk.plan, subjects_of(desk.plan, set()), read_rules(world.register))
    desk.rounds(0, 60, set())
    for at, state in ((BEGIN + 10, "on line"), (BEGIN + 50, "on battery")):
        reading = [
            {"class": "charge", "descr": "Battery Charge", "value": 80},
            {"class": "state", "descr": "Output", "state": state, "value": 2},
        ]
        sensors.put(ups, at, reading)
        desk.bench.take_power(sensors)
    desk.rounds(60, 150, {"gw1", "ups1"})
    incident = desk.incident()
    assert (incident.cause, incident.cause_evidence[0]["kind"]) == ("power", "ups_on_battery")
    assert incident.cause_evidence[0]["data"]["name"] == "ups1"


def test_a_schools_last_answer_from_before_the_cut_is_no_other_way(world: World) -> None:
    """The port is read down before the next round has asked the gateway behind it."""
    world.school(1)
    with world.register.write() as session:
        line = session.get_one(Line, world.ids["line1"])
        line.far_device_id, line.far_port, line.end_device_id, line.end_port = world.ids["agg"], "GE1", None, None
        session.add(line)
        raise_version(session)
    desk = Desk(world)
    desk.rounds(0, 60, set())
    desk.rounds(60, 65, set(), {"agg": {"ports": {"GE1": "down"}}})
    desk.rounds(65, 200, {"gw1"})
    incident = desk.incident()
    assert (incident.root_kind, incident.root_id) == (NodeKind.line, world.ids["line1"])
    assert (incident.cause, [piece["kind"] for piece in incident.cause_evidence]) == ("undetermined", ["far_port_down"])
