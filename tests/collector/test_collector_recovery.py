"""What a start makes of incidents that the register holds open and the judge does not know any more."""

import numpy as np
import pytest
from collector_world import World

from collector.judging import Bench
from collector.ledger import Ledger
from collector.plan import build_plan
from collector.recovery import recover
from collector.rounds.messages import ShardRound
from collector.writer import write_batch


def run(world: World, bench: Bench, ledger: Ledger, memory: bool, silent: bool, ticks: range) -> None:
    """Rounds of which the first gateway is silent in; written as the writer does, with the judge's memory or as if the kill came before it."""
    plan = bench.plan
    assert plan is not None
    target = int(plan.node_target[plan.node_index[f"device:{world.ids['gw1']}"]])
    for tick in ticks:
        t = 1_000_000.0 + 5 * tick
        gone = np.array([target] if silent else [], np.int64)
        bench.take(ShardRound(plan.version, 0, 0, tick, t, t + 1, 5.0, True, gone))
        bench.step(t + 1)
    batch = ledger.take(0.0)
    if not memory:
        batch.memory.clear()
    with world.register.write() as session:
        write_batch(session, batch, {})


def started(world: World) -> tuple[Bench, Ledger]:
    ledger = Ledger()
    bench, found = Bench(ledger, "c"), recover(world.register)
    bench.restore(found.memory, found.nodes, found.schools, found.open_outages, found.stopped_at, outages=found.outages)
    bench.follow(build_plan(world.register), 1_000_500.0)
    return bench, ledger


def incidents(world: World) -> list[tuple[str, str]]:
    return [(key, status) for key, status in world.rows("SELECT key, status FROM incident ORDER BY id")]


def test_a_pending_incident_that_the_judge_has_forgotten_is_closed_and_its_number_is_not_given_again(
    world: World,
) -> None:
    world.school(1)
    bench, ledger = Bench(Ledger(), "c"), Ledger()
    bench.ledger = ledger
    bench.follow(build_plan(world.register), 1_000_000.0)
    run(world, bench, ledger, memory=True, silent=False, ticks=range(0, 2))
    run(world, bench, ledger, memory=False, silent=True, ticks=range(2, 4))
    ((first, status),) = incidents(world)
    assert status == "pending"
    again, ledger = started(world)
    run(world, again, ledger, memory=True, silent=True, ticks=range(110, 114))
    (closed, new) = incidents(world)
    assert closed == (first, "resolved")
    assert new[0] != first
    assert new[1] == "pending"
    assert world.rows("SELECT count(*) FROM notice") == [(0,)]
    run(world, again, ledger, memory=True, silent=True, ticks=range(114, 122))
    assert world.rows("SELECT event FROM notice") == [("opened",)]


def test_an_open_incident_is_told_as_ended_where_the_memory_is_lost(world: World) -> None:
    world.school(1)
    bench, ledger = Bench(Ledger(), "c"), Ledger()
    bench.ledger = ledger
    bench.follow(build_plan(world.register), 1_000_000.0)
    run(world, bench, ledger, memory=False, silent=False, ticks=range(0, 2))
    run(world, bench, ledger, memory=False, silent=True, ticks=range(2, 10))
    ((first, status),) = incidents(world)
    assert status == "open"
    again, ledger = started(world)
    run(world, again, ledger, memory=True, silent=False, ticks=range(110, 114))
    assert incidents(world) == [(first, "resolved")]
    assert world.rows("SELECT event FROM notice ORDER BY id") == [("opened",), ("resolved",)]


def test_what_the_judge_remembers_stays_open(world: World) -> None:
    world.school(1)
    bench, ledger = Bench(Ledger(), "c"), Ledger()
    bench.ledger = ledger
    bench.follow(build_plan(world.register), 1_000_000.0)
    run(world, bench, ledger, memory=True, silent=False, ticks=range(0, 2))
    run(world, bench, ledger, memory=True, silent=True, ticks=range(2, 10))
    again, ledger = started(world)
    run(world, again, ledger, memory=True, silent=True, ticks=range(110, 114))
    assert [status for _, status in incidents(world)] == ["open"]
    assert world.rows("SELECT event FROM notice") == [("opened",)]


