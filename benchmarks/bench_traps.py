"""Traps for each CPU second of the process that hears them, against Debian's snmptrapd in the same run; and 10,000 a second beside a polling round.

    .venv/bin/python benchmarks/bench_traps.py [--traps 30000] [--rounds 3] [--seconds 20] [--json]

The same datagrams (linkDown of RFC 2863 with four bindings, v2c; and v3 authPriv of SHA-256 and AES-128) go from 500 addresses to each, never more at once than
its buffer holds; its CPU is read from /proc. snmptrapd logs each to /dev/null, ours takes each: nothing is thrown away as a storm. Then rounds of
`SnmpPoller` over the farm go on while 10,000 traps a second come in: every one is accounted for, every device is read whole. Only ratios have meaning.
"""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import numpy as np
from bench_snmp import FARM, cpu_of, farm, free_port

from collector.child import Child
from collector.traps.messages import Senders, TrapHealth, TrapHello
from probes.snmp import usm
from probes.snmp.ber import OCTET_STRING, Value, encode_tlv
from probes.snmp.credential import Credential
from probes.snmp.message import (
    TRAP,
    Pdu,
    SecurityParameters,
    encode_full_pdu,
    encode_message,
    encode_scoped_pdu,
    encode_v3,
)
from probes.snmp.poll import SnmpPoller, SnmpTargets

SNMPTRAPD = shutil.which("snmptrapd", path="/usr/sbin:/usr/bin:/sbin")
DEVICES, DEMANDED = 500, 10_000
AUTH, PRIV = "an-auth-password", "a-priv-password"
V2C, V3 = Credential(), Credential("3", b"", "edu", "sha256", AUTH, "aes128", PRIV)
ADDRESSES = [str(IPv4Address("127.20.0.1") + i) for i in range(DEVICES)]
LINK_DOWN = (
    ((1, 3, 6, 1, 2, 1, 1, 3, 0), Value(0x43, 12345)),
    ((1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0), Value(6, (1, 3, 6, 1, 6, 3, 1, 1, 5, 3))),
    ((1, 3, 6, 1, 2, 1, 2, 2, 1, 1, 5), Value(2, 5)),
    ((1, 3, 6, 1, 2, 1, 2, 2, 1, 7, 5), Value(2, 1)),
    ((1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 5), Value(2, 2)),
    ((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1, 5), Value(4, b"GigabitEthernet0/0/5")),
)

BEGUN = time.monotonic()
"""When the clocks of the devices of the benchmark began."""


def engine_of(device: int) -> bytes:
    """The engineID of a device of the benchmark."""
    return bytes.fromhex("8000000001") + device.to_bytes(4, "big")


def v2c(number: int, _device: int) -> bytes:
    """One v2c trap."""
    return encode_message("2c", b"public", encode_full_pdu(Pdu(TRAP, number + 1, 0, 0, LINK_DOWN)))


def v3(number: int, device: int) -> bytes:
    """One authPriv trap, made now: the device's clock goes on as the receiver's does, or on a slow machine it falls out of the time window (RFC 3414, 2.2.3)."""
    engine, at = engine_of(device), 1000 + int(time.monotonic() - BEGUN)
    keys = usm.localise(V3, engine)
    body = encode_scoped_pdu(engine, b"", encode_full_pdu(Pdu(TRAP, number + 1, 0, 0, LINK_DOWN)))
    secret, salt = usm.encrypt("aes128", keys.priv, 1, at, body, number)
    security = SecurityParameters(engine, 1, at, b"edu", bytes(24), salt)
    whole, where = encode_v3(number + 1, 3, security, encode_tlv(OCTET_STRING, secret))
    return usm.sign(whole, where, "sha256", keys.auth)


