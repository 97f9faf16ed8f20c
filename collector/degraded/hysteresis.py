"""One rule over many subjects: raised and cleared with hysteresis. Pure, in columns; time is an argument."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]


class Limits(NamedTuple):
    """Thresholds of a rule. raise_at > clear_at: more is worse; else less is. gap_s: readings further apart are not on end."""

    raise_at: float
    clear_at: float
    raise_after_s: float = 0.0
    clear_after_s: float = 0.0
    raise_rounds: int = 1
    clear_rounds: int = 1
    gap_s: float = float("inf")

    def bad(self, value: Floats) -> Mask:
        """At `raise_at` or beyond."""
        return value >= self.raise_at if self.raise_at > self.clear_at else value <= self.raise_at

    def good(self, value: Floats) -> Mask:
        """At `clear_at` or on the good side of it."""
        return value <= self.clear_at if self.raise_at > self.clear_at else value >= self.clear_at


class Hysteresis:
    """State by subject: `raised`, the value and time of the last reading, and how long and how often it has been bad or good on end."""

    def __init__(self, n: int) -> None:
        self.raised = np.zeros(n, np.bool_)
        self.value = np.full(n, np.nan)
        self.at = np.zeros(n)
        self.run_since = np.zeros(n)
        self.run = np.zeros(n, np.int32)
        """readings on end: bad ones where it is not raised, good ones where it is"""

    def take(self, limits: Limits, value: Floats, at: Floats, may_raise: Mask | None = None) -> tuple[Numbers, Numbers]:
        """Readings of all subjects: (newly raised, newly cleared).

        A reading counts once: one whose time is not later than the last, or whose value is NaN, says nothing. may_raise False: a bad reading
        says nothing there (out of class hours); it clears all the same.
        """
        fresh = (at > self.at) & np.isfinite(value)
        toward = np.where(self.raised, limits.good(value), limits.bad(value))
        if may_raise is not None:
            fresh &= may_raise | self.raised | ~toward
        known = np.flatnonzero(fresh)
        on = toward[known]
        apart = at[known] - self.at[known] > limits.gap_s
        begins = (self.run[known] == 0) | apart
        self.run_since[known] = np.where(begins, at[known], self.run_since[known])
        self.run[known] = np.where(on, np.where(apart, 1, self.run[known] + 1), 0)
        self.at[known], self.value[known] = at[known], value[known]
        was = self.raised[known]
        rounds = np.where(was, limits.clear_rounds, limits.raise_rounds)
        after = np.where(was, limits.clear_after_s, limits.raise_after_s)
        turned = known[on & (self.run[known] >= rounds) & (at[known] - self.run_since[known] >= after)]
        self.raised[turned] ^= True
        self.run[turned] = 0
        return turned[self.raised[turned]], turned[~self.raised[turned]]

    def forget(self, which: Numbers) -> None:
        """These begin anew: not raised, nothing known."""
        self.raised[which] = False
        self.run[which] = 0
        self.at[which] = 0.0
        self.value[which] = np.nan

    def carry(self, old: "Hysteresis", mine: Numbers, theirs: Numbers) -> None:
        """Subjects `mine` go on from `theirs` of another plan's state."""
        for name in ("raised", "value", "at", "run_since", "run"):
            getattr(self, name)[mine] = getattr(old, name)[theirs]
