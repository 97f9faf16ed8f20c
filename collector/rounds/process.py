"""The rounds process itself: a clock loop for liveness, a thread for readings, one for what comes in, one for what goes out."""

import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.clock import SteadyClock
from collector.rounds.drops import Drops
from collector.rounds.liveness import Liveness, Sweep
from collector.rounds.messages import AskNow, Health, Hello, LineRound, NewColumns, NewPlan, PortNames, ShardRound
from collector.rounds.outbox import Outbox
from collector.rounds.reading import Readings, inherit, snmp_targets
from collector.rounds.store import Store
from collector.rounds.ticks import next_round
from collector.shared import Shape
from collector.targets import Targets
from collector.wire import Channel, ChannelClosedError
from probes.icmp import Pinger, open_pinger

log = logging.getLogger(__name__)

HISTORY_S = 360.0
"""Liveness rounds are kept in `Columns.ring` for this long: one band of the history, and a minute to write it in."""

WARM_UP_S = (1.0, 13.0)
"""The first two readings of a plan with new devices come this soon, so that rates are there within the first minute."""


@dataclass
class _Current:
    """What the loops work on: replaced as a whole when another plan comes."""

    targets: Targets
    liveness: Liveness
    readings: Readings | None
    groups: list[tuple[int, int, NDArray[np.int64]]]
    since: float


class RoundsProcess:
    """Asks what the plan says until the channel closes. `run` blocks."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.outbox = Outbox(channel)
        self._over = threading.Event()
        self._current: _Current | None = None
        self._wanted: Targets | None = None
        self._now_asked: set[int] = set()
        self._news = threading.Condition()
        self._counts = {"rounds": 0, "readings": 0, "late": 0, "reading_late": 0, "blind": 0}
        self._last: dict[str, Any] = {}

    def run(self) -> None:
        """Until the judge's process closes the channel or is gone."""
        hello, _ = self.channel.receive()
        assert isinstance(hello, Hello)
        self.hello, self.clock = hello, SteadyClock(hello.clock_base)
        self.store = Store(max(2, round(HISTORY_S / hello.liveness_every_s)), self._announce)
        self.drops = Drops()
        self.pinger: Pinger = open_pinger(hello.ping_method)
        threads = [
            threading.Thread(target=self.outbox.run, name="outbox", daemon=True),
            threading.Thread(target=self._listen, name="inbox", daemon=True),
            threading.Thread(target=self._guard, args=(self._read_loop,), name="readings", daemon=True),
        ]
        for thread in threads:
            thread.start()
        with ThreadPoolExecutor(4, "ask") as self.threads:
            self._guard(self._live_loop)
        self.outbox.close()

    def _guard(self, loop: Any) -> None:
        """A loop that fails ends the process: the service starts another, and the time is unseen."""
        try:
            loop()
        except Exception:
            log.exception("the rounds failed")
            os._exit(1)

    def _listen(self) -> None:
        try:
            while True:
                message, fds = self.channel.receive()
                for fd in fds:
                    os.close(fd)
                with self._news:
                    if isinstance(message, NewPlan):
                        self._wanted = message.targets
                    elif isinstance(message, AskNow):
                        self._now_asked |= set(message.targets.tolist())
                    self._news.notify_all()
        except ChannelClosedError:
            self._over.set()
            with self._news:
                self._news.notify_all()
            # Whatever hangs in a probe, nothing is left over: SIGTERM of the service ends both within 2 s.
            threading.Timer(1.5, os._exit, (0,)).start()

    def _announce(self, shape: Shape, fd: int) -> None:
        self.outbox.put(NewColumns(shape), (fd,))

    def _take_plan(self) -> None:
        with self._news:
            targets, self._wanted = self._wanted, None
        if targets is None:
            return
        snmp, current = snmp_targets(targets), self._current
        if snmp is not None and current is not None and current.readings is not None:
            inherit(snmp, targets, current.readings.snmp, current.targets)
        self.store.follow(targets)
        self._current = _Current(
            targets=targets,
            liveness=Liveness(targets, snmp, self.pinger, self.threads, self.drops),
            readings=Readings(targets, snmp, self.store, self.drops) if snmp is not None else None,
            groups=_groups(targets),
            since=time.monotonic(),
        )

    def _live_loop(self) -> None:
        every, last = self.hello.liveness_every_s, None  # type: float, int | None
        while not self._over.is_set():
            due = next_round(self.clock.now(), every, 0.0, last)
            if due.missed:
                self._counts["late"] += due.missed
                self.store.forget_rows(range(due.tick - due.missed, due.tick))
            if self._over.wait(max(0.0, due.at - self.clock.now())):
                return
            self._take_plan()
            last = due.tick
            if self._current is not None:
                self._live_round(self._current, due.tick, every)

    def _live_round(self, current: _Current, tick: int, every: float) -> None:
        started = self.clock.now()
        sweep = current.liveness.sweep(every, self.hello.ping_rate_pps)
        ended = self.clock.now()
        version = current.targets.version
        self.store.write_liveness(version, tick, ended, sweep.answered, sweep.rtt_s, sweep.lost)
        for zone, shard, group in current.groups:
            for report in _reports(sweep, zone, shard, group, version, tick, (started, ended, every)):
                self.outbox.put(report)
        if sweep.line_ends:
            self.outbox.put(LineRound(version, ended, sweep.line_ends, tuple(sweep.self_ok)))
        self._counts["rounds"] += 1
        self._counts["blind"] += sum(not ok for ok in sweep.self_ok)
        self._last |= {
            "targets": len(current.targets),
            "answered": int((sweep.answered > 0).sum()),
            "duration_s": round(ended - started, 3),
            "tick": tick,
            "blind": [zone.name for zone, ok in zip(current.targets.zones, sweep.self_ok, strict=True) if not ok],
            "weak": list(current.liveness.eyes.weak),
            "plan_version": version,
        }
        self._say_health()

    def _say_health(self) -> None:
        self.outbox.put(
            Health(
                self.clock.now(),
                {
                    "method": self.pinger.method,
                    "hint": self.pinger.hint,
                    "proves_down": self.pinger.proves_down,
                    "every": self.hello.liveness_every_s,
                    "self_ok": not self._last.get("blind"),
                    "dropped": self.outbox.dropped,
                    "dropped_answers": self.drops.as_value(),
                    "cpu_s": round(time.process_time(), 2),
                    **self._counts,
                    **self._last,
                },
            )
        )

    def _read_loop(self) -> None:
        every, last, done = self.hello.reading_every_s, None, 0  # type: float, int | None, int
        seen: set[int] = set()
        warm: list[float] = []
        current: _Current | None = None
        while not self._over.is_set():
            if self._current is not current:
                current = self._current
                assert current is not None
                fresh = set(current.targets.device_id.tolist()) - seen
                seen |= fresh
                warm = [current.since + s for s in WARM_UP_S if s < every / 2] if fresh else warm
            due = next_round(self.clock.now(), every, every / 2, last)
            at = time.monotonic() + max(0.0, due.at - self.clock.now())
            if warm and warm[0] < at:
                at = warm[0]
            if self._wait_news(at, current):
                continue
            if warm and warm[0] <= time.monotonic():
                warm.pop(0)
            else:
                self._counts["reading_late"] += due.missed
                last = due.tick
            if current is not None and current.readings is not None:
                done += 1
                self._read_round(current, current.readings, done, every)

    def _wait_news(self, at: float, current: _Current | None) -> bool:
        """Wait until a monotonic time. True where a new plan, a wish or the end came before."""
        with self._news:
            while not self._over.is_set():
                left = at - time.monotonic()
                if left <= 0:
                    return False
                self._news.wait(min(left, 0.5))
                if self._current is not current:
                    return True
                if self._now_asked and current is not None and current.readings is not None:
                    break
            wishes, self._now_asked = self._now_asked, set()
        if wishes and current is not None and current.readings is not None:
            chosen = np.intersect1d(np.array(sorted(wishes), np.int64), current.readings.asked)
            if len(chosen):
                self._read_round(current, current.readings, -1, self.hello.reading_every_s, chosen)
        return True

    def _pass_on(self, current: _Current, readings: Readings) -> None:
        """A plan that came during a round took over what was known before it: now it gets what the round has learnt."""
        newer = self._current
        if newer is not None and newer is not current and newer.readings is not None:
            inherit(newer.readings.snmp, newer.targets, readings.snmp, current.targets)

    def _read_round(
        self, current: _Current, readings: Readings, number: int, every: float, select: NDArray[np.int64] | None = None
    ) -> None:
        begun = time.monotonic()
        round_ = readings.round(self.clock.now, select, number)
        self._pass_on(current, readings)
        # A reading that took its whole time (dead devices use up their budgets) still leaves a share for names: without them no
        # port has a word, and no line is judged.
        version = current.targets.version
        for found, table in readings.name_some(max(begun + 0.7 * every, time.monotonic() + 0.2 * every)):
            ports = {device: [(p.if_index, p.name, p.descr, p.alias) for p in of] for device, of in found.items()}
            self.outbox.put(PortNames(ports, table))
        facts = readings.facts(round_)
        if facts:
            for report in _facts_reports(current, facts, version, number, (round_.started, round_.ended)):
                self.outbox.put(report)
        if select is None:
            self._counts["readings"] += 1
            self._last |= {
                "reading_s": round(round_.ended - round_.started, 3),
                "reading_asked": len(round_.asked),
                "reading_answered": len(round_.answered),
                "reading_at": round_.ended,
                "unnamed": int(readings.unnamed.sum()),
            }


