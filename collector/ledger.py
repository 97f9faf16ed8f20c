"""What is still to be written: the judge puts it down here and never waits for the database; the writer takes it in bulk.

What has a key is kept once, the last word wins, so that an import that holds SQLite's lock for minutes costs no memory
to speak of; what is an event (outages that open and close, notices) stays in order.
"""

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]


@dataclass
class Batch:
    """One transaction's worth. `incident_key` in a row of a node, outage or notice is replaced by the incident's id."""

    incidents: dict[str, Row] = field(default_factory=dict)
    notices: list[Row] = field(default_factory=list)
    verdicts: dict[str, Row] = field(default_factory=dict)
    """key of an incident -> cause, accountable ... of it and of its outages, where nobody has corrected them"""
    outages: list[tuple[str, Row]] = field(default_factory=list)
    """("open" | "close" | "update" | "amend", row)"""
    node_states: dict[tuple[str, int], Row] = field(default_factory=dict)
    gone: set[tuple[str, int]] = field(default_factory=set)
    unseen: list[tuple[str, Row]] = field(default_factory=list)
    """("open" | "close" | "add" | "seen", row)"""
    memory: dict[str, Row] = field(default_factory=dict)
    seen: dict[int, datetime] = field(default_factory=dict)
    facts: dict[int, Row] = field(default_factory=dict)
    ports: dict[tuple[int, str], Row] = field(default_factory=dict)
    beats: dict[str, Row] = field(default_factory=dict)
    since: float = 0.0

    def __len__(self) -> int:
        return sum(
            len(part)
            for part in (
                self.incidents,
                self.notices,
                self.verdicts,
                self.outages,
                self.node_states,
                self.gone,
                self.unseen,
                self.memory,
                self.seen,
                self.facts,
                self.ports,
                self.beats,
            )
        )


class Ledger:
    """Pending writes. Any thread puts; one writer takes."""

    def __init__(self) -> None:
        self._batch = Batch()
        self._some = threading.Condition()
        self._urgent = False

    def __len__(self) -> int:
        with self._some:
            return len(self._batch)

    def ports_pending(self) -> int:
        """Rows of ports that wait."""
        with self._some:
            return len(self._batch.ports)

    def put(self, change: Batch, urgent: bool = False) -> None:
        """Add what one step of the judge found. urgent: a board that waits for it."""
        with self._some:
            mine = self._batch
            for key, row in change.incidents.items():
                mine.incidents[key] = {**mine.incidents.get(key, {}), **row}
            for node, row in change.node_states.items():
                mine.node_states[node] = {**mine.node_states.get(node, {}), **row}
                mine.gone.discard(node)
            for node in change.gone:
                mine.node_states.pop(node, None)
                mine.gone.add(node)
            for device, row in change.facts.items():
                mine.facts[device] = {**mine.facts.get(device, {}), **row}
            mine.notices += change.notices
            mine.verdicts |= change.verdicts
            mine.outages += change.outages
            mine.unseen += change.unseen
            mine.memory |= change.memory
            mine.seen = {**change.seen, **mine.seen}
            mine.ports |= change.ports
            mine.beats |= change.beats
            self._urgent = self._urgent or urgent
            if urgent:
                self._some.notify_all()

    def take(self, patience_s: float) -> Batch:
        """All that is pending: at once where something is urgent, else after `patience_s`."""
        with self._some:
            if not self._urgent:
                self._some.wait(patience_s)
            batch, self._batch, self._urgent = self._batch, Batch(), False
            return batch

    def wake(self) -> None:
        """Let a waiting `take` return."""
        with self._some:
            self._some.notify_all()


def by_columns(rows: list[Row]) -> list[list[Row]]:
    """Rows grouped by which columns they name (a bulk statement wants them equal), in order of first sight."""
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(sorted(row))].append({name: row[name] for name in sorted(row)})
    return list(groups.values())


def moment(t: float) -> datetime:
    """Seconds since the epoch as an aware datetime."""
    return datetime.fromtimestamp(t, UTC)
