"""Degraded beside the judge, on virtual time: what it writes of clusters, windows, outages and restarts. No process, no network."""

import os
from typing import Any

import numpy as np
import pytest
from collector_world import World

from collector.clock import SteadyClock
from collector.degraded.rules import RuleRow, RuleRows
from collector.degraded.sensors import SensorStore
from collector.degraded.watch import Watch
from collector.judging import Bench
from collector.ledger import Ledger, Row
from collector.live import Live
from collector.plan import Plan, build_plan
from collector.rounds.messages import ShardRound
from collector.shared import MISS, Shape, create
from collector.windows import WindowRow, WindowRows

START, EVERY, WINDOW = 1_790_000_000.0, 5.0, 72
LIMITS = (5.0, 2.0, 60, 120, 2, 2, 1)
LOSS = RuleRow(
    1, "loss", "线路丢包", "loss", "line_loss_percent", (), "", "", "", None, (), *LIMITS, "minor", "always", None
)


class Day:
    """A bench and its watch, fed with liveness rounds."""

    def __init__(
        self, world: World, now: float = START, memory: Row | None = None, keys: frozenset[str] = frozenset()
    ) -> None:
        self.world, self.now, self.tick = world, now, 0
        self.plan: Plan = build_plan(world.register)
        self.bench, self.live = Bench(Ledger(), "test"), Live(SteadyClock())
        self.watch = Watch(SensorStore(), EVERY)
        self.watch.restore(memory, set(keys))
        self.watch.set_rules(RuleRows([LOSS]))
        n = len(self.plan.targets)
        fd, self.columns = create(Shape(self.plan.version, n, 0, WINDOW))
        os.close(fd)
        self.live.plan, self.live.columns = self.plan, self.columns
        self.bench.follow(self.plan, now)
        self.watch.follow(self.bench)
        self.incidents: dict[str, Row] = {}
        self.notices: list[Row] = []
        self.states: dict[tuple[str, int], str] = {}
        self.memory: Row | None = memory

    def target(self, name: str) -> int:
        return int(self.plan.node_target[self.plan.node_index[f"device:{self.world.ids[name]}"]])

    def run(self, seconds: float, lossy: tuple[str, ...] = (), silent: tuple[str, ...] = ()) -> None:
        """Rounds in which every second ping of the lossy is lost, and the silent say nothing."""
        bad, gone = [self.target(name) for name in lossy], [self.target(name) for name in silent]
        for _ in range(int(seconds / EVERY)):
            self.now, self.tick = self.now + EVERY, self.tick + 1
            row = self.tick % WINDOW
            self.columns.ring_at[row], self.columns.ring[row], self.columns.ring_lost[row] = self.now, 0.01, 0
            self.columns.ring_lost[row, bad] = self.tick % 2
            self.columns.ring[row, gone], self.columns.ring_lost[row, gone] = MISS, 3
            for zone, shard, group in self.plan.groups():
                out = np.intersect1d(group, np.array(gone, np.int64))
                self.bench.take(
                    ShardRound(self.plan.version, zone, shard, self.tick, self.now - 1, self.now, EVERY, True, out)
                )
            self.bench.step(self.now)
            self.watch.look(self.bench, self.live, set(), self.now)
            self.bench.step(self.now)
            self._keep()

    def _keep(self) -> None:
        batch = self.bench.ledger.take(0)
        for key, row in batch.incidents.items():
            self.incidents[key] = {**self.incidents.get(key, {}), **row}
        self.notices += batch.notices
        self.states |= {key: str(row["state"]) for key, row in batch.node_states.items()}
        self.memory = batch.memory.get("degraded", self.memory)

    def said(self, kind: str = "degraded") -> list[tuple[str, str]]:
        """(event, key) of notices of incidents of a kind."""
        mine = [n for n in self.notices if self.incidents.get(n["incident_key"], {}).get("kind", kind) == kind]
        return [(n["event"], n["incident_key"]) for n in mine]

    def state(self, kind: str, name: str) -> Any:
        return self.states.get((kind, self.world.ids[name]))


