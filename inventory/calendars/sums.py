"""Class time of an interval: sums over many spans at once, by the running total of class seconds."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ClassTime:
    """Disjoint spans in order, seconds since the epoch: `starts` and `ends` (n). known: whether calendars declare all of it."""

    starts: Floats
    ends: Floats
    known: bool = True

    @classmethod
    def of(cls, spans: Iterable[tuple[float, float]], known: bool = True) -> "ClassTime":
        """Of spans in any order; those that overlap or touch become one."""
        found: list[list[float]] = []
        for start, end in sorted(spans):
            if end <= start:
                continue
            if found and start <= found[-1][1]:
                found[-1][1] = max(found[-1][1], end)
            else:
                found.append([start, end])
        columns = np.array(found, np.float64).reshape(-1, 2)
        return cls(columns[:, 0].copy(), columns[:, 1].copy(), known)

    @property
    def total(self) -> float:
        """Seconds of all spans."""
        return float((self.ends - self.starts).sum())

    def elapsed(self, at: Floats) -> Floats:
        """Seconds of the spans that lie before each instant of `at`."""
        if not len(self.starts):
            return np.zeros(np.shape(at))
        knots = np.column_stack([self.starts, self.ends]).ravel()
        done = np.cumsum(self.ends - self.starts)
        levels = np.column_stack([done - (self.ends - self.starts), done]).ravel()
        return np.interp(at, knots, levels)

    def seconds(self, starts: Floats, ends: Floats) -> Floats:
        """Seconds of each interval [start, end) that lie in the spans."""
        found: Floats = np.maximum(self.elapsed(ends) - self.elapsed(starts), 0.0)
        return found

    def within(self, spans: Iterable[tuple[float, float]]) -> float:
        """Seconds of disjoint intervals that lie in the spans."""
        columns = np.array(list(spans), np.float64).reshape(-1, 2)
        return float(self.seconds(columns[:, 0], columns[:, 1]).sum())
