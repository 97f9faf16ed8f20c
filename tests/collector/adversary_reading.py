"""A second reading of REPLAY.md's "Roots" and "The hold", by brute force: everything is worked out anew for each line.

Knows nothing of the judge, nor of judge_checker.py. Slow: for small storms.
"""

import random
from collections.abc import Iterator
from typing import Any

Value = dict[str, Any]
NOTHING = (float("-inf"), "none")
HOLD_S = 300.0


class Reading:
    """Who is out, and why. kind: in, explained, held, root."""

    def __init__(self, nodes: list[Value]) -> None:
        self.node = {node["id"]: node for node in nodes}
        self.seen = {node["id"]: node.get("seen", True) for node in nodes}
        self.word: dict[str, tuple[float, str]] = {}
        self.port: dict[tuple[str, str], tuple[float, str]] = {}
        self.kind = dict.fromkeys(self.node, "in")
        self.root: dict[str, str | None] = dict.fromkeys(self.node)
        self.since: dict[str, float] = {}
        self.held_until: dict[str, float] = {}
        self.order: list[str] = []
        while len(self.order) < len(nodes):
            self.order += [n for n in self.node if n not in self.order and set(self.ups(n)) <= set(self.order)]

    def ups(self, n: str) -> list[str]:
        return self.node[n].get("up") or []

    def edge(self, n: str) -> bool:
        return self.node[n].get("class") == "edge"

    def asked(self, n: str) -> bool:
        return self.node[n].get("probe", True) and self.seen[n] and not self.edge(n)

    def answers(self, n: str) -> bool:
        return self.asked(n) and self.word.get(n, NOTHING)[1] == "up"

    def silent(self, n: str) -> bool:
        return self.asked(n) and self.word.get(n, NOTHING)[1] == "down"

    def is_only_way(self, way: str, n: str) -> bool:
        """Directly, or through unasked nodes."""
        ups = self.ups(n)
        return bool(ups) and all(up == way or (not self.asked(up) and self.is_only_way(way, up)) for up in ups)

    def called_out(self, n: str) -> bool:
        """By its own silence, its port's word, or the silence of all that have it as their only way."""
        if self.asked(n):
            return self.silent(n)
        port = self.node[n].get("port")
        if port and self.port.get((port[0], port[1]), NOTHING)[1] == "down":
            return True
        below = [k for k in self.order if self.asked(k) and self.is_only_way(n, k)]
        return len(below) >= 2 and all(self.silent(k) for k in below)

    def settle(self, t: float, ended: frozenset[str] = frozenset()) -> None:
        """All nodes anew, upstreams first. ended: those whose hold ends at t."""
        for n in self.order:
            if self.edge(n):
                continue
            was, (kind, root) = self.kind[n], self.judge(n, ended)
            if kind == "held" and was == "explained":
                self.held_until[n] = t + HOLD_S
            elif kind != "held":
                self.held_until.pop(n, None)
            if was == "in":
                self.since[n] = t
            self.kind[n], self.root[n] = kind, root

    def judge(self, n: str, ended: frozenset[str]) -> tuple[str, str | None]:
        ups, called = self.ups(n), self.called_out(n)
        if self.asked(n) and not called:
            return "in", None
        if ups and all(self.kind[up] != "in" for up in ups):
            return "explained", self.root[max(ups, key=lambda up: self.since[up])]
        if not called:
            return "in", None
        if self.kind[n] == "explained" or (self.kind[n] == "held" and n not in ended):
            return "held", self.root[n]
        return "root", n

    def pass_to(self, t: float) -> None:
        """Holds that end by t."""
        while self.held_until and (first := min(self.held_until.values())) <= t:
            self.settle(first, frozenset(n for n, until in self.held_until.items() if until == first))

    def hear(self, line: Value) -> None:
        """A good round."""
        t = line["t"]
        self.pass_to(t)
        for n in self.order if line["asked"] == "all" else line["asked"]:
            said = (t, "down" if n in line["silent"] else "up")
            if self.node[n].get("probe", True) and self.word.get(n, NOTHING) < said:
                self.word[n] = said
                self.seen[n] = self.seen[n] or said[1] == "up"
        for device, facts in line.get("facts", {}).items():
            for name, state in facts["ports"].items():
                self.port[device, name] = max(self.port.get((device, name), NOTHING), (t, state))
        self.settle(t)

    def figures(self, root: str) -> tuple[int, int, int]:
        """(affected, schools, pupils) of a root."""
        affected = [n for n in self.order if self.silent(n) and self.root[n] == root]
        schools = {self.node[n]["school"] for n in affected if "school" in self.node[n]}
        pupils = sum(self.node[n].get("pupils", 0) for n in affected if "school" not in self.node[n])
        cut = 0
        for school in schools:
            its = [n for n in self.order if self.node[n].get("school") == school and not self.edge(n)]
            if not any(self.answers(n) for n in its):
                cut += 1
                pupils += max(self.node[n].get("pupils", 0) for n in its)
        return len(affected), cut, pupils

    def possible(self, root: str) -> set[str]:
        """Unasked nodes above a root that may as well be it."""
        above: set[str] = set()
        todo = self.ups(root).copy()
        while todo:
            if not self.asked(up := todo.pop()):
                above.add(up)
                todo += self.ups(up)
        return {n for n in above if self.kind[n] == "in" and not any(self.answers(k) for k in self.asked_below(n))}

    def asked_below(self, n: str) -> Iterator[str]:
        for k in self.order:
            if n in self.ups(k) and not self.edge(k):
                yield from [k] if self.asked(k) else self.asked_below(k)


