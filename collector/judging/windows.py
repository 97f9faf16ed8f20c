"""Windows of work: the judge is told of them, and what is silent is called by another word while one lasts."""

from collector.judge import Judge
from collector.judging.agents import AgentBook
from collector.judging.incidents import Recorder
from collector.windows import WindowRows, window_nodes


class WindowBook(AgentBook):
    """Keeps the windows of the plan's nodes."""

    def __init__(self, judge: Judge, record: Recorder | None) -> None:
        super().__init__(judge, record)
        self._maintenance: frozenset[tuple[str, float, float]] = frozenset()
        """(node, from, until)"""
        self._windows_due = float("inf")
        """when the next window begins or ends"""

    def set_windows(self, windows: WindowRows, now: float) -> None:
        """All maintenance windows that have not ended; those that are gone from the register are gone."""
        if self.plan is None:
            return
        wanted = {(node, w.from_t, w.until_t) for w in windows for node in window_nodes(self.plan, w)}
        if wanted == self._maintenance:
            return
        self._maintenance = frozenset(wanted)
        self._windows_due = now
        self.judge.set_maintenance(now, sorted(wanted))
        if self.record is not None:
            for node, start, end in sorted(wanted):
                self.record({"t": now, "kind": "maintenance", "node": node, "from": start, "to": end})

    def _look_at_windows(self, now: float) -> bool:
        """Where a window has begun or ended, what is silent is called by another word. Whether one has."""
        if now < self._windows_due:
            return False
        times = [t for _, start, end in self._maintenance for t in (start, end) if t > now]
        self._windows_due = min(times, default=float("inf"))
        self._say_down_again()
        return True

    def in_maintenance(self, node: str) -> bool:
        """Whether a window covers a node now, its own or that of all above it."""
        return self.judge.in_maintenance(node)
