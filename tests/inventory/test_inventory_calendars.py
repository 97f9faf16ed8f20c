"""What kind of time it is for a school: real days, who decides, sums."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from inventory.calendars import Calendars, Place, calendar_mark, place_of_region, place_of_school, read_calendars
from inventory.calendars.statutory import NAMES, known_years, statutory
from inventory.calendars.sums import ClassTime
from inventory.calendars.times import clock, minutes, read_spans, within, write_spans
from inventory.calendars.values import WHOLE, CalendarRows, ExamRow, HoursRow, Scope, SpecialRow, TermRow
from inventory.database import Register
from inventory.models import ClassHours, Exam, Region, School, SpecialDay, Term
from inventory.regions import duty_by_code, load_regions, place_by_code
from inventory.words import say

ZONE = ZoneInfo("Asia/Shanghai")
ANY = Place((30, 3, 1), 7, "primary")
"""School 7 in county 30, city 3, province 1."""


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def _term(scope: Scope, first: str, last: str, *levels: str) -> TermRow:
    return TermRow(scope, frozenset(levels), date.fromisoformat(first), date.fromisoformat(last), f"term of {scope[0]}")


def _special(scope: Scope, day: str, holiday: bool, number: int = 1, as_weekday: int | None = None) -> SpecialRow:
    on = date.fromisoformat(day)
    return SpecialRow(scope, frozenset(), on, on, holiday, f"by {scope[0]}", as_weekday, number)


def _hours(scope: Scope, *spans: str, weekdays: str = "12345", levels: tuple[str, ...] = ()) -> HoursRow:
    return HoursRow(scope, frozenset(levels), frozenset(int(w) for w in weekdays), read_spans(spans))


@pytest.mark.parametrize(
    ("day", "holiday", "make_up", "name"),
    [
        ("2025-09-28", False, True, "National Day"),  # a Sunday that is worked
        ("2025-10-01", True, False, "National Day"),
        ("2025-10-06", True, False, "National Day"),  # Mid-autumn, of the same eight days
        ("2025-10-08", True, False, "National Day"),
        ("2025-10-09", False, False, ""),
        ("2025-10-11", False, True, "National Day"),  # a Saturday that is worked
        ("2026-02-14", False, True, "Spring Festival"),
        ("2026-02-15", True, False, "Spring Festival"),
        ("2026-02-23", True, False, "Spring Festival"),
        ("2026-02-24", False, False, ""),
        ("2026-02-28", False, True, "Spring Festival"),
        ("2026-09-20", False, True, "National Day"),
        ("2026-10-07", True, False, "National Day"),
        ("2026-10-10", False, True, "National Day"),
        ("2026-11-25", False, False, ""),
    ],
)
def test_the_statutory_calendar_is_the_librarys(day: str, holiday: bool, make_up: bool, name: str) -> None:
    found = statutory(date.fromisoformat(day))
    assert (found.holiday, found.make_up, found.known) == (holiday, make_up, True)
    assert found.name == name or (name == "National Day" and found.name in NAMES)


def test_beyond_its_years_weekdays_hold_and_that_is_said() -> None:
    _, last = known_years()
    day = Calendars().day(ANY, _at(f"{last + 1}-10-01T09:00:00"))
    assert (day.holiday, day.known, "holidays" in day.missing) == (False, False, True)
    assert day.workday == (date(last + 1, 10, 1).isoweekday() < 6)
    assert not statutory(date(2003, 5, 1)).known


def test_every_holiday_of_the_library_has_a_name_in_both_languages() -> None:
    from chinese_calendar.constants import holidays, workdays

    for name in {*holidays.values(), *workdays.values()}:
        assert str(name) in NAMES
        assert say(str(name), "zh") != str(name)


def test_without_any_calendar_usual_hours_hold_and_what_is_missing_is_named() -> None:
    calendars = Calendars()
    monday = calendars.day(ANY, _at("2026-11-23T09:00:00"))
    assert (monday.in_class, monday.in_term, monday.school_day, monday.night) == (True, True, True, False)
    assert (monday.known, monday.missing) == (False, ("term", "hours"))
    assert not calendars.day(ANY, _at("2026-11-23T12:30:00")).in_class
    assert not calendars.day(ANY, _at("2026-11-22T09:00:00")).in_class, "a Sunday"
    assert not calendars.day(ANY, _at("2026-10-01T09:00:00")).in_class, "National Day"
    assert calendars.day(ANY, _at("2026-10-10T09:00:00")).in_class, "a Saturday that is worked"
    assert [calendars.day(ANY, _at(f"2026-11-23T{t}:00")).night for t in ("21:59", "22:00", "05:59", "06:00")] == [
        False, True, True, False,
    ]  # fmt: skip


def test_the_nearest_scope_decides_a_term() -> None:
    rows = CalendarRows(
        terms=(
            _term(WHOLE, "2026-09-01", "2027-01-20"),
            _term(WHOLE, "2027-02-22", "2027-07-08"),
            _term(("region", 30), "2026-09-08", "2027-01-29"),
            _term(("region", 3), "2026-08-24", "2027-01-15", "senior"),
        )
    )
    calendars = Calendars(rows)
    in_term = lambda place, day: calendars.plan(place, date.fromisoformat(day)).in_term  # noqa: E731
    assert not in_term(ANY, "2026-09-03"), "the county begins later"
    assert in_term(ANY, "2027-01-25"), "and ends later"
    assert in_term(ANY, "2027-03-01"), "its spring is the province's"
    assert not in_term(ANY, "2027-02-10"), "between the terms"
    assert not in_term(ANY, "2027-07-20"), "summer"
    neighbour, senior = Place((31, 3, 1), 8, "primary"), Place((31, 3, 1), 9, "senior")
    assert in_term(neighbour, "2026-09-03")
    assert in_term(senior, "2026-08-25")
    assert not in_term(neighbour, "2026-08-25")
    august = calendars.plan(ANY, date(2027, 8, 20))
    assert august.in_term, "of a half-year without any term nothing is known: never silence"
    assert "term" in august.missing
    assert "term" not in calendars.plan(ANY, date(2027, 7, 20)).missing


def test_a_snow_day_of_the_county_stands_over_the_law_and_a_schools_over_the_county() -> None:
    rows = CalendarRows(
        specials=(
            _special(("region", 30), "2026-11-23", True),
            _special(("school", 7), "2026-11-23", False),
            _special(("region", 1), "2026-10-02", False),
            _special(("region", 3), "2026-11-24", True, 1),
            _special(("region", 3), "2026-11-24", False, 2),
        )
    )
    calendars, other = Calendars(rows), Place((30, 3, 1), 8, "primary")
    closed = calendars.day(other, _at("2026-11-23T09:00:00"))
    assert (closed.holiday, closed.in_class, closed.name) == (True, False, "by region")
    assert calendars.day(ANY, _at("2026-11-23T09:00:00")).in_class
    assert calendars.day(ANY, _at("2026-10-02T09:00:00")).make_up, "the province teaches on National Day"
    assert calendars.day(ANY, _at("2026-11-24T09:00:00")).in_class, "the later word of the same scope"


def test_a_make_up_day_has_the_class_hours_of_the_weekday_it_stands_for() -> None:
    rows = CalendarRows(
        hours=(
            _hours(WHOLE, "08:00-12:00", weekdays="1"),
            _hours(WHOLE, "09:00-11:00", weekdays="5"),
            _hours(("school", 7), "08:00-10:00", weekdays="12345"),
            _hours(("school", 7), "08:00-09:00", weekdays="6"),
        ),
        specials=(_special(WHOLE, "2026-11-29", False, 1, 5), _special(WHOLE, "2026-12-06", False, 2)),
    )
    calendars, other = Calendars(rows), Place((30, 3, 1), 8, "primary")
    assert calendars.plan(other, date(2026, 11, 29)).classes == ((540, 660),), "Friday's"
    assert calendars.plan(other, date(2026, 12, 6)).classes == ((480, 720),), "Monday's, for Sunday has none"
    assert calendars.plan(other, date(2026, 10, 10)).classes == ((480, 720),)
    assert calendars.plan(ANY, date(2026, 10, 10)).classes == ((480, 540),), "a school with Saturdays of its own"
    assert calendars.plan(ANY, date(2026, 11, 28)).classes == ((480, 540),)
    assert calendars.plan(other, date(2026, 11, 24)).classes == (), "no classes on Tuesdays there"


def test_class_hours_are_by_level_and_validity() -> None:
    old = HoursRow(WHOLE, frozenset(), frozenset({1}), ((480, 600),), date(2020, 1, 1), date(2026, 8, 31))
    rows = CalendarRows(
        hours=(
            old,
            _hours(WHOLE, "07:00-11:00", levels=("senior",)),
            _hours(("region", 3), "09:00-10:00", levels=("senior",)),
        )
    )
    calendars, senior = Calendars(rows), Place((31, 4, 1), 9, "senior")
    assert calendars.plan(senior, date(2026, 11, 23)).classes == ((420, 660),)
    assert calendars.plan(Place((31, 3, 1), 9, "senior"), date(2026, 11, 23)).classes == ((540, 600),)
    assert calendars.plan(ANY, date(2026, 8, 24)).classes == ((480, 600),)
    assert "hours" in calendars.plan(ANY, date(2026, 11, 23)).missing, "the old ones are over"


def test_exams_add_up_and_a_region_has_those_of_its_schools() -> None:
    start, end = _at("2026-06-07T08:00:00").timestamp(), _at("2026-06-07T17:00:00").timestamp()
    rows = CalendarRows(
        exams=(
            ExamRow(WHOLE, frozenset({"senior"}), start, end, "高考", frozenset()),
            ExamRow(("school", 7), frozenset(), start, end, "竞赛", frozenset({30, 3, 1})),
        )
    )
    calendars, noon = Calendars(rows), _at("2026-06-07T12:00:00")
    assert calendars.day(ANY, noon).name == "竞赛"
    assert calendars.day(Place((30, 3, 1), 8, "senior"), noon).exam
    assert not calendars.day(Place((30, 3, 1), 8, "primary"), noon).exam
    assert not calendars.day(ANY, end).exam, "its last instant is over"
    county, other = place_of_region("/1/3/30/"), place_of_region("/1/3/31/")
    assert [row.name for row in calendars.exams(county, start)] == ["高考", "竞赛"]
    assert [row.name for row in calendars.exams(other, start)] == ["高考"]
    both = place_of_region("/1/3/30/", "/2/4/40/")
    assert (both.chain, both.heads) == ((40, 30, 4, 3, 2, 1), (40, 30))
    assert [row.name for row in calendars.exams(both, start)] == ["高考", "竞赛"]
    assert [row.name for row in calendars.exams(place_of_region("/1/3/31/", "/2/4/41/"), start)] == ["高考"]
    assert calendars.exams(ANY, end - 60, end + 60)
    assert not calendars.exams(ANY, end, end + 60)


def test_the_bureau_stands_before_the_place_at_one_depth() -> None:
    place = place_of_school(7, "primary", "/1/3/30/", "/2/4/40/")
    assert place.chain == (40, 30, 4, 3, 2, 1)
    assert place.scopes()[0] == ("school", 7)
    assert place.scopes()[-1] == WHOLE
    assert place_of_school(7, "primary", "/1/3/30/", None).chain == (30, 3, 1)


def test_class_time_of_a_span_is_cut_to_it() -> None:
    calendars = Calendars()
    start, end = _at("2026-11-23T09:00:00").timestamp(), _at("2026-11-24T09:00:00").timestamp()
    found = calendars.class_time(ANY, start, end)
    assert found.total == (3 + 3.5 + 1) * 3600
    assert not found.known
    assert found.within([(start, start + 3600), (end - 3600, end)]) == 7200
    assert (
        calendars.class_time(ANY, _at("2026-10-01T00:00:00").timestamp(), _at("2026-10-08T00:00:00").timestamp()).total
        == 0
    )


instants = st.integers(int(_at("2025-01-01T00:00:00").timestamp()), int(_at("2026-12-31T00:00:00").timestamp()))


@settings(max_examples=60, deadline=None)
@given(st.lists(instants, min_size=2, max_size=8, unique=True).map(sorted))
def test_intervals_add_up(cuts: list[int]) -> None:
    """The class time of an interval is that of its parts; no instant counts twice; it is what `day` says."""
    calendars = Calendars(CalendarRows(hours=(_hours(WHOLE, "08:00-11:40", "14:00-24:00", weekdays="123456"),)))
    whole = calendars.class_time(ANY, cuts[0], cuts[-1])
    parts = [calendars.class_time(ANY, a, b).total for a, b in pairwise(cuts)]
    assert sum(parts) == pytest.approx(whole.total)
    assert whole.within(pairwise(cuts)) == pytest.approx(whole.total)
    assert (whole.ends > whole.starts).all()
    assert (whole.starts[1:] > whole.ends[:-1]).all(), "in order, none overlaps"
    for at in cuts[:-1]:
        assert calendars.day(ANY, float(at)).in_class == bool(((whole.starts <= at) & (at < whole.ends)).any())


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=12), st.integers(0, 500), st.integers(0, 500)
)
def test_sums_are_those_of_a_plain_count(spans: list[tuple[int, int]], start: int, end: int) -> None:
    covered = {second for a, b in spans for second in range(a, b)}
    found = ClassTime.of([(float(a), float(b)) for a, b in spans])
    assert found.total == len(covered)
    assert found.within([(start, end)]) == len([s for s in range(start, end) if s in covered])


def test_days_of_the_calendars_time_zone_all_have_24_hours() -> None:
    """No summer time since 1991: a year of whole days of classes is a year."""
    calendars = Calendars(CalendarRows(hours=(_hours(WHOLE, "00:00-24:00", weekdays="1234567"),)))
    start, end = _at("2005-01-01T00:00:00"), _at("2006-01-01T00:00:00")
    closed = sum(calendars.plan(ANY, date(2005, 1, 1) + timedelta(days=n)).holiday for n in range(365))
    found = calendars.class_time(ANY, start.timestamp(), end.timestamp())
    assert found.total == (365 - closed) * 86_400


@given(st.lists(st.tuples(st.integers(0, 1438), st.integers(1, 1440)).filter(lambda s: s[0] < s[1]), max_size=1))
def test_spans_are_read_as_they_are_written(spans: list[tuple[int, int]]) -> None:
    assert read_spans(write_spans(spans)) == tuple(spans)


@pytest.mark.parametrize("text", ["8:00", "24:01", "12:60", "ab:cd", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        minutes(text)


def test_times_over_midnight() -> None:
    assert (clock(1500), minutes("24:00")) == ("01:00", 1440)
    assert [within(m, 1380, 60) for m in (1379, 1380, 0, 60, 61)] == [False, True, True, True, False]


def _school(session: Session, code: str, level: str) -> School:
    place, duty = place_by_code(session)[code], duty_by_code(session)[code]
    school = School(name=code + level, level=level, place_id=place.id or 0, duty_id=duty.id)  # type: ignore[arg-type]  # as the database gives it
    session.add(school)
    session.flush()
    return school


def test_calendars_are_read_from_the_register_and_a_change_is_seen(register: Register) -> None:
    with register.write() as session:
        load_regions(session)
        here, there = _school(session, "140105", "senior"), _school(session, "140212", "primary")
        duty: Region = duty_by_code(session)["140105"]
        session.add(Term(name="t", first_on=date(2026, 9, 1), last_on=date(2027, 1, 20)))
        session.add(ClassHours(region_id=duty.id, weekdays=[1, 6], spans=["19:00-21:00"], levels=["senior"]))
        session.add(
            Exam(name="e", school_id=here.id, from_at=_at("2026-06-07T08:00:00"), until_at=_at("2026-06-07T17:00:00"))
        )
    with register.session() as session:
        before = calendar_mark(session)
        calendars = read_calendars(session, "Asia/Shanghai")
        assert calendar_mark(session) == before
    mine, other = calendars.school(here.id or 0), calendars.school(there.id or 0)
    assert calendars.plan(mine, date(2026, 11, 28)).classes == ((1140, 1260),)
    assert calendars.plan(mine, date(2026, 11, 28)).missing == ()
    assert calendars.plan(other, date(2026, 11, 28)).classes == ()
    assert calendars.day(mine, _at("2026-06-07T09:00:00")).exam
    city = place_of_region(place_path(register, "140100"))
    assert calendars.day(city, _at("2026-06-07T09:00:00")).exam
    assert not calendars.day(place_of_region(place_path(register, "140200")), _at("2026-06-07T09:00:00")).exam
    with register.write() as session:
        snow = date(2026, 11, 28)
        session.add(SpecialDay(name="snow", kind="holiday", region_id=duty.id, first_on=snow, last_on=snow))
    with register.session() as session:
        assert calendar_mark(session) != before
        again = read_calendars(session, "Asia/Shanghai", [here.id or 0])
    assert list(again.places) == [here.id]
    assert again.plan(mine, snow).classes == ()


def place_path(register: Register, code: str) -> str:
    with register.session() as session:
        return place_by_code(session)[code].path


def test_the_check_says_what_no_calendar_covers_and_when_the_holidays_end(register: Register) -> None:
    from inventory.checking import check_register

    _, last = known_years()
    codes = lambda today: {f.code for f in check_register(register, today)} & {  # noqa: E731
        "no_term", "no_class_hours", "holidays_end", "holidays_unknown",
    }  # fmt: skip
    assert codes(date(last, 10, 1)) == set(), "without schools there is nothing to say"
    with register.write() as session:
        load_regions(session)
        _school(session, "140105", "senior")
        other = _school(session, "140212", "primary")
    assert codes(date(last, 10, 1)) == {"no_term", "no_class_hours"}
    with register.write() as session:
        session.add(Term(name="t", first_on=date(last, 9, 1), last_on=date(last + 1, 1, 20)))
        session.add(ClassHours(school_id=other.id, spans=["08:00-12:00"]))
    (found,) = [f for f in check_register(register, date(last, 10, 1)) if f.code == "no_class_hours"]
    assert found.params == {"count": 1, "names": "140105senior"}
    assert codes(date(last, 12, 1)) == {"no_class_hours", "holidays_end"}
    assert codes(date(last + 1, 1, 2)) == {"no_class_hours", "holidays_unknown"}
    assert codes(date(last + 1, 3, 2)) == {"no_term", "no_class_hours", "holidays_unknown"}
    texts = [f.render("zh") for f in check_register(register, date(last + 1, 3, 2))]
    assert any(f"{last} 年" in text for text in texts)