def _groups(targets: Targets) -> list[tuple[int, int, NDArray[np.int64]]]:
    key = targets.zone.astype(np.int64) << 32 | targets.shard
    return [(int(k >> 32), int(k & 0xFFFFFFFF), np.flatnonzero(key == k)) for k in np.unique(key)]


def _reports(
    sweep: Sweep,
    zone: int,
    shard: int,
    group: NDArray[np.int64],
    version: int,
    tick: int,
    times: tuple[float, float, float],
) -> list[ShardRound]:
    """The reports of one shard: one, or two where ping by TCP alone proves nothing of those that did not answer."""
    started, ended, every = times
    ok = sweep.self_ok[zone]
    silent = group[sweep.answered[group] == 0]
    unproven = group[sweep.unproven[group]]
    if not len(unproven):
        reason = "" if ok else "blind"
        return [ShardRound(version, zone, shard, tick, started, ended, every, ok, silent, reason=reason)]
    proven = np.setdiff1d(group, unproven)
    return [
        ShardRound(version, zone, shard, tick, started, ended, every, True, np.setdiff1d(silent, unproven), proven),
        # A tick of its own: these are other nodes than the shard's, not another word on the same.
        ShardRound(version, zone, shard, -1, started, ended, every, False, unproven, unproven, reason="tcp_only"),
    ]


def _facts_reports(
    current: _Current, facts: dict[int, dict[str, Any]], version: int, number: int, times: tuple[float, float]
) -> list[ShardRound]:
    reports = []
    nobody = np.zeros(0, np.int64)
    for zone, shard, group in current.groups:
        mine = {int(target): facts[target] for target in group.tolist() if target in facts}
        if mine:
            reports.append(
                ShardRound(version, zone, shard, number, *times, 5.0, True, nobody, nobody, kind="reading", facts=mine)
            )
    return reports
