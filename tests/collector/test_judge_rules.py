"""Each rule of REPLAY.md that its examples leave out, on a trace of its own."""

from itertools import pairwise
from typing import Any

import pytest
from judge_checker import check
from test_judge_examples import COUNTY, Spans, Value, judged, only, trace

from collector.judge import Judge, Node, UnknownNodeError
from collector.report import RoundReport


def told(lines: list[Value]) -> list[Value]:
    """Notices, after the independent checker has found nothing wrong with them."""
    notices, summary = judged(lines)
    assert check(lines, [*notices, summary]) == []
    return notices


def events(notices: list[Value]) -> list[tuple[str, str | None]]:
    return [(n["event"], n["root"]) for n in notices]


def gateways(count: int, **more: Any) -> list[Value]:
    return [
        {"id": "core", "up": []},
        {"id": "c", "up": ["core"]},
        *({"id": f"g{i}", "up": ["c"], **more} for i in range(count)),
    ]


# -- clusters


def test_five_of_sixteen_are_less_than_a_third() -> None:
    assert len(told(trace(gateways(16), {f"g{i}": [(10, 100)] for i in range(5)}))) == 10
    assert len(told(trace(gateways(15), {f"g{i}": [(10, 100)] for i in range(5)}))) == 2


@pytest.mark.parametrize(("gap", "clusters"), [(60, 1), (65, 0)])
def test_failing_together_means_within_a_minute_of_another(gap: int, clusters: int) -> None:
    silent: Spans = {f"g{i}": [(10 + i * gap, 900)] for i in range(5)}
    notices = told(trace(gateways(6), silent))
    assert len([n for n in notices if n["cluster"] and n["event"] == "opened"]) == clusters


def test_those_opened_before_are_merged_into_the_cluster_and_late_ones_join_it() -> None:
    silent: Spans = {"g0": [(10, 500)], **{f"g{i}": [(65, 500)] for i in range(1, 5)}, "g5": [(120, 500)]}
    notices = told(trace(gateways(8), silent))
    assert events(notices) == [("opened", "g0"), ("opened", None), ("resolved", "g0"), ("resolved", None)]
    assert notices[2]["merged_into"] == notices[1]["incident"]
    assert notices[1]["affected"] == 5


def test_a_root_that_is_silent_again_before_its_resolved_makes_a_cluster_with_others() -> None:
    """Four are told alone; g0, whose incident goes on, falls silent anew within a minute of them, and is the fifth."""
    silent: Spans = {"g0": [(10, 120), (125, 500)], **{f"g{i}": [(75, 500)] for i in range(1, 5)}}
    notices = told(trace(gateways(8), silent))
    (cluster,) = [n for n in notices if n["cluster"] and n["event"] == "opened"]
    assert cluster["affected"] == 5
    assert [n["root"] for n in notices if n["merged_into"] == cluster["incident"]] == [f"g{i}" for i in range(5)]
    assert (notices[-1]["event"], notices[-1]["root"]) == ("resolved", None)


def test_a_cluster_that_grows_by_more_than_half_is_updated() -> None:
    silent: Spans = {f"g{i}": [(10, 500)] for i in range(5)} | {f"g{i}": [(60, 500)] for i in range(5, 9)}
    notices = told(trace(gateways(12), silent))
    assert [(n["event"], n["affected"]) for n in notices] == [("opened", 5), ("updated", 9), ("resolved", 9)]


def test_a_cluster_is_merged_when_its_upstream_goes_out() -> None:
    silent: Spans = {f"g{i}": [(10, 500)] for i in range(6)} | {"c": [(200, 500)]}
    notices = told(trace(gateways(12), silent))
    assert events(notices) == [("opened", None), ("opened", "c"), ("resolved", None), ("resolved", "c")]
    assert notices[2]["merged_into"] == notices[1]["incident"]
    assert notices[1]["affected"] == 7


@pytest.mark.parametrize("by", ["region", "operator", "model"])
def test_nodes_of_unknown_way_are_grouped_by_what_they_share(by: str) -> None:
    nodes = [{"id": f"w{i}", by: "x", "up": None} for i in range(9)]
    for node in nodes:
        del node["up"]
    opened, resolved = told(trace(nodes, {f"w{i}": [(10, 100)] for i in range(5)}))
    assert opened["cluster"] == resolved["cluster"] == {"by": by, "value": "x"}


