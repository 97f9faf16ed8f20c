"""Gentle: timers that follow the device, budgets, pauses, backing off, agents that know GETNEXT only; on both engines, in virtual time."""

from itertools import pairwise

import numpy as np
import pytest
from toy_agent import ToyTable, if_table
from virtual_net import SecureStation, Station, VirtualClock, poller_over

from probes import engine as engines
from probes.snmp.credential import Credential
from probes.snmp.pace import Asking, Pace
from probes.snmp.poll import COUNTER32, SnmpPoller, SnmpTargets
from probes.snmp.poll_loop import RoundLoop
from probes.snmp.timers import spread_timeouts, waits_us

HOST = "10.0.0.1"
BULK, NEXT = 0xA5, 0xA1


@pytest.fixture(params=["python", "compiled"])
def engine(request: pytest.FixtureRequest) -> str:
    try:
        engines.load("walk", request.param)
    except ImportError as reason:
        pytest.skip(str(reason))
    return str(request.param)


def ports(n: int, **habits: object) -> ToyTable:
    return ToyTable(if_table(list(range(1, n + 1))), **habits)  # type: ignore[arg-type]


def gaps(station: Station) -> list[float]:
    times = [at for at, _ in station.asked]
    return [later - earlier for earlier, later in pairwise(times)]


# --- timers


def test_a_fast_device_is_asked_again_soon_and_one_that_nothing_is_known_of_after_a_second(engine: str) -> None:
    lost: set[int] = set()
    station = Station(ports(8), lambda number, _: None if number in lost else 0.002)
    poller, clock = poller_over({HOST: station}, engine)
    targets = SnmpTargets([HOST])
    lost.add(0)
    assert poller.round(targets).complete.all()
    assert 1.0 <= gaps(station)[0] <= 1.1  # RFC 6298, 2.1
    before = len(station.asked)
    lost.add(before)
    begun = clock.now()
    assert poller.round(targets).complete.all()
    assert clock.now() - begun < 0.5
    assert 0.25 <= gaps(station)[before] <= 0.36


def test_a_slow_device_is_heard_and_not_asked_again_while_it_still_works(engine: str) -> None:
    station = Station(ports(8), lambda *_: 2.0)
    poller, _ = poller_over({HOST: station}, engine)
    targets = SnmpTargets([HOST])
    first = poller.round(targets)
    assert first.answered.all()
    station.overlaps = 0
    before = len(station.asked)
    again = poller.round(targets)
    assert again.complete.all()
    assert again.present.tolist() == [0x1FF] * 8
    assert station.overlaps == 0
    assert len(station.asked) - before == again.answers  # nothing was asked twice


def test_an_answer_to_an_earlier_try_starts_the_timer_again(engine: str) -> None:
    station = Station(ports(2), lambda *_: 1.4)
    poller, _ = poller_over({HOST: station}, engine)
    readings = poller.round(SnmpTargets([HOST]))
    # 0.0 asked; 1.0 asked again; 1.4 the answer to the first: late, yet life; 2.8 the answer to the second.
    assert readings.complete.all()
    assert readings.dropped_late == 1
    assert len(station.asked) == readings.answers + 1


def test_the_dead_get_six_requests_in_twelve_seconds_known_or_not(engine: str) -> None:
    living = Station(ports(2))
    poller, clock = poller_over({HOST: living, "10.0.0.2": Station(ports(1), lambda *_: None)}, engine)
    targets = SnmpTargets([HOST, "10.0.0.2"])
    begun = clock.now()
    assert poller.round(targets).answered.tolist() == [True, False]
    assert clock.now() - begun <= 12.2
    living.delay = lambda *_: None
    living.asked.clear()
    begun = clock.now()
    assert not poller.round(targets).answered.any()
    assert clock.now() - begun <= 12.2
    assert len(living.asked) == 6
    assert all(later >= earlier for earlier, later in zip(gaps(living), gaps(living)[1:], strict=False))


def test_waits_are_rfc_6298s_within_the_rounds_limits() -> None:
    unknown = spread_timeouts(6, 12.0) * 1e6
    assert unknown.sum() == pytest.approx(12e6)

    def wait(srtt: float, spread: float, tries: int) -> float:
        found = waits_us(np.array([srtt * 1e6]), np.array([spread * 1e6]), np.array([tries]), unknown, 12e6)
        return round(float(found[0]) / 1e6, 3)

    assert [wait(0, 0, k) for k in range(1, 7)] == [1.0, 1.5, 2.0, 2.5, 2.5, 2.5]
    assert [wait(0.001, 0.0001, k) for k in range(1, 7)] == [0.25, 0.5, 1.0, 2.0, 2.5, 2.5]
    assert [wait(0.4, 0.1, k) for k in range(1, 4)] == [0.8, 1.5, 2.0]
    assert [wait(2.0, 0.5, k) for k in range(1, 4)] == [4.0, 4.0, 4.0]
    assert wait(30.0, 5.0, 1) == 6.0


