"""Roots that have failed together: REPLAY.md, "Clusters"."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from collector.judge.roots import ROOT, Change, Roots
from collector.judge.topology import Layout
from collector.judge.values import GroupKey, Rules


@dataclass(frozen=True, slots=True)
class Found:
    """A cluster that is one: its group and its members."""

    group: GroupKey
    members: list[int]


class Groups:
    """The asked roots of each group, by when they fell silent."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.roots: dict[GroupKey, set[int]] = {}
        self.chains: dict[GroupKey, dict[int, list[int]]] = {}

    def forget_chains(self) -> None:
        """Who is free has changed, or may have with time: thousands that are due at once ask for the same chains, but only then."""
        self.chains.clear()

    def relayout(self, layout: Layout, roots: Roots) -> None:
        """Gather anew."""
        self.roots = {}
        self.forget_chains()
        for n in layout.order:
            if roots.kind[n] == ROOT:
                for group in layout.groups[n]:
                    self.roots.setdefault(group, set()).add(n)

    def follow(self, layout: Layout, change: Change) -> None:
        """Keep up with one change."""
        self.forget_chains()
        if change.kind == ROOT:
            for group in layout.groups[change.node]:
                self.roots.setdefault(group, set()).add(change.node)
        elif change.was == ROOT:
            for group in layout.groups[change.node]:
                self.roots.get(group, set()).discard(change.node)

    def find(self, layout: Layout, since: list[float], n: int, free: Callable[[int], bool]) -> Found | None:
        """The largest group in which enough have failed together with n. free: whether a root may be counted (not in maintenance, in no cluster)."""
        best: Found | None = None
        for group in layout.groups[n]:
            size, roots = layout.group_size[group], self.roots.get(group, set())
            if not self._enough(len(roots), size):
                continue
            chain = self._chains(group, free, since).get(n, [])
            if self._enough(len(chain), size) and (best is None or len(chain) > len(best.members)):
                best = Found(group, chain)
        return best

    def _enough(self, count: int, size: int) -> bool:
        return count >= self.rules.cluster_least and count >= self.rules.cluster_share * size - 1e-9

    def _chains(self, group: GroupKey, free: Callable[[int], bool], since: list[float]) -> dict[int, list[int]]:
        """Of each free root of a group, those that it is linked with by steps of at most `cluster_gap_s`."""
        chains = self.chains.get(group)
        if chains is None:
            chains = self.chains[group] = {}
            chain: list[int] = []
            for m in sorted((m for m in self.roots.get(group, ()) if free(m)), key=lambda m: (since[m], m)):
                if chain and since[m] - since[chain[-1]] > self.rules.cluster_gap_s:
                    chain = []
                chain.append(m)
                chains[m] = chain
        return chains

    def linked(self, times: Iterable[float], nodes: Iterable[int], since: list[float]) -> list[int]:
        """Those of `nodes` that are linked with silences of `times` by steps of at most `cluster_gap_s`: once forwards, once back, finds all."""
        reached = sorted(set(times))
        found: list[int] = []
        left = sorted(nodes, key=lambda m: (since[m], m))
        for _ in range(2):
            passed: list[int] = []
            for m in left:
                at = bisect_left(reached, since[m])
                if any(abs(since[m] - near) <= self.rules.cluster_gap_s for near in reached[max(0, at - 1) : at + 1]):
                    found.append(m)
                    if since[m] not in reached[at : at + 1]:
                        reached.insert(at, since[m])
                else:
                    passed.append(m)
            left = passed[::-1]
        return found

    def near(self, members: dict[int, float], since: float) -> bool:
        """Whether a silence of `since` is within reach of a member's."""
        return any(abs(since - silent) <= self.rules.cluster_gap_s for silent in members.values())
