"""The slow jobs: each is really run by APScheduler, and does its work."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from collector_world import Collector, World, until
from servers import free_port
from sqlmodel import select

from collector import schedule
from collector.habits import learn_habits
from collector.schedule import SlowJobs, run_apart
from collector.service import Service
from collector.settings import CollectorSettings
from collector.windows import read_windows
from inventory.calendars.windows import write_occurrences
from inventory.models import (
    Device,
    DeviceKind,
    Habit,
    HistoryDay,
    Incident,
    LoginLink,
    LoginSession,
    Maintenance,
    Outage,
    Role,
    User,
    Watch,
    utcnow,
)

ZONE = ZoneInfo("Asia/Shanghai")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "captures"

SEEN_ELSEWHERE = {
    "sensors": "test_degraded_end_to_end.py",
    "neighbours": "test_learned_links.py",
    "ways": "test_line_words.py",
}
"""Jobs whose work is in tests of their parts."""


def test_every_job_has_a_test(world: World, jobs: SlowJobs) -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    names = [job.name for job in jobs.jobs()]
    assert len(set(names)) == len(names)
    for name in names:
        other = SEEN_ELSEWHERE.get(name)
        assert f"_job_{name}" in here if other is None else (Path(__file__).parent / other).is_file(), name


@pytest.fixture
def jobs(world: World) -> Iterator[SlowJobs]:
    """The jobs of a collector on the world that is not running."""
    service = Service(world.register, CollectorSettings(history_days=7), world.state / "run" / "c.sock")
    made = service.jobs
    yield made
    made.stop()


def _past(world: World) -> dict[str, int]:
    """Curves, sessions and links: of each an old one and one of today."""
    device = world.device("gw", DeviceKind.gateway, world.ids["pop"], "4.1")
    now = utcnow()
    user = world.add(User(name="u", role=Role.viewer))
    with world.register.write() as session:
        for days in (0, 20):
            session.add(HistoryDay(device_id=device, day=(now - timedelta(days=days)).date(), bands=b"x"))
        for days in (1, 60):
            at = now - timedelta(days=days)
            session.add(LoginSession(token_hash=f"s{days}", user_id=user, csrf="c", created_at=at, used_at=at))
            session.add(LoginLink(token_hash=f"l{days}", user_id=user, expires_at=now + timedelta(days=2 - days)))
    return {"history_day": 1, "login_session": 1, "login_link": 1}


def _counts(world: World, names: Any) -> dict[str, int]:
    return {name: world.rows(f"SELECT count(*) FROM {name}")[0][0] for name in names}


def test_the_job_retention_takes_away_what_is_old_soon_after_the_start(
    world: World, jobs: SlowJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """_job_retention"""
    left = _past(world)
    assert _counts(world, left) == {"history_day": 2, "login_session": 2, "login_link": 2}
    monkeypatch.setattr(schedule, "SOON_S", 0.1)
    jobs.start()
    until(lambda: _counts(world, left) == left, 60, "what is old is gone")


def test_the_job_habits_learns_at_night_in_a_process_of_its_own(world: World, jobs: SlowJobs) -> None:
    """_job_habits"""
    school = world.school(1)
    _nights(world, school, world.ids["gw1"])
    jobs.start()
    job = jobs._scheduler.get_job("habits")
    fires = job.trigger.get_next_fire_time(None, datetime(2026, 11, 25, tzinfo=UTC)).astimezone(ZONE)
    assert (fires.hour, fires.minute) == schedule.NIGHTLY
    job.modify(next_run_time=utcnow())
    (found,) = until(lambda: _habits(world), 90, "a habit")
    assert (found.kind, found.off_from, found.off_until, found.on_by) == ("night", "21:50", "22:20", "07:05")
    assert (found.status, found.declared, found.school_id) == ("learned", False, school)
    assert found.confidence > 0.85


def test_a_job_that_fails_is_tried_again_and_holds_up_no_other(
    world: World, jobs: SlowJobs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []

    def fail() -> None:
        ran.append("bad")
        raise ValueError("of the test")

    rows = (schedule.Job("bad", 0.1, fail), schedule.Job("good", 0.1, lambda: ran.append("good")))
    monkeypatch.setattr(jobs, "jobs", lambda: rows)
    jobs.start()
    until(lambda: ran.count("bad") > 1 and ran.count("good") > 1, 60, "both, several times")
    assert "of the test" in caplog.text


def test_what_fails_in_a_process_of_its_own_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="exit ended with 3"):
        run_apart(sys.exit, 3)
    run_apart(sys.exit, 0)


def _nights(world: World, school: int, root: int) -> None:
    """The last 28 nights off from 22:05 to 06:50, with their incidents; the gateway was seen long ago."""
    with world.register.write() as session:
        gateway = session.get_one(Device, root)
        gateway.first_seen = utcnow() - timedelta(days=300)
        session.add(gateway)
        today = datetime.now(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        for number in range(1, 29):
            start = today - timedelta(days=number) + timedelta(hours=22, minutes=5)
            incident = Incident(key=f"k{number}", root_kind="device", root_id=root, from_at=start, status="resolved")  # type: ignore[arg-type]  # as forms give it
            session.add(incident)
            session.flush()
            end = start + timedelta(hours=8, minutes=45)
            if end < utcnow():
                session.add(Outage(kind="school", node_id=school, from_at=start, until_at=end, incident_id=incident.id))  # type: ignore[arg-type]  # as forms give it


def _habits(world: World) -> list[Habit]:
    with world.register.session() as session:
        return list(session.exec(select(Habit)))


def test_what_is_learned_again_changes_nothing_and_a_persons_word_stays(world: World) -> None:
    school = world.school(1)
    _nights(world, school, world.ids["gw1"])
    assert learn_habits(world.register) == 1
    assert learn_habits(world.register) == 0
    (row,) = _habits(world)
    with world.register.write() as session:
        row.status, row.off_from, row.kept = "approved", "21:00", 3
        session.add(row)
    assert learn_habits(world.register) == 1
    (row,) = _habits(world)
    assert (row.status, row.off_from) == ("approved", "21:00"), "who approved it answers for its times"
    assert row.kept > 3
    with world.register.write() as session:
        row.status = "rejected"
        session.add(row)
    assert learn_habits(world.register) == 0
    with world.register.write() as session:
        row.status = "learned"
        session.add(row)
    assert learn_habits(world.register, utcnow() + timedelta(days=60)) == 1, "it does so no more"
    assert _habits(world) == []


def test_what_was_above_the_school_or_somebodys_fault_is_not_learned(world: World) -> None:
    school = world.school(1)
    _nights(world, school, world.ids["gw1"])
    for sql in (
        f"UPDATE incident SET root_id = {world.ids['agg']}",
        "UPDATE outage SET accountable = 'carrier'",
        "UPDATE outage SET maintenance = 1",
        "UPDATE outage SET from_earliest = from_at",
    ):
        with world.register.write() as session:
            before = "UPDATE outage SET accountable = '', maintenance = 0, from_earliest = NULL"
            session.connection().exec_driver_sql(before)
            session.connection().exec_driver_sql(f"UPDATE incident SET root_id = {world.ids['gw1']}")
            session.connection().exec_driver_sql(sql)
        assert learn_habits(world.register) == 0, sql
    with world.register.write() as session:
        session.connection().exec_driver_sql("UPDATE outage SET from_earliest = NULL")
    assert learn_habits(world.register) == 1


def test_the_judge_is_told_of_the_occurrences_that_come_next(world: World) -> None:
    now = utcnow()
    with world.register.write() as session:
        start = now - timedelta(hours=1)
        row = Maintenance(
            region_id=world.ids["county"],
            from_at=start,
            until_at=start + timedelta(hours=2),
            repeat="daily",
            repeat_until=start + timedelta(days=10),
        )
        session.add(row)
        session.flush()
        write_occurrences(session, row, ZONE, now=start - timedelta(hours=1))
        session.add(
            Maintenance(kind="device", node_id=world.ids["agg"], from_at=now, until_at=now + timedelta(hours=1))
        )  # type: ignore[arg-type]  # as forms give it
        session.add(Maintenance(region_id=world.ids["county"], from_at=now - timedelta(hours=3), until_at=start))
    found = read_windows(world.register)
    starts = sorted(window.from_t for window in found if window.region_id == world.ids["county"])
    assert starts == [pytest.approx((start + timedelta(days=n)).timestamp(), abs=0.001) for n in (0, 1, 2)]
    assert [window.node_id for window in found if window.kind == "device"] == [world.ids["agg"]]


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/captures (recordings of devices) is not here")
def test_the_jobs_of_readings_fill_the_register(world: World, collectors: Callable[..., Collector]) -> None:
    """_job_facts, _job_curves, _job_port_states: a recorded switch as a gateway, whose ports then change."""
    port = free_port(socket.SOCK_DGRAM)
    names = sorted(path.stem for path in (SHARED / "devices").glob("*.snmprec"))
    world.credential(next((name for name in names if name.startswith("vrp")), names[0]))
    command = [sys.executable, str(SHARED / "miniagent.py"), str(SHARED / "devices"), "--addr", world.ip("3.1")]
    agent = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        number = world.device("sw", DeviceKind.gateway, world.ids["pop"], "3.1", watch=Watch.any, snmp_port=port)
        collector = collectors().start()
        until(lambda: world.rows(f"SELECT 1 FROM device WHERE id={number} AND sys_object_id != ''"), 90, "facts")
        until(lambda: world.rows(f"SELECT 1 FROM history_day WHERE device_id={number} AND port=''"), 90, "curves")
        ports = until(lambda: world.rows(f"SELECT id, oper FROM port WHERE device_id={number}"), 90, "ports")
        with world.register.write() as session:  # what the register says is other than what the device says
            session.connection().exec_driver_sql(f"UPDATE port SET oper = 'x' WHERE device_id={number}")
        collector.stop()
        collector = collectors().start()
        wanted = {row[1] for row in ports}
        until(
            lambda: {row[0] for row in world.rows(f"SELECT oper FROM port WHERE device_id={number}")} == wanted,
            90,
            "states of ports",
        )
        assert collector.stop() == 0
    finally:
        agent.kill()
        agent.wait()
