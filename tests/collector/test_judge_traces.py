"""Reading traces, `edunet replay`, and the storms kept in `traces/`."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from judge_checker import check
from judge_storms import lines as storm

from collector.judge import Judge, Node
from collector.report import RoundReport
from collector.trace import (
    MaintenanceLine,
    Start,
    TopologyLine,
    TraceError,
    TraceWriter,
    TrapLine,
    as_value,
    parse,
    read,
    replay,
)

TRACES = Path(__file__).parent / "traces"

TOPOLOGY = {"t": 0, "kind": "topology", "nodes": [{"id": "core", "up": []}, {"id": "g1", "up": ["core"]}]}


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edunet.main", "replay", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, check=False)


def as_text(*lines: Any) -> str:
    return "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)


BAD: dict[str, tuple[list[Any], int, str]] = {
    "an unknown id in a round": ([TOPOLOGY, {"t": 5, "kind": "round", "asked": ["core", "ghost"], "silent": []}], 2, "ghost"),
    "an unknown silent id": ([TOPOLOGY, {"t": 5, "kind": "round", "asked": "all", "silent": ["ghost"]}], 2, "ghost"),
    "an unknown id in facts": ([TOPOLOGY, {"t": 5, "kind": "round", "asked": "all", "silent": [], "facts": {"ghost": {}}}], 2, "ghost"),
    "an unknown way": (
        [TOPOLOGY, {"t": 5, "kind": "round", "asked": "all", "silent": [], "facts": {"g1": {"way": "ghost"}}}],
        2,
        "ghost",
    ),
    "an unknown id in a window": ([TOPOLOGY, {"t": 5, "kind": "maintenance", "node": "ghost", "from": 5, "to": 9}], 2, "ghost"),
    "an unknown upstream": ([{"t": 0, "kind": "topology", "nodes": [{"id": "a", "up": ["ghost"]}]}], 1, "ghost"),
    "an unknown device of a port": (
        [{"t": 0, "kind": "topology", "nodes": [{"id": "a", "probe": False, "port": ["ghost", "e0"]}]}],
        1,
        "ghost",
    ),
    "an id given twice": ([{"t": 0, "kind": "topology", "nodes": [{"id": "twin"}, {"id": "twin"}]}], 1, "twin"),
    "a loop": ([TOPOLOGY, {"t": 1, "kind": "topology", "nodes": [{"id": "a", "up": ["b"]}, {"id": "b", "up": ["a"]}, {"id": "z", "up": ["a"]}]}], 2, ""),
    "a node that is its own upstream": ([{"t": 0, "kind": "topology", "nodes": [{"id": "selfish", "up": ["selfish"]}]}], 1, "selfish"),
    "not JSON": ([TOPOLOGY, "{oops"], 2, "not JSON"),
    "not an object": (["[1, 2]"], 1, "object"),
    "no number": (["NaN"], 1, "not JSON"),
    "an upstream that is no list": ([{"t": 0, "kind": "topology", "nodes": [{"id": "odd", "up": "core"}]}], 1, "odd"),
    "time as text": ([{"t": "0", "kind": "topology", "nodes": []}], 1, '"t"'),
    "asked as a number": ([TOPOLOGY, {"t": 5, "kind": "round", "asked": 3, "silent": []}], 2, "asked"),
    "rounds too far apart": ([TOPOLOGY, {"t": 5, "kind": "round", "asked": "all", "silent": [], "every": 60}], 2, "every"),
    "no every at all": ([TOPOLOGY, {"t": 5, "kind": "round", "asked": "all", "silent": [], "every": 0}], 2, "every"),
    "a window without an end": ([TOPOLOGY, {"t": 5, "kind": "maintenance", "node": "g1", "from": 5}], 2, '"to"'),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_named_with_its_number_and_its_id(name: str) -> None:
    lines, number, word = BAD[name]
    with pytest.raises(TraceError) as found:
        list(replay(as_text(*lines).splitlines(), Judge()))
    assert found.value.line == number
    assert str(found.value).startswith(f"line {number}: ")
    assert word in str(found.value)


@pytest.mark.parametrize("name", ["an unknown id in a round", "a loop", "not JSON"])
def test_the_command_ends_with_2_on_a_bad_trace(name: str, tmp_path: Path) -> None:
    lines, number, word = BAD[name]
    path = tmp_path / "bad.jsonl"
    path.write_text(as_text(*lines))
    done = run(str(path), "--json")
    assert done.returncode == 2
    assert f"line {number}" in done.stderr
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert "summary" not in done.stdout


def test_the_command_ends_with_2_without_a_trace(tmp_path: Path) -> None:
    done = run(str(tmp_path / "none.jsonl"), "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "none.jsonl" in done.stderr


def test_bytes_that_are_no_utf_8_are_named() -> None:
    with pytest.raises(TraceError, match="line 2: not JSON"):
        list(replay([json.dumps(TOPOLOGY).encode(), b'{"kind":"\xff"}'], Judge()))


def test_the_command_reads_standard_input_and_prints_json_lines_alone() -> None:
    trace = storm(4)
    done = run("-", "--json", stdin=as_text(*trace))
    assert (done.returncode, done.stderr) == (0, "")
    output = [json.loads(line) for line in done.stdout.splitlines()]
    assert output[-1]["kind"] == "summary"
    assert len(output) > 1
    assert check(trace, output) == []


def test_without_json_people_get_a_table() -> None:
    done = run(str(TRACES / "county_cut.jsonl"))
    assert done.returncode == 0
    assert "opened" in done.stdout
    assert "incidents" in done.stdout


@pytest.mark.parametrize("path", sorted(TRACES.glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_kept_storms_are_judged_as_they_were_meant(path: Path) -> None:
    trace = [json.loads(line) for line in path.read_text().splitlines()]
    output = json.loads(json.dumps(list(replay(path.read_text().splitlines(), Judge()))))
    assert check(trace, output) == []
    said = [f"{n['event']} {n['root'] or n['cluster']['value']} {n['affected']}" for n in output[:-1]]
    assert said == json.loads(path.with_suffix(".said.json").read_text())


def test_unknown_kinds_keys_and_empty_lines_are_passed_over() -> None:
    texts = ["", json.dumps(TOPOLOGY | {"colour": "blue"}), '{"kind":"weather"}', " "]
    texts.append('{"t":5,"kind":"round","asked":"all","silent":[],"mood":1,"facts":{"g1":{"way":"core","heat":3}}}')
    assert [number for number, _ in read(texts)] == [2, 5]


def test_a_trap_from_nowhere_is_passed_over_and_a_start_changes_no_notice() -> None:
    trace = storm(7)
    start = {"t": 0, "kind": "start", "at": "2026-09-01T08:00:00+08:00"}
    trap = {"t": 0, "kind": "trap", "node": "ghost", "trap": "linkDown"}
    assert list(replay(as_text(start, trace[0], trap, *trace[1:]).splitlines(), Judge())) == list(
        replay(as_text(*trace).splitlines(), Judge())
    )


def test_an_empty_trace_has_a_summary() -> None:
    (summary,) = replay([], Judge())
    assert summary == {"kind": "summary", "incidents": 0, "notices": 0, "down_seconds": {}, "unknown_seconds": {}}


def test_what_is_written_is_read_again() -> None:
    node = Node("g", ("p",), region="r", school="s", pupils=3, seen=False)
    lines = [
        Start(0.0, datetime(2026, 9, 1, tzinfo=UTC)),
        TopologyLine(0.0, (node, Node("p", None, probe=False, port=("g", "e0")), Node("k", edge=True))),
        RoundReport(5.0, ["g"], ["g"], zone="z", shard=3, tick=1, facts={"g": {"ports": {"e0": "down"}}}),
        MaintenanceLine(6.0, "g", 6.0, 9.0),
        TrapLine(7.0, "g", "linkDown"),
    ]
    out = io.StringIO()
    for line in lines:
        TraceWriter(out).write(line)  # type: ignore[arg-type]  # a list of several kinds
    again = [line for _, line in read(out.getvalue().splitlines())]
    assert [as_value(line) for line in again] == [as_value(line) for line in lines]  # type: ignore[arg-type]
    assert parse({"t": 1, "kind": "unheard of"}) is None
