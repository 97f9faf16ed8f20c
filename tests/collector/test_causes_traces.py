"""Each cause has a recorded storm in which it is right, and one in which nothing may be concluded (tests/collector/traces/causes)."""

import json
from pathlib import Path
from typing import Any

import pytest

from collector.causes.following import CauseFollower
from collector.judge import Judge
from collector.trace import replay
from inventory.causes import CAUSES, EVIDENCE, RULES, evidence_sentences

TRACES = sorted((Path(__file__).parent / "traces" / "causes").glob("*.jsonl"))


def _expected(trace: Path) -> dict[str, Any]:
    first: dict[str, Any] = json.loads(trace.read_text(encoding="utf-8").splitlines()[0])
    return first


def _run(trace: Path) -> list[dict[str, Any]]:
    return list(replay(trace.read_bytes().splitlines(), Judge(follow=False), [CauseFollower()]))


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.stem)
def test_a_storms_cause_is_the_one_that_a_person_would_name(trace: Path) -> None:
    expected = _expected(trace)
    words = [line for line in _run(trace) if line["kind"] == "cause" and line["root"] == expected["root"]]
    last = words[-1]
    assert (last["cause"], last["rule"]) == (expected["cause"], expected.get("rule", "")), (expected["why"], last)
    if expected["cause"] == "undetermined":
        assert last["confidence"] < 0.6 or len(last["evidence"]) > 1


@pytest.mark.parametrize("cause", sorted(CAUSES.keys() - {"undetermined"}))
def test_each_cause_has_a_storm_where_it_is_right_and_one_where_it_is_not_known(cause: str) -> None:
    expected = {trace.stem: _expected(trace)["cause"] for trace in TRACES}
    assert expected[cause] == cause
    assert expected[f"{cause}-undetermined"] == "undetermined"


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.stem)
def test_causes_change_no_notice_and_no_sum(trace: Path) -> None:
    alone = list(replay(trace.read_bytes().splitlines(), Judge(follow=False)))
    assert [line for line in _run(trace) if line["kind"] != "cause"] == alone


def test_all_evidence_of_the_storms_has_its_sentence_in_both_languages() -> None:
    seen = set()
    for trace in TRACES:
        for line in _run(trace):
            if line["kind"] != "cause":
                continue
            seen |= {piece["kind"] for piece in line["evidence"]}
            for lang in ("zh", "en"):
                said = evidence_sentences(line["evidence"], lang, line["cause"])
                assert len(said) == len(line["evidence"])
                assert all("{" not in sentence.text for sentence in said)
            if line["cause"] != "undetermined":
                assert "for" in {
                    sentence.side for sentence in evidence_sentences(line["evidence"], "en", line["cause"])
                }
    assert seen <= EVIDENCE.keys()
    assert len(seen) >= 12


def test_rules_and_evidence_have_the_names_that_the_register_knows() -> None:
    from collector.causes.weights import WEIGHTS

    assert WEIGHTS.keys() == EVIDENCE.keys()
    assert {weight.rule for weight in WEIGHTS.values()} - {""} <= RULES.keys()
    causes = {cause for weight in WEIGHTS.values() for cause in (*weight.supports, *weight.opposes)}
    assert causes == CAUSES.keys() - {"undetermined"}
