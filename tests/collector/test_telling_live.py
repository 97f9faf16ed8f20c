"""The telling thread on a real register, with far sides on loopback: sent, merged, retried, taken over, resumed after kills."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import servers
from collector_world import World, until
from far_sides import KEY, FarSide, far_side
from sqlalchemy import select, update

from collector.settings import CollectorSettings
from collector.telling import post
from collector.telling.telling import Telling
from collector.telling.trial import try_outlet
from inventory import log as store
from inventory.audit import record
from inventory.database import Register
from inventory.models import (
    Contact,
    Delivery,
    Duty,
    EscalationStep,
    Incident,
    IncidentNote,
    NodeKind,
    NoticeRule,
    Outlet,
    table,
    utcnow,
)
from inventory.outlets import seal_config, target_of

Start = Callable[..., Telling]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again sooner than live."""
    monkeypatch.setattr(post, "FIRST_PAUSE_S", 0.2)


@pytest.fixture
def start(world: World) -> Iterator[Start]:
    """Start telling threads; all are ended. kill: it stops at once, wherever it stands."""
    made: list[tuple[Telling, threading.Thread]] = []

    def begin(may_notify: bool = True) -> Telling:
        telling = Telling(world.register, CollectorSettings(page_url="http://edunet.example"), may_notify, "UTC")
        thread = threading.Thread(target=telling.run, daemon=True)
        thread.start()
        made.append((telling, thread))
        return telling

    yield begin
    for telling, thread in made:
        telling.stop()
        thread.join(30)


def outlet(world: World, side: FarSide, **more: Any) -> int:
    """An outlet row that leads to a far side."""
    config = more.pop("config", {"url": side.url})
    sealer = world.register.sealer
    assert sealer is not None
    row = Outlet(
        name=more.pop("name", side.kind),
        kind=side.kind,
        secret=seal_config(side.kind, config, sealer),
        target=target_of(side.kind, config),
        **{"per_minute": 600, **more},
    )
    return add(world, row)


def add(world: World, row: Any) -> int:
    """A row, as the pages write it: with its entry of the audit."""
    with world.register.write() as session:
        session.add(row)
        session.flush()
        record(session, "test", "create", row.__tablename__, row.id)
        return int(row.id)


def say(world: World, key: str, event: str, *tellings: Telling, **change: Any) -> int:
    """One notice of the judge in the register."""
    at = utcnow()
    row = {"key": key, "from_at": at, "status": "resolved" if event == "resolved" else "open", **change}
    row |= {"opened_at": at} if event == "opened" else {"resolved_at": at} if event == "resolved" else {}
    row.setdefault("root_name", key)
    with world.register.write() as session:
        number = store.upsert_incident(session, row)
        store.add_notices(session, [{"incident_id": number, "event": event, "at": at}])
    for telling in tellings:
        telling.wake()
    return number


def county(world: World, **more: Any) -> dict[str, Any]:
    """The aggregation device of the county as an incident's root."""
    path = world.rows(f"SELECT path FROM region WHERE id = {world.ids['county']}")[0][0]
    return {
        "root_kind": NodeKind.device,
        "root_id": world.ids["agg"],
        "root_name": "agg",
        "path": path,
        "place_id": world.ids["county"],
        "affected": 20,
        "schools": 12,
        "pupils": 9000,
        **more,
    }


def deliveries(world: World) -> list[Any]:
    """All rows of the log."""
    with world.register.engine.connect() as connection:
        return list(connection.execute(select(table(Delivery)).order_by(table(Delivery).c.id)).mappings())


def settled(world: World) -> bool:
    """Whether everything is sent or dropped."""
    return all(row["status"] in ("sent", "dropped") for row in deliveries(world))


