"""Traps and informs off the wire: real ones, pysnmp's, damaged ones, and hostile ones."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.snmp.ber import BerError, Value, encode_integer, encode_oid, encode_tlv, encode_value
from probes.snmp.credential import Credential
from probes.snmp.message import INFORM, TRAP, encode_message, open_scoped_pdu
from probes.snmp.trap import (  # fmt: skip
    MOST_NAME,
    NAMES,
    Notification,
    answer_envelope,
    open_envelope,
    read_envelope,
    read_notification,
    read_version,
)
from probes.snmp.trap_usm import MOST_INFORMS, TrapSecurity

sys.path.insert(0, str(Path(__file__).parents[1] / "collector"))
from trap_senders import AUTH, LINK_DOWN, PRIV, USER, port_of, run, v1_trap, v2c_trap, v3_trap

OURS = bytes.fromhex("80007ed905") + b"tests-engine"
V3 = Credential("3", b"", "edu", "sha256", AUTH, "aes128", PRIV)
UPTIME, TRAP_OID = (1, 3, 6, 1, 2, 1, 1, 3, 0), (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
IF_INDEX, IF_DESCR = (1, 3, 6, 1, 2, 1, 2, 2, 1, 1), (1, 3, 6, 1, 2, 1, 2, 2, 1, 2)


def binding(oid: tuple[int, ...], value: Value) -> bytes:
    return encode_tlv(0x30, encode_oid(oid) + encode_value(value))


def trap(*bindings: bytes, tag: int = TRAP, status: int = 0, community: bytes = b"public") -> bytes:
    """A v2c notification with these bindings after snmpTrapOID."""
    rows = (
        binding(UPTIME, Value(0x43, 7))
        + binding(TRAP_OID, Value(6, (1, 3, 6, 1, 6, 3, 1, 1, 5, 3)))
        + b"".join(bindings)
    )
    head = encode_integer(1) + encode_integer(status) + encode_integer(0)
    return encode_message("2c", community, encode_tlv(tag, head + encode_tlv(0x30, rows)))


def read(data: bytes) -> Notification:
    return read_envelope(data, open_envelope(data))


@pytest.fixture(scope="module")
def real() -> list[bytes]:
    """Of each version one, as Debian's snmptrap sends it."""
    bindings = port_of(5, "GE0/0/5")
    return [v1_trap(2, more=bindings), v2c_trap(LINK_DOWN, bindings), v3_trap("8000000001020304", LINK_DOWN, bindings)]


def test_the_port_is_read_from_whatever_names_it(real):
    assert read(real[1])._replace(request_id=0) == Notification(0, (1, 3, 6, 1, 6, 3, 1, 1, 5, 3), 100, 5, "GE0/0/5")
    assert (read(real[0]).if_index, read(real[0]).if_name, read(real[0]).agent_address) == (5, "GE0/0/5", bytes(4))
    only_name = read(trap(binding((*IF_DESCR, 17), Value(4, "千兆以太网 5".encode("gbk")))))
    assert (only_name.if_index, only_name.if_name) == (17, "千兆以太网 5")
    both = read(trap(binding((*IF_DESCR, 17), Value(4, b"x" * 500)), binding((*IF_INDEX, 9), Value(2, 9))))
    assert (both.if_index, both.if_name) == (9, "x" * MOST_NAME)
    assert read(trap(binding((*IF_INDEX, 1, 2, 3), Value(2, 9)))).if_index is None, "no row of ifTable"


def test_an_inform_is_answered_with_what_it_said():
    told = read(trap(tag=INFORM))
    assert read(trap()).reply == b""
    answer = answer_envelope(open_envelope(trap(tag=INFORM)), told.reply)
    assert answer == trap(tag=0xA2)


@pytest.mark.parametrize(
    "data",
    [
        trap(status=1),
        trap(tag=0xA2),
        trap(tag=0xA0),
        trap()[:-1],
        trap() + b"\0",
        encode_message("2c", b"public", encode_tlv(TRAP, encode_integer(1) * 3 + encode_tlv(0x30, b""))),
        trap(*[binding((1, 3, 6), Value(5, None))] * 300),
        trap(binding((*IF_INDEX, 5), Value(2, 5))).replace(b"\x01\x05\x02\x01\x05", b"\x01\x85\x02\x01\x05"),
        b"",
    ],
)
def test_what_is_no_trap_is_refused(data):
    with pytest.raises(BerError):
        read(data)


# -- hostile bytes -----------------------------------------------------------------------------------------------------


