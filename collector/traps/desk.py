"""The receiver of traps as the judge's process has it: its process, what it said, and what follows from that."""

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from collector.child import Child
from collector.live import Live
from collector.plan import Plan
from collector.settings import CollectorSettings
from collector.traps.book import TrapBook
from collector.traps.messages import Senders, Trap, TrapHealth, TrapHello, TrapNews

log = logging.getLogger(__name__)


class TrapDesk:
    """Made inert; `run` blocks in a thread of its own until `stop`, at once where `traps_listen` is empty."""

    def __init__(
        self,
        settings: CollectorSettings,
        clock_base: float,
        engine_file: Path,
        live: Live,
        on_traps: Callable[[TrapNews], Any],
        read_now: Callable[[Plan, "np.ndarray"], Any],
        sockets: tuple[int, ...] = (),
    ) -> None:
        """on_traps: called with what was taken. read_now: called with targets to read at once. sockets: handed over by systemd."""
        self.book = TrapBook()
        self.health: TrapHealth | None = None
        self.reads = 0
        self._live, self._on_traps, self._read_now = live, on_traps, read_now
        self._told: tuple[Any, ...] = ()
        self.enabled = bool(settings.traps_listen.strip() or sockets)
        hello = TrapHello(
            clock_base=clock_base,
            listen=settings.traps_listen,
            engine_file=str(engine_file),
            read_every_s=settings.traps_read_every_s,
            burst=settings.traps_burst,
            per_minute=settings.traps_per_minute,
            sockets=sockets,
        )
        self.child = Child("traps", hello, self._on_message, pass_fds=sockets)

    def run(self) -> None:
        """Until `stop`."""
        if self.enabled:
            self.child.run()

    def stop(self) -> None:
        """End it."""
        self.child.stop()

    def follow(self, senders: Senders) -> None:
        """Another plan's senders."""
        if self.enabled:
            self.child.give(senders)

    def detail(self) -> dict[str, Any]:
        """What it says of itself: where it listens, what came, what became of it."""
        if not self.enabled:
            return {"listening": [], "trouble": [], "off": True}
        health = self.health
        if health is None:
            return {"listening": [], "trouble": [], "starts": self.child.starts}
        results = {name: count for name, count in health.counts.items() if count}
        return {
            **health.detail,
            "at": health.at,
            "starts": self.child.starts,
            "results": results,
            "kinds": health.kinds,
            "reads": self.reads,
        }

    def _on_message(self, message: Any, fds: list[int]) -> None:
        for fd in fds:
            os.close(fd)
        if isinstance(message, TrapNews):
            traps = [self._named(trap) for trap in message.traps]
            self.book.add(traps)
            if traps:
                self._on_traps(TrapNews(traps, []))
            self._read(message.read)
        elif isinstance(message, TrapHealth):
            self.health = message
            self._tell(message)

    def _named(self, trap: Trap) -> Trap:
        """With the port's name as the readings know it, where the trap gives a number alone."""
        if trap.if_index is None or trap.if_name:
            return trap
        name = port_name(self._live, trap.device, trap.if_index)
        return replace(trap, if_name=name) if name else trap

    def _read(self, devices: list[int]) -> None:
        plan = self._live.plan
        if plan is None or not devices:
            return
        nodes = [plan.node_index.get(f"device:{device}", -1) for device in devices]
        targets = np.array([t for t in (int(plan.node_target[n]) for n in nodes if n >= 0) if t >= 0], np.int64)
        if len(targets):
            self.reads += len(targets)
            self._read_now(plan, targets)

    def _tell(self, health: TrapHealth) -> None:
        told = (tuple(health.detail["listening"]), tuple(health.detail["trouble"]))
        if told != self._told:
            self._told = told
            if told[0]:
                log.info("traps: listening on udp %s%s", ", ".join(told[0]), _not(told[1]))
            else:
                log.warning("traps: not heard%s", _not(told[1]))
        for line in health.said:
            log.warning("traps: %s", line)


def _not(trouble: tuple[str, ...]) -> str:
    return f" (not on {'; '.join(trouble)})" if trouble else ""


def port_name(live: Live, device: int, if_index: int) -> str:
    """A port's ifName as the reading rounds know it, "" where they do not."""
    found = live.matched()
    if found is None:
        return ""
    plan, columns = found
    node = plan.node_index.get(f"device:{device}", -1)
    target = int(plan.node_target[node]) if node >= 0 else -1
    if target < 0:
        return ""
    first, last = int(columns.offsets[target]), int(columns.offsets[target + 1])
    rows = np.flatnonzero(columns.if_index[first:last] == if_index)
    return live.name(int(columns.name_id[first + int(rows[0])])) if len(rows) else ""
