"""For whom an outage counts, in a word: as the uptime counts it (`inventory/uptime.py`), for lists, exports and calls. Pure."""

from datetime import datetime
from typing import Any, NamedTuple


class Counted(NamedTuple):
    """party: of `uptime.PARTIES`, "" undecided. planned_until: where only its beginning was switched off as usual, until when.

    usual: planned since it was switched off as usual, not by work.
    """

    party: str
    planned_until: datetime | None = None
    usual: bool = False


def counted(row: Any, now: datetime) -> Counted:
    """Of a row of `outage` (accountable, maintenance, corrected_at, evidence, until_at). What a person said holds;
    else work, and what was switched off as usual, is planned."""
    if row.maintenance:
        return Counted("planned")
    span = (row.evidence or {}).get("planned_off")
    if row.corrected_at is not None or not span:
        return Counted(row.accountable)
    until = datetime.fromisoformat(span["until"])
    if (row.until_at or now) <= until:
        return Counted("planned", usual=True)
    return Counted(row.accountable, until)


def counted_incident(row: Any, now: datetime) -> Counted:
    """The same of a row of `incident`, which has `planned_until` instead of evidence."""
    if row.corrected_at is not None or row.planned_until is None:
        return Counted(row.accountable)
    if (row.resolved_at or now) <= row.planned_until:
        return Counted("planned", usual=True)
    return Counted(row.accountable, row.planned_until)
