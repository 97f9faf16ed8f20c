"""Growing delays on failed sign-ins, for each key (an address, a name), in memory, bounded."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

FREE_TRIES = 5
"""Failures that cost nothing: people mistype."""


@dataclass(slots=True)
class _Record:
    failures: int = 0
    until: float = 0.0
    last: float = 0.0


class Throttle:
    """Failures by key. After `FREE_TRIES` the wait doubles from 2 s to `longest` seconds; forgotten after `memory` seconds."""

    def __init__(self, longest: float, memory: float = 3600.0, size: int = 10_000) -> None:
        self._longest = longest
        self._memory = memory
        self._size = size
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._lock = Lock()

    def wait(self, key: str, now: float) -> float:
        """Seconds that `key` has still to wait, 0 when it may try. `now`: monotonic seconds."""
        with self._lock:
            record = self._records.get(key)
            return max(0.0, record.until - now) if record else 0.0

    def fail(self, key: str, now: float) -> None:
        """Count a failure of `key`."""
        with self._lock:
            record = self._records.pop(key, None)
            if record is None or now - record.last > self._memory:
                record = _Record()
            record.failures += 1
            record.last = now
            over = record.failures - FREE_TRIES
            if over >= 0:
                record.until = now + min(self._longest, 2.0 ** min(over + 1, 20))
            self._records[key] = record
            while len(self._records) > self._size:
                self._records.popitem(last=False)

    def succeed(self, key: str) -> None:
        """Forget the failures of `key`."""
        with self._lock:
            self._records.pop(key, None)
