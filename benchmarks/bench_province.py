"""The province in one `edunet collector`: N switches of 28 ports read every 60 s and pinged every 5 s; what it costs, and whether all is right.

    .venv/bin/python benchmarks/bench_province.py 100000 --seconds 150     # one size
    .venv/bin/python benchmarks/bench_province.py --curve                   # 1,000, 10,000 and 100,000: base and slope
    .venv/bin/python benchmarks/bench_province.py --faults                  # 5 % of the packets lost, 10 % dead, against a clean round

The agents are `../shared/bench/snmpfarm.c`; the collector is started as a user starts it, on a register in a temporary state directory. CPU is that
of all its processes, from /proc, as a share of wall time. Pings on loopback are answered by the kernel in the sender's own time: the peer's share
of them is in the figure. Memory is PSS: what processes share is counted once.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
from bench_icmp import run_fping
from province import INSIDE, Province, Size, address, build

from inventory.database import Register
from probes.snmp.poll import SnmpPoller, SnmpTargets

ROOT = Path(__file__).parents[1]
FARM = ROOT.parent / "shared" / "bench" / "snmpfarm.c"
LIMIT_CPU, LIMIT_BYTES = 0.5, 2e9
"""What issue 5 allows 100,000 switches: half a CPU and 2 GB."""

FPING_PER_CPU_S = 42_000.0
"""Probes for each CPU second of fping where the limit was set (issue 5: 42,000 to 58,000). Half the work of a province is the kernel's, moving packets, as fping's is."""

MOST_TIMES = 11.0
"""10 times the devices may cost so many times as much, beyond what the program costs without any."""

MORE_S, GIVEN_UP_S = 15.0, 12.0
"""Seconds that loss and dead devices may add to a round; seconds after which a dead device is given up."""

DEVICES = 10_000
PORTS, VALUES = 28, 253
RATE_SLACK = 0.08
"""A rate may differ by so much: a reading has one time, and a part of it that was lost is asked again some seconds later (of the 60 between two)."""

PER_SCHOOL = 10
TICK = os.sysconf("SC_CLK_TCK")


class UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("collector", timeout=120)
        self._path = path

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(120)
        self.sock.connect(str(self._path))


class Farm:
    """snmpfarm, compiled and running; its CPU is nobody's."""

    def __init__(self, folder: Path, *options: str) -> None:
        program = folder / "snmpfarm"
        if not program.exists():
            subprocess.run(["gcc", "-O2", "-w", "-o", str(program), str(FARM)], check=True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("0.0.0.0", 0))
            self.port = int(sock.getsockname()[1])
        self.process = subprocess.Popen(
            [str(program), "-p", str(self.port), *options], stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        self.process.stderr.readline()

    def served(self) -> int:
        """Values that it has given out so far."""
        assert self.process.stderr is not None
        self.process.send_signal(signal.SIGUSR1)
        # The signal is taken up with the next request.
        return int(self.process.stderr.readline().split()[-1])

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.communicate()


class Collector:
    """`edunet collector` on a state directory."""

    def __init__(self, state: Path, **settings: str) -> None:
        (state / "run").mkdir(mode=0o700, exist_ok=True)
        self.state, self.socket = state, state / "run" / "collector.sock"
        environment = {**os.environ, "EDUNET_STATE_DIR": str(state), **settings}
        environment.pop("EDUNET_CONFIG", None)
        self.log = state / "collector.log"
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", "edunet.main", "collector"]
            self.process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=state)

    def get(self, path: str) -> bytes:
        """GET; b"" while it is not up."""
        connection = UnixConnection(self.socket)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        except OSError:
            if self.process.poll() is not None:
                raise RuntimeError(self.log.read_text()[-3000:]) from None
            return b""
        finally:
            connection.close()

    def json(self, path: str) -> dict[str, Any]:
        """GET of a JSON object; {} while it is not up."""
        body = self.get(path)
        return dict(json.loads(body)) if body else {}

    def pids(self) -> list[int]:
        """Its own and its children's."""
        found = [self.process.pid]
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                found += [int(pid) for pid in (task / "children").read_text().split()]
            except OSError:  # a thread that has ended
                continue
        return found

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds of the judge's process and of the rounds."""
        times = [cpu_of(pid) for pid in self.pids()]
        return {"judge": times[0], "rounds": sum(times[1:])}

    def memory(self) -> dict[str, int]:
        """PSS and RSS of all processes in bytes."""
        found = {"Pss": 0, "Rss": 0}
        self.each = []
        for pid in self.pids():
            before = found["Pss"]
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name = line.split(":")[0]
                if name in found:
                    found[name] += int(line.split()[1]) * 1024
            self.each.append(found["Pss"] - before)
        return found

    def stop(self) -> None:
        """SIGTERM."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Result:
    """One size. cpu: share of a core while it runs; start_s: CPU seconds until everything was up, read twice and written."""

    devices: int
    cpu: float = 0.0
    judge: float = 0.0
    rounds: float = 0.0
    start_s: float = 0.0
    start_wall_s: float = 0.0
    whole: float = 0.0
    pss: int = 0
    rss: int = 0
    late: int = 0
    stale: int = 0
    values: int = 0
    wanted_values: int = 0
    scrape_s: float = 0.0
    series: int = 0
    wrong: list[str] = field(default_factory=list)


def cpu_of(pid: int) -> float:
    """User and system seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def wait_for(truth: Callable[[], Any], seconds: float, what: str) -> Any:
    """Poll; RuntimeError after the deadline."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = truth()
        if found:
            return found
        time.sleep(0.5)
    raise RuntimeError(f"not within {seconds:.0f} s: {what}")


def wall_so_far(started: float) -> float:
    """Seconds since."""
    return time.monotonic() - started


@contextmanager
def running(devices: int, *farm_options: str, **settings: str) -> Iterator[tuple[Collector, Farm, Province]]:
    """A farm, a register of so many devices, a collector on it."""
    folder = Path(tempfile.mkdtemp(prefix="edunet-province-"))
    farm = Farm(folder, *farm_options)
    try:
        register = Register(f"sqlite:///{folder / 'edunet.db'}", folder / "secret.key")
        register.migrate()
        counties = max(1, min(117, devices // 100))
        size = Size(max(1, round(devices / PER_SCHOOL)), counties, max(1, min(11, counties // 10)), PER_SCHOOL - 1)
        province = build(register, size, farm.port, "public")
        register.close()
        collector = Collector(folder, **settings)
        try:
            yield collector, farm, province
        finally:
            collector.stop()
    finally:
        farm.close()
        shutil.rmtree(folder, ignore_errors=True)


def metric(text: str, name: str) -> float:
    """The value of a metric without labels."""
    match = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(match[1]) if match else 0.0


def settled(collector: Collector, province: Province, named: bool = False) -> bool:
    """Everything answers, was read twice, and is written; named: the names of all ports too, which takes minutes for 100,000 devices."""
    feed = collector.json("/feed")
    rounds = feed.get("rounds") or {}
    n = province.size.devices
    return (
        rounds.get("answered") == n
        and rounds.get("readings", 0) >= 2
        and rounds.get("reading_answered") == n
        and feed["judge"]["pending_rows"] == 0
        and not (named and rounds.get("unnamed", 1))
    )


def next_reading(collector: Collector, farm: Farm) -> tuple[int, int]:
    """When a reading round has just ended: how many did, and values that the farm has given out until then."""
    before = collector.json("/feed")["rounds"]["readings"]
    done = wait_for(
        lambda: (now := collector.json("/feed")["rounds"]["readings"]) > before and now,
        300,
        "the end of a reading round",
    )
    return int(done), farm.served()


def measure(devices: int, seconds: float, quiet: bool = False, named: bool = False) -> Result:
    """Run one size for so long after it has settled."""
    result = Result(devices)
    begun = time.monotonic()
    with running(devices) as (collector, farm, province):
        n = result.devices = province.size.devices
        wait_for(lambda: settled(collector, province, named), 1500, "everything up, read and written")
        result.start_s, result.start_wall_s = sum(collector.cpu_s().values()), time.monotonic() - begun
        readings, served = next_reading(collector, farm)
        before, started = collector.cpu_s(), time.monotonic()
        scrapes: list[float] = []
        text = ""
        while (left := started + seconds - time.monotonic()) > 0:
            for _ in range(max(1, round(min(60.0, left) / 10))):
                time.sleep(min(10.0, max(0.0, started + seconds - time.monotonic())))
                memory = collector.memory()
                result.pss, result.rss = max(result.pss, memory["Pss"]), max(result.rss, memory["Rss"])
            at = time.monotonic()
            text = collector.get("/metrics").decode()
            scrapes.append(time.monotonic() - at)
            if not quiet:
                share = sum(collector.cpu_s().values()) - sum(before.values())
                each = " + ".join(f"{pss / 1e6:.0f}" for pss in collector.each)
                print(
                    f"  {wall_so_far(started):6.0f} s: {share / wall_so_far(started):.3f} of a core, {each} MB",
                    flush=True,
                )
        wall, after = time.monotonic() - started, collector.cpu_s()
        done, given = next_reading(collector, farm)
        feed = collector.json("/feed")
        result.values, result.wanted_values = given - served, (done - readings) * n * VALUES
        result.judge, result.rounds = ((after[name] - before[name]) / wall for name in ("judge", "rounds"))
        result.cpu = result.judge + result.rounds
        result.whole = (result.start_s + result.cpu * 1800) / (1800 + result.start_wall_s)
        result.late = int(metric(text, "edunet_rounds_late_total") + metric(text, "edunet_readings_late_total"))
        result.stale = int(metric(text, "edunet_reports_stale_total"))
        result.scrape_s, result.series = statistics.median(scrapes), text.count("\n")
        result.wrong = check(collector, text, province, feed)
    return result


def check(collector: Collector, text: str, province: Province, feed: dict[str, Any]) -> list[str]:
    """What is not as the farm must have said: states of all, counters and rates of a sample."""
    wrong: list[str] = []
    n, schools = province.size.devices, province.size.schools
    for name, wanted in (('edunet_device_state{[^}]*state="up"}', n), ("probe_success{[^}]*}", n)):
        found = len(re.findall(rf"^{name} 1$", text, re.MULTILINE))
        if found != wanted:
            wrong.append(f"{name}: {found} of {wanted}")
    found = len(re.findall(r'^edunet_school_state{[^}]*state="up"} 1$', text, re.MULTILINE))
    if found != schools:
        wrong.append(f"schools up: {found} of {schools}")
    if feed["rounds"]["dropped"]:
        wrong.append(f"{feed['rounds']['dropped']} messages dropped")
    everyone = [*province.gateways, *province.inside, *province.counties]
    for device in random.Random(7).sample(everyone, min(200, len(everyone))):
        wrong += check_device(collector.json(f"/devices/{device}"))
    return wrong


def check_device(live: dict[str, Any]) -> list[str]:
    """One device against the farm's formula (the head of snmpfarm.c)."""
    name, ports = f"device {live.get('device')} at {live.get('address')}", live.get("ports", [])
    if len(ports) != PORTS:
        return [f"{name}: {len(ports)} ports"]
    offset = farm_hash(int.from_bytes(socket.inet_aton(live["address"]), "big")) % 1_000_000_007
    wrong = []
    for port in ports:
        i = port["ifIndex"]
        at = port["ifHCInOctets"] / i - offset
        if port["ifHCInOctets"] % i or abs(at / 1000 - live["snmp_at"]) > 60:
            wrong.append(f"{name}: ifHCInOctets.{i} {port['ifHCInOctets']}")
        if port["ifOperStatus"] != ("down" if i % 8 == 0 else "up") or port["ifHighSpeed"] != 1000:
            wrong.append(f"{name}: port {i} {port['ifOperStatus']} {port['ifHighSpeed']}")
        for rate, bps in (("in_bps", i * 8000), ("out_bps", i * 16000)):
            if port[rate] is None or abs(port[rate] - bps) > RATE_SLACK * bps:
                wrong.append(f"{name}: {rate}.{i} {port[rate]}, not {bps}")
        for column, error in ((14, "ifInErrors"), (20, "ifOutErrors"), (13, "ifInDiscards"), (19, "ifOutDiscards")):
            ip = int.from_bytes(socket.inet_aton(live["address"]), "big")
            if port[error] != farm_hash((ip + column * 2654435769) % (1 << 32)) % 100_000 + i:
                wrong.append(f"{name}: {error}.{i} {port[error]}")
    return wrong


