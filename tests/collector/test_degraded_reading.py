"""Sensors that are read more often: whose, how often, with how few requests; against agents whose values change."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from collector_world import World

from collector.clock import SteadyClock
from collector.degraded import reading
from collector.degraded.reading import SensorReader
from collector.degraded.rules import RuleRow
from collector.degraded.sensors import SensorStore
from collector.degraded.subjects import subjects_of
from collector.live import Live
from collector.plan import build_plan
from collector.shared import BY_SNMP, Shape, create
from inventory.models import DeviceKind, Measure, Watch

sys.path.insert(0, str(Path(__file__).parents[1] / "probes"))
from toy_agent import ToyAgent, number, oid

SOURCE, CHARGE, HOT = "1.3.6.1.2.1.33.1.4.1.0", "1.3.6.1.2.1.33.1.2.4.0", "1.3.6.1.2.1.33.1.2.7.0"


def rule(number_: int, measure: Measure) -> RuleRow:
    limits = (1.0, 0.0, 0, 0, 1, 1, 1)
    return RuleRow(
        number_, measure, "x", "x", measure, ("ups", "switch"), "", "", "", None, (), *limits, "warning", "always", None
    )


class Rig:
    """One agent, registered as a UPS and as a switch, and a reader on a plan of both."""

    def __init__(self, world: World) -> None:
        table = {
            oid("1.3.6.1.2.1.1.1.0"): (4, b"toy"),
            oid("1.3.6.1.2.1.1.2.0"): (6, bytes.fromhex("2b0601040101")),
            oid("1.3.6.1.2.1.1.3.0"): number(0x43, 100_000),
            oid("1.3.6.1.2.1.33.1.2.1.0"): number(2, 2),
            oid(CHARGE): number(2, 100),
            oid(HOT): number(2, 30),
            oid(SOURCE): number(2, 3),
        }
        self.agent = ToyAgent(table, host=world.ip("3.1"))
        port = self.agent.port
        world.credential("public")
        self.ups = world.device("ups", DeviceKind.ups, world.ids["pop"], "3.1", watch=Watch.snmp, snmp_port=port)
        self.switch = world.device("sw", DeviceKind.switch, world.ids["pop"], "3.2", watch=Watch.snmp, snmp_port=port)
        plan = build_plan(world.register)
        self.live, self.store = Live(SteadyClock()), SensorStore()
        fd, columns = create(Shape(plan.version, len(plan.targets), 0, 4))
        os.close(fd)
        columns.answered[:] = BY_SNMP
        self.live.plan, self.live.columns, self.plan = plan, columns, plan
        measures = (Measure.ups_on_battery, Measure.temperature_celsius)
        self.store.follow(plan, subjects_of(plan, ()), [rule(i, m) for i, m in enumerate(measures)])
        self.reader = SensorReader(self.live, self.store, 6000, 0.001)

    def value(self, measure: Measure, device: int) -> float:
        values, _ = self.store.readings(self.plan)[measure]
        return float(values[np.flatnonzero(self.plan.targets.device_id == device)[0]])


@pytest.fixture
def rig(world: World) -> Iterator[Rig]:
    made = Rig(world)
    with made.agent:
        yield made


def test_after_the_first_reading_one_request_brings_what_rules_wait_for(rig: Rig) -> None:
    rig.reader.run_some(1.0)
    assert (rig.value(Measure.ups_on_battery, rig.ups), rig.value(Measure.temperature_celsius, rig.ups)) == (0, 30)
    learned = len(rig.agent.requests)
    rig.agent.table[oid(SOURCE)] = number(2, 5)
    rig.agent.table[oid(HOT)] = number(2, 44)
    rig.reader.run_some(1.0)
    assert (rig.value(Measure.ups_on_battery, rig.ups), rig.value(Measure.temperature_celsius, rig.ups)) == (1, 44)
    assert len(rig.agent.requests) == learned + 1
    assert learned > 5


def test_other_kinds_are_read_when_something_was_bad(rig: Rig) -> None:
    rig.reader.run_some(1.0)
    assert np.isnan(rig.value(Measure.temperature_celsius, rig.switch))
    assert rig.reader.readings == 1
    rig.store.restless = frozenset({rig.switch})
    rig.reader.run_some(1.0)
    assert rig.reader.readings + rig.reader.failures == 3, "the switch has no agent at its address, but it is asked"


def test_what_answers_no_more_is_learned_anew(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BUDGET_S", 1.0)
    rig.reader.run_some(1.0)
    rig.agent.table.clear()
    rig.agent.names.clear()
    rig.reader.run_some(1.0)
    assert np.isnan(rig.value(Measure.ups_on_battery, rig.ups)) or rig.reader.failures


def test_no_more_than_the_pace_allows(rig: Rig) -> None:
    rig.store.restless = frozenset({rig.switch})
    slow = SensorReader(rig.live, rig.store, 60, 0.001)
    slow.run_some(1.0)
    assert slow.readings + slow.failures == 1
    none = SensorReader(rig.live, rig.store, 0, 0.001)
    none.run_some(1.0)
    assert none.readings + none.failures == 0
