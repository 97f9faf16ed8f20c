"""SNMPv3 in batch rounds: the same values as the client's from the same snmpd, through reboots, forgeries and garbage; on both engines."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snmpd_agent import COMBINATIONS, Relay, Snmpd, user

from probes import engine as engines
from probes.engine.channel import pack_addresses
from probes.snmp import secure
from probes.snmp.ber import BerError
from probes.snmp.client import SnmpClient
from probes.snmp.credential import Credential
from probes.snmp.message import decode_v3
from probes.snmp.oids import parse_oid
from probes.snmp.poll import FELL_SILENT, IF_COLUMNS, SnmpPoller, SnmpReadings, SnmpTargets
from probes.snmp.usm import LocalKeys

COLUMNS = [parse_oid(oid) for _, oid in IF_COLUMNS]
FIXED = [0, 1, 8]
"""Columns that do not move by themselves: states and speed."""


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    with Snmpd(tmp_path_factory.mktemp("snmpd")) as agent:
        yield agent


@pytest.fixture(params=["python", "compiled"])
def poller(request: pytest.FixtureRequest) -> Iterator[SnmpPoller]:
    try:
        engines.load("walk", request.param)
    except ImportError as reason:
        pytest.skip(str(reason))
    made = SnmpPoller(engine=request.param)
    yield made
    made.close()


def by_client(port: int, credential: Credential) -> dict[int, list[int | None]]:
    """{ifIndex: nine values} as `SnmpClient` reads them."""
    with SnmpClient("127.0.0.1", port, credential, timeout_s=10) as client:
        found = client.walk(COLUMNS)
    rows: dict[int, list[int | None]] = {}
    for number, column in enumerate(COLUMNS):
        for index, value in found[column].items():
            rows.setdefault(index[0], [None] * 9)[number] = value.data
    return rows


def by_round(readings: SnmpReadings, device: int) -> dict[int, list[int | None]]:
    rows = {}
    for row in range(int(readings.offsets[device]), int(readings.offsets[device + 1])):
        present, values = int(readings.present[row]), readings.columns[row].tolist()
        rows[int(readings.if_index[row])] = [v if present >> c & 1 else None for c, v in enumerate(values)]
    return rows


@pytest.mark.server
def test_every_pair_of_protocols_is_read_as_the_client_reads_it(snmpd: Snmpd, poller: SnmpPoller) -> None:
    credentials = [user(auth, priv) for auth, priv in COMBINATIONS] + [Credential()]
    before = by_client(snmpd.port, user())
    addresses = [f"127.4.0.{i + 1}" for i in range(len(credentials))]
    targets = SnmpTargets(addresses, ports=snmpd.port, credentials=credentials)
    readings = poller.round(targets, deadline_s=60)
    after = by_client(snmpd.port, user())
    assert before, "this machine has no interface"
    assert readings.complete.all(), readings.failures
    assert (readings.uptime > 0).all()
    for device in range(len(credentials)):
        rows = by_round(readings, device)
        assert rows.keys() == before.keys()
        for index, row in rows.items():
            assert [row[c] for c in FIXED] == [before[index][c] for c in FIXED]
            for low, value, high in zip(before[index], row, after[index], strict=True):
                assert (low is None) == (value is None)
                assert low is None or low <= value <= high or low > high
    assert list(readings.duplicates.values()) == [list(range(len(COMBINATIONS)))], "one agent at many addresses"
    assert poller.alive(targets, deadline_s=60).answered.all()
    names = poller.names(targets, deadline_s=60)
    assert names[0]
    assert all(found == names[0] for found in names)


@pytest.mark.server
def test_an_engine_is_discovered_once_and_asked_as_often_as_by_v2c(snmpd: Snmpd, poller: SnmpPoller) -> None:
    plain, targets = (
        SnmpTargets(["127.0.0.1"], ports=snmpd.port, credentials=credential) for credential in (Credential(), user())
    )
    limits = {"deadline_s": 60.0, "attempts": 2}
    asked = [poller.round(plain, **limits).requests for _ in range(2)]
    assert [poller.round(targets, **limits).requests for _ in range(2)] == [asked[0] + 1, asked[1]]
    assert not poller.round(targets).duplicates


@pytest.mark.server
def test_a_narrow_window_slows_a_round_and_does_not_stop_it(snmpd: Snmpd) -> None:
    narrow = SnmpPoller(window=16)
    targets = SnmpTargets([f"127.6.0.{i + 1}" for i in range(100)], ports=snmpd.port, credentials=user())
    assert narrow.round(targets, deadline_s=60).complete.all()
    narrow.close()


@pytest.mark.server
def test_a_restarted_agent_and_a_replaced_one_are_read_in_the_same_round(tmp_path, poller: SnmpPoller) -> None:
    agent = Snmpd(tmp_path)
    with agent:
        targets = SnmpTargets(["127.0.0.1", "127.0.0.2"], ports=agent.port, credentials=[user(), user("md5", "des")])
        assert poller.round(targets, deadline_s=60).complete.all()
        first, boots = targets.agents[0].engine_id, targets.agents[0].boots
        agent.stop()
        agent.start()
        readings = poller.round(targets, deadline_s=60)
        assert readings.complete.all(), readings.failures
        assert (targets.agents[0].engine_id, targets.agents[0].boots) == (first, boots + 1)
        agent.stop()
        agent.forget()
        agent.start()
        readings = poller.round(targets, deadline_s=60)
        assert readings.complete.all(), readings.failures
        assert targets.agents[0].engine_id != first


@pytest.mark.server
def test_a_clock_that_went_wrong_is_set_by_the_agents_report(snmpd: Snmpd, poller: SnmpPoller) -> None:
    targets = SnmpTargets(["127.0.0.1"], ports=snmpd.port, credentials=user())
    poller.alive(targets, deadline_s=60)
    agent = targets.agents[0]
    boots = agent.boots
    agent.set_clock(boots + 7, 5000, time.monotonic())  # the agent has lost boots, as after a factory reset
    assert poller.alive(targets, deadline_s=60).answered.all()
    assert agent.boots == boots


@pytest.mark.server
def test_a_refusal_says_why_and_ends_the_asking(snmpd: Snmpd, poller: SnmpPoller) -> None:
    credentials = [
        Credential("3", user="nobody"),
        Credential("3", user="sha256", auth_protocol="sha256", auth_key="not-the-password"),
        Credential("3", user="plain", auth_protocol="sha256", auth_key="an-auth-password"),
    ]
    targets = SnmpTargets(["127.0.0.1"] * 3, ports=snmpd.port, credentials=credentials)
    readings = poller.round(targets, deadline_s=60)
    assert not readings.answered.any()
    assert readings.failures == {0: "unknown_user", 1: "wrong_digest", 2: "unsupported_security_level"}


@pytest.mark.server
def test_a_wrong_privacy_password_is_named_where_the_agent_falls_silent(snmpd: Snmpd, poller: SnmpPoller) -> None:
    wrong = Credential("3", b"", "sha256aes128", "sha256", "an-auth-password", "aes128", "not-the-password")
    targets = SnmpTargets(["127.0.0.1"], ports=snmpd.port, credentials=wrong)
    assert poller.alive(targets, attempts=2, deadline_s=1).failures == {0: FELL_SILENT}


def _with_other_digest(data: bytes) -> bytes:
    at = decode_v3(data).security.auth_at
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


@pytest.mark.server
def test_forged_digests_are_dropped_and_counted_and_the_true_answer_is_taken_once(
    snmpd: Snmpd, poller: SnmpPoller
) -> None:
    def mangle(data: bytes) -> list[bytes]:
        if not decode_v3(data).security.digest:
            return [data]
        return [_with_other_digest(data), data[:-3], b"\x30\x03\x02\x01\x03", b"", data, data]

    with Relay(snmpd.port, mangle) as relay:
        targets = SnmpTargets(["127.0.0.1"], ports=relay.port, credentials=user())
        readings = poller.alive(targets, deadline_s=60)
    assert readings.answered.all()
    assert readings.dropped_unauthentic >= 1
    assert readings.dropped_broken >= 2
    assert readings.answers == 1


@pytest.mark.server
def test_an_answer_in_clear_to_an_encrypted_question_is_no_answer(snmpd: Snmpd, poller: SnmpPoller) -> None:
    def mangle(data: bytes) -> list[bytes]:
        packet = decode_v3(data)
        if not packet.security.digest:
            return [data]
        identity = packet.message_id.to_bytes(4, "big")
        pdu = PLAIN.tlv(0xA2, b"\x02\x04" + identity + b"\x02\x01\x00\x02\x01\x00\x30\x00")
        forged = PLAIN.discovery(identity, 2048)
        at = forged.index(b"\x30", forged.index(b"\x04\x10\x30\x0e") + 18)
        content = forged[2:at].replace(b"\x04\x01\x04", b"\x04\x01\x00", 1)
        return [PLAIN.tlv(0x30, content + PLAIN.tlv(0x30, b"\x04\x00\x04\x00" + pdu))]

    with Relay(snmpd.port, mangle) as relay:
        targets = SnmpTargets(["127.0.0.1"], ports=relay.port, credentials=user())
        readings = poller.alive(targets, attempts=2, deadline_s=2)
    assert not readings.answered.any()
    assert readings.dropped_stale >= 1


settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

ENGINE = b"\x80\x00\x1f\x88engine"
REQUEST_ID = b"\x41\x02\x03\x04"
PLAIN = engines.load("seal", "python")


def a_pdu(request_id: bytes = REQUEST_ID, kind: int = 0xA2) -> bytes:
    return PLAIN.tlv(kind, b"\x02\x04" + request_id + b"\x02\x01\x00\x02\x01\x00\x30\x00")


def known(credential: Credential | None = None) -> secure.Agent:
    """An agent whose engine is known, with a request that waits."""
    agent = secure.Agent(credential or user())
    agent.meet(ENGINE, 3, 1000, 0.0)
    agent.request_id, agent.pdu = REQUEST_ID, a_pdu()
    return agent


KNOWN = known()
MESSAGE = PLAIN.Seal(77).wrap(KNOWN, 2048, 5.0)


@pytest.fixture(scope="module", params=["python", "compiled"])
def seals(request: pytest.FixtureRequest) -> Any:
    """The module that wraps and opens, on either engine."""
    try:
        return engines.load("seal", request.param)
    except ImportError as reason:
        pytest.skip(str(reason))


def opened(seals: Any, data: bytes) -> bytes | None:
    """What an agent's answer gives: the PDU, or None where it is not believed. BerError where it is broken."""
    packet, seal = seals.open_packet(data), seals.Seal(1)
    if not seal.is_authentic(KNOWN, data, packet):
        return None
    return seals.take_pdu(seal.decrypt(KNOWN, packet))