def test_a_root_in_maintenance_is_in_no_cluster() -> None:
    lines = trace(gateways(6), {f"g{i}": [(10, 100)] for i in range(5)})
    lines.insert(1, {"t": 0, "kind": "maintenance", "node": "g0", "from": 0, "to": 500})
    assert events(told(lines))[:4] == [("opened", f"g{i}") for i in range(1, 5)]


def test_a_cluster_that_mends_bit_by_bit_costs_at_most_five_notices() -> None:
    silent: Spans = {f"g{i}": [(10, 100 + 12 * i)] for i in range(60)}
    notices = told(trace(gateways(60), silent))
    assert len(notices) <= 5
    assert {n["root"] for n in notices} == {None}


def test_members_that_fall_silent_once_more_stay_in_their_cluster() -> None:
    silent: Spans = {f"g{i}": [(10, 40), (60, 90), (110, 140), (160, 190)] for i in range(5)}
    assert [n["event"] for n in told(trace(gateways(6), silent))] == ["opened", "resolved"]


def test_what_a_late_member_explains_is_merged_into_the_cluster() -> None:
    """s under g5 is open on its own; then g5 joins a cluster that is open already."""
    nodes = [*gateways(8), {"id": "s", "up": ["g5"]}]
    silent: Spans = {f"g{i}": [(100, 500)] for i in range(5)} | {"s": [(10, 500)], "g5": [(140, 500)]}
    notices = told(trace(nodes, silent))
    assert events(notices)[:3] == [("opened", "s"), ("opened", None), ("resolved", "s")]
    assert notices[2]["merged_into"] == notices[1]["incident"]


# -- maintenance


def test_a_window_keeps_a_root_quiet_until_it_ends() -> None:
    lines = trace(COUNTY, {"g1": [(10, 600)]})
    lines.insert(1, {"t": 0, "kind": "maintenance", "node": "g1", "from": 5, "to": 300})
    opened, resolved = told(lines)
    assert 305 <= opened["t"] <= 330
    assert resolved["event"] == "resolved"


def test_a_window_on_all_ways_up_counts_for_what_hangs_under_them() -> None:
    nodes = [
        *COUNTY,
        {"id": "d", "up": ["core"]},
        {"id": "x", "up": ["c"], "probe": False},
        {"id": "g", "up": ["x", "d"]},
    ]
    windows = [{"t": 0, "kind": "maintenance", "node": n, "from": 0, "to": 900} for n in ("c", "d")]
    lines = trace(nodes, {"g": [(10, 600)]})
    assert events(told([lines[0], windows[0], *lines[1:]])) == [("opened", "g"), ("resolved", "g")]
    assert told([lines[0], *windows, *lines[1:]]) == []


def test_what_was_open_before_the_window_still_resolves() -> None:
    lines = trace(COUNTY, {"g1": [(10, 200)]})
    lines.insert(12, {"t": 50, "kind": "maintenance", "node": "g1", "from": 50, "to": 1000})
    assert events(told(lines)) == [("opened", "g1"), ("resolved", "g1")]


def test_windows_that_are_taken_back_keep_nothing_quiet() -> None:
    judge = Judge()
    judge.set_topology(0, [Node("g", up=())])
    judge.take_maintenance(0, "g", 0, 900)
    for t in range(5, 200, 5):
        judge.take_round(RoundReport(t, "all", ["g"]))
        if t == 100:
            assert judge.take_notices() == []
            judge.set_maintenance(t, [])
    (opened,) = judge.advance(200)
    assert opened.t == 120
    with pytest.raises(UnknownNodeError, match="ghost"):
        judge.set_maintenance(200, [("ghost", 0, 1)])


# -- notices


def test_a_root_that_is_silent_again_within_ten_minutes_is_reopened() -> None:
    notices = told(trace(COUNTY, {"g1": [(10, 100), (600, 700)]}))
    assert [n["event"] for n in notices] == ["opened", "resolved", "reopened", "resolved"]
    assert len({n["incident"] for n in notices}) == 1


def test_a_root_that_is_silent_again_later_is_another_incident() -> None:
    notices = told(trace(COUNTY, {"g1": [(10, 100), (800, 900)]}, end=1500))
    assert [n["event"] for n in notices] == ["opened", "resolved", "opened", "resolved"]
    assert len({n["incident"] for n in notices}) == 2


def test_a_root_that_is_silent_again_before_resolved_goes_on() -> None:
    assert [n["event"] for n in told(trace(COUNTY, {"g1": [(10, 100), (130, 300)]}))] == ["opened", "resolved"]


