"""What a vantage point may say, and what the judge is told of it: pure, without clocks."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.judge import Judge, Node
from collector.report import RoundReport
from collector.rounds.messages import ShardRound
from collector.spans import down_runs
from collector.vantage.backlog import BODY_BYTES, Backlog, Line, Offset
from collector.vantage.link import check_url
from collector.vantage.merging import Merging
from collector.vantage.part import Part, Shard, WrongPartError, named, read_part, targets_of
from collector.vantage.words import LATE_S, MOST_REPORTS, Hearsay, WrongBundleError, bundle_line, read_bundle

IDS = tuple(f"device:{n}" for n in range(1, 5))
SHARD = Shard("edu", 0, IDS, tuple(f"10.0.0.{n}" for n in range(1, 5)), (0, 2, 2, 3), {3: ((443, 80), True)})
PART = named(Part((SHARD, Shard("lab", 0, ("device:9",), ("10.9.0.1",), (2,))), ("10.0.0.254",), 5.0))
NOW = 5 * 1000 + 3.0


def report(tick: int = 1000, silent: tuple[str, ...] = (), **more: object) -> RoundReport:
    line = RoundReport(t=5.0 * tick + 2, asked="all", silent=silent, collector="v", zone="edu", tick=tick)
    return replace(line, **more)


def read(line: object, now: float = NOW, **bundle: object) -> tuple[tuple[Hearsay, ...], dict[str, int]]:
    found = read_bundle({"version": 1, "reports": [line], **bundle}, "datong", {PART.name: PART}, now)
    return found.reports, dict(found.refused)


def line(**changes: object) -> dict[str, object]:
    return {**bundle_line(PART.name, report(silent=IDS[:1])), **changes}


def test_a_part_goes_over_the_wire_and_is_what_the_rounds_ask() -> None:
    there = read_part(json.loads(json.dumps(PART.as_value())))
    assert there == PART
    targets = targets_of(there)
    assert targets.address == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.9.0.1"]
    assert (targets.zone.tolist(), targets.watch.tolist()) == ([0, 0, 0, 0, 1], [0, 2, 2, 3, 2])
    assert targets.tcp == {3: ((443, 80), True)}
    assert [zone.references for zone in targets.zones] == [("10.0.0.254",)] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"every": 0.01},
        {"references": ["evil.example"]},
        {"shards": [{"zone": "z", "shard": 0, "ids": ["a"], "addresses": ["name.example"], "watch": [0]}]},
        {"shards": [{"zone": "z", "shard": 0, "ids": ["a", "a"], "addresses": ["10.0.0.1"] * 2, "watch": [0, 0]}]},
        {"shards": [{"zone": "z", "shard": 0, "ids": ["a"], "addresses": ["10.0.0.1"], "watch": [0], "tcp": [[5, [1], True]]}]},
        {"shards": None},
    ],
)  # fmt: skip
def test_an_answer_that_is_no_part_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(WrongPartError):
        read_part(PART.as_value() | changes)


def test_a_report_is_taken_under_the_name_of_its_token() -> None:
    (said,), refused = read(line(collector="somebody else"))
    assert (said.report.collector, said.report.silent, said.asked, refused) == ("datong", [IDS[0]], None, {})
    (some,), _ = read(line(asked=list(IDS[:2])))
    assert some.asked == IDS[:2]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"silent": ["device:99"]}, "target"),
        ({"asked": ["device:9"], "silent": []}, "target"),  # of another zone's shard
        ({"asked": [IDS[1]]}, "target"),  # silent, but not asked
        ({"zone": "city"}, "zone"),
        ({"shard": 7}, "zone"),
        ({"part": "0123456789abcdef"}, "part"),
        ({"every": 10}, "part"),
        ({"t": NOW + 60}, "clock"),
        ({"tick": 5}, "clock"),
        ({"t": 5002 - LATE_S - 5, "tick": 1000 - int(LATE_S / 5) - 1}, "late"),
        ({"t": float("nan")}, "form"),
        ({"tick": 10**400}, "form"),
        ({"tick": None}, "form"),
        ({"silent": "device:1"}, "form"),
        ({"silent": [[]]}, "form"),
        ({"asked": "all"}, "form"),
        ({"kind": "topology"}, "form"),
        ({"self_ok": "yes"}, "form"),
    ],
)
def test_what_a_tokens_holder_may_not_say_is_refused_by_its_line(changes: dict[str, object], why: str) -> None:
    assert read(line(**changes)) == ((), {why: 1})


@pytest.mark.parametrize(
    "value", [[], {"version": 2, "reports": []}, {"version": 1, "reports": [{}] * (MOST_REPORTS + 1)}]
)
def test_what_is_no_bundle_is_refused_whole(value: object) -> None:
    with pytest.raises(WrongBundleError):
        read_bundle(value, "v", {}, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["round", "edu", PART.name, *IDS]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(line())), inner, max_size=8),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(JSON, st.sampled_from(sorted(line())))
def test_no_line_whatever_stands_in_it_is_an_error_of_ours(value: object, key: str) -> None:
    for wrong in (value, line(**{key: value})):
        taken, refused = read(wrong, detail=value)
        assert len(taken) + sum(refused.values()) == 1


def tell(merging: Merging, said: RoundReport, number: int = 1, now: float = NOW) -> RoundReport | None:
    return merging.take(number, Hearsay(PART.name, said), IDS, now)


def blind(tick: int) -> ShardRound:
    none = np.zeros(0, np.int64)
    return ShardRound(1, 0, 0, tick, 5.0 * tick, 5.0 * tick + 4, 5.0, False, none, reason="blind")


def test_a_blind_word_of_a_vantage_point_is_never_told_and_the_same_word_once() -> None:
    merging = Merging()
    assert tell(merging, report(self_ok=False)) is None
    assert merging.speaking("edu", NOW, 5.0) == []
    assert tell(merging, report(1001)) is not None
    assert tell(merging, report(1001)) is None
    assert merging.speaking("edu", NOW, 5.0) == [1]
    assert merging.speaking("edu", NOW + 60, 5.0) == []


def test_silence_counts_only_of_what_a_vantage_point_has_heard_before() -> None:
    merging = Merging()
    first = tell(merging, report(1000, (IDS[0], IDS[1])))
    assert first is not None
    assert (first.asked, first.silent) == (IDS[2:], [])
    tell(merging, report(1001, (IDS[1],)))
    later = tell(merging, report(1002, (IDS[0], IDS[1], IDS[2])))
    assert later is not None
    assert (later.asked, later.silent) == ((IDS[0], *IDS[2:]), [IDS[0], IDS[2]])
    again = tell(merging, report(1003, (IDS[1],)))
    assert again is not None
    assert again.asked is later.asked  # the judge knows it by that
    merging.follow([])
    assert tell(merging, report(1004, IDS)) is None  # another row: it has heard nothing yet


def test_a_blind_round_of_our_own_waits_for_who_still_sees_and_no_longer() -> None:
    merging = Merging()
    assert not merging.hold(blind(1000), "edu", NOW)  # nobody else
    tell(merging, report(1000))
    assert not merging.hold(blind(1000), "edu", NOW)  # it has spoken of this tick
    assert merging.hold(blind(1001), "edu", NOW + 5)
    assert merging.due(NOW + 6) == []
    tell(merging, report(1001))
    assert [message.tick for message in merging.due(NOW + 6)] == [1001]
    assert merging.hold(blind(1002), "edu", NOW + 10)
    assert [message.tick for message in merging.due(NOW + 15)] == [1002]
    assert merging.seen_by("edu", 0, 1001) == (1,)
    assert merging.seen_by("edu", 0, 1002) == ()
    assert not merging.hold(replace(blind(1003), self_ok=True), "edu", NOW + 15)


def test_the_judge_hears_one_round_of_both_and_a_late_answer_takes_the_silence_back() -> None:
    judge, merging = Judge(), Merging()
    judge.set_topology(0, [Node(node, up=()) for node in IDS])
    tell(merging, report(999))
    for tick in range(1000, 1004):
        judge.take_round(replace(report(tick, IDS[:1]), asked=IDS, collector="own"))
    for tick in range(1000, 1004):  # the link to the monitor was down; the vantage point saw it all the time
        told = tell(merging, report(tick, t=5.0 * tick + 3))
        assert told is not None
        judge.take_round(told)
    assert judge.advance(5.0 * 1003 + 200) == []
    assert judge.summary()["down_seconds"] == {}
    (amended,) = [change for change in judge.drain_transitions() if change.amends and change.node == IDS[0]]
    assert (amended.state, {state for _, _, state in amended.amends}) == ("up", {"up"})


def test_the_backlog_is_bounded_and_gives_the_newest_first() -> None:
    backlog = Backlog()
    for tick in range(400):
        backlog.add(Line(5.0 * tick, b"x" * (BODY_BYTES // 10)), 5.0 * tick)
    assert len(backlog.lines) == LATE_S // 5 + 1
    first = backlog.bundle()
    assert [line.t for line in first][-1] == 5.0 * 399
    assert sum(len(line.text) for line in first) <= BODY_BYTES
    backlog.done(first)
    assert backlog.bundle()[-1].t == first[0].t - 5.0
    small = Backlog()
    for n in range(MOST_REPORTS + 5):
        small.add(Line(float(n), b"x"), 0.0)
    assert len(small.bundle()) == MOST_REPORTS


def test_the_offset_is_that_of_the_shortest_exchange_until_the_clock_is_set() -> None:
    offset = Offset()
    offset.take(0.0, 100.0, 4.0)
    assert offset.seconds == 98.0
    offset.take(10.0, 107.05, 10.1)
    assert offset.seconds == pytest.approx(97.0)
    offset.take(20.0, 119.0, 24.0)  # slow, and no contradiction
    assert offset.seconds == pytest.approx(97.0)
    offset.take(30.0, 30.05, 30.1)
    assert offset.seconds == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("url", "plain", "wrong"),
    [
        ("https://monitor.edu.example", False, None),
        ("http://127.0.0.1:8000", False, None),
        ("http://10.1.2.3", False, "plain"),
        ("http://10.1.2.3", True, None),
        ("ftp://monitor", False, "scheme"),
        ("https://user@monitor", False, "scheme"),
        ("monitor", False, "scheme"),
    ],
)
def test_a_token_goes_nowhere_without_tls(url: str, plain: bool, wrong: str | None) -> None:
    assert check_url(url, plain) == wrong


@pytest.mark.parametrize(
    ("spans", "runs"),
    [
        (((0, 10, "up"), (10, 20, "down"), (20, 30, "up")), [(10, 20)]),
        (((0, 10, "down"), (10, 20, "unknown"), (20, 30, "down")), [(0, 30)]),
        (((0, 10, "down"), (10, 20, "up"), (20, 30, "down")), [(0, 10), (20, 30)]),
        (((0, 10, "unknown"), (10, 20, "down"), (20, 30, "unknown")), [(10, 20)]),
        (((0, 10, "unknown"), (10, 20, "up")), []),
    ],
)
def test_a_record_is_read_as_outages(
    spans: tuple[tuple[float, float, str], ...], runs: list[tuple[float, float]]
) -> None:
    assert down_runs(spans) == runs