def outcome(read: Callable[[bytes], object], data: bytes) -> object:
    """What reading gives: its fields where it is a packet; that it is broken."""
    try:
        found = read(data)
    except BerError:
        return BerError
    if not hasattr(found, "digest_at"):
        return found
    return [getattr(found, name) for name in FIELDS]


FIELDS = ["message_id", "flags", "engine_id", "boots", "time", "digest_at", "digest", "salt", "body"]


def test_what_is_wrapped_is_opened_again(seals: Any) -> None:
    assert opened(seals, MESSAGE) == KNOWN.pdu
    assert seals.pdu_of(seals.as_v2c(KNOWN.pdu)) == KNOWN.pdu
    assert seals.id_of(KNOWN.pdu) == KNOWN.request_id
    decoded = decode_v3(MESSAGE)
    assert (decoded.security.boots, decoded.security.time, decoded.security.user) == (3, 1005, b"sha256aes128")


@pytest.mark.parametrize(("auth", "priv"), COMBINATIONS)
@pytest.mark.parametrize("size", [0, 300])
def test_both_engines_write_the_same_message(seals: Any, auth: str, priv: str, size: int) -> None:
    agent = known(user(auth, priv))
    agent.pdu += bytes(size)
    message = seals.Seal(2**64 - 1).wrap(agent, 2048, 5.0)
    assert message == PLAIN.Seal(2**64 - 1).wrap(agent, 2048, 5.0)
    packet, seal = seals.open_packet(message), seals.Seal(1)
    assert seal.is_authentic(agent, message, packet) == bool(auth)
    padded = seal.decrypt(agent, packet)
    assert seals.take_pdu(padded) == agent.pdu


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_nothing_else(seals: Any, data: bytes) -> None:
    for name in ("open_packet", "take_pdu", "read_report"):
        assert outcome(getattr(seals, name), data) == outcome(getattr(PLAIN, name), data)
    assert outcome(partial(opened, seals), data) == outcome(partial(opened, PLAIN), data)


