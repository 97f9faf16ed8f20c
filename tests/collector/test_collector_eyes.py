"""The collector's own eyes: references of three kinds; without any, the carrier and the default gateway."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.rounds.eyes import Eyes
from collector.targets import ZonePlan
from inventory.references import parse_reference

ROUTE = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """/proc and /sys of a machine with the default gateway 192.168.2.1 on eth0, whose carrier is there."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net/route").write_text(ROUTE)
    (tmp_path / "class/net/eth0").mkdir(parents=True)
    (tmp_path / "class/net/eth0/carrier").write_text("1\n")
    return tmp_path


def eyes(machine: Path, *references: str) -> Eyes:
    return Eyes((ZonePlan(1, "z", references),), machine, machine)


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def test_one_reference_of_several_kinds_is_enough(machine: Path, listening: int) -> None:
    seeing = eyes(machine, "10.0.0.1", f"tcp:127.0.0.1:{listening}", "gateway")
    assert (seeing.addresses, seeing.tcp, seeing.weak) == (["10.0.0.1", "192.168.2.1"], [("127.0.0.1", listening)], ())
    assert seeing.ask_tcp(2.0) == [True]
    assert seeing.self_ok([False, False], [False], [True]) == [True]
    assert seeing.self_ok([False, True], [False], [False]) == [True]
    # Declared references that are all silent: it is blind, whatever else answers.
    assert seeing.self_ok([False, False], [True], [False]) == [False]


def test_a_reset_shows_that_the_way_is_open_and_silence_does_not(machine: Path) -> None:
    assert eyes(machine, f"tcp:127.0.0.1:{closed_port()}").ask_tcp(2.0) == [True]
    with socket.socket() as full:  # a listener whose queue is full answers nothing
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        assert eyes(machine, f"tcp:127.0.0.1:{port}").ask_tcp(0.5) == [False]
        for sock in waiting:
            sock.close()


def test_without_references_the_carrier_and_a_gateway_that_has_answered_tell(machine: Path) -> None:
    seeing = eyes(machine)
    assert (seeing.addresses, seeing.weak) == (["192.168.2.1"], ("z",))
    assert seeing.self_ok([False], [False]) == [True]  # a gateway that never answers pings: the carrier is there
    (machine / "class/net/eth0/carrier").write_text("0\n")
    assert seeing.self_ok([False], [False]) == [False]
    assert seeing.self_ok([False], [True]) == [True]
    (machine / "class/net/eth0/carrier").write_text("1\n")
    assert seeing.self_ok([True], [False]) == [True]
    assert seeing.self_ok([False], [False]) == [False]  # it answered until now


def test_what_never_leaves_the_machine_is_always_seen(tmp_path: Path) -> None:
    seeing = eyes(tmp_path)
    assert seeing.addresses == []
    assert seeing.self_ok([], [False]) == [True]


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("10.0.0.1", ("10.0.0.1", 0)),
        ("fd00::1", ("fd00::1", 0)),
        ("tcp:10.0.0.1:53", ("10.0.0.1", 53)),
        ("tcp:[fd00::1]:53", ("fd00::1", 53)),
        ("gateway", ("gateway", 0)),
        ("dns.example", None),
        ("tcp:10.0.0.1", None),
        ("tcp:10.0.0.1:0", None),
        ("tcp:10.0.0.1:70000", None),
        ("udp:10.0.0.1:53", None),
    ],
)
def test_how_references_are_written(text: str, parsed: tuple[str, int] | None) -> None:
    assert parse_reference(text) == parsed