def test_updated_says_the_last_state_once_a_minute() -> None:
    nodes = [*COUNTY, *({"id": f"h{i}", "up": ["g1"]} for i in range(12))]
    silent: Spans = {"g1": [(10, 900)], **{f"h{i}": [(50 + 10 * i, 880)] for i in range(12)}}
    notices = told(trace(nodes, silent))
    updates = [n for n in notices if n["event"] == "updated"]
    assert {n["root"] for n in notices} == {"g1"}
    assert [n["affected"] for n in updates][-1] * 1.5 >= 13
    assert all(b["t"] - a["t"] >= 60 for a, b in pairwise(updates))


def test_what_has_mended_in_the_meantime_is_never_opened() -> None:
    assert told(trace(COUNTY, {"g1": [(10, 30)]})) == []


def test_what_is_explained_in_the_meantime_is_never_opened() -> None:
    notices = told(trace(COUNTY, {"g1": [(10, 200)], "c": [(20, 200)]}))
    assert events(notices) == [("opened", "c"), ("resolved", "c")]


def test_a_gateway_that_answers_in_the_hold_and_falls_silent_again_is_a_root_at_once() -> None:
    notices = told(trace(COUNTY, {"c": [(10, 100)], "g1": [(10, 150), (200, 400)]}))
    assert ("opened", "g1") in events(notices)
    assert only(notices, "g1", "opened")["t"] <= 230


# -- flapping


def test_flapping_costs_at_most_six_notices_and_lasts_until_two_quiet_minutes() -> None:
    silent: Spans = {"g1": [(t, t + 60) for t in range(10, 3000, 140)]}
    notices = told(trace(COUNTY, silent, end=3600))
    assert len(notices) <= 6
    assert [n for n in notices if n["flapping"]]
    assert notices[-1]["event"] == "resolved"


def test_the_quiet_time_doubles_with_each_flapping_within_six_hours() -> None:
    thrice = [(0, 10), (20, 30), (40, 50)]
    silent: Spans = {"g1": [(start + a, start + b) for start in (10, 1000, 3000) for a, b in thrice]}
    notices = told(trace(COUNTY, silent, end=4500))
    resolved = [n["t"] for n in notices if n["event"] == "resolved"]
    assert resolved == [60 + 120, 1050 + 240, 3050 + 480]


def test_a_flapping_root_that_stays_silent_is_updated() -> None:
    notices = told(trace(COUNTY, {"g1": [(10, 20), (30, 40), (50, 600)]}))
    assert [(n["event"], n["flapping"]) for n in notices] == [("opened", True), ("updated", False), ("resolved", False)]
    assert notices[1]["t"] == 170


def test_explained_silences_do_not_count_for_flapping() -> None:
    silent: Spans = {"c": [(10, 20), (35, 45)], "g1": [(10, 20), (35, 45), (60, 70)]}
    assert told(trace(COUNTY, silent)) == []


# -- reports


def rounds(*reports: tuple[float, dict[str, Any]], nodes: list[Value] | None = None) -> list[Value]:
    lines: list[Value] = [{"t": 0, "kind": "topology", "nodes": nodes or COUNTY}]
    return lines + [{"t": t, "kind": "round", "asked": "all", "silent": []} | more for t, more in reports]


def test_two_rounds_of_one_tick_are_one_and_an_answer_in_either_counts() -> None:
    lines = rounds((5, {"tick": 1}))
    for tick in range(2, 20):
        lines += rounds((tick * 5, {"tick": tick, "silent": ["g1", "g2"]}))[1:]
        lines += rounds((tick * 5 + 1, {"tick": tick, "silent": ["g2"], "collector": "b"}))[1:]
    notices, summary = judged(lines)
    assert events(notices) == [("opened", "g2")]
    assert summary["down_seconds"] == {"g2": 85}


def test_a_good_round_counts_over_a_blind_one_of_the_same_tick() -> None:
    lines = rounds((5, {"tick": 1}))
    for tick in range(2, 20):
        lines += rounds((tick * 5, {"tick": tick, "self_ok": False}))[1:]
        lines += rounds((tick * 5 + 1, {"tick": tick, "silent": ["g2"], "collector": "b"}))[1:]
    notices, summary = judged(lines)
    assert events(notices) == [("opened", "g2")]
    assert summary["unknown_seconds"] == {}