def farm_hash(x: int) -> int:
    """The farm's hash of an address."""
    x ^= x >> 16
    x = x * 0x7FEB352D % (1 << 32)
    x ^= x >> 15
    x = x * 0x846CA68B % (1 << 32)
    return x ^ x >> 16


def show(result: Result) -> None:
    """One size, in words."""
    print(
        f"{result.devices:,} devices: {result.cpu:.3f} of a core (judge's process {result.judge:.3f}, rounds {result.rounds:.3f}), "
        f"{result.pss / 1e6:.0f} MB (RSS {result.rss / 1e6:.0f})"
    )
    print(
        f"  start: {result.start_s:.1f} s of CPU within {result.start_wall_s:.0f} s; half an hour with it: {result.whole:.3f} of a core"
    )
    print(
        f"  rounds late {result.late}, reports stale {result.stale}, values {result.values:,} of {result.wanted_values:,}, "
        f"a scrape of {result.series:,} lines in {result.scrape_s:.1f} s"
    )
    for line in result.wrong[:10]:
        print(f"  WRONG {line}")


def curve(sizes: list[int], seconds: float, as_json: bool) -> int:
    """What 10 times the devices cost, beyond a fixed base that the smallest two sizes show."""
    results = [measure(size, seconds, quiet=True, named=True) for size in sizes]
    for result in results:
        show(result)
    first, second, last = results[0], results[-2], results[-1]
    bad = 0
    for name, values in (
        ("CPU", [r.cpu for r in (first, second, last)]),
        ("memory", [r.pss / 1e6 for r in (first, second, last)]),
    ):
        step = second.devices - first.devices
        slope = (values[1] - values[0]) / step
        base = values[0] - slope * first.devices
        times = (values[2] - base) / (values[1] - base)
        allowed = last.devices / second.devices * MOST_TIMES / 10
        bad += times > allowed
        unit = "of a core" if name == "CPU" else "MB"
        print(
            f"{name}: base {base:.3f} {unit}, {slope * 1000:.5f} {unit} for each 1,000 devices; "
            f"{last.devices / second.devices:.0f} times the devices cost {times:.1f} times (at most {allowed:.0f})"
        )
    if as_json:
        print(json.dumps([asdict(result) for result in results]))
    return int(bad > 0 or any(r.wrong or r.late for r in results))


