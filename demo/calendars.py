"""The demonstration's calendars: terms around today, class hours by level, a school that switches off at night."""

from datetime import date
from typing import Any

from inventory.models import ClassHours, Habit, HabitKind, HabitStatus, Term, utcnow

HOURS: tuple[tuple[str, tuple[str, ...], tuple[int, ...], tuple[str, ...]], ...] = (
    ("幼儿园作息", ("kindergarten",), (1, 2, 3, 4, 5), ("08:30-11:30", "14:30-16:30")),
    ("小学作息", ("primary", "teaching_point", "special"), (1, 2, 3, 4, 5), ("08:00-11:40", "14:00-16:30")),
    ("初中作息", ("junior", "nine_year"), (1, 2, 3, 4, 5), ("07:50-12:00", "14:10-17:50")),
    (
        "高中作息",
        ("senior", "twelve_year", "vocational"),
        (1, 2, 3, 4, 5, 6),
        ("07:40-12:00", "14:00-18:00", "19:00-21:30"),
    ),
    ("其他单位", (), (1, 2, 3, 4, 5), ("08:00-12:00", "14:00-17:30")),
)
"""name, levels (none: all others), weekdays, spans"""


def calendar_rows(today: date) -> list[Any]:
    """Terms of last year's, this and next year's autumn and spring; class hours: all of the whole province."""
    terms: list[Any] = []
    for year in (today.year - 1, today.year, today.year + 1):
        terms += [
            Term(name=f"{year} 年春季学期", first_on=date(year, 2, 24), last_on=date(year, 7, 8)),
            Term(name=f"{year} 年秋季学期", first_on=date(year, 9, 1), last_on=date(year + 1, 1, 22)),
        ]
    hours = [
        ClassHours(name=name, levels=list(levels), weekdays=list(weekdays), spans=list(spans))
        for name, levels, weekdays, spans in HOURS
    ]
    return [*terms, *hours]


def night_habit(school: int) -> Habit:
    """A school whose caretaker switches off at night."""
    return Habit(
        school_id=school,
        kind=HabitKind.night.value,
        off_from="21:40",
        off_until="22:20",
        on_by="07:20",
        declared=True,
        status=HabitStatus.approved.value,
        approved_by="演示",
        approved_at=utcnow(),
        note="值班员每晚拉闸",
    )
