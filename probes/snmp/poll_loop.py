"""The loop of a reading round: paced sending, at most one request in flight for each device, asking again, giving up.

The engine composes and absorbs by the batch (`probes/engine/walk.py`); what is here runs once for each batch of up to 128 packets.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from probes.engine.channel import Channel
from probes.snmp.poll_state import ANSWERS, BULK, DONE, FLYING, LATE, LOST, NEXT, READY, SPENT, RoundArrays
from probes.snmp.timers import Clock, WallClock, spread_timeouts, waits_us

TICK_S = 0.05
"""How often timers are looked at."""
YOUNG_S = 0.25
"""A request older than this no longer counts against the window: its answer is late or will not come."""

GATHER_S = 0.001
"""After the first answer of a lull, wait so long for others: a system call for each packet costs more than the packet."""

ENOUGH = 64
"""Answers at once that are worth the next turn without a pause."""

LEAST_WINDOW, ENOUGH_LATE, JUDGE_S = 64, 16, 1.0
"""So many late answers, and more than a tenth of all, halve the window down to the least; a second without them doubles it again."""

TRY_NEXT = 4
"""Unanswered tries after which a device that has never answered a GETBULK is asked by GETNEXT."""


@dataclass(frozen=True)
class Limits:
    """How hard a round may ask."""

    deadline_s: float
    attempts: int
    rate_pps: float
    window: int


class Lane:
    """The devices of one channel (by address family, and v3 apart): who is to be asked, how many answers are awaited.

    The loop takes out and empties two lists of the channel's: `refused`, devices that said why they do not answer; `reported`, such as spoke, and are still
    to answer (v3: their engine, their clock).
    """

    def __init__(
        self,
        channel: Channel,
        devices: np.ndarray,
        window: int,
        refused: list[int] | None = None,
        reported: list[int] | None = None,
    ) -> None:
        self.channel = channel
        self.refused = [] if refused is None else refused
        self.reported = [] if reported is None else reported
        self.fresh = devices
        self.position = 0
        self.again = np.zeros(0, np.int32)
        self.in_flight = 0
        self.window = self.most = window
        self.dropped = channel.dropped()

    def waiting(self) -> int:
        """How many could be asked now."""
        return len(self.again) + len(self.fresh) - self.position

    def next(self, most: int) -> np.ndarray:
        """Up to `most` devices to ask now: those that are under way first, then new ones."""
        taken, self.again = self.again[:most], self.again[most:]
        more = min(most - len(taken), len(self.fresh) - self.position)
        if more <= 0:
            return taken
        new = self.fresh[self.position : self.position + more]
        self.position += more
        return np.concatenate((taken, new)) if len(taken) else new


class RoundLoop:
    """Runs one round over `lanes`; `walk` is the engine's state machine over `arrays`, which has the times (us) and tries of each request.

    `pauses`: seconds between an answer and the next request, for each device; None: for nobody.
    """

    def __init__(
        self,
        walk: Any,
        arrays: RoundArrays,
        lanes: list[Lane],
        limits: Limits,
        clock: Clock | None = None,
        pauses: np.ndarray | None = None,
    ) -> None:
        self.walk = walk
        self.arrays = arrays
        self.lanes = lanes
        self.limits = limits
        self.clock = clock if clock is not None else WallClock([lane.channel for lane in lanes])
        self.zero = self.clock.now() - 1e-6
        """When the engine's microseconds began."""
        n = arrays.n
        self.missed = np.zeros(n, np.bool_)
        self.pauses = pauses
        self._resting = np.zeros(0, np.int32)
        self._wake = np.zeros(n if pauses is not None else 0)
        self.open = sum(len(lane.fresh) for lane in lanes)
        self.requests = 0
        self.dropped_by_kernel = 0
        self._answers, self._lates, self._judged = 0, 0, self.clock.now()
        self._addresses = arrays.addresses.data
        # Packets worth a system call, at most 5 ms of waiting.
        self._worth = int(min(64, max(1, limits.rate_pps * 0.005)))
        self._unknown_us = spread_timeouts(limits.attempts, limits.deadline_s) * 1e6
        np.minimum(arrays.budget_us, np.uint32(limits.deadline_s * 1e6), out=arrays.budget_us)
        self._answered_numbers = np.zeros(lanes[0].channel.batch if lanes else 1, np.int32)
        self._answered = self._answered_numbers.data
        self._lane_of = np.zeros(n, np.int8)
        for number, lane in enumerate(lanes):
            self._lane_of[lane.fresh] = number

    def run(self, progress: Callable[[int], None] | None = None) -> None:
        """Until every device is read or given up; `progress` is told now and then how many are still open."""
        now = tick = self.clock.now()
        tokens = 0.0
        while self.open:
            before, now = now, self.clock.now()
            tokens = min(256.0, tokens + (now - before) * self.limits.rate_pps)
            moved = False
            for lane in self.lanes:
                got = lane.channel.receive()
                if got:
                    self.take(lane, got, now)
                if lane.reported:
                    self.note_reports(lane, now)
                if lane.refused:
                    self.give_up(lane)
                room = min(lane.channel.batch, lane.window - lane.in_flight, int(tokens))
                worth = min(self._worth, lane.window // 4)  # a window that drops have narrowed must not stop the lane
                if room > 0 and room >= min(worth, waiting := lane.waiting()) and waiting:
                    tokens -= self.ask(lane, lane.next(room), now)
                    moved = True
                moved |= got >= ENOUGH
            if now >= tick:
                tick = now + TICK_S
                self.look_at_timers(now)
                if progress:
                    progress(self.open)
            if not moved and self.open:
                self._wait(tick - now, tokens)

    def _wait(self, until_tick: float, tokens: float) -> None:
        if tokens < self._worth and any(lane.waiting() and lane.in_flight < lane.window for lane in self.lanes):
            self.clock.sleep(min(max(until_tick, 0.0), (self._worth - tokens) / self.limits.rate_pps))
        elif self.clock.wait(until_tick):
            self.clock.sleep(GATHER_S)

    def _us(self, now: float) -> int:
        return int((now - self.zero) * 1e6) or 1

    def ask(self, lane: Lane, devices: np.ndarray, now: float) -> int:
        """Send each of them its next request; returns how many there were."""
        count, channel = len(devices), lane.channel
        channel.target_numbers[:count] = devices
        self.walk.compose(channel.targets, count, channel.out, channel.size, channel.out_lengths, self._us(now))
        channel.send(self._addresses, count)
        lane.in_flight += count
        self.requests += count
        if channel.error_numbers[:count].any():
            held = devices[channel.error_numbers[:count] == -1]  # the send buffer is full: once more, soon
            self.arrays.state[held] = READY
            self.arrays.tries[held] -= 1
            self.arrays.sends[held] -= 1
            lane.again = np.concatenate((lane.again, held))
            lane.in_flight -= len(held)
            self.requests -= len(held)
            # A packet that could not leave (no route, a blackhole) is a silent device: its timer says so.
        return count

    def take(self, lane: Lane, count: int, now: float) -> None:
        """Absorb `count` packets of the lane's channel, that are there at `now`."""
        channel, position = lane.channel, 0
        while True:
            position, found = self.walk.absorb(
                channel.into,
                channel.size,
                channel.into_lengths,
                channel.sources,
                position,
                count,
                self._answered,
                self._us(now),
            )
            if found:
                self.follow(lane, self._answered_numbers[:found].copy(), now)
            if position >= count:
                return
            rows = max(1 << 14, 2 * len(self.arrays.row_index))
            self.walk.lend(*self.arrays.widen(rows))

    def follow(self, lane: Lane, devices: np.ndarray, now: float) -> None:
        """Devices that have just answered: done, or to be asked for more, at once or after their pause."""
        lane.in_flight = max(0, lane.in_flight - len(devices))
        more = devices[self.arrays.state[devices] == READY]
        self.open -= len(devices) - len(more)
        if self.pauses is not None and len(more):
            pauses = self.pauses[more]
            self._wake[more] = now + pauses
            self._resting = np.concatenate((self._resting, more[pauses > 0]))
            more = more[pauses == 0]
        if len(more):
            lane.again = np.concatenate((lane.again, more)) if len(lane.again) else more

    def look_at_timers(self, now: float) -> None:
        """Ask again who has been silent too long, give up who has used up his attempts or his budget."""
        arrays, state, now_us = self.arrays, self.arrays.state, self._us(now)
        flying = np.flatnonzero(state == FLYING).astype(np.int32)
        age = now_us - arrays.sent[flying].astype(np.int64)
        # Of one that has answered in this round an answer will come: it is awaited, however long it takes.
        young = flying[(age < YOUNG_S * 1e6) | (arrays.heard[flying] != 0)]
        flying, age = flying[age >= YOUNG_S * 1e6], age[age >= YOUNG_S * 1e6]
        tries = arrays.tries[flying]
        waits = waits_us(
            arrays.srtt[flying], arrays.rttvar[flying], tries, self._unknown_us, self.limits.deadline_s * 1e6
        )
        over = now_us - arrays.begun[flying].astype(np.int64) >= arrays.budget_us[flying]
        late = flying[(age >= waits) | over]
        over = over[(age >= waits) | over]
        used = arrays.sends[late] >= arrays.budget_requests[late]
        lost = over | used | (arrays.tries[late] >= self.limits.attempts)
        state[late[lost]] = LOST
        state[late[(used | over) & (arrays.heard[late] != 0)]] = SPENT
        self.open -= int(np.count_nonzero(lost))
        again = late[~lost]
        self._ask_for_less(again)
        state[again] = READY
        again = np.concatenate((again, self._woken(now))) if len(self._resting) else again
        self._mind_queues(now)
        for number, lane in enumerate(self.lanes):
            if len(self.lanes) == 1:
                lane.again = np.concatenate((lane.again, again))
                lane.in_flight = len(young)
            else:
                lane.again = np.concatenate((lane.again, again[self._lane_of[again] == number]))
                lane.in_flight = int(np.count_nonzero(self._lane_of[young] == number))
            self._mind_drops(lane)

    def _ask_for_less(self, again: np.ndarray) -> None:
        """Silent twice: perhaps the answer was too large for it, or for the way; four times: perhaps it knows no GETBULK. One whose answers come
        late is none of these."""
        arrays = self.arrays
        self.missed[again] = True
        again = again[arrays.late[again] == 0]
        weak = again[arrays.tries[again] >= 2]
        arrays.repetitions[weak] = np.maximum(1, arrays.repetitions[weak] >> 1)
        mute = (arrays.dialect[again] == BULK) & (arrays.proven[again] == 0) & (arrays.asked[again] != 0)
        arrays.dialect[again[mute & (arrays.tries[again] >= TRY_NEXT)]] = NEXT

    def _mind_queues(self, now: float) -> None:
        """Whoever answers, or the way to many of them, may have a queue: then answers come late, and asking more makes it longer."""
        tally = self.arrays.tally
        answers, lates = int(tally[ANSWERS]) - self._answers, int(tally[LATE]) - self._lates
        if lates < ENOUGH_LATE and now < self._judged + JUDGE_S:
            return
        self._answers, self._lates, self._judged = self._answers + answers, self._lates + lates, now
        late = lates >= ENOUGH_LATE and lates * 10 > answers
        for lane in self.lanes:
            lane.window = max(LEAST_WINDOW, lane.window // 2) if late else min(lane.most, lane.window * 2)

    def _woken(self, now: float) -> np.ndarray:
        """Devices whose pause is over."""
        over = self._wake[self._resting] <= now
        woken, self._resting = self._resting[over], self._resting[~over]
        return woken

    def note_reports(self, lane: Lane, now: float) -> None:
        """The timers of these devices begin again, and learn how slow they are (decision 0023)."""
        for device in lane.reported:
            self.walk.note_report(device, self._us(now))
        lane.reported.clear()

    def give_up(self, lane: Lane) -> None:
        """Take out the devices that have refused the request they were asked."""
        devices = np.unique(np.array(lane.refused, np.int32))
        lane.refused.clear()
        lost = devices[self.arrays.state[devices] == FLYING]
        self.arrays.state[lost] = LOST
        self.open -= len(lost)
        lane.in_flight = max(0, lane.in_flight - len(lost))

    def _mind_drops(self, lane: Lane) -> None:
        dropped = lane.channel.dropped()
        if dropped > lane.dropped:
            self.dropped_by_kernel += dropped - lane.dropped
            lane.dropped = dropped
            lane.window = lane.most = max(16, lane.window // 2)

    def late(self) -> int:
        """Answers that came twice or too late."""
        return int(self.arrays.tally[LATE])

    def finished(self) -> np.ndarray:
        """bool[n]: walked to the end."""
        done: np.ndarray = self.arrays.state == DONE
        return done