@given(st.lists(st.tuples(st.integers(0, len(MESSAGE) - 1), st.integers(1, 255)), min_size=1, max_size=4))
def test_a_changed_message_is_never_believed(seals: Any, changes: list[tuple[int, int]]) -> None:
    data = bytearray(MESSAGE)
    for at, bits in changes:
        data[at] ^= bits
    if bytes(data) == MESSAGE:
        return
    assert outcome(seals.open_packet, bytes(data)) == outcome(PLAIN.open_packet, bytes(data))
    assert outcome(partial(opened, seals), bytes(data)) in (None, BerError)


@given(st.integers(0, len(MESSAGE) - 1))
def test_a_cut_message_is_broken(seals: Any, size: int) -> None:
    with pytest.raises(BerError):
        seals.open_packet(MESSAGE[:size])


class Wire:
    """A round's buffers over agents at 10.0.0.1 and on, and their seal."""

    def __init__(self, seals: Any, agents: list[secure.Agent]) -> None:
        self.seals, self.agents, self.seal = seals, agents, seals.Seal(5)
        self.packed, _ = pack_addresses([(f"10.0.0.{i + 1}", 161) for i in range(len(agents))])
        self.seal.begin(dict(enumerate(agents)), self.packed.tobytes())
        self.packets, self.lengths = np.zeros(8 * 2048, np.uint8), np.zeros(8, np.int32)
        self.sources = np.zeros(8 * 28, np.uint8)

    def fill(self, messages: list[bytes], devices: list[int]) -> None:
        for i, (message, device) in enumerate(zip(messages, devices, strict=True)):
            self.packets[i * 2048 : i * 2048 + len(message)] = np.frombuffer(message, np.uint8)
            self.lengths[i] = len(message)
            self.sources[i * 28 : i * 28 + 28] = self.packed[device * 28 : device * 28 + 28]

    def held(self, count: int) -> list[bytes]:
        return [self.packets[i * 2048 : i * 2048 + self.lengths[i]].tobytes() for i in range(count)]

    def send(self, devices: list[int], ids: list[bytes], now: float = 5.0) -> list[bytes]:
        self.fill([self.seals.as_v2c(a_pdu(request_id, 0xA5)) for request_id in ids], devices)
        numbers = np.array(devices, np.int32)
        self.seal.wrap_all(numbers.data, len(ids), self.packets.data, 2048, self.lengths.data, now)
        return self.held(len(ids))

    def open(self, messages: list[bytes], devices: list[int], now: float = 5.0) -> list[bytes]:
        self.fill(messages, devices)
        arrays = self.packets.data, 2048, self.lengths.data, self.sources.data
        return self.held(self.seal.open_all(*arrays, len(messages), now))


