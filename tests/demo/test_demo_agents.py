"""The demonstration's agents answer as agents do, and nothing that is no request."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.agents import Clock, Fleet
from demo.network import Network
from demo.responder import COMMUNITY, reply_to
from demo.snmp import GET, GETBULK, GETNEXT, integer, oid, oid_body, tlv
from demo.traffic import full_load_seconds, load

NOW = 1_790_000_000.0


def request(pdu: int, names: Sequence[str], first: int = 0, second: int = 0, community: bytes = COMMUNITY) -> bytes:
    bindings = b"".join(tlv(0x30, tlv(0x06, oid_body(oid(name))) + b"\x05\x00") for name in names)
    body = integer(4711) + integer(first) + integer(second) + tlv(0x30, bindings)
    return tlv(0x30, integer(1) + tlv(0x04, community) + tlv(pdu, body))


@pytest.fixture
def fleet(network: Network) -> Fleet:
    clock = Clock()
    clock.set(NOW)
    return Fleet(network, clock)


def ask(fleet: Fleet, unit: int, packet: bytes) -> list[tuple[str, object]]:
    """The bindings of the answer, as the project's own decoder reads them."""
    reply = reply_to(packet, fleet, unit)
    assert reply is not None
    return decode(reply)


def decode(reply: bytes) -> list[tuple[str, object]]:
    from pyasn1.codec.ber import decoder
    from pysnmp.proto import api

    module = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
    decoded, rest = decoder.decode(reply, asn1Spec=module.Message())
    assert not rest
    pdu = module.apiMessage.get_pdu(decoded)
    assert int(module.apiPDU.get_request_id(pdu)) == 4711
    return [(str(name), value) for name, value in module.apiPDU.get_varbinds(pdu)]


def one_of(network: Network, kind: str, vendor: str = "") -> int:
    return next(u.id for u in network.units.values() if u.kind == kind and u.school and vendor in ("", u.vendor))


def walk(fleet: Fleet, unit: int, root: str) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    name = root
    while True:
        rows = ask(fleet, unit, request(GETBULK, [name], 0, 20))
        for name, value in rows:
            if type(value).__name__ == "EndOfMibView" or not name.startswith(root + "."):
                return found
            found.append((name, value))


@pytest.mark.parametrize("kind", ["gateway", "switch", "ap", "camera", "recorder", "ups", "sensor", "server"])
def test_a_walk_ends_and_its_names_increase(fleet: Fleet, network: Network, kind: str) -> None:
    rows = walk(fleet, one_of(network, kind), "1.3")
    names = [oid(name) for name, _ in rows]
    assert names == sorted(set(names))
    assert len(names) > 30


def test_one_by_one_and_in_bulk_are_the_same(fleet: Fleet, network: Network) -> None:
    unit, name, singly = one_of(network, "gateway"), "1.3.6.1.2.1", []
    while True:
        ((name, value),) = ask(fleet, unit, request(GETNEXT, [name]))
        if not name.startswith("1.3.6.1.2.1."):
            break
        singly.append((name, value))
    assert singly == walk(fleet, unit, "1.3.6.1.2.1")


def test_identity_is_the_registers(fleet: Fleet, network: Network) -> None:
    for kind in ("gateway", "switch", "camera", "ups"):
        unit = network.units[one_of(network, kind)]
        rows = dict(ask(fleet, unit.id, request(GET, ["1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.47.1.1.1.1.11.1"])))
        assert [bytes(v).decode() for v in rows.values()] == [unit.sys_name, unit.serial]  # type: ignore[call-overload]


def test_two_ends_of_a_line_tell_of_the_same_octets(fleet: Fleet, network: Network) -> None:
    circuit = next(c for c in network.circuits.values() if c.end and network.units[c.end[0]].school)
    assert circuit.end is not None
    assert circuit.far is not None
    rates = []
    for unit, name in (circuit.end, circuit.far):
        port = next(p for p in fleet.agent(unit).ports if p.name == name)
        assert port.alias == circuit.name
        rates.append((port.rate_in, port.rate_out))
    assert rates[0] == rates[1][::-1]


def test_counters_move_by_the_daily_curve_and_stand_while_the_line_is_cut(fleet: Fleet, network: Network) -> None:
    circuit = next(c for c in network.circuits.values() if c.end and c.role == "primary")
    assert circuit.end is not None
    unit, name = circuit.end
    index = [p.name for p in fleet.agent(unit).ports].index(name) + 1
    asked = [f"1.3.6.1.2.1.31.1.1.1.6.{index}", f"1.3.6.1.2.1.2.2.1.8.{index}"]

    def read(now: float) -> tuple[int, int]:
        fleet.clock.set(now)
        return tuple(int(v) for _, v in ask(fleet, unit, request(GET, asked)))  # type: ignore[return-value,call-overload]

    before, up = read(NOW)
    later, _ = read(NOW + 3600)
    expected = fleet.agent(unit).ports[index - 1].rate_in * (full_load_seconds(NOW + 3600) - full_load_seconds(NOW))
    assert up == 1
    assert abs(later - before - expected) <= 2
    fleet.set_dead_ports({(unit, name)})
    assert read(NOW + 7200) == (later, 2)
    fleet.set_dead_ports(set())
    assert read(NOW + 7200) == (later, 1)
    assert read(NOW + 7300)[0] > later


