"""What the collector writes, on both databases."""

from datetime import UTC, datetime, timedelta

from sqlmodel import select

from inventory import log
from inventory.database import Register
from inventory.models import AuditEntry, Device, Feed, Incident, NodeState, Notice, Outage, Port, Region, Site, Unseen

T0 = datetime(2026, 9, 1, 8, tzinfo=UTC)


def _state(node: int, state: str, **more: object) -> dict[str, object]:
    return {"kind": "device", "node_id": node, "state": state, "since": T0, **more}


def test_states_are_set_and_set_again(register: Register) -> None:
    with register.session() as session:
        log.write_node_states(session, [_state(1, "up", up_s=5.0), _state(2, "down", reason="root")])
        log.write_node_states(session, [_state(1, "down", reason="explained"), _state(3, "up")])
        session.commit()
        rows = {row.node_id: row for row in session.exec(select(NodeState)).all()}
        assert {number: (row.state, row.reason) for number, row in rows.items()} == {
            1: ("down", "explained"),
            2: ("down", "root"),
            3: ("up", ""),
        }
        assert rows[1].up_s == 5.0
        assert rows[1].since == T0
        log.forget_node_states(session, [("device", 1), ("line", 2)])
        assert sorted(session.exec(select(NodeState.node_id)).all()) == [2, 3]


def test_an_outage_opens_once_and_closes(register: Register) -> None:
    row = {"kind": "device", "node_id": 1, "from_at": T0}
    with register.session() as session:
        first = log.open_outages(session, [row, {**row, "kind": "line", "explained": True}])
        again = log.open_outages(session, [{**row, "from_at": T0 + timedelta(seconds=5)}])
        assert len(set(first)) == 2
        assert again == first[:1]
        log.update_outages(session, [{"kind": "device", "node_id": 1, "cause": "power", "evidence": {"ups": 7}}])
        log.close_outages(session, [{"kind": "device", "node_id": 1, "until_at": T0 + timedelta(minutes=1)}])
        session.commit()
        assert log.open_outage_ids(session) == {("line", 1): first[1]}
        closed = session.get(Outage, first[0])
        assert closed is not None
        assert (closed.from_at, closed.until_at) == (T0, T0 + timedelta(minutes=1))
        assert (closed.cause, closed.evidence) == ("power", {"ups": 7})
        assert log.open_outages(session, [row]) != again


def test_closing_does_not_touch_what_was_closed_before(register: Register) -> None:
    with register.session() as session:
        row = {"kind": "device", "node_id": 1, "from_at": T0}
        (first,) = log.open_outages(session, [row])
        log.close_outages(session, [{"kind": "device", "node_id": 1, "until_at": T0}])
        log.open_outages(session, [row])
        log.close_outages(session, [{"kind": "device", "node_id": 1, "until_at": T0 + timedelta(hours=1)}])
        session.commit()
        closed = session.get(Outage, first)
        assert closed is not None
        assert closed.until_at == T0


def test_two_thousand_outages_open_in_order(register: Register) -> None:
    rows = [{"kind": "device", "node_id": number, "from_at": T0} for number in range(2000)]
    with register.session() as session:
        ids = log.open_outages(session, rows)
        session.commit()
        nodes = dict(session.exec(select(Outage.id, Outage.node_id)).all())
        assert [nodes[number] for number in ids] == list(range(2000))


def test_an_incident_keeps_its_id_and_what_was_not_named(register: Register) -> None:
    with register.session() as session:
        number = log.upsert_incident(
            session, {"key": "a", "from_at": T0, "root_kind": "line", "root_id": 4, "affected": 1}
        )
        assert log.upsert_incident(session, {"key": "a", "affected": 7, "cut": [3, 4]}) == number
        both = log.upsert_incidents(session, [{"key": "b", "from_at": T0}, {"key": "a", "status": "open"}])
        session.commit()
        assert both["a"] == number
        row = session.get(Incident, number)
        assert row is not None
        assert (row.root_kind, row.root_id, row.affected, row.cut, row.status) == ("line", 4, 7, [3, 4], "open")


def test_notices_are_added_and_marked(register: Register) -> None:
    with register.session() as session:
        incident = log.upsert_incident(session, {"key": "a", "from_at": T0})
        ids = log.add_notices(
            session, [{"incident_id": incident, "event": event, "at": T0} for event in ("opened", "resolved")]
        )
        log.mark_notice(session, ids[1], None, "x" * 999)
        session.commit()
        row = session.get(Notice, ids[1])
        assert row is not None
        assert (row.event, len(row.error)) == ("resolved", 300)
        assert log.add_notices(session, []) == []


def test_a_feed_beats(register: Register) -> None:
    with register.session() as session:
        log.beat(session, "rounds", T0, detail={"method": "raw"})
        log.beat(session, "rounds", T0 + timedelta(seconds=2), stale_after=20, detail={"method": "tcp"})
        session.commit()
        (feed,) = session.exec(select(Feed)).all()
        assert (feed.at, feed.stale_after, feed.detail) == (T0 + timedelta(seconds=2), 20, {"method": "tcp"})


