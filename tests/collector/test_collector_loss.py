"""Lost pings: what curves, live readings and metrics say of them."""

from datetime import UTC, datetime

import numpy as np
import pytest

from collector.curves import device_bands
from collector.loss import count_pings
from collector.shared import MISS, NO_RTT, UNASKED


@pytest.mark.parametrize(
    ("rounds", "lost", "expected"),
    [
        ([0.01] * 4, [0, 0, 0, 0], (0, 4)),
        ([0.01] * 4, [1, 0, 2, 0], (3, 7)),  # asked again within the round, and answered
        ([MISS, 0.01], [3, 0], (3, 4)),
        ([MISS, 0.01], [0, 0], (1, 2)),  # a way of pinging that does not count
        ([NO_RTT, NO_RTT], [3, 3], (0, 2)),  # never answers pings
        ([UNASKED, 0.01], [0, 0], (0, 1)),
    ],
)
def test_pings_are_counted_by_round(rounds: list[float], lost: list[int], expected: tuple[int, int]) -> None:
    ring = np.array(rounds, np.float32).reshape(-1, 1)
    gone, sent = count_pings(ring, np.array(lost, np.uint8).reshape(-1, 1))
    assert (int(gone[0]), int(sent[0])) == expected


def test_a_band_of_the_history_has_the_lost_pings() -> None:
    ring, lost = np.full((60, 2), 0.01, np.float32), np.zeros((60, 2), np.uint8)
    lost[::4, 1] = 1
    good, bad = device_bands(np.array([7, 8]), ring, lost, datetime(2026, 11, 25, tzinfo=UTC))
    assert (good.loss_ratio, good.probes) == (0.0, 60)
    assert (bad.loss_ratio, bad.probes) == (15 / 75, 75)
