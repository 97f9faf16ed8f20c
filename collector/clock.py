"""Seconds since the epoch that no step of the wall clock bends (DESIGN.md, rule 11)."""

import time


class SteadyClock:
    """The wall clock as it was at the start, carried on by the monotonic one; both processes share the base."""

    def __init__(self, base: float | None = None) -> None:
        """base: wall time minus monotonic time; None: taken now."""
        self.base = time.time() - time.monotonic() if base is None else base

    def now(self) -> float:
        """Seconds since the epoch, steady."""
        return self.base + time.monotonic()

    def step(self) -> float:
        """By how many seconds the wall clock has been moved since the start."""
        return time.time() - self.now()
