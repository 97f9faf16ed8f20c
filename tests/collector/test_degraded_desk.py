"""From raised rules to incidents: one for each cause, held, explained, clustered, reopened. Pure, on virtual time."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.degraded.cases import dump, load
from collector.degraded.desk import GATHER_S, HELD_S, LEAST_OF_CLUSTER, REOPEN_S, SETTLE_S, Desk, Outcome
from collector.degraded.engine import Change
from collector.degraded.rules import RuleRow

STEP = 5.0


def rule(number: int = 1, measure: str = "line_loss_percent", severity: str = "minor") -> RuleRow:
    limits = (5.0, 2.0, 60, 180, 2, 2, 1)
    return RuleRow(
        number, f"r{number}", "丢包", "loss", measure, (), "", "", "", None, (), *limits, severity, "always", None
    )


LOSS, HEAVY, RTT, HOT = rule(1), rule(2, severity="major"), rule(3, "line_rtt_ms"), rule(4, "temperature_celsius")


@dataclass
class Town:
    """A world by hand."""

    up: dict[str, tuple[str, ...]] = field(default_factory=dict)
    out: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    windows: set[str] = field(default_factory=set)
    outages: dict[str, str] = field(default_factory=dict)
    group: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    sizes: dict[tuple[str, str], int] = field(default_factory=dict)

    def is_there(self, node: str) -> bool:
        return node not in self.gone

    def is_out(self, node: str) -> bool:
        return node in self.out

    def outage_of(self, node: str) -> str | None:
        return self.outages.get(node)

    def in_maintenance(self, node: str) -> bool:
        return node in self.windows

    def ups(self, node: str) -> tuple[str, ...]:
        return self.up.get(node, ())

    def groups(self, node: str, measure: str) -> list[tuple[str, str]]:
        return self.group.get(node, [])

    def group_size(self, group: tuple[str, str], measure: str) -> int:
        return self.sizes.get(group, 0)

    def subject_text(self, subject: str, measure: str) -> str:
        return ""


class Story:
    """A desk and what it has said: (time, event, key, merged into)."""

    def __init__(self, town: Town | None = None) -> None:
        self.desk, self.town, self.now = Desk(), town or Town(), 1000.0
        self.said: list[tuple[float, str, str, str | None]] = []

    def step(self, *changes: Change) -> Outcome:
        out = self.desk.step(changes, self.town, self.now)
        self.said += [(self.now, *notice) for notice in out.notices]
        return out

    def turn(self, node: str, raised: bool, of: RuleRow = LOSS, subject: str = "") -> Outcome:
        return self.step(Change(of, subject or node, node, raised, 9.0, self.now))

    def wait(self, seconds: float) -> None:
        until, step = self.now + seconds, STEP if seconds <= 900 else 4 * STEP
        while self.now < until:
            self.now = min(self.now + step, until)
            self.step()

    def restart(self) -> None:
        memory = self.desk.snapshot()
        self.desk = Desk()
        self.desk.restore(memory)

    @property
    def events(self) -> list[str]:
        return [event for _, event, _, _ in self.said]


def test_one_cause_is_one_incident_however_many_measures() -> None:
    story = Story()
    for of in (LOSS, HEAVY, RTT):
        story.turn("line:1", True, of)
    story.wait(SETTLE_S + STEP)
    assert story.events == ["opened"]
    case = story.desk.cases["line:1"]
    assert (case.severity, len(case.wrong)) == ("major", 3)
    for of in (LOSS, HEAVY):
        story.turn("line:1", False, of)
    story.wait(60)
    assert story.events == ["opened"]
    story.turn("line:1", False, RTT)
    story.wait(60)
    assert story.events == ["opened", "resolved"]
    assert not story.desk.cases


def test_what_clears_before_it_is_opened_was_never_said() -> None:
    story = Story()
    story.turn("line:1", True)
    story.wait(SETTLE_S - STEP)
    story.turn("line:1", False)
    story.wait(300)
    assert story.said == []


def test_it_is_said_again_when_it_becomes_worse_but_not_when_it_becomes_better() -> None:
    story = Story()
    story.turn("line:1", True)
    story.wait(700)
    story.turn("line:1", True, HEAVY)
    story.wait(60)
    assert story.events == ["opened", "updated"]
    story.turn("line:1", False, HEAVY)
    story.wait(1200)
    assert story.events == ["opened", "updated"]


def test_what_hangs_under_a_bad_way_makes_no_incident_of_its_own() -> None:
    story = Story(Town(up={"line:2": ("device:1",), "device:1": ("line:1",)}))
    story.turn("line:1", True)
    story.turn("line:2", True)
    story.turn("device:9", True, HOT)
    story.wait(300)
    assert story.events == ["opened", "opened"]
    assert story.desk.members()[story.desk.key_of("line:1")] == ["line:1", "line:2"]
    assert story.desk.key_of("line:2") == story.desk.key_of("line:1")


def test_one_opened_before_is_merged_when_the_cause_above_is_found_and_comes_back_under_a_new_number() -> None:
    story = Story(Town(up={"line:2": ("line:1",)}))
    story.turn("line:2", True)
    story.wait(60)
    first = story.desk.key_of("line:2")
    story.turn("line:1", True)
    story.wait(120)
    root = story.desk.key_of("line:1")
    assert [(event, key, into) for _, event, key, into in story.said] == [
        ("opened", first, None),
        ("opened", root, None),
        ("resolved", first, root),
    ]
    story.turn("line:1", False)
    story.wait(SETTLE_S + 10)
    assert story.desk.key_of("line:2") not in ("", first, root)


def test_heat_below_a_bad_way_is_a_cause_of_its_own() -> None:
    story = Story(Town(up={"device:2": ("line:1",)}))
    story.turn("line:1", True)
    story.turn("device:2", True, HOT)
    story.wait(60)
    assert story.events == ["opened", "opened"]


def test_of_two_ways_both_must_be_bad() -> None:
    story = Story(Town(up={"device:2": ("line:1", "line:2")}))
    story.turn("line:1", True)
    story.turn("device:2", True, rule(5, "loss_percent"))
    story.wait(60)
    assert len(story.events) == 2


def test_what_is_out_is_not_judged_and_an_open_incident_is_held_then_merged_into_the_outage() -> None:
    story = Story(Town(outages={"line:1": "outage-7"}))
    story.turn("line:2", True)
    story.town.out = {"line:2"}
    story.wait(300)
    assert story.said == []
    story.turn("line:1", True)
    story.wait(60)
    key = story.desk.key_of("line:1")
    story.town.out = {"line:1", "line:2"}
    story.turn("line:1", False)
    story.wait(HELD_S - 60)
    assert story.events == ["opened"]
    story.wait(120)
    assert story.said[1][1:] == ("resolved", key, "outage-7")
    assert not story.desk.cases


def test_one_that_answers_again_before_it_was_given_up_goes_on() -> None:
    story = Story()
    story.turn("line:1", True)
    story.wait(60)
    story.town.out = {"line:1"}
    story.wait(600)
    story.town.out = set()
    story.wait(HELD_S)
    assert story.events == ["opened"]


def test_maintenance_holds_the_opening_but_not_the_end() -> None:
    story = Story(Town(windows={"line:1"}))
    story.turn("line:1", True)
    story.wait(3600)
    assert story.said == []
    story.town.windows = set()
    story.wait(STEP)
    assert story.events == ["opened"]
    story.town.windows = {"line:1"}
    story.turn("line:1", False)
    story.wait(60)
    assert story.events == ["opened", "resolved"]


def lines(n: int, by: str = "operator", value: str = "unicom") -> Town:
    town = Town(group={f"line:{i}": [(by, value)] for i in range(n)})
    town.sizes[by, value] = n
    return town


def test_many_of_one_carrier_are_one_incident_and_few_are_incidents_of_their_own() -> None:
    story = Story(lines(12))
    for i in range(5):
        story.turn(f"line:{i}", True)
        story.wait(10)
    story.wait(GATHER_S)
    assert story.events == ["opened"]
    cluster = next(iter(story.desk.clusters.values()))
    assert (cluster.by, cluster.value, len(cluster.members)) == ("operator", "unicom", 5)
    few = Story(lines(12))
    for i in range(LEAST_OF_CLUSTER - 1):
        few.turn(f"line:{i}", True)
    few.wait(GATHER_S + 60)
    assert few.events == ["opened"] * (LEAST_OF_CLUSTER - 1)
    thin = Story(lines(15))  # five of fifteen are no more than a third
    for i in range(5):
        thin.turn(f"line:{i}", True)
    thin.wait(GATHER_S + 60)
    assert thin.events == ["opened"] * 5


def test_a_cluster_takes_in_those_that_were_opened_and_those_that_follow_and_ends_with_the_last() -> None:
    story = Story(lines(12))
    story.turn("line:0", True)
    story.wait(60)
    assert story.events == ["opened"]
    for i in range(1, 8):
        story.turn(f"line:{i}", True)
    story.wait(60)
    assert story.events == ["opened", "opened", "resolved"]
    key = next(iter(story.desk.clusters))
    assert story.said[2][3] == key
    for i in range(7):
        story.turn(f"line:{i}", False)
    story.wait(300)
    assert story.events == ["opened", "opened", "resolved"]
    story.turn("line:7", False)
    story.wait(60)
    assert story.said[-1][1:] == ("resolved", key, None)
    assert not story.desk.cases


def test_one_cause_costs_at_most_five_notices_however_the_lines_follow_each_other() -> None:
    story = Story(lines(300))
    for i in range(200):
        story.turn(f"line:{i}", True)
        story.now += 0.5
    story.wait(GATHER_S)
    for i in range(200):
        story.turn(f"line:{i}", False)
    story.wait(600)
    assert len(story.said) <= 5
    assert story.events[-1] == "resolved"


def test_flapping_costs_a_handful_of_notices() -> None:
    story = Story()
    for _ in range(48):  # 8 hours: bad for 5 minutes, good for 5
        story.turn("line:1", True)
        story.wait(300)
        story.turn("line:1", False)
        story.wait(300)
    assert len(story.said) <= 8
    assert len({key for _, _, key, _ in story.said}) == 1
    story.wait(4 * 3600)
    assert story.events[-1] == "resolved"


def test_long_after_it_was_resolved_it_is_another_incident() -> None:
    story = Story()
    keys = []
    for _ in range(2):
        story.turn("line:1", True)
        story.wait(60)
        keys.append(story.desk.key_of("line:1"))
        story.turn("line:1", False)
        story.wait(REOPEN_S + 60)
    assert keys[0] != keys[1]
    assert story.events == ["opened", "resolved"] * 2


def test_what_no_rule_looks_at_any_more_is_wrong_no_more() -> None:
    story = Story()
    story.turn("line:1", True)
    story.turn("line:1", True, RTT)
    story.turn("line:2", True)
    story.wait(60)
    story.restart()
    story.desk.reconcile({(LOSS.id, "line:1")}, [Change(LOSS, "line:2", "line:2", False, 0.0, story.now)], story.now)
    story.wait(60)
    assert [event for event in story.events if event == "resolved"] == []
    assert list(story.desk.cases["line:1"].wrong) == [(LOSS.id, "line:1")]
    story.desk.reconcile(set(), [], story.now)
    story.wait(60)
    assert story.events == ["opened", "opened", "resolved", "resolved"]


def test_one_that_is_gone_from_the_register_is_resolved() -> None:
    story = Story()
    story.turn("line:1", True)
    story.wait(60)
    story.town.gone = {"line:1"}
    story.wait(STEP)
    assert story.events == ["opened", "resolved"]


operations = st.one_of(
    st.tuples(st.just("turn"), st.integers(0, 7), st.sampled_from([LOSS, HEAVY, HOT]), st.booleans()),
    st.tuples(st.just("out"), st.integers(0, 7), st.none(), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([5, 40, 130, 2000]), st.none(), st.none()),
    st.tuples(st.just("restart"), st.none(), st.none(), st.none()),
)


@pytest.mark.parametrize("restarts", [True, False])
@settings(deadline=None, max_examples=60)
@given(script=st.lists(operations, max_size=40))
def test_whatever_happens_notices_pair_up_and_all_ends(restarts: bool, script: list[Any]) -> None:
    """Each opened has one resolved; nothing is opened twice; when all is good again nothing is left; a restart changes nothing."""
    town = lines(8)
    town.up = {"line:6": ("line:7",)}
    story = Story(town)
    wrong: set[tuple[str, int]] = set()
    for what, number, of, yes in script:
        node = f"line:{number}"
        if what == "turn" and yes != ((node, of.id) in wrong):
            wrong ^= {(node, of.id)}
            story.turn(node, yes, of)
        elif what == "out":
            town.out = town.out | {node} if yes else town.out - {node}
        elif what == "wait":
            story.wait(number)
        elif what == "restart" and restarts:
            assert load(dump(story.desk.cases, story.desk.clusters, story.desk.past))[0] == story.desk.cases
            story.restart()
    town.out = set()
    for node, number in sorted(wrong):
        story.turn(node, False, {1: LOSS, 2: HEAVY, 4: HOT}[number])
    for _ in range(400):
        story.now += 60.0
        story.step()
    open_: set[str] = set()
    ended: set[str] = set()
    for _, event, key, into in story.said:
        assert (event in ("opened", "reopened")) == (key not in open_)
        assert key not in ended
        if event == "resolved":
            open_.discard(key)
            ended |= {key} if into is not None else set()
        else:
            open_.add(key)
    assert not open_
    assert not story.desk.cases
    assert not story.desk.clusters
