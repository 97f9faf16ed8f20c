"""What calendars are made of, as plain values: who they are for, and their rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

Scope = tuple[str, int]
"""("school", id), ("region", id), or WHOLE: whose a row is."""

Row = TypeVar("Row", "TermRow", "HoursRow", "SpecialRow")

WHOLE: Scope = ("province", 0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a school stands, or (school None, level "") a region: `chain` are its regions in both trees, nearest first.

    At one level the duty tree comes first: the bureau says when its schools teach, the place what the weather is.
    """

    chain: tuple[int, ...] = ()
    school: int | None = None
    level: str = ""
    heads: tuple[int, ...] = ()
    """Of a region itself: what it is in each tree, for whatever holds below it."""

    def scopes(self) -> tuple[Scope, ...]:
        """Whose rows hold here, nearest first."""
        own: tuple[Scope, ...] = (("school", self.school),) if self.school is not None else ()
        return (*own, *(("region", number) for number in self.chain), WHOLE)


def chain_of(*paths: str) -> tuple[int, ...]:
    """Regions of paths (`/1/12/140/`), the first path's first at the same depth: nearest first."""
    parts = [[int(part) for part in path.split("/") if part] for path in paths]
    deepest = max((len(one) for one in parts), default=0)
    return tuple(one[depth] for depth in reversed(range(deepest)) for one in parts if depth < len(one))


def place_of_school(school: int, level: str, place_path: str, duty_path: str | None) -> Place:
    """The place of a school."""
    return Place(chain_of(duty_path or "", place_path), school, level)


def place_of_region(path: str, duty_path: str = "") -> Place:
    """The place of a region itself, in one tree or both: what holds for all of its schools."""
    heads = tuple(chain_of(one)[0] for one in (duty_path, path) if chain_of(one))
    return Place(chain_of(duty_path, path), heads=heads)


@dataclass(frozen=True, slots=True)
class TermRow:
    """A term; days included."""

    scope: Scope
    levels: frozenset[str]
    first: date
    last: date
    name: str = ""


@dataclass(frozen=True, slots=True)
class HoursRow:
    """Class hours of some weekdays (1 to 7), minutes after midnight."""

    scope: Scope
    levels: frozenset[str]
    weekdays: frozenset[int]
    spans: tuple[tuple[int, int], ...]
    valid_from: date = date.min
    valid_to: date = date.max


@dataclass(frozen=True, slots=True)
class SpecialRow:
    """Special days; days included. id: of several the latest made counts."""

    scope: Scope
    levels: frozenset[str]
    first: date
    last: date
    holiday: bool
    name: str = ""
    as_weekday: int | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class ExamRow:
    """A session, seconds since the epoch. `above`: the regions over its scope, itself included, for who asks of a region."""

    scope: Scope
    levels: frozenset[str]
    from_t: float
    until_t: float
    name: str = ""
    above: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class CalendarRows:
    """All rows of all calendars."""

    terms: tuple[TermRow, ...] = ()
    hours: tuple[HoursRow, ...] = ()
    specials: tuple[SpecialRow, ...] = ()
    exams: tuple[ExamRow, ...] = ()
    places: Mapping[int, Place] = field(default_factory=dict)
    """school -> its place"""


def for_level(rows: Iterable[Row], level: str) -> list[Row]:
    """Of one scope's rows those for this level; where some name it, only they. level "": a region, for which all-level rows hold."""
    found = list(rows)
    named = [row for row in found if level and level in row.levels]
    return named or [row for row in found if not row.levels]