def test_what_opens_and_ends_is_said_once_each_and_logged_with_its_delay(world: World, start: Start) -> None:
    with far_side("wecom") as side:
        outlet(world, side)
        telling = start()
        number = say(world, "a", "opened", telling, **county(world))
        until(lambda: len(side.taken) == 1, 60, "the opening")
        say(world, "a", "resolved", telling, **county(world))
        until(lambda: len(side.taken) == 2 and settled(world), 60, "the end")
    assert side.taken[0].startswith(f"【断网·严重】小店区 agg #{number}")
    assert "影响学校 12 所、学生 9000 人、设备 20 台" in side.taken[0]
    assert f"http://edunet.example/incidents/{number}" in side.taken[0]
    assert side.taken[1].startswith(f"【恢复】小店区 agg #{number}")
    assert "曾影响学校 12 所、学生 9000 人、设备 20 台" in side.taken[1]
    rows = deliveries(world)
    assert [(row["event"], row["status"], row["attempts"]) for row in rows] == [
        ("opened", "sent", 1),
        ("resolved", "sent", 1),
    ]
    assert all(row["delay_s"] is not None and row["delay_s"] < 60 and row["body"] in side.taken for row in rows)
    assert all(KEY not in str(dict(row)) for row in rows)
    until(lambda: telling.detail()["messages"] == {"wecom": 2}, 60, "the count")
    assert sum(telling.detail()["delays"]["wecom"]) == 2
    assert telling.detail()["waiting"] == {"wecom": 0}


def test_a_message_names_what_it_may_as_well_be_and_whom_to_call(world: World, start: Start) -> None:
    with far_side("wecom") as side:
        outlet(world, side)
        world.school(1)
        with world.register.write() as session:
            session.connection().exec_driver_sql(
                "UPDATE line SET contact_phone = '10010', circuit = 'TY-118' WHERE name = 'line 1'"
            )
        telling = start()
        say(world, "a", "opened", telling, **county(world, possible=[f"line:{world.ids['line1']}"]))
        until(lambda: side.taken, 60, "the opening")
    assert "也可能是：line 1" in side.taken[0]
    assert "请联系：中国联通 10010 TY-118" in side.taken[0]


def test_a_robot_that_answers_200_with_an_error_is_tried_again(world: World, start: Start) -> None:
    with far_side("dingtalk") as side:
        side.script.append((200, {"errcode": -1, "errmsg": f"busy {KEY}"}))
        outlet(world, side)
        telling = start()
        say(world, "a", "opened", telling, **county(world))
        until(lambda: len(side.taken) == 1 and settled(world), 90, "the second try")
    assert len(side.heard) == 2
    assert [row["attempts"] for row in deliveries(world)] == [2]
    until(lambda: telling.detail()["failures"] == {"dingtalk": 1}, 60, "the count")
    assert KEY not in str(world.rows("SELECT last_error FROM outlet"))
    assert world.rows("SELECT failing_since FROM outlet") == [(None,)]


def test_when_the_first_path_is_lost_the_second_says_so(world: World, start: Start) -> None:
    with far_side("wecom") as first, far_side("webhook") as second:
        first.broken = True
        path = "/0/"  # of its own it serves nothing
        spare = outlet(world, second, region_id=add(world, _region(path)))
        outlet(world, first, fallback_id=spare)
        telling = start()
        number = say(world, "a", "opened", telling, **county(world))
        until(lambda: second.taken, 90, "the second path")
        assert second.taken[0].startswith("（备用通道：“wecom”自 ")
        assert f"#{number}" in second.taken[0]
        until(lambda: settled(world), 60, "the mark")
        assert [row["via_id"] for row in deliveries(world)] == [spare]
        until(lambda: telling.detail()["down"] == ["wecom"], 60, "the figures")


def _region(path: str) -> Any:
    from inventory.models import Region

    return Region(level="county", code="149999", name="nowhere", path=path)


def test_many_at_once_go_in_few_messages_with_the_five_largest(world: World, start: Start) -> None:
    with far_side("wecom") as side:
        outlet(world, side, per_minute=20)
        numbers = [say(world, f"i{n}", "opened", **county(world, pupils=n)) for n in range(300)]
        start()
        until(lambda: deliveries(world) and settled(world), 90, "all said")
    assert len(side.taken) <= 3
    assert "新增 300 起" in side.taken[0]
    assert all(f"#{number}" in side.taken[0] for number in numbers[-5:])
    assert "另有 295 起" in side.taken[0]
    assert len({row["message"] for row in deliveries(world)}) == len(side.taken)
    assert len([row for row in deliveries(world) if row["body"]]) == len(side.taken)


