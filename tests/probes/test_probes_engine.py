"""The two engines are one: the same bytes in, the same columns out, also for random, mutated and broken packets."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_agent import if_table, message, number, oid, tlv

from probes import engine as engines
from probes.engine.channel import Channel, pack_addresses
from probes.icmp.loop import PingColumns
from probes.icmp.readings import PingTargets
from probes.snmp.oids import IF_COLUMNS
from probes.snmp.poll_state import NARROW_COLUMNS, RoundArrays, oid_bytes

PLAIN = engines.load("walk", "python")
PREFIXES = [oid_bytes(text) for _, text in IF_COLUMNS + NARROW_COLUMNS]
KEY = 0x15A5A5A5


@pytest.fixture(scope="module")
def compiled() -> object:
    try:
        return engines.load("walk", "compiled")
    except ImportError as reason:
        pytest.skip(str(reason))


def a_response(request_id: int = 0x41234567) -> bytes:
    value = [(PREFIXES[c] + bytes([1 + r]), 0x46, bytes([1, 2, 3, c])) for r in range(3) for c in range(9)]
    return message(request_id, [(b"\x2b\x06\x01\x02\x01\x01\x03\x00", 0x43, b"\x07"), *value])


@st.composite
def broken(draw: st.DrawFn, packet: bytes) -> bytes:
    """The packet with bytes changed, cut out, put in, or its tail gone."""
    data = bytearray(packet)
    for _ in range(draw(st.integers(0, 4))):
        kind, at = draw(st.integers(0, 3)), draw(st.integers(0, max(0, len(data) - 1)))
        if kind == 0 and data:
            data[at] = draw(st.integers(0, 255))
        elif kind == 1:
            del data[at : at + draw(st.integers(1, 8))]
        elif kind == 2:
            data[at:at] = draw(st.binary(max_size=6))
        else:
            del data[at:]
    return bytes(data)


varbind = st.tuples(
    st.one_of(
        st.tuples(st.sampled_from(PREFIXES), st.binary(max_size=6)).map(b"".join),
        st.binary(max_size=20),
    ),
    st.sampled_from([2, 4, 5, 6, 0x40, 0x41, 0x42, 0x43, 0x46, 0x80, 0x81, 0x82]),
    st.binary(max_size=10),
)


@settings(max_examples=300, deadline=None)
@given(packet=st.one_of(st.binary(max_size=200), broken(a_response()), broken(message(0x40000001, []))))
def test_decoders_agree_on_any_bytes(compiled: object, packet: bytes) -> None:
    assert compiled.decode(packet) == PLAIN.decode(packet)  # type: ignore[attr-defined]


@settings(max_examples=200, deadline=None)
@given(varbinds=st.lists(varbind, max_size=30), error=st.integers(0, 20))
def test_decoders_read_what_was_written(compiled: object, varbinds: list, error: int) -> None:
    packet = message(0x40000001, varbinds, error=error)
    for decode in (compiled.decode, PLAIN.decode):  # type: ignore[attr-defined]
        found = decode(packet)
        assert found[:6] == (1, b"public", 0xA2, 0x40000001, error, 0)
        assert [bound[:3] for bound in found[6]] == varbinds


def a_walk(engine: str, devices: int = 3) -> tuple[object, RoundArrays]:
    packed, _ = pack_addresses([(f"127.0.0.{1 + i}", 161) for i in range(devices)])
    arrays = RoundArrays(packed, [b"public"], np.zeros(devices, np.int32))
    arrays.sequence[:] = 77
    arrays.wanted[:] = 3
    walk = engines.load("walk", engine).Walk(arrays.views(IF_COLUMNS + NARROW_COLUMNS), KEY)  # type: ignore[arg-type]
    walk.lend(*arrays.widen(4096))
    return walk, arrays


def everything(arrays: RoundArrays) -> dict[str, list]:
    """All columns, and the rows in use, as lists."""
    names = "cursors ended asked wanted asked_scalars sequence state repetitions width wide base count room expected uptime tally "
    names += "dialect proven off sent began begun tries heard late sends octets srtt rttvar rtt_sum samples"
    found = {name: getattr(arrays, name).tolist() for name in names.split()}
    places = [row for i in range(arrays.n) for row in range(int(arrays.base[i]), int(arrays.base[i] + arrays.count[i]))]
    for name in ("row_index", "row_present", "row_values"):
        found[name] = getattr(arrays, name)[places].tolist()
    return found


def earlier(request_id: int, tries: int) -> int:
    """The id of the same device's request so many tries before."""
    bits = 2
    mixed = (request_id & 0x3FFFFFFF) ^ KEY
    return 0x40000000 | ((mixed - (tries << bits)) & 0x3FFFFFFF) ^ KEY


