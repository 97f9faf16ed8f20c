"""An independent reading of REPLAY.md: given a trace and what the judge said, name each rule that was broken.

Brute force throughout: after each line everything is worked out again from all words so far; nothing of `collector.judge` is used.
The network is in `judge_world.py`, what each notice says in `judge_notices.py`.
"""

from collections import defaultdict
from itertools import pairwise

from judge_notices import NoticeChecker, chained
from judge_world import EPS, EXPLAINED, HELD, IN, INF, ROOT, Scene, Value, World


class Checker(NoticeChecker):
    """And what should have been said and was not, and what was said too often."""

    def __init__(self, trace: list[Value], output: list[Value]) -> None:
        super().__init__(trace, output)
        self.check_coverage()
        self.check_patience()
        self.check_counts()
        self.check_flapping()

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
                    known, _ = self.known_since(node, scene.cause[node], t, as_of=t)
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
            if self.maybe_unknown(node, first, third + 95) or self.maybe_unknown(node, third, third + 30, third + 30):
                continue  # also what was unknown when it was due, though a late copy saw it
            updated = [
                n["t"] + 60 for n in self.notices if n["root"] == node and n["event"] == "updated" and n["t"] <= third
            ]
            limit = max([third + 30, *updated]) + EPS
            if not any(n["root"] == node and n["flapping"] and third <= n["t"] <= limit for n in self.notices):
                self.fail(f"{node} fell silent for the third time at {third}, and flapping was not said")


def check(trace: list[Value], output: list[Value]) -> list[str]:
    """What is wrong with `output`, in words; empty where nothing is."""
    return Checker(trace, output).problems
