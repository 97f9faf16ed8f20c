"""Pinging through ICMP sockets of our own, and what every way of pinging has in common."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from probes.icmp.loop import PingColumns, PingLane, PingLimits, PingLoop
from probes.icmp.readings import PingReadings, PingTargets
from probes.icmp.sockets import IcmpSocket, open_socket

HINT = (
    'better pings: as root, `sysctl -w net.ipv4.ping_group_range="0 2147483647"` (datagram ICMP for everybody), '
    "or give the program CAP_NET_RAW"
)

Progress = Callable[[int], None]


class Pinger(ABC):
    """A way to ping. `proves_down`: whether its silence means that a target is down (by TCP alone: unknown)."""

    method: str
    proves_down = True
    hint = HINT

    def round(
        self,
        targets: PingTargets,
        *,
        select: np.ndarray | None = None,
        count: int = 1,
        attempts: int = 3,
        timeout_s: float = 1.0,
        rate_pps: float = 20000,
        deadline_s: float = 4.0,
        progress: Progress | None = None,
    ) -> PingReadings:
        """Send `count` probes to each target (of `select`: int[k] or bool[n]); who stays silent is asked up to `attempts` times in all.

        A target that no packet can be sent to (blackhole, no route, no IPv6 here) is silent, and `failed` says why.
        """
        limits = PingLimits(count, attempts, timeout_s, rate_pps, deadline_s)
        limits.check()
        return self._ask(targets, chosen(targets, select), limits, progress)

    @abstractmethod
    def _ask(
        self, targets: PingTargets, members: np.ndarray, limits: PingLimits, progress: Progress | None
    ) -> PingReadings:
        """The round over `members` (int32[k])."""

    def close(self) -> None:  # noqa: B027 - nothing to give back is what most of them have
        """Give back what is kept between rounds."""


class SocketPinger(Pinger):
    """Raw or datagram ICMP sockets. Sockets, and with them the ICMP id, are new in every round (a stale id may be pinned in a firewall)."""

    def __init__(self, method: str, *, engine: str = "") -> None:
        """`method`: raw or dgram; `engine`: compiled or python, empty for the running one."""
        self.method = method
        self.engine = engine
        self.hint = ""

    def _ask(
        self, targets: PingTargets, members: np.ndarray, limits: PingLimits, progress: Progress | None
    ) -> PingReadings:
        started = time.time()
        columns = PingColumns(targets, limits.count + limits.attempts - 1)
        sockets: list[IcmpSocket] = []
        try:
            lanes = []
            for wide in (False, True):
                own = members[targets.wide[members] == wide]
                if not len(own):
                    continue
                try:
                    sockets.append(open_socket(self.method, wide, self.engine))
                except OSError as failure:
                    columns.failed[own] = min(failure.errno or 255, 255)
                    continue
                lanes.append(PingLane(sockets[-1], own, limits))
            if lanes:
                PingLoop(columns, lanes, limits, self.engine).run(progress)
        finally:
            for opened in sockets:
                opened.channel.close()
        return columns.readings(started)


def chosen(targets: PingTargets, select: np.ndarray | None) -> np.ndarray:
    """`select` as numbers: int32[k]."""
    found = np.arange(len(targets)) if select is None else np.asarray(select)
    if found.dtype == np.bool_:
        found = np.flatnonzero(found)
    return found.astype(np.int32)
