"""Habits of switching off: `/api/v1/habits`. Declared by people, or learned from the outage log and then approved or rejected."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from api.errors import Wrong, invalid
from api.resources.calendars import Day, Note
from api.resources.machine import Body, Id, PlacedQuery, Resource, Row, Work, partial_of
from inventory.calendars.times import TIME_PATTERN
from inventory.models import Habit, HabitKind, HabitStatus, School, table, utcnow

Time = Annotated[str, StringConstraints(pattern=TIME_PATTERN)]


class HabitCreate(Body):
    """That a school switches its equipment off between `off_from` and `off_until`, and has it on again by `on_by`, local times.

    night: every night. weekend, holiday, vacation: on the last day of classes before them, until the next day of classes.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "school_id": 7,
                    "kind": "night",
                    "off_from": "21:30",
                    "off_until": "22:30",
                    "on_by": "07:30",
                    "note": "值班员拉闸",
                }
            ]
        }
    )

    school_id: Id
    kind: HabitKind
    off_from: Time
    off_until: Annotated[Time, Field(description="Earlier than off_from: over midnight.")]
    on_by: Time
    valid_from: Day | None = None
    valid_to: Day | None = None
    note: Note = ""


class HabitChange(HabitCreate):
    """Other times; or, with `status`, that a learned one is approved or rejected."""

    status: HabitStatus


class HabitRead(HabitCreate):
    """A habit as it is shown. `kept` of `chances`: how often it did so, where it was learned; `evidence`: the last such times."""

    id: int
    declared: bool
    status: HabitStatus
    confidence: float
    kept: int
    chances: int
    evidence: list[dict[str, Any]]
    approved_by: str
    approved_at: datetime | None = None
    row_version: int
    updated_at: datetime


class HabitQuery(PlacedQuery):
    """Filters of the list."""

    school_id: Id | None = None
    kind: HabitKind | None = None
    status: HabitStatus | None = None
    declared: bool | None = None


def _prepare(work: Work, row: Habit, _children: Row) -> None:
    row.kind, row.status = HabitKind(row.kind).value, HabitStatus(row.status).value
    if row.valid_from is not None and row.valid_to is not None and row.valid_to < row.valid_from:
        raise invalid(Wrong("valid_to", "before", ">= valid_from"))
    if row.off_from == row.off_until:
        raise invalid(Wrong("off_until", "same", "!= off_from"))
    if row.id is None:
        row.declared, row.status = True, HabitStatus.approved.value
    if row.status == HabitStatus.learned:
        row.approved_by, row.approved_at = "", None
    else:  # who looked at it last answers for it
        row.approved_by, row.approved_at = work.caller.actor, utcnow()


_own = table(Habit)

HABITS = Resource(
    name="habits",
    model=Habit,
    read=HabitRead,
    create=HabitCreate,
    update=partial_of(HabitChange, "HabitUpdate", frozenset({"school_id", "kind"})),
    query=HabitQuery,
    sorts={"school_id": _own.c.school_id, "confidence": _own.c.confidence},
    references={"school_id": School},
    clashes=(("school_id", "kind"),),
    prepare=_prepare,
    planned=False,
)