def test_kills_that_follow_each_other_put_no_notice_off_what_was_seen_before_them_counts(world: World) -> None:
    world.school(1)
    bench, ledger = Bench(Ledger(), "c"), Ledger()
    bench.ledger = ledger
    bench.follow(build_plan(world.register), 1_000_000.0)
    run(world, bench, ledger, memory=True, silent=False, ticks=range(0, 2))
    run(world, bench, ledger, memory=True, silent=True, ticks=range(2, 4))
    ((first, status),) = incidents(world)
    assert status == "pending"
    again, ledger = started(world)
    run(world, again, ledger, memory=True, silent=True, ticks=range(110, 114))
    assert incidents(world) == [(first, "open")]
    ((since,),) = world.rows("SELECT from_at FROM incident")
    assert since.startswith("1970-01-12 13:46:51")


@pytest.mark.parametrize("together", [True, False])
def test_an_outage_that_ended_while_nobody_saw_is_one_whichever_shard_is_heard_first(
    world: World, together: bool
) -> None:
    """What is above the gateway is heard first, and gives it time to boot; its own shard says that it answers."""
    school = world.school(1)
    gateway = world.ids["gw1"]

    def rounds(bench: Bench, ledger: Ledger, ticks: range, silent: bool) -> None:
        plan = bench.plan
        assert plan is not None
        target = int(plan.node_target[plan.node_index[f"device:{gateway}"]])
        above = np.array([i for i in range(len(plan.target_node)) if i != target], np.int64)
        for tick in ticks:
            t = 1_000_000.0 + 5 * tick
            for asked in (above, np.array([target], np.int64)):
                gone = asked if silent else asked[:0]
                bench.take(ShardRound(plan.version, 0, 0, tick, t, t + 1, 5.0, True, gone, asked=asked))
                if not together:
                    bench.step(t + 1)
            bench.step(t + 1)
            with world.register.write() as session:
                write_batch(session, ledger.take(0.0), {})

    ledger = Ledger()
    bench = Bench(ledger, "c")
    bench.follow(build_plan(world.register), 1_000_000.0)
    rounds(bench, ledger, range(3), silent=False)
    rounds(bench, ledger, range(3, 10), silent=True)
    ledger = Ledger()
    again, found = Bench(ledger, "c"), recover(world.register)
    stopped_at = 1_000_047.0
    again.restore(found.memory, found.nodes, found.schools, found.open_outages, stopped_at, outages=found.outages)
    again.follow(build_plan(world.register), 1_000_060.0)
    rounds(again, ledger, range(13, 20), silent=False)
    for kind, number in (("device", gateway), ("school", school)):
        query = f"SELECT from_at, until_at, until_latest FROM outage WHERE kind = '{kind}' AND node_id = {number}"
        ((begin, end, latest),) = world.rows(query)
        assert begin.startswith("1970-01-12 13:46:56")
        # It ended at some time from the last that anybody saw to the first round after the start.
        assert "1970-01-12 13:47:20" < end <= (latest or end) <= "1970-01-12 13:47:46.000000"


def test_after_two_kills_on_end_the_bounds_of_an_outage_reach_back_to_what_was_last_seen(world: World) -> None:
    """The second start was killed before its first round: nobody saw the gateway since the first kill."""
    world.school(1)
    bench, ledger = Bench(Ledger(), "c"), Ledger()
    bench.ledger = ledger
    bench.follow(build_plan(world.register), 1_000_000.0)
    run(world, bench, ledger, memory=True, silent=False, ticks=range(0, 4))
    for stopped_at, next_start in ((1_000_017.0, 1_000_030.0), (1_000_037.0, 1_000_050.0)):
        ledger = Ledger()
        bench, found = Bench(ledger, "c"), recover(world.register)
        bench.restore(found.memory, found.nodes, found.schools, found.open_outages, stopped_at, outages=found.outages)
        bench.follow(build_plan(world.register), next_start)
        bench.step(next_start)
        with world.register.write() as session:
            write_batch(session, ledger.take(0.0), {})
    run(world, bench, ledger, memory=True, silent=True, ticks=range(11, 14))
    query = f"SELECT from_at, from_earliest FROM outage WHERE kind = 'device' AND node_id = {world.ids['gw1']}"
    assert world.rows(query) == [("1970-01-12 13:47:36.000000", "1970-01-12 13:46:57.000000")]
