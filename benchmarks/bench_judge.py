"""A million node reports through the judge: 13,000 nodes, 77 rounds, a county cut in between; and what live rounds cost.

Prints seconds of CPU, and the ratio to decoding the same lines with the standard library alone.
"""

import json
import sys
import time
from collections.abc import Iterator

from collector.judge import Judge, Node
from collector.report import RoundReport
from collector.trace import TopologyLine, as_value, replay

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
    live(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)


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
