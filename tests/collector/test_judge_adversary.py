"""Traces by somebody who read REPLAY.md alone, and what must come of them by its words: corners where two rules meet."""

import random
from typing import Any

import pytest
from adversary_reading import disagreements, storm
from test_judge_examples import COUNTY, Spans, Value, judged, trace

from collector.judge import Rules
from collector.judge.groups import Groups
from collector.judge.topology import Layout

TOP: list[Value] = [{"id": "core", "up": []}, {"id": "c", "up": ["core"]}]


def round_at(t: float, silent: list[str] | None = None, **more: Any) -> Value:
    return {"t": t, "kind": "round", "asked": "all", "silent": silent or [], "self_ok": True, **more}


def topology_at(t: float, nodes: list[Value]) -> Value:
    return {"t": t, "kind": "topology", "nodes": nodes}


def told(lines: list[Value]) -> list[tuple[str, str | None, int, bool]]:
    return [(n["event"], n["root"], n["affected"], n["flapping"]) for n in judged(lines)[0]]


# -- found: these went wrong once


@pytest.mark.parametrize("seen_again", [210, 300])
def test_flapping_that_is_told_late_is_not_told_to_be_over_within_a_minute(seen_again: int) -> None:
    """The third silence is unknown for so long that its 2 minutes are over when it may be said."""
    silent: Spans = {"g1": [(10.0, 45.0), (60.0, 95.0), (110.0, 800.0)]}
    notices, _ = judged(trace(COUNTY, silent, 900, blind=(115, seen_again - 5)))
    updated = [n for n in notices if n["event"] == "updated"]
    assert [n["flapping"] for n in updated] == [True, False]
    assert updated[1]["t"] - updated[0]["t"] >= 60
    assert [n["event"] for n in notices] == ["opened", "updated", "updated", "resolved"]


@pytest.mark.parametrize("before", ["up", "down"])
def test_a_device_that_is_gone_says_nothing_of_its_ports(before: str) -> None:
    line = {"id": "x", "up": ["c"], "probe": False, "port": ["g", "1"]}
    rest = [*TOP, line, {"id": "h", "up": ["c"]}]
    other = "down" if before == "up" else "up"
    lines = [
        topology_at(0, [*rest, {"id": "g", "up": ["x"]}]),
        *(round_at(t, facts={"g": {"ports": {"1": before}}}) for t in (5, 10, 15)),
        topology_at(16, rest),
        *(round_at(t, facts={"g": {"ports": {"1": other}}}) for t in range(20, 200, 5)),
    ]
    assert told(lines) == ([] if before == "up" else [("opened", "x", 0, False)])


def test_all_that_are_linked_by_steps_of_a_minute_are_found_whatever_their_order() -> None:
    groups, draw = Groups(Rules()), random.Random(7)
    for _ in range(200):
        since = [float(draw.randrange(0, 900, 5)) for _ in range(20)]
        reached, left = [since[0], since[1]], set(range(2, 20))
        while near := {m for m in left if any(abs(since[m] - t) <= 60 for t in reached)}:
            left -= near
            reached += [since[m] for m in near]
        found = groups.linked(since[:2], range(2, 20), since)
        assert sorted(found) == sorted(set(range(2, 20)) - left)