def attempt(data: bytes, security: TrapSecurity) -> None:
    """All that the receiver does with bytes before it believes them, and after."""
    try:
        if read_version(data) == 3:
            opened = security.open(data, 1, (V3, Credential("3", b"", "edu")), 0.0)
            if opened.scoped:
                _, _, at, stop = open_scoped_pdu(opened.scoped)
                told = read_notification(opened.scoped, at, stop)
                if told.reply and opened.credential is not None:
                    security.answer(data, opened.scoped, told.reply, opened.credential, 0.0)
        else:
            assert len(read(data).if_name) <= MOST_NAME
    except BerError:
        pass


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data):
    attempt(data, TrapSecurity(OURS, 1, 0.0))


@settings(max_examples=600, deadline=None)
@given(
    st.integers(0, 2), st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=6), st.integers(0, 999)
)
def test_damaged_traps_are_read_or_refused(real, which, changes, cut):
    data = bytearray(real[which])
    for where, octet in changes:
        data[where % len(data)] = octet
    if cut < len(data):
        del data[cut:]
    attempt(bytes(data), TrapSecurity(OURS, 1, 0.0))


ELEMENT = st.recursive(
    st.tuples(st.sampled_from([2, 4, 5, 6, 0x40, 0x41, 0x42, 0x43, 0x46, 0x80, 0xA4]), st.binary(max_size=20)),
    lambda inner: st.tuples(st.sampled_from([0x30, 0xA4, 0xA6, 0xA7]), st.lists(inner, max_size=6)),
    max_leaves=20,
)


def encoded(element) -> bytes:
    tag, content = element
    return encode_tlv(tag, content if isinstance(content, bytes) else b"".join(map(encoded, content)))


@settings(max_examples=400, deadline=None)
@given(ELEMENT, st.sampled_from([0, 1]))
def test_well_formed_nonsense_is_read_or_refused(element, version):
    data = encode_tlv(0x30, encode_integer(version) + encode_tlv(4, b"public") + encoded(element))
    attempt(data, TrapSecurity(OURS, 1, 0.0))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_a_signed_body_of_any_bytes_is_read_or_refused(real, body):
    """Whoever has the password may still send nonsense."""
    from probes.snmp import usm
    from probes.snmp.message import decode_v3, encode_v3

    message = decode_v3(real[2])
    keys = usm.localise(V3, message.security.engine_id)
    whole, at = encode_v3(1, message.flags, message.security._replace(digest=bytes(24)), encode_tlv(4, body))
    attempt(usm.sign(whole, at, "sha256", keys.auth), TrapSecurity(OURS, 1, 0.0))


def test_a_million_octets_of_hostile_traps_leave_nothing_behind(real):
    """Engines, users and names that are all different: none of them is kept."""
    security = TrapSecurity(OURS, 1, 0.0)

    def flood(seed: int) -> None:
        for number in range(3000):
            new = (seed * 3000 + number).to_bytes(8, "big")
            attempt(real[2].replace(bytes.fromhex("8000000001020304"), new), security)

    flood(0)
    tracemalloc.start()
    flood(1)
    before = tracemalloc.get_traced_memory()[0]
    flood(2)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert security.engines == {}
    # usm.localise keeps the keys of 4,096 engines, which is what may still grow here.
    assert after - before < 4096 * 600


def test_informs_that_are_remembered_are_bounded():
    security = TrapSecurity(OURS, 1, 0.0)
    for number in range(MOST_INFORMS + 100):
        security._informs[number.to_bytes(8, "big")] = None
    from probes.snmp.message import MessageV3, SecurityParameters

    parameters = SecurityParameters(OURS, 1, 0, b"edu", b"digest", b"")
    assert security._look_at_inform(MessageV3(1, 7, parameters, b""), 0.0) == "ok"
    assert len(security._informs) <= MOST_INFORMS
    assert security._look_at_inform(MessageV3(1, 7, parameters, b""), 0.0) == "repeated"


# -- informs of v3, against Debian's snmpinform and pysnmp -------------------------------------------------------------


