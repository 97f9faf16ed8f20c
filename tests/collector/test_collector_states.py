"""Seconds up, down and unknown, through a stop: nothing is counted twice, and what went on is so since before."""

import numpy as np
import pytest

from collector.schools import DOWN, UNKNOWN, UP
from collector.states import States, Sums


def restarted(code: int) -> States:
    """One thing that has been `code` since 100, after 40 s up and 5 s down; the collector stopped at 160 and came back."""
    states = States(["a"], {"a": Sums(code, 100.0, up_s=40.0, down_s=5.0)}, 170.0, np.array([UNKNOWN], np.uint8))
    states.break_off(160.0)
    return states


@pytest.mark.parametrize(("code", "column"), [(UP, 1), (DOWN, 2)])
def test_what_is_as_before_a_stop_is_so_since_before_and_the_stop_is_unknown(code: int, column: int) -> None:
    states = restarted(code)
    assert states.totals(172.0)[0].tolist() == [12.0, 40.0 + 60 * (code == UP), 5.0 + 60 * (code == DOWN)]
    assert states.move(0, code, 172.0)
    assert float(states.since[0]) == 100.0
    before = [12.0, 40.0 + 60 * (code == UP), 5.0 + 60 * (code == DOWN)]
    assert states.totals(172.0)[0].tolist() == before
    before[column] += 28.0
    assert states.totals(200.0)[0].tolist() == before
    again = States(["a"], states.sums(), 210.0, np.array([UNKNOWN], np.uint8))
    assert again.totals(200.0)[0].tolist() == before


def test_what_changed_while_nobody_saw_is_so_since_it_was_seen() -> None:
    states = restarted(UP)
    states.move(0, DOWN, 172.0)
    assert float(states.since[0]) == 172.0
    assert states.totals(180.0)[0].tolist() == [12.0, 100.0, 13.0]
    states.move(0, UP, 190.0)
    assert float(states.since[0]) == 190.0


def test_a_later_blindness_is_no_stop() -> None:
    states = restarted(UP)
    states.move(0, UP, 172.0)
    states.move(0, UNKNOWN, 180.0)
    states.move(0, UP, 185.0)
    assert float(states.since[0]) == 185.0
    assert states.totals(190.0)[0].tolist() == [17.0, 40.0 + 60 + 8 + 5, 5.0]