def test_an_unseen_span_opens_once_by_zone_and_shard(register: Register) -> None:
    with register.session() as session:
        first = log.open_unseen(session, "edu", 0, T0, "blind")
        assert log.open_unseen(session, "edu", 0, T0 + timedelta(seconds=5), "blind") == first
        assert log.open_unseen(session, "edu", 1, T0, "late") != first
        assert log.close_unseen(session, "edu", 0, T0 + timedelta(seconds=9)) is True
        assert log.close_unseen(session, "edu", 0, T0) is False
        log.add_unseen(session, [{"zone": "b", "shard": 0, "from_at": T0, "until_at": T0, "reason": "stopped"}])
        session.commit()
        spans = session.exec(select(Unseen).order_by(Unseen.id)).all()
        assert [(span.zone, span.shard, span.until_at is None) for span in spans] == [
            ("edu", 0, False),
            ("edu", 1, True),
            ("b", 0, False),
        ]


def _at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def test_a_span_that_somebody_saw_after_all_is_taken_out_of_what_nobody_saw(register: Register) -> None:
    with register.session() as session:
        log.open_unseen(session, "edu", 0, _at(0), "blind")
        log.see_unseen(session, "edu", 0, _at(20), _at(40), 5.0)
        log.see_unseen(session, "edu", 0, _at(40), _at(45), 5.0)
        log.see_unseen(session, "edu", 0, _at(2), _at(18), 5.0)  # what is left of the first stretch is too short
        log.see_unseen(session, "lab", 0, _at(0), _at(99))
        session.commit()
        rows = session.exec(select(Unseen).order_by(Unseen.from_at)).all()
        assert [(row.from_at, row.until_at, row.reason) for row in rows] == [(_at(45), None, "blind")]


def _amend(*runs: tuple[float, float], since: float = 0, until: float = 100) -> dict[str, object]:
    spans = [(_at(start), _at(end)) for start, end in runs]
    place = {"school_id": None, "place_id": 3, "duty_id": None}
    return {"kind": "device", "node_id": 1, "since": _at(since), "until": _at(until), "runs": spans, **place}


def test_late_reports_correct_what_is_written_of_outages_and_leave_a_trace(register: Register) -> None:
    def logged(*runs: tuple[float, float], written: list[tuple[float, float | None]], **more: float) -> list[object]:
        with register.write() as session:
            session.connection().exec_driver_sql("DELETE FROM outage")
            for start, end in written:
                log.open_outages(session, [{"kind": "device", "node_id": 1, "from_at": _at(start), "cause": "power"}])
                if end is not None:
                    log.close_outages(session, [{"kind": "device", "node_id": 1, "until_at": _at(end)}])
            log.amend_outages(session, [_amend(*runs, **more)])
        with register.session() as session:
            rows = session.exec(select(Outage).order_by(Outage.from_at)).all()
            return [
                ((row.from_at - T0).total_seconds(), row.until_at and (row.until_at - T0).total_seconds())
                for row in rows
            ]

    assert logged(written=[(10, 15)]) == []  # it never was
    assert logged(written=[(10, 10)]) == []
    assert logged((20, 100), written=[(10, None)]) == [(20, None)]  # it began later
    assert logged((10, 30), (40, 100), written=[(10, None)]) == [(10, 30), (40, None)]  # it was two
    assert logged((10, 60), written=[(10, 80)]) == [(10, 60)]  # it ended before
    assert logged((10, 60), written=[]) == [(10, 60)]  # nobody had seen it then
    assert logged((0, 30), written=[(-500, 50)]) == [(-500, 30)]  # it began before what is told of
    assert logged((10, 60), written=[(10, 60)]) == [(10, 60)]
    with register.session() as session:
        told = session.exec(select(AuditEntry).where(AuditEntry.action == "amend")).all()
        assert len(told) == 6
        assert (told[0].before["from_at"][:19], told[0].after) == (str(_at(10))[:19], None)


def test_the_judges_memory_is_kept(register: Register) -> None:
    with register.session() as session:
        log.save_judge(session, "node:1", {"silent": 3.5})
        log.save_judge_many(session, {"node:1": {"silent": None}, "node:2": {}, "other": {"x": [1]}})
        session.commit()
        assert log.load_judge(session, "node:1") == {"silent": None}
        assert log.load_judge(session, "none") is None
        assert log.load_judge_all(session, "node:") == {"node:1": {"silent": None}, "node:2": {}}
        log.forget_judge(session, ["node:1", "node:2"])
        assert log.load_judge_all(session) == {"other": {"x": [1]}}


def test_ports_keep_what_people_set(register: Register) -> None:
    with register.session() as session:
        number = _device(register)
        port = {"device_id": number, "name": "GE0/0/1", "if_index": 1, "monitored": True}
        log.write_ports(session, [port])
        log.write_ports(session, [{**port, "if_index": 9, "monitored": False, "oper": "up"}])
        session.commit()
        (row,) = session.exec(select(Port)).all()
        assert (row.if_index, row.monitored, row.oper) == (9, True, "up")


def test_a_device_is_first_seen_once(register: Register) -> None:
    number = _device(register)
    with register.session() as session:
        log.mark_seen(session, {number: T0})
        log.mark_seen(session, {number: T0 + timedelta(days=1)})
        log.write_device_facts(session, [{"id": number, "sys_name": "gw", "engine_id": "80001f88"}])
        session.commit()
        row = session.get(Device, number)
        assert row is not None
        assert (row.first_seen, row.sys_name, row.engine_id, row.row_version) == (T0, "gw", "80001f88", 1)


def _device(register: Register) -> int:
    with register.session() as session:
        region = Region(level="county", name="x")
        session.add(region)
        session.flush()
        site = Site(name="s", place_id=region.id or 0)
        session.add(site)
        session.flush()
        device = Device(name="gw", site_id=site.id or 0)
        session.add(device)
        session.commit()
        return device.id or 0