def answer(request_id: bytes, agent: secure.Agent | None = None, kind: int = 0xA2) -> bytes:
    """What the agent says to this request: its answer, signed and encrypted."""
    speaker = known(agent.credential if agent else None)
    speaker.request_id, speaker.pdu = request_id, a_pdu(request_id, kind)
    return PLAIN.Seal(99).wrap(speaker, 2048, 5.0)  # type: ignore[no-any-return]


def test_answers_of_strangers_and_doubles_are_counted_and_late_ones_are_given_to_the_engine(seals: Any) -> None:
    wire = Wire(seals, [known(), known()])
    first, second, third = (bytes((0x41, 0, 0, k)) for k in range(3))
    wire.send([0, 1], [first, third])
    wire.send([0], [second])
    assert wire.open([answer(first)], [1]) == []
    assert wire.seal.foreign == 1
    late, true = wire.open([answer(first), answer(second), answer(first), answer(second)], [0] * 4)
    assert (seals.id_of(seals.pdu_of(late)), seals.id_of(seals.pdu_of(true))) == (first, second)
    assert wire.seal.foreign == 3
    assert wire.open([answer(third), b"\x30\x00", answer(third)[:-1]], [1, 1, 1]) == [seals.as_v2c(a_pdu(third))]
    assert wire.seal.broken == 2
    assert wire.agents[0].pdu == b""


