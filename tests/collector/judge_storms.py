"""Random storms: small networks with all that a trace may hold. A seed makes always the same trace.

`python tests/collector/judge_storms.py SEED [--calm | --disordered]` prints one.
"""

import json
import random
import sys
from dataclasses import dataclass, field
from typing import Any

Value = dict[str, Any]


@dataclass
class Storm:
    """What is true in a made-up network: spans in which nodes do not answer, and ports are down."""

    nodes: list[Value]
    end: float
    silent: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    ports: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=dict)

    def answers(self, node: str, t: float) -> bool:
        return not any(start <= t < end for start, end in self.silent.get(node, ()))


def tree(rng: random.Random) -> list[Value]:
    """A core, counties, lines with ports, townships that are never asked, gateways of schools, cameras, nodes of unknown way."""
    nodes: list[Value] = [{"id": "core", "up": []}]
    counties = [f"c{i}" for i in range(rng.randint(1, 3))]
    nodes += [{"id": county, "up": ["core"]} for county in counties]
    above = list(counties)
    for i in range(rng.randint(0, 4)):
        nodes.append({"id": f"p{i}", "up": [rng.choice(above)], "probe": False})
        above.append(f"p{i}")
    for i in range(rng.randint(3, 14)):
        name, ups = f"g{i}", [rng.choice(above)]
        if rng.random() < 0.25:
            lines = [f"l{i}a", f"l{i}b"][: rng.randint(1, 2)]
            for number, line in enumerate(lines):
                nodes.append({"id": line, "up": [rng.choice(above)], "probe": False, "port": [name, f"e{number}"]})
            ups = lines
        elif rng.random() < 0.2:
            ups = list(dict.fromkeys([*ups, rng.choice(above)]))
        gateway: Value = {"id": name, "up": ups, "school": f"s{i // 2}", "pupils": rng.choice([100, 200, 500])}
        if rng.random() < 0.15:
            del gateway["school"]
        if rng.random() < 0.1:
            gateway["seen"] = False
        nodes.append(gateway)
        if rng.random() < 0.3:
            nodes.append({"id": f"sw{i}", "up": [name], "school": f"s{i // 2}"})
        if rng.random() < 0.3:
            nodes.append({"id": f"cam{i}", "up": [name], "class": "edge", "school": f"s{i // 2}"})
    for i in range(rng.choice([0, 6, 9])):
        nodes.append({"id": f"w{i}", "operator": rng.choice(["unicom", "mobile"]), "region": "140100", "pupils": 50})
    rng.shuffle(nodes)
    return nodes


def fail(rng: random.Random, storm: Storm) -> None:
    """Cuts, flapping, power of several at once, lines down."""
    asked = [node["id"] for node in storm.nodes if node.get("probe", True)]
    for _ in range(rng.randint(1, 6)):
        start = rng.uniform(0.1, 0.8) * storm.end
        node = rng.choice(asked)
        kind = rng.random()
        if kind < 0.25:
            _flap(rng, storm, node, start)
        elif kind < 0.5:
            _power(rng, storm, start)
        elif kind < 0.65:
            for other in rng.sample(asked, k=min(len(asked), rng.randint(2, 9))):
                _cut(rng, storm, other, start + rng.uniform(0, 40))
        else:
            _cut(rng, storm, node, start)
            below = [n["id"] for n in storm.nodes if node in (n.get("up") or ()) and n.get("probe", True)]
            until = storm.silent[node][-1][1]
            for other in below:
                storm.silent.setdefault(other, []).append(
                    (start + rng.uniform(-4, rng.choice([4, 4, 200])), until + rng.choice([0, 3, 60, 280, 400]))
                )
    for node in storm.nodes:
        if "port" in node and rng.random() < 0.4:
            start = rng.uniform(0.1, 0.8) * storm.end
            storm.ports.setdefault(tuple(node["port"]), []).append((start, start + rng.uniform(10, 400)))


def _power(rng: random.Random, storm: Storm, start: float) -> None:
    """What many have in common fails, and is no node; some come late, some fall silent once more."""
    common = rng.choice(["c0", "c1", "140100", "140100"])
    asked = [node for node in storm.nodes if node.get("probe", True) and node.get("class") != "edge"]
    those = [node["id"] for node in asked if common in (node.get("up") or ()) or node.get("region") == common]
    share, until = rng.choice([0.5, 0.8, 1]), start + rng.choice([50, 150, 400])
    for other in those:
        if rng.random() < share:
            silent = storm.silent.setdefault(other, [])
            silent.append((start + rng.uniform(0, rng.choice([5, 30, 120])), until + rng.uniform(0, 90)))
            if rng.random() < 0.2:
                silent.append((until + 120, until + rng.choice([140, 300])))


def _cut(rng: random.Random, storm: Storm, node: str, start: float) -> None:
    storm.silent.setdefault(node, []).append((start, start + rng.choice([6, 25, 70, 150, 400, 900])))