class Crowd:
    """Many agents behind one process (or line) that answers one request after the other."""

    def __init__(self, n: int, seconds: float) -> None:
        self.free_at, self.seconds, self.clock = 0.0, seconds, VirtualClock()
        self.longest = 0.0
        table = ports(8)
        self.stations = {f"10.1.{i // 250}.{i % 250}": Station(table, self._delay) for i in range(n)}

    def _delay(self, *_: object) -> float:
        self.free_at = max(self.free_at, self.clock.now()) + self.seconds
        self.longest = max(self.longest, self.free_at - self.clock.now())
        return self.free_at - self.clock.now()


def test_many_agents_behind_one_slow_way_are_not_asked_into_a_queue(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows: list[int] = []
    look = RoundLoop.look_at_timers

    def note_window(loop: RoundLoop, now: float) -> None:
        look(loop, now)
        windows.append(loop.lanes[0].window)

    monkeypatch.setattr(RoundLoop, "look_at_timers", note_window)
    crowd = Crowd(150, 0.015)
    poller, crowd.clock = poller_over(crowd.stations, engine)
    targets = SnmpTargets(list(crowd.stations))
    first = poller.round(targets)
    assert first.complete.all()
    assert min(windows) < 1024 // 4  # late answers: fewer are awaited at once
    assert windows[-1] > min(windows)  # and more again when none is late
    second = poller.round(targets)
    assert second.complete.all()
    assert second.requests == second.answers  # what is late is waited for
    assert not targets.pace.dialect.any()  # nobody is taken for one that knows no GETBULK
    assert not targets.pace.level.any()


# --- slow agents of v3

V3 = Credential("3", b"", "edu", "sha256", "an-auth-password", "aes128", "a-priv-password")


def of_v3(seconds: float, engine: str, n_ports: int = 8) -> tuple[SecureStation, SnmpPoller, SnmpTargets, VirtualClock]:
    station = SecureStation(ports(n_ports), V3, lambda *_: seconds)
    poller, clock = poller_over({HOST: station}, engine)
    return station, poller, SnmpTargets([HOST], credentials=V3), clock


@pytest.mark.parametrize("seconds", [0.01, 2.0, 3.0, 4.0, 5.0])
def test_a_slow_agent_of_v3_is_learnt_and_then_asked_once_for_each_answer(engine: str, seconds: float) -> None:
    station, poller, targets, clock = of_v3(seconds, engine)
    for number in range(3):
        began = clock.now()
        readings = poller.round(targets)
        assert clock.now() - began <= 12.4  # a quarter of a second more where something has just come
        if number and seconds > 1:
            assert readings.rtt_s[0] == pytest.approx(seconds, rel=0.1)
        clock.seconds += 60
    assert targets.pace.srtt_us[0] >= seconds * 0.9e6
    station.asked.clear()
    station.overlaps = 0
    readings = poller.round(targets)
    assert readings.answered.all()
    assert station.overlaps == 0  # one request in flight
    assert "discovery" not in {asked[0] for _, asked in station.asked}
    assert readings.requests == len(station.asked)
    assert len(readings.if_index) == 8
    assert readings.complete.all()


def test_a_late_answer_of_v3_is_life_and_makes_the_timer_begin_again(engine: str) -> None:
    station, poller, targets, clock = of_v3(0.01, engine, 2)
    assert poller.round(targets).complete.all()
    clock.seconds += 60
    station.delay = lambda *_: 3.0
    readings = poller.round(targets)
    assert readings.answered.all()
    assert readings.dropped_late > 0
    assert targets.pace.srtt_us[0] >= 2.9e6


def test_a_dead_agent_of_v3_is_given_up_as_early_as_any(engine: str) -> None:
    poller, clock = poller_over({}, engine)
    began = clock.now()
    readings = poller.round(SnmpTargets([HOST], credentials=V3))
    assert not readings.answered.any()
    assert clock.now() - began <= 12.1


# --- budgets and pauses


@pytest.mark.parametrize(
    ("asking", "most"),
    [(Asking(budget_requests=3), 3), (Asking(budget_s=0.45), 3), (Asking(budget_bytes=3000), 3)],
    ids=["requests", "seconds", "bytes"],
)
def test_a_budget_is_kept_and_what_came_is_kept_too(engine: str, asking: Asking, most: int) -> None:
    station = Station(ports(100), lambda *_: 0.2)
    poller, _ = poller_over({HOST: station}, engine)
    targets = SnmpTargets([HOST], askings=[asking])
    readings = poller.round(targets)
    assert len(station.asked) <= most
    assert readings.sends.tolist() == [len(station.asked)]
    assert readings.spent.tolist() == [True]
    assert targets.pace.spent.tolist() == [True]
    assert readings.answered.all()
    assert not readings.complete.any()
    assert len(readings.if_index) >= 8


def test_requests_that_stay_unanswered_count_against_the_budget(engine: str) -> None:
    station = Station(ports(100), lambda number, _: 0.001 if number == 0 else None)
    poller, _ = poller_over({HOST: station}, engine)
    readings = poller.round(SnmpTargets([HOST], askings=[Asking(budget_requests=3)]))
    assert len(station.asked) == 3
    assert readings.spent.tolist() == [True]


def test_a_pause_lies_between_an_answer_and_the_next_request(engine: str) -> None:
    station = Station(ports(28), lambda *_: 0.01)
    poller, _ = poller_over({HOST: station}, engine)
    readings = poller.round(SnmpTargets([HOST], askings=[Asking(pause_s=0.5)]))
    assert readings.complete.all()
    assert len(gaps(station)) == 3
    assert all(0.5 <= gap <= 0.62 for gap in gaps(station))


def test_bindings_rows_and_columns_are_what_the_operator_allows(engine: str) -> None:
    station = Station(ports(6))
    poller, _ = poller_over({HOST: station}, engine)
    off = ("ifInDiscards", "ifOutDiscards")
    targets = SnmpTargets([HOST], askings=[Asking(max_bindings=20, max_repetitions=3, columns_off=off)])
    readings = poller.round(targets)
    assert readings.complete.all()
    assert readings.present.tolist() == [0x1FF & ~0xC0] * 6
    for _, (_, _, pdu, _, scalars, rows, names) in station.asked:
        assert pdu == BULK
        assert scalars + (len(names) - scalars) * rows <= 20
        assert rows <= 3


def test_columns_that_are_off_stay_off_without_ifxtable(engine: str) -> None:
    station = Station(ToyTable(if_table([1, 2], wide=False)))
    poller, _ = poller_over({HOST: station}, engine)
    targets = SnmpTargets([HOST], askings=[Asking(columns_off=("ifHCOutOctets", "ifInErrors"))])
    for _ in range(2):
        readings = poller.round(targets)
        assert readings.complete.all()
        assert readings.present.tolist() == [COUNTER32 | 0x1FF & ~0x18] * 2


# --- GETNEXT


@pytest.mark.parametrize("habit", ["silent", "genErr"])
def test_an_agent_that_knows_no_getbulk_is_read_by_getnext_and_it_is_remembered(engine: str, habit: str) -> None:
    station = Station(ports(3, next_only=habit))
    poller, _ = poller_over({HOST: station}, engine)
    targets = SnmpTargets([HOST])
    readings = poller.round(targets)
    assert readings.complete.all()
    assert readings.present.tolist() == [0x1FF] * 3
    assert readings.uptime.tolist() == [123_456]
    station.asked.clear()
    assert poller.round(targets).complete.all()
    assert {asked[2] for _, asked in station.asked} == {NEXT}
    names = poller.names(targets)
    assert [word[0] for word in names[0].values()] == ["GE0/1", "GE0/2", "GE0/3"]


def test_getbulk_is_tried_again_now_and_then(engine: str) -> None:
    station = Station(ports(1, next_only="silent"))
    poller, _ = poller_over({HOST: station}, engine)
    targets = SnmpTargets([HOST])
    poller.round(targets)
    station.table.next_only = ""
    for _ in range(60):
        assert poller.round(targets).complete.all()
    station.asked.clear()
    assert poller.round(targets).complete.all()
    assert {asked[2] for _, asked in station.asked} == {BULK}


def test_one_that_has_answered_getbulk_is_never_taken_for_one_that_cannot(engine: str) -> None:
    station = Station(ports(1))
    poller, _ = poller_over({HOST: station}, engine)
    targets = SnmpTargets([HOST])
    poller.round(targets)
    station.delay = lambda number, _: None
    poller.round(targets)
    assert {asked[2] for _, asked in station.asked} == {BULK}


def test_the_operator_can_say_that_a_model_knows_no_getbulk(engine: str) -> None:
    station = Station(ports(3))
    poller, _ = poller_over({HOST: station}, engine)
    readings = poller.round(SnmpTargets([HOST], askings=[Asking(bulk=False)]))
    assert readings.complete.all()
    assert {asked[2] for _, asked in station.asked} == {NEXT}


@pytest.mark.parametrize("wide", [True, False])
def test_a_v1_agent_is_in_the_batch_and_ends_with_nosuchname(engine: str, wide: bool) -> None:
    table = {name: value for name, value in if_table([1, 2]).items() if wide or value[0] != 0x46}
    table = {name: value for name, value in table.items() if wide or name[:8] != (1, 3, 6, 1, 2, 1, 31, 1)}
    station = Station(ToyTable(table))
    poller, _ = poller_over({HOST: station}, engine)
    targets = SnmpTargets([HOST], credentials=Credential(version="1"))
    for _ in range(2):
        readings = poller.round(targets)
        assert readings.complete.all()
        assert readings.present.tolist() == [0x1FF if wide else 0x1FF | COUNTER32] * 2
        assert readings.uptime.tolist() == [123_456]
        assert readings.errors == 0
    assert {(asked[0], asked[2]) for _, asked in station.asked} == {(0, NEXT)}
    assert poller.alive(targets).answered.all()


# --- backing off


def test_rising_latency_backs_off_step_by_step_and_recovers(engine: str) -> None:
    latency = [0.01]
    station = Station(ports(28), lambda *_: latency[0])
    poller, _ = poller_over({HOST: station}, engine)
    targets = SnmpTargets([HOST])
    pace, everybody = targets.pace, np.arange(1)
    for _ in range(5):
        poller.round(targets)
    calm = len(station.asked) // 5
    assert pace.level.tolist() == [0]
    latency[0] = 0.3
    poller.round(targets)
    assert pace.level.tolist() == [0]  # one slow round is none
    rows, present = [], []
    for _ in range(7):
        readings = poller.round(targets)
        rows.append(int(pace.rows()[0]))
        present.append(int(readings.present[0]))
    assert pace.level.tolist() == [4]
    assert rows == sorted(rows, reverse=True)
    assert rows[-1] == 4
    assert present[0] == 0x1FF
    assert present[-1] == 0x1FF & ~0xF0  # errors and discards are left out
    station.asked.clear()
    poller.round(targets)
    assert min(gaps(station)) >= 0.89  # an answer after 0.3 s, and a pause twice as long
    assert sum(len(pace.due(everybody, number)) for number in range(8)) == 2
    latency[0] = 0.01
    for _ in range(4 * 24):
        poller.round(targets)
    assert pace.level.tolist() == [0]
    station.asked.clear()
    readings = poller.round(targets)
    assert len(station.asked) == calm
    assert readings.present.tolist() == [0x1FF] * 28


def a_pace(n: int = 1) -> Pace:
    return Pace(n, [Asking()], np.zeros(n, np.int32))


def learn(pace: Pace, rtt_s: list[float]) -> None:
    pace.learn_rtt(np.arange(len(rtt_s)), np.array(rtt_s, np.float32))


def test_a_lasting_change_becomes_what_is_usual() -> None:
    pace = a_pace()
    for _ in range(5):
        learn(pace, [0.01])
    for _ in range(400):
        learn(pace, [0.1])
    assert pace.baseline_s[0] > 0.08
    assert pace.level[0] == 0


def test_what_all_devices_share_backs_nobody_off_but_what_one_has_alone_does() -> None:
    pace = a_pace(100)
    for _ in range(3):
        learn(pace, [0.01] * 100)
    for _ in range(3):
        learn(pace, [0.2] * 99 + [0.9])
    assert pace.level[:99].tolist() == [0] * 99
    assert pace.level[99] == 1


def test_a_relapse_needs_more_calm_rounds_than_before() -> None:
    pace = a_pace()
    learn(pace, [0.01])

    def rounds_to_recover() -> int:
        for number in range(1, 100):
            learn(pace, [0.01])
            if pace.level[0] == 0:
                return number
        raise AssertionError

    for _ in range(2):
        learn(pace, [0.5])
    short = rounds_to_recover()
    for _ in range(4):
        learn(pace, [0.5])
    assert rounds_to_recover() > 2 * short


def test_what_was_learnt_outlives_another_plan_but_not_another_address(engine: str) -> None:
    stations = {HOST: Station(ports(28, most=30)), "10.0.0.2": Station(ports(3))}
    poller, _ = poller_over(stations, engine)
    old = SnmpTargets([HOST, "10.0.0.2"])
    poller.round(old)
    new = SnmpTargets(["10.0.0.3", HOST])
    new.inherit(old, [(0, 1), (1, 0)])
    assert new.pace.expected.tolist() == [-1, 28]
    assert new.pace.repetitions.tolist() == [8, 2]
    assert new.pace.srtt_us[1] > 0
    narrower = SnmpTargets([HOST], askings=[Asking(max_repetitions=1)])
    narrower.inherit(old, [(0, 0)])
    assert narrower.pace.repetitions.tolist() == [1]
