"""`edunet replay --rules`: what would have been sent to whom."""

import importlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from collector.telling.rulebook import RulebookError, read_rulebook, region_path
from edunet.main import app

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "rules.toml"
COUNTIES = ("140105", "140106", "140212")


def _storm(path: Path) -> None:
    """Three counties of 60 schools. A county is cut for 10 minutes; later 90 unrelated schools of all counties at once, for 20 minutes."""
    nodes: list[dict[str, Any]] = [{"id": "core", "up": []}]
    gateways = []
    for county in COUNTIES:
        nodes.append({"id": f"agg-{county}", "up": ["core"], "region": county, "class": "aggregation"})
        for number in range(60):
            name = f"gw-{county}-{number}"
            gateways.append(name)
            node = {"id": name, "up": [f"line-{county}-{number}"], "class": "gateway", "school": f"s-{name}"}
            nodes.append({"id": f"line-{county}-{number}", "up": [f"agg-{county}"], "probe": False, "region": county})
            nodes.append({**node, "region": county, "pupils": 100 + number})
    cut = [f"agg-{COUNTIES[0]}", *(name for name in gateways if COUNTIES[0] in name)]
    others = random.Random(1).sample([name for name in gateways if name[-1] in "13579"], 60)
    lines: list[dict[str, Any]] = [
        {"t": 0, "kind": "start", "at": "2026-09-01T10:00:00+08:00"},
        {"t": 0, "kind": "topology", "nodes": nodes},
    ]
    for t in range(5, 4000, 5):
        silent = cut if 100 <= t < 700 else others[: (t - 1400) // 70] if 1500 <= t < 3000 else []
        lines.append({"t": t, "kind": "round", "asked": "all", "silent": silent})
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")


def _replay(*arguments: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["replay", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("storm") / "storm.jsonl"
    _storm(path)
    return path


def test_without_rules_there_are_no_messages(storm: Path) -> None:
    lines = _replay(str(storm))
    assert {line["kind"] for line in lines} == {"notice", "summary"}
    with_rules = [line for line in _replay(str(storm), "--rules", str(EXAMPLE)) if line["kind"] == "notice"]
    assert with_rules == [line for line in lines if line["kind"] == "notice"]


def test_a_storm_tells_each_level_what_it_is_for(storm: Path) -> None:
    lines = _replay(str(storm), "--rules", str(EXAMPLE))
    messages = [line for line in lines if line["kind"] == "message"]
    assert lines[-1]["messages"] == len(messages)
    assert [line["t"] for line in lines[:-1]] == sorted(line["t"] for line in lines[:-1])
    opened = {line["incident"]: line for line in lines if line["kind"] == "notice" and line["event"] == "opened"}
    county = next(key for key, line in opened.items() if line["root"] == "agg-140105")
    by_outlet: dict[str, list[tuple[float, str]]] = {}
    for message in messages:
        for one in message["incidents"]:
            if one["incident"] == county:
                by_outlet.setdefault(message["outlet"], []).append((message["t"], one["event"]))
    assert {"小店区值班群", "太原市值班群", "省中心", "短信"} == set(by_outlet)
    for heard in by_outlet.values():
        assert [event for _, event in heard] == ["opened", "resolved"]
        assert heard[0][0] <= 100 + 30
    mail = next(message for message in messages if message["outlet"] == "省中心")
    assert "60 schools" in mail["text"]
    assert all("140212" not in json.dumps(m, ensure_ascii=False) for m in messages if m["outlet"] == "小店区值班群")


def test_rates_and_sizes_are_kept_and_what_is_told_ends(storm: Path) -> None:
    messages = [line for line in _replay(str(storm), "--rules", str(EXAMPLE)) if line["kind"] == "message"]
    for outlet in {message["outlet"] for message in messages}:
        mine = [message for message in messages if message["outlet"] == outlet]
        times = [message["t"] for message in mine]
        assert all(sum(first <= t < first + 60 for t in times) <= 20 for first in times)
        told: dict[str, list[str]] = {}
        for message in mine:
            for one in message["incidents"]:
                told.setdefault(one["incident"], []).append(one["event"])
        assert told
        for events in told.values():
            assert len(events) <= 5
            assert events[-1] == "resolved"
            assert events.count("resolved") == 1
    assert all(len(m["text"].encode()) <= 2048 for m in messages if m["outlet"] == "小店区值班群")
    assert any(len(message["incidents"]) > 1 for message in messages)


def test_other_delays_send_other_messages(storm: Path, tmp_path: Path) -> None:
    patient = tmp_path / "patient.toml"
    patient.write_text("[[rule]]\ndelay_s = 3600\n", encoding="utf-8")
    assert [line for line in _replay(str(storm), "--rules", str(patient)) if line["kind"] == "message"] == []
    hasty = tmp_path / "hasty.toml"
    hasty.write_text("[judge]\nopen_wait_s = 0.0\n", encoding="utf-8")
    messages = [line for line in _replay(str(storm), "--rules", str(hasty)) if line["kind"] == "message"]
    assert messages[0]["outlet"] == "all"
    assert messages[0]["t"] < 130


def test_an_acknowledgement_can_be_tried(storm: Path, tmp_path: Path) -> None:
    rules = """
    [[step]]
    level = "county"
    [[step]]
    level = "province"
    after_minutes = 2
    [[outlet]]
    name = "county"
    region = "140105"
    [[outlet]]
    name = "province"
    """
    promise = '\n[[acknowledge]]\nnode = "agg-140105"\nat = 150\nuntil = 500\n'
    when = {}
    for name, text in (("without", rules), ("with", rules + promise)):
        path = tmp_path / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        lines = _replay(str(storm), "--rules", str(path))
        told = [one for one in lines if one["kind"] == "message" and one["outlet"] == "province"]
        when[name] = told[0]["t"]
    assert 200 < when["without"] < 260
    assert when["with"] == 500


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[rule]]\ndelay = 5", "[[rule]] number 1: 'delay' is not known there"),
        ("[[rule]]\n[[rule]]\nclasses = ['town']", "[[rule]] number 2: classes: 'town'"),
        ("[[silence]]\nnode = 'c'", "needs an end"),
        ("[[outlet]]\nname='a'\n[[outlet]]\nname='a'", "same name"),
        ("[judge]\nhold = 5", "'hold' is none of"),
        ("[judge]\nflap_silences = 2.5", "whole number"),
        ("[[rules]]", "'rules' is none of"),
        ("timezone = 'Nowhere'", "no such time zone"),
        ("x = ", "Invalid"),
        ("[calendar]\n[[calendar.hours]]\nspans = ['8-9']", "hours"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(storm: Path, tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["replay", str(storm), "--rules", str(path)])
    assert result.exit_code == 2
    assert words in result.stderr, result.stderr


def test_the_example_holds_the_rules_that_edunet_comes_with() -> None:
    book = read_rulebook(EXAMPLE.read_text(encoding="utf-8"))
    shipped = importlib.import_module("inventory.migrations.versions.0007_who_is_told")
    assert [
        (sorted(rule.classes), sorted(rule.kinds), rule.times, rule.least_schools, rule.least_pupils, rule.raise_by)
        for rule in book.rules
    ] == [
        (
            sorted(rule.get("classes", [])),
            sorted(rule.get("kinds", [])),
            rule.get("times", "any"),
            rule.get("least_schools", 0),
            rule.get("least_pupils", 0),
            rule.get("raise_by", 0),
        )
        for rule in shipped.RULES
    ]
    assert [(rule.delay_s, rule.night) for rule in book.rules] == [
        (rule.get("delay_s"), rule.get("night", "")) for rule in shipped.RULES
    ]
    assert {(step.level, step.severity, step.after_s / 60) for step in book.steps} == set(shipped.STEPS)


def test_regions_of_the_rules_are_paths_of_codes() -> None:
    assert region_path("140105") == "/14/1401/140105/"
    assert region_path("140100") == "/14/1401/"
    assert region_path("140000") == "/14/"
    assert region_path("") == ""
    with pytest.raises(RulebookError):
        read_rulebook("[[outlet]]\nlevel = 'village'")