def _flap(rng: random.Random, storm: Storm, node: str, start: float) -> None:
    for _ in range(rng.randint(2, 12)):
        end = start + rng.choice([7, 15, 40, 90])
        storm.silent.setdefault(node, []).append((start, end))
        start = end + rng.choice([7, 15, 50, 100, 140])


def lines(seed: int, calm: bool = False, twins: bool = False) -> list[Value]:
    """A whole trace. calm: one shard in order, nothing late, twice or blind, no window, one topology.

    twins: two collectors ask everything with the same ticks, the second of them later, each with blind times of its own.
    """
    rng = random.Random(seed)
    storm = Storm(tree(rng), end=rng.choice([400.0, 900.0, 1800.0]))
    fail(rng, storm)
    every = rng.choice([5, 5, 5, 10, 20])
    shards = 1 if calm else rng.choice([1, 1, 2, 3])
    asked = [node["id"] for node in storm.nodes if node.get("probe", True)]
    arrivals: list[tuple[float, Value]] = [(-1.0, {"t": 0, "kind": "topology", "nodes": storm.nodes})]
    blind = (
        []
        if calm
        else [(s, s + rng.uniform(5, 80)) for s in (rng.uniform(0, storm.end) for _ in range(rng.choice([0, 0, 1, 2])))]
    )
    untidy = 0.0 if calm else rng.choice([0.0, 0.0, 0.05, 0.3])
    eyes = Eyes.drawn(random.Random(f"{seed} eyes"), storm.end, every)
    for shard in range(shards):
        mine: Any = "all" if shards == 1 and rng.random() < 0.5 else asked[shard::shards]
        if shards > 1 and not calm and rng.random() < 0.3:
            mine = sorted({*mine, *rng.sample(asked, k=min(3, len(asked)))})
        t, tick = every + shard * every / shards / 2, 0
        while t <= storm.end:
            line = one_round(storm, mine, asked, round(t, 3))
            line |= {"zone": "z", "shard": shard, "tick": tick, "every": every, "collector": "a"}
            line["self_ok"] = not any(start <= t <= end for start, end in blind)
            if twins:
                arrive_twice(random.Random(f"{seed} {shard} {tick}"), arrivals, line, eyes, storm)
            else:
                spoil(rng, arrivals, line, untidy, every)
            t, tick = t + every + (0 if calm else rng.choice([0, 0, 0, 0.25])), tick + 1
    if not calm:
        extra(rng, storm, arrivals, asked)
    return [line for _, line in sorted(arrivals, key=lambda arrival: arrival[0])]


def one_round(storm: Storm, mine: Any, asked: list[str], t: float) -> Value:
    """What one collector would say."""
    ids = asked if mine == "all" else mine
    silent = [node for node in ids if not storm.answers(node, t)]
    line: Value = {"t": t, "kind": "round", "asked": mine, "silent": silent}
    facts: Value = {}
    for (device, port), spans in storm.ports.items():
        if device in ids and device not in silent:
            state = "down" if any(start <= t < end for start, end in spans) else "up"
            facts.setdefault(device, {"ports": {}})["ports"][port] = state
    return line | ({"facts": facts} if facts else {})


def spoil(rng: random.Random, arrivals: list[tuple[float, Value]], line: Value, untidy: float, every: float) -> None:
    """Let a round arrive: in time, late, twice, or never."""
    t = line["t"]
    if rng.random() >= untidy:
        arrivals.append((t, line))
        return
    kind = rng.random()
    if kind < 0.3:
        arrivals.append((t + rng.choice([0.5, 2, every * 1.5, 60]), line))
    elif kind < 0.8:
        arrivals.append((t, line))
        twin = line | {"collector": "b", "t": t + 0.5, "self_ok": rng.random() < 0.7}
        twin["silent"] = [node for node in line["silent"] if rng.random() < 0.8]
        arrivals.append((t + rng.choice([0.5, 0.7, every + 1]), twin))


@dataclass
class Eyes:
    """Of two collectors: when each is blind, how much later each report arrives, how often it is lost."""

    blind: list[list[tuple[float, float]]]
    lag: list[float]
    lost: float

    @classmethod
    def drawn(cls, rng: random.Random, end: float, every: float) -> "Eyes":
        spans = [[(s, s + rng.choice([every, 30, 60, 150])) for s in _times(rng, end)] for _ in range(2)]
        return cls(
            spans, [0.0, rng.choice([0.3, every / 2, 1.3 * every, 2.6 * every, 6 * every])], rng.choice([0.0, 0.1, 0.4])
        )


def _times(rng: random.Random, end: float) -> list[float]:
    return [rng.uniform(0, end) for _ in range(rng.randint(1, 6))]


