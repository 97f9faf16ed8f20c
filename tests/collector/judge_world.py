"""The network of a trace as REPLAY.md has it, for `judge_checker.py`: who is out, who explains it, after each line.

Brute force throughout: after each line everything is worked out again from all words so far; nothing of `collector.judge` is used.
"""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

Value = dict[str, Any]
IN, ROOT, EXPLAINED, HELD = "in", "root", "explained", "held"
UP, DOWN, BLIND = 0, 1, 2
INF = float("inf")
EPS = 1e-6


@dataclass
class Scene:
    """What was true from `at` on, until the next scene."""

    at: float
    kind: dict[str, str]
    root: dict[str, str]
    silent: set[str]
    cause: dict[str, float]
    since: dict[str, float]
    topology: dict[str, Value]
    asked: set[str]
    answering: set[str]
    changed: dict[str, float]
    unknown: set[str]


@dataclass
class World:
    """The network as far as the lines so far tell."""

    nodes: dict[str, Value] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    words: dict[str, dict[float, tuple[int, float]]] = field(default_factory=lambda: defaultdict(dict))
    record: dict[str, dict[float, tuple[int, float]]] = field(default_factory=lambda: defaultdict(dict))
    arrived: dict[str, list[tuple[float, float, int, float]]] = field(default_factory=lambda: defaultdict(list))
    known: dict[tuple[str, int], tuple[list[float], dict[float, tuple[int, float]]]] = field(default_factory=dict)
    ports: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    ticks: dict[Any, float] = field(default_factory=dict)
    windows: list[tuple[str, float, float]] = field(default_factory=list)
    kind: dict[str, str] = field(default_factory=dict)
    root: dict[str, str] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    cause: dict[str, float] = field(default_factory=dict)
    changed: dict[str, float] = field(default_factory=dict)
    hold: dict[str, float] = field(default_factory=dict)
    untidy: set[str] = field(default_factory=set)
    silences: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    scenes: list[Scene] = field(default_factory=list)
    now: float = -INF

    # -- lines

    def take(self, line: Value) -> None:
        t = line.get("t", 0)
        if line["kind"] not in ("topology", "round", "maintenance", "trap", "start"):
            return
        self.pass_to(t)
        if line["kind"] == "topology":
            self.replace(line)
            self.settle(self.now)
        elif line["kind"] == "maintenance":
            self.windows.append((line["node"], line["from"], line["to"]))
        elif line["kind"] == "round":
            self.hear(line)

    def pass_to(self, t: float) -> None:
        while self.hold and min(self.hold.values()) < t:
            due = min(self.hold.values())
            self.now = max(self.now, due)
            for node in [n for n, until in self.hold.items() if until == due]:
                del self.hold[node]
            self.settle(due)
        self.now = max(self.now, t)

    def replace(self, line: Value) -> None:
        before = self.nodes
        self.nodes = {node["id"]: node for node in line["nodes"]}
        for gone in before.keys() - self.nodes.keys():
            self.seen.discard(gone)
            self.words.pop(gone, None)
            for memory in (self.kind, self.root, self.since, self.cause, self.changed, self.hold):
                memory.pop(gone, None)
        for node in self.nodes.values():
            if node.get("seen", True):
                self.seen.add(node["id"])

    def hear(self, line: Value) -> None:
        t = line["t"]
        if line.get("tick") is not None:
            t = self.ticks.setdefault((line.get("zone"), line.get("shard"), line["tick"]), t)
        asked = list(self.nodes) if line["asked"] == "all" else line["asked"]
        silent, every, good = set(line["silent"]), line.get("every", 5), line.get("self_ok", True)
        for node in asked:
            if node not in self.nodes or not self.nodes[node].get("probe", True):
                continue
            word = (DOWN if node in silent else UP) if good else BLIND
            latest = max((at for at, (w, _) in self.words[node].items() if w != BLIND), default=-INF)
            taken_back = word == UP and self.words[node].get(t, (UP, 0.0))[0] == DOWN
            if t <= latest and (taken_back or node not in self.seen):
                self.untidy.add(node)
            self.words[node][t] = min(self.words[node].get(t, (word, every)), (word, every))
            self.arrived[node].append((self.now, t, word, every))
            if word == UP and node not in self.seen:
                self.seen.add(node)
        if good:
            for device, facts in line.get("facts", {}).items():
                for port, state in facts.get("ports", {}).items():
                    if t >= self.ports.get((device, port), (-INF, ""))[0]:
                        self.ports[device, port] = (t, state)
        self.settle(t)

    def words_as_of(self, node: str, at: float) -> tuple[list[float], dict[float, tuple[int, float]]]:
        """(times in order, words) on a node that had arrived at `at`, also on one that is gone. Kept: the same are asked for again and again."""
        arrived = self.arrived.get(node, [])
        count = bisect_right(arrived, at, key=itemgetter(0))
        if (node, count) not in self.known:
            words: dict[float, tuple[int, float]] = {}
            for _, t, word, every in arrived[:count]:
                words[t] = min(words.get(t, (word, every)), (word, every))
            self.known[node, count] = sorted(words), words
        return self.known[node, count]

    def good(self, node: str) -> tuple[float, int] | None:
        words = [(t, word) for t, (word, _) in self.words[node].items() if word != BLIND]
        return max(words) if words else None

    def is_unknown(self, node: str, t: float) -> bool:
        if not self.words[node]:
            return False
        last = max(self.words[node])
        word, every = self.words[node][last]
        return word == BLIND or t > last + 3 * every + EPS

    # -- who is out

    def asked(self) -> set[str]:
        return {
            n for n, v in self.nodes.items() if v.get("probe", True) and n in self.seen and v.get("class") != "edge"
        }

    def ways(self, node: str, asked: set[str]) -> list[list[str]]:
        """All ways up, each through unasked nodes up to the first asked one."""
        found: list[list[str]] = []
        for up in self.nodes[node].get("up") or ():
            beyond = [] if up in asked else self.ways(up, asked)
            found += [[up, *way] for way in beyond] or [[up]]
        return found

    def only(self, node: str, asked: set[str]) -> set[str]:
        ways = self.ways(node, asked)
        return set.intersection(*map(set, ways)) if ways else set()

    def settle(self, t: float) -> None:
        asked = self.asked()
        silent = {n for n in asked if (word := self.good(n)) is not None and word[1] == DOWN}
        only = {n: self.only(n, asked) for n in asked}
        kind: dict[str, str] = {}
        root: dict[str, str] = {}
        todo = [n for n, v in self.nodes.items() if v.get("class") != "edge"]
        while todo:
            node = todo.pop(0)
            ups = [up for up in self.nodes[node].get("up") or () if up in self.nodes]
            if any(up not in kind for up in ups):
                todo.append(node)
                continue
            kind[node] = self.kind_of(node, ups, kind, asked, silent, only)
            self.note(node, kind[node], t)
            if kind[node] == EXPLAINED:
                root[node] = root[max(ups, key=lambda up: self.since[up])]
            elif kind[node] == HELD:
                root[node] = self.root[node]
            elif kind[node] == ROOT:
                root[node] = node
        self.kind, self.root = dict(kind), dict(root)
        self.scenes.append(
            Scene(
                self.now, kind, root, silent, dict(self.cause), dict(self.since), self.nodes, asked,
                {n for n in asked if (word := self.good(n)) is not None and word[1] == UP}, dict(self.changed),
                {n for n in self.nodes if self.is_unknown(n, self.now)},
            )
        )  # fmt: skip

    def kind_of(self, node: str, ups: list[str], kind: dict, asked: set, silent: set, only: dict) -> str:
        if node in asked and node not in silent:
            return IN
        if ups and all(kind[up] != IN for up in ups):
            return EXPLAINED
        if node not in asked:
            port = self.nodes[node].get("port")
            down = port is not None and self.ports.get(tuple(port), (0, "up"))[1] == "down"
            below = [n for n in asked if node in only[n]]
            if not down and not (len(below) >= 2 and all(n in silent for n in below)):
                return IN
        before = self.kind.get(node, IN)
        if before == EXPLAINED or (before == HELD and node in self.hold):
            return HELD
        return ROOT

    def note(self, node: str, kind: str, t: float) -> None:
        before = self.kind.get(node, IN)
        if kind == HELD and before != HELD:
            self.hold[node] = t + 300
        elif kind != HELD:
            self.hold.pop(node, None)
        if (kind == IN) != (before == IN):
            self.changed[node] = t
            if kind != IN:
                self.since[node] = t
        if kind == ROOT and before != ROOT:
            self.cause[node] = t
            if before == IN:
                self.silences[node].append(t)
        elif kind != ROOT:
            self.cause.pop(node, None)

    def in_maintenance(self, node: str, t: float) -> bool:
        if any(n == node and start <= t < end for n, start, end in self.windows):
            return True
        ups = [up for up in self.nodes.get(node, {}).get("up") or () if up in self.nodes]
        return bool(ups) and all(self.in_maintenance(up, t) for up in ups)
