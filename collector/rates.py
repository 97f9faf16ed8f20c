"""From two readings of counters to bits a second. Pure, over arrays; NaN where it is not known.

A counter never makes a rate above the port's speed: a device that restarted (sysUpTime began again), a counter that was
cleared, or one that answers nonsense gives unknown, never a spike. 32-bit counters wrap in 34 s at 1 Gbit/s (RFC 2863, 3.1.6).
"""

import numpy as np
from numpy.typing import NDArray

WRAP_32 = np.uint64(1 << 32)
SPARE = 1.05
"""A rate this little above the speed is jitter of the times, and counts as the speed."""

LIMIT_BPS = 1.6e12
"""No port is faster: what is above it where the speed is unknown is a cleared counter."""

UPTIME_WRAP = 1 << 32
"""sysUpTime begins anew after 497 days."""


def began_again(before: NDArray[np.int64], after: NDArray[np.int64], seconds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each device restarted between two readings of sysUpTime (hundredths; -1 unknown) `seconds` apart.

    It did where sysUpTime went back, other than by its own wrap.
    """
    known = (before >= 0) & (after >= 0)
    expected = before + np.asarray(seconds * 100, np.int64)
    wrapped = (expected >= UPTIME_WRAP - 6000) & (after < expected - UPTIME_WRAP + 60_000)
    return np.asarray(known & (after < before) & ~wrapped, np.bool_)


def spans(before: NDArray[np.int64], after: NDArray[np.int64], seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds between two answers, by the device's own sysUpTime where that is plausible (within a fifth), else as measured here."""
    own = ((after - before) % UPTIME_WRAP) / 100.0
    plausible = (before >= 0) & (after >= 0) & (np.abs(own - seconds) <= 0.2 * seconds + 1.0) & (own > 0)
    return np.asarray(np.where(plausible, own, seconds), np.float64)


def rates_bps(
    before: NDArray[np.uint64],
    after: NDArray[np.uint64],
    seconds: NDArray[np.float64],
    speed_bps: NDArray[np.float64],
    narrow: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Bits a second from octet counters. seconds NaN or <= 0, or a speed passed: NaN. speed_bps 0: not known.

    narrow: Counter32. A counter that went back has wrapped (at 2^32 or 2^64) where the rate so made is possible, else it is unknown.
    """
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        delta = np.where(narrow & (after < before), after + WRAP_32 - before, after - before)
        rate = delta.astype(np.float64) * 8.0 / seconds
        limit = np.where(speed_bps > 0, speed_bps, LIMIT_BPS)
        rate = np.where(rate > limit, np.where(rate <= limit * SPARE, limit, np.nan), rate)
        return np.where(seconds > 0, rate, np.nan).astype(np.float32)
