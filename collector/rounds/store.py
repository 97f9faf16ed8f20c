"""The writer's side of the shared columns: keeps what is known through new plans and growing port lists."""

import os
import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from collector.rates import began_again, rates_bps, spans
from collector.shared import COUNTER32, UNASKED, Columns, Shape, create
from collector.targets import Targets
from probes.snmp.pace import Pace

CHUNK = 2000
"""Targets written between two looks at `seq`: readers wait for no more than these."""

_KEPT = (
    *("answered", "answered_at", "rtt_s", "uptime", "uptime_at", "reading_at", "complete", "snmp_misses"),
    *("snmp_rtt_s", "snmp_usual_s", "snmp_rows", "snmp_width", "snmp_dialect"),
    *("backed_off", "over_budget", "snmp_sends"),
)
_PORTS = ("if_index", "name_id", "present", "counters", "in_bps", "out_bps")


class Store:
    """Columns of the plan in force. Liveness and readings write from two threads; a new shape is made under the lock."""

    def __init__(self, window: int, announce: Callable[[Shape, int], None]) -> None:
        """announce(shape, descriptor): called with each new block; the descriptor is closed by whom it is given to."""
        self.window = window
        self.lock = threading.RLock()
        self._announce = announce
        fd, self.columns = create(Shape(0, 0, 0, window))
        os.close(fd)
        self.names: dict[str, int] = {}

    def follow(self, targets: Targets) -> None:
        """A block for another plan; targets that remain (the same device) keep what is known of them."""
        with self.lock:
            old = self.columns
            where = {device: i for i, device in enumerate(old.device_id.tolist())}
            source = np.array([where.get(device, -1) for device in targets.device_id.tolist()], np.int64)
            known = np.flatnonzero(source >= 0)
            capacity = np.zeros(len(targets), np.int64)
            capacity[known] = np.diff(old.offsets)[source[known]]
            self._make(targets.version, targets.device_id, capacity, known, source[known])

    def grow(self, capacity: NDArray[np.int64]) -> None:
        """A block with room for at least `capacity` ports of each target, where the present one is too small."""
        with self.lock:
            have = np.diff(self.columns.offsets)
            if (capacity <= have).all():
                return
            everyone = np.arange(len(have))
            old = self.columns
            self._make(old.shape.version, old.device_id.copy(), np.maximum(have, capacity), everyone, everyone)

    def _make(
        self,
        version: int,
        device_id: NDArray[np.int64],
        capacity: NDArray[np.int64],
        known: NDArray[np.int64],
        source: NDArray[np.int64],
    ) -> None:
        old = self.columns
        fd, new = create(Shape(version, len(device_id), int(capacity.sum()), self.window))
        new.device_id[:] = device_id
        new.offsets[1:] = np.cumsum(capacity)
        new.ring_at[:] = old.ring_at
        new.ring[:, known] = old.ring[:, source]
        new.ring_lost[:, known] = old.ring_lost[:, source]
        for name in _KEPT:
            getattr(new, name)[known] = getattr(old, name)[source]
        counts = np.diff(old.offsets)[source]
        rows_from, rows_to = expand(old.offsets[source], counts), expand(new.offsets[known], counts)
        for name in _PORTS:
            getattr(new, name)[rows_to] = getattr(old, name)[rows_from]
        self.columns = new
        self._announce(new.shape, fd)

    def write_liveness(
        self,
        version: int,
        tick: int,
        at: float,
        answered: NDArray[np.uint8],
        rtt_s: NDArray[np.float32],
        lost: NDArray[np.uint8] | None = None,
    ) -> None:
        """One liveness round of all targets. rtt_s: as `ring` wants it (seconds, MISS, UNASKED or NO_RTT); lost: pings of each."""
        with self.lock:
            columns = self.columns
            if columns.shape.version != version:
                return
            row = tick % self.window
            columns.ring_at[row] = 0
            columns.ring[row] = rtt_s
            columns.ring_lost[row] = 0 if lost is None else lost
            columns.ring_at[row] = at
            columns.answered[:] = answered
            columns.answered_at[answered > 0] = at
            columns.rtt_s[:] = np.where(rtt_s >= 0, rtt_s, np.float32(np.nan))

    def forget_rows(self, ticks: range) -> None:
        """Liveness rounds that were passed over leave no stale row behind."""
        with self.lock:
            for tick in ticks[-self.window :]:
                self.columns.ring_at[tick % self.window] = 0
                self.columns.ring[tick % self.window] = UNASKED
                self.columns.ring_lost[tick % self.window] = 0

    def write_reading(
        self, version: int, at: float, asked: NDArray[np.int64], reading: "Reading", counted: bool = True
    ) -> "Changes | None":
        """One reading round (see `Reading`). What changed, or None where another plan has come meanwhile.

        counted False: a reading between the rounds (a trap came): silence then is no missed round of `snmp_misses`.
        The lock is given back after each chunk: a reading of 100,000 devices holds up no liveness round.
        """
        with self.lock:
            if self.columns.shape.version != version:
                return None
            answered = asked[reading.answered[asked]]
            wanted = np.zeros(self.columns.shape.targets, np.int64)
            wanted[answered] = np.diff(reading.offsets)[answered]
            self.grow(wanted)
            columns = self.columns
            _write_silent(columns, asked[~reading.answered[asked]], counted)
            seconds = np.where(columns.reading_at > 0, at - columns.reading_at, np.nan)
            restarted = began_again(columns.uptime, reading.uptime, np.nan_to_num(seconds))
            own = spans(columns.uptime, reading.uptime, np.nan_to_num(seconds))
            own[restarted | ~(seconds > 0)] = np.nan
        changed = np.zeros(columns.shape.targets, np.bool_)
        for chunk in range(0, len(answered), CHUNK):
            with self.lock:
                if self.columns is not columns:
                    return None
                _write_ports(columns, answered[chunk : chunk + CHUNK], reading, own, changed, at)
        return Changes(restarted=answered[restarted[answered]], relisted=answered[changed[answered]])

    def nameless(self, n: int) -> NDArray[np.bool_]:
        """By target of the block's plan (n of them): whether it has a port that nobody has named yet."""
        with self.lock:
            columns, found = self.columns, np.zeros(n, np.bool_)
            rows = np.flatnonzero((columns.present != 0) & (columns.name_id < 0))
            found[np.searchsorted(columns.offsets, rows, side="right") - 1] = True
            return found

    def write_pace(self, version: int, pace: Pace) -> None:
        """How each target is asked after a reading round (single values: no reader sees half of one)."""
        with self.lock:
            columns = self.columns
            if columns.shape.version != version:
                return
            columns.snmp_rtt_s[:], columns.snmp_usual_s[:] = pace.rtt_s, pace.baseline_s
            columns.snmp_rows[:], columns.snmp_width[:] = pace.rows(), pace.width
            columns.snmp_dialect[:], columns.backed_off[:] = pace.dialect, pace.level
            columns.over_budget[:], columns.snmp_sends[:] = pace.spent, pace.sends

    def name_ports(self, target: int, names: dict[int, str]) -> list[str]:
        """Give a target's rows their names (ifIndex -> name); the names that the table did not know before, in order."""
        with self.lock:
            columns, fresh = self.columns, []
            for row in range(int(columns.offsets[target]), int(columns.offsets[target + 1])):
                name = names.get(int(columns.if_index[row]), "") if columns.present[row] else ""
                if name and name not in self.names:
                    self.names[name] = len(self.names)
                    fresh.append(name)
                columns.name_id[row] = self.names[name] if name else -1
            return fresh


