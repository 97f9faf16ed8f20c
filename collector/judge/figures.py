"""Whom a failure reaches: affected nodes, schools, pupils, and what may be the cause as well."""

from collections.abc import Iterable

from collector.judge.roots import IN, Roots
from collector.judge.topology import Layout
from collector.judge.words import UP, Words


class Schools:
    """How many asked nodes of each school answer, and which those are."""

    def __init__(self) -> None:
        self.answering: dict[str, int] = {}
        self.counted: set[int] = set()

    def relayout(self, layout: Layout, words: Words) -> None:
        """Count anew."""
        self.answering = dict.fromkeys(layout.school_nodes, 0)
        self.counted = set()
        for nodes in layout.school_nodes.values():
            for n in nodes:
                if layout.asked[n]:
                    self.hear(layout, n, bool(words.good[n] == UP))

    def hear(self, layout: Layout, n: int, answers: bool) -> None:
        """Asked node n answers, or does not."""
        node = layout.nodes[n]
        if node is None or node.school is None or answers == (n in self.counted):
            return
        self.answering[node.school] += 1 if answers else -1
        (self.counted.add if answers else self.counted.discard)(n)


def schools_and_pupils(layout: Layout, schools: Schools, affected: Iterable[int]) -> tuple[int, int]:
    """(schools cut off, pupils of them and of affected nodes without a school)."""
    cut: set[str] = set()
    pupils = 0
    for n in affected:
        node = layout.nodes[n]
        if node is None:
            continue
        if node.school is None:
            pupils += node.pupils or 0
        elif not schools.answering[node.school]:
            cut.add(node.school)
    for school in cut:
        of_nodes = (layout.nodes[n] for n in layout.school_nodes[school])
        pupils += max((node.pupils or 0 for node in of_nodes if node is not None), default=0)
    return len(cut), pupils


def possible(layout: Layout, roots: Roots, words: Words, n: int) -> tuple[str, ...]:
    """Ids of the unasked nodes above root n that may as well be the cause: not known to be out, and no asked node under them answers."""
    found = []
    for up in layout.above_unasked(n):
        if roots.kind[up] == IN and not any(words.good[below] == UP for below in layout.below_asked(up)):
            found.append(layout.names.ids[up])
    return tuple(found)