def faults(devices: int) -> int:
    """Reading rounds with a twentieth of the packets lost and a tenth of the devices dead, beside clean ones."""
    folder = Path(tempfile.mkdtemp(prefix="edunet-faults-"))
    listed = [address(INSIDE + i) for i in range(devices)]
    dead = np.array([farm_hash(INSIDE + i) % 1000 < 100 for i in range(devices)])
    took: dict[str, float] = {}
    bad = 0
    try:
        for name, options in (("clean", ()), ("faults", ("-l", "50", "-d", "100"))):
            farm = Farm(folder, *options)
            try:
                targets, poller = SnmpTargets(listed, ports=farm.port), SnmpPoller()
                for _ in range(3):
                    begun = time.monotonic()
                    got = poller.round(targets, deadline_s=GIVEN_UP_S, attempts=6)
                    took[name] = min(took.get(name, 1e9), time.monotonic() - begun)
                    alive = ~dead if options else np.ones(devices, np.bool_)
                    bad += int((got.complete != alive).sum()) + int(
                        (np.diff(got.offsets) != np.where(alive, PORTS, 0)).sum()
                    )
                if options:
                    begun = time.monotonic()
                    given_up = poller.round(targets, select=np.flatnonzero(dead), deadline_s=GIVEN_UP_S, attempts=6)
                    took["dead"] = time.monotonic() - begun
                    asked = given_up.requests / dead.sum()
                poller.close()
            finally:
                farm.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{devices:,} switches, best of three: clean round {took['clean']:.1f} s; with 5 % of the packets lost and {dead.sum():,} dead "
        f"{took['faults']:.1f} s (at most {MORE_S:.0f} s more); not read in full though alive: {bad}"
    )
    print(
        f"  the dead alone: given up after {took['dead']:.1f} s (at most {GIVEN_UP_S:.0f}), {asked:.1f} requests each"
    )
    return int(bad > 0 or took["faults"] > took["clean"] + MORE_S or took["dead"] > GIVEN_UP_S + 1)


