"""Calendars: terms, class hours, days off and make-up days, exams; and the habits of switching off.

A row of a calendar names one school, or one region of either tree (place: what lies in it; duty: what answers to it), or neither:
the whole province. The nearest to a school wins (docs/calendars.md); exams add up.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, Index, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class Term(SQLModel, table=True):
    """A term, first and last day included. The scope nearest to a school that has a term in a school year (from 1 August) decides that year."""

    __tablename__ = "term"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    region_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    school_id: int | None = Field(default=None, foreign_key="school.id", index=True, ondelete="CASCADE")
    levels: list[str] = Field(default_factory=list, sa_type=JSON, description="SchoolLevel; empty: all")
    first_on: date = Field(index=True)
    last_on: date = Field(index=True)
    note: str = Field(default="", max_length=300)
    row_version: int = Field(default=1)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class ClassHours(SQLModel, table=True):
    """When there are classes on these weekdays: `spans` are `08:00-11:40`, local time, in order, without overlap."""

    __tablename__ = "class_hours"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(default="", max_length=80)
    region_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    school_id: int | None = Field(default=None, foreign_key="school.id", index=True, ondelete="CASCADE")
    levels: list[str] = Field(default_factory=list, sa_type=JSON, description="SchoolLevel; empty: all")
    weekdays: list[int] = Field(
        default_factory=lambda: [1, 2, 3, 4, 5], sa_type=JSON, description="1 Monday to 7 Sunday"
    )
    spans: list[str] = Field(default_factory=list, sa_type=JSON)
    valid_from: date | None = None
    valid_to: date | None = None
    row_version: int = Field(default=1)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class DayKind(StrEnum):
    """What a special day is: no classes, or classes on a day that would have none (补课, 调休)."""

    holiday = "holiday"
    workday = "workday"


class SpecialDay(SQLModel, table=True):
    """Days that are other than the statutory calendar says: a snow day, a sports day, a make-up day. First and last included.

    `as_weekday`: whose class hours a make-up day has (1 to 7); None: those of its own weekday, else Monday's.
    """

    __tablename__ = "special_day"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    kind: str = Field(max_length=8, description="DayKind")
    region_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    school_id: int | None = Field(default=None, foreign_key="school.id", index=True, ondelete="CASCADE")
    levels: list[str] = Field(default_factory=list, sa_type=JSON, description="SchoolLevel; empty: all")
    first_on: date = Field(index=True)
    last_on: date = Field(index=True)
    as_weekday: int | None = Field(default=None, ge=1, le=7)
    note: str = Field(default="", max_length=300)
    row_version: int = Field(default=1)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class Exam(SQLModel, table=True):
    """A session of an exam, from its first bell to its last: while it lasts nothing is planned off, and severity rises."""

    __tablename__ = "exam"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    region_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    school_id: int | None = Field(default=None, foreign_key="school.id", index=True, ondelete="CASCADE")
    levels: list[str] = Field(default_factory=list, sa_type=JSON, description="SchoolLevel; empty: all")
    from_at: datetime = Field(sa_type=UtcDateTime, index=True)
    until_at: datetime = Field(sa_type=UtcDateTime, index=True)
    note: str = Field(default="", max_length=300)
    row_version: int = Field(default=1)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class HabitKind(StrEnum):
    """When a school is switched off: every night, over weekends, over statutory holidays, between terms."""

    night = "night"
    weekend = "weekend"
    holiday = "holiday"
    vacation = "vacation"


class HabitStatus(StrEnum):
    """learned: holds while its confidence suffices; approved: somebody answers for it; rejected: never holds, nor is it learned again."""

    learned = "learned"
    approved = "approved"
    rejected = "rejected"


class Habit(SQLModel, table=True):
    """That a school switches off: at what local time (`off_from` to `off_until`), and by when it is back (`on_by`) on the day that ends it.

    `evidence`: the last such times that it was learned from, [{"off": ISO, "on": ISO}]. `kept` of `chances` such times it switched off.
    """

    __tablename__ = "habit"
    __table_args__ = (
        Index("uq_habit_school_kind", "school_id", "kind", unique=True),
        {"sqlite_autoincrement": True},  # an id is never given out twice
    )

    id: int | None = Field(default=None, primary_key=True)
    school_id: int = Field(foreign_key="school.id", index=True, ondelete="CASCADE")
    kind: str = Field(max_length=8, description="HabitKind")
    off_from: str = Field(max_length=5, description="HH:MM, local")
    off_until: str = Field(max_length=5, description="HH:MM; earlier than off_from: over midnight")
    on_by: str = Field(max_length=5, description="HH:MM")
    declared: bool = Field(default=False, description="somebody said so; else learned from the outage log")
    status: str = Field(default=HabitStatus.learned, max_length=8, description="HabitStatus")
    confidence: float = Field(default=1.0, ge=0, le=1)
    kept: int = 0
    chances: int = 0
    evidence: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    valid_from: date | None = None
    valid_to: date | None = None
    approved_by: str = Field(default="", max_length=80)
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    note: str = Field(default="", max_length=300)
    row_version: int = Field(default=1)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
