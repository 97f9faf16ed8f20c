"""Loss and round-trip time over the last liveness rounds, from the shared ring. Pure, over arrays.

A round in which a target answered nothing at all is an outage's business, not a loss; nor are its neighbours, in which it failed and came back.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collector.shared import NO_RTT

LOSS_ROUNDS = 60
"""Loss is measured over so many rounds: five minutes of rounds every 5 s."""

RTT_ROUNDS = 12
"""The median of the round-trip time is of so many rounds."""

LEAST_LOST = 5
"""Fewer lost pings in `LOSS_ROUNDS` prove nothing and count as none: at 0.1 % of loss three in 60 happen to a hundred lines of 13,000 every day."""

LEAST_ROUNDS = 6
"""With fewer rounds nothing is known."""


class RingStats(NamedTuple):
    """By target: per cent of the pings that were lost, median milliseconds (NaN: not known), and the time of the last round."""

    loss_percent: NDArray[np.float64]
    rtt_ms: NDArray[np.float64]
    at: float


def ring_stats(
    ring_at: NDArray[np.float64], ring: NDArray[np.float32], lost: NDArray[np.uint8], which: NDArray[np.int64]
) -> RingStats:
    """Of the targets `which`; the others are not known. ring, lost: rounds × targets as in `shared.Columns`."""
    n = ring.shape[1]
    loss, rtt = np.full(n, np.nan), np.full(n, np.nan)
    order = np.argsort(ring_at, kind="stable")
    latest = float(ring_at[order[-1]]) if len(order) else 0.0
    order = order[ring_at[order] > 0][-LOSS_ROUNDS:]
    if not len(order) or not len(which):
        return RingStats(loss, rtt, latest)
    sent, gone, rounds, unheard, unheard_lost = (np.zeros(len(which), np.int32) for _ in range(5))
    missed_before = np.zeros(len(which), np.bool_)
    for row, after in zip(order.tolist(), [*order.tolist()[1:], None], strict=True):
        values = ring[row, which]
        missed = np.isnan(values)
        calm = ~missed_before if after is None else ~(missed_before | np.isnan(ring[after, which]))
        lost_here = lost[row, which].astype(np.int32)
        answered = (values >= 0) & calm
        sent += answered * (lost_here + 1)
        gone += answered * lost_here
        rounds += answered
        other = (values == NO_RTT) & calm  # alive by SNMP or TCP alone
        unheard += other
        unheard_lost += other * lost_here
        missed_before = missed
    pinged = rounds > unheard  # of one that never answers pings nothing is lost
    sent += pinged * unheard_lost
    gone += pinged * unheard_lost
    known = rounds >= LEAST_ROUNDS
    share = np.where(gone >= LEAST_LOST, 100.0 * gone / np.maximum(sent, 1), 0.0)
    loss[which[known]] = share[known]
    recent = ring[np.ix_(order[-RTT_ROUNDS:], which)]
    rtt[which[known]] = _median_ms(recent)[known]
    return RingStats(loss, rtt, latest)


def _median_ms(ring: NDArray[np.float32]) -> NDArray[np.float64]:
    """The median of the answers in milliseconds; NaN with fewer than three."""
    values = np.where(ring >= 0, ring, np.float32(np.inf))
    values.sort(axis=0)
    answers = (ring >= 0).sum(0)
    middle = values[np.maximum(answers - 1, 0) // 2, np.arange(ring.shape[1])].astype(np.float64)
    return np.where((answers >= 3) & np.isfinite(middle), middle * 1000.0, np.nan)
