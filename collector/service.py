"""The judge's process: wires plan, rounds, judge, writer, outlets, metrics and the socket, and keeps them going.

Making it opens nothing; `run()` blocks until `stop()`. Every part has a thread; the judge's thread never waits for another.
"""

import logging
import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from collector.causes.live import CauseRules, read_cause_rules
from collector.child import RoundsChild
from collector.clock import SteadyClock
from collector.degraded.rules import RuleRows, read_rules
from collector.degraded.sensors import SensorStore
from collector.degraded.watch import Watch
from collector.heap import keep_small
from collector.judging import RECORD_S, Bench, Recorder
from collector.ledger import Batch, Ledger
from collector.live import Live
from collector.outlets.board import Outlets
from collector.plan import Plan, build_plan
from collector.planned import HabitBook, HabitReader
from collector.recording import Recording
from collector.recovery import recover
from collector.ring import Ring
from collector.rounds.messages import AskNow, Health, Hello, LineRound, NewColumns, PortNames, ShardRound
from collector.schedule import SlowJobs
from collector.server import Server
from collector.settings import CollectorSettings
from collector.telling.telling import Telling
from collector.traps.desk import TrapDesk
from collector.traps.messages import TrapNews
from collector.traps.register import read_senders
from collector.vantage.desk import VantageDesk, VantageRound, VantageRows, read_vantages
from collector.vantage.words import LATE_S
from collector.ways import WayNews
from collector.windows import read_windows
from collector.writer import Writer
from inventory.database import Register
from inventory.models import utcnow
from inventory.rules import ship_rules

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""Seconds between two looks at the register's version."""

BEAT_S = 2.0


