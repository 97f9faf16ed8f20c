"""`edunet probe snmp` against prometheus-snmp-exporter: devices read for each second of the reader's CPU, in the same run, best of three.

    .venv/bin/python benchmarks/bench_snmp.py [--devices 5000] [--rounds 3] [--json]

Both read the same 253 values (sysUpTime, nine columns of 28 ports) of the switches of `../shared/bench/snmpfarm.c`. The exporter is driven by
wrk; its CPU is read from /proc. Ours is the `cpu_s` of the command: from the reading of the targets to the last value. Only the ratio has meaning.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address
from pathlib import Path

ROOT = Path(__file__).parents[1]
FARM = ROOT.parent / "shared" / "bench" / "snmpfarm.c"
COLUMNS = {
    "ifAdminStatus": "1.3.6.1.2.1.2.2.1.7",
    "ifOperStatus": "1.3.6.1.2.1.2.2.1.8",
    "ifHCInOctets": "1.3.6.1.2.1.31.1.1.1.6",
    "ifHCOutOctets": "1.3.6.1.2.1.31.1.1.1.10",
    "ifInErrors": "1.3.6.1.2.1.2.2.1.14",
    "ifOutErrors": "1.3.6.1.2.1.2.2.1.20",
    "ifInDiscards": "1.3.6.1.2.1.2.2.1.13",
    "ifOutDiscards": "1.3.6.1.2.1.2.2.1.19",
    "ifHighSpeed": "1.3.6.1.2.1.31.1.1.1.15",
}
TARGET_RATIO, AIM, PLAIN_RATIO = 30, 100, 3


def free_port(kind: socket.SocketKind) -> int:
    """A free port of that kind."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("0.0.0.0", 0))
        return int(sock.getsockname()[1])