@settings(deadline=None)
@given(st.floats(1.77e9, 2.2e9), st.floats(0, 40 * 86400))
def test_the_curve_never_goes_back(start: float, step: float) -> None:
    grown = full_load_seconds(start + step) - full_load_seconds(start)
    assert -1e-3 <= grown <= step + 1e-3


def test_class_hours_are_busier_than_nights() -> None:
    monday = [load(hour * 3600) for hour in range(24)]
    assert min(monday[8:12]) > 2 * max(monday[0:6])
    assert load(5 * 86400 + 10 * 3600) < monday[10]


def test_the_slow_lines_port_has_negotiated_less_than_the_contract(network: Network) -> None:
    circuit = next(c for c in network.circuits.values() if c.end and c.mbps == 200)
    assert circuit.end is not None
    fleet = Fleet(network, Clock(), frozenset({circuit.id}))
    port = next(p for p in fleet.agent(circuit.end[0]).ports if p.name == circuit.end[1])
    assert port.speed_mbps < circuit.mbps
    assert port.rate_in * 8 > 0.95 * port.speed_mbps * 1e6
    assert port.errors > 0


def test_gateway_and_switch_name_each_other_by_lldp(fleet: Fleet, network: Network) -> None:
    switch = network.units[one_of(network, "switch")]
    gateway = network.units[network.upstreams[switch.id][0]]
    ours, theirs = (
        walk(fleet, switch.id, "1.0.8802.1.1.2.1.4.1.1.9"),
        walk(fleet, gateway.id, "1.0.8802.1.1.2.1.4.1.1.9"),
    )
    assert [bytes(v).decode() for _, v in ours] == [gateway.sys_name]  # type: ignore[call-overload]
    assert switch.sys_name in [bytes(v).decode() for _, v in theirs]  # type: ignore[call-overload]


def test_names_beside_the_table_are_told_so(fleet: Fleet, network: Network) -> None:
    unit = one_of(network, "switch")
    rows = ask(fleet, unit, request(GET, ["1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.3.9", "1.3.9"]))
    assert [type(value).__name__ for _, value in rows][1:] == ["NoSuchInstance", "NoSuchInstance"]
    ((_, end),) = ask(fleet, unit, request(GETNEXT, ["2.1.1"]))
    assert type(end).__name__ == "EndOfMibView"


def test_a_request_too_large_for_one_answer_is_told_so(fleet: Fleet, network: Network) -> None:
    names = [f"1.3.6.1.2.1.2.2.1.2.{n}" for n in range(1, 29)] * 4
    reply = reply_to(request(GET, names), fleet, one_of(network, "switch"))
    assert reply is not None
    assert b"\x02\x02\x12\x67\x02\x01\x01\x02\x01\x00" in reply  # tooBig(1), index 0


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x30",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x80\x00\x00",
        request(GET, ["1.3.6.1"], community=b"public"),
        request(0xA3, ["1.3.6.1"]),
        request(0xA2, ["1.3.6.1"]),
        request(GET, ["1.3.6.1"])[:-1],
        request(GET, ["1.3.6.1"]) + b"\x00",
    ],
)
def test_what_is_no_request_is_not_answered(fleet: Fleet, network: Network, packet: bytes) -> None:
    assert reply_to(packet, fleet, one_of(network, "gateway")) is None


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_hostile_packets_are_answered_rightly_or_not_at_all(network: Network, data: st.DataObject) -> None:
    fleet = Fleet(network, Clock())
    whole = bytearray(request(GETBULK, ["1.3.6.1.2.1.2", "1.3.6.1.2.1.31"], 1, 10))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    packet = bytes(whole)[: data.draw(st.integers(0, len(whole)))]
    reply = reply_to(packet, fleet, one_of(network, "switch"))
    assert reply is None or reply[0] == 0x30


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_not_answered(network: Network, packet: bytes) -> None:
    assert reply_to(packet, Fleet(network, Clock()), 1) is None


def test_uptime_is_of_now(network: Network) -> None:
    fleet = Fleet(network, Clock())
    assert 0 < fleet.agent(1).uptime < 2**32
    assert abs(fleet.clock.now - time.time()) < 60


def test_a_ups_without_mains_says_so_and_its_battery_empties(network: Network) -> None:
    clock = Clock()
    clock.set(1_780_000_000.0)
    fleet, ups = Fleet(network, clock), one_of(network, "ups")
    source, charge = "1.3.6.1.2.1.33.1.4.1.0", "1.3.6.1.2.1.33.1.2.4.0"

    def said() -> list[object]:
        return [value for _, value in ask(fleet, ups, request(GET, [source, charge]))]

    assert said() == [3, 100]
    fleet.set_battery(frozenset({ups}))
    clock.set(1_780_000_720.0)
    assert said() == [5, 90]
    fleet.set_battery(frozenset())
    assert said() == [3, 100]


def test_a_classroom_sensor_says_how_much_carbon_dioxide_there_is(fleet: Fleet, network: Network) -> None:
    room = one_of(network, "sensor")
    kinds = dict(walk(fleet, room, "1.3.6.1.2.1.99.1.1.1.6"))
    index = next(name.rpartition(".")[2] for name, unit in kinds.items() if unit in (b"ppm", "ppm"))
    value = ask(fleet, room, request(GET, [f"1.3.6.1.2.1.99.1.1.1.4.{index}"]))[0][1]
    assert 4000 < int(str(value)) < 20000  # tenths
