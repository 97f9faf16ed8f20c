"""Degraded, wired to the judge's bench: called in the judge's thread after each liveness round; rows go into the bench's batch."""

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from collector.degraded.desk import SETTLE_S, Desk, Outcome
from collector.degraded.engine import Change, Engine
from collector.degraded.hours import ClassHours
from collector.degraded.ringstats import RingStats, ring_stats
from collector.degraded.rows import incident_row
from collector.degraded.rules import RuleRows
from collector.degraded.sensing import SENSED
from collector.degraded.sensors import SensorStore
from collector.degraded.subjects import Subjects, subjects_of
from collector.degraded.values import PortRows, View
from collector.degraded.world import Below, BenchWorld, port_text
from collector.ledger import Row, moment
from collector.live import Live
from collector.plan import Plan
from collector.rounds.store import expand
from collector.shared import Columns
from inventory.models import Measure, NodeKind, parse_node_id

if TYPE_CHECKING:
    from collector.judging import Bench

log = logging.getLogger(__name__)

MONITORED_S = 60.0
"""New monitored ports are taken in at most this often."""

ROUNDS_OF_LOOK = 2.8
"""Every third liveness round is looked at: loss and shares do not change faster."""

FROM_RING = frozenset({"loss_percent", "rtt_ms", "line_loss_percent", "line_rtt_ms"})


class Watch:
    """Owned by the judge's thread. `sensors` is written by the slow jobs."""

    def __init__(self, sensors: SensorStore, every_s: float, settle_s: float = SETTLE_S) -> None:
        """every_s: of the liveness rounds. settle_s: how long a case waits before it is opened."""
        self.sensors, self.class_hours = sensors, ClassHours()
        self.look_s, self._settle_s = ROUNDS_OF_LOOK * every_s, settle_s
        self.engine, self.desk = Engine(), Desk(settle_s)
        self.looks = 0
        self.last_s = 0.0
        self._rules: RuleRows | None = None
        self._plan: Plan | None = None
        self._subjects: Subjects | None = None
        self._monitored = 0
        self._followed_at = 0.0
        self._ports: PortRows | None = None
        self._ports_of: tuple[Columns, int] | None = None
        self._looked_at = 0.0
        self._stale = True
        self._lost: set[str] = set()

    def restore(self, memory: Mapping[str, Any] | None, open_keys: set[str]) -> None:
        """Go on from the database. open_keys: incidents of kind degraded that are open there."""
        if memory:
            try:
                self.desk.restore(dict(memory))
                self.engine.restore(self.desk.raised())
            except (ValueError, KeyError, TypeError) as error:
                log.warning("what was degraded cannot be read, and is found anew: %s", error)
                self.desk = Desk(self._settle_s)
        self._lost = open_keys - self.desk.keys()

    def set_rules(self, rules: RuleRows) -> None:
        """Rules have changed."""
        self._rules, self._stale = rules, True

    def follow(self, bench: "Bench") -> None:
        """The bench follows another plan: states of nodes say again what is degraded."""
        self._stale = True
        if bench.plan is not None:
            self._mark(bench, bench.plan)

    def look(self, bench: "Bench", live: Live, monitored: set[tuple[int, str]], now: float) -> None:
        """After a liveness round. monitored: ports that are looked at beside those that the plan names."""
        found = live.matched()
        if found is None or bench.plan is not found[0] or self._rules is None:
            return
        begun = time.thread_time()
        plan, columns = found
        before, looked = self._subjects, now - self._looked_at >= self.look_s or now < self._looked_at
        changes = self._follow(plan, self._rules, monitored, now)
        assert self._subjects is not None
        if looked:
            self._looked_at = now
            view = self._view(bench, plan, columns, live)
            changes += self.engine.look(view, now, self.class_hours(plan, now))
            self.looks += 1
            self.sensors.restless = frozenset(parse_node_id(node)[1] for node in self.engine.restless(SENSED))
        world = BenchWorld(
            plan, self._subjects, self.engine, bench, (bench.nodes.code, bench.schools.code), self._text_of, self._below
        )
        if self._subjects is not before:
            self.desk.reconcile({(c.rule.id, c.subject) for c in self.engine.raised()}, changes, now)
        outcome = self.desk.step(changes, world, now)
        self._write(bench, plan, outcome, now)
        if looked:
            self.last_s = time.thread_time() - begun

    # -- what is measured ------------------------------------------------------------------------------------------

    def _follow(self, plan: Plan, rules: RuleRows, monitored: set[tuple[int, str]], now: float) -> list[Change]:
        more = len(monitored) != self._monitored and now - self._followed_at >= MONITORED_S
        if not self._stale and plan is self._plan and not more:
            return []
        self._plan, self._monitored, self._followed_at, self._stale = plan, len(monitored), now, False
        self._subjects, self._below = subjects_of(plan, {*monitored, *plan.monitored}), Below(plan)
        self._ports_of = None
        self.sensors.follow(plan, self._subjects, rules)
        return self.engine.follow(plan, self._subjects, rules)

    def _view(self, bench: "Bench", plan: Plan, columns: Columns, live: Live) -> View:
        subjects = self._subjects
        assert subjects is not None
        ports = self._port_rows(subjects, columns, live)
        at = columns.reading_at[subjects.port_target] if len(subjects.port_target) else np.zeros(0)
        ports.follow(columns, at)
        return View(
            plan=plan,
            subjects=subjects,
            columns=columns,
            node_code=bench.nodes.code,
            explained=bench.explained_mask(),
            stats=self._ring(plan, columns),
            ports=ports,
            sensed=self.sensors.readings(plan),
            half_duplex=self.sensors.duplex(subjects),
        )

    def _ring(self, plan: Plan, columns: Columns) -> RingStats:
        """Loss and round-trip time, of those that a rule wants to know it of."""
        wanted = np.zeros(len(plan.targets), np.bool_)
        assert self._subjects is not None
        for rule, which in self.engine.watched():
            if rule.measure in (Measure.line_loss_percent, Measure.line_rtt_ms):
                target = self._subjects.line_target[which]
                wanted[target[target >= 0]] = True
            elif rule.measure in FROM_RING:
                wanted[which] = True
        return ring_stats(columns.ring_at, columns.ring, columns.ring_lost, np.flatnonzero(wanted))

    def _port_rows(self, subjects: Subjects, columns: Columns, live: Live) -> PortRows:
        """Where the ports are: looked up anew when the columns or the names are others."""
        if self._ports is not None and self._ports_of == (columns, live.named):
            return self._ports
        number = {name: i for i, name in enumerate(live.names)}
        names = np.array([number.get(name, -2) for _, name in subjects.port_key], np.int64)
        rows = _find_rows(columns, subjects.port_target, names)
        old, fresh = self._ports, PortRows(rows)
        if old is not None and len(old.row) == len(rows) and self._ports_of is not None:
            fresh.carry(old)
        self._ports, self._ports_of = fresh, (columns, live.named)
        return fresh

    def _text_of(self, subject: str, measure: str) -> str:
        return port_text(subject, measure) or self.sensors.text_of(subject, measure)

    # -- what is written -------------------------------------------------------------------------------------------

    def _write(self, bench: "Bench", plan: Plan, outcome: Outcome, now: float) -> None:
        for node in outcome.dropped:
            self.engine.drop(node)
        for key in self._lost:
            bench.add_incident(key, {"status": "resolved", "resolved_at": moment(now)})
            bench.add_notice({"event": "resolved", "at": moment(now), "incident_key": key})
        lost, self._lost = self._lost, set()
        members = self.desk.members() if outcome else {}
        for key in outcome.changed | {key for _, key, _ in outcome.notices}:
            row = incident_row(self.desk, plan, key, members)
            if row is not None:
                bench.add_incident(key, row)
        for event, key, into in outcome.notices:
            self._say(bench, (event, key, into), len(members.get(key, ())), now)
        if outcome.touched:
            self._mark(bench, plan)
        if outcome or lost:
            bench.add_memory("degraded", self.desk.snapshot())

    def _say(self, bench: "Bench", notice: tuple[str, str, str | None], affected: int, now: float) -> None:
        event, key, into = notice
        row: Row = {"event": event, "at": moment(now), "incident_key": key, "affected": max(affected, 1)}
        change: Row = {"said_affected": max(affected, 1)}
        if event == "resolved":
            change = {"status": "resolved" if into is None else "merged", "resolved_at": moment(now)}
            if into is not None:
                change["merged_key"] = row["merged_key"] = into
        elif event == "opened":
            change["opened_at"] = moment(now)
        elif event == "reopened":
            change["resolved_at"] = None
        bench.add_incident(key, change)
        bench.add_notice(row)

    def _mark(self, bench: "Bench", plan: Plan) -> None:
        """Nodes and schools that are degraded now, each with its incident."""
        nodes: dict[int, str] = {}
        schools: dict[int, str] = {}
        for node in self.desk.cases:
            key = self.desk.key_of(node)
            if not key:
                continue
            kind, number = parse_node_id(node)
            if kind == NodeKind.school:
                if number in plan.school_index:
                    schools[plan.school_index[number]] = key
                continue
            if node in plan.node_index:
                nodes[plan.node_index[node]] = key
            for school in _schools_of(plan, node):
                schools.setdefault(school, key)
        bench.set_degraded(nodes, schools)


