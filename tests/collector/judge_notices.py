"""An independent reading of REPLAY.md, notice by notice: form, order, root, figures, clusters, delays, down time."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from itertools import pairwise
from typing import Any

from judge_world import BLIND, DOWN, EPS, EXPLAINED, HELD, IN, INF, ROOT, UP, Scene, Value, World


def chained(roots: list[str], since: dict[str, float]) -> list[list[str]]:
    """`roots`, in order of their silence, cut where more than 60 s lie between two."""
    chains: list[list[str]] = []
    for m in roots:
        if chains and since[m] - since[chains[-1][-1]] <= 60:
            chains[-1].append(m)
        else:
            chains.append([m])
    return chains


class NoticeChecker:
    """Holds each notice, and the sums, against one trace. problems: what is wrong, in words."""

    def __init__(self, trace: list[Value], output: list[Value]) -> None:
        self.problems: list[str] = []
        self.judged_by: dict[tuple[str, int], set[str]] = {}
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
        known, floor = self.known_since(node, scene.cause[node], t, as_of=t - EPS)
        least = min(line.get("every", 5) for line in self.trace if line["kind"] == "round")
        if known > 30 + EPS and not self.was_flapping(node, t) and not self.late_news(node, t, scene):
            self.fail(f"opened {known} s after its cause", n)
        if floor < least - EPS:
            self.fail(f"opened only {floor} s after its cause", n)

    def late_news(self, node: str, t: float, scene: Scene) -> bool:
        """Whether a late word on it came at t: what it says may have been due long before, and could not be said sooner."""
        words = (word for n in self.watchers(node, scene.topology) for word in self.world.arrived[n])
        return any(abs(came - t) < 10 * EPS and said_t < t - 10 * EPS for came, said_t, _, _ in words)

    def was_flapping(self, node: str, t: float) -> bool:
        silences = [s for s in self.world.silences[node] if s <= t]
        return any(c - a <= 1200 for a, c in zip(silences, silences[2:], strict=False))

    def known_since(self, node: str, start: float, t: float, as_of: float) -> tuple[float, float]:
        """(seconds that surely count, by what had arrived at `as_of`; seconds since the cause), of maintenance and unknown time the later part only."""
        ends = [end for _, _, end in self.world.windows if end <= t]
        start_known = max(
            [start, *(end for end in ends if end >= start and self.world.in_maintenance(node, end - 2 * EPS))]
        )
        known, at = 0.0, start_known
        for scene in [s for s in self.world.scenes if start_known < s.at <= t] + [self.scene(t)]:
            stop = min(max(scene.at, at), t)
            if not self.maybe_unknown(node, at, stop, as_of):
                known += stop - at
            at = stop
        if not self.maybe_unknown(node, at, t, as_of):
            known += t - at
        return known, t - start

    def maybe_unknown(self, node: str, start: float, end: float, as_of: float = INF) -> bool:
        """Whether some of the time was unknown of the node, or of any by which it is judged, by what had arrived at `as_of`."""
        for n in self.watchers(node, self.scene(start).topology):
            times, words = self.world.words_as_of(n, as_of)
            for i in range(max(0, bisect_right(times, start) - 1), bisect_left(times, end)):
                t = times[i]
                word, every = words[t]
                until = times[i + 1] if i + 1 < len(times) else INF
                if word == BLIND and t < end and until > start:
                    return True
                if until - t > 3 * every + EPS and t + every < end and until > start:
                    return True
        return False

    def watchers(self, node: str, nodes: dict[str, Value]) -> set[str]:
        """By whom a node of a topology is judged: itself, what hangs under it, the device that its port is of."""
        key = node, id(nodes)
        if key not in self.judged_by:
            port = nodes.get(node, {}).get("port")
            below = {n for n in nodes if node in self.up_closure(n, nodes)}
            self.judged_by[key] = {node} | below | ({port[0]} if port else set())
        return self.judged_by[key]

    def up_closure(self, node: str, nodes: dict[str, Value]) -> set[str]:
        found: set[str] = set()
        todo = list(nodes[node].get("up") or ())
        while todo:
            up = todo.pop()
            if up not in found and up in nodes:
                found.add(up)
                todo += nodes[up].get("up") or ()
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
