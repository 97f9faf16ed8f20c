"""Sets of time as disjoint spans in order, [start, end) in seconds since the epoch. Pure."""

from collections.abc import Iterable, Sequence

Span = tuple[float, float]


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same time, disjoint and in order; those that touch become one, empty ones vanish."""
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[1] > span[0]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def intersect(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """What lies in both; both disjoint and in order."""
    found, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            found.append((start, end))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return found


def subtract(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """What lies in `one` and not in `other`; both disjoint and in order."""
    found: list[Span] = []
    j = 0
    for start, end in one:
        while j < len(other) and other[j][1] <= start:
            j += 1
        at, k = start, j
        while k < len(other) and other[k][0] < end:
            if other[k][0] > at:
                found.append((at, other[k][0]))
            at = max(at, other[k][1])
            k += 1
        if at < end:
            found.append((at, end))
    return found


def length(spans: Iterable[Span]) -> float:
    """Seconds."""
    return sum(end - start for start, end in spans)