def blind(
    *spans: tuple[float, float], silent: list[str], copies: dict[float, tuple[float, list[str]]], end: float = 200
) -> list[Value]:
    """Rounds every 5 s, blind in `spans`. copies: {t of the tick: (arrives after the round of, silent)}, good ones of a second collector."""
    lines = rounds()
    for t in range(5, int(end), 5):
        is_blind = any(start <= t < stop for start, stop in spans)
        lines += rounds((t, {"tick": t, "self_ok": not is_blind, "silent": silent if t >= 10 else []}))[1:]
        for of, (after, copied) in copies.items():
            lines += rounds((of + 0.5, {"tick": of, "collector": "b", "silent": copied}))[1:] if after == t else []
    return lines


def test_a_good_copy_that_comes_after_a_newer_blind_round_is_the_latest_word() -> None:
    """g1 has been seen silent for 20 s when all go blind; the copy that sees it again comes when blind rounds have followed."""
    lines = blind((30, 900), silent=["g1"], copies={60: (70, ["g1"])})
    assert told(blind((30, 900), silent=["g1"], copies={})) == []
    (opened,) = told(lines)
    assert (opened["root"], opened["t"]) == ("g1", 70)
    assert set(judged(lines)[1]["unknown_seconds"].values()) == {195 - 30 - 5}


@pytest.mark.parametrize(("blind_from", "expected"), [(30, 70), (25, 0), (15, 0)])
def test_what_a_late_copy_saw_counts_for_the_time_to_the_next_blind_word_alone(
    blind_from: int, expected: float
) -> None:
    notices = told(blind((blind_from, 900), silent=["g1"], copies={60: (70, ["g1"])}))
    assert [n["t"] for n in notices] == ([expected] if expected else [])


def test_an_answer_in_a_late_copy_resolves_while_all_is_blind() -> None:
    lines = blind((45, 900), silent=["g1"], copies={60: (70, [])})
    assert [(n["event"], n["t"]) for n in told(lines)] == [("opened", 30), ("resolved", 120)]


def test_time_after_a_late_copy_is_unknown_again_until_somebody_sees() -> None:
    """Silent at 60, says a copy of 60 that comes at 70: 5 s known of it by then, and 15 more from 100 on."""
    lines = blind((25, 100), silent=[], copies={60: (70, ["g1"])})
    for line in lines[1:]:
        line["silent"] = ["g1"] if line["t"] >= 60 else []
    (opened,) = told(lines)
    assert opened["t"] == 115


def test_the_states_say_unknown_from_the_first_blind_word_whatever_a_late_copy_saw() -> None:
    judge = Judge()
    judge.set_topology(0, [Node("g", up=())])
    for tick, t in enumerate((5, 10, 15, 20)):
        judge.take_round(RoundReport(t, "all", [], self_ok=t == 5, tick=tick))
    judge.take_round(RoundReport(15.5, "all", ["g"], tick=2))
    judge = Judge.restore(judge.snapshot())
    judge.drain_transitions()
    judge.take_round(RoundReport(25, "all", ["g"], tick=4))
    (change,) = judge.drain_transitions()
    assert (change.state, change.earliest) == ("down", 10)


def test_a_silence_taken_back_late_never_was() -> None:
    """Three silences, of which the first is taken back after newer words: no flapping."""
    silent = {10: ["g1"], 20: ["g1"], 30: ["g1"]}
    lines = rounds(*((t, {"tick": t, "silent": silent.get(t, [])}) for t in range(5, 36, 5)))
    lines += rounds((36, {"tick": 10, "silent": [], "collector": "b"}))[1:]
    lines += rounds(*((t, {"tick": t}) for t in range(40, 300, 5)))[1:]
    notices, summary = judged(lines)
    assert notices == []
    assert summary["down_seconds"] == {"g1": 10}


def test_a_late_report_amends_the_record_and_makes_no_notice() -> None:
    lines = rounds(*((t, {"silent": ["g1"] if t == 100 else []}) for t in range(5, 200, 5)))
    lines += rounds((102.5, {"asked": ["g1"], "silent": ["g1"]}), (52, {"asked": ["g2"], "silent": ["g2"]}))[1:]
    lines += rounds(*((t, {}) for t in range(200, 400, 5)))[1:]
    notices, summary = judged(lines)
    assert notices == []
    assert summary["down_seconds"] == {"g1": 5, "g2": 3}


