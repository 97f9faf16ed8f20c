"""A liveness round: who answers, by any way that is declared for the device, within four fifths of the tick.

Ping first, the devices without ping by SNMP or TCP beside it; whoever has missed the ping is then asked by SNMP and TCP. What
missed the last round is asked by SNMP from the beginning, so that a device without ping costs no patience.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collector.rounds.drops import Drops
from collector.rounds.eyes import Eyes
from collector.rounds.tcp import tcp_alive
from collector.shared import BY_PING, BY_SNMP, BY_TCP, MISS, NO_RTT, UNASKED
from collector.targets import WATCH_ANY, WATCH_ICMP, WATCH_SNMP, WATCH_TCP, Targets
from probes.icmp import Pinger, PingTargets
from probes.snmp.poll import SnmpPoller, SnmpTargets

PATIENCE = 0.8
"""Share of `every` in which a round is over: 4 s of 5."""

PING_SHARE = 0.6
"""Share of that which belongs to the pings where others follow them."""

SPREAD = 0.4
"""Share of the pings' time over which the first of each target are spread (bursts invent outages); the rest is for asking again."""

SNMP_S = 2.0
"""An agent that has not given its sysUpTime after so long (three requests) is silent in this round."""


@dataclass(frozen=True)
class Sweep:
    """What one liveness round found. answered: bits by target; rtt_s: as `shared.Columns.ring`; lost: pings; self_ok by zone; proof: whether silence says anything."""

    answered: NDArray[np.uint8]
    rtt_s: NDArray[np.float32]
    lost: NDArray[np.uint8]
    self_ok: list[bool]
    unproven: NDArray[np.bool_]
    line_ends: tuple[bool, ...] = ()


