"""What late reports correct of the outage log: a school with several gateways was cut off while none of them answered."""

import numpy as np
import pytest
from collector_world import World

from collector.judging import Bench
from collector.ledger import Ledger
from collector.plan import build_plan
from collector.report import RoundReport
from collector.rounds.messages import ShardRound
from collector.spans import spans_together
from collector.writer import write_batch
from inventory.models import DeviceKind

BEGIN = 1_000_000.0


def written(world: World, ledger: Ledger) -> None:
    with world.register.write() as session:
        write_batch(session, ledger.take(0.0), {})


def cut_off(world: World, kind: str, number: int) -> list[tuple[float, float]]:
    """Outages of one thing, in seconds from the first round."""
    seconds = "(julianday({0}) - 2440587.5) * 86400 - 1000000"
    query = f"SELECT {seconds.format('from_at')}, {seconds.format('until_at')} FROM outage WHERE kind = '{kind}' AND node_id = {number} ORDER BY from_at"
    return [(round(start), round(end)) for start, end in world.rows(query)]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({}, [(50, 105)]),
        ({"b": range(12, 15)}, [(50, 60), (75, 105)]),
        ({"a": range(10, 15), "b": range(15, 21)}, []),
        ({"a": range(10, 12), "b": range(18, 21)}, [(60, 90)]),
    ],
)  # fmt: skip
def test_a_school_with_two_gateways_was_cut_off_while_neither_answered(
    world: World, seen: dict[str, range], expected: list[tuple[float, float]]
) -> None:
    school = world.school(1)
    world.device("gw1b", DeviceKind.gateway, world.ids["site1"], "2.101")
    ledger = Ledger()
    bench = Bench(ledger, "c")
    plan = build_plan(world.register)
    bench.keep_record(600.0)  # as the collector does where there are vantage points
    bench.follow(plan, BEGIN)
    nodes = {"a": f"device:{world.ids['gw1']}", "b": f"device:{world.ids['gw1b']}"}
    targets = np.array([int(plan.node_target[plan.node_index[node]]) for node in nodes.values()], np.int64)
    for tick in range(30):
        t = BEGIN + 5 * tick
        gone = np.sort(targets) if 10 <= tick < 21 else targets[:0]
        bench.take(ShardRound(plan.version, 0, 0, tick, t, t + 1, 5.0, True, gone))
        bench.step(t + 1)
        written(world, ledger)
    (before,) = cut_off(world, "school", school)
    zone = str(plan.targets.zones[0].name)
    for which, ticks in seen.items():
        for tick in ticks:
            report = RoundReport(BEGIN + 5 * tick, [nodes[which]], [], collector="v", zone=zone, shard=0, tick=tick)
            bench.judge.take_round(report)
    bench.step(BEGIN + 155)
    written(world, ledger)
    shift = before[0] - 50
    assert cut_off(world, "school", school) == [(start + shift, end + shift) for start, end in expected]


def test_records_are_joined_as_a_school_is_judged() -> None:
    a = ((0.0, 10.0, "up"), (10.0, 40.0, "down"), (40.0, 50.0, "unknown"))
    b = ((5.0, 20.0, "down"), (20.0, 30.0, "up"), (30.0, 60.0, "down"))
    together = ((5.0, 10.0, "up"), (10.0, 20.0, "down"), (20.0, 30.0, "up"), (30.0, 40.0, "down"), (40.0, 50.0, "unknown"))  # fmt: skip
    assert spans_together([a, b]) == together
    assert spans_together([a]) == a
    assert spans_together([a, ()]) == ()
    assert spans_together([a, ((50.0, 60.0, "up"),)]) == ()
