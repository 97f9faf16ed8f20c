"""What one device may cost: a token bucket for what is kept of its traps, a queue of immediate readings. Pure; times in seconds, of any one clock."""

import heapq

PRUNE_AT = 4096
"""Buckets are looked through for full ones, which say nothing, when they have become so many more."""


class Buckets:
    """A token bucket for each device: `burst` at once, then `per_second`."""

    def __init__(self, burst: int, per_second: float) -> None:
        self.burst, self.per_second = float(burst), per_second
        self._left: dict[int, tuple[float, float]] = {}
        self._prune_at = PRUNE_AT

    def take(self, device: int, now: float) -> bool:
        """Whether this device has one left."""
        left, at = self._left.get(device, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.per_second)
        self._left[device] = (left - 1.0 if left >= 1.0 else left, now)
        if len(self._left) > self._prune_at:
            self._prune(now)
        return left >= 1.0

    def __len__(self) -> int:
        return len(self._left)

    def _prune(self, now: float) -> None:
        full_after = self.burst / self.per_second if self.per_second > 0 else float("inf")
        self._left = {device: (left, at) for device, (left, at) in self._left.items() if now - at < full_after}
        self._prune_at = len(self._left) + PRUNE_AT


class Readings:
    """Which devices are to be read at once: each at most every `every_s`, and once more at the end of that time if it has sent again meanwhile."""

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s
        self._due: list[tuple[float, int]] = []
        self._waiting: set[int] = set()
        self._last: dict[int, float] = {}

    def want(self, device: int, now: float) -> None:
        """A trap came that asks for a look. It is one already waited for, or becomes due."""
        if device not in self._waiting:
            self._waiting.add(device)
            heapq.heappush(self._due, (max(now, self._last.get(device, -1e18) + self.every_s), device))

    def take(self, now: float, most: int) -> list[int]:
        """Devices that are due, the longest waiting first, at most so many."""
        found: list[int] = []
        while self._due and self._due[0][0] <= now and len(found) < most:
            _, device = heapq.heappop(self._due)
            self._waiting.discard(device)
            self._last[device] = now
            found.append(device)
        if len(self._last) > 2 * PRUNE_AT:
            self._last = {device: at for device, at in self._last.items() if now - at < self.every_s}
        return found

    def __len__(self) -> int:
        return len(self._waiting)
