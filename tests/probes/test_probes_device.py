"""One device in full: over recordings of real devices, over UDP with faults, and by the command."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probes.device import read_device
from probes.device.recording import Recording, format_line, parse_value, write_recording
from probes.device.source import Tables
from probes.snmp.ber import COUNTER64, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, Oid, Value
from probes.snmp.client import NoAnswerError, SnmpClient
from probes.snmp.credential import Credential

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = ROOT.parent / "shared" / "captures"
OWN = Path(__file__).parent / "recordings"
needs_captures = pytest.mark.skipif(not CAPTURES.is_dir(), reason="../shared/captures is not here")


@pytest.fixture(scope="module")
def accuracy() -> ModuleType:
    spec = importlib.util.spec_from_file_location("accuracy", ROOT / "benchmarks" / "accuracy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["accuracy"] = module
    spec.loader.exec_module(module)
    return module


@needs_captures
def test_real_devices_are_read_as_their_oracle_says(accuracy: ModuleType) -> None:
    outcomes = [accuracy.try_device(path, None) for path in sorted((CAPTURES / "devices").glob("*.snmprec"))]
    assert not [outcome.error for outcome in outcomes if outcome.error]
    rows = accuracy.summarise(outcomes)
    missed = {kind: rows[kind] for kind, target in accuracy.TARGETS.items() if rows[kind]["mean_percent"] < target}
    assert not missed


@needs_captures
@pytest.mark.parametrize("folder", ["nasty", "no_oracle"])
def test_nasty_devices_are_read_without_a_crash(accuracy: ModuleType, folder: str) -> None:
    outcomes = [accuracy.try_device(path, None) for path in sorted((CAPTURES / folder).glob("*.snmprec"))]
    assert outcomes
    assert not [(outcome.name, outcome.error) for outcome in outcomes if outcome.error]


@needs_captures
def test_strings_of_the_derived_capture_reach_the_ports() -> None:
    got = read_device(Recording.load(CAPTURES / "nasty" / "derived_gbk_vrp_5720.snmprec"))
    truth = json.loads((CAPTURES / "nasty" / "derived_gbk_vrp_5720.truth.json").read_text())
    ports = {str(port["ifIndex"]): port for port in got["ports"]}
    assert {index: ports[index]["ifAlias"] for index in truth["ifAlias"]} == {
        k: v["text"] for k, v in truth["ifAlias"].items()
    }
    assert ports["17"]["ifName"] == "千兆口1"
    assert got["device"]["sysLocation"] == truth["sysLocation"]["text"]
    assert got["device"]["sysName"] == truth["sysName"]["text"]


@needs_captures
def test_counters_that_are_no_numbers_stay_absent() -> None:
    for name in ("nokia-isam", "iqnos_mtc6"):
        ports = read_device(Recording.load(CAPTURES / "nasty" / f"{name}.snmprec"))["ports"]
        assert ports
        assert not [port for port in ports if "ifHCInOctets" in port]


@needs_captures
def test_macs_that_look_like_text_stay_octets() -> None:
    ports = read_device(Recording.load(CAPTURES / "nasty" / "xirrus_aos.snmprec"))["ports"]
    assert "506028764a30" in [port.get("ifPhysAddress") for port in ports]


# ---------------------------------------------------------------------- over UDP

TEN = (
    "vrp_5720", "comware_a5500", "ruijie", "zxr10_5928", "jetstream_sg2218p", "mypoweros", "apc_sua750i", "routeros_rb760igs",
    "junos_qfx5100", "linux_icecast",
)  # fmt: skip


@pytest.fixture(scope="module")
def agent_port(accuracy: ModuleType) -> Iterator[int]:
    if not CAPTURES.is_dir():
        pytest.skip("../shared/captures is not here")
    port = accuracy.free_udp_port()
    command = [sys.executable, str(CAPTURES / "miniagent.py"), str(CAPTURES / "devices"), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert b"ready" in process.stdout.readline()
    yield port
    process.terminate()
    process.wait()
    process.stdout.close()


def read_udp(port: int, community: str, **options: Any) -> dict[str, Any]:
    with SnmpClient("127.0.0.1", port, Credential(community=community.encode()), **options) as client:
        return read_device(client)


@pytest.mark.parametrize("name", TEN)
def test_over_udp_a_device_is_read_as_from_its_recording(agent_port: int, name: str) -> None:
    recorded = read_device(Recording.load(CAPTURES / "devices" / f"{name}.snmprec"))
    assert read_udp(agent_port, name) == recorded


@pytest.mark.parametrize("fault", ["loss=0.1", "tooBig=10", "delay=0.002"])
def test_faults_change_nothing_but_the_time(agent_port: int, fault: str) -> None:
    recorded = read_device(Recording.load(CAPTURES / "devices" / "vrp_ar169sfp.snmprec"))
    assert read_udp(agent_port, f"vrp_ar169sfp+{fault}", timeout_s=0.5, attempts=6) == recorded


def test_a_table_that_goes_round_costs_that_table_alone(agent_port: int) -> None:
    got = read_udp(agent_port, "vrp_ar169sfp+loop=1.3.6.1.2.1.31.1.1.1")
    assert len(got["ports"]) == 16
    assert got["cpu"]


# ---------------------------------------------------------------------- parts that fail


class Failing:
    """A recording that answers `good` questions, then nothing."""

    def __init__(self, good: int) -> None:
        self.recording = Recording.load(OWN / "huawei_vrp.snmprec")
        self.good = good

    def _ask(self) -> None:
        self.good -= 1
        if self.good < 0:
            raise NoAnswerError("no answer", {})

    def get(self, oids: list[Oid]) -> dict[Oid, Value]:
        self._ask()
        return self.recording.get(oids)

    def walk(self, columns: list[Oid], budget_s: float | None = None) -> dict[Oid, dict[Oid, Value]]:
        self._ask()
        return self.recording.walk(columns)


@pytest.mark.parametrize("good", range(1, 8))
def test_a_device_that_falls_silent_gives_what_came_and_says_what_is_missing(good: int) -> None:
    got = read_device(Failing(good))
    assert got["incomplete"]
    assert got["device"]["sysObjectID"] == "1.3.6.1.4.1.2011.2.23.600"


def test_a_device_that_answers_nothing_is_no_device() -> None:
    with pytest.raises(NoAnswerError):
        read_device(Failing(0))


def test_when_the_budget_is_used_up_nothing_more_is_asked() -> None:
    now = iter([0.0, *[100.0] * 50])
    failing = Failing(1)
    tables = Tables(failing, 60, clock=lambda: next(now))
    tables.fetch([(1, 3, 6)], what="first")
    tables.fetch([(1, 3, 7)], what="second")
    assert tables.silent
    assert tables.incomplete == ["first", "second"]
    assert failing.good == 1, "nothing was asked"


# ---------------------------------------------------------------------- recordings


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (("4", b"plain text"), Value(OCTET_STRING, b"plain text")),
        (("4x", b"00ff41"), Value(OCTET_STRING, b"\x00\xffA")),
        (("4e", b"a\\r\\nb\\xff"), Value(OCTET_STRING, b"a\r\nb\xff")),
        (("6", b"1.3.6.1"), Value(OBJECT_IDENTIFIER, (1, 3, 6, 1))),
        (("6", b""), Value(OBJECT_IDENTIFIER, ())),
        (("2", b""), Value(NULL, None)),
        (("2", b"-5"), Value(INTEGER, -5)),
        (("70", b"18446744073709551615"), Value(COUNTER64, 2**64 - 1)),
    ],
)
def test_lines_of_a_recording_are_read(line: tuple[str, bytes], value: Value) -> None:
    assert parse_value(*line) == value


@pytest.mark.parametrize("line", [("64", b"1.2.3"), ("65", b"<private>"), ("4x", b"XX"), ("99", b"1"), ("", b"")])
def test_lines_redacted_by_hand_are_refused(line: tuple[str, bytes]) -> None:
    with pytest.raises(ValueError):
        parse_value(*line)


def test_a_recording_survives_being_written(tmp_path: Path) -> None:
    for path in OWN.glob("*.snmprec"):
        values = Recording.load(path).values
        write_recording(tmp_path / "copy.snmprec", values)
        assert Recording.load(tmp_path / "copy.snmprec").values == values
    assert format_line((1, 3), Value(OCTET_STRING, "龙".encode())) == "1.3|4x|e9be99"


# ---------------------------------------------------------------------- the command


def edunet(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edunet.main", "probe", "device", "--address", "127.0.0.1", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment}, timeout=60
    )


def test_the_command_prints_a_device_as_json(agent_port: int, tmp_path: Path) -> None:
    (tmp_path / "community").write_text("routeros_rb760igs\n")
    done = edunet("--port", str(agent_port), "--community", f"@{tmp_path / 'community'}", "--json")
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout.splitlines()[-1])
    assert got["device"]["serial"] == "E1F10E90A6E9"
    assert {"device", "ports", "cpu", "memory", "sensors"} <= got.keys()


def test_the_command_shows_people_a_summary(agent_port: int) -> None:
    done = edunet("--port", str(agent_port), EDUNET_COMMUNITY="apc_sua750i")
    assert done.returncode == 0, done.stderr
    assert "Smart-UPS 750" in done.stdout
    assert "36.9 °C" in done.stdout


def test_the_command_records_a_device(agent_port: int, tmp_path: Path) -> None:
    done = edunet("--port", str(agent_port), "-c", "deltaups_mini-snmp", "--walk", str(tmp_path / "new.snmprec"))
    assert done.returncode == 0, done.stderr
    original = Recording.load(CAPTURES / "devices" / "deltaups_mini-snmp.snmprec").values
    assert Recording.load(tmp_path / "new.snmprec").values == original


def test_the_command_says_when_nothing_answers(accuracy: ModuleType) -> None:
    done = edunet("--port", str(accuracy.free_udp_port()), "--timeout", "0.1", "--attempts", "2")
    assert done.returncode == 1
    assert "no answer" in done.stderr
    assert "无应答" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "99999"),
        ("--user", "edu", "--auth", "rot13", "--auth-key", "12345678"),
        ("--user", "edu", "--auth", "sha256", "--auth-key", "short"),
        ("--snmp-version", "4"),
        ("--community", "@/does/not/exist"),
        ("--nonsense",),
    ],
)
def test_wrong_use_ends_with_2(arguments: tuple[str, ...]) -> None:
    done = edunet(*arguments)
    assert done.returncode == 2
    assert done.stderr


# ---------------------------------------------------------------------- nonsense

JUNK = st.one_of(
    st.just(Value(NULL, None)),
    st.builds(Value, st.just(INTEGER), st.sampled_from([0, -1, 2**31 - 1, -(2**31), 65535])),
    st.builds(Value, st.just(COUNTER64), st.sampled_from([0, 2**64 - 1])),
    st.builds(Value, st.just(OBJECT_IDENTIFIER), st.sampled_from([(), (1,), (1, 3, 6, 1, 4, 1), (2, 99, 4294967295)])),
    st.builds(Value, st.sampled_from([OCTET_STRING, 0x44, 0x40]), st.binary(max_size=20)),
    st.builds(Value, st.just(OCTET_STRING), st.sampled_from([b"1e999", b"nan", b"9" * 400, b"-", b"\xff" * 6])),
)


@settings(max_examples=80, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.sampled_from(sorted(OWN.glob("*.snmprec"))), st.lists(JUNK, min_size=1, max_size=8), st.randoms())
def test_whatever_a_device_says_it_is_read(path: Path, junk: list[Value], random: Random) -> None:
    values = {
        oid: random.choice(junk) if random.random() < 0.4 else value
        for oid, value in Recording.load(path).values.items()
    }
    json.dumps(read_device(Recording(values)), allow_nan=False)
