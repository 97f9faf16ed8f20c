"""An independent reading of REPLAY.md: given a trace and what the judge said, name each rule that was broken.

Brute force throughout: after each line everything is worked out again from all words so far; nothing of `collector.judge` is used.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
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
            if t <= latest:
                self.untidy.add(node)
            self.words[node][t] = min(self.words[node].get(t, (word, every)), (word, every))
            if word == UP and node not in self.seen:
                self.seen.add(node)
        if good:
            for device, facts in line.get("facts", {}).items():
                for port, state in facts.get("ports", {}).items():
                    if t >= self.ports.get((device, port), (-INF, ""))[0]:
                        self.ports[device, port] = (t, state)
        self.settle(t)

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
        self.kind, self.root = kind, root
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


class Checker:
    """Holds one output against one trace. problems: what is wrong, in words."""

    def __init__(self, trace: list[Value], output: list[Value]) -> None:
        self.problems: list[str] = []
        self.world = World()
        self.trace = trace
        for line in trace:
            self.world.take(line)
        self.world.pass_to(self.world.now + EPS / 2)
        self.notices, self.summary = output[:-1], output[-1]
        self.end = max(line["t"] for line in trace if line["kind"] in ("topology", "round", "maintenance", "trap"))
        self.check_form()
        self.check_sequences()
        self.check_seconds()
        for notice in self.notices:
            self.check_notice(notice)
        self.check_coverage()
        self.check_patience()
        self.check_counts()
        self.check_flapping()

    def fail(self, words: str, notice: Value | None = None) -> None:
        self.problems.append(f"{words}: {notice}" if notice else words)

    def scene(self, t: float) -> Scene:
        return next(scene for scene in reversed(self.world.scenes) if scene.at <= t + EPS)

    # -- form

    def check_form(self) -> None:
        keys = {
            "t", "kind", "event", "incident", "root", "possible", "cluster", "affected", "schools", "pupils", "flapping",
            "merged_into",
        }  # fmt: skip
        for notice in self.notices:
            if set(notice) != keys or notice["kind"] != "notice":
                self.fail("keys", notice)
            if (notice["root"] is None) != (notice["cluster"] is not None):
                self.fail("neither root nor cluster, or both", notice)
        times = [notice["t"] for notice in self.notices]
        if times != sorted(times) or (times and times[-1] > self.end + EPS):
            self.fail("notices are not in order of t, or after the end")
        if self.summary["kind"] != "summary" or self.summary["notices"] != len(self.notices):
            self.fail("summary")
        opened = [n["incident"] for n in self.notices if n["event"] == "opened"]
        merged = [n for n in self.notices if n["merged_into"]]
        if len(set(opened)) != len(opened) or self.summary["incidents"] != len(opened) - len(merged):
            self.fail("incidents of the summary, or an id opened twice")

    def check_sequences(self) -> None:
        self.state: dict[str, str] = {}
        said: dict[str, Value] = {}
        updated: dict[str, float] = {}
        self.spans: list[tuple[str, str | None, Value | None, float, float]] = []
        began: dict[str, float] = {}
        for n in self.notices:
            before, key = self.state.get(n["incident"]), n["incident"]
            right = {"opened": [None], "updated": ["open"], "resolved": ["open"], "reopened": ["resolved"]}[n["event"]]
            if before not in right:
                self.fail(f"{n['event']} while {before}", n)
            if n["event"] in ("opened", "reopened"):
                began[key] = n["t"]
                if n["event"] == "reopened" and n["cluster"]:
                    self.fail("a cluster is not reopened", n)
            if n["event"] == "updated":
                if n["t"] - updated.get(key, -INF) < 60 - EPS:
                    self.fail("updated twice in 60 s", n)
                last = said[key]
                toggled = last["flapping"] != n["flapping"]
                if not toggled and 2 * abs(n["affected"] - last["affected"]) <= last["affected"]:
                    self.fail("updated without need", n)
                updated[key] = n["t"]
            if n["event"] == "resolved":
                last = said[key]
                if any(last[figure] != n[figure] for figure in ("affected", "schools", "pupils")):
                    self.fail("resolved does not repeat the figures", n)
                self.spans.append((key, n["root"], n["cluster"], began[key], n["t"]))
            if n["merged_into"] and self.state.get(n["merged_into"]) != "open":
                self.fail("merged into what is not open", n)
            closed = "merged" if n["merged_into"] else "resolved"
            self.state[key] = closed if n["event"] == "resolved" else "open"
            said[key] = n
        for key, state in self.state.items():
            if state == "open":
                self.spans.append((key, said[key]["root"], said[key]["cluster"], began[key], INF))

    # -- down time

    def check_seconds(self) -> None:
        down: dict[str, float] = defaultdict(float)
        unknown: dict[str, float] = defaultdict(float)
        words, started = self.all_words()
        for node, said in words.items():
            times = sorted(t for t in said if t >= started.get(node, -INF))
            for start, end in pairwise(times):
                word, every = said[start]
                known = every if end - start > 3 * every + EPS else end - start
                if word == BLIND:
                    unknown[node] += end - start
                else:
                    unknown[node] += end - start - known
                    down[node] += known if word == DOWN else 0
        for name, right in (("down_seconds", down), ("unknown_seconds", unknown)):
            said_s = self.summary[name]
            for node in said_s.keys() | right.keys():
                if abs(said_s.get(node, 0) - right.get(node, 0)) > 1e-3:
                    self.fail(f"{name} of {node}: {said_s.get(node, 0)}, not {right.get(node, 0)}")
                if node in said_s and said_s[node] <= 0:
                    self.fail(f"{name} of {node} is listed, and zero")

    def all_words(self) -> tuple[dict[str, dict[float, tuple[int, float]]], dict[str, float]]:
        """All words by node and t, and from when they count, of nodes that were not seen at first."""
        words: dict[str, dict[float, tuple[int, float]]] = defaultdict(dict)
        unseen: set[str] = set()
        known: dict[str, Value] = {}
        ever: set[str] = set()
        ticks: dict[Any, float] = {}
        for line in self.trace:
            if line["kind"] == "topology":
                known = {node["id"]: node for node in line["nodes"]}
                unseen |= {n for n, v in known.items() if n not in ever and not v.get("seen", True)}
                ever |= known.keys()
            if line["kind"] != "round":
                continue
            t = line["t"]
            if line.get("tick") is not None:
                t = ticks.setdefault((line.get("zone"), line.get("shard"), line["tick"]), t)
            for node in known if line["asked"] == "all" else line["asked"]:
                if node in known and known[node].get("probe", True):
                    word = (DOWN if node in line["silent"] else UP) if line.get("self_ok", True) else BLIND
                    new = (word, line.get("every", 5))
                    words[node][t] = min(words[node].get(t, new), new)
        started = {n: min((t for t, (w, _) in words[n].items() if w == UP), default=INF) for n in unseen}
        return words, started

    # -- notices

    def check_notice(self, n: Value) -> None:
        scene = self.scene(n["t"])
        if n["event"] in ("opened", "reopened", "updated"):
            if n["cluster"]:
                self.check_cluster(n, scene)
            else:
                self.check_root(n, scene)
        elif n["event"] == "resolved":
            self.check_resolved(n, scene)

    def check_root(self, n: Value, scene: Scene) -> None:
        node, t = n["root"], n["t"]
        kind = scene.kind.get(node)
        if not n["flapping"] and kind != ROOT and n["event"] != "updated":
            self.fail(f"{n['event']}, but the root is {kind}", n)
        if n["event"] != "updated":
            if kind not in (ROOT, IN):
                self.fail(f"{n['event']}, but the root is {kind}", n)
            if self.world.in_maintenance(node, t):
                self.fail("opened in maintenance", n)
        members = {m for m in scene.silent if scene.root.get(m) == node}
        self.check_figures(n, members, scene)
        if sorted(n["possible"]) != sorted(self.possible(node, scene)):
            self.fail(f"possible should be {self.possible(node, scene)}", n)
        silences = [s for s in self.world.silences[node] if s <= t]
        if n["flapping"] and not any(c - a <= 1200 for a, c in zip(silences, silences[2:], strict=False)):
            self.fail("flapping without three silences", n)
        if n["event"] in ("opened", "reopened") and kind == ROOT and not n["flapping"]:
            self.check_delay(n, scene)
        if n["event"] == "reopened":
            resolved = max(
                m["t"]
                for m in self.notices
                if m["incident"] == n["incident"] and m["event"] == "resolved" and m["t"] <= t
            )
            if scene.since[node] - resolved > 600 + EPS:
                self.fail("reopened after more than 10 minutes", n)
        if n["event"] == "opened" and kind == ROOT:
            closed = [m for m in self.notices if m["root"] == node and m["event"] == "resolved" and m["t"] <= t]
            if closed and not closed[-1]["merged_into"] and 0 <= scene.since[node] - closed[-1]["t"] <= 600:
                self.fail("should have been reopened", n)

    def check_delay(self, n: Value, scene: Scene) -> None:
        node, t = n["root"], n["t"]
        if node in self.world.untidy:
            return
        known, floor = self.known_since(node, scene.cause[node], t)
        least = min(line.get("every", 5) for line in self.trace if line["kind"] == "round")
        if known > 30 + EPS and not self.was_flapping(node, t):
            self.fail(f"opened {known} s after its cause", n)
        if floor < least - EPS:
            self.fail(f"opened only {floor} s after its cause", n)

    def was_flapping(self, node: str, t: float) -> bool:
        silences = [s for s in self.world.silences[node] if s <= t]
        return any(c - a <= 1200 for a, c in zip(silences, silences[2:], strict=False))

    def known_since(self, node: str, start: float, t: float) -> tuple[float, float]:
        """(seconds that surely count, seconds since the cause), of maintenance and unknown time the later part only."""
        ends = [end for _, _, end in self.world.windows if end <= t]
        start_known = max(
            [start, *(end for end in ends if end >= start and self.world.in_maintenance(node, end - 2 * EPS))]
        )
        known, at = 0.0, start_known
        for scene in [s for s in self.world.scenes if start_known < s.at <= t] + [self.scene(t)]:
            stop = min(max(scene.at, at), t)
            if not self.maybe_unknown(node, at, stop):
                known += stop - at
            at = stop
        if not self.maybe_unknown(node, at, t):
            known += t - at
        return known, t - start

    def maybe_unknown(self, node: str, start: float, end: float) -> bool:
        """Whether some of the time was unknown of the node, or of any by which it is judged."""
        watch = {node} | {n for n in self.world.nodes if node in self.up_closure(n)}
        port = self.world.nodes.get(node, {}).get("port")
        watch |= {port[0]} if port else set()
        for n in watch:
            words = self.world.words.get(n, {})
            times = sorted(words)
            for i, t in enumerate(times):
                word, every = words[t]
                until = times[i + 1] if i + 1 < len(times) else INF
                if word == BLIND and t < end and until > start:
                    return True
                if until - t > 3 * every + EPS and t + every < end and until > start:
                    return True
        return False

    def up_closure(self, node: str) -> set[str]:
        found: set[str] = set()
        todo = list(self.world.nodes[node].get("up") or ())
        while todo:
            up = todo.pop()
            if up not in found and up in self.world.nodes:
                found.add(up)
                todo += self.world.nodes[up].get("up") or ()
        return found

    def check_figures(self, n: Value, members: set[str], scene: Scene) -> None:
        cut = {scene.topology[m]["school"] for m in members if "school" in scene.topology[m]}
        cut -= {scene.topology[a].get("school") for a in scene.answering}
        pupils = sum(
            max(
                v.get("pupils", 0)
                for v in scene.topology.values()
                if v.get("school") == school and v.get("class") != "edge"
            )
            for school in cut
        )
        pupils += sum(scene.topology[m].get("pupils", 0) for m in members if "school" not in scene.topology[m])
        right = (len(members), len(cut), pupils)
        if (n["affected"], n["schools"], n["pupils"]) != right:
            self.fail(f"figures should be {right}", n)

    def possible(self, node: str, scene: Scene) -> list[str]:
        found: list[str] = []
        for up in scene.topology.get(node, {}).get("up") or ():
            found += self.unasked_above(up, scene)
        return [up for up in dict.fromkeys(found) if scene.kind[up] == IN and not self.answers_below(up, scene)]

    def unasked_above(self, up: str, scene: Scene) -> list[str]:
        if up in scene.asked or up not in scene.topology:
            return []
        return [up] + [n for further in scene.topology[up].get("up") or () for n in self.unasked_above(further, scene)]

    def answers_below(self, up: str, scene: Scene) -> bool:
        children = [n for n, v in scene.topology.items() if up in (v.get("up") or ()) and v.get("class") != "edge"]
        return any(n in scene.answering if n in scene.asked else self.answers_below(n, scene) for n in children)

    # -- clusters

    def group(self, cluster: Value, scene: Scene) -> set[str]:
        by, value = cluster["by"], cluster["value"]
        if by != "upstream":
            return {n for n in scene.asked if "up" not in scene.topology[n] and scene.topology[n].get(by) == value}
        world = World(nodes=scene.topology)
        return {n for n in scene.asked if value in world.only(n, scene.asked)}

    def check_cluster(self, n: Value, scene: Scene) -> None:
        group = self.group(n["cluster"], scene)
        if n["possible"] or n["flapping"]:
            self.fail("a cluster has no possible and does not flap", n)
        if n["event"] != "opened":
            return
        roots = sorted((m for m in group if scene.kind.get(m) == ROOT), key=lambda m: scene.since[m])
        roots = [m for m in roots if not self.world.in_maintenance(m, n["t"])]
        chains = chained(roots, scene.since)
        big = [chain for chain in chains if len(chain) >= 5 and 3 * len(chain) >= len(group)]
        belong = [sum(scene.root.get(s) in chain for s in scene.silent) for chain in big]
        if not big or (n["affected"] not in belong and not any(n["affected"] <= count for count in belong)):
            self.fail(f"no such cluster: {belong} of {len(group)}", n)

    # -- ends

    def check_resolved(self, n: Value, scene: Scene) -> None:
        node, t = n["root"], n["t"]
        if n["merged_into"]:
            into = next((m for m in self.notices if m["incident"] == n["merged_into"]), None)
            if into is None or into["t"] > t:
                self.fail("merged into what never was", n)
            elif node and not into["cluster"] and scene.kind.get(node) not in (EXPLAINED, HELD):
                self.fail(f"merged, but the root is {scene.kind.get(node)}", n)
            elif node and not into["cluster"] and scene.root.get(node) != into["root"]:
                self.fail(f"merged into the wrong one: {scene.root.get(node)}", n)
            return
        if node is None:
            return
        if node in scene.topology and scene.kind.get(node) != IN:
            self.fail(f"resolved, but the root is {scene.kind.get(node)}", n)
        elif node in scene.topology and not self.was_flapping(node, t) and node not in self.world.untidy:
            late = t - scene.changed[node]
            self.problems += [f"resolved {late} s after the answer: {n}"] if late > 120 + EPS else []

    def check_coverage(self) -> None:
        """At each scene: what should be open is; what should be resolved is; what is said is not stale."""
        for scene, following in zip(self.world.scenes, self.world.scenes[1:], strict=False):
            if following.at - scene.at < EPS:
                continue
            t = following.at - EPS
            for node, kind in scene.kind.items():
                own = [s for s in self.spans if s[1] == node and s[3] <= t < s[4]]
                if len(own) > 1:
                    self.fail(f"two incidents of {node} are open at {t}")
                if node in self.world.untidy or self.was_flapping(node, t):
                    continue
                if kind == ROOT and not own and not self.in_a_cluster(node, scene, t):
                    known, _ = self.known_since(node, scene.cause[node], t)
                    if known > 30 + EPS and not self.world.in_maintenance(node, t):
                        self.fail(f"{node} is a root since {scene.cause[node]}, and nothing is open at {t}")
                if kind == IN and own and t - scene.changed[node] > 120 + EPS:
                    self.fail(f"{node} answers since {scene.changed[node]}, and {own[0][0]} is open at {t}")

    def check_patience(self) -> None:
        """What must be said within a time of its becoming true, and staying so: `updated`, merges, clusters."""
        since: dict[tuple[str, ...], float] = {}
        for scene, following in pairwise(self.world.scenes):
            t = following.at - EPS
            if t < scene.at:
                continue
            true: dict[tuple[str, ...], float] = {}
            for key, node, _, start, end in self.spans:
                if not node or not start <= t < end or node in self.world.untidy or self.was_flapping(node, t):
                    continue
                kind = scene.kind.get(node)
                affected = sum(scene.root.get(m) == node for m in scene.silent)
                said = [n["affected"] for n in self.notices if n["incident"] == key and n["t"] <= t][-1]
                if kind == ROOT and 2 * abs(affected - said) > said:
                    true["updated", key, str(said)] = 60 + 30
                root = scene.root.get(node, "")
                other = [s for s in self.spans if s[1] == root and s[3] <= t < s[4]]
                if kind in (EXPLAINED, HELD) and scene.kind.get(root) == ROOT and other:
                    true["merged", key, other[0][0]] = 120
            for chain in self.chains(scene, t):
                true["one cluster", *sorted(chain)] = 35
            since = {claim: since.get(claim, scene.at) for claim in true}
            for claim, limit in true.items():
                if t - since[claim] > limit + EPS:
                    self.fail(f"should have been {claim} by {t}: true since {since[claim]}")

    def chains(self, scene: Scene, t: float) -> list[list[str]]:
        """Roots that should be one cluster, and are in none."""
        groups: dict[tuple[str, str], set[str]] = defaultdict(set)
        world = World(nodes=scene.topology)
        free = [
            n for n, kind in scene.kind.items()
            if kind == ROOT and n in scene.asked and n not in self.world.untidy and n not in scene.unknown
            and not self.world.in_maintenance(n, t) and not self.was_flapping(n, t) and not self.in_a_cluster(n, scene, t)
        ]  # fmt: skip
        if len(free) < 5:
            return []
        for n in scene.asked:
            for up in world.only(n, scene.asked):
                groups["upstream", up].add(n)
            for by in ("region", "operator", "model"):
                if "up" not in scene.topology[n] and by in scene.topology[n]:
                    groups[by, scene.topology[n][by]].add(n)
        found = []
        for members in groups.values():
            roots = sorted(members.intersection(free), key=lambda n: scene.since[n])
            for chain in chained(roots, scene.since):
                if len(chain) >= 5 and 3 * len(chain) >= len(members):
                    found.append(chain)
        return found

    def in_a_cluster(self, node: str, scene: Scene, t: float) -> bool:
        return any(
            cluster and start <= t < end and node in self.group(cluster, scene)
            for _, _, cluster, start, end in self.spans
        )

    def check_counts(self) -> None:
        """A flapping root costs at most 6 notices from its first silence on, unless `affected` made some more."""
        by_root: dict[str, list[Value]] = defaultdict(list)
        for n in self.notices:
            if n["root"]:
                by_root[n["root"]].append(n)
        for node, notices in by_root.items():
            for i, n in enumerate(notices):
                if not n["flapping"] or n["event"] == "resolved":
                    continue
                first = [s for s in self.world.silences[node] if s <= n["t"]][-3:][0]
                end = next((m for m in notices[i + 1 :] if not m["flapping"]), None)
                costs = [
                    m for m in notices
                    if first - 1200 <= m["t"] <= (end["t"] if end else INF) and m["t"] >= first and not m["merged_into"]
                ]  # fmt: skip
                updates = [m for m in costs if m["event"] == "updated" and not m["flapping"] and m is not end]
                if len(costs) - len(updates) > 6:
                    self.fail(f"{node} flapped for {len(costs)} notices", n)

    def check_flapping(self) -> None:
        """The first third silence within 20 minutes is said within 30 s, or when a minute has passed since the last `updated`."""
        for node, silences in self.world.silences.items():
            triple = next(((a, c) for a, c in zip(silences, silences[2:], strict=False) if c - a <= 1200), None)
            if triple is None or node in self.world.untidy or self.world.windows or triple[1] + 95 > self.end:
                continue
            first, third = triple
            scenes = [scene for scene in self.world.scenes if first <= scene.at <= third + 95]
            clustered = any(self.in_a_cluster(node, scene, scene.at) for scene in scenes)
            if any(scene.kind.get(node) not in (ROOT, IN) for scene in scenes) or clustered:
                continue
            if self.maybe_unknown(node, first, third + 95):
                continue
            updated = [
                n["t"] + 60 for n in self.notices if n["root"] == node and n["event"] == "updated" and n["t"] <= third
            ]
            limit = max([third + 30, *updated]) + EPS
            if not any(n["root"] == node and n["flapping"] and third <= n["t"] <= limit for n in self.notices):
                self.fail(f"{node} fell silent for the third time at {third}, and flapping was not said")


def chained(roots: list[str], since: dict[str, float]) -> list[list[str]]:
    """`roots`, in order of their silence, cut where more than 60 s lie between two."""
    chains: list[list[str]] = []
    for m in roots:
        if chains and since[m] - since[chains[-1][-1]] <= 60:
            chains[-1].append(m)
        else:
            chains.append([m])
    return chains


def check(trace: list[Value], output: list[Value]) -> list[str]:
    """What is wrong with `output`, in words; empty where nothing is."""
    return Checker(trace, output).problems
