"""Windows of work that fall into a session of an exam: whoever makes one is warned."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlmodel import Session

from inventory.calendars.covering import schools_covered, schools_of
from inventory.models import Exam, MaintenanceOccurrence, Repeat, School, table

Span = tuple[datetime, datetime]


def exams_of_windows(session: Session, rows: Sequence[Mapping[str, Any]], now: datetime) -> dict[int, list[Any]]:
    """{window id: its exams (rows of `exam`)} for windows (rows of `maintenance`) that touch a session which has not ended at `now`."""
    exam = table(Exam)
    coming = session.connection().execute(select(exam).where(exam.c.until_at > now).order_by(exam.c.from_at)).all()
    if not coming or not rows:
        return {}
    spans = _spans(session, rows, now)
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        touching = [e for e in coming if any(a < e.until_at and e.from_at < b for a, b in spans.get(row["id"], ()))]
        if not touching:
            continue
        covered = schools_covered(session, row)
        found[row["id"]] += [e for e in touching if _meet(session, covered, schools_of(e))]
    return dict(found)


def _spans(session: Session, rows: Sequence[Mapping[str, Any]], now: datetime) -> dict[int, list[Span]]:
    found: dict[int, list[Span]] = defaultdict(list)
    for row in rows:
        if row["repeat"] == Repeat.never:
            found[row["id"]].append((row["from_at"], row["until_at"]))
    series = [row["id"] for row in rows if row["repeat"] != Repeat.never]
    if series:
        own = table(MaintenanceOccurrence)
        statement = select(own.c.maintenance_id, own.c.from_at, own.c.until_at)
        for number, start, end in session.connection().execute(
            statement.where(own.c.maintenance_id.in_(series), own.c.until_at > now)
        ):
            found[number].append((start, end))
    return found


def _meet(session: Session, covered: set[int], condition: ColumnElement[bool]) -> bool:
    """Whether one of these schools fits the condition."""
    school = table(School)
    statement = select(school.c.id).where(school.c.id.in_(covered), condition).limit(1)
    return session.connection().execute(statement).first() is not None
