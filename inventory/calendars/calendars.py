"""What kind of time it is for a school or a region. Pure: rows in, answers out; no clock, no I/O."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from inventory.calendars.sums import ClassTime
from inventory.calendars.times import DAY_MIN, within
from inventory.calendars.timetable import DayPlan, Timetable
from inventory.calendars.values import CalendarRows, ExamRow, Place, Scope

NIGHT = (22 * 60, 6 * 60)
"""From when to when it is night, minutes after midnight."""

TIMEZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Day:
    """What an instant is for a school or region.

    on: the local day. workday: a day of classes, if it is in term (a make-up day is one). holiday: declared or statutory; a weekend is
    none. make_up: classes on a day that has none by its weekday. night: late evening to early morning. known: False where `missing`
    names what no calendar declares ("term", "hours", "holidays"); then a term is taken to be on, usual hours and weekdays hold.
    name: of what decides: the exam, the special or statutory day (a key of the catalogue), the term.
    """

    on: date
    in_term: bool
    in_class: bool
    exam: bool
    holiday: bool
    workday: bool
    make_up: bool
    night: bool
    known: bool
    missing: tuple[str, ...]
    name: str

    @property
    def school_day(self) -> bool:
        """Whether there are classes on this day."""
        return self.in_term and self.workday


class Calendars:
    """All calendars of an installation. `places`: of schools, by id."""

    def __init__(self, rows: CalendarRows | None = None, timezone: str = TIMEZONE) -> None:
        rows = rows or CalendarRows()
        self.zone = ZoneInfo(timezone)
        self.places: Mapping[int, Place] = rows.places
        self._terms, self._hours, self._specials = (
            _by_scope(rows.terms),
            _by_scope(rows.hours),
            _by_scope(rows.specials),
        )
        self._exams = sorted(rows.exams, key=lambda row: row.from_t)
        self._used = frozenset({*self._terms, *self._hours, *self._specials})
        self._tables: dict[tuple[str, tuple[Scope, ...]], Timetable] = {}
        self._times: dict[tuple[int, date, date], ClassTime] = {}

    def school(self, school: int) -> Place:
        """The place of a school; of one that is not known the whole province's."""
        return self.places.get(school, Place(school=school))

    def day(self, place: Place, at: datetime | float) -> Day:
        """What the instant `at` (aware, or seconds since the epoch) is at `place`."""
        local = self._local(at)
        plan, minute = self.timetable(place).day(local.date()), local.hour * 60 + local.minute
        exam = next(iter(self.exams(place, local.timestamp())), None)
        return Day(
            on=local.date(),
            in_term=plan.in_term,
            in_class=any(start <= minute < end for start, end in plan.classes),
            exam=exam is not None,
            holiday=plan.holiday,
            workday=plan.workday,
            make_up=plan.make_up,
            night=within(minute, NIGHT[0], NIGHT[1] - 1),
            known=not plan.missing,
            missing=plan.missing,
            name=exam.name if exam is not None else plan.name,
        )

    def timetable(self, place: Place) -> Timetable:
        """The timetable that holds at a place; schools for which the same rows hold share one."""
        scopes = tuple(scope for scope in place.scopes() if scope in self._used)
        found = self._tables.get((place.level, scopes))
        if found is None:
            found = Timetable(place.level, scopes, self._terms, self._hours, self._specials)
            self._tables[place.level, scopes] = found
        return found

    def plan(self, place: Place, day: date) -> DayPlan:
        """A whole local day."""
        return self.timetable(place).day(day)

    def exams(self, place: Place, from_t: float, until_t: float | None = None) -> list[ExamRow]:
        """The sessions at a place at an instant, or that touch [from_t, until_t). For a region those of its schools too."""
        end = from_t if until_t is None else until_t
        scopes = frozenset(place.scopes())
        return [
            row
            for row in self._exams
            if row.from_t <= end and from_t < row.until_t
            if until_t is None or row.from_t < end
            if row.scope in scopes or not row.above.isdisjoint(place.heads)
            if not place.level or not row.levels or place.level in row.levels
        ]

    def class_time(self, place: Place, from_t: float, until_t: float) -> ClassTime:
        """The class hours of [from_t, until_t), seconds since the epoch. Kept by timetable and days, cut to the interval by the sums."""
        table, first, last = self.timetable(place), self._local(from_t).date(), self._local(until_t).date()
        key = (id(table), first, last)
        found = self._times.get(key)
        if found is None:
            if len(self._times) > 4096:
                self._times.clear()
            found = self._times[key] = self._spans(table, first, last)
        inside = (found.starts < until_t) & (found.ends > from_t)
        return ClassTime(found.starts[inside].clip(min=from_t), found.ends[inside].clip(max=until_t), found.known)

    def instant(self, day: date, minute: int) -> float:
        """A local time of a day, as seconds since the epoch. minute 1440: midnight at its end."""
        day, minute = (day + timedelta(days=1), 0) if minute >= DAY_MIN else (day, minute)
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone).timestamp()

    def local(self, at: float) -> tuple[date, int]:
        """The local day and minute of an instant."""
        found = self._local(at)
        return found.date(), found.hour * 60 + found.minute

    def _spans(self, table: Timetable, first: date, last: date) -> ClassTime:
        spans, known = [], True
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            plan = table.day(day)
            known = known and not plan.missing
            spans += [(self.instant(day, start), self.instant(day, end)) for start, end in plan.classes]
        return ClassTime.of(spans, known)

    def _local(self, at: datetime | float) -> datetime:
        return at.astimezone(self.zone) if isinstance(at, datetime) else datetime.fromtimestamp(at, self.zone)


def _by_scope(rows: Iterable[Any]) -> dict[Scope, list[Any]]:
    found: dict[Scope, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.scope].append(row)
    return dict(found)
