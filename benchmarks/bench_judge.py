"""A million node reports through the judge: 13,000 nodes, 77 rounds, a county cut in between; and what live rounds cost.

Prints seconds of CPU, and the ratio to decoding the same lines with the standard library alone; then what judge, states and log cost the live
program at 13,000 gateways every 5 s, quiet and with a county cut and 200 that come and go in every round.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from province import Size, build

from collector.judge import Judge, Node
from collector.judging import Bench
from collector.ledger import Ledger
from collector.plan import Plan, build_plan
from collector.report import RoundReport
from collector.rounds.messages import ShardRound
from collector.trace import TopologyLine, as_value, replay
from inventory.database import Register
from inventory.models import utcnow

LIMIT_S, LIMIT_SHARE = 60.0, 0.1
"""A million node reports on one core; the judge of the live program, of a core."""

CITIES, COUNTIES, GATEWAYS, ROUNDS = 11, 117, 12_871, 77


def province(gateways: int = GATEWAYS) -> list[Node]:
    """A core, cities, counties, and gateways each in a school."""
    nodes = [Node("core", up=())]
    nodes += [Node(f"city{i}", up=("core",)) for i in range(CITIES)]
    nodes += [Node(f"county{i}", up=(f"city{i % CITIES}",)) for i in range(COUNTIES)]
    nodes += [
        Node(f"gateway{i}", up=(f"county{i % COUNTIES}",), school=f"s{i}", region=f"r{i % COUNTIES}", pupils=500)
        for i in range(gateways)
    ]
    return nodes


def trace(nodes: list[Node], shards: int) -> Iterator[str]:
    """Lines: rounds of all shards, with a county cut from the 20th round to the 40th and one gateway in a hundred out on its own."""
    yield json.dumps(as_value(TopologyLine(0, nodes)))
    ids = [node.id for node in nodes]
    asked = [ids[shard::shards] for shard in range(shards)]
    for tick in range(ROUNDS):
        for shard in range(shards):
            cut = 20 <= tick < 40
            silent = [
                n
                for n in asked[shard]
                if n.startswith("gateway")
                and ((cut and int(n[7:]) % COUNTIES == 3) or (int(n[7:]) % 100 == 1 and tick > 5))
            ]
            silent += ["county3"] if cut and "county3" in asked[shard] else []
            report = RoundReport(
                t=5.0 * tick + 5 + shard * 4 / shards, asked=asked[shard], silent=silent, shard=shard, tick=tick
            )
            yield json.dumps(report.as_line())


def main() -> None:
    """Run, and print."""
    nodes = province()
    for shards in (1, 20):
        lines = list(trace(nodes, shards))
        started = time.process_time()
        for line in lines:
            json.loads(line)
        decoded = time.process_time() - started
        started = time.process_time()
        output = list(replay(lines, Judge(follow=False)))
        judged = time.process_time() - started
        print(
            f"replay, {shards} shards: {len(nodes) * ROUNDS:,} node reports, {len(output) - 1} notices: {judged:.2f} s of CPU, "
            f"{judged / decoded:.1f} times the decoding alone ({decoded:.2f} s)"
        )
    share = bench_share()
    live(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    raise SystemExit(int(judged > LIMIT_S or share > LIMIT_SHARE))


def bench_share() -> float:
    """What the judge's thread of the live program does with 13,000 gateways: judge, states, outage log, incidents. The share of a core in the storm."""
    with tempfile.TemporaryDirectory() as folder:
        register = Register(f"sqlite:///{folder}/edunet.db", Path(folder) / "key")
        register.migrate()
        build(register, Size(GATEWAYS), seen=utcnow())
        plan = build_plan(register)
        register.close()
    ledger = Ledger()
    bench = Bench(ledger, "bench")
    bench.follow(plan, 1e9)
    every, ticks = 5.0, 60
    county = np.flatnonzero(np.arange(len(plan.targets)) >= 1 + CITIES + COUNTIES)[7::COUNTIES]
    shares = {}
    for phase, name in enumerate(("start", "quiet", "storm")):
        spent = 0.0
        for tick in range(ticks):
            number = phase * ticks + tick
            now = 1e9 + every * number
            silent = np.zeros(0, np.int64)
            if name == "storm":
                flapping = np.arange(200, 400) if tick // 2 % 2 else silent
                silent = np.unique(np.concatenate([county if 10 <= tick < 40 else silent, flapping])).astype(np.int64)
            begun = time.process_time()
            _round(bench, plan, number, now, silent)
            for look in range(10):  # the thread looks twice a second
                bench.step(now + 2 + look / 2)
            spent += time.process_time() - begun
            ledger.take(0.0)
        shares[name] = spent / (ticks * every)
    print(
        f"live program, {len(plan.targets):,} targets every 5 s, judge, states and log: {shares['quiet']:.4f} of a core, "
        f"{shares['storm']:.3f} in a storm (at most {LIMIT_SHARE})"
    )
    return shares["storm"]


def _round(bench: Bench, plan: Plan, tick: int, now: float, silent: np.ndarray) -> None:
    for zone, shard, group in plan.groups():
        mine = np.intersect1d(group, silent)
        bench.take(ShardRound(plan.version, zone, shard, tick, now, now + 1.5, 5.0, True, mine))


def live(gateways: int) -> None:
    """What the judge costs beside rounds of 5 s."""
    nodes = province(gateways)
    judge = Judge()
    judge.set_topology(0, nodes)
    asked = [tuple(node.id for node in nodes[shard::20]) for shard in range(20)]
    judge.drain_transitions()
    started, ticks = 0.0, 60
    for tick in range(ticks + 1):
        if tick == 1:  # the first round makes everything known
            judge.drain_transitions()
            started = time.process_time()
        for shard, ids in enumerate(asked):
            silent = [ids[-1], ids[-2]] if tick % 10 > 4 else []
            judge.take_round(RoundReport(5.0 * tick + shard * 0.2, ids, silent, shard=shard, tick=tick))
            judge.advance(5.0 * tick + shard * 0.2)
        judge.drain_transitions()
        judge.incidents()
    used = (time.process_time() - started) / (ticks * 5)
    print(f"live, {gateways:,} gateways every 5 s in 20 shards: {used:.4f} of a core")


if __name__ == "__main__":
    main()
