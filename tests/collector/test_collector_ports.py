"""Port identity and rates: pure functions by tables and properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.ports import name_ports, renumbered
from collector.rates import began_again, rates_bps, spans


def names(told: dict[int, tuple[str, str, str]]) -> dict[int, str]:
    return {port.if_index: port.name for port in name_ports(told)}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({1: ("GE0/0/1", "GigabitEthernet0/0/1", "up"), 2: ("GE0/0/2", "", "")}, {1: "GE0/0/1", 2: "GE0/0/2"}),
        ({1: ("", "eth0", ""), 2: ("", "eth1", "")}, {1: "eth0", 2: "eth1"}),
        ({1: ("PON", "pon 1", ""), 2: ("PON", "pon 2", "")}, {1: "pon 1", 2: "pon 2"}),
        ({1: ("PON", "pon", ""), 2: ("PON", "pon", ""), 7: ("", "", "")}, {1: "#1", 2: "#2", 7: "#7"}),
        ({1: ("a", "x", ""), 2: ("", "a", "")}, {1: "a", 2: "#2"}),
        ({5: (" GE1 \0\0", "", "")}, {5: "GE1"}),
    ],
)
def test_a_port_has_the_first_name_that_is_its_own(told: dict, expected: dict) -> None:
    assert names(told) == expected


@given(st.dictionaries(st.integers(1, 50), st.tuples(*[st.sampled_from(["", "a", "b", "c", "#3"])] * 3)))
def test_no_two_ports_share_a_name_but_where_one_is_called_like_an_index(told: dict) -> None:
    found = names(told)
    plain = [name for name in found.values() if not name.startswith("#")]
    assert len(set(plain)) == len(plain)
    assert set(found) == set(told)


def test_a_renumbered_port_is_known_by_its_name() -> None:
    assert renumbered({1: "GE1", 2: "GE2"}, {1: "NULL0", 2: "GE1", 3: "GE2"}) == {"GE1": (1, 2), "GE2": (2, 3)}


def rate(before: int, after: int, seconds: float, speed: float, narrow: bool = False) -> float:
    u8 = np.uint64
    times, speeds = np.array([seconds]), np.array([speed])
    return float(rates_bps(np.array([before], u8), np.array([after], u8), times, speeds, np.array([narrow]))[0])


@pytest.mark.parametrize(
    ("before", "after", "seconds", "speed", "expected"),
    [
        (0, 7_500_000, 60, 1e9, 1e6),
        (2**64 - 1000, 6500, 60, 1e9, 1000),
        (5_000_000_000, 0, 60, 1e9, float("nan")),
        (0, 10**12, 60, 1e9, float("nan")),
        (0, 7_530_000_000, 60, 1e9, 1e9),
        (0, 7_500_000, 60, 0, 1e6),
        (0, 2**63, 60, 0, float("nan")),
        (0, 100, float("nan"), 1e9, float("nan")),
    ],
)
def test_rates_of_wraps_resets_and_nonsense(
    before: int, after: int, seconds: float, speed: float, expected: float
) -> None:
    assert rate(before, after, seconds, speed) == pytest.approx(expected, nan_ok=True, rel=1e-5)


def test_a_32_bit_counter_wraps_and_a_64_bit_one_that_went_back_was_cleared() -> None:
    assert rate(2**32 - 1000, 6500, 60, 1e9, narrow=True) == 1000
    assert np.isnan(rate(2**32 - 1000, 6500, 60, 1e9))


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.floats(0.1, 1000), st.floats(1, 1e12))
def test_no_rate_is_above_the_speed(before: int, after: int, seconds: float, speed: float) -> None:
    found = rate(before, after, seconds, speed)
    assert np.isnan(found) or 0 <= found <= np.float32(speed) * 1.000001


@pytest.mark.parametrize(
    ("before", "after", "seconds", "expected"),
    [
        (1000, 7000, 60, False),
        (1000, 500, 60, True),
        (2**32 - 100, 5900, 60, False),
        (-1, 5, 60, False),
        (9, -1, 60, False),
    ],
)
def test_a_restart_shows_in_sysuptime(before: int, after: int, seconds: float, expected: bool) -> None:
    found = began_again(np.array([before]), np.array([after]), np.array([float(seconds)]))
    assert bool(found[0]) is expected


def test_the_devices_own_clock_gives_the_span_where_it_is_plausible() -> None:
    before, after = np.array([1000, 1000, -1]), np.array([6900, 900_000, 3])
    assert spans(before, after, np.array([60.0, 60.0, 60.0])).tolist() == [59.0, 60.0, 60.0]
