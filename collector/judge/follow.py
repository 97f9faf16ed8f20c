"""Transitions, for those who keep an outage log: what a round changed of each node."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from collector.judge.roots import EXPLAINED, HELD, IN, Change
from collector.judge.values import Transition
from collector.judge.words import BLIND, EPSILON, NONE, UP, Heard

if TYPE_CHECKING:
    from collector.judge.judge import Judge

State = Literal["up", "down", "unknown"]


class Follower:
    """Collects transitions where somebody wants them."""

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self.kept: list[Transition] = []
        self._late: set[int] = set()
        self._late_from, self._late_until = np.inf, -np.inf

    def follow(self, judge: "Judge", t: float, heard: Heard | None, changes: list[Change]) -> None:
        """Keep what a round, or the end of a hold, has changed at t. heard: None where no round made the changes."""
        if not self.wanted:
            return
        nodes = dict.fromkeys(change.node for change in changes)
        earliest: dict[int, float] = {}
        if heard is not None:
            earliest = dict(zip(heard.seeing.tolist(), heard.unseen_from.tolist(), strict=True))
            for numbers in (heard.down, heard.up, heard.seeing, heard.blinded):
                nodes.update(dict.fromkeys(numbers.tolist()))
        for n in nodes:
            transition = now(judge, n, t, earliest.get(n))
            if transition is not None:
                self.kept.append(transition)
        if heard is not None and len(heard.behind):
            every = float(judge.words.every[heard.behind].max())
            reach = judge.words.gap_rounds * every + EPSILON
            self._late.update(judge.record.troubled(heard.behind, t, reach).tolist())
            self._late_from, self._late_until = min(self._late_from, t), max(self._late_until, t)

    def _amend(self, judge: "Judge") -> None:
        """What late reports have corrected since the last call: each node once, with its whole record there."""
        nodes = np.array(sorted(self._late), np.int64)
        kinds, which = judge.record.spans_of(nodes, self._late_from, self._late_until)
        for n, k in zip(nodes.tolist(), which.tolist(), strict=True):
            amended = now(judge, n, judge.now, None, kinds[k])
            if amended is not None and amended.amends:
                self.kept.append(amended)
        self._late, self._late_from, self._late_until = set(), np.inf, -np.inf

    def drain(self, judge: "Judge") -> list[Transition]:
        """All since the last call; nodes whose reports have stopped are unknown."""
        if self._late:
            self._amend(judge)
        words = judge.words
        last, every = words.word_t, words.every
        stopped = (words.word != BLIND) & (words.word != NONE) & ~words.told_gap
        stopped &= judge.now > last + words.gap_rounds * every + EPSILON
        for n in np.flatnonzero(stopped).tolist():
            words.told_gap[n] = True
            if judge.layout.nodes[n] is not None and judge.seen[n]:
                unknown = explained(judge, n)
                self.kept.append(
                    Transition(float(last[n] + every[n]), judge.names.ids[n], "unknown", unknown[0], unknown[1])
                )
        kept, self.kept = self.kept, []
        return kept


def has_stopped(judge: "Judge", n: int) -> bool:
    """Nothing has been heard of node n for so long that it is unknown, and no blind word says why."""
    words = judge.words
    last, every = float(words.word_t[n]), float(words.every[n])
    return words.word[n] not in (BLIND, NONE) and judge.now > last + words.gap_rounds * every + EPSILON


def explained(judge: "Judge", n: int) -> tuple[bool, str | None]:
    """(something above it has failed, id of the root that it belongs to), of a node that is out; of an edge node by its upstreams."""
    roots, layout, ids = judge.roots, judge.layout, judge.names.ids
    if layout.edge[n]:
        ups = layout.ups[n]
        if not ups or any(roots.kind[up] == IN for up in ups):
            return False, None
        return True, ids[roots.root[max(ups, key=roots.since.__getitem__)]]
    return roots.kind[n] in (EXPLAINED, HELD), ids[roots.root[n]] if roots.root[n] >= 0 else None


def now(
    judge: "Judge", n: int, t: float, earliest: float | None, amends: tuple[tuple[float, float, str], ...] = ()
) -> Transition | None:
    """What is true of node n now; None of a node that is gone or was never seen, or whose reports have stopped, which `drain` says."""
    node = judge.layout.nodes[n]
    if node is None or (node.probe and not judge.seen[n]):
        return None
    if node.probe and not amends and not judge.words.told_gap[n] and has_stopped(judge, n):
        return None
    state: State
    if not node.probe:
        state = "up" if judge.roots.kind[n] == IN else "down"
    elif judge.words.word[n] == BLIND or judge.words.told_gap[n]:
        state = "unknown"
    else:
        state = "up" if judge.words.good[n] == UP else "down"
    why = explained(judge, n) if state == "down" else (False, None)
    if state == "down" and judge.layout.edge[n] and why[1] is None:
        why = (False, node.id)
    return Transition(t, node.id, state, why[0], why[1], earliest if earliest is not None else t, amends)
