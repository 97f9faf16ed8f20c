"""Records of what was up, down and unknown, as late reports amend them: read as outages, and joined of several gateways. Pure."""

from collections.abc import Sequence
from itertools import pairwise

Spans = tuple[tuple[float, float, str], ...]
"""A record as a transition amends it (collector/judge/values.py): (from, until, up | down | unknown), without gaps."""


def spans_together(records: Sequence[Spans]) -> Spans:
    """The record of what is up while any of its parts is, and down while all are, where every part has a record; neighbours of one state are one."""
    if not all(records):
        return ()
    since, until = max(spans[0][0] for spans in records), min(spans[-1][1] for spans in records)
    edges = sorted({since, until, *(end for spans in records for _, end, _ in spans if since < end < until)})
    together: list[tuple[float, float, str]] = []
    for start, end in pairwise(edges):
        states = {next(state for a, b, state in spans if a <= start < b) for spans in records}
        state = "up" if "up" in states else "unknown" if "unknown" in states else "down"
        if together and together[-1][2] == state:
            together[-1] = (together[-1][0], end, state)
        else:
            together.append((start, end, state))
    return tuple(together)


def down_runs(spans: Spans) -> list[tuple[float, float]]:
    """(from, until) of each outage in a record of spans: down before and after an unknown span is one."""
    runs: list[tuple[float, float]] = []
    up_since = True
    for start, end, state in spans:
        if state == "down":
            runs = [*runs, (start, end)] if up_since else [*runs[:-1], (runs[-1][0], end)]
            up_since = False
        elif state == "up":
            up_since = True
    return runs