@pytest.mark.parametrize("priv", ["", "aes128"])
def test_who_signs_without_a_key_before_the_engine_is_known_is_not_believed(seals: Any, priv: str) -> None:
    wire = Wire(seals, [secure.Agent(user("sha256", priv))])
    wire.send([0], [REQUEST_ID])
    forger = known(user("sha256", priv))
    forger.engine_id, forger.keys = b"", LocalKeys(b"", bytes(16))
    forger.set_clock(3, 1000, 0.0)
    forger.engine_id = b"unused"
    forged = PLAIN.Seal(1).wrap(forger, 2048, 0.0)
    assert PLAIN.open_packet(forged).engine_id == b""
    assert wire.open([forged], [0]) == []
    assert wire.seal.unauthentic == 1


def test_the_tries_of_a_question_that_are_remembered_are_few(seals: Any) -> None:
    wire = Wire(seals, [known()])
    ids = [bytes((0x41, 0, 0, k)) for k in range(12)]
    for request_id in ids:
        wire.send([0], [request_id])
    assert wire.agents[0].ids == tuple(ids[-8:])
    assert wire.open([answer(ids[3])], [0]) == []
    assert len(wire.open([answer(ids[4])], [0])) == 1


def test_what_does_not_fit_its_buffer_is_refused(seals: Any) -> None:
    wire = Wire(seals, [known()])
    number = np.zeros(1, np.int32)
    for arguments in ((9, 2048), (1, 64)):
        wire.lengths[:] = 60
        with pytest.raises((ValueError, IndexError)):
            wire.seal.wrap_all(number.data, arguments[0], wire.packets.data, arguments[1], wire.lengths.data, 5.0)


def test_an_answer_outside_the_time_window_is_stale() -> None:
    packet = PLAIN.open_packet(MESSAGE)
    said = packet.flags, packet.boots, packet.time
    agent = known()
    assert agent.accepts(*said, 100.0)
    assert not agent.accepts(*said, 1000.0)
    agent.set_clock(4, 0, 0.0)
    assert not agent.accepts(*said, 0.0)


def test_duplicate_engines_are_named_but_not_one_agent_with_two_contexts() -> None:
    targets = SnmpTargets(["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"], credentials=user())
    for number, engine_id in enumerate([b"twice", b"twice", b"other", b"other"]):
        targets.agents[number].meet(engine_id, 1, 1, 0.0)
    assert targets.duplicates() == {b"other": [2, 3]}


def test_a_name_that_would_not_fit_a_request_is_refused() -> None:
    with pytest.raises(ValueError, match="255"):
        SnmpTargets(["192.0.2.1"], credentials=Credential("3", user="a", context="c" * 256))
    assert not np.any(SnmpTargets(["192.0.2.1"]).secure)