def exchange(
    walk: object, arrays: RoundArrays, answers: list, now: int = 1, again: bool = False
) -> tuple[list[bytes], list[int]]:
    """Compose for all READY or new devices, then absorb what `answers` makes of each request; (requests, answered).

    `again`: those that did not answer the last time are asked again, as a round's timers do.
    """
    size, n = 2048, arrays.n
    if again:
        arrays.state[arrays.state == 1] = 2
    out, lengths = np.zeros(128 * size, np.uint8), np.zeros(128, np.int32)
    asked = np.flatnonzero((arrays.state == 0) | (arrays.state == 2)).astype(np.int32)
    walk.compose(asked.data, len(asked), out.data, size, lengths.data, now)  # type: ignore[attr-defined]
    requests = [bytes(out[i * size : i * size + lengths[i]]) for i in range(len(asked))]
    into, sources = np.zeros(128 * size, np.uint8), np.zeros(128 * 28, np.uint8)
    count = 0
    for device, request in zip(asked.tolist(), requests, strict=True):
        for make in answers:
            packet = make(request)[:size]
            into[count * size : count * size + len(packet)] = np.frombuffer(packet, np.uint8)
            lengths[count] = len(packet)
            sources[count * 28 : count * 28 + 28] = arrays.addresses[device * 28 : device * 28 + 28]
            count += 1
    answered = np.zeros(n * len(answers) or 1, np.int32)
    handled, found = walk.absorb(into.data, size, lengths.data, sources.data, 0, count, answered.data, now + 1000)  # type: ignore[attr-defined]
    assert handled == count
    return requests, answered[:found].tolist()


@settings(max_examples=150, deadline=None)
@given(
    rounds=st.lists(
        st.lists(
            st.one_of(
                st.tuples(st.just("varbinds"), st.lists(varbind, max_size=25)),
                st.tuples(st.just("error"), st.integers(1, 18)),
                st.tuples(st.just("refusal"), st.integers(0, 12)),
                st.tuples(st.just("late"), st.integers(1, 3)),
            ),
            min_size=1,
            max_size=3,
        ),
        min_size=1,
        max_size=5,
    ),
    budget=st.sampled_from([2, 65535]),
    off=st.sampled_from([0, 0x404, 0x8CF]),
)
def test_walks_agree_step_by_step(compiled: object, rounds: list, budget: int, off: int) -> None:
    walks = [a_walk("compiled"), a_walk("python")]
    for _, arrays in walks:
        arrays.dialect[:] = [0, 1, 2]
        arrays.off[:] = off
        arrays.ended[:] |= off
        arrays.budget_requests[:] = budget

    def answer(kind: str, content: object):
        def make(request: bytes) -> bytes:
            asked = PLAIN.decode(request)
            if kind == "error":
                return message(asked[3], [], error=content, version=asked[0])
            if kind == "refusal":
                return message(asked[3], [], error=2, index=content, version=asked[0])
            if kind == "late":
                return message(earlier(asked[3], content), [], version=asked[0])
            return message(asked[3], content, version=asked[0])  # type: ignore[arg-type]

        return make

    for count, step in enumerate(rounds):
        makers = [answer(kind, content) for kind, content in step]
        done = [exchange(walk, arrays, makers, 1 + count * 100_000, again=True) for walk, arrays in walks]
        assert done[0] == done[1]
        assert everything(walks[0][1]) == everything(walks[1][1])


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_walks_agree_on_mutated_answers(compiled: object, data: st.DataObject) -> None:
    walks = [a_walk("compiled", 1), a_walk("python", 1)]
    mutate = data.draw(broken(a_response(0x40000000 | ((78 << 1) ^ KEY) & 0x3FFFFFFF)))
    done = [exchange(walk, arrays, [lambda _: mutate]) for walk, arrays in walks]
    assert done[0] == done[1]
    assert everything(walks[0][1]) == everything(walks[1][1])


@pytest.mark.parametrize("engine", ["python", "compiled"])
def test_rows_come_sorted_whatever_order_their_columns_came_in(engine: str, compiled: object) -> None:
    walk, arrays = a_walk(engine, 1)
    exchange(
        walk,
        arrays,
        [lambda r: message(PLAIN.decode(r)[3], [(b"", 5, b"")] * 2 + [(PREFIXES[0] + bytes([7]), 2, b"\1")])],
    )
    arrays.ended[0] = 0xFFF & ~2
    exchange(
        walk,
        arrays,
        [
            lambda r: message(
                PLAIN.decode(r)[3], [(PREFIXES[1] + bytes([i]), 2, b"\2") for i in (3, 5, 7, 9, *range(10, 40))]
            )
        ],
    )
    assert arrays.gather()[1].tolist() == [3, 5, 7, 9, *range(10, 40)]
    assert arrays.gather()[3].tolist() == [2, 2, 3, *[2] * 31]


