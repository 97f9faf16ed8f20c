"""A round of pings through ICMP sockets: paced, timed by the kernel, who is silent asked again within the round."""

import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from probes import engine as engines
from probes.icmp.readings import PingReadings, PingTargets
from probes.icmp.sockets import IcmpSocket

GAP_S = 0.1
"""Least time between two probes to one target."""
TICK_S = 0.02
CATCH_UP_S = 0.02
"""A loop that woke late may send at once what was due in the last so many seconds, answers being read after each batch: on a busy machine every
sleep is some milliseconds too long, and a round of 100,000 would take three times its time."""
MOST_PROBES = 64


@dataclass(frozen=True)
class PingLimits:
    """How a round asks: `count` probes each, up to `attempts - 1` more to the silent, `timeout_s` for an answer."""

    count: int
    attempts: int
    timeout_s: float
    rate_pps: float
    deadline_s: float

    def patience(self) -> float:
        """Seconds to wait for an answer before asking again, so that all attempts fit into the deadline."""
        return min(self.timeout_s, self.deadline_s / max(1, self.attempts))

    def check(self) -> None:
        """ValueError where a round cannot be so."""
        if self.count < 1 or self.attempts < 1 or self.count + self.attempts - 1 > MOST_PROBES:
            raise ValueError(f"count {self.count} and attempts {self.attempts}: 1 to {MOST_PROBES} probes in one round")
        if self.timeout_s <= 0 or self.rate_pps <= 0 or self.deadline_s <= 0:
            raise ValueError("times and rates must be above zero")


class PingColumns:
    """What the engine keeps of each target in one round (see `probes.engine.echo.Echo`)."""

    def __init__(self, targets: PingTargets, probes: int) -> None:
        n = len(targets)
        self.addresses = targets.packed
        self.sent = np.zeros(n, np.uint16)
        self.received = np.zeros(n, np.uint16)
        self.seen = np.zeros(n, np.uint64)
        self.left = np.zeros((n, probes), np.int64)
        self.best = np.full(n, np.nan, np.float32)
        self.last = np.zeros(n, np.float32)
        self.wander = np.zeros(n, np.float32)
        self.failed = np.zeros(n, np.uint8)
        self.tally = np.zeros(4, np.int64)

    def views(self) -> dict[str, object]:
        """What `Echo` is made of."""
        return {name: column.data for name, column in vars(self).items()}

    def readings(self, started: float) -> PingReadings:
        """The round's result."""
        pairs = np.maximum(self.received, 1).astype(np.float32) - 1
        return PingReadings(
            answered=self.received > 0,
            rtt_seconds=self.best,
            jitter_seconds=np.where(pairs > 0, self.wander / np.maximum(pairs, 1), np.nan).astype(np.float32),
            sent=self.sent,
            received=self.received,
            failed=self.failed,
            started=started,
            ended=time.time(),
            foreign=int(self.tally[0]),
            broken=int(self.tally[1]),
            duplicates=int(self.tally[2]),
        )


class PingLane:
    """The targets of one address family, over one socket: passes over all, then the silent again."""

    def __init__(self, icmp: IcmpSocket, members: np.ndarray, limits: PingLimits) -> None:
        self.icmp = icmp
        self.members = members
        self.limits = limits
        self.batch = members[:0]
        self.position = 0
        self.passes = 0
        self.pass_began = float("-inf")
        self.again: deque[np.ndarray] = deque()
        self.log: deque[tuple[float, np.ndarray]] = deque()
        """Batches that answers are awaited of, by the time they left."""

    def next(self, most: int, now: float) -> np.ndarray:
        """Whom to ask now: the silent first."""
        if self.again:
            batch = self.again.popleft()
            if len(batch) > most:
                self.again.appendleft(batch[most:])
            return batch[:most]
        if self.position >= len(self.batch):
            if self.passes >= self.limits.count or now < self.pass_began + GAP_S:
                return self.members[:0]
            self.passes += 1
            self.pass_began, self.batch, self.position = now, self.members, 0
        found = self.batch[self.position : self.position + most]
        self.position += len(found)
        return found

    def asked_all(self) -> bool:
        """Whether the planned probes are out, and nobody waits to be asked again."""
        return self.passes >= self.limits.count and self.position >= len(self.batch) and not self.again