@pytest.fixture
def schools(world: World) -> World:
    """Eight schools with a line of one carrier each."""
    for number in range(1, 9):
        world.school(number)
    with world.register.write() as session:
        session.connection().exec_driver_sql("UPDATE device SET first_seen = '2026-01-01 00:00:00.000000'")
    return world


GATEWAYS = tuple(f"gw{number}" for number in range(1, 9))


def test_lines_of_one_carrier_that_lose_together_are_one_incident_with_one_notice(schools: World) -> None:
    day = Day(schools)
    day.run(120)
    day.run(400, lossy=GATEWAYS[:6])
    assert [event for event, _ in day.said()] == ["opened"]
    (row,) = day.incidents.values()
    assert (row["kind"], row["root_id"], row["affected"], row["status"]) == ("degraded", None, 6, "open")
    assert row["cluster_by"] == "upstream", "of equals the nearest"
    assert {day.state("line", f"line{n}") for n in range(1, 7)} == {"degraded"}
    assert (day.state("school", "school1"), day.state("school", "school8")) == ("degraded", "up")
    day.run(900)
    assert [event for event, _ in day.said()] == ["opened", "resolved"]
    assert day.state("school", "school1") == day.state("line", "line1") == "up"


def test_a_window_of_work_holds_the_opening(schools: World) -> None:
    day = Day(schools)
    day.run(60)
    work = WindowRow("line", schools.ids["line1"], None, START, START + 1200)
    day.bench.set_windows(WindowRows([work]), day.now)
    day.run(900, lossy=("gw1",))
    assert day.said() == []
    day.run(400, lossy=("gw1",))
    assert [event for event, _ in day.said()] == ["opened"]


def test_what_hangs_under_an_outage_is_held_and_says_nothing_of_its_own(schools: World) -> None:
    day = Day(schools)
    day.run(60)
    day.run(300, lossy=("gw1",))
    assert [event for event, _ in day.said()] == ["opened"]
    day.run(600, silent=("agg", *GATEWAYS))
    assert [event for event, _ in day.said()] == ["opened"]
    assert [event for event, _ in day.said("outage")] == ["opened"]
    assert day.state("line", "line1") == "down"
    day.run(300, lossy=("gw1",))
    assert [event for event, _ in day.said()] == ["opened"], "it goes on as the same"
    assert day.state("line", "line1") == "degraded"
    day.run(1500, silent=("agg", *GATEWAYS))
    assert [event for event, _ in day.said()] == ["opened"]
    day.run(600, silent=("agg", *GATEWAYS))
    assert [event for event, _ in day.said()] == ["opened", "resolved"], "given up after half an hour"
    (key,) = {key for _, key in day.said()}
    assert day.incidents[key]["status"] == "merged"
    assert day.incidents[key]["merged_key"] in {key for _, key in day.said("outage")}


def test_a_restart_goes_on_and_an_incident_that_nobody_remembers_is_resolved(schools: World) -> None:
    day = Day(schools)
    day.run(60)
    day.run(300, lossy=("gw1",))
    (key,) = day.incidents
    again = Day(schools, day.now + 20, day.memory, frozenset({key, "degraded-device-9-1"}))
    again.run(200, lossy=("gw1",))
    assert again.said() == [("resolved", "degraded-device-9-1")]
    assert again.state("line", "line1") == "degraded"
    again.run(900)
    assert again.said()[1:] == [("resolved", key)]


def test_rules_that_are_switched_off_end_their_incidents(schools: World) -> None:
    day = Day(schools)
    day.run(60)
    day.run(300, lossy=("gw1",))
    day.watch.set_rules(RuleRows())
    day.run(30, lossy=("gw1",))
    assert [event for event, _ in day.said()] == ["opened", "resolved"]
    assert day.state("line", "line1") == "up"