def test_a_stop_between_the_notice_and_its_sending_loses_nothing(world: World, start: Start) -> None:
    with far_side("wecom") as side:
        outlet(world, side)
        first = start()
        until(lambda: first.looked_at > 0, 60, "it goes round")
        first.stop()
        number = say(world, "a", "opened", **county(world))
        start()
        until(lambda: len(side.taken) == 1 and settled(world), 60, "the opening")
        assert f"#{number}" in side.taken[0]


@pytest.mark.parametrize("taken", [True, False])
def test_a_kill_while_a_message_is_on_its_way_sends_it_at_most_once_more(
    world: World, start: Start, taken: bool
) -> None:
    """The state that a kill leaves: claimed, and nobody knows whether it arrived."""
    with far_side("wecom") as side:
        outlet(world, side)
        telling = start()
        number = say(world, "a", "opened", telling, **county(world))
        until(lambda: len(side.taken) == 1 and settled(world), 60, "the opening")
        telling.stop()
        with world.register.write() as session:
            session.connection().execute(update(table(Delivery)).values(status="claimed", sent_at=None))
        say(world, "a", "resolved", **county(world))
        start()
        until(lambda: len(side.taken) == 2 and settled(world), 60, "the rest")
        assert all(f"#{number}" in text for text in side.taken)
        assert "恢复" in side.taken[1]
        assert [row["event"] for row in deliveries(world)] == ["opened", "resolved"]


def test_a_school_that_mends_before_its_delay_is_told_to_nobody(world: World, start: Start) -> None:
    with far_side("wecom") as side:
        outlet(world, side)
        world.school(1)
        root = {"root_kind": NodeKind.device, "root_id": world.ids["gw1"], "schools": 1, "pupils": 100}
        telling = start()
        say(world, "a", "opened", telling, **{**county(world), **root})
        say(world, "b", "opened", telling, **county(world))
        say(world, "a", "resolved", telling, **{**county(world), **root})
        until(lambda: len(side.taken) == 1 and settled(world), 60, "the county")
        assert {row["incident_id"] for row in deliveries(world)} == {2}


def test_the_roster_says_who_gets_the_sms_and_who_is_named(world: World, start: Start) -> None:
    with far_side("sms") as sms, far_side("wecom") as group:
        outlet(world, sms, roster=True)
        outlet(world, group)
        person = add(world, Contact(name="张工", phone="13800000001", region_id=world.ids["county"]))
        other = add(world, Contact(name="李工", phone="13800000002", region_id=world.ids["county"]))
        now = utcnow()
        turn = {"region_id": world.ids["county"], "until_at": now + timedelta(hours=1)}
        add(world, Duty(contact_id=person, from_at=now - timedelta(hours=1), **turn))
        add(world, Duty(contact_id=other, from_at=now + timedelta(minutes=50), **turn))
        telling = start()
        say(world, "a", "opened", telling, **county(world))
        until(lambda: sms.taken and settled(world), 60, "the SMS")
        assert sms.taken[0].startswith("13800000001 【断网·严重】")
        assert [row["contact"] for row in deliveries(world) if row["contact"]] == ["张工"]
        if group.taken:
            assert "值班：张工 13800000001" in group.taken[0]


def test_an_acknowledgement_lapses_and_its_escalation_goes_on(world: World, start: Start) -> None:
    with far_side("webhook") as own, far_side("wecom") as above:
        with world.register.write() as session:
            session.connection().execute(table(EscalationStep).delete())
        add(world, EscalationStep(level="county"))
        add(world, EscalationStep(level="province", after_minutes=0, severity="critical"))
        outlet(world, own, region_id=world.ids["county"])
        outlet(world, above)
        telling = start()
        number = say(world, "a", "opened", telling, **county(world))
        until(lambda: own.taken, 60, "the county")
        now = utcnow()
        with world.register.write() as session:
            promise = {"acknowledged_at": now, "promised_at": now + timedelta(seconds=4)}
            session.connection().execute(update(table(Incident)).values(**promise))
            note = {"until": "soon", "affected": 20, "root": ["device", world.ids["agg"]]}
            session.add(IncidentNote(incident_id=number, by="root", kind="acknowledged", data=note))
        lapsed = lambda: "lapsed" in [row[0] for row in world.rows("SELECT kind FROM incident_note")]  # noqa: E731
        until(lambda: telling.teller.tales[number].ack is not None or lapsed(), 60, "it is heard")
        say(world, "a", "updated", telling, **county(world, schools=200, affected=25, pupils=60_000))
        until(lapsed, 60, "it lapses")
        until(lambda: above.taken, 60, "the province")
        assert world.rows("SELECT acknowledged_at, promised_at FROM incident") == [(None, None)]