@settings(max_examples=200, deadline=None)
@given(data=st.data(), wide=st.booleans())
def test_pings_agree_on_any_packet(compiled: object, data: st.DataObject, wide: bool) -> None:
    targets = PingTargets(["::1", "::2"] if wide else ["127.0.0.1", "127.0.0.2"])
    results = []
    mutate = data.draw(st.lists(st.tuples(st.integers(0, 43), st.integers(0, 255)), max_size=3))
    cut, source = data.draw(st.integers(0, 44)), data.draw(st.integers(0, 1))
    for engine in ("compiled", "python"):
        columns = PingColumns(targets, 3)
        echo = engines.load("echo", engine).Echo(columns.views(), 0x0102030405060708, 65_535)  # type: ignore[arg-type]
        out, lengths = np.zeros(128 * 64, np.uint8), np.zeros(128, np.int32)
        order, errors = np.array([0, 1], np.int32), np.array([0, 0], np.int32)
        stamps = np.array([5, 6], np.int64)
        for _ in range(2):
            echo.compose(order.data, 2, out.data, 64, lengths.data, 128 if wide else 8, 0x1234)
            echo.mark(order.data, 2, errors.data, stamps.data)
        request = bytes(out[:24])
        reply = bytes([129 if wide else 0]) + request[1:]
        good = reply if wide else bytes([0x45]) + bytes(19) + reply
        bad = bytearray(good)
        for at, value in mutate:
            if at < len(bad):
                bad[at] = value
        into, sources = np.zeros(4 * 64, np.uint8), np.zeros(4 * 28, np.uint8)
        for i, packet in enumerate((bytes(bad[:cut]), bytes(bad), good, good)):
            into[i * 64 : i * 64 + len(packet)] = np.frombuffer(packet, np.uint8)
            lengths[i] = len(packet)
            place = source if i < 2 else 0
            sources[i * 28 : i * 28 + 28] = targets.packed[place * 28 : place * 28 + 28]
        came = np.full(4, 2_000_005, np.int64)
        kind = 129 if wide else 0
        echo.absorb(into.data, 64, lengths.data, sources.data, came.data, 4, kind, 0x1234, not wide, 0)
        assert columns.received[0] >= 1
        assert columns.best[0] == pytest.approx(2e-3)
        results.append(
            (request, {name: column.tolist() for name, column in vars(columns).items() if name not in ("best", "last")})
        )
    assert str(results[0]) == str(results[1])


@pytest.mark.parametrize("engine", ["python", "compiled"])
@pytest.mark.parametrize("wide", [False, True])
def test_a_batch_goes_out_and_comes_back(engine: str, compiled: object, wide: bool) -> None:
    family, host = (socket.AF_INET6, "::1") if wide else (socket.AF_INET, "127.0.0.1")
    with socket.socket(family, socket.SOCK_DGRAM) as peer:
        peer.bind((host, 0))
        peer.settimeout(5)
        addresses, _ = pack_addresses([(host, peer.getsockname()[1])])
        with Channel(socket.socket(family, socket.SOCK_DGRAM), size=64, engine=engine) as channel:
            for i in range(3):
                channel.out[i * 64 : i * 64 + 2] = bytes([i, 9])
                channel.out_lengths[i] = 2
                channel.targets[i] = 0
            assert channel.send(addresses.data, 3) == 3
            assert channel.error_numbers[:3].tolist() == [0, 0, 0]
            for i in range(3):
                data, source = peer.recvfrom(100)
                assert data == bytes([i, 9])
                peer.sendto(data * (i + 1) * 20, source)
            got = 0
            found: list[int] = []
            while len(found) < 3:
                assert channel.wait(5)
                got = channel.receive()
                found += [channel.into_lengths[i] for i in range(got)]
                assert bytes(channel.sources[:28]) == addresses.tobytes()
    assert found == [40, -1, -1]  # what is longer than the buffer is said to be so


@pytest.mark.parametrize("forced", ["python", "compiled"])
def test_the_environment_chooses_the_engine(compiled: object, forced: str) -> None:
    code = "from probes import engine; print(engine.NAME, engine.load('walk').COMPILED)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "EDUNET_ENGINE": forced},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [forced, str(forced == "compiled")]


def test_an_unknown_engine_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import probes.engine"],
        env={**os.environ, "EDUNET_ENGINE": "fast"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "EDUNET_ENGINE" in done.stderr


def test_a_toy_table_has_what_its_requests_ask() -> None:
    table = if_table([1])
    assert table[oid("1.3.6.1.2.1.31.1.1.1.6.1")] == number(0x46, 10**12 + 1)
    assert tlv(4, b"x" * 200)[:3] == b"\x04\x81\xc8"
