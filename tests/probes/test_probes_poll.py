"""Reading rounds over the farm and over agents with bad habits, on both engines."""

import time

import numpy as np
import pytest
from snmpfarm import addresses, is_dead, running_farm, wrong_values
from toy_agent import ToyAgent, if_table, message, number, oid, tlv

from probes import engine as engines
from probes.snmp.credential import Credential
from probes.snmp.poll import COUNTER32, IF_COLUMNS, SnmpPoller, SnmpReadings, SnmpTargets

NAMES = [name for name, _ in IF_COLUMNS]


@pytest.fixture(params=["python", "compiled"])
def engine(request: pytest.FixtureRequest) -> str:
    try:
        engines.load("walk", request.param)
    except ImportError as reason:
        pytest.skip(str(reason))
    return str(request.param)


@pytest.fixture
def poller(engine: str):
    made = SnmpPoller(engine=engine)
    yield made
    made.close()


def rows_of(readings: SnmpReadings, device: int) -> list[tuple[int, list[int]]]:
    chosen = slice(int(readings.offsets[device]), int(readings.offsets[device + 1]))
    return list(zip(readings.if_index[chosen].tolist(), readings.columns[chosen].tolist(), strict=True))


def test_every_value_of_the_farm_is_what_it_must_have_said(engine: str, poller: SnmpPoller) -> None:
    listed = addresses(2000 if engine == "compiled" else 200)
    with running_farm() as port:
        targets = SnmpTargets(listed, ports=port)
        for _ in range(2):  # the second time it knows how many ports there are
            readings = poller.round(targets)
            assert readings.complete.all()
            assert readings.values == len(listed) * 253
            assert (readings.present == 0x1FF).all()
            for i, address in enumerate(listed):
                rows = rows_of(readings, i)
                assert [index for index, _ in rows] == list(range(1, 29))
                assert not wrong_values(address, int(readings.uptime[i]), rows, readings.started, readings.ended)
    assert (targets.pace.expected == 28).all()


def test_a_device_gets_four_requests_for_28_ports(engine: str, poller: SnmpPoller) -> None:
    listed = addresses(100)
    with running_farm() as port:
        targets = SnmpTargets(listed, ports=port)
        assert poller.round(targets).requests == 400
        assert poller.round(targets).requests == 400


def test_with_loss_and_dead_devices_every_living_one_is_read_in_full(engine: str, poller: SnmpPoller) -> None:
    listed = addresses(1000 if engine == "compiled" else 200, "127.2.0.1")
    with running_farm("-l", "50", "-d", "100") as port:
        readings = poller.round(SnmpTargets(listed, ports=port), deadline_s=6.0)
    dead = is_dead(listed, 100)
    assert dead.any()
    assert (readings.answered == ~dead).all()
    assert (readings.complete == ~dead).all()
    assert (np.diff(readings.offsets) == np.where(dead, 0, 28)).all()


def test_liveness_is_one_get_of_sysuptime(engine: str, poller: SnmpPoller) -> None:
    listed = addresses(300, "127.3.0.1")
    with running_farm("-d", "100") as port:
        readings = poller.alive(SnmpTargets(listed, ports=port), attempts=3, deadline_s=1.5)
    dead = is_dead(listed, 100)
    assert (readings.answered == ~dead).all()
    assert readings.requests == 300 + 2 * int(dead.sum())
    assert (readings.uptime[~dead] > 0).all()


def test_only_the_selected_are_asked(poller: SnmpPoller) -> None:
    with running_farm() as port:
        targets = SnmpTargets(addresses(10), ports=port)
        readings = poller.round(targets, select=np.array([3, 7]))
    assert np.flatnonzero(readings.answered).tolist() == [3, 7]
    assert len(readings.if_index) == 56


def test_a_wrong_community_is_silence(poller: SnmpPoller) -> None:
    with running_farm() as port:
        targets = SnmpTargets(addresses(3), ports=port, credentials=Credential(community=b"wrong"))
        assert not poller.round(targets, deadline_s=0.6, attempts=2).answered.any()


def test_holes_in_ifindex_and_large_ones_are_kept(poller: SnmpPoller) -> None:
    indexes = [1, 5, 127, 128, 16_384, 3_000_000, 500_000_000, 2_147_483_647]
    with ToyAgent(if_table(indexes)) as agent:
        readings = poller.round(SnmpTargets([agent.host], ports=agent.port))
    assert readings.complete.all()
    assert readings.if_index.tolist() == indexes
    assert readings.columns[:, NAMES.index("ifHCInOctets")].tolist() == [10**12 + i for i in indexes]
    assert readings.columns[:, NAMES.index("ifHCOutOctets")].tolist() == [2**63 + i for i in indexes]
    assert readings.uptime.tolist() == [123_456]


