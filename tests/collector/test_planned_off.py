"""Planned off through the bench and to people: kept, counted, told to nobody before its end; and what never hides."""

import shutil
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from collector_world import World, until
from servers import alertmanager, alerts
from sqlmodel import select
from telling_world import World as Telling
from telling_world import subject

from collector.causes.live import read_cause_rules
from collector.judging import Bench
from collector.ledger import Ledger
from collector.outlets.board import Outlets
from collector.plan import build_plan
from collector.planned import HabitReader
from collector.recovery import recover
from collector.rounds.messages import ShardRound
from collector.schools import DOWN, MAINTENANCE, PLANNED_OFF, UP
from collector.settings import CollectorSettings
from collector.windows import WindowRow, WindowRows
from collector.writer import write_batch
from inventory import log as store
from inventory.calendars import read_calendars
from inventory.models import Exam, Habit, Incident, NodeKind, Notice, Outage, utcnow
from inventory.uptime import read_uptime

EVENING = datetime(2026, 11, 23, 23, 50, tzinfo=ZoneInfo("Asia/Shanghai"))
"""A Monday, ten minutes before midnight."""
BEGIN = EVENING.timestamp()
OFF, ON_BY = 300, 780
"""Seconds after BEGIN: 23:55, when it goes off; 00:03, when it should be on again."""