def slowness() -> float:
    """How many times slower this machine is now than the one on which the limit was set, by fping beside it, best of three; 1 where it is no slower, or fping is missing."""
    if shutil.which("fping") is None:
        return 1.0
    with tempfile.TemporaryDirectory(prefix="edunet-bench-") as folder:
        listing = Path(folder) / "addresses"
        listing.write_text("".join(f"{address((127 << 24) + (77 << 16) + i)}\n" for i in range(20_000)))
        best = max(run_fping(listing, 20_000) for _ in range(3))
    times = max(1.0, FPING_PER_CPU_S / best)
    print(
        f"fping here: {best:,.0f} probes for each CPU second ({FPING_PER_CPU_S:,.0f} where half a CPU was set as the limit): {times:.2f} times slower",
        flush=True,
    )
    return times


def main() -> int:
    """Run it; 1 where something is wrong, late, or above the limits of issue 5."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("devices", type=int, nargs="?", default=DEVICES)
    parser.add_argument("--seconds", type=float, default=125, help="how long after it has settled")
    parser.add_argument("--curve", action="store_true", help="1,000, 10,000 and 100,000")
    parser.add_argument(
        "--named", action="store_true", help="begin when all ports have been named and written, as the curve does"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--faults",
        action="store_true",
        help="5 %% of the packets lost, 10 %% of the devices dead, against a clean round",
    )
    given = parser.parse_args()
    if shutil.which("gcc") is None or not FARM.exists():
        print("bench_province: not run: gcc or ../shared/bench is missing")
        return 0
    if given.faults:
        return faults(given.devices if given.devices != DEVICES else 20_000)
    if given.curve:
        return curve([1_000, 10_000, 100_000], given.seconds, given.json)
    slower = slowness()
    result = measure(given.devices, given.seconds, named=given.named)
    show(result)
    if given.json:
        print(json.dumps(asdict(result)))
    share = max(result.devices / 100_000, 0.3)  # what the program costs without devices is in it
    over = result.cpu > LIMIT_CPU * slower * share or result.pss > LIMIT_BYTES * share
    return int(bool(result.wrong) or result.late > 0 or result.values < result.wanted_values or over)


if __name__ == "__main__":
    sys.exit(main())
