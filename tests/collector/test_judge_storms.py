"""Random storms held against an independent reading of REPLAY.md, and a judge that is stopped and goes on."""

import json
import random
from typing import Any

import pytest
from judge_checker import check
from judge_storms import disordered, lines

from collector.judge import Judge, Rules
from collector.trace import feed, read, replay


def judged(trace: list[dict[str, Any]], rules: Rules | None = None) -> list[dict[str, Any]]:
    output = list(replay(map(json.dumps, trace), Judge(rules)))
    return json.loads(json.dumps(output))


@pytest.mark.parametrize("seed", range(40))
def test_no_rule_is_broken_in_a_storm(seed: int) -> None:
    trace = lines(seed)
    assert check(trace, judged(trace)) == []


@pytest.mark.parametrize("seed", range(60, 80))
def test_no_rule_is_broken_when_all_arrives_in_order(seed: int) -> None:
    trace = lines(seed, calm=True)
    assert check(trace, judged(trace)) == []


TWINS = [200, 204, 206, 209, 212, 226, 700010, 700012, 700130, 700205, 700246, 700292, 800468, 810190, 810247]


@pytest.mark.parametrize("seed", [*TWINS, 50047])
def test_no_rule_is_broken_where_two_collectors_are_blind_by_turns(seed: int) -> None:
    """Copies that arrive late, also after a newer blind round. 50047 once made no notice of what such a copy had seen.

    Those from 700000 on once said it late: what a late copy had seen of a wait still stood as unknown.
    """
    trace = lines(seed, twins=seed in TWINS)
    assert check(trace, judged(trace)) == []


@pytest.mark.parametrize("seed", range(20))
def test_no_rule_is_broken_in_disorder(seed: int) -> None:
    """Rounds that come late, never, twice, without a tick, and others between them."""
    trace = disordered(seed)
    assert check(trace, judged(trace)) == []


@pytest.mark.parametrize(
    "broken",
    [
        Rules(hold_s=200),
        Rules(resolve_wait_s=150),
        Rules(open_wait_s=40, open_limit_s=40),
        Rules(open_wait_s=1, shard_slack_s=-30),
        Rules(cluster_least=4),
        Rules(cluster_least=9),
        Rules(reopen_s=100),
        Rules(gap_rounds=2),
        Rules(flap_silences=2),
        Rules(settle_s=300),
    ],
    ids=str,
)
def test_a_judge_with_another_rule_is_found_out(broken: Rules) -> None:
    assert any(check(trace, judged(trace, broken)) for trace in map(lines, range(20)))


@pytest.mark.parametrize("seed", range(100, 120))
def test_a_judge_restored_from_its_snapshot_goes_on_as_the_first_would_have(seed: int) -> None:
    texts = [json.dumps(line) for line in lines(seed)]
    whole = list(replay(texts, Judge()))
    rng = random.Random(seed)
    judge, output = Judge(), []
    cuts = set(rng.sample(range(len(texts)), k=min(8, len(texts))))
    for at, (_, line) in enumerate(read(texts)):
        feed(judge, line)
        output += [notice.as_line() for notice in judge.take_notices()] if at % 2 else []
        if at in cuts:
            judge = Judge.restore(json.loads(json.dumps(judge.snapshot(), allow_nan=False)))
    output += [notice.as_line() for notice in judge.advance(judge.now)]
    assert [*output, judge.summary()] == whole


@pytest.mark.parametrize("seed", range(130, 140))
def test_folding_old_rounds_changes_no_sum(seed: int) -> None:
    trace = lines(seed, calm=True)
    assert judged(trace, Rules(record_s=100)) == judged(trace)
