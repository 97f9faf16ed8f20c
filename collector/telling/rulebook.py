"""A file of rules for `edunet replay --rules` (docs/replay-rules.md): delays, steps, outlets, roster, silences, calendars, the judge's numbers.

What the file does not name is not there: without a rule all is told at once, without an outlet one of the whole province hears it.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collector.judge.values import Rules
from collector.telling.values import LEVELS, SEVERITIES, Hush, Rule, Step, Turn, Way
from inventory.calendars.times import read_spans
from inventory.calendars.values import WHOLE, CalendarRows, ExamRow, HoursRow, Scope, SpecialRow, TermRow
from inventory.models.telling import INCIDENT_CLASSES, TIMES

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


class RulebookError(ValueError):
    """What is wrong, with the table and its number."""


@dataclass(frozen=True, slots=True)
class Promise:
    """An acknowledgement to be tried: of the incident whose root is `node`, open at `at`."""

    node: str
    at: float
    until: float | None


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All of a file. Times of turns, silences and promises: seconds from t = 0 of the trace, or moments since the epoch (`absolute`)."""

    zone: tzinfo
    page_url: str
    judge: Rules
    rules: tuple[Rule, ...]
    steps: tuple[Step, ...]
    ways: Mapping[int, Way]
    turns: tuple[Turn, ...]
    hushes: tuple[Hush, ...]
    promises: tuple[Promise, ...]
    calendar: CalendarRows
    has_calendar: bool


def region_path(region: str) -> str:
    """The path of a region's code: `140105` is `/14/1401/140105/`; of a word that is no code, itself alone. "" everywhere."""
    if not region:
        return ""
    if region.isdigit() and len(region) == 6:
        return "".join(f"/{region[:end]}" for end in _depths(region)) + "/"
    return f"/{region_number(region)}/"


def _depths(code: str) -> tuple[int, ...]:
    return (2,) if code.endswith("0000") else (2, 4) if code.endswith("00") else (2, 4, 6)


def region_number(region: str) -> int:
    """A number for a region's word: calendars have numbers alone. Deterministic, beyond all codes."""
    if region.isdigit():
        return int(region)
    return 10**9 + int.from_bytes(region.encode()[-6:].rjust(6, b"\0"), "big")


def level_of(region: str) -> str:
    """The level of a region's code."""
    if not region or (region.isdigit() and region.endswith("0000")):
        return "province"
    return "city" if region.isdigit() and region.endswith("00") else "county"