@contextmanager
def farm(folder: Path) -> Iterator[int]:
    """The farm, compiled and running; gives its port."""
    program, port = folder / "snmpfarm", free_port(socket.SOCK_DGRAM)
    subprocess.run(["gcc", "-O2", "-w", "-o", str(program), str(FARM)], check=True)
    process = subprocess.Popen([str(program), "-p", str(port)], stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        process.stderr.readline()
        yield port
    finally:
        process.terminate()
        process.communicate()


def exporter_module() -> str:
    """snmp.yml with one module that reads what we read."""
    lines = ["edunet:", "  version: 2", "  auth: {community: public}", "  get: [1.3.6.1.2.1.1.3.0]", "  walk:"]
    lines += [f"  - {oid}" for oid in COLUMNS.values()]
    lines += ["  metrics:", "  - {name: sysUpTime, oid: 1.3.6.1.2.1.1.3, type: gauge, help: up}"]
    for name, oid in COLUMNS.items():
        lines += [
            f"  - {{name: {name}, oid: {oid}, type: {'gauge' if 'Status' in name or 'Speed' in name else 'counter'}, help: x,"
        ]
        lines += ["     indexes: [{labelname: ifIndex, type: gauge}]}"]
    return "\n".join(lines) + "\n"


@contextmanager
def exporter(folder: Path, modules: str = "") -> Iterator[tuple[int, int]]:
    """prometheus-snmp-exporter with that module (or with the `modules` given); gives (pid, port)."""
    port = free_port(socket.SOCK_STREAM)
    (folder / "snmp.yml").write_text(modules or exporter_module())
    process = subprocess.Popen(
        [
            "prometheus-snmp-exporter",
            f"--config.file={folder / 'snmp.yml'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ],
        stderr=subprocess.PIPE,
    )
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield process.pid, port
    finally:
        process.terminate()
        process.communicate()


def cpu_of(pid: int) -> float:
    """User and system seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def drive_exporter(folder: Path, pid: int, web: int, port: int, devices: int, seconds: int) -> float:
    """Devices for each CPU second of the exporter, asked by wrk for so long."""
    (folder / "ask.lua").write_text(
        "local n = 0\nrequest = function()\n  n = (n + 1) % "
        + str(devices)
        + "\n  local i = n + 1\n  return wrk.format('GET', string.format('/snmp?module=edunet&target=127.1.%d.%d:"
        + str(port)
        + "', math.floor(i / 256), i % 256))\nend\n"
        + "done = function(s, l, r) print('answers', s.requests - s.errors.status - s.errors.timeout) end\n"
    )
    body = urllib.request.urlopen(
        f"http://127.0.0.1:{web}/snmp?module=edunet&target=127.1.0.1:{port}", timeout=10
    ).read()
    values = [line for line in body.decode().splitlines() if line.startswith(("if", "sysUpTime"))]
    assert len(values) == 253, f"the exporter gives {len(values)} values, not 253"
    before = cpu_of(pid)
    done = subprocess.run(
        ["wrk", "-t1", "-c16", f"-d{seconds}", "-s", str(folder / "ask.lua"), f"http://127.0.0.1:{web}/"],
        capture_output=True,
        text=True,
        check=True,
    )
    answers = int(done.stdout.rpartition("answers")[2])
    return answers / (cpu_of(pid) - before)


def run_ours(targets: Path, port: int, engine: str) -> float:
    """Devices for each CPU second of our command."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "edunet.main",
            "probe",
            "snmp",
            "--targets",
            str(targets),
            "--port",
            str(port),
            "--json",
        ],
        env={**os.environ, "EDUNET_ENGINE": engine},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["answered"] == result["targets"], result
    assert result["values"] == 253 * result["targets"], result
    return float(result["answered"] / result["cpu_s"])


def measure(devices: int, rounds: int, seconds: int) -> dict[str, float]:
    """The best of so many runs of each, alternating."""
    best: dict[str, float] = {"snmp_exporter": 0.0, "compiled": 0.0, "python": 0.0}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edunet-bench-")))
        port = stack.enter_context(farm(folder))
        pid, web = stack.enter_context(exporter(folder))
        lists = {"compiled": folder / "many", "python": folder / "few"}
        for engine, count in (("compiled", devices), ("python", min(devices, 500))):
            first = int(IPv4Address("127.1.0.1"))
            lists[engine].write_text("".join(f"{IPv4Address(first + i)}\n" for i in range(count)))
        for _ in range(rounds):
            found = drive_exporter(folder, pid, web, port, min(devices, 5000), seconds)
            best["snmp_exporter"] = max(best["snmp_exporter"], found)
            for engine, targets in lists.items():
                best[engine] = max(best[engine], run_ours(targets, port, engine))
    return best


def main() -> int:
    """Print the ratios; 1 where one is below what the project promises, 0 also where a peer is missing (and it says so)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of each run of the exporter")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    missing = [tool for tool in ("prometheus-snmp-exporter", "wrk", "gcc") if shutil.which(tool) is None]
    if missing or not FARM.exists():
        print(f"bench_snmp: not run: missing {', '.join(missing) or FARM}")
        return 0
    best = measure(given.devices, given.rounds, given.seconds)
    peer = best["snmp_exporter"]
    ratios = {"compiled": best["compiled"] / peer, "python": best["python"] / peer}
    if given.json:
        print(json.dumps({"devices_per_cpu_second": best, "ratios": ratios}))
    else:
        print(f"SNMP, {given.devices} switches of 253 values, devices for each CPU second, best of {given.rounds}:")
        print(f"  snmp_exporter     {peer:10.0f}")
        print(
            f"  edunet, compiled  {best['compiled']:10.0f}   {ratios['compiled']:6.1f} x  (promised {TARGET_RATIO} x, aim {AIM} x)"
        )
        print(f"  edunet, python    {best['python']:10.0f}   {ratios['python']:6.1f} x  (promised {PLAIN_RATIO} x)")
    return int(ratios["compiled"] < TARGET_RATIO or ratios["python"] < PLAIN_RATIO)


if __name__ == "__main__":
    sys.exit(main())
