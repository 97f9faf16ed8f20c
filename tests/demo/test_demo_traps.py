"""What the demonstration's devices tell when lines are cut and mains fail."""

import pytest

from demo.agents import Clock, Fleet
from demo.network import Network
from demo.traps import Faults, traps
from probes.snmp.trap import open_envelope, read_envelope


@pytest.fixture
def fleet(network: Network) -> Fleet:
    return Fleet(network, Clock())


def told(found: list[tuple[int, bytes]]) -> list[tuple[int, str, str]]:
    """(address, trap, port) as the collector's own decoder reads them."""
    read = [(address, read_envelope(data, open_envelope(data))) for address, data in found]
    assert all(open_envelope(data).community == b"public-demo" for _, data in found)
    return [(address, one.name, one.if_name) for address, one in read]


def test_both_ends_of_a_line_tell_that_it_is_cut_unless_they_are_cut_off(network: Network, fleet: Fleet) -> None:
    circuit = next(c for c in network.circuits.values() if c.end and c.far)
    assert circuit.end is not None
    assert circuit.far is not None
    near, far = (network.units[end[0]].address for end in (circuit.end, circuit.far))
    nothing, cut = Faults(frozenset(), frozenset()), Faults(frozenset((circuit.end, circuit.far)), frozenset())
    down = told(traps(nothing, cut, fleet, [near]))
    assert down == [(far, "linkDown", circuit.far[1])]
    up = sorted(told(traps(cut, nothing, fleet, [])))
    assert up == sorted([(far, "linkUp", circuit.far[1]), (near, "linkUp", circuit.end[1])])
    assert traps(cut, cut, fleet, []) == []


def test_a_ups_tells_that_it_is_on_battery_once(network: Network, fleet: Fleet) -> None:
    ups = next(unit for unit in network.units.values() if unit.kind == "ups")
    mains, battery = Faults(frozenset(), frozenset()), Faults(frozenset(), frozenset((ups.id,)))
    assert told(traps(mains, battery, fleet, [])) == [(ups.address, "upsTrapOnBattery", "")]
    assert traps(battery, mains, fleet, []) == []