class Ears:
    """Our process, started as the collector starts it, with all devices of the benchmark as senders."""

    def __init__(self, folder: Path, port: int, burst: int, credential: Credential) -> None:
        hello = TrapHello(0.0, f"127.0.0.1:{port}", str(folder / f"traps{port}.json"), 10.0, burst, 60)
        self.health: TrapHealth | None = None
        self.child = Child("traps", hello, self._take)
        self.child.give(_senders(credential))
        self.thread = threading.Thread(target=self.child.run, daemon=True)
        self.thread.start()
        while self.health is None or self.health.detail["senders"] != DEVICES:
            time.sleep(0.02)

    def _take(self, message: Any, _fds: list[int]) -> None:
        if isinstance(message, TrapHealth):
            self.health = message

    def counts(self) -> tuple[int, int]:
        """(taken, all that was counted) by now; the process says it once a second."""
        assert self.health is not None
        return self.health.counts["taken"], sum(self.health.counts.values())

    def lost(self) -> int:
        """Datagrams that the kernel had no room for."""
        assert self.health is not None
        return int(self.health.detail["dropped_by_kernel"])

    def close(self) -> None:
        """End it."""
        self.child.stop()
        self.thread.join(5)


def _senders(credential: Credential) -> Senders:
    n = np.arange(DEVICES, dtype=np.int32)
    packed = [socket.inet_aton(address) for address in ADDRESSES]
    return Senders(
        1, n.astype(np.int64), np.zeros(DEVICES, np.int32), packed, n * 0, n, ("main",), ((),), (credential,)
    )


@contextmanager
def snmptrapd(folder: Path, port: int) -> Iterator[int]:
    """Debian's receiver with the same community and users; gives its process id."""
    users = [f'createUser -e 0x{engine_of(i).hex()} edu SHA-256 "{AUTH}" AES "{PRIV}"' for i in range(DEVICES)]
    lines = ["authCommunity log public", "authUser log edu priv", *users]
    (folder / "snmptrapd.conf").write_text("\n".join(lines) + "\n")
    command = [str(SNMPTRAPD), "-f", "-n", "-m", "", "-C", "-c", str(folder / "snmptrapd.conf"), "-Lf", "/dev/null"]
    environment = {"SNMP_PERSISTENT_DIR": str(folder / "peer"), "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(
        [*command, f"udp:127.0.0.1:{port}"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while queue_of(port) is None:
            time.sleep(0.05)
        time.sleep(2.0)  # it localises its users' keys after it has bound
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def queue_of(port: int) -> tuple[int, int] | None:
    """(octets that wait, datagrams dropped) at the UDP socket of this port, None where there is none (proc(5), net/udp)."""
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == port:
            return int(fields[4].rpartition(":")[2], 16), int(fields[12])
    return None


def blast(port: int, datagrams: list[bytes]) -> None:
    """Send them, datagram i from device i modulo their number, never more than waits well within the default buffer."""
    sockets = []
    for address in ADDRESSES:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, 0))
        sock.connect(("127.0.0.1", port))
        sockets.append(sock)
    for i, datagram in enumerate(datagrams):
        if i % 100 == 0:
            while (queue_of(port) or (0, 0))[0] > 20_000:
                time.sleep(0.0005)
        sockets[i % DEVICES].send(datagram)
    while (queue_of(port) or (0, 0))[0]:
        time.sleep(0.01)
    for sock in sockets:
        sock.close()


def measure(pid: int, port: int, datagrams: list[bytes]) -> float:
    """Traps for each CPU second of process `pid`."""
    before, dropped = cpu_of(pid), (queue_of(port) or (0, 0))[1]
    blast(port, datagrams)
    assert (queue_of(port) or (0, 0))[1] == dropped, "datagrams were lost: nothing was measured"
    time.sleep(1.2)  # what is still in its hands
    return len(datagrams) / max(0.01, cpu_of(pid) - before)


def compare(folder: Path, make: Callable[[int, int], bytes], credential: Credential, count: int, rounds: int) -> dict:
    """The best of so many runs of each, alternating; every trap is a new one."""
    best = {"edunet": 0.0, "snmptrapd": 0.0}
    ours, theirs = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    ears = Ears(folder, ours, burst=10**6, credential=credential)
    try:
        with snmptrapd(folder, theirs) as peer:
            for number in range(rounds):
                told = [make(number * count + i, i % DEVICES) for i in range(count)]
                before = ears.counts()
                assert ears.child.pid is not None
                best["edunet"] = max(best["edunet"], measure(ears.child.pid, ours, told))
                deadline = time.monotonic() + 10
                while ears.counts()[0] - before[0] < count and time.monotonic() < deadline:
                    time.sleep(0.1)
                assert ears.counts()[0] - before[0] == count, f"not all were taken: {ears.health}"
                best["snmptrapd"] = max(best["snmptrapd"], measure(peer, theirs, told))
    finally:
        ears.close()
    return best


