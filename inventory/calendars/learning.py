"""Habits of switching off, learned from the outage log: what a school did on most such evenings, and that it came back by itself. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from inventory.calendars.calendars import Calendars
from inventory.calendars.planned import LONGEST_DAYS, gap_kind
from inventory.calendars.times import DAY_MIN, clock
from inventory.calendars.values import Place
from inventory.models.calendars import HabitKind

LOOK_BACK_DAYS: dict[HabitKind, int] = {
    HabitKind.night: 28,
    HabitKind.weekend: 70,
    HabitKind.holiday: 400,
    HabitKind.vacation: 800,
}
LEAST_KEPT: dict[HabitKind, int] = {
    HabitKind.night: 8,
    HabitKind.weekend: 4,
    HabitKind.holiday: 3,
    HabitKind.vacation: 2,
}
"""So many times, at least, must it have been seen."""

EVENING_FROM, EVENING_UNTIL = 14 * 60, 27 * 60
"""An evening, for switching off: from 14:00 to 03:00 of the next day, in minutes of its day."""

LATEST_BACK = 12 * 60
"""It must be back by noon, of the day on which it ends, or it was no switching off."""

SPREAD_MIN = 45
"""So far from the usual minute it is still the usual minute."""

MARGIN_MIN = 15

MOST_EVIDENCE = 10


@dataclass(frozen=True, slots=True)
class Episode:
    """A time at which the school was cut off, seconds since the epoch. own: what failed stood at the school, with nothing else known of it.

    sure: both ends were seen. until None: not yet back.
    """

    from_t: float
    until_t: float | None
    own: bool = True
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Learned:
    """A habit as columns of `habit`."""

    kind: HabitKind
    off_from: str
    off_until: str
    on_by: str
    kept: int
    chances: int
    confidence: float
    evidence: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Night:
    evening: date
    off: int
    on: int
    episode: Episode


def learn(
    episodes: Iterable[Episode], place: Place, calendars: Calendars, today: date, seen_from: date
) -> list[Learned]:
    """What a school's outages up to `today` (not included) teach. seen_from: the first day on which it was watched."""
    by_evening = _by_evening(episodes, calendars)
    table = calendars.timetable(place)
    found = []
    for kind in HabitKind:
        first = max(today - timedelta(days=LOOK_BACK_DAYS[kind]), seen_from)
        evenings = [first + timedelta(days=number) for number in range(max(0, (today - first).days))]
        fitting = [day for day in evenings if table.day(day).classes and gap_kind(table, day) == kind]
        if len(fitting) < LEAST_KEPT[kind]:
            continue
        chances, nights = _judge(fitting, by_evening, kind, place, calendars, today)
        habit = _habit(kind, chances, nights, calendars)
        if habit is not None:
            found.append(habit)
    return found


def _by_evening(episodes: Iterable[Episode], calendars: Calendars) -> dict[date, list[tuple[int, Episode]]]:
    """evening -> [(minute at which it began, 1500 for 01:00 of the next day, the episode)]"""
    found: dict[date, list[tuple[int, Episode]]] = {}
    for episode in episodes:
        day, minute = calendars.local(episode.from_t)
        if minute < EVENING_UNTIL - DAY_MIN:
            day, minute = day - timedelta(days=1), minute + DAY_MIN
        if minute >= EVENING_FROM:
            found.setdefault(day, []).append((minute, episode))
    return found


def _judge(
    evenings: Sequence[date],
    by_evening: dict[date, list[tuple[int, Episode]]],
    kind: HabitKind,
    place: Place,
    calendars: Calendars,
    today: date,
) -> tuple[int, list[_Night]]:
    """(evenings that count, those on which it went off by itself and came back in time)."""
    table = calendars.timetable(place)
    chances, nights = 0, []
    for evening in evenings:
        back = table.next_school_day(evening)
        if back is None or back >= today:
            continue  # not over yet
        mine = by_evening.get(evening, [])
        if any(not episode.sure or not episode.own for _, episode in mine):
            continue  # nobody saw it, or something else had failed: this evening tells nothing
        chances += 1
        for minute, episode in mine:
            if episode.until_t is None or episode.until_t - episode.from_t > LONGEST_DAYS[kind] * 86_400:
                continue
            day, on = calendars.local(episode.until_t)
            if day == back and on <= LATEST_BACK:
                nights.append(_Night(evening, minute, on, episode))
                break
    return chances, nights


def _habit(kind: HabitKind, chances: int, nights: Sequence[_Night], calendars: Calendars) -> Learned | None:
    if len(nights) < LEAST_KEPT[kind]:
        return None
    usual = median(night.off for night in nights)
    kept = [night for night in nights if abs(night.off - usual) <= SPREAD_MIN]
    if len(kept) < LEAST_KEPT[kind]:
        return None
    first, last = min(n.off for n in kept) - MARGIN_MIN, max(n.off for n in kept) + MARGIN_MIN
    on_by = min(max(n.on for n in kept) + MARGIN_MIN, LATEST_BACK)
    evidence = tuple(
        {"off": _iso(n.episode.from_t, calendars), "on": _iso(n.episode.until_t or 0.0, calendars)}
        for n in kept[-MOST_EVIDENCE:]
    )
    confidence = (len(kept) + 1) / (chances + 2)
    return Learned(kind, clock(first), clock(last), clock(on_by), len(kept), chances, round(confidence, 3), evidence)


def _iso(at: float, calendars: Calendars) -> str:
    return datetime.fromtimestamp(at, calendars.zone).isoformat(timespec="seconds")
