"""Calendars: `/api/v1/terms`, `class-hours`, `special-days`, `exams`. Of one school, one region with its subtree, or the whole province."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import func
from sqlmodel import SQLModel

from api.errors import Problem, Wrong, invalid
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text, Work, contains, partial_of
from inventory.calendars.times import SPAN_PATTERN, read_spans, write_spans
from inventory.models import ClassHours, DayKind, Exam, Region, School, SchoolLevel, SpecialDay, Term, table

FIXED = frozenset({"region_id", "school_id"})
"""Whose a row is cannot be changed: make another."""

Title = Annotated[Text, StringConstraints(min_length=1, max_length=80)]
Note = Annotated[Text, Field(max_length=300)]
Weekday = Annotated[int, Field(ge=1, le=7)]
Levels = Annotated[
    list[SchoolLevel], Field(default_factory=list, max_length=20, description="Levels of schools; none: all.")
]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))]


class Whose(Body):
    """Of one school, of a region of either tree with its subtree, or (neither) of the whole province."""

    region_id: Annotated[Id | None, Field(description="A region of either tree, with its subtree.")] = None
    school_id: Id | None = None
    levels: Levels


class TermCreate(Whose):
    """A term, first and last day included."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "2026 秋季学期", "region_id": 1, "first_on": "2026-09-01", "last_on": "2027-01-22"}]
        }
    )

    name: Title
    first_on: Day
    last_on: Day
    note: Note = ""


class HoursCreate(Whose):
    """When there are classes on these weekdays, local time."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "小学作息", "levels": ["primary"], "spans": ["08:00-11:40", "14:00-17:20"]}]
        }
    )

    name: Annotated[Text, Field(max_length=80)] = ""
    weekdays: Annotated[
        list[Weekday],
        Field(default_factory=lambda: [1, 2, 3, 4, 5], min_length=1, max_length=7, description="1 Monday to 7 Sunday."),
    ]
    spans: Annotated[list[Annotated[str, StringConstraints(pattern=SPAN_PATTERN)]], Field(min_length=1, max_length=12)]
    valid_from: Day | None = None
    valid_to: Day | None = None


class SpecialCreate(Whose):
    """Days without classes, or make-up days; they stand over the statutory calendar. First and last included."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "雪天停课",
                    "kind": "holiday",
                    "region_id": 12,
                    "first_on": "2026-12-08",
                    "last_on": "2026-12-09",
                }
            ]
        }
    )

    name: Title
    kind: DayKind
    first_on: Day
    last_on: Day
    as_weekday: Annotated[
        Weekday | None,
        Field(description="A make-up day has this weekday's class hours; null: its own, where it has none Monday's."),
    ] = None
    note: Note = ""


