"""One timetable: what a day is for all schools for which the same rows hold. Pure; days are worked out once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from inventory.calendars.statutory import statutory
from inventory.calendars.values import HoursRow, Scope, SpecialRow, TermRow, for_level

DEFAULT_SPANS = ((8 * 60, 12 * 60), (14 * 60, 17 * 60 + 30))
"""Class hours where none are declared: Monday to Friday."""

SCHOOL_WEEK = frozenset({1, 2, 3, 4, 5})


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One day of a timetable. workday: the school teaches on it, if it is in term; spans: then these hours (minutes).

    holiday: declared or statutory, a weekend is none. missing: what is not declared, of "term", "hours", "holidays"; then a term is
    taken to be on, DEFAULT_SPANS hold, and weekdays. name: of the special or statutory day, else of the term.
    """

    in_term: bool
    workday: bool
    holiday: bool
    make_up: bool
    spans: tuple[tuple[int, int], ...]
    name: str
    missing: tuple[str, ...]

    @property
    def classes(self) -> tuple[tuple[int, int], ...]:
        """The hours that there are classes in."""
        return self.spans if self.in_term and self.workday else ()


class Timetable:
    """The rows of some scopes, nearest first, for one level."""

    def __init__(
        self,
        level: str,
        scopes: Sequence[Scope],
        terms: Mapping[Scope, Sequence[TermRow]],
        hours: Mapping[Scope, Sequence[HoursRow]],
        specials: Mapping[Scope, Sequence[SpecialRow]],
    ) -> None:
        self.level = level
        self._terms = [for_level(terms[scope], level) for scope in scopes if scope in terms]
        self._hours = [list(hours[scope]) for scope in scopes if scope in hours]
        self._specials = [list(specials[scope]) for scope in scopes if scope in specials]
        self._days: dict[date, DayPlan] = {}

    def day(self, day: date) -> DayPlan:
        """What `day` is."""
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = self._plan(day)
        return found

    def next_school_day(self, after: date, at_most: int = 120) -> date | None:
        """The first day after `after` with classes, within so many days."""
        for number in range(1, at_most + 1):
            day = after + timedelta(days=number)
            if self.day(day).classes:
                return day
        return None

    def _plan(self, day: date) -> DayPlan:
        law, term = statutory(day), self._term(day)
        special, rows = self._special(day), self._hours_on(day)
        missing = [word for word, known in (("term", term[0]), ("hours", rows), ("holidays", law.known)) if not known]
        by_weekday = _weekly(rows)
        taught = day.isoweekday() in by_weekday
        if special is not None:
            workday, holiday, make_up, name = not special.holiday, special.holiday, not special.holiday, special.name
            missing = [word for word in missing if word != "holidays"]
        elif law.holiday or law.make_up:
            workday, holiday, make_up, name = law.make_up, law.holiday, law.make_up, law.name
        else:
            workday, holiday, make_up, name = taught, False, False, term[2]
        wanted = special.as_weekday if special is not None and special.as_weekday else day.isoweekday()
        spans = by_weekday.get(wanted) or by_weekday.get(1) or next(iter(by_weekday.values()), ())
        return DayPlan(term[1], workday, holiday, make_up, spans, name, tuple(missing))

    def _term(self, day: date) -> tuple[bool, bool, str]:
        """(known, in term, its name). Each half-year is decided by the nearest scope that has a term in it."""
        known = False
        for half in (_half(day), _half(day) - 1, _half(day) + 1):
            rows = _nearest(self._terms, lambda row, half=half: _half(_middle(row)) == half)  # type: ignore[misc]
            known = known or (bool(rows) and half == _half(day))
            inside = next((row for row in rows if row.first <= day <= row.last), None)
            if inside is not None:
                return True, True, inside.name
        return known, not known, ""

    def _hours_on(self, day: date) -> list[HoursRow]:
        for rows in self._hours:
            found = for_level((row for row in rows if row.valid_from <= day <= row.valid_to), self.level)
            if found:
                return found
        return []

    def _special(self, day: date) -> SpecialRow | None:
        for rows in self._specials:
            found = for_level((row for row in rows if row.first <= day <= row.last), self.level)
            if found:
                return max(found, key=lambda row: row.id)
        return None


def _weekly(rows: Sequence[HoursRow]) -> dict[int, tuple[tuple[int, int], ...]]:
    """Spans by weekday, put together; the usual ones where nothing is declared."""
    if not rows:
        return dict.fromkeys(sorted(SCHOOL_WEEK), DEFAULT_SPANS)
    weekdays = sorted({weekday for row in rows for weekday in row.weekdays})
    return {w: join(span for row in rows if w in row.weekdays for span in row.spans) for w in weekdays}


def join(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans in order, those that touch or overlap as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def _nearest(scopes: Sequence[Sequence[TermRow]], fits: Callable[[TermRow], bool]) -> list[TermRow]:
    for rows in scopes:
        found = [row for row in rows if fits(row)]
        if found:
            return found
    return []


def _half(day: date) -> int:
    """Half-years: an even number from 1 August to 31 January, the odd one after it to 31 July."""
    if day.month >= 8:
        return 2 * day.year
    return 2 * day.year - 2 if day.month == 1 else 2 * day.year - 1


def _middle(row: TermRow) -> date:
    return row.first + (row.last - row.first) / 2
