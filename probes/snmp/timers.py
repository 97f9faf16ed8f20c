"""When to ask again (RFC 6298), and the clock and the waiting of a round's loop."""

import select
import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from probes.engine.channel import Channel

LEAST_WAIT_S = 0.25
"""A device that answers at once is asked again after this long; RFC 6298 has 1 s, for a stream; a probe loses nothing by asking early."""
GRAIN_S = 0.01
"""The clock's granularity G of RFC 6298: answers are taken by the batch."""


class Clock(Protocol):
    """What a round's loop knows of time."""

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Do nothing."""
        ...

    def wait(self, seconds: float) -> bool:
        """Until a packet has come, at most so long; whether one has."""
        ...


class WallClock:
    """The machine's own time, and the sockets of `channels`."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._poll = select.poll()
        for channel in channels:
            self._poll.register(channel.socket.fileno(), select.POLLIN)

    def now(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        time.sleep(seconds)

    def wait(self, seconds: float) -> bool:
        """See `Clock`; whole milliseconds, at least one."""
        return bool(self._poll.poll(max(1.0, seconds * 1000)))


def spread_timeouts(attempts: int, deadline_s: float) -> np.ndarray:
    """How long to wait after each attempt where nothing is known of the device, growing, all together the deadline: seconds[attempts]."""
    weights = np.minimum(1.0 + 0.5 * np.arange(attempts), 2.5)
    spread: np.ndarray = weights * (deadline_s / weights.sum())
    return spread


def waits_us(
    srtt_us: np.ndarray, rttvar_us: np.ndarray, tries: np.ndarray, unknown_us: np.ndarray, deadline_us: float
) -> np.ndarray:
    """How long each request may stay without an answer before it is sent again: float64[k], us.

    SRTT + 4 RTTVAR (RFC 6298, 2.3), doubled with each try (5.5) up to what a device of which nothing is known (srtt 0) would be given by
    `unknown_us` (of `spread_timeouts`); never less than a device that is known to be slow takes, up to half of the round's deadline.
    """
    step = np.minimum(np.maximum(tries, 1), len(unknown_us)) - 1
    share = unknown_us[step]
    first = srtt_us + np.maximum(4.0 * rttvar_us, GRAIN_S * 1e6)
    first = np.minimum(np.maximum(first, LEAST_WAIT_S * 1e6), deadline_us / 2)
    known: np.ndarray = np.maximum(np.minimum(first * (1 << step), share), first)
    return np.where(srtt_us == 0, share, known)
