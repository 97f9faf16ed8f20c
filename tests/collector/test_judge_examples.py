"""The examples of REPLAY.md, each to the letter."""

import json
from typing import Any

import pytest

from collector.judge import Judge
from collector.trace import replay

Value = dict[str, Any]
Spans = dict[str, list[tuple[float, float]]]

COUNTY: list[Value] = [
    {"id": "core", "up": []},
    {"id": "c", "up": ["core"]},
    *({"id": f"g{i}", "up": ["c"]} for i in range(1, 7)),
]


def trace(
    nodes: list[Value], silent: Spans, end: float = 1200, blind: tuple[float, float] = (1, 0), facts: Any = None
) -> list[Value]:
    """All asked every 5 s from t = 5. "Silent 10 to 100" answers at 100; blind: the first and the last blind round."""
    lines: list[Value] = [{"t": 0, "kind": "topology", "nodes": nodes}]
    for t in range(5, int(end) + 1, 5):
        out = [node for node, spans in silent.items() if any(start <= t < until for start, until in spans)]
        line: Value = {"t": t, "kind": "round", "asked": "all", "silent": out, "self_ok": not blind[0] <= t <= blind[1]}
        lines.append(line | ({"facts": facts(t)} if facts else {}))
    return lines


def judged(lines: list[Value]) -> tuple[list[Value], Value]:
    """(notices, summary)."""
    output = list(replay(map(json.dumps, lines), Judge()))
    return output[:-1], output[-1]


def only(notices: list[Value], root: str | None, event: str) -> Value:
    """The one notice of this event about `root`."""
    (found,) = [n for n in notices if n["root"] == root and n["event"] == event]
    return found


def test_a_gateway_then_its_county_and_the_gateway_longer_than_the_hold() -> None:
    silent: Spans = {"g1": [(10, 600)], "c": [(60, 100)], **{f"g{i}": [(60, 340)] for i in range(2, 7)}}
    notices, summary = judged(trace(COUNTY, silent))
    first, county, merged, mended, again, last = notices
    assert (first["event"], first["root"]) == ("opened", "g1")
    assert first["t"] <= 40
    assert (county["event"], county["root"], county["affected"]) == ("opened", "c", 7)
    assert county["t"] <= 90
    assert (merged["event"], merged["incident"], merged["merged_into"]) == (
        "resolved",
        first["incident"],
        county["incident"],
    )
    assert (mended["event"], mended["incident"], mended["merged_into"]) == ("resolved", county["incident"], None)
    assert mended["t"] <= 220
    assert (again["event"], again["root"]) == ("opened", "g1")
    assert again["incident"] != first["incident"]
    assert 405 <= again["t"] <= 430
    assert (last["event"], last["incident"]) == ("resolved", again["incident"])
    assert last["t"] <= 720
    assert summary["incidents"] == 2
    assert summary["notices"] == 6
    assert summary["down_seconds"] == {"g1": 590, "c": 40, **{f"g{i}": 280 for i in range(2, 7)}}
    assert summary["unknown_seconds"] == {}


def test_five_of_a_county_are_one_cluster() -> None:
    opened, resolved = judged(trace(COUNTY, {f"g{i}": [(10, 100)] for i in range(1, 6)}))[0]
    assert (opened["event"], opened["root"], opened["affected"]) == ("opened", None, 5)
    assert opened["cluster"] == {"by": "upstream", "value": "c"}
    assert opened["possible"] == []
    assert 30 <= opened["t"] <= 40
    assert (resolved["event"], resolved["incident"]) == ("resolved", opened["incident"])
    assert resolved["t"] <= 220


def test_four_of_a_county_are_four_incidents() -> None:
    notices, summary = judged(trace(COUNTY, {f"g{i}": [(10, 100)] for i in range(1, 5)}))
    assert [n["event"] for n in notices] == ["opened"] * 4 + ["resolved"] * 4
    assert {n["root"] for n in notices} == {"g1", "g2", "g3", "g4"}
    assert summary["incidents"] == 4


