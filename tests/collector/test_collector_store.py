"""Shared columns and the ways between the processes: nothing is lost by a new plan, nothing torn is read, nothing waits."""

import os
import socket
import threading

import numpy as np
import pytest

from collector.ledger import Batch, Ledger
from collector.rounds.outbox import Outbox
from collector.rounds.store import Reading, Store, expand
from collector.rounds.ticks import next_round
from collector.shared import COUNTER32, Columns, attach
from collector.targets import Targets
from collector.wire import Channel, ChannelClosedError


def targets(version: int, devices: list[int]) -> Targets:
    n = len(devices)
    zero = np.zeros(n, np.int32)
    return Targets(
        version, np.array(devices), [f"127.0.0.{d}" for d in devices], zero, zero, zero.astype(np.uint8), zero, zero
    )


class Rig:
    """A store whose blocks are attached as the judge's process would."""

    def __init__(self, devices: list[int]) -> None:
        self.seen: Columns | None = None
        self.store = Store(4, self.take)
        self.store.follow(targets(1, devices))

    def take(self, _shape: object, fd: int) -> None:
        self.seen = attach(fd)
        os.close(fd)

    @property
    def view(self) -> Columns:
        assert self.seen is not None
        return self.seen

    def read(self, at: float, ports: list[list[int]], octets: int, uptime: int = 1000, flags: int = 0x1FF) -> object:
        """One reading: the ifIndexes of each target, in_octets = out_octets = `octets`, 1000 Mbit/s."""
        n = len(ports)
        offsets = np.concatenate([[0], np.cumsum([len(p) for p in ports])])
        index = np.array([i for p in ports for i in p], np.int64)
        counters = np.zeros((len(index), 9), np.uint64)
        counters[:, 2:4] = octets
        counters[:, 8] = 1000
        reading = Reading(
            np.array([bool(p) for p in ports]),
            np.ones(n, np.bool_),
            np.full(n, uptime),
            offsets,
            index,
            counters,
            np.full(len(index), flags, np.uint16),
        )
        return self.store.write_reading(self.store.columns.shape.version, at, np.arange(n), reading)


def test_rates_come_from_two_readings_and_a_restart_gives_none() -> None:
    rig = Rig([7, 8])
    changes = rig.read(100.0, [[1, 2], [1]], 0)
    assert changes.relisted.tolist() == [0, 1]  # type: ignore[attr-defined]
    assert np.isnan(rig.view.in_bps).all()
    rig.read(160.0, [[1, 2], [1]], 7_500_000, uptime=7000)
    assert rig.view.in_bps.tolist() == [1e6] * 3
    changes = rig.read(220.0, [[1, 2], [1]], 100, uptime=50)
    assert changes.restarted.tolist() == [0, 1]  # type: ignore[attr-defined]
    assert np.isnan(rig.view.out_bps).all()


def test_a_counter32_that_wraps_gives_a_rate() -> None:
    rig = Rig([7])
    rig.read(100.0, [[1]], 2**32 - 1000, flags=0x1FF | COUNTER32)
    rig.read(160.0, [[1]], 6500, uptime=7000, flags=0x1FF | COUNTER32)
    assert rig.view.in_bps.tolist() == [1000.0]


def test_a_silent_agent_loses_its_rates_and_is_counted() -> None:
    rig = Rig([7, 8])
    rig.read(100.0, [[1], [1]], 0)
    rig.read(160.0, [[1], [1]], 7_500_000, uptime=7000)
    rig.read(220.0, [[1], []], 15_000_000, uptime=13000)
    assert rig.view.snmp_misses.tolist() == [0, 1]
    assert rig.view.in_bps.tolist()[0] == 1e6
    assert np.isnan(rig.view.in_bps[1])


def test_a_new_plan_keeps_what_is_known_of_the_devices_that_remain() -> None:
    rig = Rig([7, 8])
    rig.read(100.0, [[1, 2], [5]], 0)
    rig.store.name_ports(1, {5: "GE5"})
    rig.store.write_liveness(1, 0, 5.0, np.array([1, 1], np.uint8), np.array([0.001, 0.002], np.float32))
    before = rig.view
    rig.store.follow(targets(2, [8, 9]))
    assert before.shape.version == 1
    assert rig.view.shape.version == 2
    assert rig.view.device_id.tolist() == [8, 9]
    assert rig.view.ring[0].tolist() == pytest.approx([0.002, -1.0])
    assert rig.view.if_index.tolist() == [5]
    assert rig.view.offsets.tolist() == [0, 1, 1]
    assert rig.view.name_id.tolist() == [0]
    assert rig.store.write_reading(1, 0.0, np.arange(2), None) is None  # type: ignore[arg-type]


