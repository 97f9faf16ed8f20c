"""Who is out, who explains it, whom it belongs to: REPLAY.md, "Roots" and "The hold".

A change is followed only as far as it matters: nodes are looked at again in the order of the topology, upstreams first, and
what hangs under one only if that one changed.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from collector.judge.topology import Layout

IN, ROOT, EXPLAINED, HELD = 0, 1, 2, 3
"""Kinds. IN: not known to be out. HELD: explained by an upstream that has come back; given time to boot."""


@dataclass(frozen=True, slots=True)
class Change:
    """Node `node` was (kind, root) and is (kind, root) now; root is a node number, -1 where the node is not out."""

    node: int
    was: int
    was_root: int
    kind: int
    root: int


class Roots:
    """Kind, root and since when, by node number. members: of each root, the silent asked nodes that belong to it, itself included."""

    def __init__(self, hold_s: float) -> None:
        self.hold_s = hold_s
        self.kind: list[int] = []
        self.root: list[int] = []
        self.since: list[float] = []
        self.silent: list[bool] = []
        self.silent_below: dict[int, int] = {}
        self.port_down: set[int] = set()
        self.held_until: dict[int, float] = {}
        self.members: dict[int, set[int]] = {}

    def grow(self, size: int) -> None:
        """Room for `size` nodes."""
        more = size - len(self.kind)
        self.kind += [IN] * more
        self.root += [-1] * more
        self.since += [0.0] * more
        self.silent += [False] * more

    def relayout(self, layout: Layout, silent: list[bool]) -> None:
        """Take a new layout; `settle` must follow with all of its nodes, and those that are gone. silent: asked nodes that are."""
        self.layout = layout
        self.silent = silent
        self.silent_below = {u: sum(silent[n] for n in nodes) for u, nodes in layout.dependants.items()}

    def hush(self, n: int, silent: bool) -> list[int]:
        """Asked node n falls silent, or answers. Returns the nodes to settle."""
        if self.silent[n] == silent:
            return [n]
        self.silent[n] = silent
        for up in self.layout.only[n]:
            self.silent_below[up] += 1 if silent else -1
        return [n, *(up for up in self.layout.only[n] if not self.layout.asked[up])]

    def see(self, n: int) -> list[int]:
        """Node n, under which nothing hangs, is asked from now on, and answers. Returns the nodes to settle."""
        for up in self.layout.only[n]:
            self.silent_below.setdefault(up, 0)
        return [n, *(up for up in self.layout.only[n] if not self.layout.asked[up])]

    def settle(self, dirty: Iterable[int], t: float) -> list[Change]:
        """Look again at `dirty` and all that follows. t: of the report, or of the end of a hold."""
        rank, children = self.layout.rank, self.layout.children
        heap = [(rank[n], n) for n in set(dirty)]
        heapq.heapify(heap)
        changes: list[Change] = []
        last = -1
        while heap:
            n = heapq.heappop(heap)[1]
            if n == last:
                continue
            last = n
            was, was_root, was_since = self.kind[n], self.root[n], self.since[n]
            kind, root = self._judge(n)
            if kind == HELD and was != HELD:
                self.held_until[n] = t + self.hold_s
            elif kind != HELD:
                self.held_until.pop(n, None)
            if kind != IN and was == IN:
                self.since[n] = t
            if (kind, root) == (was, was_root):
                continue
            self.kind[n], self.root[n] = kind, root
            changes.append(Change(n, was, was_root, kind, root))
            if (kind == IN) != (was == IN) or root != was_root or self.since[n] != was_since:
                for child in children[n]:
                    heapq.heappush(heap, (rank[child], child))
        self._count(changes)
        return changes

    def _judge(self, n: int) -> tuple[int, int]:
        layout, kind = self.layout, self.kind
        if layout.nodes[n] is None or layout.edge[n]:
            return IN, -1
        asked = layout.asked[n]
        if asked and not self.silent[n]:
            return IN, -1
        ups = layout.ups[n]
        if ups and all(kind[up] != IN for up in ups):
            return EXPLAINED, self.root[max(ups, key=self.since.__getitem__)]
        if not asked and not self.called_out(n):
            return IN, -1
        if kind[n] == EXPLAINED or (kind[n] == HELD and n in self.held_until):
            return HELD, self.root[n]
        return ROOT, n

    def called_out(self, n: int) -> bool:
        """Unasked node n is a root by its port's word, or by the silence of all that have it as their only way, two at least."""
        if n in self.port_down:
            return True
        below = len(self.layout.dependants.get(n, ()))
        return below >= 2 and self.silent_below[n] == below

    def release(self, n: int) -> None:
        """The hold of node n ends; settle it."""
        self.held_until.pop(n, None)

    def _count(self, changes: list[Change]) -> None:
        members, silent, asked = self.members, self.silent, self.layout.asked
        for change in changes:
            if change.was_root >= 0:
                belonged = members.get(change.was_root)
                if belonged is not None:
                    belonged.discard(change.node)
                    if not belonged:
                        del members[change.was_root]
            if change.root >= 0 and asked[change.node] and silent[change.node]:
                members.setdefault(change.root, set()).add(change.node)

    def recount(self) -> None:
        """Count all members anew: after a new layout, where nodes may have come to be asked, or not."""
        self.members = {}
        for n in self.layout.order:
            if self.kind[n] != IN and self.layout.asked[n] and self.silent[n]:
                self.members.setdefault(self.root[n], set()).add(n)
