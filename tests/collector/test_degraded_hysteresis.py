"""Hysteresis, loss from the ring, sensors to measures: pure tables, and a plain reference to be equal to."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.degraded.hysteresis import Hysteresis, Limits
from collector.degraded.ringstats import LEAST_LOST, ring_stats
from collector.degraded.sensing import duplex_of, measures_of
from collector.shared import MISS, NO_RTT, UNASKED
from inventory.models import Measure

LOSS = Limits(raise_at=5, clear_at=2, raise_after_s=60, clear_after_s=120, raise_rounds=3, clear_rounds=3)


def run(limits: Limits, readings: list[tuple[float, float]]) -> list[tuple[float, str]]:
    """What one subject's readings (time, value) raise and clear, and when."""
    state, said = Hysteresis(1), []
    for t, value in readings:
        raised, cleared = state.take(limits, np.array([value]), np.array([t]))
        said += [(t, "raised")] * len(raised) + [(t, "cleared")] * len(cleared)
    return said


def every(seconds: float, *values: float) -> list[tuple[float, float]]:
    return [(1000 + i * seconds, value) for i, value in enumerate(values)]


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        (every(15, 9, 9, 9, 9), []),  # 45 s are no 60
        (every(15, 9, 9, 9, 9, 9), [(1060, "raised")]),
        (every(60, 9, 9), []),  # two readings are no three
        (every(15, 9, 9, 3, 9, 9, 9, 9), []),  # one between the thresholds breaks it off
        (every(15, 5, 5, 5, 5, 5), [(1060, "raised")]),  # at the threshold is beyond it
        (every(30, 9, 9, 9, 3, 1, 1, 1, 3, 1, 1, 1, 1), [(1060, "raised")]),  # 90 s good, broken off by one that is not
        (every(30, 9, 9, 9, 1, 1, 1, 1, 1), [(1060, "raised"), (1210, "cleared")]),
        (every(30, 9, 9, 9, 2, 2, 2, 2, 2), [(1060, "raised"), (1210, "cleared")]),
        (every(30, 9, float("nan"), 9, float("nan"), 9), [(1120, "raised")]),  # what is not known counts for nothing
    ],
)
def test_a_rule_is_raised_and_cleared_as_its_thresholds_say(readings: Any, said: Any) -> None:
    assert run(LOSS, readings) == said


def test_less_is_worse_where_clear_at_is_the_higher() -> None:
    charge = Limits(raise_at=30, clear_at=60)
    assert run(charge, every(60, 50, 30, 45, 59, 60, 31)) == [(1060, "raised"), (1240, "cleared")]


def test_a_reading_counts_once_and_an_older_one_not_at_all() -> None:
    twice = Limits(raise_at=1, clear_at=0, raise_rounds=2)
    assert run(twice, [(1000, 1.0), (1000, 1.0), (900, 1.0)]) == []
    assert run(twice, [(1000, 1.0), (1000, 1.0), (1015, 1.0)]) == [(1015, "raised")]


def test_readings_far_apart_are_not_on_end() -> None:
    limits = Limits(raise_at=1, clear_at=0, raise_after_s=60, raise_rounds=2, gap_s=300)
    assert run(limits, [(1000, 1.0), (5000, 1.0), (5030, 1.0), (5060, 1.0)]) == [(5060, "raised")]


def test_out_of_class_hours_nothing_is_raised_but_it_clears() -> None:
    state, limits = Hysteresis(1), Limits(raise_at=1, clear_at=0)
    value, none, all_ = np.array([1.0]), np.array([False]), np.array([True])
    assert not len(state.take(limits, value, np.array([1.0]), none)[0])
    assert len(state.take(limits, value, np.array([2.0]), all_)[0])
    assert len(state.take(limits, np.array([0.0]), np.array([3.0]), none)[1])


