"""Calendars from the register: a few SELECTs, and a mark that changes when they do."""

from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel

from inventory.calendars.calendars import Calendars
from inventory.calendars.times import read_spans
from inventory.calendars.values import (
    WHOLE,
    CalendarRows,
    ExamRow,
    HoursRow,
    Place,
    Scope,
    SpecialRow,
    TermRow,
    chain_of,
    place_of_school,
)
from inventory.models import ClassHours, DayKind, Exam, Habit, Region, RegisterVersion, School, SpecialDay, Term, table

_TABLES: tuple[type[SQLModel], ...] = (Term, ClassHours, SpecialDay, Exam, Habit)


def calendar_mark(session: Session) -> tuple[Any, ...]:
    """Equal as long as no calendar, habit, school or region has changed."""
    found: list[Any] = [session.connection().execute(select(table(RegisterVersion).c.version)).scalar()]
    for model in _TABLES:
        row = table(model)
        statement = select(func.count(), func.max(row.c.updated_at), func.max(row.c.id))
        found += session.connection().execute(statement).one()
    return tuple(found)


def read_calendars(session: Session, timezone: str, schools: list[int] | None = None) -> Calendars:
    """All calendars, with the places of all schools or of these."""
    paths = read_paths(session)
    return Calendars(
        CalendarRows(
            tuple(_term(row) for row in _all(session, Term)),
            tuple(_hours(row) for row in _all(session, ClassHours)),
            tuple(_special(row) for row in _all(session, SpecialDay)),
            _exams(session, paths),
            read_places(session, paths, schools),
        ),
        timezone,
    )


def read_paths(session: Session) -> dict[int, str]:
    """region -> its path"""
    row = table(Region)
    return dict(session.connection().execute(select(row.c.id, row.c.path)).tuples().all())


def read_places(session: Session, paths: dict[int, str], schools: list[int] | None = None) -> dict[int, Place]:
    """school -> its place, of all or of these."""
    row = table(School)
    statement = select(row.c.id, row.c.level, row.c.place_id, row.c.duty_id)
    if schools is not None:
        statement = statement.where(row.c.id.in_(schools))
    return {
        number: place_of_school(number, str(level), paths.get(place, ""), paths.get(duty, "") if duty else None)
        for number, level, place, duty in session.connection().execute(statement)
    }


def _all(session: Session, model: type[SQLModel]) -> Any:
    return session.connection().execute(select(table(model)).order_by(table(model).c.id))


def scope_of(row: Any) -> Scope:
    """Whose a row is."""
    if row.school_id is not None:
        return ("school", row.school_id)
    return ("region", row.region_id) if row.region_id is not None else WHOLE


def _term(row: Any) -> TermRow:
    return TermRow(scope_of(row), frozenset(row.levels), row.first_on, row.last_on, row.name)


def _hours(row: Any) -> HoursRow:
    weekdays, spans = frozenset(row.weekdays), read_spans(row.spans)
    ends = (row.valid_from or date.min, row.valid_to or date.max)
    return HoursRow(scope_of(row), frozenset(row.levels), weekdays, spans, *ends)


def _special(row: Any) -> SpecialRow:
    return SpecialRow(
        scope_of(row),
        frozenset(row.levels),
        row.first_on,
        row.last_on,
        row.kind == DayKind.holiday,
        row.name,
        row.as_weekday,
        row.id,
    )


def _exams(session: Session, paths: dict[int, str]) -> tuple[ExamRow, ...]:
    rows = _all(session, Exam).all()
    named = [row.school_id for row in rows if row.school_id is not None]
    places = read_places(session, paths, named) if named else {}
    found = []
    for row in rows:
        above = chain_of(paths.get(row.region_id, "")) if row.region_id is not None else ()
        if row.school_id is not None and row.school_id in places:
            above = places[row.school_id].chain
        found.append(
            ExamRow(
                scope_of(row),
                frozenset(row.levels),
                row.from_at.timestamp(),
                row.until_at.timestamp(),
                row.name,
                frozenset(above),
            )
        )
    return tuple(found)
