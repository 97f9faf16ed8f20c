"""The client against Debian's snmpd (v1, v2c, v3), snmpsim (v3), and an agent that misbehaves on purpose."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from probes.snmp.ber import COUNTER32, END_OF_MIB_VIEW, INTEGER, OCTET_STRING, Oid, Value
from probes.snmp.client import NoAnswerError, RefusedError, SnmpClient
from probes.snmp.credential import Credential
from probes.snmp.message import (
    GET,
    GET_BULK,
    GET_NEXT,
    RESPONSE,
    Message,
    Pdu,
    decode_message,
    encode_full_pdu,
    encode_message,
)
from probes.snmp.oids import SYS_DESCR, SYS_UPTIME, parse_oid

SNMPD = shutil.which("snmpd", path="/usr/sbin:/usr/bin:/sbin")
AUTH, PRIV = "an-auth-password", "a-priv-password"
PROTOCOLS = {
    "md5": "MD5", "sha1": "SHA", "sha224": "SHA-224", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512",
    "des": "DES", "aes128": "AES", "aes192": "AES-192", "aes256": "AES-256",
}  # fmt: skip
COMBINATIONS = [(auth, priv) for auth in list(PROTOCOLS)[:6] for priv in ("", *list(PROTOCOLS)[6:])]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(command: Callable[[int], list[str]], credential: Credential) -> Iterator[int]:
    """An agent on a free port, answering. A port that somebody else took meanwhile is given up for another."""
    for _ in range(4):
        port = free_port()
        process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if answers(process, port, credential):
                yield port
                return
        finally:
            process.terminate()
            process.wait()
    raise AssertionError("the agent does not start")


def answers(process: subprocess.Popen[bytes], port: int, credential: Credential) -> bool:
    end = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < end:
        try:
            with SnmpClient("127.0.0.1", port, credential, timeout_s=0.3, attempts=1) as client:
                if client.get([SYS_UPTIME]):
                    return True
        except NoAnswerError:
            pass
    return False


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if SNMPD is None:
        pytest.skip("snmpd is not installed (apt-get install snmpd)")
    folder = tmp_path_factory.mktemp("snmpd")
    lines = ["rocommunity public 127.0.0.1", "createUser plain", "rouser plain noauth"]
    for auth, priv in COMBINATIONS:
        secrets = f'{PROTOCOLS[auth]} "{AUTH}"' + (f' {PROTOCOLS[priv]} "{PRIV}"' if priv else "")
        lines += [f"createUser {auth}{priv} {secrets}", f"rouser {auth}{priv} {'priv' if priv else 'auth'}"]
    (folder / "snmpd.conf").write_text("\n".join(lines) + "\n")
    program = [SNMPD, "-f", "-Ln", "-C", "-c", str(folder / "snmpd.conf"), "-I", "-smux", f"--persistentDir={folder}"]
    with started(lambda port: [*program, f"udp:127.0.0.1:{port}"], Credential()) as port:
        yield port


@pytest.mark.server
def test_snmpd_is_read_by_v1_and_by_v2c_alike(snmpd: int) -> None:
    columns = [parse_oid("1.3.6.1.2.1.2.2.1.2"), parse_oid("1.3.6.1.2.1.2.2.1.6"), parse_oid("1.3.6.1.2.1.99999")]
    read = []
    for version in ("1", "2c"):
        with SnmpClient("127.0.0.1", snmpd, Credential(version=version)) as client:
            assert client.get([SYS_DESCR, parse_oid("1.3.6.1.2.1.1.99.0")]).keys() == {SYS_DESCR}
            read.append(client.walk(columns))
    assert read[0] == read[1]
    assert b"lo" in [value.data for value in read[0][columns[0]].values()]
    assert read[0][columns[2]] == {}


@pytest.mark.server
def test_a_whole_walk_is_what_getnext_after_getnext_gives(snmpd: int) -> None:
    root = parse_oid("1.3.6.1.2.1.2")
    with SnmpClient("127.0.0.1", snmpd) as client:
        walked = client.walk([root])[root]
        at, stepped = root, {}
        while (found := client.get_next([at])[0]) is not None and found[0][: len(root)] == root:
            at = found[0]
            stepped[at[len(root) :]] = found[1].tag
    assert {index: value.tag for index, value in walked.items()} == stepped


@pytest.mark.server
@pytest.mark.parametrize(("auth", "priv"), COMBINATIONS)
def test_every_pair_of_v3_protocols_reads_snmpd(snmpd: int, auth: str, priv: str) -> None:
    credential = Credential("3", b"", f"{auth}{priv}", auth, AUTH, priv, PRIV if priv else "")
    with SnmpClient("127.0.0.1", snmpd, credential) as client:
        assert client.get([SYS_DESCR])[SYS_DESCR].tag == OCTET_STRING
        assert client.requests == 2, "one for the discovery, one for the question"
        assert len(client.engine_id) >= 5


@pytest.mark.server
@pytest.mark.parametrize(
    ("credential", "reason"),
    [
        (Credential("3", user="nobody"), "unknown_user"),
        (Credential("3", user="sha256", auth_protocol="sha256", auth_key="not-the-password"), "wrong_digest"),
        (Credential("3", user="plain", auth_protocol="sha256", auth_key=AUTH), "unsupported_security_level"),
        (Credential("3", user="sha256"), "authorizationError"),
    ],
)
def test_a_refusal_says_why(snmpd: int, credential: Credential, reason: str) -> None:
    with SnmpClient("127.0.0.1", snmpd, credential) as client:
        with pytest.raises(RefusedError) as caught:
            client.get([SYS_DESCR])
    assert caught.value.reason == reason


@pytest.mark.server
def test_a_wrong_privacy_password_is_silence(snmpd: int) -> None:
    credential = Credential("3", b"", "sha256aes128", "sha256", AUTH, "aes128", "not-the-password")
    with SnmpClient("127.0.0.1", snmpd, credential, timeout_s=0.2, attempts=2) as client:
        with pytest.raises(NoAnswerError, match="privacy"):
            client.get([SYS_DESCR])


@pytest.mark.server
def test_a_clock_that_went_wrong_is_set_by_the_agents_report(snmpd: int) -> None:
    credential = Credential("3", b"", "sha256aes128", "sha256", AUTH, "aes128", PRIV)
    with SnmpClient("127.0.0.1", snmpd, credential) as client:
        client.get([SYS_DESCR])
        client._session._boots += 7  # type: ignore[attr-defined] # the agent has lost boots, as after a factory reset
        assert SYS_DESCR in client.get([SYS_DESCR])


@pytest.mark.server
def test_snmpsim_is_read_by_v3_with_a_context(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("snmpsim-command-responder")
    if not command.exists():
        pytest.skip("snmpsim is not installed")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "school.snmprec").write_text(
        "1.3.6.1.2.1.1.1.0|4|a school's switch\n1.3.6.1.2.1.1.3.0|67|4711\n"
    )
    # snmpsim begins an engine at --v3-engine-id: it must stand in front of all that belongs to it.
    program = [
        str(command),
        "--v3-engine-id=auto",
        f"--data-dir={tmp_path / 'data'}",
        f"--cache-dir={tmp_path / 'cache'}",
    ]
    program += ["--log-level=error", "--v3-user=edu", "--v3-auth-proto=SHA256", f"--v3-auth-key={AUTH}"]
    program += ["--v3-priv-proto=AES", f"--v3-priv-key={PRIV}"]
    if os.geteuid() == 0:
        for folder in (tmp_path, *tmp_path.parents):
            if str(folder).startswith("/tmp/"):
                folder.chmod(0o777 if folder == tmp_path else 0o755)
        program += ["--process-user=nobody", "--process-group=nogroup"]
    credential = Credential("3", b"", "edu", "sha256", AUTH, "aes128", PRIV, "school")
    with started(lambda port: [*program, f"--agent-udpv4-endpoint=127.0.0.1:{port}"], credential) as port:
        with SnmpClient("127.0.0.1", port, credential) as client:
            assert client.get([SYS_UPTIME]) == {SYS_UPTIME: Value(0x43, 4711)}
            assert client.walk([(1, 3, 6, 1, 2, 1, 1)])[(1, 3, 6, 1, 2, 1, 1)].keys() == {(1, 0), (3, 0)}


# ---------------------------------------------------------------------- an agent that misbehaves on purpose

COLUMN = (1, 3, 6, 1, 9)
ROWS = {(*COLUMN, index): Value(COUNTER32, index * index) for index in range(1, 61)}


class OddAgent:
    """Answers from ROWS by `behave(request, pdu)`, which gives the datagrams to send; and counts what it was asked."""

    def __init__(self, behave: Callable[["OddAgent", Message], list[bytes]]) -> None:
        self.behave = behave
        self.asked: list[Pdu] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = int(self.socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                data, peer = self.socket.recvfrom(65535)
            except OSError:
                return
            if data == b"stop":
                return
            message = decode_message(data)
            self.asked.append(message.pdu)
            for answer in self.behave(self, message):
                self.socket.sendto(answer, peer)

    def __enter__(self) -> "OddAgent":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.sendto(b"stop", ("127.0.0.1", self.port))
        self.socket.close()


def following(oid: Oid) -> tuple[Oid, Value]:
    after = sorted(name for name in ROWS if name > oid)
    return (after[0], ROWS[after[0]]) if after else (oid, Value(END_OF_MIB_VIEW, None))


def rows_for(pdu: Pdu) -> tuple[tuple[Oid, Value], ...]:
    names = [oid for oid, _ in pdu.bindings]
    if pdu.tag == GET:
        return tuple((oid, ROWS.get(oid, Value(0x81, None))) for oid in names)
    found: list[tuple[Oid, Value]] = []
    for _ in range(pdu.error_index if pdu.tag == GET_BULK else 1):
        found += [following(oid) for oid in names]
        names = [oid for oid, _ in found[-len(names) :]]
    return tuple(found)


def reply(
    message: Message, bindings: tuple[tuple[Oid, Value], ...], status: int = 0, index: int = 0, shift: int = 0
) -> bytes:
    pdu = Pdu(RESPONSE, message.pdu.request_id + shift, status, index, bindings)
    return encode_message("2c", message.community, encode_full_pdu(pdu))


def normal(_: OddAgent, message: Message) -> list[bytes]:
    return [reply(message, rows_for(message.pdu))]


def too_big_above_seven(_: OddAgent, message: Message) -> list[bytes]:
    rows = rows_for(message.pdu)
    return [reply(message, (), 1) if len(rows) > 7 else reply(message, rows)]


def silent_above_five(_: OddAgent, message: Message) -> list[bytes]:
    rows = rows_for(message.pdu)
    return [] if len(rows) > 5 else [reply(message, rows)]


def every_third_is_lost(agent: OddAgent, message: Message) -> list[bytes]:
    return [] if len(agent.asked) % 3 == 0 else normal(agent, message)


def no_bulk(_: OddAgent, message: Message) -> list[bytes]:
    return [] if message.pdu.tag == GET_BULK else [reply(message, rows_for(message.pdu))]


def refuses_bulk(_: OddAgent, message: Message) -> list[bytes]:
    return [reply(message, (), 5) if message.pdu.tag == GET_BULK else reply(message, rows_for(message.pdu))]


def going_round(_: OddAgent, message: Message) -> list[bytes]:
    rows = [(name if name[-1] <= 30 else (*COLUMN, name[-1] - 30), value) for name, value in rows_for(message.pdu)]
    return [reply(message, tuple(rows))]


def strangers_first(_: OddAgent, message: Message) -> list[bytes]:
    wrong = ((COLUMN, Value(INTEGER, 666)),)
    return [b"", b"\x30\x82", b"rubbish", reply(message, wrong, shift=1), reply(message, rows_for(message.pdu))]


@pytest.mark.parametrize(
    "behave",
    [normal, too_big_above_seven, silent_above_five, every_third_is_lost, strangers_first, no_bulk, refuses_bulk],
)
def test_a_walk_gets_every_row_whatever_the_agent_bears(behave: Callable[[OddAgent, Message], list[bytes]]) -> None:
    with OddAgent(behave) as agent, SnmpClient("127.0.0.1", agent.port, timeout_s=0.3, attempts=3) as client:
        assert client.walk([COLUMN]) == {COLUMN: {(index,): Value(COUNTER32, index * index) for index in range(1, 61)}}
        assert max(pdu.error_index for pdu in agent.asked) <= 25
        assert all(pdu.tag in (GET_BULK, GET_NEXT) for pdu in agent.asked)


def test_a_table_that_goes_round_ends() -> None:
    with OddAgent(going_round) as agent, SnmpClient("127.0.0.1", agent.port, timeout_s=0.5) as client:
        rows = client.walk([COLUMN])[COLUMN]
        assert {index[0] for index in rows} == set(range(1, 31))
        assert client.looping == {COLUMN}


def test_get_splits_what_is_too_big_and_leaves_out_what_is_not_there() -> None:
    names = [(*COLUMN, index) for index in range(50, 71)]
    with OddAgent(too_big_above_seven) as agent, SnmpClient("127.0.0.1", agent.port, timeout_s=0.5) as client:
        assert client.get(names).keys() == {(*COLUMN, index) for index in range(50, 61)}


def test_an_agent_that_falls_silent_leaves_what_was_read() -> None:
    def behave(agent: OddAgent, message: Message) -> list[bytes]:
        return normal(agent, message) if len(agent.asked) <= 1 else []

    with OddAgent(behave) as agent, SnmpClient("127.0.0.1", agent.port, timeout_s=0.05, attempts=2) as client:
        with pytest.raises(NoAnswerError) as caught:
            client.walk([COLUMN])
    assert len(caught.value.args[1][COLUMN]) >= 1


def test_nothing_is_asked_after_the_deadline() -> None:
    with OddAgent(normal) as agent, SnmpClient("127.0.0.1", agent.port) as client:
        client.deadline = time.monotonic()
        with pytest.raises(NoAnswerError, match="used up"):
            client.get([COLUMN])
        assert agent.asked == []


def test_a_closed_port_is_no_answer() -> None:
    with SnmpClient("127.0.0.1", free_port(), timeout_s=0.1, attempts=2) as client:
        with pytest.raises(NoAnswerError, match="refused"):
            client.get([SYS_DESCR])