def test_a_first_answer_changes_what_working_all_out_anew_would(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(100, 130):
        draw, lines = random.Random(seed), storm(seed)
        for node in lines[0]["nodes"]:
            if draw.random() < 0.4:
                node["seen"] = False
        quickly = judged(lines)
        with monkeypatch.context() as patch:
            patch.setattr(Layout, "see", lambda *_: False)
            assert judged(lines) == quickly, f"storm {seed}"


# -- held from the start


def test_a_random_storm_is_read_alike_by_a_second_reader() -> None:
    notices = 0
    for seed in range(25):
        lines = storm(seed)
        output = judged(lines)[0]
        assert disagreements(lines, output) == [], f"storm {seed}"
        notices += len(output)
    assert notices > 50


def test_a_node_cut_off_by_two_ways_boots_when_one_comes_back() -> None:
    nodes = [*TOP, {"id": "w1", "up": ["c"]}, {"id": "w2", "up": ["c"]}, {"id": "g", "up": ["w1", "w2"]}]
    ways: Spans = {"w1": [(10.0, 50.0), (200.0, 260.0)], "w2": [(10.0, 600.0)], "g": [(10.0, 700.0)]}
    opened = [n for n in judged(trace(nodes, ways, 1000))[0] if n["event"] == "opened" and n["root"] == "g"]
    assert [560 <= n["t"] <= 590 for n in opened] == [True]  # the second failure of w1 begins the 5 minutes anew
    ways = {"w1": [(10.0, 50.0)], "w2": [(10.0, 400.0)], "g": [(10.0, 100.0), (105.0, 200.0)]}
    opened = [n for n in judged(trace(nodes, ways, 1000))[0] if n["event"] == "opened" and n["root"] == "g"]
    assert [110 <= n["t"] <= 135 for n in opened] == [True]  # it had answered: a root at once


def test_of_unasked_nodes_in_a_row_the_highest_and_then_the_lower_again_after_its_hold() -> None:
    nodes = [
        *TOP,
        {"id": "p", "up": ["c"], "probe": False},
        {"id": "q", "up": ["p"], "probe": False},
        *({"id": node, "up": ["q"]} for node in "ab"),
        {"id": "d", "up": ["p"]},
    ]
    silent: Spans = {"a": [(10.0, 900.0)], "b": [(10.0, 900.0)], "d": [(60.0, 100.0)]}
    notices, summary = judged(trace(nodes, silent, 600))
    assert [(n["event"], n["root"], n["affected"]) for n in notices] == [
        ("opened", "q", 2),
        ("opened", "p", 3),
        ("resolved", "q", 2),
        ("resolved", "p", 3),
        ("opened", "q", 2),
    ]
    assert notices[4]["incident"] != notices[0]["incident"]
    assert 400 <= notices[4]["t"] <= 430
    assert summary["incidents"] == 2


def test_spans_hold_for_three_of_the_rounds_that_began_them() -> None:
    _, summary = judged(
        [
            topology_at(0, [{"id": "a"}]),
            round_at(5),
            round_at(25, ["a"], every=20),  # 20 > 3 x 5: up for 5, unknown for 15
            round_at(80.0, ["a"], every=5),  # 55 < 3 x 20: down
            round_at(95),  # exactly 3 x 5: down
            round_at(96, ["a"], self_ok=False),
            round_at(196),  # blind throughout
        ]
    )
    assert (summary["down_seconds"], summary["unknown_seconds"]) == ({"a": 70}, {"a": 115})


def test_words_on_one_moment_are_one_word() -> None:
    nodes = [{"id": "a", "up": []}]
    lines = [topology_at(0, nodes), round_at(5, tick=1)]
    lines += [round_at(10, ["a"], tick=2), round_at(12, tick=2)]  # answered in either
    lines += [round_at(15, ["a"], tick=3, self_ok=False), round_at(17, ["a"], tick=3)]  # good over blind, at 15
    lines += [round_at(20, tick=4), round_at(22, ["a"], tick=4, self_ok=False)]  # and the other way round
    lines += [round_at(25, ["a"]), round_at(25), round_at(30)]
    notices, summary = judged(lines)
    assert (notices, summary["down_seconds"], summary["unknown_seconds"]) == ([], {"a": 5}, {})


def test_a_root_that_is_gone_leaves_what_hung_under_it_time_to_boot() -> None:
    silent: Spans = {"c": [(10.0, 300.0)], "g1": [(10.0, 300.0)]}
    lines = trace([*TOP, {"id": "g1", "up": ["c"]}], silent, 60)
    lines += [topology_at(62, [{"id": "core", "up": []}, {"id": "g1", "up": ["core"]}])]
    lines += [round_at(t, ["g1"]) for t in range(65, 600, 5)]
    notices, _ = judged(lines)
    assert [(n["event"], n["root"]) for n in notices] == [("opened", "c"), ("resolved", "c"), ("opened", "g1")]
    assert 362 <= notices[2]["t"] <= 392


def test_a_window_over_all_members_keeps_a_cluster_for_its_end() -> None:
    silent: Spans = {f"g{i}": [(10.0, 400.0)] for i in range(1, 6)}
    for node in ("c", "core"):
        window = {"t": 0, "kind": "maintenance", "node": node, "from": 0, "to": 200}
        topology, *storm_lines = trace(COUNTY, silent, 600)
        notices, _ = judged([topology, window, *storm_lines])
        assert [(n["event"], n["cluster"], n["affected"]) for n in notices] == [
            (event, {"by": "upstream", "value": "c"}, 5) for event in ("opened", "resolved")
        ]
        assert 200 <= notices[0]["t"] <= 230


def test_unseen_nodes_and_edge_nodes_count_in_no_group() -> None:
    nodes: list[Value] = [{"id": f"r{i}", "region": "R"} for i in range(15)]
    nodes += [{"id": f"k{i}", "region": "R", "class": "edge"} for i in range(9)]
    nodes += [{"id": f"n{i}", "region": "R", "seen": False} for i in range(9)]
    silent: Spans = {f"r{i}": [(10.0, 100.0)] for i in range(5)} | {f"n{i}": [(0.0, 900.0)] for i in range(9)}
    notices, summary = judged(trace(nodes, silent, 300))
    assert [(n["event"], n["cluster"], n["affected"]) for n in notices] == [
        (event, {"by": "region", "value": "R"}, 5) for event in ("opened", "resolved")
    ]
    assert set(summary["down_seconds"]) == {f"r{i}" for i in range(5)}