def test_a_device_without_ifxtable_gives_its_32_bit_octets_and_says_so(poller: SnmpPoller) -> None:
    with ToyAgent(if_table([1, 2, 3], wide=False)) as agent:
        targets = SnmpTargets([agent.host], ports=agent.port)
        for _ in range(2):
            readings = poller.round(targets)
            assert readings.complete.all()
            assert (readings.present == 0x1FF | COUNTER32).all()
            assert readings.columns[:, 2].tolist() == [1, 2, 3]
            assert readings.columns[:, 3].tolist() == [2, 3, 4]
            assert readings.columns[:, 8].tolist() == [100, 100, 100]
        assert targets.pace.narrow.tolist() == [True]


def test_what_is_absent_is_not_zero(poller: SnmpPoller) -> None:
    table = if_table([1, 2, 3])
    del table[(*oid("1.3.6.1.2.1.31.1.1.1.6"), 2)]
    table[(*oid("1.3.6.1.2.1.2.2.1.14"), 3)] = 4, b"many"  # a string where a counter belongs
    table[(*oid("1.3.6.1.2.1.2.2.1.13"), 3)] = number(0x46, 2**40)[0], b"\xff" * 9  # beyond 64 bits
    with ToyAgent(table) as agent:
        readings = poller.round(SnmpTargets([agent.host], ports=agent.port))
    assert readings.if_index.tolist() == [1, 2, 3]
    assert readings.present.tolist() == [0x1FF, 0x1FF & ~4, 0x1FF & ~0x10 & ~0x40]
    assert readings.complete.all()


@pytest.mark.parametrize("most", [80, 20, 9, 4, 1])
def test_requests_shrink_to_what_a_device_can_answer_and_it_is_remembered(poller: SnmpPoller, most: int) -> None:
    with ToyAgent(if_table([1, 2, 3, 4]), most=most) as agent:
        targets = SnmpTargets([agent.host], ports=agent.port)
        readings = poller.round(targets)
        assert readings.present.tolist() == [0x1FF] * 4
        assert readings.uptime.tolist() == [123_456]
        assert (readings.errors > 0) == (most < 80)
        again = poller.round(targets)
        assert again.present.tolist() == [0x1FF] * 4
        assert again.errors <= readings.errors


@pytest.mark.parametrize("size", [484, 120])
def test_answers_cut_short_waste_nothing(poller: SnmpPoller, size: int) -> None:
    with ToyAgent(if_table(list(range(1, 13))), size=size) as agent:
        readings = poller.round(SnmpTargets([agent.host], ports=agent.port))
    assert readings.complete.all()
    assert readings.present.tolist() == [0x1FF] * 12


def test_a_device_that_drops_large_answers_is_asked_for_smaller_ones(poller: SnmpPoller) -> None:
    def drop_large(_socket: object, _peer: object, _asked: tuple, answer: bytes) -> bool:
        return len(answer) > 600

    with ToyAgent(if_table(list(range(1, 9))), before=drop_large) as agent:
        readings = poller.round(SnmpTargets([agent.host], ports=agent.port), deadline_s=3.0)
    assert readings.complete.all()
    assert readings.present.tolist() == [0x1FF] * 8


def test_a_device_that_answers_too_slowly_keeps_to_its_budget(poller: SnmpPoller) -> None:
    def dawdle(_socket: object, _peer: object, _asked: tuple, _answer: bytes) -> bool:
        time.sleep(0.1)
        return False

    with ToyAgent(if_table(list(range(1, 400))), before=dawdle) as agent:
        readings = poller.round(SnmpTargets([agent.host], ports=agent.port), deadline_s=0.5)
        assert len(agent.requests) < 12
    assert readings.answered.tolist() == [True]
    assert readings.complete.tolist() == [False]
    assert 0 < len(readings.if_index) < 100


def test_names_that_do_not_increase_end_the_walk(poller: SnmpPoller) -> None:
    column = oid("1.3.6.1.2.1.2.2.1.7")

    class Looping(ToyAgent):
        def _next(self, name: tuple[int, ...]) -> tuple[bytes, int, bytes]:
            if name[: len(column)] == column and name[len(column) :] >= (3,):
                return super()._next((*column, 0))
            return super()._next(name)

    with Looping(if_table([1, 2, 3, 4, 5])) as agent:
        readings = poller.round(SnmpTargets([agent.host], ports=agent.port))
    assert readings.complete.all()
    assert readings.loops == 1
    assert readings.if_index.tolist() == [1, 2, 3, 4, 5]
    assert (readings.present & 1).tolist() == [1, 1, 1, 0, 0]


