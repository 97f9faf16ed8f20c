"""Whom to ping, and what came of it: values in columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probes.engine.channel import pack_addresses


class PingTargets:
    """Targets of pings, prepared once for a plan. IPv4 and IPv6 may be mixed."""

    def __init__(self, addresses: Sequence[str]) -> None:
        """Numeric addresses (`fe80::1%eth0` too). ValueError names the first that is none."""
        self.addresses = list(addresses)
        self.packed, self.wide = pack_addresses([(address, 0) for address in self.addresses])

    def __len__(self) -> int:
        return len(self.addresses)


@dataclass
class PingReadings:
    """What a round of pings brought, in columns of n = all targets (those not selected have `sent` 0)."""

    answered: np.ndarray
    """bool[n]: at least one reply."""
    rtt_seconds: np.ndarray
    """float32[n]: the best of the round, nan without a reply."""
    jitter_seconds: np.ndarray
    """float32[n]: mean difference between successive RTTs, nan with fewer than two replies."""
    sent: np.ndarray
    """uint16[n]: probes that were sent, asking again included."""
    received: np.ndarray
    """uint16[n]"""
    failed: np.ndarray
    """uint8[n]: errno of the last probe that could not be sent (22 for a blackhole route, 113 for no route), 0 for none."""
    started: float
    ended: float
    """Seconds since the epoch."""
    foreign: int = 0
    """Packets dropped: another source, id, sequence or cookie than asked."""
    broken: int = 0
    duplicates: int = 0


def empty_readings(n: int, now: float) -> PingReadings:
    """Readings in which nobody was asked."""
    return PingReadings(
        answered=np.zeros(n, np.bool_),
        rtt_seconds=np.full(n, np.nan, np.float32),
        jitter_seconds=np.full(n, np.nan, np.float32),
        sent=np.zeros(n, np.uint16),
        received=np.zeros(n, np.uint16),
        failed=np.zeros(n, np.uint8),
        started=now,
        ended=now,
    )


def merge(first: PingReadings, second: PingReadings) -> PingReadings:
    """Two rounds over the same targets as one: sums of the counts, best of the RTTs, jitter weighted by its pairs."""
    pairs_a = np.maximum(first.received.astype(np.int64) - 1, 0)
    pairs_b = np.maximum(second.received.astype(np.int64) - 1, 0)
    total = np.nan_to_num(first.jitter_seconds) * pairs_a + np.nan_to_num(second.jitter_seconds) * pairs_b
    pairs = pairs_a + pairs_b
    return PingReadings(
        answered=first.answered | second.answered,
        rtt_seconds=np.fmin(first.rtt_seconds, second.rtt_seconds),
        jitter_seconds=np.where(pairs > 0, total / np.maximum(pairs, 1), np.nan).astype(np.float32),
        sent=first.sent + second.sent,
        received=first.received + second.received,
        failed=np.where(second.failed > 0, second.failed, first.failed),
        started=first.started,
        ended=second.ended,
        foreign=first.foreign + second.foreign,
        broken=first.broken + second.broken,
        duplicates=first.duplicates + second.duplicates,
    )
