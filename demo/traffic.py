"""Moving counters: octets of a port as a pure function of port and time, with a daily curve in class hours.

The curve is a table of a week in 5-minute steps (Asia/Shanghai), held as its running sum; a counter is that sum at a time,
multiplied by the port's rate at full load. So counters never go back, and any two readings give the true mean rate between them.
"""

from functools import lru_cache
from itertools import accumulate

STEP_S = 300
WEEK_S = 7 * 86400
SHANGHAI_S = 8 * 3600
MONDAY_S = 4 * 86400
"""1970-01-01 was a Thursday: the first Monday began 4 days later."""

COUNTER_EPOCH_S = 1_767_196_800
"""Counters began on 2026-01-01 in Shanghai: they stay far below 2^64."""


def load(second_of_week: int) -> float:
    """Share of full load, 0 to 1, at a second after Monday 00:00: lessons from 8 to 12 and 14 to 17:30, some in the evening."""
    day, hour = divmod(second_of_week, 86400)
    hours = hour / 3600
    if day >= 5:
        return 0.22 if 9 <= hours < 18 else 0.08
    if 8 <= hours < 12 or 14 <= hours < 17.5:
        return 0.95 if (hour // 60) % 55 < 45 else 0.7  # 45 minutes of lesson, 10 of break
    if 12 <= hours < 14:
        return 0.45
    if 18.5 <= hours < 21.5:
        return 0.55
    return 0.30 if 7 <= hours < 22 else 0.10


@lru_cache(maxsize=1)
def _week() -> list[float]:
    steps = [load(step * STEP_S) * STEP_S for step in range(WEEK_S // STEP_S)]
    return [0.0, *accumulate(steps)]


def full_load_seconds(now: float) -> float:
    """Seconds at full load since `COUNTER_EPOCH_S` that carry as much as the real curve until `now` (seconds since the epoch)."""
    return _since_monday(now) - _since_monday(COUNTER_EPOCH_S)


def load_now(now: float) -> float:
    """Share of full load at a time in seconds since the epoch."""
    return load(int(now + SHANGHAI_S - MONDAY_S) % WEEK_S)


def _since_monday(now: float) -> float:
    sums = _week()
    weeks, rest = divmod(now + SHANGHAI_S - MONDAY_S, WEEK_S)
    step, part = divmod(rest, STEP_S)
    at = int(step)
    return float(weeks * sums[-1] + sums[at] + (sums[at + 1] - sums[at]) * part / STEP_S)


def mix(number: int) -> int:
    """A hash of 32 bits: the same on every machine (the finaliser of MurmurHash3)."""
    number &= 0xFFFFFFFF
    number = ((number ^ number >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
    number = ((number ^ number >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
    return number ^ number >> 16