def disagreements(lines: list[Value], notices: list[Value]) -> list[str]:
    """What is wrong with notices about single roots: of one that is none, other figures, other `possible`, never said. No windows, nothing blind."""
    reading, left, wrong = Reading(lines[0]["nodes"]), notices.copy(), []
    root_since: dict[str, float] = {}
    is_open: dict[str | None, bool] = {}
    for line in lines[1:]:
        while left and left[0]["t"] < line["t"]:
            notice = left.pop(0)
            is_open[notice["root"]] = notice["event"] != "resolved"
            reading.pass_to(notice["t"])
            wrong += [f"{word}: {notice}" for word in _wrong_with(reading, notice)]
        reading.hear(line)
        for n in reading.order:
            if reading.kind[n] != "root":
                root_since.pop(n, None)
            elif line["t"] - root_since.setdefault(n, line["t"]) > 30 and not (is_open.get(n) or is_open.get(None)):
                wrong.append(f"{line['t']}: {n}, a root since {root_since[n]}, was never opened")
    return wrong


def _wrong_with(reading: Reading, notice: Value) -> Iterator[str]:
    root = notice["root"]
    if root is None or notice["event"] == "resolved":
        return
    if reading.kind[root] != "root" and not notice["flapping"] and notice["event"] != "updated":
        yield f"is {reading.kind[root]}"
    if reading.figures(root) != (notice["affected"], notice["schools"], notice["pupils"]):
        yield f"figures {reading.figures(root)}"
    if reading.possible(root) != set(notice["possible"]):
        yield f"possible {reading.possible(root)}"


def _nodes(draw: random.Random) -> list[Value]:
    """Any acyclic network: unasked, unseen and edge nodes, several ways, unknown ways, ports of whatever device."""
    nodes: list[Value] = []
    for i in range(draw.randint(5, 14)):
        above = [node["id"] for node in nodes if node.get("class") != "edge"]
        node: Value = {"id": f"n{i}"}
        if draw.random() > 0.07:
            ways = draw.choice([0, 1, 1, 1, 1, 1, 2, 2, 3])
            node["up"] = draw.sample(above, min(len(above), ways))
        kind: Value = draw.choice([{}, {}, {}, {}, {}, {"probe": False}, {"probe": False}, {"seen": False}])
        node |= {"class": "edge"} if i > 3 and draw.random() < 0.08 else kind
        node |= {"school": f"s{draw.randint(0, 3)}"} if draw.random() < 0.5 else {}
        node |= {"pupils": draw.randint(1, 9) * 100} if draw.random() < 0.5 else {}
        nodes.append(node)
    for node in nodes:
        if node.get("probe") is False and draw.random() < 0.4:
            node["port"] = [draw.choice(nodes)["id"], draw.choice("ab")]
    draw.shuffle(nodes)
    return nodes


def storm(seed: int) -> list[Value]:
    """A trace: one or two shards that share nodes, silences that begin together, ports that go down and up."""
    draw = random.Random(seed)
    nodes = _nodes(draw)
    probed = [node["id"] for node in nodes if node.get("probe", True)]
    begins = [draw.randint(2, 80) * 5 for _ in range(4)]
    silent: dict[str, list[tuple[int, int]]] = {n: [] for n in probed}
    for n in probed:
        t = draw.choice(begins) + draw.choice([0, 0, 5, 20])
        for _ in range(draw.choice([0, 1, 1, 2])):
            silent[n].append((t, t + draw.choice([10, 30, 60, 120, 300, 500, 900])))
            t = silent[n][-1][1] + draw.choice([5, 60, 300, 700])
    for node in nodes:
        if node.get("seen") is False and node["id"] in silent:
            silent[node["id"]].append((0, draw.choice([0, 50, 300, 2000])))
    ports = {
        tuple(node["port"]): (draw.randint(2, 100) * 5, draw.randint(100, 300) * 5) for node in nodes if "port" in node
    }
    shards: list[list[str]] = [probed] if draw.random() < 0.5 else [draw.sample(probed, (len(probed) + 1) // 2), probed]
    lines: list[Value] = []
    for t in range(5, draw.choice([700, 1500]), 5):
        for shard, asked in enumerate(shards):
            at = t + 2 * shard
            gone = [n for n in asked if any(a <= at < b for a, b in silent[n])]
            facts: Value = {}
            for (device, name), (down, up) in ports.items():
                words = facts.setdefault(device, {"ports": {}})["ports"]
                words[name] = "down" if down <= at < up else "up"
            lines.append(
                {
                    "t": at,
                    "kind": "round",
                    "asked": asked,
                    "silent": gone,
                    "self_ok": True,
                    "shard": shard,
                    "facts": facts,
                }
            )
    return [{"t": 0, "kind": "topology", "nodes": nodes}, *lines]
