"""Pinging by the program fping, where our own sockets are not allowed but fping's are (Debian gives it CAP_NET_RAW)."""

import re
import shutil
import subprocess
import time

import numpy as np

from probes.icmp.loop import PingLimits
from probes.icmp.pinger import Pinger, Progress
from probes.icmp.readings import PingReadings, PingTargets, empty_readings

BATCH = 5000
_LINE = re.compile(r"^(\S+)\s+: ((?:[-\d.]+ ?)+)$")


def is_usable() -> bool:
    """Whether fping is there and may open its socket: it says so by exit codes 0 to 2; 3 and 4 are failures of its own."""
    if shutil.which("fping") is None:
        return False
    try:
        done = subprocess.run(
            ["fping", "-q", "-C1", "-r0", "-t100", "127.0.0.1"], capture_output=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode in (0, 1, 2)


def parse(text: str) -> dict[str, list[float]]:
    """`fping -C -q` output as {address: [RTT in seconds, nan for a miss]}; what is no such line is passed over."""
    found: dict[str, list[float]] = {}
    for line in text.splitlines():
        match = _LINE.match(line.strip())
        if match:
            parts = match.group(2).split()
            try:
                found[match.group(1)] = [float("nan") if part == "-" else float(part) / 1000 for part in parts]
            except ValueError:
                continue
    return found


class FpingPinger(Pinger):
    """Rounds by fping, some thousand targets a run; the silent are asked again by further runs. It lets an ordinary user send a probe each ms."""

    method = "fping"

    def _ask(
        self, targets: PingTargets, members: np.ndarray, limits: PingLimits, progress: Progress | None
    ) -> PingReadings:
        readings = empty_readings(len(targets), time.time())
        for attempt in range(limits.attempts):
            probes = limits.count if attempt == 0 else 1
            for first in range(0, len(members), BATCH):
                self._run(targets, members[first : first + BATCH], probes, limits, readings)
                if progress:
                    progress(int(readings.sent.sum()))
            members = members[~readings.answered[members]]
            if not len(members):
                break
        readings.ended = time.time()
        return readings

    def _run(
        self, targets: PingTargets, members: np.ndarray, probes: int, limits: PingLimits, readings: PingReadings
    ) -> None:
        interval_ms = max(1.0, 1000 / limits.rate_pps)
        patience_ms = max(50, int(limits.patience() * 1000))
        command = ["fping", "-q", f"-C{probes}", "-r0", f"-t{patience_ms}", f"-i{interval_ms:g}", "-p100"]
        listing = "".join(targets.addresses[i] + "\n" for i in members)
        done = subprocess.run(command, input=listing, capture_output=True, text=True, check=False)
        found = parse(done.stderr)
        for number in members:
            times = np.array(found.get(targets.addresses[number], []), np.float32)
            readings.sent[number] += probes
            came = times[~np.isnan(times)]
            if not len(came):
                continue
            readings.answered[number] = True
            readings.received[number] += len(came)
            readings.rtt_seconds[number] = np.fmin(readings.rtt_seconds[number], came.min())
            if len(came) > 1:
                readings.jitter_seconds[number] = np.abs(np.diff(came)).mean()