class Liveness:
    """Liveness rounds over one plan; made anew for each plan, with the pinger and the threads handed on."""

    def __init__(
        self,
        targets: Targets,
        snmp_targets: SnmpTargets | None,
        pinger: Pinger,
        threads: ThreadPoolExecutor,
        drops: Drops | None = None,
    ) -> None:
        self.targets, self.pinger, self.drops = targets, pinger, drops or Drops()
        self.eyes = Eyes(targets.zones)
        # Where ping proves nothing, the silence of a line's address would call the line down.
        self._line_ends = targets.line_ends if pinger.proves_down else ()
        more = [*self.eyes.addresses, *(end.address for end in self._line_ends)]
        self._pings = PingTargets([*targets.address, *more])
        self._also = np.arange(len(targets), len(targets) + len(more))
        self._snmp_targets = snmp_targets
        self._poller = SnmpPoller() if snmp_targets is not None else None
        self._threads = threads
        n, watch = len(targets), targets.watch
        has_snmp = (targets.credential >= 0) & (snmp_targets is not None)
        self._by_ping = np.flatnonzero((watch == WATCH_ANY) | (watch == WATCH_ICMP))
        self._by_snmp = np.flatnonzero((watch == WATCH_SNMP) & has_snmp)
        self._by_tcp = [i for i in targets.tcp if watch[i] == WATCH_TCP]
        self._also_snmp = (watch == WATCH_ANY) & has_snmp
        self._also_tcp = [i for i in targets.tcp if watch[i] == WATCH_ANY]
        self._missed = np.zeros(n, np.bool_)
        self._unproven = np.isin(watch, (WATCH_ANY, WATCH_ICMP)) & (not pinger.proves_down)

    def sweep(self, every_s: float, rate_pps: int) -> Sweep:
        """One round. It takes at most about PATIENCE × every_s."""
        n, begun = len(self.targets), time.monotonic()
        until = begun + PATIENCE * every_s
        answered = np.zeros(n, np.uint8)
        rtt, lost = np.full(n, UNASKED, np.float32), np.zeros(n, np.uint8)
        early = np.union1d(self._by_snmp, np.flatnonzero(self._missed & self._also_snmp))
        snmp = self._threads.submit(self._ask_snmp, early, until) if len(early) else None
        tcp = self._threads.submit(self._ask_tcp, self._by_tcp, until) if self._by_tcp else None
        connected = self._threads.submit(self.eyes.ask_tcp, until - time.monotonic()) if self.eyes.tcp else None
        references = self._ping(answered, rtt, lost, every_s, rate_pps)
        _take(snmp, answered, BY_SNMP)
        missing = answered == 0
        late = np.setdiff1d(np.flatnonzero(missing & self._also_snmp), early)
        snmp = self._threads.submit(self._ask_snmp, late, until) if len(late) else None
        more = [i for i in self._also_tcp if missing[i]]
        if more:
            answered[self._ask_tcp(more, until)] |= BY_TCP
        _take(snmp, answered, BY_SNMP)
        _take(tcp, answered, BY_TCP)
        rtt[(answered > 0) & ~(rtt >= 0)] = NO_RTT
        rtt[answered == 0] = MISS
        self._missed = (answered & BY_PING) == 0
        any_target = [bool((answered[self.targets.zone == zone] > 0).any()) for zone in range(len(self.targets.zones))]
        eyes, ends = references[: len(self.eyes.addresses)], references[len(self.eyes.addresses) :]
        self_ok = self.eyes.self_ok(eyes, any_target, connected.result() if connected is not None else None)
        return Sweep(answered, rtt, lost, self_ok, self._unproven & (answered == 0), tuple(ends))

    def _ping(
        self,
        answered: NDArray[np.uint8],
        rtt: NDArray[np.float32],
        lost: NDArray[np.uint8],
        every_s: float,
        rate_pps: int,
    ) -> list[bool]:
        n = len(self.targets)
        select = np.concatenate([self._by_ping, self._also])
        if not len(select):
            return []
        whole = PATIENCE * every_s
        followed = bool(self._also_snmp.any() or self._also_tcp)
        budget = whole * PING_SHARE if followed else whole
        rate = rate_pps or max(2000, int(len(select) / (budget * SPREAD)))
        spread = len(select) / rate
        readings = self.pinger.round(
            self._pings,
            select=select,
            count=1,
            attempts=3,
            timeout_s=max(0.2, min(1.0, (budget - spread) / 3)),
            rate_pps=rate,
            deadline_s=budget,
        )
        self.drops.take_pings(readings)
        mine = self._by_ping
        got = np.asarray(readings.answered, np.bool_)[mine]
        answered[mine[got]] |= BY_PING
        rtt[mine[got]] = np.asarray(readings.rtt_seconds, np.float32)[mine[got]]
        sent, came = np.asarray(readings.sent)[mine], np.asarray(readings.received)[mine]
        lost[mine] = np.minimum(sent - np.minimum(came, sent), 255)
        return [bool(answer) for answer in np.asarray(readings.answered)[n:]]

    def _ask_snmp(self, select: NDArray[np.int64], until: float) -> NDArray[np.int64]:
        left = min(until - time.monotonic(), SNMP_S)
        if self._poller is None or self._snmp_targets is None or left < 0.2:
            return np.zeros(0, np.int64)
        readings = self._poller.alive(self._snmp_targets, select=select, deadline_s=left)
        self.drops.take_snmp(readings)
        alive = np.asarray(readings.answered, np.bool_)
        return np.asarray(select[alive[select]], np.int64)

    def _ask_tcp(self, select: list[int], until: float) -> NDArray[np.int64]:
        left = until - time.monotonic()
        tcp = self.targets.tcp
        found = tcp_alive(((i, self.targets.address[i], *tcp[i]) for i in select), max(left, 0.2))
        return np.array(sorted(found), np.int64)


def _take(future: "Future[NDArray[np.int64]] | None", answered: NDArray[np.uint8], bit: int) -> None:
    if future is not None:
        answered[future.result()] |= bit
