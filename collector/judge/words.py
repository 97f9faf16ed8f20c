"""The latest word on each node, in columns: what a round changes is found without looking at each node in turn."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NONE, UP, DOWN, BLIND = 0, 1, 2, 3
"""Words. Of two with the same t the lower counts: an answer over a silence, a good word over a blind one."""

EPSILON = 1e-6
"""Seconds: spans of a whole number of `every` are not made longer by floating point."""

COLUMNS: tuple[tuple[str, Any, float], ...] = (
    ("good", np.int8, NONE),  # the latest good word
    ("good_t", np.float64, -np.inf),
    ("word", np.int8, NONE),  # the latest word, blind ones too
    ("word_t", np.float64, -np.inf),
    ("every", np.float64, 5.0),  # of the round of the latest word
    ("blind_from", np.float64, np.inf),  # since when nobody sees, where the latest word is blind
    (
        "told_from",
        np.float64,
        np.inf,
    ),  # likewise, as transitions have it: a good copy that came late does not end it (collector/judge/follow.py)
    ("told_gap", np.bool_, False),  # that its reports have stopped has been said (collector/judge/follow.py)
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one round changed, as node numbers. late: older than the latest good word. behind: older than the latest word. taken_back: among `up`, a silence of the same t.

    seeing: its latest word is good now and was not before, with since when (parallel). blinded: its latest word is blind now and was good.
    """

    down: Numbers
    up: Numbers
    taken_back: Numbers
    late: Numbers
    seeing: Numbers
    unseen_from: Floats
    blinded: Numbers
    behind: Numbers


class Words:
    """Columns by node number."""

    good: NDArray[np.int8]
    good_t: Floats
    word: NDArray[np.int8]
    word_t: Floats
    every: Floats
    blind_from: Floats
    told_from: Floats
    told_gap: Mask

    def __init__(self, gap_rounds: float) -> None:
        self.gap_rounds = gap_rounds
        for name, kind, start in COLUMNS:
            setattr(self, name, np.full(0, start, dtype=kind))

    def grow(self, size: int) -> None:
        """Room for `size` nodes."""
        for name, kind, start in COLUMNS:
            old = getattr(self, name)
            if len(old) < size:
                setattr(self, name, np.concatenate([old, np.full(size - len(old), start, dtype=kind)]))

    def forget(self, n: int) -> None:
        """Node `n` is gone: nothing was heard of it."""
        for name, _, start in COLUMNS:
            getattr(self, name)[n] = start

    def unknown_since(self, n: int, t: float) -> float:
        """Since when node `n` is unknown at time t; infinity where it is known. Without any word: not unknown, but never heard of."""
        if self.word[n] == BLIND:
            return float(self.blind_from[n])
        last, every = float(self.word_t[n]), float(self.every[n])
        return last + every if t > last + self.gap_rounds * every + EPSILON and last > -np.inf else float("inf")

    def unknown(self, idx: Numbers, t: float) -> tuple[Mask, Floats]:
        """Which of `idx` are unknown at time t, and since when (infinity where they are not)."""
        last, every = self.word_t[idx], self.every[idx]
        blind = self.word[idx] == BLIND
        gap = (t > last + self.gap_rounds * every + EPSILON) & (last > -np.inf)
        since = np.where(blind, self.blind_from[idx], np.where(gap, last + every, np.inf))
        return blind | gap, since

    def hear(self, idx: Numbers, silent: Mask, good: bool, t: float, every: float) -> Heard:
        """Take one round in. idx: distinct nodes asked. silent: parallel to it."""
        said = np.where(silent, DOWN, UP).astype(np.int8) if good else np.full(len(idx), BLIND, np.int8)
        unknown, since = self.unknown(idx, t)
        word_t, word = self.word_t[idx], self.word[idx]
        newer = (t > word_t) | ((t == word_t) & (said < word))
        seeing = newer & unknown if good else np.zeros(len(idx), bool)
        blinded = newer & (word != BLIND) if not good else np.zeros(len(idx), bool)
        now = idx[newer]
        self.word[now], self.word_t[now], self.every[now] = said[newer], t, every
        self.told_gap[now] = False
        unseen = np.where(word == BLIND, self.told_from[idx], since)
        self.told_from[now] = np.inf if good else np.minimum(unseen[newer], t)
        self.blind_from[now] = np.inf if good else np.minimum(since[newer], t)
        none = idx[:0]
        if not good:
            return Heard(none, none, none, none, none, unseen[:0], idx[blinded], none)
        good_t, before = self.good_t[idx], self.good[idx]
        same = good_t == t
        fresh = (t > good_t) | (same & (said < before))
        self.good[idx[fresh]], self.good_t[idx[fresh]] = said[fresh], t
        changed = fresh & (said != before)
        return Heard(
            down=idx[changed & silent],
            up=idx[changed & ~silent],
            taken_back=idx[changed & ~silent & same],
            late=idx[t < good_t],
            seeing=idx[seeing],
            unseen_from=unseen[seeing],
            blinded=none,
            behind=idx[(t < word_t) | ((t == word_t) & (word == DOWN) & ~silent)],
        )

    def within_blindness(self, idx: Numbers, t: float) -> Numbers:
        """Those of `idx` that a round of t, just heard, spoke of between their latest good word and a blind one."""
        within: Mask = (self.word[idx] == BLIND) & (t < self.word_t[idx]) & (t >= self.good_t[idx])
        found: Numbers = idx[within]
        return found

    def see_within(self, idx: Numbers, good: bool, t: float, every: float, next_t: Floats) -> None:
        """Nodes of `within_blindness`: the time that nobody sees begins anew, or earlier. next_t: of the blind word after t (parallel)."""
        if good:
            gap = next_t > t + self.gap_rounds * every + EPSILON
            self.blind_from[idx] = np.where(gap, t + every, next_t)
        else:
            idx = idx[self.good_t[idx] < t]  # of two words of one t the good one counts
            self.blind_from[idx] = np.minimum(self.blind_from[idx], t)
            self.told_from[idx] = np.minimum(self.told_from[idx], t)