class Ear:
    """Answers on a real socket, as the collector's process does."""

    def __init__(self) -> None:
        self.security = TrapSecurity(OURS, 3, time.monotonic())
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1]
        self.words: list[str] = []
        self.told: list[Notification] = []
        self.last = b""
        self.over = False
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self) -> None:
        while not self.over:
            try:
                data, peer = self.socket.recvfrom(65535)
            except TimeoutError:
                continue
            self.last = data
            answer = self.take(data)
            if answer:
                self.socket.sendto(answer, peer)

    def take(self, data: bytes) -> bytes:
        if read_version(data) != 3:
            envelope = open_envelope(data)
            self.told.append(read_envelope(data, envelope))
            return answer_envelope(envelope, self.told[-1].reply) if self.told[-1].reply else b""
        opened = self.security.open(data, 1, (V3,), time.monotonic())
        self.words.append(opened.word)
        if opened.word not in ("ok", "repeated"):
            return opened.report
        _, _, at, stop = open_scoped_pdu(opened.scoped)
        told = read_notification(opened.scoped, at, stop)
        if opened.word == "ok":
            self.told.append(told)
        assert opened.credential is not None
        return self.security.answer(data, opened.scoped, told.reply, opened.credential, time.monotonic())

    def close(self) -> None:
        self.over = True
        self.thread.join()
        self.socket.close()


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.close()


def inform(ear: Ear, user: list[str] = USER, *options: str) -> subprocess.CompletedProcess[str]:
    words = ["-v3", *user, *options, f"127.0.0.1:{ear.port}", "100", LINK_DOWN, *port_of(5, "GE0/0/5")]
    return run("snmpinform", words)


def changed(word: str, into: str) -> list[str]:
    return [into if one == word else one for one in USER]


def test_snmpinform_discovers_us_and_is_answered(ear):
    done = inform(ear, USER, "-r", "1", "-t", "10")
    assert done.returncode == 0, done.stderr
    assert ear.words == ["unknown_engine_id", "ok"]
    assert (ear.told[0].name, ear.told[0].if_name) == ("linkDown", "GE0/0/5")


def test_an_inform_whose_answer_was_lost_is_answered_again_and_counts_once(ear):
    assert inform(ear, USER, "-r", "1", "-t", "10").returncode == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(60)
        sock.sendto(ear.last, ("127.0.0.1", ear.port))
        assert read_version(sock.recv(65535)) == 3
    assert ear.words == ["unknown_engine_id", "ok", "repeated"]
    assert len(ear.told) == 1


@pytest.mark.parametrize(
    ("user", "said"),
    [
        (changed("edu", "nobody"), "Unknown user name"),
        (changed(AUTH, "another-password"), "Authentication failure"),
        (changed("authPriv", "authNoPriv"), "Unsupported security level"),
    ],
)
def test_snmpinform_hears_why_it_is_refused(ear, user, said):
    done = inform(ear, user, "-r", "0", "-t", "10")
    assert done.returncode != 0
    assert said in done.stderr
    assert ear.told == []


def test_a_clock_that_is_wrong_is_put_right_by_a_signed_report(ear):
    done = inform(ear, [*USER, "-Z", "3,100000", "-e", f"0x{OURS.hex()}"], "-r", "1", "-t", "10")
    assert "not_in_time_window" in ear.words
    assert done.returncode == 0, done.stderr
    assert ear.words[-1] == "ok"


@pytest.mark.parametrize("kind", ["trap", "inform"])
@pytest.mark.parametrize("version", ["1", "2c", "3"])
def test_pysnmp_is_understood_too(ear, version, kind):
    if version == "1" and kind == "inform":
        kind = "trap"
    asyncio.run(notify(ear.port, version, kind))
    deadline = time.monotonic() + 60
    while not ear.told and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [told.name for told in ear.told] == ["linkDown"]


async def notify(port: int, version: str, kind: str) -> None:
    from pysnmp.hlapi.v3arch.asyncio import (
        CommunityData,
        ContextData,
        NotificationType,
        ObjectIdentity,
        SnmpEngine,
        UdpTransportTarget,
        UsmUserData,
        send_notification,
        usmAesCfb128Protocol,
        usmHMAC192SHA256AuthProtocol,
    )

    if version == "3":
        auth = UsmUserData("edu", AUTH, PRIV, usmHMAC192SHA256AuthProtocol, usmAesCfb128Protocol)
    else:
        auth = CommunityData("public", mpModel=int(version == "2c"))
    engine = SnmpEngine()
    target = await UdpTransportTarget.create(("127.0.0.1", port), timeout=20, retries=0)
    told = NotificationType(ObjectIdentity("1.3.6.1.6.3.1.1.5.3"))
    error, status, *_ = await send_notification(engine, auth, target, ContextData(), kind, told)
    engine.close_dispatcher()
    assert not error
    assert not status


def test_names_are_those_of_the_mibs():
    assert NAMES[1, 3, 6, 1, 6, 3, 1, 1, 5, 3] == "linkDown"
    assert Notification(0, (1, 3, 6, 1, 4, 1, 9)).name == "1.3.6.1.4.1.9"
