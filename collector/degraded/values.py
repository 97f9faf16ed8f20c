"""From the collector's columns to the measures of rules: (value, time) by subject. No I/O; what a value is not known for is NaN."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collector.degraded.ringstats import RingStats
from collector.degraded.rules import RuleRow
from collector.degraded.sensing import SENSED
from collector.degraded.subjects import Subjects
from collector.plan import Plan
from collector.schools import DOWN, UNKNOWN, UP
from collector.shared import Columns
from inventory.models import Measure

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Reading = tuple[Floats, Floats]
"""(value, seconds since the epoch) by subject"""

ERRORS, DISCARDS = (4, 5), (6, 7)
"""Columns of `shared.COUNTER_COLUMNS`."""


@dataclass
class PortRows:
    """Where the ports are in the columns, and their error counters at the reading before. row -1: not there."""

    row: Numbers
    before: NDArray[np.uint64] = field(default_factory=lambda: np.zeros((0, 9), np.uint64))
    before_at: Floats = field(default_factory=lambda: np.zeros(0))
    errors: Floats = field(default_factory=lambda: np.zeros(0))
    discards: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        n = len(self.row)
        self.before, self.before_at = np.zeros((n, 9), np.uint64), np.zeros(n)
        self.errors, self.discards = np.full(n, np.nan), np.full(n, np.nan)

    def carry(self, old: "PortRows") -> None:
        """The same ports in other columns."""
        self.before, self.before_at, self.errors, self.discards = old.before, old.before_at, old.errors, old.discards

    def follow(self, columns: Columns, at: Floats) -> None:
        """After a reading round: errors and discards a second since the one before. A counter that went back says nothing."""
        fresh = np.flatnonzero((self.row >= 0) & (at > self.before_at))
        if not len(fresh):
            return
        now = columns.counters[self.row[fresh]]
        seconds = np.where(self.before_at[fresh] > 0, at[fresh] - self.before_at[fresh], np.nan)
        present = columns.present[self.row[fresh]]
        for rates, both in ((self.errors, ERRORS), (self.discards, DISCARDS)):
            total = np.zeros(len(fresh))
            for column in both:
                back = now[:, column] < self.before[fresh, column]
                known = (present & (1 << column)) != 0
                delta = np.where(back, 0, now[:, column] - self.before[fresh, column]).astype(np.float64)
                total += np.where(back | ~known, np.nan, delta)
            rates[fresh] = total / seconds
        self.before[fresh], self.before_at[fresh] = now, at[fresh]


@dataclass
class View:
    """What the measures are made from, of one moment."""

    plan: Plan
    subjects: Subjects
    columns: Columns
    node_code: NDArray[np.uint8]
    """codes of states by node (collector/schools.py)"""
    explained: Mask
    """by node: down because of something above"""
    stats: RingStats
    ports: PortRows
    sensed: dict[Measure, Reading]
    """by target"""
    half_duplex: Reading
    """by port"""

    def up(self) -> Mask:
        """By target: the judge says that it answers."""
        return np.asarray(self.node_code[self.plan.target_node] == UP, np.bool_)

    def is_out(self, node: int) -> bool:
        """Whether a node (-1: none of the judge's) is out or unknown."""
        return node >= 0 and int(self.node_code[node]) in (UNKNOWN, DOWN)


def reading_of(view: View, rule: RuleRow) -> Reading:
    """A rule's measure by subject."""
    return _MEASURERS[Measure(rule.measure)](view, rule)


def pace_s(measure: str) -> float:
    """How far apart two readings of a measure may be and still be on end: three of its rounds, and a minute."""
    return 60.0 + 3.0 * _PACES.get(Measure(measure), 60.0)


def _device_loss(view: View, _: RuleRow) -> Reading:
    known = view.up() & view.subjects.own_loss
    return np.where(known, view.stats.loss_percent, np.nan), np.full(len(known), view.stats.at)


def _device_rtt(view: View, _: RuleRow) -> Reading:
    known = view.up() & view.subjects.own_loss
    return np.where(known, view.stats.rtt_ms, np.nan), np.full(len(known), view.stats.at)


def _over_line(view: View, by_target: Floats) -> Reading:
    target = view.subjects.line_target
    known = (
        (target >= 0) & view.up()[np.maximum(target, 0)] if len(view.plan.targets) else np.zeros(len(target), np.bool_)
    )
    value = np.full(len(target), np.nan)
    value[known] = by_target[target[known]]
    return value, np.full(len(target), view.stats.at)


def _line_loss(view: View, _: RuleRow) -> Reading:
    return _over_line(view, view.stats.loss_percent)


def _line_rtt(view: View, _: RuleRow) -> Reading:
    return _over_line(view, view.stats.rtt_ms)


def _port_reading(view: View, value: Callable[[Numbers], Floats]) -> Reading:
    """value(rows): of the ports that are there; ports of devices that are out or whose agent is silent are not known."""
    rows, target = view.ports.row, view.subjects.port_target
    found, at = np.full(len(rows), np.nan), np.zeros(len(rows))
    if len(rows):
        known = np.flatnonzero((rows >= 0) & view.up()[target] & (view.columns.snmp_misses[target] == 0))
        at[:] = view.columns.reading_at[target]
        found[known] = value(rows[known])
    return found, at


def _port_down(view: View, _: RuleRow) -> Reading:
    """Down though it should be up; one on which a line ends is the judge's (an outage of the line), and not judged here."""
    counters = view.columns.counters

    def down(rows: Numbers) -> Floats:
        admin, oper = counters[rows, 0], counters[rows, 1]
        return np.where(admin == 1, np.isin(oper, (2, 6, 7)).astype(np.float64), 0.0)

    value, at = _port_reading(view, down)
    return np.where(view.subjects.port_line >= 0, np.nan, value), at


def _port_errors(view: View, _: RuleRow) -> Reading:
    value, at = _port_reading(view, lambda rows: np.zeros(len(rows)))
    return value + view.ports.errors, at


def _port_discards(view: View, _: RuleRow) -> Reading:
    value, at = _port_reading(view, lambda rows: np.zeros(len(rows)))
    return value + view.ports.discards, at


def _load(view: View, rows: Numbers, limit: Floats | None = None) -> Floats:
    """Per cent of the port's speed, or of `limit` (bit/s) where that is less; NaN where neither is known."""
    capacity = view.columns.counters[rows, 8].astype(np.float64) * 1e6
    capacity[capacity == 0] = np.nan
    if limit is not None:
        capacity = np.fmin(capacity, limit)
    rate = np.fmax(view.columns.in_bps[rows], view.columns.out_bps[rows]).astype(np.float64)
    return np.asarray(100.0 * rate / capacity, np.float64)


def _port_load(view: View, _: RuleRow) -> Reading:
    """Of ports on which no line ends: those have a contract to be measured by."""
    value, at = _port_reading(view, lambda rows: _load(view, rows))
    return np.where(view.subjects.port_line >= 0, np.nan, value), at


def _line_load(view: View, _: RuleRow) -> Reading:
    """Of the port on the school's side, else of the far one, against the contract or the port's speed, whichever is less."""
    subjects, lines = view.subjects, len(view.subjects.line_ids)
    limit = np.full(len(subjects.port_key), np.nan)
    ends = subjects.port_line >= 0
    limit[ends] = subjects.line_mbps[subjects.port_line[ends]] * 1e6
    at_row = np.full(view.columns.shape.ports, np.nan)
    there = view.ports.row >= 0
    at_row[view.ports.row[there]] = limit[there]
    loads, at = _port_reading(view, lambda rows: _load(view, rows, at_row[rows]))
    value, when = np.full(lines, np.nan), np.zeros(lines)
    for own in (False, True):  # what the own end says is written last
        ports = np.flatnonzero(ends & (subjects.port_own == own) & ~np.isnan(loads))
        value[subjects.port_line[ports]], when[subjects.port_line[ports]] = loads[ports], at[ports]
    return value, when


def _sensed(measure: Measure) -> Callable[[View, RuleRow], Reading]:
    def read(view: View, _: RuleRow) -> Reading:
        n = len(view.plan.targets)
        value, at = view.sensed.get(measure, (np.full(n, np.nan), np.zeros(n)))
        return np.where(view.up(), value, np.nan), at

    return read


def _half_duplex(view: View, _: RuleRow) -> Reading:
    return view.half_duplex


def _answering(view: View, rule: RuleRow) -> Reading:
    """Per cent of a school's devices of these kinds that answer. What is down because of something above it, unknown or not yet seen
    does not count; a school with fewer than `at_least` that count is not known."""
    plan, schools = view.plan, len(view.plan.schools)
    device = view.subjects.device
    code = view.node_code[plan.target_node]
    counts = (device.school >= 0) & ((code == UP) | ((code == DOWN) & ~view.explained[plan.target_node]))
    if rule.kinds and device.kind is not None:
        counts &= np.isin(device.kind, rule.kinds)
    there = np.bincount(device.school[counts], minlength=schools)
    up = np.bincount(device.school[counts & (code == UP)], minlength=schools)
    share = np.where(there >= max(1, rule.at_least), 100.0 * up / np.maximum(there, 1), np.nan)
    return share, np.full(schools, view.stats.at)


_MEASURERS: dict[Measure, Callable[[View, RuleRow], Reading]] = {
    Measure.loss_percent: _device_loss,
    Measure.rtt_ms: _device_rtt,
    Measure.line_loss_percent: _line_loss,
    Measure.line_rtt_ms: _line_rtt,
    Measure.line_load_percent: _line_load,
    Measure.port_down: _port_down,
    Measure.port_errors_per_second: _port_errors,
    Measure.port_discards_per_second: _port_discards,
    Measure.port_load_percent: _port_load,
    Measure.half_duplex: _half_duplex,
    Measure.answering_percent: _answering,
    **{measure: _sensed(measure) for measure in SENSED},
}

_PACES: dict[Measure, float] = {
    **dict.fromkeys(
        (
            Measure.loss_percent,
            Measure.rtt_ms,
            Measure.line_loss_percent,
            Measure.line_rtt_ms,
            Measure.answering_percent,
        ),
        15.0,
    ),
    **dict.fromkeys(SENSED, 3600.0),
    Measure.half_duplex: 3600.0,
}
"""Seconds between two readings; those of ports come with the reading rounds."""
