"""Planned off through the whole collector: a habit of the register reaches the judge's process, and so does its rejection."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from collector_world import Collector, Namespace, World, until
from sqlmodel import select

from inventory.models import Habit, utcnow


def test_a_school_that_switches_off_now_is_planned_off_until_its_habit_is_rejected(
    world: World, collectors: Callable[..., Collector], namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = f"Etc/GMT{utcnow().hour - 12:+d}"  # where it is noon, so that no midnight is near
    monkeypatch.setenv("EDUNET_TIMEZONE", zone)
    now = utcnow().astimezone(ZoneInfo(zone))
    off_from, off_until, on_by = ((now + timedelta(minutes=n)).strftime("%H:%M") for n in (-30, 30, -60))
    for number in (1, 2):
        world.school(number)
    school = world.ids["school1"]
    world.add(Habit(school_id=school, kind="night", off_from=off_from, off_until=off_until, on_by=on_by, declared=True))
    collector = collectors(prefix=namespace.prefix).start()
    until(lambda: {world.state_of("school", f"school{n}") for n in (1, 2)} == {"up"}, what="both up")
    cut = [world.ip("2.1"), world.ip("2.2")]
    namespace.cut(*cut)
    until(lambda: world.state_of("school", "school1") == "planned_off", what="it switches off as usual")
    until(lambda: world.state_of("school", "school2") == "down", what="the other has no such habit")
    until(lambda: len(world.rows("SELECT 1 FROM notice WHERE event = 'opened'")) == 2, what="the judge says both")
    held = f"SELECT planned_until IS NOT NULL FROM incident WHERE root_id = {world.ids['gw1']} AND status = 'open'"
    assert world.rows(held) == [(1,)]
    with world.register.write() as session:
        habit = session.exec(select(Habit)).one()
        habit.status, habit.updated_at = "rejected", utcnow()
        session.add(habit)
    until(lambda: world.state_of("school", "school1") == "down", what="nothing hides it any more")
    until(lambda: world.rows(held) == [(0,)], what="people are told")
    namespace.mend(*cut)
    until(lambda: world.state_of("school", "school1") == "up", what="mended")
    assert collector.stop() == 0
