"""The farm of `../shared/bench/snmpfarm.c` for tests: compiled once, started on a free port, and what it must have said."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pytest

SOURCE = Path(__file__).parents[3] / "shared" / "bench" / "snmpfarm.c"


@cache
def farm_program() -> Path:
    """The compiled farm; skips where it cannot be had."""
    if not SOURCE.exists():
        pytest.skip(f"no {SOURCE}: the farm's source is not here")
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no gcc: the farm cannot be compiled")
    program = Path(tempfile.mkdtemp(prefix="edunet-farm-")) / "snmpfarm"
    subprocess.run([compiler, "-O2", "-w", "-o", str(program), str(SOURCE)], check=True)
    return program


def free_udp_port() -> int:
    """A UDP port that nobody has on any address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("0.0.0.0", 0))
        return int(sock.getsockname()[1])


@contextmanager
def running_farm(*options: str) -> Iterator[int]:
    """A farm with these options; gives its port."""
    port = free_udp_port()
    process = subprocess.Popen(
        [str(farm_program()), "-p", str(port), *options], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        assert process.stderr is not None
        assert b"port" in process.stderr.readline()  # it prints its line when the socket is bound
        yield port
    finally:
        process.terminate()
        process.wait(10)
        if process.stderr:
            process.stderr.close()


def addresses(count: int, first: str = "127.1.0.1") -> list[str]:
    """`count` addresses of the farm."""
    return [str(IPv4Address(int(IPv4Address(first)) + i)) for i in range(count)]


def mix(numbers: np.ndarray) -> np.ndarray:
    """The farm's hash of 32-bit numbers."""
    x = numbers.astype(np.uint32)
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x7FEB352D)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def is_dead(listed: list[str], per_mille: int) -> np.ndarray:
    """Which of them never answer under `-d per_mille`."""
    return mix(np.array([int(IPv4Address(a)) for a in listed], np.uint32)) % np.uint32(1000) < per_mille


def wrong_values(address: str, uptime: int, rows: list[tuple[int, list[int]]], began: float, ended: float) -> list[str]:
    """What of these readings the farm cannot have said between two moments (seconds since the epoch). `rows`: (ifIndex, nine values)."""
    ip = int(IPv4Address(address))
    base = int(mix(np.array([ip], np.uint32))[0]) % 1_000_000_007
    low, high = int(began * 1000) + base - 1, int(ended * 1000) + base + 1
    wrong = []
    if not low // 10 <= uptime + ((low // 10) >> 32 << 32) <= high // 10 + 1:
        wrong.append(f"{address} sysUpTime {uptime}")
    for index, values in rows:
        admin, oper, octets_in, octets_out = values[:4]
        faults = [
            int(mix(np.array([(ip + c * 2654435769) % (1 << 32)], np.uint32))[0]) % 100_000 + index
            for c in (14, 20, 13, 19)
        ]
        right = (
            admin == 1
            and oper == (2 if index % 8 == 0 else 1)
            and octets_in % index == 0
            and low <= octets_in // index <= high
            and octets_out % (2 * index) == 0
            and low <= octets_out // (2 * index) <= high
            and values[4:8] == faults
            and values[8] == 1000
        )
        if not right:
            wrong.append(f"{address} port {index}: {values}")
    return wrong


def count_wrong(listed: list[str], uptimes: list[int], table: np.ndarray, began: float, ended: float) -> dict[str, int]:
    """How many values of a whole farm it cannot have said between two moments (seconds since the epoch), by name; of thousands of devices at once.

    table: (devices, ports from ifIndex 1 on, the nine columns in the order of `wrong_values`), int64.
    """
    ips = np.array([int(IPv4Address(address)) for address in listed], np.uint32)
    base = mix(ips).astype(np.int64) % 1_000_000_007
    low, high = int(began * 1000) + base - 1, int(ended * 1000) + base + 1
    index = np.arange(1, table.shape[1] + 1)
    admin, oper, octets_in, octets_out = (table[:, :, i] for i in range(4))
    ticks = np.array(uptimes, np.int64)
    ticks = ticks + ((low // 10 - ticks + (1 << 31)) >> 32 << 32)  # the turn of sysUpTime's 32 bits that is nearest
    wrong = {
        "sysUpTime": (ticks < low // 10) | (ticks > high // 10 + 1),
        "ifAdminStatus": admin != 1,
        "ifOperStatus": oper != np.where(index % 8 == 0, 2, 1),
        "ifHCInOctets": _off(octets_in, index, low, high),
        "ifHCOutOctets": _off(octets_out, 2 * index, low, high),
        "ifHighSpeed": table[:, :, 8] != 1000,
    }
    for place, (name, column) in enumerate(
        (("ifInErrors", 14), ("ifOutErrors", 20), ("ifInDiscards", 13), ("ifOutDiscards", 19))
    ):
        told = mix((ips.astype(np.uint64) + column * 2654435769).astype(np.uint32)).astype(np.int64) % 100_000
        wrong[name] = table[:, :, 4 + place] != told[:, None] + index
    return {name: int(np.count_nonzero(found)) for name, found in wrong.items()}


def _off(octets: np.ndarray, step: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Which counters are no multiple of their port's pace, or of another moment."""
    turns = octets // step
    return (octets % step != 0) | (turns < low[:, None]) | (turns > high[:, None])


def wait_until(true: object, seconds: float = 10.0) -> None:
    """Poll a function until it is true; fails after so long."""
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "never became true"
        time.sleep(0.01)