def storm(port: int, per_second: int, until: float) -> int:
    """Send so many a second until then; how many."""
    told, sent, begun = [v2c(i, i) for i in range(DEVICES)], 0, time.monotonic()
    sockets = []
    for address in ADDRESSES:
        sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sockets[-1].bind((address, 0))
        sockets[-1].connect(("127.0.0.1", port))
    while (now := time.monotonic()) < until:
        while sent < (now - begun) * per_second:
            sockets[sent % DEVICES].send(told[sent % DEVICES])
            sent += 1
        time.sleep(0.002)
    return sent


def beside_polling(folder: Path, seconds: int, devices: int) -> dict:
    """Rounds over the farm with a storm beside them: what was sent, heard and lost, how many devices were read, how many not whole."""
    with farm(folder) as port:
        listed = [str(IPv4Address("127.1.0.1") + i) for i in range(devices)]
        targets, poller = SnmpTargets(listed, ports=port), SnmpPoller()
        poller.round(targets)
        ears = Ears(folder, heard := free_port(socket.SOCK_DGRAM), burst=20, credential=V2C)
        sender = subprocess.Popen(
            [sys.executable, __file__, "--send", str(heard), "--seconds", str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )
        read = incomplete = rounds = 0
        while sender.poll() is None:
            readings = poller.round(targets)
            rounds += 1
            read += int(readings.complete.sum())
            incomplete += int((~readings.complete).sum())
        sent = int(sender.communicate()[0])
        deadline = time.monotonic() + 30
        while ears.counts()[1] + ears.lost() < sent and time.monotonic() < deadline:
            time.sleep(0.1)
        counted, lost = ears.counts()[1], ears.lost()
        ears.close()
        poller.close()
    return {
        "sent": sent,
        "per_second": sent / seconds,
        "counted": counted,
        "lost": lost,
        "rounds": rounds,
        "read": read,
        "incomplete": incomplete,
    }


def main() -> int:
    """Print the ratios; 1 where a trap or a device was lost, 0 also where a peer is missing (and it says so)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traps", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--devices", type=int, default=2000, help="of the farm")
    parser.add_argument("--send", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.send:
        print(storm(given.send, DEMANDED, time.monotonic() + given.seconds))
        return 0
    missing = [] if SNMPTRAPD else ["snmptrapd"]
    missing += [] if FARM.exists() and shutil.which("gcc") else ["the farm (../shared/bench, gcc)"]
    if missing:
        print(f"bench_traps: not run: missing {', '.join(missing)}")
        return 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edunet-bench-")))
        found = {
            "v2c": compare(folder, v2c, V2C, given.traps, given.rounds),
            "v3": compare(folder, v3, V3, given.traps, given.rounds),
            "beside_polling": (beside := beside_polling(folder, given.seconds, given.devices)),
        }
    if given.json:
        print(json.dumps(found))
    else:
        print(
            f"traps for each CPU second of the receiver, {given.traps} from {DEVICES} devices, best of {given.rounds}:"
        )
        for kind in ("v2c", "v3"):
            ours, peer = found[kind]["edunet"], found[kind]["snmptrapd"]
            print(f"  {kind:4} edunet {ours:9.0f}   snmptrapd {peer:9.0f}   {ours / peer:5.2f} x")
        print(
            f"beside polling: {beside['per_second']:.0f} traps a second (demanded {DEMANDED}), {beside['sent']} sent, {beside['counted']} counted, "
            f"{beside['lost']} lost by the kernel; {beside['rounds']} rounds, {beside['read']} devices read, {beside['incomplete']} not whole"
        )
    whole = beside["counted"] + beside["lost"] == beside["sent"] and not beside["lost"]
    return int(not whole or beside["incomplete"] > 0 or beside["per_second"] < 0.95 * DEMANDED)


if __name__ == "__main__":
    sys.exit(main())
