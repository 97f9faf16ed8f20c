"""Local times as people write them: `08:30`, `08:00-11:40`. Minutes after midnight."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

DAY_MIN = 24 * 60

TIME_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d$"
SPAN_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$"

_SPAN = re.compile(SPAN_PATTERN)


def minutes(text: str) -> int:
    """`08:30` as 510. ValueError where it is no time of day; 24:00 is midnight at the end."""
    hour, _, minute = text.partition(":")
    found = int(hour) * 60 + int(minute)
    if not (len(text) == 5 and 0 <= found <= DAY_MIN and int(minute) < 60):
        raise ValueError(f"{text!r} is no time of day")
    return found


def clock(minute: int) -> str:
    """510 as `08:30`; over midnight it begins anew."""
    hour, rest = divmod(minute % DAY_MIN, 60)
    return f"{hour:02d}:{rest:02d}"


def read_spans(texts: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """`08:00-11:40`, ... as minutes (from, until), in order. ValueError where one is no span, is empty, or overlaps another."""
    found = []
    for text in texts:
        if not _SPAN.match(text):
            raise ValueError(f"{text!r} is no span of a day, 08:00-11:40")
        start, _, end = text.partition("-")
        found.append((minutes(start), minutes(end)))
    found.sort()
    if any(end <= start for start, end in found) or any(b[0] < a[1] for a, b in pairwise(found)):
        raise ValueError("spans must end after they begin, and not overlap")
    return tuple(found)


def write_spans(spans: Sequence[tuple[int, int]]) -> list[str]:
    """The opposite of `read_spans`."""
    return [f"{clock(start)}-{'24:00' if end == DAY_MIN else clock(end)}" for start, end in spans]


def within(minute: int, start: int, end: int) -> bool:
    """Whether a minute of the day lies in [start, end], over midnight where end is the earlier."""
    return start <= minute <= end if start <= end else minute >= start or minute <= end