class Service:
    """One collector: `run` from the main thread, `stop` from a signal handler or another thread."""

    def __init__(
        self,
        register: Register,
        settings: CollectorSettings,
        socket_path: Path,
        may_notify: bool = True,
        record: Path | None = None,
        timezone: str = "Asia/Shanghai",
        trap_sockets: tuple[int, ...] = (),
    ) -> None:
        """may_notify False: nothing is ever sent outside, whatever the settings say (the demonstration). trap_sockets: UDP sockets handed over by systemd."""
        self.register, self.settings = register, settings
        self.name = settings.name or socket.gethostname()
        self.clock = SteadyClock()
        self.ledger = Ledger()
        self.recording = Recording(record, self.clock) if record is not None else None
        ring = socket_path.parent.parent / "trace"
        self.ring = Ring(ring, settings.trace_hours, settings.trace_mb) if settings.trace_hours else None
        self.bench = Bench(self.ledger, self.name, record=self._recorder())
        self.outlets = Outlets(register, settings, may_notify and settings.outlets_enabled, timezone)
        self.telling = Telling(register, settings, self.outlets.may_notify, timezone, self.clock.now)
        self.writer = Writer(register, self.ledger, self._on_notices, self.telling.severities)
        self.live = Live(self.clock)
        hello = Hello(
            clock_base=self.clock.base,
            liveness_every_s=settings.liveness_every_s,
            reading_every_s=settings.reading_every_s,
            ping_method=settings.ping_method or None,
            ping_rate_pps=settings.ping_rate_pps,
        )
        self.sensors = SensorStore()
        self.degraded = Watch(self.sensors, settings.liveness_every_s, settings.degraded_settle_s)
        self.child = RoundsChild(hello, self._on_message)
        self.jobs = SlowJobs(self)
        self.server = Server(socket_path, self)
        self.plans = 0
        self.stale_reports = 0
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.traps = TrapDesk(
            settings,
            self.clock.base,
            socket_path.parent.parent / "traps.json",
            self.live,
            on_traps=self._queue.put,
            read_now=lambda plan, targets: self.child.tell(AskNow(plan.version, targets)),
            sockets=trap_sockets,
        )
        self.vantages = VantageDesk(self.clock.now, settings.liveness_every_s, self._queue.put)
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._ring_thread: threading.Thread | None = None

    def _recorder(self) -> Recorder | None:
        """Who is told of each line that the judge is told: the file of `--record`, and the ring of the last hours."""
        told: list[Recorder] = []
        if self.recording is not None:
            told.append(self.recording)
        if self.ring is not None:
            told.append(self.ring.take)

        def tell(line: dict[str, Any]) -> None:
            for take in told:
                take(line)

        return tell if told else None

    # -- run and stop ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until `stop`. Whatever part fails ends the whole: a supervisor starts it again, and the time is unseen."""
        keep_small()
        self.register.migrate()
        ship_rules(self.register)
        found = recover(self.register)
        self.bench.restore(
            found.memory,
            found.nodes,
            found.schools,
            found.open_outages,
            found.stopped_at,
            found.open_agents,
            found.causes,
            found.outages,
        )
        self.degraded.restore(found.degraded, set(found.open_degraded))
        self.writer.incident_ids.update(found.incident_ids)
        if self.recording is not None:
            self.recording.open()
        if self.ring is not None:
            self._ring_thread = threading.Thread(target=self.ring.run, name="ring", daemon=True)
            self._ring_thread.start()
        self.outlets.restore()
        for name, target in (
            ("writer", self.writer.run),
            ("judge", self._judge_loop),
            ("plan", self._plan_loop),
            ("rounds", self.child.run),
            ("traps", self.traps.run),
            ("outlets", self.outlets.run),
            ("telling", self.telling.run),
            ("socket", self.server.run),
        ):
            thread = threading.Thread(target=self._guard, args=(name, target), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self.jobs.start()
        while not self._over.wait(0.5):
            pass
        self._end()

    def stop(self) -> None:
        """Ask `run` to end; it takes at most 2 s."""
        self._over.set()

    def _end(self) -> None:
        until = time.monotonic() + 1.7
        self.child.stop()
        self.traps.stop()
        self.jobs.stop()
        self.server.stop()
        self.outlets.stop()
        self.telling.stop()
        for thread in self._threads:
            if thread.name == "judge":
                thread.join(max(0.0, until - time.monotonic()))
        self.writer.stop()
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        if self.ring is not None:
            self.ring.stop()
            if self._ring_thread is not None:
                self._ring_thread.join(1.0)
        if self.recording is not None:
            self.recording.close()

    def _guard(self, name: str, target: Callable[[], None]) -> None:
        try:
            target()
        except Exception:
            log.exception("%s failed: the collector ends", name)
            os._exit(1)

    def take(self, message: Any) -> None:
        """A message for the judge's thread, from any other."""
        self._queue.put(message)

    # -- what comes in ---------------------------------------------------------------------------------------------

    def _on_message(self, message: Any, fds: list[int]) -> None:
        """From the rounds, in their thread: columns are swapped here, the rest waits for the judge's thread."""
        if isinstance(message, NewColumns):
            self.live.attach(fds[0])
        for fd in fds:
            os.close(fd)
        if isinstance(message, PortNames):
            self.live.take_names(message)
            self.jobs.take_names(message)
        elif isinstance(message, ShardRound | LineRound | Health):
            self._queue.put(message)

    def _on_notices(self, notices: list[tuple[int, dict[str, Any]]]) -> None:
        """From the writer: the judge's notices are in the register."""
        self.outlets.take(notices)
        self.telling.wake()

    def _plan_loop(self) -> None:
        """Follow the register: its version every second, maintenance with it."""
        version, windows, rules = -1, None, None
        habits = HabitReader(self.register)
        complaint = 0
        while not self._over.is_set():
            try:
                now = self.register.version()
                if now != version:
                    begun = time.monotonic()
                    plan = build_plan(
                        self.register,
                        self.settings.shard_size,
                        learned_confidence=self.settings.learned_confidence,
                    )
                    version = plan.version
                    self.plans += 1
                    log.info(
                        "plan %s: %s devices asked, %s lines, %s schools, in %.2f s",
                        version,
                        len(plan.targets),
                        len(plan.lines),
                        len(plan.schools),
                        time.monotonic() - begun,
                    )
                    for warning in plan.warnings[:20]:
                        log.warning("plan: %s", warning)
                    vantages = read_vantages(self.register)
                    self.vantages.prepare(plan, vantages)
                    self._queue.put(VantageRows(vantages))
                    self._queue.put(plan)
                    self.child.follow(plan.targets)
                    self._queue.put(read_cause_rules(self.register))
                    self.traps.follow(read_senders(self.register, plan))
                    windows = None
                book = habits.look(time.monotonic())
                if book is not None:
                    self._queue.put(book)
                found = read_windows(self.register)
                if found != windows:
                    windows = found
                    self._queue.put(found)
                degraded = read_rules(self.register)
                if degraded != rules:
                    rules = degraded
                    self._queue.put(degraded)
                complaint = 0
            except Exception as error:
                if complaint % 30 == 0:
                    log.warning("the register cannot be read, trying again: %s", error, exc_info=complaint == 0)
                complaint += 1
            self._over.wait(LOOK_S)

    def _judge_loop(self) -> None:
        beat = 0.0
        while not self._over.is_set():
            self._take_one(self._patience())
            while not self._queue.empty():
                self._take_one(0.0)
            for held in self.vantages.due():
                self._take_round(held)
            self.bench.step(self.clock.now())
            if time.monotonic() - beat > BEAT_S:
                beat = time.monotonic()
                self.ledger.put(Batch(beats=self._beats()))

    def _patience(self) -> float:
        due = self.bench.judge.next_due() if self.bench.plan is not None else None
        return 0.5 if due is None else min(0.5, max(0.01, due - self.clock.now()))

    def _take_one(self, patience: float) -> None:
        try:
            message = self._queue.get(timeout=patience)
        except queue.Empty:
            return
        if isinstance(message, ShardRound):
            if not self.vantages.hold(message):
                self._take_round(message)
        elif isinstance(message, VantageRound):
            for report in self.vantages.merge(message):
                self.bench.take_vantage(report)
        elif isinstance(message, VantageRows):
            self.vantages.rows = message.rows
        elif isinstance(message, Health):
            if self.live.take_health(message):
                self.bench.look_at_agents(self.live, self.settings.agent_silent_rounds, self.clock.now())
            self.degraded.look(self.bench, self.live, self.jobs.ports.monitored, self.clock.now())
            self.bench.take_power(self.sensors)
        elif isinstance(message, LineRound):
            self.bench.take_lines(message)
        elif isinstance(message, WayNews):
            self.bench.take_ways(message)
        elif isinstance(message, RuleRows):
            self.degraded.set_rules(message)
        elif isinstance(message, TrapNews):
            self.bench.take_traps(message.traps)
        elif isinstance(message, CauseRules):
            self.bench.set_cause_rules(message)
        elif isinstance(message, HabitBook):
            self.bench.set_habits(message)
            self.degraded.class_hours.set(message.calendars)
        elif isinstance(message, Plan):
            self.bench.follow(message, self.clock.now())
            self.vantages.follow(message)
            self.bench.keep_record(LATE_S + 30.0 if self.vantages.rows else RECORD_S)
            self.degraded.follow(self.bench)
            self.live.plan = message
        else:
            self.bench.set_windows(message, self.clock.now())

    def _take_round(self, message: ShardRound) -> None:
        if not self.bench.take(message, self.vantages.saw(message)):
            self.stale_reports += 1

    def _beats(self) -> dict[str, dict[str, Any]]:
        beats: dict[str, dict[str, Any]] = {"judge": {"at": utcnow(), "detail": self.judge_detail()}}
        health = self.live.health
        if health is not None and self.clock.now() - health.at < 3 * self.settings.liveness_every_s:
            detail = {**health.detail, "starts": self.child.starts}
            beats["rounds"] = {"at": utcnow(), "detail": detail}
        if self.telling.is_alive():
            detail = {**self.outlets.detail(), "telling": self.telling.detail()}
            beats["outlets"] = {"at": utcnow(), "detail": detail, "stale_after": 60.0}
        if self.vantages.rows:
            beats["vantages"] = {"at": utcnow(), "detail": self.vantages.detail()}
        return beats

    def judge_detail(self) -> dict[str, Any]:
        """What the judge's process says of itself."""
        plan = self.bench.plan
        return {
            "collector": self.name,
            "plan_version": plan.version if plan is not None else None,
            "reports": self.bench.reports,
            "stale_reports": self.stale_reports,
            "incidents": len(self.bench.incidents),
            "snmp_not_yet_seen": len(self.bench.snmp_unseen),
            "pending_rows": len(self.ledger),
            "write_s": round(self.writer.last_s, 3),
            "write_failures": self.writer.failures,
            "notice_delay_s": round(self.bench.last_notice_delay, 3),
            "clock_step_s": round(self.clock.step(), 3),
        }