class Desk:
    """A bench on a world, on virtual time, whose ledger is written at once, with the habits of the register."""

    def __init__(self, world: World) -> None:
        self.world, self.ledger = world, Ledger()
        self.lines: list[dict[str, Any]] = []
        self.bench = Bench(self.ledger, "c1", record=self.lines.append)
        found = recover(world.register)
        self.bench.restore(
            found.memory, found.nodes, found.schools, found.open_outages, None, found.open_agents, found.causes
        )
        self.ids = dict(found.incident_ids)
        self.plan = build_plan(world.register)
        self.reader = HabitReader(world.register, every_s=0.0)
        self.bench.follow(self.plan, BEGIN)
        self.bench.set_cause_rules(read_cause_rules(world.register))

    def rounds(self, start: int, end: int, silent: set[str], facts: dict[str, dict[str, Any]] | None = None) -> None:
        """Liveness rounds of all, every 5 s from `start` to before `end`."""
        targets = {self.plan.devices[d].name: i for i, d in enumerate(self.plan.targets.device_id.tolist())}
        for t in range(start, end, 5):
            book = self.reader.look(float(t))
            if book is not None:
                self.bench.set_habits(book)
            told = {targets[name]: fact for name, fact in (facts or {}).items()} if t == start else {}
            quiet = np.array(sorted(targets[name] for name in silent), np.int64)
            at = BEGIN + t
            self.bench.take(ShardRound(self.plan.version, 0, 0, t // 5, at - 1, at, 5.0, True, quiet, facts=told))
            self.bench.step(at)
            batch = self.ledger.take(0.0)
            if len(batch):
                with self.world.register.write() as session:
                    write_batch(session, batch, self.ids)

    def incident(self) -> Incident:
        """The newest."""
        with self.world.register.session() as session:
            return session.exec(select(Incident).order_by(Incident.id.desc())).first()  # type: ignore[union-attr,return-value]  # columns, and there is one

    def planned_until(self) -> float | None:
        """Of the newest incident, seconds after BEGIN."""
        found = self.incident().planned_until
        return None if found is None else found.timestamp() - BEGIN

    def events(self) -> list[str]:
        """All that the judge said."""
        with self.world.register.session() as session:
            return [row.event for row in session.exec(select(Notice))]


@pytest.fixture
def habit(world: World) -> Callable[..., None]:
    """Declare that a school goes off between 23:50 and 23:59 and is on again by 00:03."""

    def declare(number: int = 1, **more: Any) -> None:
        values = {"off_from": "23:50", "off_until": "23:59", "on_by": "00:03", "declared": True, **more}
        world.add(Habit(school_id=world.ids[f"school{number}"], kind="night", **values))

    return declare


def test_a_school_that_goes_off_as_usual_is_planned_off_until_it_should_be_on_again(
    world: World, habit: Callable[..., None]
) -> None:
    school = world.school(1)
    habit()
    desk = Desk(world)
    desk.rounds(0, OFF, set())
    desk.rounds(OFF, 600, {"gw1"})
    assert desk.planned_until() == ON_BY
    assert desk.incident().planned_why == {"reason": "habit", "habits": ["night"], "confidence": 1.0}
    assert desk.events() == ["opened"], "the judge says what it always says"
    assert desk.incident().status == "open", "it is kept"
    assert world.state_of("device", "gw1") == world.state_of("school", "school1") == "planned_off"
    span = {"school": f"school:{school}", "from": BEGIN + OFF, "to": BEGIN + ON_BY}
    assert [line for line in desk.lines if line["kind"] == "planned_off" and span.items() <= line.items()]
    nodes, schools = desk.bench.shown_codes()
    assert nodes[desk.plan.node_index[f"device:{world.ids['gw1']}"]] == schools[0] == PLANNED_OFF, "as metrics have it"
    assert desk.bench.schools.code[0] == DOWN, "and counted as down"
    assert desk.incident().cause == "school"
    desk.rounds(600, ON_BY + 60, {"gw1"})
    assert world.state_of("school", "school1") == "down", "it should be on by now: something is wrong"
    assert desk.planned_until() == ON_BY
    assert desk.incident().cause == "undetermined", "that it went off as usual explains no more"
    desk.rounds(ON_BY + 60, ON_BY + 400, set())
    assert desk.incident().status == "resolved"
    with world.register.session() as session:
        for outage in session.exec(select(Outage)):
            until = datetime.fromisoformat(outage.evidence["planned_off"]["until"])
            assert until.timestamp() == BEGIN + ON_BY
        calendars = read_calendars(session, "Asia/Shanghai", [school])
        end = EVENING + timedelta(seconds=ON_BY + 400)
        sums = read_uptime(session, [school], EVENING, end, calendars)[school].around_the_clock
    assert sums.by["planned"] == pytest.approx(ON_BY - OFF)
    assert sums.down == pytest.approx(ON_BY + 60 - OFF), "the time after its end counts for whoever it may be"


def test_a_school_that_comes_back_in_time_was_never_anybodys_business(world: World, habit: Callable[..., None]) -> None:
    world.school(1)
    habit()
    desk = Desk(world)
    desk.rounds(0, OFF, set())
    desk.rounds(OFF, ON_BY - 60, {"gw1"})
    desk.rounds(ON_BY - 60, ON_BY + 200, set())
    incident = desk.incident()
    assert (incident.status, desk.planned_until()) == ("resolved", ON_BY)
    assert world.state_of("school", "school1") == "up"


@pytest.mark.parametrize(
    ("case", "silent"),
    [("no habit", "gw1"), ("rejected", "gw1"), ("unsure", "gw1"), ("early", "gw1"), ("above", "agg")],
)
def test_what_is_no_habit_of_this_school_at_this_moment_is_not_planned_off(
    world: World, habit: Callable[..., None], case: str, silent: str
) -> None:
    world.school(1)
    if case in ("rejected", "unsure", "above"):
        habit(**{"rejected": {"status": "rejected"}, "unsure": {"declared": False, "confidence": 0.5}}.get(case, {}))  # type: ignore[arg-type]  # fields of two types
    if case == "early":
        habit(off_from="23:57")
    desk = Desk(world)
    desk.rounds(0, OFF, set())
    desk.rounds(OFF, 400, {silent, "gw1"})
    assert desk.incident().status == "open"
    assert desk.planned_until() is None
    assert world.state_of("school", "school1") == "down"


def test_a_line_whose_port_is_down_is_no_switching_off(world: World, habit: Callable[..., None]) -> None:
    world.school(1)
    habit()
    desk = Desk(world)
    desk.rounds(0, OFF, set())
    desk.rounds(OFF, 400, {"gw1"}, {"gw1": {"ports": {"GE0/0/1": "down"}}})
    assert desk.planned_until() is None
    assert world.state_of("school", "school1") == "down"


def test_an_exam_that_is_declared_meanwhile_ends_it(world: World, habit: Callable[..., None]) -> None:
    world.school(1)
    habit()
    desk = Desk(world)
    desk.rounds(0, OFF, set())
    desk.rounds(OFF, 400, {"gw1"})
    assert desk.planned_until() == ON_BY
    world.add(Exam(name="夜考", from_at=EVENING, until_at=EVENING + timedelta(hours=2)))
    desk.rounds(400, 420, {"gw1"})
    assert (desk.planned_until() or 0) <= 420
    assert desk.incident().planned_why["reason"] == "exam"
    assert world.state_of("school", "school1") == "down"


def test_it_goes_on_over_a_restart_and_ends_when_its_habit_was_rejected_meanwhile(
    world: World, habit: Callable[..., None]
) -> None:
    world.school(1)
    habit()
    desk = Desk(world)
    desk.rounds(0, OFF, set())
    desk.rounds(OFF, 400, {"gw1"})
    again = Desk(world)
    again.rounds(400, 430, {"gw1"})
    assert again.planned_until() == ON_BY
    assert world.state_of("school", "school1") == "planned_off"
    with world.register.write() as session:
        row = session.exec(select(Habit)).one()
        row.status, row.updated_at = "rejected", EVENING
        session.add(row)
    world.school(2)
    habit(2)
    third = Desk(world)
    third.rounds(430, 460, {"gw1"})
    assert third.planned_until() is None
    assert world.state_of("school", "school1") == "down"


def test_of_many_that_go_off_at_once_one_without_the_habit_makes_it_an_outage(
    world: World, habit: Callable[..., None]
) -> None:
    """Six of a county at one moment are a cluster; with the habit of all of them it is planned off."""
    for number in range(1, 7):
        world.school(number)
        if number < 6:
            habit(number)
    names = {f"gw{number}" for number in range(1, 7)}
    desk = Desk(world)
    desk.rounds(0, OFF, set())
    desk.rounds(OFF, 400, names)
    assert desk.incident().root_id is None
    assert desk.planned_until() is None
    habit(6)
    desk.rounds(400, 480, names)
    assert desk.planned_until() == ON_BY
    assert {world.state_of("school", f"school{n}") for n in range(1, 7)} == {"planned_off"}


def test_what_is_silent_in_a_window_of_work_is_called_so_and_down_again_when_it_ends(world: World) -> None:
    for number in (1, 2):
        world.school(number)
    desk = Desk(world)
    desk.rounds(0, 60, set())
    start, end = BEGIN + 90, BEGIN + 300
    windows = [
        WindowRow("line", world.ids["line1"], None, start, end),
        WindowRow("device", world.ids["core"], None, end, end + 60),
    ]
    desk.bench.set_windows(WindowRows(windows), BEGIN + 60)
    desk.rounds(60, 85, {"gw1"})
    assert world.state_of("school", "school1") == "down", "before it begins"
    desk.rounds(85, 200, {"gw1", "gw2"})
    assert {name: world.state_of("school", name) for name in ("school1", "school2")} == {
        "school1": "maintenance", "school2": "down",
    }  # fmt: skip
    assert world.state_of("device", "gw1") == "maintenance"
    nodes, schools = desk.bench.shown_codes()
    assert schools.tolist() == [MAINTENANCE, DOWN]
    assert nodes[desk.plan.node_index[f"device:{world.ids['gw1']}"]] == MAINTENANCE
    desk.rounds(200, 310, {"gw1", "gw2"})
    assert world.state_of("school", "school1") == "maintenance", "the core's window covers all below it"
    desk.rounds(310, 400, {"gw1", "gw2"})
    assert world.state_of("device", "gw1") == world.state_of("school", "school1") == "down"
    assert desk.bench.shown_codes()[1].tolist() == [DOWN, DOWN]
    assert desk.bench.schools.code.tolist() == [DOWN, DOWN]
    desk.rounds(400, 420, set())
    assert world.state_of("school", "school1") == "up"
    assert desk.bench.shown_codes()[1].tolist() == [UP, UP]


def test_nobody_is_told_before_its_end_and_then_everybody_at_once() -> None:
    world = Telling()
    world.say("opened", subject(1, from_t=0.0, planned_t=30_000.0), 20.0)
    world.run(29_999.0)
    assert world.heard == []
    world.run(31_000.0)
    assert [item[2] for heard in world.heard for item in heard.items][:1] == ["opened"]
    assert world.heard[0].t < 30_200.0


def test_what_came_back_in_time_is_never_told() -> None:
    world = Telling()
    world.say("opened", subject(1, from_t=0.0, planned_t=30_000.0), 20.0)
    world.say("updated", subject(1, from_t=0.0, planned_t=30_000.0), 120.0)
    world.say("resolved", subject(1, from_t=0.0, planned_t=30_000.0), 28_000.0)
    world.run(90_000.0)
    assert world.heard == []


def test_when_it_proves_to_be_something_else_people_are_told_at_once() -> None:
    world = Telling()
    world.say("opened", subject(1, from_t=0.0, planned_t=30_000.0), 20.0)
    world.run(1000.0)
    world.teller.refresh(subject(1, from_t=0.0, planned_t=None), 1000.0)
    world.run(1300.0)
    assert [heard.items[0][2] for heard in world.heard][:1] == ["opened"]


def test_the_reader_gives_the_book_again_only_when_something_has_changed(
    world: World, habit: Callable[..., None]
) -> None:
    world.school(1)
    reader = HabitReader(world.register, every_s=10.0)
    assert reader.look(0.0) is not None
    assert reader.look(5.0) is None, "too soon"
    assert reader.look(20.0) is None, "nothing has changed"
    habit()
    assert reader.look(25.0) is None
    book = reader.look(40.0)
    assert book is not None
    assert list(book.habits) == [world.ids["school1"]]
    assert NodeKind.school == "school"


@pytest.mark.server
def test_alertmanager_hears_of_it_when_it_should_be_on_again_and_not_before(world: World, tmp_path: Path) -> None:
    if shutil.which("prometheus-alertmanager") is None:
        pytest.skip("prometheus-alertmanager is not installed")
    with alertmanager(tmp_path) as port:
        settings = CollectorSettings(alertmanager_url=f"http://127.0.0.1:{port}", alertmanager_resend_s=5)
        outlets = Outlets(world.register, settings, may_notify=True, timezone="UTC")
        now = utcnow()
        row: dict[str, Any] = {"from_at": now, "opened_at": now, "status": "open"}
        with world.register.write() as session:
            store.upsert_incident(session, {**row, "key": "off", "planned_until": now + timedelta(hours=9)})
            told = store.upsert_incident(session, {**row, "key": "else"})
        thread = threading.Thread(target=outlets.run, daemon=True)
        thread.start()
        numbers = lambda: {alert["labels"]["incident"] for alert in alerts(port)}  # noqa: E731
        until(lambda: numbers() == {str(told)}, 60, "the other one alone")
        with world.register.write() as session:
            off = store.upsert_incident(session, {"key": "off", "planned_until": now})
        until(lambda: numbers() == {str(told), str(off)}, 60, "it should be on by now")
        outlets.stop()
        thread.join(30)
