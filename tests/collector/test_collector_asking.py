"""How devices are asked, by model: from the register's rules to the poller, and what the poller has learnt back to people and metrics."""

import importlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from collector_world import World

from collector.asking import AskingRow, askings_of, count_by_model
from collector.clock import SteadyClock
from collector.live import Live
from collector.plan import Plan, build_plan
from collector.rounds.process import RoundsProcess, _Current
from collector.rounds.reading import Readings, inherit, snmp_targets
from collector.rounds.store import Store
from collector.rows import DeviceRow
from collector.targets import Targets
from inventory.models import AskingRule, DeviceKind, Watch
from probes.snmp.pace import Asking

NO_RULE = AskingRow("", "*", "*", "", None, None, None, "", None, None, None, None, None)


def device(vendor: str = "", model: str = "", sys_object_id: str = "") -> DeviceRow:
    return DeviceRow(1, "d", "switch", 1, vendor, model, "active", "any", "", 161, None, sys_object_id)


def settings_of(rules: list[AskingRow], **traits: str) -> Asking:
    askings, _, which = askings_of(rules, [device(**traits)])
    return askings[int(which[0])]


def test_each_setting_comes_from_the_first_rule_that_fits_and_names_it() -> None:
    rules = [
        NO_RULE._replace(name="old cameras", vendor="hik*", model="ds-2cd?", bulk=False, pause_ms=200),
        NO_RULE._replace(name="hikvision", vendor="HIK*", pause_ms=50, columns_off="ifInDiscards,ifOutDiscards"),
        NO_RULE._replace(name="budget", budget_requests=30, budget_seconds=2.5, budget_kilobytes=64, every_rounds=5),
    ]
    old = settings_of(rules, vendor="Hikvision", model="DS-2CD3")
    assert (old.bulk, old.pause_s, old.columns_off) == (False, 0.2, ("ifInDiscards", "ifOutDiscards"))
    assert (old.budget_requests, old.budget_s, old.budget_bytes, old.every_rounds) == (30, 2.5, 65_536, 5)
    assert settings_of(rules, vendor="hikvision", model="DS-2CD30").pause_s == 0.05
    assert settings_of(rules[:2], vendor="H3C") == Asking()
    assert settings_of([], vendor="H3C") == Asking()


@pytest.mark.parametrize(
    ("rule", "traits", "fits"),
    [
        ({"sys_object_id": "1.3.6.1.4.1.2011.2"}, {"sys_object_id": "1.3.6.1.4.1.2011.2.23"}, True),
        ({"sys_object_id": "1.3.6.1.4.1.2011.2"}, {"sys_object_id": ".1.3.6.1.4.1.2011.2"}, True),
        ({"sys_object_id": "1.3.6.1.4.1.2011.2"}, {"sys_object_id": "1.3.6.1.4.1.2011.23"}, False),
        ({"model": "S5735[48]"}, {"model": "s5735[48]"}, True),
        ({"model": "S5735[48]"}, {"model": "S57354"}, False),
        ({"vendor": "?3C"}, {"vendor": "h3c"}, True),
    ],
)
def test_rules_fit_by_patterns_and_by_the_beginning_of_sysobjectid(
    rule: dict[str, str], traits: dict[str, str], fits: bool
) -> None:
    found = settings_of([NO_RULE._replace(pause_ms=1000, **rule)], **traits)
    assert (found.pause_s == 1.0) is fits


def test_models_share_their_settings() -> None:
    askings, names, which = askings_of(
        [NO_RULE._replace(name="r", vendor="a", pause_ms=1)], [device("a", "x"), device("b"), device("A", "y")]
    )
    assert which.tolist() == [1, 0, 1]
    assert names == ((), ("r",))
    assert len(askings) == 2


class Rig:
    """Readings of one plan with the store and the judge's view of it, in one process."""

    def __init__(self, world: World) -> None:
        self.plan: Plan = build_plan(world.register)
        self.live = Live(SteadyClock())
        self.live.plan = self.plan
        self.store = Store(4, self._attach)
        self.store.follow(self.plan.targets)
        snmp = snmp_targets(self.plan.targets)
        assert snmp is not None
        self.readings = Readings(self.plan.targets, snmp, self.store)

    def _attach(self, _shape: object, fd: int) -> None:
        self.live.attach(fd)
        os.close(fd)