def test_an_endless_table_is_cut(poller: SnmpPoller) -> None:
    with ToyAgent(if_table(list(range(1, 5001)))) as agent:
        readings = poller.round(SnmpTargets([agent.host], ports=agent.port), deadline_s=30.0)
    assert len(readings.if_index) == 4096
    assert readings.loops >= 1


def test_forged_answers_are_dropped_and_counted(poller: SnmpPoller) -> None:
    value = [(b"\x2b\x06\x01\x02\x01\x01\x03\x00", 0x43, b"\x01")]

    def forge(sock, peer, asked: tuple, answer: bytes) -> bool:
        import socket

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(message(asked[3], value), peer)  # the right id from another port
        sock.sendto(message(asked[3] ^ 1, value), peer)
        sock.sendto(message(asked[3] ^ 0x100, value), peer)
        sock.sendto(message(asked[3], value, community=b"private"), peer)
        sock.sendto(message(asked[3], value, version=0), peer)
        sock.sendto(message(asked[3], value, pdu=0xA0), peer)
        sock.sendto(answer[:-3], peer)
        sock.sendto(b"", peer)
        sock.sendto(tlv(0x30, b""), peer)
        sock.sendto(answer, peer)
        sock.sendto(answer, peer)
        return True

    with ToyAgent(if_table([1]), before=forge) as agent:
        readings = poller.alive(SnmpTargets([agent.host], ports=agent.port))
    assert readings.answered.all()
    assert readings.uptime.tolist() == [123_456]
    assert readings.dropped_foreign == 5
    assert readings.dropped_late in (1, 2)  # the wrong id, and the second true answer where it was still read
    assert readings.dropped_broken == 3


def test_ipv6_and_ipv4_share_a_round(poller: SnmpPoller) -> None:
    with ToyAgent(if_table([1, 2]), host="::1") as six, ToyAgent(if_table([7]), host="127.0.0.1") as four:
        targets = SnmpTargets(["::1", "127.0.0.1", "::1"], ports=[six.port, four.port, six.port])
        readings = poller.round(targets)
    assert readings.complete.all()
    assert readings.if_index.tolist() == [1, 2, 7, 1, 2]


def test_a_v1_device_joins_the_columns_in_its_place(poller: SnmpPoller) -> None:
    with ToyAgent(if_table([1, 2])) as old, ToyAgent(if_table([5])) as new:
        targets = SnmpTargets(
            ["127.0.0.1"] * 3,
            ports=[new.port, old.port, new.port],
            credentials=[Credential(), Credential(version="1"), Credential()],
        )
        readings = poller.round(targets, deadline_s=6.0)
        names = poller.names(targets)
    assert readings.complete.all()
    assert readings.offsets.tolist() == [0, 1, 3, 4]
    assert readings.if_index.tolist() == [5, 1, 2, 5]
    assert readings.present.tolist() == [0x1FF] * 4
    assert readings.columns[1].tolist() == [1, 2, 10**12 + 1, 2**63 + 1, 1, 20, 13, 19, 1000]
    assert names[1] == {1: ("GE0/1", "GigabitEthernet0/1", "机房"), 2: ("GE0/2", "GigabitEthernet0/2", "机房")}


def test_names_come_in_utf8_and_gbk_and_fall_back_to_ifdescr(poller: SnmpPoller) -> None:
    table = if_table([1, 40, 300])
    table[(*oid("1.3.6.1.2.1.31.1.1.1.1"), 40)] = 4, b""
    table[(*oid("1.3.6.1.2.1.31.1.1.1.18"), 1)] = 4, "教学楼".encode()
    with ToyAgent(table) as agent:
        targets = SnmpTargets([agent.host, agent.host], ports=agent.port)
        names = poller.names(targets, select=np.array([1]))
    assert names[0] == {}
    assert names[1] == {
        1: ("GE0/1", "GigabitEthernet0/1", "教学楼"),
        40: ("GigabitEthernet0/40", "GigabitEthernet0/40", "机房"),
        300: ("GE0/300", "GigabitEthernet0/300", "机房"),
    }


def test_a_bad_address_is_named() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        SnmpTargets(["127.0.0.1", "nowhere"])