def _find_rows(columns: Columns, target: NDArray[np.int64], name: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row of each port (target, number of its name) in the columns; -1 where it is not there."""
    asked = np.unique(target[name >= 0])
    counts = np.diff(columns.offsets)[asked]
    rows, owner = expand(columns.offsets[asked], counts), np.repeat(asked, counts)
    ids = columns.name_id[rows].astype(np.int64)  # a copy: the rounds write there at any moment
    there = (columns.present[rows] != 0) & (ids >= 0)
    rows, owner, ids = rows[there], owner[there], ids[there]
    if not len(rows):
        return np.full(len(target), -1, np.int64)
    have, want = owner << 32 | ids, target << 32 | np.maximum(name, 0)
    order = np.argsort(have, kind="stable")
    at = np.minimum(np.searchsorted(have[order], want), len(have) - 1)
    found = rows[order][at]
    return np.where((have[order][at] == want) & (name >= 0), found, -1)


SHOWN_BY_SCHOOL = frozenset({"gateway", "ups"})
"""A school is degraded with its line, its gateway or its power; another device that is too hot does not degrade the school."""


def _schools_of(plan: Plan, node: str) -> tuple[int, ...]:
    kind, number = parse_node_id(node)
    if kind == NodeKind.line:
        return plan.line_schools.get(number, ())
    device = plan.devices.get(number)
    school = int(plan.node_school[plan.node_index[node]]) if node in plan.node_index else -1
    return (school,) if device is not None and device.kind in SHOWN_BY_SCHOOL and school >= 0 else ()
