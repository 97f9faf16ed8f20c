"""`edunet probe icmp` against fping: probes for each second of CPU, in the same run, best of three.

    .venv/bin/python benchmarks/bench_icmp.py [--targets 20000] [--rounds 3] [--million] [--json]

Both ping the same loopback addresses at 20,000 a second. `--million`: also a million probes, of which none may be lost. Only ratios have meaning.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from ipaddress import IPv4Address
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET_RATIO, AIM, RATE = 2, 3, 20_000


def run_fping(listing: Path, targets: int) -> float:
    """Probes for each CPU second of fping, RTT of each target kept (-C)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with listing.open() as given:
        subprocess.run(
            ["fping", "-q", "-C1", "-r0", f"-i{1000 / RATE:g}"],
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return targets / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def run_ours(listing: Path, engine: str, count: int = 1, *more: str) -> dict[str, float]:
    """The result of our command."""
    command = [sys.executable, "-m", "edunet.main", "probe", "icmp", "--targets", str(listing), "--json"]
    done = subprocess.run(
        [*command, "--rate", str(RATE), "--count", str(count), *more],
        env={**os.environ, "EDUNET_ENGINE": engine},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """Print the ratio; 1 where it is below what the project promises, 0 also where fping is missing (and it says so)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if shutil.which("fping") is None:
        print("bench_icmp: not run: fping is missing")
        return 0
    best = {"fping": 0.0, "compiled": 0.0, "python": 0.0}
    false_losses = 0
    with tempfile.TemporaryDirectory(prefix="edunet-bench-") as folder:
        listing = Path(folder) / "targets"
        first = int(IPv4Address("127.1.0.1"))
        listing.write_text("".join(f"{IPv4Address(first + i)}\n" for i in range(given.targets)))
        for _ in range(given.rounds):
            best["fping"] = max(best["fping"], run_fping(listing, given.targets))
            for engine in ("compiled", "python"):
                found = run_ours(listing, engine)
                best[engine] = max(best[engine], found["sent"] / found["cpu_s"])
                false_losses += int(found["sent"] - given.targets + found["silent"])
        if given.million:
            rounds = max(1, 1_000_000 // given.targets)
            dump = Path(folder) / "dump"
            run_ours(listing, "compiled", rounds, "--dump", str(dump))
            lines = [json.loads(line) for line in dump.read_text().splitlines()]
            false_losses += sum(line["sent"] - line["received"] for line in lines)
    ratios = {engine: best[engine] / best["fping"] for engine in ("compiled", "python")}
    if given.json:
        print(json.dumps({"probes_per_cpu_second": best, "ratios": ratios, "false_losses": false_losses}))
    else:
        print(
            f"ICMP, {given.targets} addresses at {RATE} a second, probes for each CPU second, best of {given.rounds}:"
        )
        print(f"  fping             {best['fping']:10.0f}")
        print(
            f"  edunet, compiled  {best['compiled']:10.0f}   {ratios['compiled']:6.1f} x  (promised {TARGET_RATIO} x, aim {AIM} x)"
        )
        print(f"  edunet, python    {best['python']:10.0f}   {ratios['python']:6.1f} x")
        print(f"  false losses: {false_losses}")
    return int(ratios["compiled"] < TARGET_RATIO or false_losses > 0)


if __name__ == "__main__":
    sys.exit(main())