def toy_agent():  # type: ignore[no-untyped-def]
    """tests/probes/toy_agent.py, whose folder is not on the path of these tests."""
    sys.path.append(str(Path(__file__).parents[1] / "probes"))
    try:
        return importlib.import_module("toy_agent")
    finally:
        sys.path.pop()


def test_what_a_device_can_answer_is_told_and_counted_by_model(world: World) -> None:
    toys = toy_agent()
    world.credential("public")
    world.add(AskingRule(name="weak ones", vendor="acme*", budget_requests=40, columns_off="ifInErrors"))
    world.add(AskingRule(name="not in force", vendor="acme*", position=1, enabled=False, pause_ms=5000))
    with toys.ToyAgent(toys.if_table([1, 2, 3, 4, 5, 6]), host=world.ip("3.1"), most=25) as agent:
        site = world.ids["pop"]
        number = world.device(
            "weak", DeviceKind.switch, site, "3.1", vendor="ACME", model="W1", watch=Watch.snmp, snmp_port=agent.port
        )
        rig = Rig(world)
        rig.readings.round(rig.live.clock.now)
    told = rig.live.device(number)
    assert told is not None
    asking = told["asking"]
    assert asking["rules"] == ["weak ones"]
    assert asking["settings"]["budget_requests"] == 40
    assert asking["rows_in_an_answer"] < 4
    assert asking["dialect"] == "getbulk"
    assert asking["backed_off"] == 0
    assert asking["rtt_seconds"] > 0
    assert asking["requests"] == len(agent.requests)
    assert told["ports"][0]["ifInErrors"] is None
    assert told["ports"][0]["ifOutErrors"] is not None
    assert rig.live.columns is not None
    assert count_by_model(rig.plan, rig.live.columns) == {("ACME", "W1", "small_answers"): 1.0}


def test_what_was_learnt_outlives_a_new_plan(world: World) -> None:
    world.credential("public")
    site = world.ids["pop"]
    for last in ("3.1", "3.2"):
        world.device(f"d{last}", DeviceKind.switch, site, last, watch=Watch.snmp)
    before = Rig(world)
    where = before.plan.targets.device_id.tolist().index(world.ids["d3.2"])
    before.readings.snmp.pace.level[where] = 3
    world.device("first", DeviceKind.core, site, "1.9", watch=Watch.snmp)
    after = Rig(world)
    inherit(after.readings.snmp, after.plan.targets, before.readings.snmp, before.plan.targets)
    levels = dict(zip(after.plan.targets.device_id.tolist(), after.readings.snmp.pace.level.tolist(), strict=True))
    assert levels[world.ids["d3.2"]] == 3
    assert sum(levels.values()) == 3


def test_models_that_are_read_less_often_are_asked_in_their_rounds_only() -> None:
    n = 12
    zero = np.zeros(n, np.int32)
    targets = Targets(
        1,
        np.arange(n),
        [f"127.0.0.{i + 1}" for i in range(n)],
        zero,
        zero,
        zero.astype(np.uint8),
        zero + 161,
        zero,
        credentials=(importlib.import_module("probes.snmp.credential").Credential(),),
        askings=(Asking(), Asking(every_rounds=3)),
        asking_of=np.array([0, 1] * 6, np.int32),
    )
    snmp = snmp_targets(targets)
    assert snmp is not None
    everyone = np.arange(n)
    asked = [set(snmp.pace.due(everyone, number).tolist()) for number in range(6)]
    assert all(set(range(0, n, 2)) <= chosen for chosen in asked)
    assert all(sum(target in chosen for chosen in asked) == 2 for target in range(1, n, 2))


def test_what_a_round_learnt_goes_to_a_plan_that_came_while_it_ran(world: World) -> None:
    world.credential("public")
    world.device("switch", DeviceKind.switch, world.ids["pop"], "3.1", watch=Watch.snmp)
    before, after = Rig(world), Rig(world)
    where = before.plan.targets.device_id.tolist().index(world.ids["switch"])

    def current(rig: Rig) -> _Current:
        return _Current(rig.plan.targets, None, rig.readings, [], 0.0)  # type: ignore[arg-type]

    process = RoundsProcess.__new__(RoundsProcess)
    old, process._current = current(before), current(after)
    before.readings.snmp.pace.level[where] = 2
    process._pass_on(old, before.readings)
    assert after.readings.snmp.pace.level[where] == 2
    before.readings.snmp.pace.level[where] = 3
    process._current = old
    process._pass_on(old, before.readings)
    assert after.readings.snmp.pace.level[where] == 2
