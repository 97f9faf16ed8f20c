"""The vantage point itself: the same liveness rounds on the same ticks as the collector's, by the monitor's clock; what it sees is handed in.

It asks nothing but ping and TCP, judges nothing, and keeps nothing on disk. Without the monitor it goes on asking what it was last given.
"""

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.clock import SteadyClock
from collector.report import RoundReport
from collector.rounds.liveness import Liveness, Sweep
from collector.rounds.ticks import next_round
from collector.targets import Targets
from collector.vantage.backlog import Backlog, Line, Offset
from collector.vantage.link import LinkError, MonitorLink
from collector.vantage.part import Part, WrongPartError, read_part, targets_of
from collector.vantage.words import BUNDLE_VERSION, bundle_line
from probes.icmp import open_pinger

log = logging.getLogger(__name__)

PART_EVERY_S = 30.0
"""Seconds between two looks for another part; an answer to reports that names another one comes before."""

SLOWEST_S = 30.0
"""Longest pause between two tries to reach the monitor."""

MUCH_S = 2.0
"""A clock that differs by more is named in the log; it is corrected all the same."""


class VantageProcess:
    """One vantage point: `run` from the main thread, `stop` from a signal handler or another."""

    def __init__(self, link: MonitorLink, name: str = "", ping_method: str | None = None) -> None:
        self.link, self.name, self.ping_method = link, name, ping_method
        self.clock = SteadyClock()
        self.offset = Offset()
        self.backlog = Backlog()
        self.part: Part | None = None
        self.taken = 0
        self.failure: LinkError | None = None
        self._duration_s = 0.0
        self._method = ""
        self._lock = threading.Lock()
        self._some = threading.Event()
        self._over = threading.Event()
        self._next_part = 0.0
        self._told_clock = False

    def run(self) -> LinkError | None:
        """Until `stop`, or until the token is refused for good: then why."""
        sender = threading.Thread(target=self._send_loop, name="hand in", daemon=True)
        sender.start()
        with ThreadPoolExecutor(4, "ask") as threads:
            self._ask_loop(threads)
        self._some.set()
        sender.join(2.0)
        self.link.close()
        return self.failure if self.failure is not None and self.failure.lasting else None

    def stop(self) -> None:
        """End it soon."""
        self._over.set()
        self._some.set()

    def now(self) -> float:
        """The monitor's time, as far as it is known."""
        return self.clock.now() + self.offset.seconds

    # -- asking

    def _ask_loop(self, threads: ThreadPoolExecutor) -> None:
        pinger = open_pinger(self.ping_method)
        self._method = pinger.method
        asked: Part | None = None
        liveness: Liveness | None = None
        targets: Targets | None = None
        last: int | None = None
        while not self._over.is_set():
            part = self.part
            if part is None:
                self._over.wait(0.2)
                continue
            if part is not asked or liveness is None or targets is None:
                targets = targets_of(part)
                liveness, asked = Liveness(targets, None, pinger, threads), part
            due = next_round(self.now(), part.every, 0.0, last)
            if self._over.wait(max(0.0, min(due.at - self.now(), part.every))):
                return
            if due.at - self.now() > 0.5:
                continue  # the monitor's clock was set back meanwhile
            last = due.tick
            started = time.monotonic()
            sweep = liveness.sweep(part.every, 0)
            self._duration_s = time.monotonic() - started
            self._put(part, targets, sweep, due.tick)

    def _put(self, part: Part, targets: Targets, sweep: Sweep, tick: int) -> None:
        now, at = self.now(), 0
        for shard in part.shards:
            rows = np.arange(at, at + len(shard.ids))
            at += len(shard.ids)
            ok = sweep.self_ok[int(targets.zone[rows[0]])]
            report = _report(shard.zone, shard.shard, shard.ids, sweep, rows, ok)
            if report is not None:
                report = {**report, "t": round(now, 3), "tick": tick, "every": part.every}
                line = RoundReport(collector=self.name, **report)
                text = json.dumps(bundle_line(part.name, line), separators=(",", ":")).encode()
                with self._lock:
                    self.backlog.add(Line(now, text), now)
        self._some.set()

    # -- handing in

    def _send_loop(self) -> None:
        pause = 0.5
        while not self._over.is_set():
            try:
                self._follow_part()
                self._hand_in()
                self._said_well()
                pause = 0.5
            except (LinkError, WrongPartError) as error:
                self._said_ill(error)
                if isinstance(error, LinkError) and error.lasting:
                    self._over.set()
                    return
                self._over.wait(pause)
                pause = min(2 * pause, SLOWEST_S)
                continue
            if not self.backlog.lines:
                self._some.wait(1.0)
                self._some.clear()

    def _follow_part(self) -> None:
        if self.part is not None and time.monotonic() < self._next_part:
            return
        sent = self.clock.now()
        answer = self.link.part(self.part.name if self.part is not None else "")
        self._hear_clock(sent, answer["now"])
        self._next_part = time.monotonic() + PART_EVERY_S
        if answer.get("part") is not None:
            self.part = read_part(answer["part"])
            log.info("asks %s targets in %s shards (part %s)", len(self.part), len(self.part.shards), self.part.name)

    def _hand_in(self) -> None:
        with self._lock:
            lines = self.backlog.bundle()
        if not lines:
            return
        head = json.dumps({"version": BUNDLE_VERSION, "detail": self._detail()}, separators=(",", ":")).encode()
        body = head[:-1] + b',"reports":[' + b",".join(line.text for line in lines) + b"]}"
        sent = self.clock.now()
        answer = self.link.hand_in(body)
        self._hear_clock(sent, answer["now"])
        with self._lock:
            self.backlog.done(lines)
        self.taken += int(answer.get("taken") or 0)
        if answer.get("refused"):
            log.warning("reports were refused: %s", answer["refused"])
        if self.part is not None and answer.get("name") != self.part.name:
            self._next_part = 0.0

    def _hear_clock(self, sent: float, told: float) -> None:
        self.offset.take(sent, float(told), self.clock.now())
        wall = self.offset.seconds - self.clock.step()
        if abs(wall) > MUCH_S and not self._told_clock:
            log.warning(
                "this machine's clock differs from the monitor's by %.1f s: rounds keep the monitor's time", wall
            )
        self._told_clock = abs(wall) > MUCH_S

    def _detail(self) -> dict[str, Any]:
        return {
            "offset_s": self.offset.seconds - self.clock.step(),
            "round_trip_s": self.offset.round_trip_s,
            "duration_s": self._duration_s,
            "dropped": self.backlog.dropped,
            "waiting": len(self.backlog.lines),
            "method": self._method,
            "release": version("edunet"),
        }

    def _said_well(self) -> None:
        if self.failure is not None:
            log.info("the monitor takes reports again")
        self.failure = None

    def _said_ill(self, error: Exception) -> None:
        if self.failure is None:
            log.warning("the monitor is not reached, reports wait: %s", error)
        self.failure = error if isinstance(error, LinkError) else LinkError(str(error))


def _report(
    zone: str, shard: int, ids: tuple[str, ...], sweep: Sweep, rows: NDArray[np.int64], ok: bool
) -> dict[str, Any] | None:
    """Fields of one shard's report. What ping by TCP alone did not hear proves nothing: it is not asked then."""
    answered, unproven = sweep.answered[rows] > 0, sweep.unproven[rows]
    common = {"zone": zone, "shard": shard, "self_ok": ok}
    if not unproven.any():
        return {**common, "asked": "all", "silent": [ids[i] for i in np.flatnonzero(~answered).tolist()]}
    heard = [i for i in range(len(ids)) if not unproven[i]]
    silent = [ids[i] for i in heard if not answered[i]]
    return {**common, "asked": [ids[i] for i in heard], "silent": silent} if heard else None