@dataclass
class Plain:
    """The same, said plainly: one subject, a list of readings on end."""

    limits: Limits
    raised: bool = False
    last: float = 0.0

    def __post_init__(self) -> None:
        self.run: list[float] = []

    def take(self, t: float, value: float | None) -> bool:
        if value is None or t <= self.last:
            return False
        limits = self.limits
        more = limits.raise_at > limits.clear_at
        bad = value >= limits.raise_at if more else value <= limits.raise_at
        good = value <= limits.clear_at if more else value >= limits.clear_at
        if self.run and t - self.last > limits.gap_s:
            self.run = []
        self.last = t
        self.run = [*self.run, t] if (good if self.raised else bad) else []
        rounds, after = (
            (limits.clear_rounds, limits.clear_after_s) if self.raised else (limits.raise_rounds, limits.raise_after_s)
        )
        if self.run and len(self.run) >= rounds and t - self.run[0] >= after:
            self.raised, self.run = not self.raised, []
            return True
        return False


thresholds = st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda pair: pair[0] != pair[1])
limits_st = st.builds(
    lambda pair, a, b, r, c, gap: Limits(pair[0], pair[1], a, b, r, c, gap),
    thresholds,
    st.sampled_from([0, 10, 45]),
    st.sampled_from([0, 10, 45]),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from([20.0, 60.0, float("inf")]),
)
reading_st = st.tuples(st.integers(-5, 30), st.one_of(st.none(), st.integers(0, 6)))


@settings(deadline=None)
@given(limits_st, st.lists(st.lists(reading_st, min_size=2, max_size=2), max_size=60))
def test_columns_do_as_the_plain_reference(limits: Limits, rounds: list[list[tuple[int, int | None]]]) -> None:
    state, plain, now = Hysteresis(2), [Plain(limits), Plain(limits)], np.array([100.0, 100.0])
    for readings in rounds:
        now = now + np.array([step for step, _ in readings])
        values = np.array([np.nan if value is None else float(value) for _, value in readings])
        raised, cleared = state.take(limits, values, now)
        turned = [p.take(t, v) for p, t, (_, v) in zip(plain, now.tolist(), readings, strict=True)]
        assert sorted([*raised.tolist(), *cleared.tolist()]) == [i for i, yes in enumerate(turned) if yes]
        assert state.raised.tolist() == [p.raised for p in plain]


# -- the ring -----------------------------------------------------------------------------------------------------


def stats_of(rtts: list[float], lost: list[int]) -> tuple[float, float]:
    """(loss per cent, RTT in ms) of one target whose rounds, 5 s apart, gave these."""
    n = len(rtts)
    ring = np.array(rtts, np.float32).reshape(n, 1)
    found = ring_stats(1000 + 5.0 * np.arange(n), ring, np.array(lost, np.uint8).reshape(n, 1), np.zeros(1, np.int64))
    return float(found.loss_percent[0]), float(found.rtt_ms[0])


def test_pings_lost_within_answered_rounds_are_loss() -> None:
    loss, rtt = stats_of([0.01] * 40, [1, 0, 0, 0] * 10)
    assert loss == pytest.approx(100 * 10 / 50)
    assert rtt == pytest.approx(10.0)


def test_a_few_lost_pings_prove_nothing() -> None:
    assert stats_of([0.01] * 40, [1] * (LEAST_LOST - 1) + [0] * (41 - LEAST_LOST))[0] == 0
    assert stats_of([0.01] * 40, [1] * LEAST_LOST + [0] * (40 - LEAST_LOST))[0] > 0


def test_an_outage_is_no_loss_nor_are_the_rounds_beside_it() -> None:
    rounds = [0.01] * 20 + [MISS] * 10 + [0.01] * 20
    lost = [0] * 19 + [2] + [3] * 10 + [2] + [0] * 19
    assert stats_of(rounds, lost)[0] == 0


def test_with_few_rounds_nothing_is_known() -> None:
    assert np.isnan(stats_of([0.01] * 4, [1] * 4)[0])
    assert np.isnan(stats_of([UNASKED] * 40, [0] * 40)[0])