def test_a_school_is_cut_off_when_its_last_gateway_is() -> None:
    school = {"up": ["c"], "school": "s", "pupils": 800}
    notices, _ = judged(
        trace([*COUNTY, {"id": "a", **school}, {"id": "b", **school}], {"a": [(10, 300)], "b": [(60, 200)]})
    )
    assert len(notices) == 4
    for root, figures in (("a", (1, 0, 0)), ("b", (1, 1, 800))):
        for event in ("opened", "resolved"):
            n = only(notices, root, event)
            assert (n["affected"], n["schools"], n["pupils"]) == figures


def test_an_unasked_node_is_the_root_when_two_or_more_under_it_are_silent() -> None:
    nodes = [
        *COUNTY,
        {"id": "k", "up": ["q"], "class": "edge"},
        {"id": "e", "up": ["q"]},
        {"id": "q", "up": ["c"], "probe": False},
        {"id": "a", "up": ["p"]},
        {"id": "b", "up": ["p"]},
        {"id": "p", "up": ["c"], "probe": False},
    ]
    long, short = [(10, 100)], [(20, 100)]
    notices, summary = judged(trace(nodes, {"a": long, "e": long, "k": long, "b": short}))
    assert len(notices) == 4
    gateway, township = only(notices, "e", "opened"), only(notices, "p", "opened")
    assert (gateway["affected"], gateway["possible"]) == (1, ["q"])
    assert gateway["t"] <= 40
    assert township["affected"] == 2
    assert township["t"] <= 50
    only(notices, "e", "resolved"), only(notices, "p", "resolved")
    assert summary["down_seconds"] == {"a": 90, "e": 90, "k": 90, "b": 80}


def test_a_line_that_is_down_while_its_school_answers_by_the_other() -> None:
    nodes = [
        *COUNTY,
        {"id": "x", "up": ["c"], "probe": False, "port": ["g", "ge1"]},
        {"id": "y", "up": ["c"], "probe": False, "port": ["g", "ge2"]},
        {"id": "g", "up": ["x", "y"]},
    ]

    def facts(t: float) -> Value:
        down = 10 <= t <= 195
        return {} if 100 <= t < 150 else {"g": {"ports": {"ge1": "down" if down else "up", "ge2": "up"}}}

    notices, summary = judged(trace(nodes, {"g": [(100, 150)]}, facts=facts))
    assert len(notices) == 4
    line, gateway = only(notices, "x", "opened"), only(notices, "g", "opened")
    assert line["affected"] == 0
    assert line["t"] <= 40
    assert (gateway["affected"], gateway["possible"]) == (1, ["y"])
    assert gateway["t"] <= 130
    assert only(notices, "g", "resolved")["t"] <= 270
    assert only(notices, "x", "resolved")["t"] <= 320
    assert summary["down_seconds"] == {"g": 50}


def test_the_third_silence_is_flapping() -> None:
    opened, resolved = judged(trace(COUNTY, {"g1": [(10, 20), (30, 40), (50, 60)]}))[0]
    assert (opened["event"], opened["root"], opened["flapping"]) == ("opened", "g1", True)
    assert 50 <= opened["t"] <= 80
    assert (resolved["event"], resolved["t"]) == ("resolved", 180)


def test_blindness_is_no_incident() -> None:
    notices, summary = judged(trace(COUNTY, {"g1": [(10, 105)]}, blind=(15, 100)))
    assert notices == []
    assert summary["down_seconds"] == {"g1": 5}
    assert summary["unknown_seconds"] == dict.fromkeys(["core", "c", *(f"g{i}" for i in range(1, 7))], 90)


@pytest.mark.parametrize("shuffled", [False, True])
def test_nodes_stand_in_any_order(shuffled: bool) -> None:
    nodes = COUNTY[::-1] if shuffled else COUNTY
    notices, _ = judged(trace(nodes, {"c": [(10, 100)], **{f"g{i}": [(10, 100)] for i in range(1, 7)}}))
    assert [(n["event"], n["root"], n["affected"]) for n in notices] == [("opened", "c", 7), ("resolved", "c", 7)]
