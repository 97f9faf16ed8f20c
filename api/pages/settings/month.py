"""A month as the calendars have it for a part, or for one school: which days have classes, and why the others have none."""

from calendar import Calendar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from fastapi import APIRouter
from starlette.responses import Response

from api.pages.frame import Frame, PageFrame
from api.pages.queries.named import find_school, school_name
from api.pages.queries.places import read_places
from inventory.calendars.calendars import Calendars
from inventory.calendars.reading import read_calendars
from inventory.calendars.statutory import known_years
from inventory.calendars.times import clock
from inventory.calendars.timetable import DayPlan
from inventory.calendars.values import Place, place_of_region
from inventory.words import say

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class MonthDay:
    """One day. kind: classes, make_up, off (no classes by its weekday), holiday, vacation. exams: their names. hours: of classes."""

    on: date
    inside: bool
    today: bool
    kind: str
    name: str
    exams: tuple[str, ...]
    hours: str
    guessed: bool


@router.get("/settings/calendar")
def show_month(frame: PageFrame) -> Response:
    """The month of the address, of its part or school; else this one, of the caller's whole part."""
    asked = frame.request.query_params
    today = frame.clock.local(frame.now).date()
    first = _month(asked.get("month", ""), today)
    places = read_places(frame.session, frame.scope, asked.get("region", ""))
    text = asked.get("school", "").strip()[:120]
    school = find_school(frame, text) if text else None
    calendars = read_calendars(frame.session, frame.clock.zone.key, [school] if school is not None else [])
    top = places.chosen or (None if frame.scope.everything else next(iter(places.own), None))
    where = calendars.school(school) if school is not None else place_of_region(top.path if top is not None else "/")
    days = [
        _day(frame, calendars, where, day, first, today) for day in Calendar().itermonthdates(first.year, first.month)
    ]
    return frame.page(
        "settings_month.html",
        first=first,
        weeks=[days[start : start + 7] for start in range(0, len(days), 7)],
        before=(first - timedelta(days=1)).strftime("%Y-%m"),
        after=(first + timedelta(days=32)).strftime("%Y-%m"),
        places=places,
        school=school_name(frame, school) if school is not None else "",
        typed=text,
        unknown=bool(text) and school is None,
        known_until=known_years()[1],
        missing=sorted({word for day in days if day.inside for word in _missing(calendars, where, day.on)}),
    )


def _missing(calendars: Calendars, where: Place, day: date) -> tuple[str, ...]:
    return calendars.plan(where, day).missing


def _day(frame: Frame, calendars: Calendars, where: Place, day: date, first: date, today: date) -> MonthDay:
    plan = calendars.plan(where, day)
    start = datetime.combine(day, time(), frame.clock.zone).timestamp()
    exams = tuple(row.name for row in calendars.exams(where, start, start + 86_400))
    hours = " ".join(f"{clock(begin)}–{clock(end)}" for begin, end in plan.classes)
    shown = plan.name if plan.holiday or plan.make_up else ""
    name = say(shown, "zh" if frame.locale == "zh" else "en")
    guessed = "holidays" in plan.missing
    return MonthDay(day, day.month == first.month, day == today, _kind(plan), name, exams, hours, guessed)


def _kind(plan: DayPlan) -> str:
    if plan.holiday:
        return "holiday"
    if not plan.in_term:
        return "vacation"
    if not plan.classes:
        return "off"
    return "make_up" if plan.make_up else "classes"


def _month(text: str, today: date) -> date:
    try:
        year, month = (int(part) for part in text.split("-"))
        return date(year, month, 1) if 2000 <= year <= 2100 else today.replace(day=1)
    except ValueError:
        return today.replace(day=1)