def test_ports_that_come_and_go_are_told_and_named_anew() -> None:
    rig = Rig([7])
    rig.read(100.0, [[1, 2]], 0)
    rig.store.name_ports(0, {1: "a", 2: "b"})
    assert rig.read(160.0, [[1, 2]], 10, uptime=7000).relisted.tolist() == []  # type: ignore[attr-defined]
    assert rig.read(220.0, [[1]], 10, uptime=13000).relisted.tolist() == [0]  # type: ignore[attr-defined]
    assert rig.view.present.tolist()[1] == 0
    assert rig.read(280.0, [[1, 2, 3]], 10, uptime=19000).relisted.tolist() == [0]  # type: ignore[attr-defined]
    assert rig.view.if_index.tolist() == [1, 2, 3]
    assert rig.view.name_id.tolist() == [0, -1, -1]


def test_a_reader_never_sees_a_target_half_written() -> None:
    rig = Rig([7])
    rig.read(1.0, [list(range(1, 200))], 0)
    over = threading.Event()

    def write() -> None:
        for round_ in range(1, 300):
            rig.read(1.0 + round_, [list(range(1, 200))], round_, uptime=1000 + 100 * round_)
        over.set()

    thread = threading.Thread(target=write)
    thread.start()
    torn = 0
    while not over.is_set():
        counters = rig.view.read_rows(("counters",), 0, 1, tries=1_000)["counters"][:, 2]
        torn += len(set(counters.tolist())) > 1
    thread.join()
    assert torn == 0


def test_expand_gives_rows_of_runs() -> None:
    assert expand(np.array([10, 5, 7]), np.array([2, 0, 3])).tolist() == [10, 11, 7, 8, 9]
    assert expand(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []


def test_values_and_descriptors_go_through_a_channel() -> None:
    one, other = map(Channel, socket.socketpair())
    read, write = os.pipe()
    sender = threading.Thread(target=one.send, args=({"big": np.arange(100_000)},))
    sender.start()
    assert other.receive()[0]["big"][-1] == 99_999
    sender.join()
    one.send("with a descriptor", (write,))
    os.close(write)
    value, fds = other.receive()
    os.write(fds[0], b"x")
    assert (value, os.read(read, 1)) == ("with a descriptor", b"x")
    os.close(fds[0])
    os.close(read)
    one.close()
    with pytest.raises(ChannelClosedError):
        other.receive()
    other.close()


def test_a_full_outbox_drops_the_oldest_report_and_never_a_descriptor() -> None:
    one, other = map(Channel, socket.socketpair())
    outbox = Outbox(one, limit=3)
    outbox.put("columns", (0,))
    for number in range(5):
        outbox.put(number)
    outbox.close()
    outbox.run()
    found = []
    for _ in range(3):
        value, fds = other.receive()
        found.append(value)
        for fd in fds:
            os.close(fd)
    assert found == ["columns", 3, 4]
    assert outbox.dropped == 3
    one.close()
    other.close()


@pytest.mark.parametrize(
    ("now", "last", "tick", "at", "missed"),
    [
        (100.0, None, 20, 100.0, 0),
        (100.4, 19, 20, 100.0, 0),
        (101.0, 19, 21, 105.0, 1),
        (104.0, 20, 21, 105.0, 0),
        (117.0, 20, 24, 120.0, 3),
        (100.0, 20, 21, 105.0, 0),
    ],
)
def test_ticks_that_were_passed_over_are_counted(
    now: float, last: int | None, tick: int, at: float, missed: int
) -> None:
    assert next_round(now, 5.0, 0.0, last) == (tick, at, missed)


def test_the_ledger_keeps_the_last_word_and_every_event() -> None:
    ledger = Ledger()
    ledger.put(Batch(node_states={("device", 1): {"state": "down", "since": 1}}, outages=[("open", {"node_id": 1})]))
    ledger.put(Batch(node_states={("device", 1): {"state": "up"}}, outages=[("close", {"node_id": 1})]), urgent=True)
    ledger.put(Batch(gone={("device", 2)}))
    batch = ledger.take(10.0)
    assert batch.node_states == {("device", 1): {"state": "up", "since": 1}}
    assert [what for what, _ in batch.outages] == ["open", "close"]
    assert batch.gone == {("device", 2)}
    assert len(ledger) == 0


def test_silence_between_the_rounds_is_no_missed_round() -> None:
    """A device whose traps ask for a reading three times in a minute, and which is too busy to answer, is no silent agent for that."""
    rig = Rig([7])
    nothing = Reading(
        *(np.zeros(1, np.bool_),) * 2, np.full(1, -1), np.zeros(2, np.int64), *(np.zeros(0, np.int64),) * 3
    )
    nothing.counters.shape = (0, 9)
    for counted, misses in ((False, 0), (True, 1), (False, 1), (True, 2)):
        rig.store.write_reading(1, 100.0, np.arange(1), nothing, counted)
        assert rig.view.snmp_misses.tolist() == [misses]