def test_a_gap_of_more_than_three_rounds_is_unknown_after_one() -> None:
    notices, summary = judged(rounds((5, {}), (10, {"silent": ["g1"]}), (26, {"silent": ["g1"]}), (31, {})))
    assert notices == []
    assert summary["down_seconds"] == {"g1": 10}
    assert summary["unknown_seconds"] == dict.fromkeys(["core", "c", *(f"g{i}" for i in range(1, 7))], 11)


def test_blind_time_is_not_counted_until_opened() -> None:
    lines = trace(COUNTY, {"g1": [(10, 600)]}, blind=(20, 100))
    opened = only(told(lines), "g1", "opened")
    assert 110 <= opened["t"] <= 130


@pytest.mark.parametrize(
    ("seen", "opened_at"), [((), 55), ((20,), 50), ((30,), 50), ((20, 30), 45), ((20, 25, 30), 45)]
)
def test_blind_time_that_late_copies_saw_counts_after_all(seen: tuple[int, ...], opened_at: float) -> None:
    """g1 is silent from 10, the rounds from 20 to 40 are blind; copies of some come after the round of 45, which sees."""
    lines = blind((20, 45), silent=["g1"], copies={t: (45, ["g1"]) for t in seen})
    (opened,) = told(lines)
    assert (opened["root"], opened["t"]) == ("g1", opened_at)


def test_a_blind_copy_of_a_round_that_saw_takes_no_time_away() -> None:
    """Silent from 10, seen until 25; the blind copy of the round of 20 comes while all is blind. 5 s are left to wait after it."""
    lines = blind((25, 100), silent=["g1"], copies={})
    late = rounds((20.5, {"tick": 20, "collector": "b", "self_ok": False, "silent": []}))[1:]
    at = next(i for i, line in enumerate(lines) if line["t"] == 60)
    (opened,) = told([*lines[:at], *late, *lines[at:]])
    assert opened["t"] == 105


def test_the_reports_of_a_dead_collector_open_nothing() -> None:
    lines = rounds((5, {"shard": 1, "asked": ["g1"]}), (10, {"shard": 1, "asked": ["g1"], "silent": ["g1"]}))
    lines += [
        {"t": t, "kind": "round", "shard": 2, "asked": ["core", "c", "g2"], "silent": []} for t in range(11, 300, 5)
    ]
    assert told(lines) == []


def test_a_node_that_never_answered_is_no_incident_until_it_has() -> None:
    nodes = [*COUNTY, {"id": "n", "up": ["c"], "seen": False}]
    assert told(trace(nodes, {"n": [(0, 900)]})) == []
    notices, summary = judged(trace(nodes, {"n": [(0, 100), (200, 300)]}))
    assert events(notices) == [("opened", "n"), ("resolved", "n")]
    assert summary["down_seconds"] == {"n": 100}


def test_another_topology_resolves_what_is_gone_and_goes_on_with_the_rest() -> None:
    lines = trace(COUNTY, {"g1": [(10, 600)], "g2": [(10, 600)]})
    at = next(i for i, line in enumerate(lines) if line["t"] == 200)
    lines.insert(at, {"t": 198, "kind": "topology", "nodes": [node for node in COUNTY if node["id"] != "g1"]})
    for line in lines[at + 1 :]:
        line["silent"] = [*line["silent"], "g1"]
    notices, _ = judged(lines)
    assert events(notices) == [("opened", "g1"), ("opened", "g2"), ("resolved", "g1"), ("resolved", "g2")]
    assert notices[2]["t"] == 198


def test_a_node_belongs_to_the_root_of_the_upstream_that_went_out_last() -> None:
    nodes = [
        {"id": "core", "up": []},
        {"id": "a", "up": ["core"]},
        {"id": "b", "up": ["core"]},
        {"id": "g", "up": ["a", "b"]},
    ]
    notices = told(trace(nodes, {"a": [(10, 300)], "b": [(100, 300)], "g": [(100, 300)]}))
    assert only(notices, "a", "opened")["affected"] == 1
    assert only(notices, "b", "opened")["affected"] == 2


def test_of_several_unasked_nodes_in_a_row_the_highest_is_the_root() -> None:
    nodes = [*COUNTY, {"id": "p", "up": ["c"], "probe": False}, {"id": "q", "up": ["p"], "probe": False}]
    nodes += [{"id": "a", "up": ["q"]}, {"id": "b", "up": ["q"]}]
    notices = told(trace(nodes, {"a": [(10, 100)], "b": [(10, 100)]}))
    assert events(notices) == [("opened", "p"), ("resolved", "p")]