def read_rulebook(text: str) -> Rulebook:
    """A file's text. RulebookError says what is wrong in it, and where."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulebookError(str(error)) from None
    known = {"timezone", "page_url", "judge", "rule", "step", "outlet", "duty", "silence", "acknowledge", "calendar"}
    unknown = sorted(set(data) - known)
    if unknown:
        raise RulebookError(f"{unknown[0]!r} is none of {', '.join(sorted(known))}")
    try:
        zone = ZoneInfo(data.get("timezone", "Asia/Shanghai"))
    except (ZoneInfoNotFoundError, ValueError, TypeError):
        raise RulebookError("timezone: no such time zone") from None
    ways = _each(data, "outlet", lambda row, n: _way(row, n + 1)) or [Way(1, "all")]
    return Rulebook(
        zone=zone,
        page_url=_take(data, "page_url", str, ""),
        judge=_judge(data.get("judge", {})),
        rules=tuple(_each(data, "rule", _rule)),
        steps=tuple(_each(data, "step", _step)),
        ways=_named(ways),
        turns=tuple(_each(data, "duty", lambda row, n: _turn(row, n, zone))),
        hushes=tuple(_each(data, "silence", lambda row, n: _hush(row, zone))),
        promises=tuple(_each(data, "acknowledge", lambda row, n: _promise(row))),
        calendar=_calendar(data.get("calendar", {}), zone),
        has_calendar="calendar" in data,
    )


# -- tables ------------------------------------------------------------------------------------------------------------


def _each(data: Mapping[str, Any], name: str, make: Callable[[dict[str, Any], int], Any]) -> list[Any]:
    rows = data.get(name, [])
    if not isinstance(rows, list):
        raise RulebookError(f"write [[{name}]]")
    made = []
    for number, row in enumerate(rows):
        left = dict(row)
        try:
            made.append(make(left, number))
        except (RulebookError, ValueError, TypeError) as error:
            raise RulebookError(f"[[{name}]] number {number + 1}: {error}") from None
        if left:
            raise RulebookError(f"[[{name}]] number {number + 1}: {next(iter(left))!r} is not known there")
    return made


def _take(row: dict[str, Any] | Mapping[str, Any], name: str, kind: Any, default: Any) -> Any:
    value = row.pop(name, default) if isinstance(row, dict) else row.get(name, default)
    if value is default:
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind in (int, float) and isinstance(value, bool)):
        raise RulebookError(f"{name} must be {'text' if kind is str else kind.__name__}")
    return value


def _word(row: dict[str, Any], name: str, words: tuple[str, ...], default: str) -> str:
    value: str = _take(row, name, str, default)
    if value != default and value not in words:
        raise RulebookError(f"{name} must be one of {', '.join(words)}")
    return value


def _words(row: dict[str, Any], name: str, words: tuple[str, ...]) -> frozenset[str]:
    found: list[str] = _take(row, name, list, [])
    wrong = [one for one in found if one not in words]
    if wrong:
        raise RulebookError(f"{name}: {wrong[0]!r} is none of {', '.join(words)}")
    return frozenset(found)


KINDS = ("outage", "agent_silent", "degraded")


def _rule(row: dict[str, Any], _number: int) -> Rule:
    return Rule(
        name=_take(row, "name", str, ""),
        classes=_words(row, "classes", INCIDENT_CLASSES),
        kinds=_words(row, "kinds", KINDS),
        times=_word(row, "times", TIMES, "any"),
        least_schools=_take(row, "least_schools", int, 0),
        least_pupils=_take(row, "least_pupils", int, 0),
        path=region_path(_take(row, "region", str, "")),
        severity=_word(row, "severity", SEVERITIES, ""),
        raise_by=_take(row, "raise_by", int, 0),
        delay_s=_take(row, "delay_s", float, None),
        night=_word(row, "night", ("at_once", "morning"), ""),
    )


def _step(row: dict[str, Any], _number: int) -> Step:
    return Step(
        level=_word(row, "level", LEVELS, "county"),
        severity=_word(row, "severity", SEVERITIES, "warning"),
        after_s=60 * _take(row, "after_minutes", float, 0.0),
        path=region_path(_take(row, "region", str, "")),
    )


def _way(row: dict[str, Any], number: int) -> Way:
    region = _take(row, "region", str, "")
    roster = _take(row, "roster", bool, False)
    return Way(
        id=number,
        name=_take(row, "name", str, f"outlet {number}"),
        kind=_take(row, "kind", str, "webhook"),
        path=region_path(region),
        level=_word(row, "level", LEVELS, level_of(region)),
        language=_word(row, "language", ("zh", "en"), "zh"),
        least_severity=_word(row, "least_severity", SEVERITIES, "warning"),
        kinds=_words(row, "kinds", KINDS),
        personal=roster,
        group=_take(row, "group", bool, not roster),
        per_minute=_take(row, "per_minute", int, 20),
    )


def _named(ways: list[Way]) -> dict[int, Way]:
    names = [way.name for way in ways]
    if len(set(names)) < len(names):
        raise RulebookError("[[outlet]]: two have the same name")
    return {way.id: way for way in ways}


def _turn(row: dict[str, Any], number: int, zone: ZoneInfo) -> Turn:
    school, region = _take(row, "school", str, ""), _take(row, "region", str, "")
    name = _take(row, "name", str, f"person {number + 1}")
    return Turn(
        contact=region_number(name),
        name=name,
        level="school" if school else _word(row, "level", LEVELS, level_of(region)),
        from_t=_moment(row, "from", zone, 0.0),
        until_t=_moment(row, "until", zone, float("inf")),
        weekly=_take(row, "weekly", bool, False),
        path=region_path(region),
        school=region_number(school) if school else 0,
        position=_take(row, "position", int, 1),
        phone=_take(row, "phone", str, ""),
        mail=_take(row, "mail", str, ""),
    )


def _hush(row: dict[str, Any], zone: ZoneInfo) -> Hush:
    node, path = _take(row, "node", str, ""), region_path(_take(row, "region", str, ""))
    if not node and not path:
        raise RulebookError("a silence needs a node or a region")
    if "until" not in row:
        raise RulebookError("a silence needs an end (until)")
    return Hush(_moment(row, "from", zone, 0.0), _moment(row, "until", zone, 0.0), node, path)


def _promise(row: dict[str, Any]) -> Promise:
    node = _take(row, "node", str, "")
    if not node:
        raise RulebookError("which node?")
    return Promise(node, _take(row, "at", float, 0.0), _take(row, "until", float, None))


def _moment(row: dict[str, Any], name: str, zone: ZoneInfo, default: float) -> float:
    """Seconds of the trace as they stand; a date and time as seconds since the epoch, which `Rehearsal` shifts."""
    value = row.pop(name, default)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).timestamp()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise RulebookError(f"{name} must be seconds of the trace, or a date and time")


# -- the judge's numbers and the calendars -----------------------------------------------------------------------------


def _judge(given: Any) -> Rules:
    known = {one.name: one.type for one in fields(Rules)}
    if not isinstance(given, dict):
        raise RulebookError("write [judge]")
    for name, value in given.items():
        if name not in known:
            raise RulebookError(f"[judge]: {name!r} is none of {', '.join(known)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise RulebookError(f"[judge]: {name} must be a number from 0")
        if known[name] is int and not isinstance(value, int):
            raise RulebookError(f"[judge]: {name} must be a whole number")
    return Rules(**given)


def _calendar(given: Any, zone: ZoneInfo) -> CalendarRows:
    if not isinstance(given, dict) or set(given) - {"term", "hours", "day", "exam"}:
        raise RulebookError("[calendar]: of term, hours, day, exam")
    levels: frozenset[str] = frozenset()
    return CalendarRows(
        terms=tuple(
            _each(
                given,
                "term",
                lambda row, n: TermRow(_scope(row), levels, *_days(row), name=_take(row, "name", str, "")),
            )
        ),
        hours=tuple(_each(given, "hours", lambda row, n: _hours(row, levels))),
        specials=tuple(
            _each(
                given,
                "day",
                lambda row, n: SpecialRow(
                    _scope(row),
                    levels,
                    *_days(row),
                    holiday=_take(row, "holiday", bool, True),
                    name=_take(row, "name", str, ""),
                    id=n,
                ),
            )
        ),
        exams=tuple(
            _each(
                given,
                "exam",
                lambda row, n: ExamRow(
                    _scope(row),
                    levels,
                    _moment(row, "from", zone, 0.0),
                    _moment(row, "until", zone, 0.0),
                    _take(row, "name", str, ""),
                ),
            )
        ),
    )


def _hours(row: dict[str, Any], levels: frozenset[str]) -> HoursRow:
    weekdays = _take(row, "weekdays", list, list(EVERY_DAY[:5]))
    if not set(weekdays) <= set(EVERY_DAY):
        raise RulebookError("weekdays are 1 (Monday) to 7")
    return HoursRow(_scope(row), levels, frozenset(weekdays), read_spans(_take(row, "spans", list, [])))


def _scope(row: dict[str, Any]) -> Scope:
    region = _take(row, "region", str, "")
    if not region:
        return WHOLE
    return ("region", int(region_path(region).strip("/").split("/")[-1]))


def _days(row: dict[str, Any]) -> tuple[date, date]:
    first, last = row.pop("first", None), row.pop("last", None)
    if not isinstance(first, date) or isinstance(first, datetime):
        raise RulebookError("first must be a day, 2026-09-01")
    last = first if last is None else last
    if not isinstance(last, date) or isinstance(last, datetime) or last < first:
        raise RulebookError("last must be a day, not before the first")
    return first, last