def test_an_acknowledgement_is_void_when_the_figures_grow_without_a_notice(world: World, start: Start) -> None:
    number = say(world, "a", "opened", **county(world))
    telling = start()
    until(lambda: number in telling.teller.tales, 60, "it is known")
    with world.register.write() as session:
        session.connection().execute(update(table(Incident)).values(acknowledged_at=utcnow()))
        note = {"affected": 20, "root": ["device", world.ids["agg"]]}
        session.add(IncidentNote(incident_id=number, by="root", kind="acknowledged", data=note))
    until(lambda: telling.teller.tales[number].ack is not None, 60, "it is heard")
    with world.register.write() as session:
        session.connection().execute(update(table(Incident)).values(affected=31))
    until(lambda: world.rows("SELECT kind FROM incident_note WHERE kind = 'void'"), 60, "it is void")
    assert world.rows("SELECT acknowledged_at FROM incident") == [(None,)]


def test_rules_raise_the_severity_on_the_board_and_the_writer_keeps_it(world: World, start: Start) -> None:
    add(world, NoticeRule(name="all", position=1, raise_by=1))
    telling = start()
    number = say(world, "a", "opened", telling, **county(world, severity="major"))
    until(lambda: world.rows("SELECT severity FROM incident") == [("critical",)], 60, "it is raised")
    assert telling.severities == {number: "critical"}
    say(world, "a", "resolved", telling, **county(world))
    until(lambda: telling.severities == {}, 60, "it is forgotten")


def test_the_demonstration_tells_nobody(world: World, start: Start) -> None:
    with far_side("wecom") as side:
        number = outlet(world, side, alive_at="00:00")
        telling = start(may_notify=False)
        say(world, "a", "opened", telling, **county(world))
        until(lambda: telling.teller.tales, 60, "it is known")
        said = try_outlet(world.register, number, "root", may_notify=False)
        assert said is not None
        assert not said["ok"]
        until(lambda: telling.looked_at > time.time() - 0.5, 60, "it goes round")
        assert side.heard == []
        assert deliveries(world) == []


def test_the_test_button_tells_what_the_far_side_said(world: World) -> None:
    with far_side("wecom") as side:
        number = outlet(world, side)
        good = try_outlet(world.register, number, "root", may_notify=True)
        side.script.append((200, {"errcode": 93000, "errmsg": f"invalid webhook url {KEY}"}))
        bad = try_outlet(world.register, number, "root", may_notify=True)
        assert try_outlet(world.register, 999, "root", may_notify=True) is None
    assert good is not None
    assert bad is not None
    assert (good["ok"], good["answer"]) == (True, "errcode 0: ok")
    assert (bad["ok"], bad["answer"]) == (False, "errcode 93000: invalid webhook url ***")
    assert "【测试】" in side.taken[0]
    assert [(row["event"], row["status"]) for row in deliveries(world)] == [("test", "sent"), ("test", "dropped")]


def test_a_sign_of_life_comes_once_a_day(world: World, start: Start) -> None:
    with far_side("wecom") as side:
        world.school(1)
        local = utcnow()
        if local.minute == 59 and local.second > 30:
            pytest.skip("the hour is about to end")
        outlet(world, side, alive_at=local.strftime("%H:%M"))
        telling = start()
        until(lambda: side.taken and settled(world), 60, "the sign of life")
        telling.stop()
        assert side.taken == ["【平安】edunet 运行正常：监测学校 1 所，当前未恢复事件 0 起"]
        again = start()
        until(lambda: again.looked_at > 0 and again.counts.alive, 60, "it looks")
        say(world, "a", "opened", again, **county(world))
        until(lambda: len(side.taken) == 2, 60, "something else")
        assert "【平安】" not in side.taken[1]


