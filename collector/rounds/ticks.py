"""When rounds are due. Pure.

Tick k of a kind of round stands at `k * every + phase` seconds since the epoch, so that any number of collectors mean the same tick.
"""

from typing import NamedTuple


class Due(NamedTuple):
    """The next round: its tick, when it begins, and how many ticks were passed over because the last one took too long."""

    tick: int
    at: float
    missed: int


def next_round(now: float, every: float, phase: float, last: int | None) -> Due:
    """The round to begin at or after `now`. last: the tick of the round before, None at the start.

    A tick that stands at most a tenth of `every` in the past is begun at once, in time.
    """
    tick = int((now - phase - 0.1 * every) // every) + 1
    if last is not None and tick <= last:
        tick = last + 1
    missed = 0 if last is None else tick - last - 1
    return Due(tick, tick * every + phase, missed)
