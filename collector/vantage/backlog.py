"""What a vantage point has still to hand in, and by how much its clock differs from the monitor's. Both pure."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from collector.vantage.words import LATE_S, MOST_REPORTS

SAMPLES = 12
"""Exchanges that are remembered: the one with the shortest way there and back tells the offset best."""

MOST_LINES = 20_000
"""Lines that wait, however the plan is cut into shards."""

BODY_BYTES = 1_000_000
"""A bundle is closed before it is longer."""


class Line(NamedTuple):
    """A report as it goes out: JSON, and when it was true (on the monitor's clock)."""

    t: float
    text: bytes


class Backlog:
    """A bounded queue of the last minutes. The newest go first: what is seen now matters more than what was, and each is a state of its own."""

    def __init__(self) -> None:
        self.lines: deque[Line] = deque(maxlen=MOST_LINES)
        self.dropped = 0

    def add(self, line: Line, now: float) -> None:
        """Queue a report; what nobody would take any more goes."""
        if len(self.lines) == MOST_LINES:
            self.dropped += 1
        self.lines.append(line)
        while self.lines and self.lines[0].t < now - LATE_S:
            self.lines.popleft()
            self.dropped += 1

    def bundle(self) -> list[Line]:
        """The next to be handed in, the newest of them, in order of t."""
        chosen: list[Line] = []
        size = 0
        for line in reversed(self.lines):
            size += len(line.text) + 1
            if chosen and (size > BODY_BYTES or len(chosen) == MOST_REPORTS):
                break
            chosen.append(line)
        return chosen[::-1]

    def done(self, taken: Sequence[Line]) -> None:
        """These have arrived."""
        gone = {id(line) for line in taken}
        self.lines = deque((line for line in self.lines if id(line) not in gone), MOST_LINES)


class Offset:
    """The monitor's time minus ours, from exchanges in which it told its own (as NTP does, RFC 5905, section 8)."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES)
        self.seconds = 0.0
        """to be added to our time; wrong by at most half of `round_trip_s`"""
        self.round_trip_s = 0.0

    def take(self, sent: float, told: float, received: float) -> None:
        """One exchange: when we asked, what the monitor said, when the answer came. One that contradicts the others (its clock was set) takes their place."""
        trip, seconds = received - sent, told - (sent + received) / 2
        if self._samples and abs(seconds - self.seconds) > (trip + self.round_trip_s) / 2 + 0.5:
            self._samples.clear()
        self._samples.append((trip, seconds))
        self.round_trip_s, self.seconds = min(self._samples)