def test_an_outlet_whose_key_is_gone_is_no_outlet_but_a_failing_one(world: World, start: Start) -> None:
    with far_side("wecom") as side:
        number = outlet(world, side)
        with world.register.write() as session:
            session.connection().execute(update(table(Outlet)).values(secret=b"\x01" + bytes(40)))
        telling = start()
        say(world, "a", "opened", telling, **county(world))
        until(lambda: world.rows("SELECT last_error FROM outlet WHERE last_error != ''"), 60, "it says so")
        assert "configuration" in world.rows(f"SELECT last_error FROM outlet WHERE id = {number}")[0][0]
        assert [row["status"] for row in deliveries(world)] == ["waiting"]


def test_what_fails_in_telling_does_not_stop_the_watch_and_begins_anew(
    world: World, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.telling.telling.FAILED_S", 0.1)
    with far_side("wecom") as side:
        outlet(world, side)
        telling = start()
        until(lambda: telling.looked_at > 0, 60, "it goes round")
        failures: list[object] = []
        write = telling.desk.write

        def fail_thrice(*arguments: Any) -> Any:
            if len(failures) < 3:
                failures.append(arguments)
                raise ZeroDivisionError
            return write(*arguments)

        monkeypatch.setattr(telling.desk, "write", fail_thrice)
        say(world, "a", "opened", telling, **county(world))
        until(lambda: len(side.taken) == 1 and settled(world), 60, "it is said")
        assert len(failures) == 3
        assert [row["attempts"] for row in deliveries(world)] == [1]


def test_the_work_for_a_storm_is_bounded(world: World, start: Start) -> None:
    """2,000 incidents at once: a few messages; reading and marking go by the hundred incidents, and each row is inserted once."""
    from sqlalchemy import event

    statements: list[str] = []
    with far_side("wecom") as side:
        outlet(world, side, per_minute=20)
        at = utcnow()
        with world.register.write() as session:
            rows = [{"key": f"s{n}", "from_at": at, "opened_at": at, "status": "open"} for n in range(2000)]
            ids = store.upsert_incidents(session, rows)
            store.add_notices(session, [{"incident_id": n, "event": "opened", "at": at} for n in ids.values()])
        listen = (world.register.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
        event.listen(*listen)
        start()
        until(lambda: side.taken and settled(world) and len(deliveries(world)) == 2000, 90, "all said")
        event.remove(*listen)
    assert len(side.taken) <= 3
    mine = [text for text in statements if "delivery" in text and "ORDER BY delivery.id" not in text]
    assert len([text for text in mine if text.startswith("INSERT")]) <= 2000
    assert len([text for text in mine if not text.startswith("INSERT")]) < 60


def test_it_is_the_same_on_postgresql(tmp_path: Path) -> None:
    if not servers.has_postgres():
        pytest.skip("Debian's postgresql is not installed")
    with servers.postgres() as url, far_side("wecom") as side:
        register = Register(servers.fresh_database(url, "telling"), tmp_path / "secret.key")
        register.migrate()
        world = World(register, tmp_path, "99")
        outlet(world, side)
        say(world, "before", "opened", schools=3)
        telling = Telling(register, CollectorSettings(), True, "UTC")
        thread = threading.Thread(target=telling.run, daemon=True)
        thread.start()
        until(lambda: len(side.taken) == 1, 60, "what was open before the first start")
        say(world, "a", "opened", telling)
        say(world, "before", "resolved", telling)
        until(lambda: len(deliveries(world)) == 3 and settled(world), 60, "the rest")
        number = say(world, "b", "opened", telling)
        with register.write() as session:
            values = {"acknowledged_at": utcnow(), "promised_at": utcnow() + timedelta(seconds=3)}
            session.connection().execute(update(table(Incident)).where(table(Incident).c.id == number).values(**values))
        until(lambda: world.rows("SELECT 1 FROM incident_note WHERE kind = 'lapsed'"), 60, "the promise lapses")
        telling.stop()
        thread.join(30)
        register.close()
