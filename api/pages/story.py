"""The timeline of one incident: what fell silent and answered, what was said to whom, what people did. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from inventory.models import State

TOGETHER = timedelta(seconds=30)
"""Outages that begin (or end) within this of each other are one entry."""


@dataclass
class Entry:
    """One entry. kind: silent, back, note, notice or told. mark: the sign. count: of nodes; names: of the first of them.

    row: the notice, note or delivery that it is of; None where it is of outages.
    """

    at: datetime
    kind: str
    mark: State
    word: str = ""
    by: str = ""
    text: str = ""
    count: int = 0
    names: list[tuple[str, int]] = field(default_factory=list)
    row: Any = None


_NOTICE = {"opened": State.down, "reopened": State.down, "updated": State.maintenance, "resolved": State.up}
_NOTE = {
    "acknowledged": State.maintenance, "unacknowledged": State.doubtful, "lapsed": State.degraded, "void": State.degraded,
    "escalated": State.degraded, "corrected": State.maintenance,
}  # fmt: skip


def tell(
    outages: Sequence[Any], notices: Sequence[Any], notes: Sequence[Any], deliveries: Sequence[Any], mark: State
) -> list[Entry]:
    """All entries, the earliest first. mark: the sign of the incident itself."""
    entries = [
        *_bunches(((row.from_at, row) for row in outages), "silent", mark),
        *_bunches(((row.until_at, row) for row in outages if row.until_at is not None), "back", State.up),
        *(_of_notice(row, mark) for row in notices if not row.outlet),
        *(Entry(row.at, "note", _NOTE.get(row.kind, State.not_watched), row.kind, row.by, row.text, row=row) for row in notes),
        *_of_deliveries(deliveries),
    ]  # fmt: skip
    return sorted(entries, key=lambda entry: entry.at)


def _of_notice(row: Any, mark: State) -> Entry:
    sign = _NOTICE.get(row.event, State.unknown)
    return Entry(row.at, "notice", mark if sign is State.down else sign, row.event, row=row)


def _bunches(times: Iterable[tuple[datetime, Any]], kind: str, mark: State) -> list[Entry]:
    """What began or ended together is one entry."""
    found: list[Entry] = []
    for at, row in sorted(times, key=lambda pair: (pair[0], pair[1].id)):
        if not found or at - found[-1].at > TOGETHER:
            found.append(Entry(at, kind, mark))
        found[-1].count += 1
        if len(found[-1].names) < 3:
            found[-1].names.append((str(row.kind), row.node_id))
    return found


def _of_deliveries(deliveries: Sequence[Any]) -> list[Entry]:
    """What one message said is one entry: its outlets with it."""
    found: dict[tuple[str, str, str], Entry] = {}
    for row in deliveries:
        at = row.sent_at or row.queued_at
        key = (row.outlet, row.event, row.status)
        entry = found.get(key)
        if entry is None or at - entry.at > TOGETHER:
            mark = {"sent": State.up, "dropped": State.down}.get(row.status, State.doubtful)
            entry = found[key] = Entry(at, "told", mark, row.event, row.outlet, row.error, row=row)
            found[(*key[:2], f"{row.status}{row.id}")] = entry
        entry.count += 1
        if row.contact and len(entry.names) < 3:
            entry.names.append((row.contact, row.contact_id or 0))
    return list({id(entry): entry for entry in found.values()}.values())