def arrive_twice(
    rng: random.Random, arrivals: list[tuple[float, Value]], line: Value, eyes: Eyes, storm: Storm
) -> None:
    """One round of a shard as two collectors report it; the second may see what the first does not, and the other way round."""
    for number, (blind, lag) in enumerate(zip(eyes.blind, eyes.lag, strict=True)):
        if rng.random() < eyes.lost:
            continue
        t = round(line["t"] + 0.25 * number, 3)
        copy = line | {"t": t, "collector": "ab"[number], "self_ok": not any(start <= t <= end for start, end in blind)}
        if number and rng.random() < 0.2:
            copy["silent"] = [node for node in line["silent"] if rng.random() < 0.9]
        arrivals.append((t + lag, copy))


def extra(rng: random.Random, storm: Storm, arrivals: list[tuple[float, Value]], asked: list[str]) -> None:
    """Windows, traps, another topology, unknown kinds."""
    for _ in range(rng.choice([0, 0, 1, 2])):
        t = rng.uniform(0, storm.end)
        node = rng.choice(storm.nodes)["id"]
        arrivals.append((t, {"t": t, "kind": "maintenance", "node": node, "from": t, "to": t + rng.uniform(20, 500)}))
    if rng.random() < 0.3:
        t = rng.uniform(0.3, 0.7) * storm.end
        gone = rng.choice(storm.nodes)["id"]
        kept = [node for node in storm.nodes if node["id"] != gone]
        kept = [
            node
            | ({"up": [up for up in node["up"] if up != gone] or ["core"]} if gone in (node.get("up") or ()) else {})
            for node in kept
        ]
        if gone != "core" and not any(node.get("port", [""])[0] == gone for node in kept):
            arrivals.append((t, {"t": t, "kind": "topology", "nodes": kept}))
    t = rng.uniform(0, storm.end)
    arrivals.append((t, {"t": t, "kind": "weather", "sky": "grey"}))
    arrivals.append((t, {"t": t, "kind": "trap", "node": rng.choice(asked), "trap": "linkDown"}))


@dataclass
class Disorder:
    """How a trace is disordered: shares of rounds that come late, never, twice; whose rounds have no tick; whether keys with their defaults are missing."""

    late: float
    lost: float
    twice: float
    extra: float
    without_tick: set[str]
    bare: bool

    @classmethod
    def drawn(cls, rng: random.Random) -> "Disorder":
        shares = [rng.choice(of) for of in ([0, 0.05, 0.3], [0, 0, 0.1, 0.3], [0, 0.1], [0, 0.1])]
        return cls(*shares, rng.choice([set(), {"a"}, {"b"}, {"a", "b"}]), rng.random() < 0.3)


def disordered(seed: int) -> list[Value]:
    """A storm of `lines` of which rounds come later still, not at all, or twice, and others, of a few nodes and without a tick, come between."""
    rng = random.Random(f"disorder {seed}")
    trace, how = lines(seed, twins=rng.random() < 0.5), Disorder.drawn(rng)
    one_shard = len({line["shard"] for line in trace if line["kind"] == "round"}) == 1
    arrivals: list[tuple[float, Value]] = []
    now = -1.0
    for line in trace:
        now = max(now, line["t"])
        if line["kind"] != "round":
            arrivals.append((now, line))
        elif rng.random() >= how.lost:
            at = now + (rng.choice([0.3, 2, 7, 20, 45, 100, 400]) if rng.random() < how.late else 0)
            plain = _plain(line, how, one_shard)
            arrivals.append((at, plain))
            if rng.random() < how.twice:
                arrivals.append((at + rng.choice([0, 0.2, 6, 30]), dict(plain)))
            if rng.random() < how.extra and line["asked"] != "all" and line["asked"]:
                arrivals.append(_between(rng, line, at))
    return [line for _, line in sorted(arrivals, key=lambda arrival: arrival[0])]


def _plain(line: Value, how: Disorder, one_shard: bool) -> Value:
    """Without keys that may be missing."""
    gone = {"tick"} if line["collector"] in how.without_tick else set()
    if how.bare:
        gone |= {"self_ok"} if line["self_ok"] else set()
        gone |= {"zone", "shard"} if one_shard else set()
        gone |= {"every"} if line["every"] == 5 else set()
    return {key: value for key, value in line.items() if key not in gone}


def _between(rng: random.Random, line: Value, at: float) -> tuple[float, Value]:
    """A round of a few nodes, as a trap makes one."""
    asked = rng.sample(line["asked"], k=min(len(line["asked"]), rng.randint(1, 3)))
    t = round(line["t"] + rng.choice([0.1, 1, 2.5]), 3)
    silent = [node for node in asked if node in line["silent"]]
    return max(at, t), {"t": t, "kind": "round", "asked": asked, "silent": silent, "every": line["every"]}


if __name__ == "__main__":
    make = disordered if "--disordered" in sys.argv else lines
    for value in make(int(sys.argv[1]), **({"calm": True} if "--calm" in sys.argv else {})):
        print(json.dumps(value))