def test_one_that_never_answers_pings_loses_none_but_one_that_mostly_does() -> None:
    assert np.isnan(stats_of([NO_RTT] * 40, [3] * 40)[0])
    loss, _ = stats_of([0.01, 0.01, 0.01, NO_RTT] * 10, [0, 0, 0, 3] * 10)
    assert loss == pytest.approx(100 * 30 / 60)


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(40)))
def test_the_order_of_the_rows_says_nothing(order: list[int]) -> None:
    rng = np.random.default_rng(7)
    at = 1000 + 5.0 * np.arange(40)
    ring = np.where(rng.random((40, 3)) < 0.1, np.nan, 0.02).astype(np.float32)
    lost = (rng.random((40, 3)) < 0.2).astype(np.uint8)
    which, shuffled = np.arange(3), np.array(order)
    one, other = ring_stats(at, ring, lost, which), ring_stats(at[shuffled], ring[shuffled], lost[shuffled], which)
    assert np.array_equal(one.loss_percent, other.loss_percent, equal_nan=True)
    assert one.at == other.at


# -- sensors ------------------------------------------------------------------------------------------------------


def state(descr: str, word: str) -> dict[str, Any]:
    return {"class": "state", "descr": descr, "value": 1, "state": word}


CHARGE = {"class": "charge", "descr": "Battery charge remaining", "value": 80}


@pytest.mark.parametrize(
    ("sensors", "measure", "value"),
    [
        ([state("Output Source", "battery"), CHARGE], Measure.ups_on_battery, 1),
        ([state("Output Source", "normal"), CHARGE], Measure.ups_on_battery, 0),
        ([state("Output source", "onBattery"), CHARGE], Measure.ups_on_battery, 1),
        ([state("Output Source", "normal")], Measure.ups_on_battery, None),  # nothing says that it is a UPS
        ([CHARGE, {**CHARGE, "value": 20}], Measure.ups_charge_percent, 20),
        ([{"class": "runtime", "descr": "Time on battery", "value": 0}], Measure.ups_minutes_left, None),
        (
            [{"class": "runtime", "descr": "Estimated battery time remaining", "value": 12}],
            Measure.ups_minutes_left,
            12,
        ),
        ([{"class": "temperature", "descr": "a", "value": 40}] * 2, Measure.temperature_celsius, 40),
        (
            [{"class": "temperature", "descr": "SFP", "value": 70, "group": "transceiver"}],
            Measure.temperature_celsius,
            None,
        ),
        ([{"class": "dbm", "descr": "GE0/0/1 Rx", "value": -27.5}], Measure.optical_rx_dbm, -27.5),
        ([{"class": "dbm", "descr": "GE0/0/1 Rx", "value": -45}], Measure.optical_rx_dbm, None),  # no fibre
        ([{"class": "dbm", "descr": "GE0/0/1 Tx", "value": -27.5}], Measure.optical_rx_dbm, None),
        ([state("Fan 1", "normal"), state("Fan 2", "failed")], Measure.parts_failed, 1),
        ([state("Power supply 1", "not supply")], Measure.parts_failed, 1),
        ([state("Disk 3", "abnormal"), state("Disk 4", "ok")], Measure.disks_failed, 1),
        ([{"class": "concentration", "descr": "CO2", "value": 1800}], Measure.co2_ppm, 1800),
        (
            [
                {"class": "power", "group": "PoE", "descr": "PoE budget 1", "value": 370},
                {"class": "power", "group": "PoE", "descr": "PoE consumed 1", "value": 185},
            ],
            Measure.poe_percent,
            50,
        ),
    ],
)
def test_sensors_become_measures(sensors: Any, measure: Measure, value: float | None) -> None:
    found = measures_of(sensors).get(measure)
    assert (found.value if found is not None else None) == value


def test_duplex_is_of_ports_that_are_up() -> None:
    ports = [
        {"ifName": "GE1", "ifOperStatus": "up", "ifDuplex": "halfDuplex"},
        {"ifName": "GE2", "ifOperStatus": "up", "ifDuplex": "fullDuplex"},
        {"ifName": "GE3", "ifOperStatus": "down", "ifDuplex": "halfDuplex"},
        {"ifName": "GE4", "ifOperStatus": "up"},
    ]
    assert duplex_of(ports) == {"GE1": 1.0, "GE2": 0.0}
