"""Planned off: a school that fell silent at the moment at which it usually switches off, until it is usually on again. Pure.

It needs evidence of this very school: a habit that somebody declared, or that was learned from the outage log and has not been rejected.
It holds only where the school went silent at about its usual moment, on an evening of that kind, and ends when it is usually on again:
a line that is cut on the second day of a holiday does not hide behind it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from inventory.calendars.calendars import Calendars
from inventory.calendars.times import clock, minutes, within
from inventory.calendars.timetable import Timetable
from inventory.calendars.values import Place
from inventory.models.calendars import HabitKind, HabitStatus

LEAST_CONFIDENCE = 0.75
"""A learned habit that nobody has approved holds from here on."""

LONGEST_DAYS: dict[str, int] = {
    HabitKind.night: 1,
    HabitKind.weekend: 4,
    HabitKind.holiday: 10,
    HabitKind.vacation: 75,
}
"""No planned off lasts longer than so many days."""

MORNING = 6 * 60
"""What is switched off after midnight and before this minute belongs to the evening before."""

EXAM_LEAD_S = 1800.0
"""Before a session of an exam the school must be on by so much."""

Reason = Literal["habit", "above", "line", "flapping", "no_school", "no_habit", "moment", "exam", "over"]
"""habit: it is planned off. Else why it is not: what failed is above the school, its line is down, it flaps, the silent device is of no
school, the school has no such habit, it went silent at another moment, an exam is on or near, it should be on again by now."""


@dataclass(frozen=True, slots=True)
class HabitRow:
    """A habit that may hold; minutes after midnight. sure: declared or approved."""

    school: int
    kind: HabitKind
    off_from: int
    off_until: int
    on_by: int
    sure: bool = True
    confidence: float = 1.0
    valid_from: date = date.min
    valid_to: date = date.max

    @property
    def holds(self) -> bool:
        """Whether it may hide anything."""
        return self.sure or self.confidence >= LEAST_CONFIDENCE

    @classmethod
    def of(cls, row: Any) -> "HabitRow":
        """From a row of `habit`."""
        return cls(
            row.school_id,
            HabitKind(row.kind),
            minutes(row.off_from),
            minutes(row.off_until),
            minutes(row.on_by),
            row.declared or row.status == HabitStatus.approved,
            row.confidence,
            row.valid_from or date.min,
            row.valid_to or date.max,
        )


@dataclass(frozen=True, slots=True)
class Silence:
    """What is silent, of one incident. since: by school, seconds since the epoch, when the first of its gateways fell silent.

    at_school: whether what failed stands at these schools, and nothing above them. line_down: a line of theirs is known to be down.
    """

    since: Mapping[int, float]
    at_school: bool
    line_down: bool = False
    flapping: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """until: the end of planned off, seconds since the epoch; None: it is none. kinds: of the habits that it rests on."""

    until: float | None
    reason: Reason
    kinds: tuple[HabitKind, ...] = ()
    confidence: float = 0.0

    def __bool__(self) -> bool:
        return self.until is not None

    def why(self) -> dict[str, Any]:
        """As `incident.planned_why` has it."""
        return {
            "reason": self.reason,
            "habits": [kind.value for kind in self.kinds],
            "confidence": round(self.confidence, 3),
        }


def planned_off(silence: Silence, habits: Mapping[int, Sequence[HabitRow]], calendars: Calendars, at: float) -> Verdict:
    """Whether a silence is one of the school's own making at the instant `at`. Of several schools all must be off as usual."""
    if not silence.at_school:
        return Verdict(None, "above")
    if silence.line_down:
        return Verdict(None, "line")
    if silence.flapping:
        return Verdict(None, "flapping")
    if not silence.since:
        return Verdict(None, "no_school")
    found = [
        _of_school(school, since, habits.get(school, ()), calendars, at) for school, since in silence.since.items()
    ]
    refused = next((one for one in found if one.until is None), None)
    if refused is not None:
        return refused
    kinds = tuple(sorted({kind for one in found for kind in one.kinds}))
    return Verdict(min(one.until or 0.0 for one in found), "habit", kinds, min(one.confidence for one in found))


def _of_school(school: int, since: float, habits: Iterable[HabitRow], calendars: Calendars, at: float) -> Verdict:
    place = calendars.school(school)
    holding = [row for row in habits if row.holds and row.valid_from <= calendars.local(since)[0] <= row.valid_to]
    if not holding:
        return Verdict(None, "no_habit")
    spans = [(end, row) for row in holding if (end := off_until(row, since, place, calendars)) is not None]
    if not spans:
        return Verdict(None, "moment")
    until, habit = max(spans, key=lambda one: one[0])
    exams = calendars.exams(place, since, until + EXAM_LEAD_S)
    if exams:
        until = min(until, exams[0].from_t - EXAM_LEAD_S)
        if until <= at:
            return Verdict(None, "exam")
    if until <= at:
        return Verdict(None, "over")
    return Verdict(until, "habit", (habit.kind,), habit.confidence)


def off_until(habit: HabitRow, since: float, place: Place, calendars: Calendars) -> float | None:
    """When a school that fell silent at `since` is on again by this habit; None where it was not at its moment."""
    day, minute = calendars.local(since)
    if not within(minute, habit.off_from, habit.off_until):
        return None
    evening = day - timedelta(days=1) if minute < MORNING else day
    table = calendars.timetable(place)
    if habit.kind == HabitKind.night:
        back: date | None = evening + timedelta(days=1)
    else:
        back = _end_of_gap(table, evening, habit.kind)
    if back is None:
        return None
    until = calendars.instant(back, habit.on_by)
    return until if since < until <= since + LONGEST_DAYS[habit.kind] * 86_400 else None


def _end_of_gap(table: Timetable, evening: date, kind: HabitKind) -> date | None:
    """The next day of classes after `evening`, where that is the last one before free days of this kind."""
    if not table.day(evening).classes or gap_kind(table, evening) != kind:
        return None
    return table.next_school_day(evening)


def gap_kind(table: Timetable, evening: date) -> HabitKind:
    """What lies between a day and the next day of classes: a night, a weekend, a holiday, or time between terms."""
    back = table.next_school_day(evening)
    days = (back - evening).days if back is not None else 999
    if days == 1:
        return HabitKind.night
    between = [table.day(evening + timedelta(days=number)) for number in range(1, min(days, 120))]
    if any(not day.in_term for day in between):
        return HabitKind.vacation
    return HabitKind.holiday if any(day.holiday for day in between) else HabitKind.weekend


def describe(habit: HabitRow) -> str:
    """`21:30-22:30 → 07:30`."""
    return f"{clock(habit.off_from)}-{clock(habit.off_until)} → {clock(habit.on_by)}"
