"""Repeating windows of work: their occurrences, worked out when a window is written."""

import calendar
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select
from sqlmodel import Session

from inventory.models import Maintenance, MaintenanceOccurrence, Repeat, table, utcnow

LONGEST = timedelta(days=366)
"""A series ends at most this long after its first beginning."""

Span = tuple[datetime, datetime]


def occurrences(
    from_at: datetime, until_at: datetime, repeat: str, weekdays: Sequence[int], repeat_until: datetime, zone: ZoneInfo
) -> list[Span]:
    """Every occurrence of a series, the first included, in order; each ends at the series' end at the latest.

    Times of day are local. weekly without weekdays: on that of the first. monthly: on the same day of the month, or its last.
    """
    length = until_at - from_at
    first = from_at.astimezone(zone)
    end = min(repeat_until, from_at + LONGEST)
    found: list[Span] = []
    for day in _days(first.date(), repeat, weekdays, end.astimezone(zone).date()):
        start = datetime.combine(day, first.timetz().replace(tzinfo=None), zone)
        if from_at <= start < end:
            found.append((start, min(start + length, end)))
    return found


def overlaps(spans: Sequence[Span]) -> bool:
    """Whether an occurrence begins before the one before it has ended."""
    return any(later[0] < earlier[1] for earlier, later in pairwise(spans))


def _days(first: date, repeat: str, weekdays: Sequence[int], last: date) -> Iterator[date]:
    if repeat == Repeat.monthly:
        year, month = first.year, first.month
        while (year, month) <= (last.year, last.month):
            yield date(year, month, min(first.day, calendar.monthrange(year, month)[1]))
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        return
    wanted = set(weekdays) or {first.isoweekday()}
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if repeat == Repeat.daily or (repeat == Repeat.weekly and day.isoweekday() in wanted):
            yield day


def write_occurrences(session: Session, row: Maintenance, zone: ZoneInfo, now: datetime | None = None) -> None:
    """Put the occurrences of a window beside it. Those that have begun stay as they were, but end with the series."""
    assert row.id is not None
    now = now or utcnow()
    own = table(MaintenanceOccurrence)
    mine = own.c.maintenance_id == row.id
    connection = session.connection()
    if row.repeat == Repeat.never or row.repeat_until is None:
        connection.execute(delete(own).where(mine))
        return
    connection.execute(delete(own).where(mine, own.c.from_at > now))
    begun = connection.execute(select(own.c.id, own.c.from_at, own.c.until_at).where(mine)).all()
    for number, _start, end in begun:
        if end > now and end > row.repeat_until:
            connection.execute(own.update().where(own.c.id == number).values(until_at=max(row.repeat_until, now)))
    known = {start for _, start, _ in begun}
    spans = occurrences(row.from_at, row.until_at, row.repeat, row.weekdays, row.repeat_until, zone)
    new = [span for span in spans if span[0] not in known and (span[0] > now or not begun)]
    if new:
        rows = [{"maintenance_id": row.id, "from_at": start, "until_at": end} for start, end in new]
        connection.execute(insert(own), rows)


def going_on(now: datetime) -> ColumnElement[bool]:
    """The condition on `maintenance` that a window goes on at `now`, an occurrence of a repeating one."""
    row, own = table(Maintenance), table(MaintenanceOccurrence)
    once = and_(row.c.repeat == Repeat.never, row.c.from_at <= now, row.c.until_at > now)
    return or_(once, row.c.id.in_(select(own.c.maintenance_id).where(own.c.from_at <= now, own.c.until_at > now)))


def not_over(now: datetime) -> ColumnElement[bool]:
    """The condition on `maintenance` that a window, or an occurrence of it, ends after `now`."""
    row, own = table(Maintenance), table(MaintenanceOccurrence)
    once = and_(row.c.repeat == Repeat.never, row.c.until_at > now)
    return or_(once, row.c.id.in_(select(own.c.maintenance_id).where(own.c.until_at > now)))


def next_spans(session: Session, rows: Sequence[Mapping[str, Any]], now: datetime) -> dict[int, Span]:
    """{window id: (from, until)} of the occurrence that goes on at `now` or comes next; none for what is over. rows: of `maintenance`."""
    found = {
        row["id"]: (row["from_at"], row["until_at"])
        for row in rows
        if row["repeat"] == Repeat.never and row["until_at"] > now
    }
    series = [row["id"] for row in rows if row["repeat"] != Repeat.never]
    if series:
        own = table(MaintenanceOccurrence)
        first = (
            select(own.c.maintenance_id, func.min(own.c.from_at).label("from_at"))
            .where(own.c.maintenance_id.in_(series), own.c.until_at > now)
            .group_by(own.c.maintenance_id)
            .subquery()
        )
        statement = select(own.c.maintenance_id, own.c.from_at, own.c.until_at).join(
            first, and_(first.c.maintenance_id == own.c.maintenance_id, first.c.from_at == own.c.from_at)
        )
        found |= {number: (start, end) for number, start, end in session.connection().execute(statement)}
    return found


def spans_between(session: Session, start: datetime, end: datetime) -> list[tuple[int, datetime, datetime]]:
    """(window id, from, until) of every occurrence that touches [start, end), of all windows, in order of time."""
    row, own = table(Maintenance), table(MaintenanceOccurrence)
    once = select(row.c.id, row.c.from_at, row.c.until_at).where(
        row.c.repeat == Repeat.never, row.c.until_at > start, row.c.from_at < end
    )
    again = select(own.c.maintenance_id, own.c.from_at, own.c.until_at).where(
        own.c.until_at > start, own.c.from_at < end
    )
    found = [(n, a, b) for statement in (once, again) for n, a, b in session.connection().execute(statement)]
    return sorted(found, key=lambda one: (one[1], one[0]))
