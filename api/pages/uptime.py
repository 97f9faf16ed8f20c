"""Uptime by days, from outages and unseen spans: what is not known is neither up nor down. Pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Day:
    """Seconds of one local day, up to now: `off` is time before the first sight or after now."""

    start: datetime
    up: float
    down: float
    unknown: float
    off: float

    @property
    def seen(self) -> float:
        """Seconds of which the state is known."""
        return self.up + self.down


def split_days(
    starts: Sequence[datetime], now: datetime, first: datetime | None, down: Iterable[Span], unknown: Iterable[Span]
) -> list[Day]:
    """One `Day` for each of `starts` (aware, ascending). first: when the thing was seen first; None: never.

    Unknown time within an outage counts as unknown: nobody saw it (DESIGN.md, rule 5).
    """
    blind, dark = merge(unknown), merge(down)
    days = []
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else start + timedelta(days=1)
        begin, stop = max(start, first) if first else end, min(end, now)
        known = max(0.0, (stop - begin).total_seconds())
        unseen = _covered(blind, begin, stop)
        cut = sum(_length(span) for span in _clip(dark, begin, stop)) - _overlap(dark, blind, begin, stop)
        days.append(Day(start, known - unseen - cut, cut, unseen, (end - start).total_seconds() - known))
    return days


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same time as spans that do not overlap, in order."""
    merged: list[Span] = []
    for begin, end in sorted(span for span in spans if span[1] > span[0]):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _clip(spans: Sequence[Span], begin: datetime, end: datetime) -> list[Span]:
    return [(max(begin, a), min(end, b)) for a, b in spans if a < end and b > begin]


def _length(span: Span) -> float:
    return (span[1] - span[0]).total_seconds()


def _covered(spans: Sequence[Span], begin: datetime, end: datetime) -> float:
    return sum(_length(span) for span in _clip(spans, begin, end)) if end > begin else 0.0


def _overlap(one: Sequence[Span], other: Sequence[Span], begin: datetime, end: datetime) -> float:
    return sum(_covered(other, *span) for span in _clip(one, begin, end)) if end > begin else 0.0
