"""Lost pings from the shared ring: not only rounds without any answer, but what was lost before a round was answered. Pure."""

import numpy as np
from numpy.typing import NDArray

from collector.shared import NO_RTT


def count_pings(ring: NDArray[np.float32], lost: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(lost, sent) by target, of rounds × targets as in `shared.Columns`.

    A round without an answer counts all its pings, at least one; one answered by SNMP or TCP alone counts as one that was not lost, for
    many devices never answer pings; one that was not asked counts for nothing.
    """
    missed, answered = np.isnan(ring), ring >= 0
    gone = np.where(missed, np.maximum(lost, 1), np.where(answered, lost, 0)).sum(0, dtype=np.int64)
    return gone, gone + (answered | (ring == NO_RTT)).sum(0, dtype=np.int64)
