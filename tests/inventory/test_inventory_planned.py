"""Planned off, and how habits are learned: what hides, until when, and what must never hide."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.calendars import Calendars, Place
from inventory.calendars.learning import Episode, learn
from inventory.calendars.planned import LONGEST_DAYS, HabitRow, Silence, Verdict, gap_kind, planned_off
from inventory.calendars.times import minutes
from inventory.calendars.values import WHOLE, CalendarRows, ExamRow, HoursRow, TermRow
from inventory.models import HabitKind

ZONE = ZoneInfo("Asia/Shanghai")
HERE = Place((30, 3, 1), 7, "primary")
EVERY_WEEKDAY = HoursRow(WHOLE, frozenset(), frozenset({1, 2, 3, 4, 5}), ((480, 720), (840, 1020)))
TERMS = (
    TermRow(WHOLE, frozenset(), date(2026, 2, 24), date(2026, 7, 8)),
    TermRow(WHOLE, frozenset(), date(2026, 9, 1), date(2027, 1, 22)),
)
ROWS = CalendarRows(terms=TERMS, hours=(EVERY_WEEKDAY,), places={7: HERE, 8: Place((30, 3, 1), 8, "primary")})
CALENDARS = Calendars(ROWS)
NIGHT = HabitRow(7, HabitKind.night, minutes("21:30"), minutes("22:30"), minutes("07:30"))
WEEKEND = HabitRow(7, HabitKind.weekend, minutes("17:00"), minutes("18:30"), minutes("07:30"))
HOLIDAY = HabitRow(7, HabitKind.holiday, minutes("17:00"), minutes("18:30"), minutes("07:30"))
VACATION = HabitRow(7, HabitKind.vacation, minutes("17:00"), minutes("18:30"), minutes("08:00"))
ALL = (NIGHT, WEEKEND, HOLIDAY, VACATION)


def _t(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()


def _judge(since: str, *habits: HabitRow, at: str = "", calendars: Calendars = CALENDARS, **more: bool) -> Verdict:
    silence = Silence({7: _t(since)}, at_school=more.pop("at_school", True), **more)
    return planned_off(silence, {7: habits}, calendars, _t(at or since) + 30)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-11-23T22:00:00", "2026-11-24T07:30:00"),  # Monday's night
        ("2026-11-27T22:00:00", "2026-11-28T07:30:00"),  # a night alone explains no weekend
        ("2026-11-27T17:40:00", "2026-11-30T07:30:00"),  # Friday, as every weekend
        ("2026-09-30T18:00:00", "2026-10-08T07:30:00"),  # National Day
        ("2026-10-10T18:00:00", None),  # a worked Saturday before a Sunday: a weekend of one day
        ("2026-07-08T17:30:00", "2026-09-01T08:00:00"),  # the summer
        ("2026-11-23T15:00:00", None),  # in the afternoon
        ("2026-11-24T01:00:00", None),  # in the night, long after the usual moment
        ("2026-10-02T18:00:00", None),  # the second day of a holiday, at the hour: it was no day of classes
        ("2026-07-10T17:30:00", None),  # the second day of the summer
        ("2026-11-28T17:40:00", None),  # Saturday
    ],
)
def test_it_holds_only_at_the_usual_moment_and_until_the_usual_end(since: str, until: str | None) -> None:
    if since.startswith("2026-10-10"):
        until = "2026-10-12T07:30:00"
    assert _judge(since, *ALL).until == (None if until is None else _t(until))


def test_a_line_cut_on_the_second_day_of_a_holiday_does_not_hide() -> None:
    """Nor does one that is cut at the hour at which the school would switch off for a night, but for that night."""
    assert _judge("2026-10-02T10:00:00", *ALL).reason == "moment"
    night = _judge("2026-10-02T22:00:00", *ALL)
    assert night.until == _t("2026-10-03T07:30:00")
    assert not _judge("2026-10-02T22:00:00", *ALL, at="2026-10-03T07:30:00")
    assert not _judge("2026-07-11T09:00:00", *ALL)


def test_it_ends_when_the_school_should_be_on_again() -> None:
    assert _judge("2026-11-23T22:00:00", NIGHT, at="2026-11-24T07:29:00")
    late = _judge("2026-11-23T22:00:00", NIGHT, at="2026-11-24T07:30:00")
    assert (late.until, late.reason) == (None, "over")


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"at_school": False}, "above"), ({"line_down": True}, "line"), ({"flapping": True}, "flapping")],
)
def test_what_failed_elsewhere_is_never_planned_off(more: dict[str, bool], reason: str) -> None:
    assert _judge("2026-11-23T22:00:00", *ALL, **more).reason == reason


def test_it_needs_evidence_of_this_school() -> None:
    assert _judge("2026-11-23T22:00:00").reason == "no_habit"
    assert planned_off(Silence({}, True), {}, CALENDARS, 0.0).reason == "no_school"
    two = Silence({7: _t("2026-11-23T22:00:00"), 8: _t("2026-11-23T22:00:30")}, at_school=True)
    at = _t("2026-11-23T22:01:00")
    assert planned_off(two, {7: (NIGHT,)}, CALENDARS, at).reason == "no_habit", "the other one has none"
    other = HabitRow(8, HabitKind.night, minutes("21:30"), minutes("22:30"), minutes("06:30"), False, 0.9)
    both = planned_off(two, {7: (NIGHT,), 8: (other,)}, CALENDARS, at)
    assert (both.until, both.confidence) == (_t("2026-11-24T06:30:00"), 0.9)


def test_a_learned_habit_needs_confidence_and_its_days_of_validity() -> None:
    learned = {"sure": False, "confidence": 0.6}
    assert _judge("2026-11-23T22:00:00", HabitRow(7, HabitKind.night, 1290, 1350, 450, **learned)).reason == "no_habit"
    ended = HabitRow(7, HabitKind.night, 1290, 1350, 450, valid_to=date(2026, 11, 1))
    assert _judge("2026-11-23T22:00:00", ended).reason == "no_habit"
    assert HabitRow(7, HabitKind.night, 1290, 1350, 450, True, 0.1).holds, "approved"


def test_a_habit_over_midnight_belongs_to_the_evening_before() -> None:
    late = HabitRow(7, HabitKind.night, minutes("23:30"), minutes("00:30"), minutes("07:00"))
    assert _judge("2026-11-24T00:10:00", late).until == _t("2026-11-24T07:00:00")
    assert _judge("2026-11-23T23:40:00", late).until == _t("2026-11-24T07:00:00")
    after = HabitRow(7, HabitKind.night, minutes("00:10"), minutes("00:40"), minutes("07:00"))
    assert _judge("2026-11-24T00:20:00", after).until == _t("2026-11-24T07:00:00")


def test_an_exam_ends_it_before_it_begins() -> None:
    exam = ExamRow(WHOLE, frozenset(), _t("2026-11-24T07:00:00"), _t("2026-11-24T12:00:00"), "统考")
    calendars = Calendars(CalendarRows(TERMS, (EVERY_WEEKDAY,), (), (exam,), ROWS.places))
    before = _judge("2026-11-23T22:00:00", NIGHT, calendars=calendars)
    assert before.until == _t("2026-11-24T06:30:00")
    assert _judge("2026-11-23T22:00:00", NIGHT, at="2026-11-24T06:31:00", calendars=calendars).reason == "exam"
    evening = ExamRow(WHOLE, frozenset(), _t("2026-11-23T19:00:00"), _t("2026-11-23T22:30:00"), "晚考")
    during = Calendars(CalendarRows(TERMS, (EVERY_WEEKDAY,), (), (evening,), ROWS.places))
    assert _judge("2026-11-23T22:00:00", NIGHT, calendars=during).reason == "exam"


@settings(max_examples=150, deadline=None)
@given(st.integers(int(_t("2025-02-01T00:00:00")), int(_t("2026-12-20T00:00:00"))), st.integers(0, 90 * 86_400))
def test_it_never_lasts_longer_than_its_bound_nor_outside_its_moment(since: int, later: int) -> None:
    found = planned_off(Silence({7: float(since)}, True), {7: ALL}, CALENDARS, float(since + later))
    if not found:
        return
    minute = CALENDARS.local(since)[1]
    assert since + later < (found.until or 0.0) <= since + max(LONGEST_DAYS.values()) * 86_400
    assert minutes("17:00") <= minute <= minutes("18:30") or minutes("21:30") <= minute <= minutes("22:30")
    back, on = CALENDARS.local(found.until or 0.0)
    assert on in (minutes("07:30"), minutes("08:00"))
    assert found.kinds == (HabitKind.night,) or CALENDARS.plan(HERE, back).classes, "it ends on a day of classes"


def _nights(first: date, number: int, off: str, on: str, every: int = 1) -> list[Episode]:
    """One switching off on each school evening (of every `every`-th), back on the next day."""
    days = [first + timedelta(days=n) for n in range(number)]
    evenings = [
        day
        for day in days
        if CALENDARS.plan(HERE, day).classes and CALENDARS.plan(HERE, day + timedelta(days=1)).classes
    ]
    return [
        Episode(_t(f"{day}T{off}"), _t(f"{day + timedelta(days=1)}T{on}")) for number, day in enumerate(evenings) if number % every == 0
    ]  # fmt: skip


TODAY = date(2026, 11, 25)
LONG_AGO = date(2024, 1, 1)


def test_a_school_that_goes_off_every_night_is_learned_with_its_times() -> None:
    (found,) = learn(_nights(date(2026, 10, 26), 30, "22:05:00", "06:58:00"), HERE, CALENDARS, TODAY, LONG_AGO)
    assert (found.kind, found.off_from, found.off_until, found.on_by) == (HabitKind.night, "21:50", "22:20", "07:13")
    assert found.kept == found.chances >= 15
    assert found.confidence > 0.9
    assert len(found.evidence) == 10
    assert found.evidence[-1] == {"off": "2026-11-23T22:05:00+08:00", "on": "2026-11-24T06:58:00+08:00"}


def test_what_is_seldom_done_is_no_habit_that_holds() -> None:
    seldom = learn(_nights(date(2026, 10, 26), 30, "22:05:00", "06:58:00", every=2), HERE, CALENDARS, TODAY, LONG_AGO)
    assert all(habit.confidence < 0.75 for habit in seldom)
    assert (
        learn(_nights(date(2026, 10, 26), 30, "22:05:00", "06:58:00", every=4), HERE, CALENDARS, TODAY, LONG_AGO) == []
    )


def test_what_did_not_come_back_by_itself_or_was_not_the_schools_own_teaches_nothing() -> None:
    nights = _nights(date(2026, 10, 26), 30, "22:05:00", "06:58:00")
    late = [Episode(e.from_t, (e.until_t or 0) + 10 * 3600) for e in nights]
    open_ended = [Episode(e.from_t, None) for e in nights]
    above = [Episode(e.from_t, e.until_t, own=False) for e in nights]
    unseen = [Episode(e.from_t, e.until_t, sure=False) for e in nights]
    for episodes in (late, open_ended, above, unseen, []):
        assert learn(episodes, HERE, CALENDARS, TODAY, LONG_AGO) == []


def test_times_that_scatter_are_no_habit() -> None:
    nights = _nights(date(2026, 10, 26), 30, "16:00:00", "07:00:00")
    scattered = [Episode(e.from_t + (n % 7) * 3600, e.until_t) for n, e in enumerate(nights)]
    assert learn(scattered, HERE, CALENDARS, TODAY, LONG_AGO) == []


def test_weekends_and_holidays_are_learned_apart_from_nights() -> None:
    table = CALENDARS.timetable(HERE)
    days = [date(2026, 9, 14) + timedelta(days=number) for number in range(70)]
    fridays = [day for day in days if table.day(day).classes and gap_kind(table, day) == HabitKind.weekend]
    weekends = [Episode(_t(f"{day}T17:30:00"), _t(f"{table.next_school_day(day)}T07:05:00")) for day in fridays]
    assert date(2026, 10, 10) in fridays, "a worked Saturday"
    found = {habit.kind: habit for habit in learn(weekends, HERE, CALENDARS, TODAY, LONG_AGO)}
    assert set(found) == {HabitKind.weekend}
    assert found[HabitKind.weekend].kept >= 5
    habit = HabitRow(
        7,
        HabitKind.weekend,
        *(minutes(t) for t in ("17:15", "17:45", "07:20")),
        False,
        found[HabitKind.weekend].confidence,
    )
    assert _judge("2026-11-20T17:30:00", habit)


def test_the_last_summer_alone_teaches_no_vacation() -> None:
    summer = [Episode(_t("2026-07-08T17:30:00"), _t("2026-09-01T07:40:00"))]
    assert learn(summer, HERE, CALENDARS, TODAY, LONG_AGO) == []


def test_a_school_that_was_not_watched_before_has_no_chances_before() -> None:
    nights = _nights(date(2026, 11, 9), 16, "22:05:00", "06:58:00")
    (found,) = learn(nights, HERE, CALENDARS, TODAY, date(2026, 11, 9))
    assert found.kept == found.chances
    assert learn(nights[-5:], HERE, CALENDARS, TODAY, date(2026, 11, 18)) == []