class PingLoop:
    """One round over the lanes. Times are monotonic seconds; RTTs come from stamps in ns since the epoch."""

    def __init__(self, columns: PingColumns, lanes: list[PingLane], limits: PingLimits, engine: str) -> None:
        self.columns = columns
        self.lanes = lanes
        self.limits = limits
        self.echo = engines.load("echo", engine or None).Echo(  # type: ignore[arg-type]  # "" and None both mean the running one
            columns.views(), secrets.randbits(64), secrets.randbits(16)
        )
        self.addresses = columns.addresses.data
        self.worth = int(
            min(64, max(1, limits.rate_pps * 0.005))
        )  # packets worth a system call, at most 5 ms of waiting
        self.most = max(128.0, limits.rate_pps * CATCH_UP_S)

    def run(self, progress: Callable[[int], None] | None = None) -> None:
        """Until everybody has answered or been given up; `progress` is told now and then how many probes were sent."""
        now = time.monotonic()
        tick, tokens = now, 0.0
        while True:
            before, now = now, time.monotonic()
            tokens = min(self.most, tokens + (now - before) * self.limits.rate_pps)
            for lane in self.lanes:
                if tokens >= self.worth:
                    tokens -= self._ask(lane, min(lane.icmp.channel.batch, int(tokens)), now)
                self._listen(lane)
            if now >= tick:
                tick = now + TICK_S
                if progress:
                    progress(int(self.columns.sent.sum()))
                through = [
                    self._look_back(lane, now) for lane in self.lanes
                ]  # each of them, also after the first False
                if all(through):
                    return
            self._pause(tokens, tick - time.monotonic())

    def _pause(self, tokens: float, until_tick: float) -> None:
        if all(lane.asked_all() for lane in self.lanes):
            wait = until_tick
        else:
            wait = min(until_tick, (self.worth - tokens) / self.limits.rate_pps)
        if wait > 0:
            time.sleep(wait)

    def _ask(self, lane: PingLane, most: int, now: float) -> int:
        batch = lane.next(most, now)
        count = len(batch)
        if not count:
            return 0
        icmp, channel = lane.icmp, lane.icmp.channel
        channel.target_numbers[:count] = batch
        self.echo.compose(
            channel.targets, count, channel.out, channel.size, channel.out_lengths, icmp.request, icmp.ident
        )
        channel.send(self.addresses, count)
        if self.echo.mark(channel.targets, count, channel.errors, channel.left):
            held = channel.error_numbers[:count] < 0
            lane.again.append(batch[held])
            batch = batch[~held]
        if len(batch):
            lane.log.append((now, batch))
        return len(batch)

    def _listen(self, lane: PingLane) -> None:
        icmp, channel = lane.icmp, lane.icmp.channel
        while got := channel.receive():
            self.echo.absorb(
                channel.into,
                channel.size,
                channel.into_lengths,
                channel.sources,
                channel.came,
                got,
                icmp.reply,
                icmp.ident,
                icmp.ip_header,
                time.time_ns(),
            )
            if got < channel.batch:
                return

    def _look_back(self, lane: PingLane, now: float) -> bool:
        """Queue those who have been silent too long to be asked again; whether the lane is through."""
        columns, limits = self.columns, self.limits
        while lane.log and lane.log[0][0] + limits.patience() <= now:
            _, batch = lane.log.popleft()
            silent = batch[(columns.received[batch] == 0) & (columns.sent[batch] >= limits.count)]
            silent = silent[columns.sent[silent] < limits.count + limits.attempts - 1]
            if len(silent):
                lane.again.append(silent)
        if not lane.asked_all():
            return False
        if not lane.log:
            return True
        # Everybody may have answered already: look at the batches in flight from the newest, for the newest is the last to be complete.
        while lane.log:
            _, batch = lane.log[-1]
            if np.any(columns.received[batch] < columns.sent[batch]):
                return False
            lane.log.pop()
        return True
