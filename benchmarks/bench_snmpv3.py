"""SNMPv3 authPriv (SHA-256, AES-128) against prometheus-snmp-exporter: devices for each second of the reader's CPU, alternating, best of three.

    .venv/bin/python benchmarks/bench_snmpv3.py [--exchanges 2000] [--rounds 3] [--json] [--parts]

Both read the same values (sysUpTime, nine columns of the ports of this machine) of one Debian snmpd, at 127.5.x.x. The exporter is driven by wrk, its CPU
read from /proc; ours is this process's, over whole rounds of `SnmpPoller`, the first of which discovers. Only ratios have meaning.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from bench_snmp import COLUMNS, cpu_of, exporter, exporter_module, free_port

from probes import engine as engines
from probes.engine.channel import pack_addresses
from probes.snmp.client import NoAnswerError, SnmpClient
from probes.snmp.credential import Credential
from probes.snmp.oids import SYS_UPTIME
from probes.snmp.poll import SnmpPoller, SnmpTargets
from probes.snmp.secure import Agent

TARGET_RATIO, AIM_OF_V2C = 10, 1 / 3
AUTH, PRIV = "an-auth-password", "a-priv-password"
V3 = Credential("3", b"", "edu", "sha256", AUTH, "aes128", PRIV)
SNMPD = shutil.which("snmpd", path="/usr/sbin:/usr/bin:/sbin")
AT_ONCE = 16
"""Requests on their way to the one snmpd, of either reader."""


@contextmanager
def agent(folder: Path) -> Iterator[int]:
    """snmpd with one authPriv user and a community; gives its port."""
    import socket

    port = free_port(socket.SOCK_DGRAM)
    lines = ["rocommunity public", f'createUser edu SHA-256 "{AUTH}" AES "{PRIV}"', "rouser edu priv"]
    (folder / "snmpd.conf").write_text("\n".join(lines) + "\n")
    program = [str(SNMPD), "-f", "-Ln", "-C", "-c", str(folder / "snmpd.conf"), "-I", "-smux", f"udp:{port}"]
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(60):
            try:
                with SnmpClient("127.0.0.1", port, V3, timeout_s=0.5, attempts=1) as client:
                    if client.get([SYS_UPTIME]):
                        break
            except NoAnswerError:
                continue
        yield port
    finally:
        process.terminate()
        process.wait()


def v3_module() -> str:
    """snmp.yml of `bench_snmp`, asked by v3."""
    auth = (
        "  version: 3\n  auth: {username: edu, security_level: authPriv, auth_protocol: SHA256, "
        f"priv_protocol: AES, password: {AUTH}, priv_password: {PRIV}}}\n"
    )
    return exporter_module().replace("  version: 2\n  auth: {community: public}\n", auth)


def drive(folder: Path, pid: int, web: int, port: int, devices: int, seconds: int, values: int) -> float:
    """Devices for each CPU second of the exporter."""
    (folder / "ask.lua").write_text(
        f"local n = 0\nrequest = function()\n  n = (n + 1) % {devices}\n"
        "  return wrk.format('GET', string.format('/snmp?module=edunet&target=127.5.%d.%d:"
        f"{port}', math.floor(n / 250), n % 250 + 1))\nend\n"
        "done = function(s, l, r) print('answers', s.requests - s.errors.status - s.errors.timeout) end\n"
    )
    body = urllib.request.urlopen(
        f"http://127.0.0.1:{web}/snmp?module=edunet&target=127.5.0.1:{port}", timeout=20
    ).read()
    got = [line for line in body.decode().splitlines() if line.startswith((*COLUMNS, "sysUpTime"))]
    assert len(got) == values, f"the exporter gives {len(got)} values, we {values}"
    before = cpu_of(pid)
    program = ["wrk", "-t1", f"-c{AT_ONCE}", f"-d{seconds}", "--timeout", "20s", "-s", str(folder / "ask.lua")]
    done = subprocess.run([*program, f"http://127.0.0.1:{web}/"], capture_output=True, text=True, check=True)
    return int(done.stdout.rpartition("answers")[2]) / (cpu_of(pid) - before)


def read(poller: SnmpPoller, targets: SnmpTargets) -> tuple[float, int]:
    """(devices for each CPU second of ours, values of one device)."""
    began = time.process_time()
    readings = poller.round(targets, deadline_s=120)
    spent = time.process_time() - began
    assert readings.complete.all(), f"{int((~readings.complete).sum())} devices were not read: {readings.failures}"
    return len(targets) / spent, readings.values // len(targets)


def measure(exchanges: int, rounds: int, seconds: int) -> dict[str, float]:
    """The best of so many runs of each, alternating."""
    best = {"snmp_exporter": 0.0, "v3": 0.0, "v2c": 0.0}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edunet-bench-")))
        port = stack.enter_context(agent(folder))
        pid, web = stack.enter_context(exporter(folder, v3_module()))
        poller = SnmpPoller(window=AT_ONCE)
        stack.callback(poller.close)
        listed = [f"127.5.{i // 250}.{i % 250 + 1}" for i in range(exchanges)]
        v3, v2c = (SnmpTargets(listed, ports=port, credentials=credential) for credential in (V3, Credential()))
        for _ in range(rounds):
            found, values = read(poller, v3)
            best["v3"] = max(best["v3"], found)
            best["v2c"] = max(best["v2c"], read(poller, v2c)[0])
            best["snmp_exporter"] = max(
                best["snmp_exporter"], drive(folder, pid, web, port, exchanges, seconds, values)
            )
        best["values"] = values
    return best


def parts(engine: str) -> tuple[float, float]:
    """us of CPU for (wrapping a request of 250 octets, opening an answer of 695) on this engine: the smallest of 60 batches of 128."""
    seals, n, size = engines.load("seal", engine), 128, 2048  # type: ignore[arg-type]
    packed, _ = pack_addresses([(f"10.0.0.{i + 1}", 161) for i in range(n)])
    agents = [Agent(V3) for _ in range(n)]
    packets, lengths, devices = np.zeros(n * size, np.uint8), np.zeros(n, np.int32), np.arange(n, dtype=np.int32)
    seal, speaker = seals.Seal(1), seals.Seal(2)
    seal.begin(dict(enumerate(agents)), packed.tobytes())
    requests, answers = [], []
    for i, agent in enumerate(agents):
        agent.meet(b"\x80\x00\x1f\x88" + i.to_bytes(8, "big"), 3, 1000, 0.0)
        head = b"\x02\x04\x41\x00\x00%c\x02\x01\x00\x02\x01\x08" % i
        requests.append(seals.as_v2c(seals.tlv(0xA5, head + seals.tlv(0x30, bytes(170)))))
        agent.request_id, agent.pdu = head[2:6], seals.tlv(0xA2, head + seals.tlv(0x30, bytes(560)))
        answers.append(speaker.wrap(agent, size, 0.5))

    def fill(messages: list[bytes]) -> float:
        for i, message in enumerate(messages):
            packets[i * size : i * size + len(message)] = np.frombuffer(message, np.uint8)
            lengths[i] = len(message)
        return time.thread_time()

    best = [1.0, 1.0]
    for _ in range(60):
        began = fill(requests)
        seal.wrap_all(devices.data, n, packets.data, size, lengths.data, 0.7)
        best[0] = min(best[0], time.thread_time() - began)
        began = fill(answers)
        opened = seal.open_all(packets.data, size, lengths.data, packed.data, n, 0.7)
        best[1] = min(best[1], time.thread_time() - began)
        assert opened == n
    return best[0] / n * 1e6, best[1] / n * 1e6


def tell_parts() -> int:
    """Print what sealing takes, on both engines."""
    for engine in ("python", "compiled"):
        wrapped, opened = parts(engine)
        print(f"SNMPv3 authPriv, {engine}: {wrapped:.1f} us to wrap a request, {opened:.1f} us to open an answer")
    return 0


def main() -> int:
    """Print the ratios; 1 where v3 is below what the project promises, 0 also where a peer is missing (and it says so)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exchanges", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each run of the exporter")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--parts", action="store_true", help="only what wrapping and opening take, on both engines")
    given = parser.parse_args()
    if given.parts:
        return tell_parts()
    missing = [tool for tool in ("prometheus-snmp-exporter", "wrk") if shutil.which(tool) is None]
    missing += [] if SNMPD else ["snmpd"]
    if missing:
        print(f"bench_snmpv3: not run: missing {', '.join(missing)}")
        return 0
    best = measure(given.exchanges, given.rounds, given.seconds)
    ratios = {"snmp_exporter": best["v3"] / best["snmp_exporter"], "v2c": best["v3"] / best["v2c"]}
    if given.json:
        print(json.dumps({"devices_per_cpu_second": best, "ratios": ratios}))
    else:
        print(
            f"SNMPv3 authPriv, {given.exchanges} reads of {best['values']:.0f} values, devices for each CPU second, best of {given.rounds}:"
        )
        print(f"  snmp_exporter, v3 {best['snmp_exporter']:10.0f}")
        print(f"  edunet, v3        {best['v3']:10.0f}   {ratios['snmp_exporter']:6.1f} x  (promised {TARGET_RATIO} x)")
        print(f"  edunet, v2c       {best['v2c']:10.0f}   v3 is {ratios['v2c']:.2f} of it  (aim {AIM_OF_V2C:.2f})")
    return int(ratios["snmp_exporter"] < TARGET_RATIO)


if __name__ == "__main__":
    sys.exit(main())
