"""Plays a trace at a multiple of its speed: the bench hears it on virtual time, and what it writes is moved to the time of the viewer."""

import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from collector.judging import Bench
from collector.ledger import Batch, Ledger
from collector.playback.stage import Stage
from collector.report import RoundReport
from collector.trace import Line, MaintenanceLine, OffLine, TopologyLine, TrapLine, read
from collector.writer import write_batch
from inventory import log as store
from inventory.database import Register

STEP_S = 0.25
"""Seconds of the viewer between two looks at what has fallen due."""

AFTER_S = 600.0
"""The trace's time goes on so long after its last line: what is mended is still resolved."""


class Player:
    """One playing of one trace. `run` blocks until the trace is over, or `stop`."""

    def __init__(self, register: Register, lines: Iterable[str | bytes], speed: float) -> None:
        """TraceError where the trace is wrong: it is read whole before anything is shown."""
        self.speed = speed
        self.lines = [line for _, line in read(lines)]
        self.register, self.ledger = register, Ledger()
        self.bench = Bench(self.ledger, "replay")
        self.over = threading.Event()
        self._ids: dict[str, int] = {}
        nodes = [node for line in self.lines if isinstance(line, TopologyLine) for node in line.nodes]
        self.stage = Stage(register, nodes)
        times = [line.t for line in self.lines]
        self.first, self.last = (min(times), max(times)) if times else (0.0, 0.0)
        self._began = 0.0

    def stop(self) -> None:
        """End it soon."""
        self.over.set()

    def run(self) -> None:
        """Play."""
        self._began = time.time()
        due, beat = 0, 0.0
        while not self.over.is_set() and self.now() < self.last + AFTER_S:
            now = self.now()
            while due < len(self.lines) and self.lines[due].t <= now:
                self._take(self.lines[due])
                due += 1
            self.bench.step(now)
            if time.monotonic() - beat > 2.0:
                beat = time.monotonic()
                self._beat()
            self._write()
            self.over.wait(STEP_S)
        self._write()

    def now(self) -> float:
        """The trace's time."""
        return self.first + (time.time() - self._began) * self.speed

    def seen_at(self, t: datetime) -> datetime:
        """When the viewer sees what was true at a time of the trace."""
        return datetime.fromtimestamp(self._began + (t.timestamp() - self.first) / self.speed, UTC)

    def _take(self, line: Line) -> None:
        ids, judge = self.stage.ids, self.bench.judge
        match line:
            case TopologyLine():
                self.bench.follow(self.stage.plan(line.nodes), line.t)
            case RoundReport():
                self.bench.hear(_moved(line, ids))
            case MaintenanceLine():
                judge.take_maintenance(line.t, ids[line.node], line.from_, line.to)
            case TrapLine():
                judge.take_trap(line.t, ids[line.node], line.trap)
                self.bench.causes.scene.take_trap(line.t, ids[line.node], line.trap, line.port)
            case OffLine():
                self.bench.causes.scene.add_off(line.school, line.from_, line.to)

    def _write(self) -> None:
        batch = self.ledger.take(0.0)
        if len(batch):
            batch.memory = {}
            with self.register.write() as session:
                write_batch(session, self._shifted(batch), self._ids)

    def _shifted(self, batch: Batch) -> Batch:
        """A batch with all its times as the viewer sees them."""
        return replace(batch, **{name: self._shift(getattr(batch, name)) for name in vars(batch)})

    def _shift(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return self.seen_at(value)
        if isinstance(value, dict):
            return {key: self._shift(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._shift(inner) for inner in value)
        return value

    def _beat(self) -> None:
        detail = {"collector": "replay", "speed": self.speed, "self_ok": True, "targets": len(self.stage.ids)}
        with self.register.write() as session:
            for feed in ("judge", "rounds"):
                store.beat(session, feed, detail=detail)


def _moved(report: RoundReport, ids: dict[str, str]) -> RoundReport:
    """A report in the register's ids."""
    return replace(
        report,
        asked="all" if report.asked == "all" else [ids[node] for node in report.asked],
        silent=[ids[node] for node in report.silent],
        facts={ids[node]: _facts(facts, ids) for node, facts in report.facts.items()},
    )


def _facts(facts: Any, ids: dict[str, str]) -> dict[str, Any]:
    way = facts.get("way")
    return {**facts, "way": ids[way]} if way is not None else dict(facts)