class ExamCreate(Whose):
    """A session of an exam: severity rises, nothing is planned off, and work that begins inside is warned of."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "高考",
                    "levels": ["senior"],
                    "from_at": "2027-06-07T08:00:00+08:00",
                    "until_at": "2027-06-07T17:00:00+08:00",
                }
            ]
        }
    )

    name: Title
    from_at: AwareDatetime
    until_at: AwareDatetime
    note: Note = ""


class TermRead(TermCreate):
    """A term as it is shown."""

    id: int
    row_version: int
    updated_at: datetime


class HoursRead(HoursCreate):
    """Class hours as they are shown."""

    id: int
    row_version: int
    updated_at: datetime


class SpecialRead(SpecialCreate):
    """Special days as they are shown."""

    id: int
    row_version: int
    updated_at: datetime


class ExamRead(ExamCreate):
    """A session as it is shown."""

    id: int
    row_version: int
    updated_at: datetime


class CalendarQuery(ListQuery):
    """Filters of the lists."""

    region_id: Id | None = None
    school_id: Id | None = None


class DayQuery(CalendarQuery):
    """Filters of lists with days."""

    from_: Annotated[date | None, Field(alias="from", description="Those that end on this day or later.")] = None
    until: Annotated[date | None, Field(description="Those that begin on this day or before.")] = None


class ExamQuery(CalendarQuery):
    """Filters of the list."""

    from_: Annotated[AwareDatetime | None, Field(alias="from", description="Those that end after this.")] = None
    until: Annotated[AwareDatetime | None, Field(description="Those that begin before this.")] = None


def check_part(work: Work, row: Any) -> None:
    """Administrators of a part write the calendars of their part; those from above are for those above."""
    if row.region_id is not None and row.school_id is not None:
        raise invalid(Wrong("school_id", "one-of", "region_id | school_id"))
    scope, session = work.caller.scope, work.session
    if scope.everything:
        return
    if row.school_id is not None and scope.allows(session, School, row.school_id):
        return
    if row.region_id is None or not scope.allows(session, Region, row.region_id):
        raise Problem("outside", errors=[Wrong("region_id", "outside")])


def _prepare(work: Work, row: Any, _children: Row) -> None:
    check_part(work, row)
    row.levels = sorted({SchoolLevel(level).value for level in row.levels})
    for first, last in (("first_on", "last_on"), ("valid_from", "valid_to"), ("from_at", "until_at")):
        start, end = getattr(row, first, None), getattr(row, last, None)
        if start is not None and end is not None and (end < start or (first == "from_at" and end == start)):
            raise invalid(Wrong(last, "before", f">= {first}"))
    if isinstance(row, Exam) and (row.until_at - row.from_at).days > 31:
        raise invalid(Wrong("until_at", "future", "<= 31 d"))
    if isinstance(row, Term) and (row.last_on - row.first_on).days > 366:
        raise invalid(Wrong("last_on", "future", "<= 366 d"))
    if isinstance(row, SpecialDay):
        row.kind = DayKind(row.kind).value
        if row.as_weekday is not None and row.kind != DayKind.workday:
            raise invalid(Wrong("as_weekday", "wrong", "kind = workday"))
    if isinstance(row, ClassHours):
        row.weekdays = sorted(set(row.weekdays))
        try:
            row.spans = write_spans(read_spans(row.spans))
        except ValueError as error:
            raise invalid(Wrong("spans", "wrong", "08:00-11:40")) from error


def _days(model: type[SQLModel]) -> dict[str, Any]:
    own = table(model)
    return {"from_": lambda day: own.c.last_on >= day, "until": lambda day: own.c.first_on <= day}


def _resource(
    name: str,
    model: type[SQLModel],
    read: type[BaseModel],
    create: type[BaseModel],
    query: type[ListQuery],
    **more: Any,
) -> Resource:
    return Resource(
        name=name,
        model=model,
        read=read,
        create=create,
        update=partial_of(create, create.__name__.replace("Create", "Update"), FIXED),
        query=query,
        search=contains(func.lower(table(model).c.name)),
        references={"region_id": Region, "school_id": School},
        prepare=_prepare,
        before_delete=check_part,
        planned=False,
        **more,
    )


_term, _special, _exam, _hours = table(Term), table(SpecialDay), table(Exam), table(ClassHours)

TERMS = _resource(
    "terms", Term, TermRead, TermCreate, DayQuery,
    filters=_days(Term), sorts={"first_on": _term.c.first_on, "name": _term.c.name}, default_sort="-first_on",
)  # fmt: skip
CLASS_HOURS = _resource("class-hours", ClassHours, HoursRead, HoursCreate, CalendarQuery, sorts={"name": _hours.c.name})
SPECIAL_DAYS = _resource(
    "special-days", SpecialDay, SpecialRead, SpecialCreate, DayQuery,
    filters=_days(SpecialDay), sorts={"first_on": _special.c.first_on, "name": _special.c.name}, default_sort="-first_on",
)  # fmt: skip
EXAMS = _resource(
    "exams", Exam, ExamRead, ExamCreate, ExamQuery,
    filters={"from_": lambda at: _exam.c.until_at > at, "until": lambda at: _exam.c.from_at < at},
    sorts={"from_at": _exam.c.from_at, "name": _exam.c.name}, default_sort="-from_at",
)  # fmt: skip
