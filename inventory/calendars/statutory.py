"""China's statutory holidays with their make-up days (调休), as `chinesecalendar` knows them: a year is published late in the year before.

Beyond the years that it knows, weekdays hold, and whoever asks is told that they are not known.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache

from chinese_calendar.constants import holidays, workdays


def _Text(text: str) -> str:
    """Marks a text for the catalogue (a test collects them)."""
    return text


NAMES: dict[str, str] = {
    name: name
    for name in (
        _Text("New Year's Day"),
        _Text("Spring Festival"),
        _Text("Tomb-sweeping Day"),
        _Text("Labour Day"),
        _Text("Dragon Boat Festival"),
        _Text("Mid-autumn Festival"),
        _Text("National Day"),
        _Text("Anti-Fascist 70th Day"),
    )
}
"""The library's names, which are keys of the catalogue."""


@dataclass(frozen=True, slots=True)
class Statutory:
    """One day by law. holiday: no work on it; make_up: work on a weekend. known: False where only its weekday is known."""

    holiday: bool
    make_up: bool
    name: str
    known: bool


@cache
def known_years() -> tuple[int, int]:
    """(first, last) year that the library knows."""
    return min(holidays).year, max(holidays).year


def statutory(day: date) -> Statutory:
    """What the law says of a day."""
    first, last = known_years()
    if not first <= day.year <= last:
        return Statutory(False, False, "", False)
    if day in workdays:
        return Statutory(False, True, str(workdays[day]), True)
    return Statutory(day in holidays, False, str(holidays.get(day, "")), True)
