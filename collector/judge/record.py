"""Down time and unknown time of each node, exact whatever the order in which reports arrive.

Rounds are kept as they came, in order of t; sums are made by going over them once. Rounds older than `record_s` are folded into the sums for
good. Reason: a late report splits a span that was counted already; to sum up again is simpler than to take back, and 77 rounds of
13,000 nodes are summed in a few milliseconds.
"""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from collector.judge.words import BLIND, DOWN, EPSILON, NONE, UP, Floats, Mask, Numbers


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One round as it counts. idx: distinct nodes asked, in order; silent: numbers among them."""

    t: float
    serial: int
    every: float = field(compare=False)
    good: bool = field(compare=False)
    idx: Numbers = field(compare=False)
    silent: Numbers = field(compare=False)

    def word_on(self, n: int) -> int:
        """The word on node n, NONE where it was not asked."""
        at = int(np.searchsorted(self.idx, n))
        if at >= len(self.idx) or self.idx[at] != n:
            return NONE
        if not self.good:
            return BLIND
        return DOWN if n in self.silent else UP


Word = tuple[float, float, int]
"""(t, every, word)."""


class Sums:
    """Seconds by node number, and the last word that was counted."""

    def __init__(self, size: int) -> None:
        self.down: Floats = np.zeros(size)
        self.unknown: Floats = np.zeros(size)
        self.last_t: Floats = np.full(size, -np.inf)
        self.last_every: Floats = np.full(size, 5.0)
        self.last = np.full(size, NONE, np.int8)

    def copy(self, size: int) -> "Sums":
        """The same, with room for `size` nodes."""
        new, old = Sums(size), len(self.down)
        for name in ("down", "unknown", "last_t", "last_every", "last"):
            getattr(new, name)[:old] = getattr(self, name)
        return new

    def add(self, entry: Entry, counts_from: Floats, gap_rounds: float, scratch: Mask) -> None:
        """Count the spans that end with `entry`. counts_from: a word before it counts only if it is an answer."""
        idx, t = entry.idx, entry.t
        if entry.good:
            scratch[entry.silent] = True
            said = np.where(scratch[idx], DOWN, UP).astype(np.int8)
            scratch[entry.silent] = False
        else:
            said = np.full(len(idx), BLIND, np.int8)
        fits = (t >= self.last_t[idx]) & ((said == UP) | (t >= counts_from[idx]) | (self.last[idx] != NONE))
        if not fits.all():
            idx, said = idx[fits], said[fits]
        last, span = self.last[idx], t - self.last_t[idx]
        again = span == 0.0
        if again.any():
            said = np.where(again, np.minimum(said, last), said)
        held = np.where(
            span > gap_rounds * self.last_every[idx] + EPSILON, np.minimum(self.last_every[idx], span), span
        )
        known = last != NONE
        span, held = np.where(known, span, 0.0), np.where(known, held, 0.0)
        self.down[idx] += np.where(last == DOWN, held, 0.0)
        self.unknown[idx] += np.where(last == BLIND, span, span - held)
        self.last[idx], self.last_t[idx], self.last_every[idx] = said, t, entry.every


class Record:
    """All rounds, and what they come to."""

    def __init__(self, gap_rounds: float, keep_s: float) -> None:
        self.gap_rounds, self.keep_s = gap_rounds, keep_s
        self.entries: list[Entry] = []
        self.folded = Sums(0)
        self.counts_from: Floats = np.zeros(0)
        self.serial = 0

    def grow(self, size: int) -> None:
        """Room for `size` nodes; new ones count from the start."""
        more = size - len(self.counts_from)
        if more > 0:
            self.counts_from = np.concatenate([self.counts_from, np.full(more, -np.inf)])

    def add(self, t: float, every: float, good: bool, idx: Numbers, silent: Numbers) -> None:
        """Keep a round."""
        self.serial += 1
        entry = Entry(t, self.serial, every, good, idx, silent)
        if not self.entries or self.entries[-1] < entry:
            self.entries.append(entry)
        else:
            insort(self.entries, entry)
        if self.entries[-1].t - self.entries[0].t > 2 * self.keep_s:
            self._fold(self.entries[-1].t - self.keep_s)

    def _fold(self, before: float) -> None:
        count = next(i for i, entry in enumerate(self.entries) if entry.t >= before)
        self.folded = self._summed(self.folded.copy(len(self.counts_from)), self.entries[:count])
        del self.entries[:count]

    def _summed(self, sums: Sums, entries: list[Entry]) -> Sums:
        scratch = np.zeros(len(self.counts_from), bool)
        for entry in entries:
            sums.add(entry, self.counts_from, self.gap_rounds, scratch)
        return sums

    def sums(self) -> Sums:
        """Down and unknown seconds up to each node's last report."""
        return self._summed(self.folded.copy(len(self.counts_from)), self.entries)

    def first_after(self, idx: Numbers, t: float) -> Floats:
        """When the first kept word after t is, of each node of `idx`; infinity where there is none."""
        first: Floats = np.full(len(idx), np.inf)
        for entry in self.entries[bisect_right(self.entries, t, key=attrgetter("t")) :]:
            if len(entry.idx):
                at = np.minimum(np.searchsorted(entry.idx, idx), len(entry.idx) - 1)
                first = np.where((entry.idx[at] == idx) & (first == np.inf), entry.t, first)
            if (first < np.inf).all():
                break
        return first

    def words_on(self, n: int) -> list[Word]:
        """All kept words on node n in order of t, one for each t: (t, every, word)."""
        return _in_order(self.entries, [entry.word_on(n) for entry in self.entries])

    def troubled(self, idx: Numbers, t: float, reach_s: float) -> Numbers:
        """Which of `idx` have had any word but an answer within `reach_s` of t, or none: of the others a late answer changes nothing."""
        before, after = np.zeros(len(self.counts_from), bool), np.zeros(len(self.counts_from), bool)
        ill = np.zeros(len(self.counts_from), bool)
        for entry in self.entries:
            if abs(entry.t - t) > reach_s:
                continue
            if entry.t < t:
                before[entry.idx] = True
            elif entry.t > t:
                after[entry.idx] = True
            ill[entry.silent if entry.good else entry.idx] = True
        return idx[ill[idx] | ~before[idx] | ~after[idx]]

    def spans_of(
        self, nodes: Numbers, since: float, until: float
    ) -> tuple[list[tuple[tuple[float, float, str], ...]], NDArray[np.int64]]:
        """The records of nodes from the last word before `since` to the first after `until`: (each that there is, which of them each node has).

        A cut or a blind collector gives thousands the same: those are worked out once.
        """
        kinds, which = self.words_of(nodes)
        return [self._spans(kind, since, until) for kind in kinds], which

    def words_of(self, nodes: Numbers, since: float = -np.inf) -> tuple[list[list[Word]], NDArray[np.int64]]:
        """What was said of nodes at or after `since`, as `words_on` has it: (each that there is, which of them each node has)."""
        entries = self.entries[bisect_left(self.entries, since, key=attrgetter("t")) :]
        words = np.zeros((len(entries), len(nodes)), np.int8)
        for row, entry in zip(words, entries, strict=True):
            at = np.minimum(np.searchsorted(entry.idx, nodes), max(len(entry.idx) - 1, 0))
            asked = entry.idx[at] == nodes if len(entry.idx) else np.zeros(len(nodes), bool)
            if entry.good:
                row[asked] = np.where(np.isin(nodes[asked], entry.silent), DOWN, UP)
            else:
                row[asked] = BLIND
        kinds, which = np.unique(words, axis=1, return_inverse=True)
        return [_in_order(entries, kinds[:, k].tolist()) for k in range(kinds.shape[1])], which.ravel()

    def _spans(self, words: list[Word], since: float, until: float) -> tuple[tuple[float, float, str], ...]:
        first = max([0, *(i for i, (at, _, _) in enumerate(words) if at < since)])
        last = min([len(words), *(i + 1 for i, (at, _, _) in enumerate(words) if at > until)])
        return self._joined(words[first:last])

    def _joined(self, words: list[Word]) -> tuple[tuple[float, float, str], ...]:
        """Spans between words; neighbours of one state are one."""
        spans: list[tuple[float, float, str]] = []

        def add(start: float, end: float, name: str) -> None:
            if spans and spans[-1][2] == name and spans[-1][1] == start:
                spans[-1] = (spans[-1][0], end, name)
            else:
                spans.append((start, end, name))

        for (start, every, word), (end, _, _) in pairwise(words):
            name = {UP: "up", DOWN: "down", BLIND: "unknown"}[word]
            if word != BLIND and end - start > self.gap_rounds * every + EPSILON:
                add(start, start + every, name)
                add(start + every, end, "unknown")
            else:
                add(start, end, name)
        return tuple(spans)


def _in_order(entries: list[Entry], said: list[int]) -> list[Word]:
    """The words in order of t, one for each t: of two the lower counts."""
    words: list[Word] = []
    for entry, word in zip(entries, said, strict=True):
        if word == NONE:
            continue
        if words and words[-1][0] == entry.t:
            words[-1] = (entry.t, entry.every, min(word, words[-1][2]))
        else:
            words.append((entry.t, entry.every, word))
    return words
