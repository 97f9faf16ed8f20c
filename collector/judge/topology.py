"""The topology as arrays: who hangs under whom, by which only way, in which groups.

Nodes have dense numbers that last for the judge's life: a node that goes and comes back keeps its own.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from collector.judge.values import GroupKey, Node, TopologyError

ATTRIBUTES = ("region", "operator", "model")


class Names:
    """Dense numbers for node ids; a number is never given twice."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.number: dict[str, int] = {}

    def add(self, node_id: str) -> int:
        """The number of `node_id`, a new one where it has none."""
        number = self.number.get(node_id)
        if number is None:
            number = self.number[node_id] = len(self.ids)
            self.ids.append(node_id)
        return number

    def __len__(self) -> int:
        return len(self.ids)


def check(nodes: Sequence[Node], names: Names) -> list[Node]:
    """`nodes`, upstreams before what hangs under them. Raises TopologyError: an id given twice, unknown in `up` or `port`, a loop."""
    by_id: dict[str, Node] = {}
    for node in nodes:
        if node.id in by_id:
            raise TopologyError(node.id, "given twice in one topology")
        by_id[node.id] = node
    children: dict[str, list[Node]] = {}
    missing: dict[str, int] = {}
    for node in nodes:
        for other in (*(node.up or ()), *((node.port[0],) if node.port else ())):
            if other not in by_id and other not in names.number:
                raise TopologyError(other, f"unknown id, named by {node.id}")
        above = {up for up in node.up or () if up in by_id}
        missing[node.id] = len(above)
        for up in above:
            children.setdefault(up, []).append(node)
    ready = deque(node for node in nodes if not missing[node.id])
    ordered: list[Node] = []
    while ready:
        node = ready.popleft()
        ordered.append(node)
        for child in children.get(node.id, ()):
            missing[child.id] -= 1
            if not missing[child.id]:
                ready.append(child)
    if len(ordered) < len(nodes):
        raise TopologyError(_on_a_loop(by_id, missing), "is upstream of itself")
    return ordered


def _on_a_loop(by_id: dict[str, Node], missing: dict[str, int]) -> str:
    """An id on a loop: going up among those that could not be ordered must come round."""
    here = next(node_id for node_id, count in missing.items() if count)
    passed: set[str] = set()
    while here not in passed:
        passed.add(here)
        here = next(up for up in by_id[here].up or () if missing.get(up))
    return here


class Layout:
    """One topology, worked out. All lists are indexed by node number; nodes that are gone have `nodes[n]` None.

    ups[n]: upstreams that are there, None where nothing is known of the way. rank: upstreams come before what hangs under them.
    asked[n]: `probe`, seen, and not edge. only[n]: of a node that is not edge, the nodes that all its ways lead through, directly or through
    unasked ones. dependants[u]: the asked nodes that have u in `only`. groups[n]: of an asked node; group_size: asked nodes of each.
    """

    def __init__(self, ordered: Sequence[Node], names: Names) -> None:
        self.names = names
        self.packed: dict[str, str] = {}  # for snapshots: worked out once (collector/judge/memory.py)
        size = len(names)
        self.order = [names.number[node.id] for node in ordered]
        self.nodes: list[Node | None] = [None] * size
        self.ups: list[tuple[int, ...] | None] = [None] * size
        self.children: list[list[int]] = [[] for _ in range(size)]
        self.rank = [0] * size
        self.edge = [False] * size
        self.port_nodes: dict[tuple[str, str], list[int]] = {}
        self.school_nodes: dict[str, list[int]] = {}
        for rank, (n, node) in enumerate(zip(self.order, ordered, strict=True)):
            self.nodes[n], self.rank[n], self.edge[n] = node, rank, node.edge
            if node.port:
                self.port_nodes.setdefault(node.port, []).append(n)
            if node.school is not None and not node.edge:
                self.school_nodes.setdefault(node.school, []).append(n)
        for n, node in zip(self.order, ordered, strict=True):
            self.ups[n] = self._upstreams(node)
            if not node.edge:
                for up in self.ups[n] or ():
                    self.children[up].append(n)
        self.asked: list[bool] = [False] * size

    def _upstreams(self, node: Node) -> tuple[int, ...] | None:
        """A way that only leads to nodes that are gone is not known any more."""
        if node.up is None:
            return None
        numbers = dict.fromkeys(self.names.number[up] for up in node.up)
        there = tuple(n for n in numbers if self.nodes[n] is not None)
        return there if there or not node.up else None

    def work_out(self, seen: Sequence[bool]) -> None:
        """Fill in all that follows from who has been seen: `asked`, `only`, `dependants`, groups."""
        self.only: list[tuple[int, ...]] = [()] * len(self.nodes)
        self.dependants: dict[int, list[int]] = {}
        self.groups: list[tuple[GroupKey, ...]] = [()] * len(self.nodes)
        self.group_size: dict[GroupKey, int] = {}
        for n in self.order:
            node = self.nodes[n]
            assert node is not None
            self.asked[n] = node.probe and seen[n] and not node.edge
            if node.edge:
                continue
            self.only[n] = self._only_ways(n)
            if self.asked[n]:
                self._enrol(n, node)

    def see(self, n: int) -> bool:
        """Node n has answered for the first time. False: something hangs under it, and `work_out` must follow."""
        node = self.nodes[n]
        assert node is not None
        if self.children[n]:
            return False
        if not node.edge:
            self.asked[n] = True
            self._enrol(n, node)
        return True

    def _enrol(self, n: int, node: Node) -> None:
        """Asked node n depends on its only ways, and belongs to its groups."""
        for up in self.only[n]:
            self.dependants.setdefault(up, []).append(n)
        self.groups[n] = tuple(self._groups_of(n, node))
        for group in self.groups[n]:
            self.group_size[group] = self.group_size.get(group, 0) + 1

    def _only_ways(self, n: int) -> tuple[int, ...]:
        ways: list[tuple[int, ...]] = []
        for up in self.ups[n] or ():
            ways.append((up,) if self.asked[up] or self.edge[up] else (up, *self.only[up]))
        if not ways:
            return ()
        first, rest = ways[0], [set(way) for way in ways[1:]]
        return tuple(up for up in first if all(up in way for way in rest))

    def _groups_of(self, n: int, node: Node) -> Iterable[GroupKey]:
        for up in self.only[n]:
            yield "upstream", self.names.ids[up]
        if node.up is None:
            for by in ATTRIBUTES:
                value = getattr(node, by)
                if value is not None:
                    yield by, value

    def above_unasked(self, n: int) -> list[int]:
        """Unasked nodes above `n`, directly or through other unasked ones, nearest first."""
        found: dict[int, None] = {}
        todo = deque(self.ups[n] or ())
        while todo:
            up = todo.popleft()
            if up not in found and not self.asked[up] and not self.edge[up]:
                found[up] = None
                todo.extend(self.ups[up] or ())
        return list(found)

    def below_asked(self, n: int) -> Iterable[int]:
        """Asked nodes under unasked `n`, directly or through other unasked ones."""
        passed: set[int] = {n}
        todo = [n]
        while todo:
            for child in self.children[todo.pop()]:
                if child in passed:
                    continue
                passed.add(child)
                if self.asked[child]:
                    yield child
                else:
                    todo.append(child)
