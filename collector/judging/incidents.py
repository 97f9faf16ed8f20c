"""The book of incidents: what the judge sees and says of them becomes rows of `incident` and `notice`, with their causes.

Which nodes belong to which incident stands here too, for the states of those nodes say it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from collector.causes.live import CauseRules, Causes
from collector.incidents import Context, incident_row, notice_rows
from collector.judge import Judge
from collector.judge.values import IncidentView, Notice
from collector.ledger import Row, moment
from collector.planned import HabitBook, off_spans
from collector.statebook import StateBook

Recorder = Callable[[dict[str, Any]], None]
"""Takes the lines of a trace."""


class IncidentBook(StateBook):
    """Incidents and notices on top of states and outages. record: takes what a trace must hold, where one is written."""

    def __init__(self, judge: Judge, record: Recorder | None) -> None:
        super().__init__(judge)
        self.record = record
        self.incidents: dict[str, IncidentView] = {}
        self.causes = Causes()
        self.last_notice_delay = 0.0
        self._affected: dict[str, tuple[str, ...]] = {}
        self._rows: dict[str, Row] = {}

    def add_incident(self, key: str, row: Row) -> None:
        """Put what is known of an incident that is not the judge's into the next batch."""
        self._batch.incidents[key] = {**self._batch.incidents.get(key, {}), **row}

    def add_notice(self, row: Row) -> None:
        """Put a notice into the next batch, with what it speaks of."""
        self._batch.notices.append(row)

    def add_memory(self, key: str, value: Row) -> None:
        """Put what is to be remembered with it into the next batch."""
        self._batch.memory[key] = value

    def set_habits(self, book: HabitBook) -> None:
        """Habits of switching off, and the calendars that they are read by."""
        self.planned.set_book(book)

    def set_cause_rules(self, rules: CauseRules) -> None:
        """Which conclusions are approved."""
        self.causes.set_rules(rules)

    def _take_notices(self, notices: list[Notice], now: float) -> bool:
        for notice in notices:
            change, row = notice_rows(notice)
            base = self._rows.get(notice.incident, {})
            mine = self._batch.incidents.get(notice.incident, {})
            self._batch.incidents[notice.incident] = {**base, **mine, **change}
            if notice.incident in self._rows:
                self._rows[notice.incident] = {**base, "status": change["status"]}
            self._batch.notices.append(row)
            self.last_notice_delay = max(0.0, now - notice.t)
        return bool(notices)

    def _look_at_incidents(self, now: float, moved: bool) -> bool:
        """Put what has changed of the incidents into the batch."""
        assert self.plan is not None
        views = {view.key: view for view in self.judge.incidents()}
        context = Context(self.plan, self.schools.code)
        changed = False
        for key, view in views.items():
            affected = tuple(view.affected_ids)
            row = incident_row(view, list(affected), context)
            # A line that is down while its school answers affects nobody, and is out all the same.
            root = view.root if affected or view.status != "resolving" else None
            tied = self._incident_of.get(view.root or "") == key
            if self._affected.get(key) != affected or tied != (root is not None):
                self._belong(key, affected, root)
                changed = True
            if self._rows.get(key) != row:
                self._rows[key] = row
                self._batch.incidents[key] = {**self._batch.incidents.get(key, {}), **row}
                changed = True
        for key in [key for key in self._rows if key not in views]:
            changed = True
            was = self._rows.pop(key)
            self._belong(key, (), None)
            self._affected.pop(key, None)
            if was["status"] == "pending" and "status" not in self._batch.incidents.get(key, {}):
                self._batch.incidents.setdefault(key, {}).update(status="resolved", resolved_at=moment(now))
        self.incidents = views
        changed = self._look_at_planned(views, now) or changed
        self._batch.verdicts |= self.causes.look(views, self.judge.node_state, now)
        if changed or moved:
            self._tell_causes()
        return changed

    def _look_at_planned(self, views: Mapping[str, IncidentView], now: float) -> bool:
        """What schools switched off themselves, at their usual time: until when nobody is told (`collector/planned.py`)."""
        assert self.plan is not None
        changes = self.planned.look(views, self.plan, self.judge.node_state, self._line_down, now)
        for change in changes:
            self.add_incident(change.key, change.incident_row())
            self._mark_planned(change)
            if not change.verdict:
                self.causes.forget(change.key, "habit")
        for school, (start, end) in off_spans(changes, self.plan).items():
            self.causes.scene.off[school] = [(start, end)] if end > now else []
            if self.record is not None and end > now:
                self.record({"t": now, "kind": "planned_off", "school": school, "from": start, "to": end})
        return bool(changes)

    def _line_down(self, node: str) -> bool:
        """Whether the port that a line ends on is known to be down."""
        assert self.plan is not None
        i = self.plan.node_index.get(node)
        port = self.plan.nodes[i].port if i is not None else None
        return port is not None and self._port_word.get(port) is False

    def _belong(self, key: str, affected: tuple[str, ...], root: str | None) -> None:
        """Nodes come to belong to an incident, or leave it: their states say so."""
        assert self.plan is not None
        new = set(affected) | ({root} if root is not None else set())
        old = {node for node, of in self._incident_of.items() if of == key}
        self._affected[key] = affected
        for node in old - new:
            if self._incident_of.get(node) == key:
                del self._incident_of[node]
        for node in new:
            self._incident_of[node] = key
        for node in old ^ new:
            i = self.plan.node_index.get(node)
            if i is not None:
                self._node_row(i)
                self._tie_outage(node, i)
