"""A week of the roster: who is on duty for which part on which day. Pure but for names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from api.pages.clock import Clock
from api.pages.frame import Frame
from api.pages.queries.named import names_of, school_name
from api.pages.queries.regions import region_names
from inventory.models import Contact

WEEK = timedelta(days=7)


@dataclass
class Turn:
    """A turn as it falls on one day. now: it goes on at this moment. when: its hours on that day."""

    who: str
    begin: datetime
    end: datetime
    second: bool
    now: bool
    number: int
    when: str = ""


@dataclass
class PartWeek:
    """The turns of one part, by day."""

    part: str
    days: list[list[Turn]] = field(default_factory=list)


@dataclass
class Week:
    """Seven days from `days[0]`, and the parts that have a turn in them. now: who is on at this moment, by part."""

    days: list[datetime]
    parts: list[PartWeek]
    now: list[tuple[str, list[Turn]]]
    before: str
    after: str


def turns(row: Mapping[str, Any], start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The times that a row of the roster is on duty and that reach into [start, end)."""
    begin, length = row["from_at"], row["until_at"] - row["from_at"]
    if not row["weekly"]:
        if begin < end and begin + length > start:
            yield begin, begin + length
        return
    behind = max(0, (start - length - begin) // WEEK)
    begin += behind * WEEK
    while begin < end:
        if row["last_at"] is not None and begin > row["last_at"]:
            return
        if begin + length > start:
            yield begin, begin + length
        begin += WEEK


def duty_week(frame: Frame, rows: Sequence[Mapping[str, Any]]) -> Week:
    """The week that `?week=YYYY-MM-DD` names, else that of today."""
    clock = frame.clock
    try:
        asked = datetime.strptime(frame.request.query_params.get("week", ""), "%Y-%m-%d").replace(tzinfo=clock.zone)
    except ValueError:
        asked = clock.midnight(frame.now)
    monday = asked - timedelta(days=asked.weekday())
    days = [clock.midnight(monday + timedelta(days=number, hours=2)) for number in range(8)]
    names = names_of(frame, Contact)
    parts: dict[str, PartWeek] = {}
    on_now: dict[str, list[Turn]] = {}
    for row in rows:
        part = _part_of(frame, row)
        for begin, end in turns(row, days[0], days[7]):
            week = parts.setdefault(part, PartWeek(part, [[] for _ in range(7)]))
            turn = _turn(names, row, begin, end, frame.now)
            for number in range(7):
                if _falls_on(begin, end, days[number], days[number + 1]):
                    week.days[number].append(
                        replace(turn, when=_hours(clock, begin, end, days[number], days[number + 1]))
                    )
        for begin, end in turns(row, frame.now, frame.now + timedelta(seconds=1)):
            on_now.setdefault(part, []).append(_turn(names, row, begin, end, frame.now))
    for week in parts.values():
        for day in week.days:
            day.sort(key=lambda turn: (turn.second, turn.begin))
    before, after = (f"{(monday + shift).date():%Y-%m-%d}" for shift in (-WEEK, WEEK))
    return Week(days[:7], sorted(parts.values(), key=lambda week: week.part), sorted(on_now.items()), before, after)


def _falls_on(begin: datetime, end: datetime, day: datetime, next_day: datetime) -> bool:
    """Whether a turn is shown on a day: where it begins, and on each that it fills by more than half; a night's end is none of its own."""
    if day <= begin < next_day:
        return True
    return min(end, next_day) - max(begin, day) > (next_day - day) / 2


def _hours(clock: Clock, begin: datetime, end: datetime, day: datetime, next_day: datetime) -> str:
    first = clock.local(begin).strftime("%H:%M") if begin > day else ""
    last = clock.local(end).strftime("%H:%M") if end < next_day + timedelta(hours=12) else ""
    return f"{first}–{last}" if first or last else "24 h"


def _turn(names: Mapping[int, str], row: Mapping[str, Any], begin: datetime, end: datetime, now: datetime) -> Turn:
    who = names.get(row["contact_id"], "–")
    return Turn(who, begin, end, row["position"] > 1, begin <= now < end, row["id"])


def _part_of(frame: Frame, row: Mapping[str, Any]) -> str:
    if row["school_id"] is not None:
        return school_name(frame, row["school_id"]) or "–"
    if row["region_id"] is None:
        return frame.text("The whole province")
    return region_names(frame).get(row["region_id"], "–")