class Reading:
    """One reading round in columns: rows `offsets[i]:offsets[i + 1]` of the port columns are target i's, for all targets of the plan."""

    def __init__(
        self,
        answered: NDArray[np.bool_],
        complete: NDArray[np.bool_],
        uptime: NDArray[np.int64],
        offsets: NDArray[np.int64],
        if_index: NDArray[np.int64],
        counters: NDArray[np.uint64],
        present: NDArray[np.uint16],
    ) -> None:
        self.answered, self.complete, self.uptime = answered, complete, uptime
        self.offsets, self.if_index, self.counters, self.present = offsets, if_index, counters, present


class Changes:
    """Targets that restarted, and those whose list of ifIndex is another than before (or new)."""

    def __init__(self, restarted: NDArray[np.int64], relisted: NDArray[np.int64]) -> None:
        self.restarted, self.relisted = restarted, relisted


def expand(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row numbers `starts[i], starts[i] + 1, ...` (counts[i] of them), one after the other."""
    if not len(starts):
        return np.zeros(0, np.int64)
    ends = np.cumsum(counts)
    return np.repeat(starts - (ends - counts), counts) + np.arange(int(ends[-1]))


def _write_silent(columns: Columns, silent: NDArray[np.int64], counted: bool) -> None:
    rows = expand(columns.offsets[silent], np.diff(columns.offsets)[silent])
    columns.snmp_misses[silent] += int(counted)
    columns.in_bps[rows] = columns.out_bps[rows] = np.nan


def _write_ports(
    columns: Columns,
    targets: NDArray[np.int64],
    reading: Reading,
    own_s: NDArray[np.float64],
    changed: NDArray[np.bool_],
    at: float,
) -> None:
    counts = np.diff(reading.offsets)[targets]
    room = np.diff(columns.offsets)[targets]
    source, rows = expand(reading.offsets[targets], counts), expand(columns.offsets[targets], counts)
    owner = np.repeat(targets, counts)
    index, counters, present = reading.if_index[source], reading.counters[source], reading.present[source]
    same = columns.if_index[rows] == index
    changed[owner[~same]] = True
    seconds = np.where(same, own_s[owner], np.nan)
    speed = np.where(present & (1 << 8), counters[:, 8], 0).astype(np.float64) * 1e6
    before = columns.present[rows]
    columns.seq[targets] += 1
    for name, column in (("in_bps", 2), ("out_bps", 3)):
        both = (present & before & (1 << column)) != 0
        span = np.where(both, seconds, np.nan)
        getattr(columns, name)[rows] = rates_bps(
            columns.counters[rows, column], counters[:, column], span, speed, (present & COUNTER32) != 0
        )
    columns.if_index[rows], columns.counters[rows], columns.present[rows] = index, counters, present
    spare = expand(columns.offsets[targets] + counts, room - counts)
    gone = spare[columns.if_index[spare] != 0]
    columns.if_index[spare], columns.present[spare], columns.name_id[spare] = 0, 0, -1
    columns.in_bps[spare] = columns.out_bps[spare] = np.nan
    if len(gone):
        lost = np.searchsorted(columns.offsets, gone, side="right") - 1
        changed[lost] = True
    columns.name_id[rows[~same]] = -1
    columns.uptime[targets], columns.uptime_at[targets] = reading.uptime[targets], at
    columns.reading_at[targets], columns.complete[targets] = at, reading.complete[targets]
    columns.snmp_misses[targets] = 0
    columns.seq[targets] += 1
