"""What the rules of degradation cost: 100,000 devices (13,000 gateways, their lines and 86,000 switches), all shipped rules, columns as the rounds write them.

    .venv/bin/python benchmarks/bench_degraded.py [--schools 13000] [--inside 7]

Prints the CPU time of one look, its share of a core at a look every 15 s, and what raising and clearing 3,000 lines adds. Ratios are within this run.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from province import Size, build

from collector.degraded.engine import Engine
from collector.degraded.ringstats import ring_stats
from collector.degraded.rules import read_rules
from collector.degraded.subjects import Subjects, subjects_of
from collector.degraded.values import PortRows, View
from collector.plan import Plan, build_plan
from collector.schools import UP
from collector.shared import Columns, Shape, create
from inventory.database import Register
from inventory.models import Watch, utcnow
from inventory.rules import ship_rules

EVERY_S, WINDOW, PORTS = 15.0, 72, 28


def columns_of(plan: Plan) -> Columns:
    """A block as the rounds fill it: 28 ports a device, an hour of answers."""
    n = len(plan.targets)
    fd, columns = create(Shape(plan.version, n, n * PORTS, WINDOW))
    os.close(fd)
    rng = np.random.default_rng(1)
    columns.ring_at[:] = 1_000_000 + 5.0 * np.arange(WINDOW)
    columns.ring[:] = rng.random((WINDOW, n), np.float32) * 0.01
    columns.ring_lost[:] = rng.random((WINDOW, n), np.float32) < 0.001
    columns.offsets[:] = np.arange(n + 1) * PORTS
    columns.present[:] = 0x1FF
    columns.counters[:, 0:2], columns.counters[:, 8] = 1, 1000
    columns.in_bps[:], columns.out_bps[:], columns.reading_at[:] = 1e8, 1e7, 1_000_000
    return columns


class Bench:
    """Engine and columns; `look` is one evaluation of all rules, as `collector/degraded/watch.py` does it."""

    def __init__(self, plan: Plan, subjects: Subjects, engine: Engine, columns: Columns) -> None:
        self.plan, self.subjects, self.engine, self.columns = plan, subjects, engine, columns
        self.code = np.full(len(plan.nodes), UP, np.uint8)
        self.explained = np.zeros(len(plan.nodes), np.bool_)
        wanted = np.ones(len(plan.targets), np.bool_)
        self.which = np.flatnonzero(wanted)
        self.ports = PortRows(subjects.port_target * PORTS)
        n, p = len(plan.targets), len(subjects.port_key)
        self.sensed = {}
        self.duplex = (np.full(p, np.nan), np.zeros(p))
        self.none = (np.full(n, np.nan), np.zeros(n))

    def look(self) -> tuple[float, int]:
        """CPU seconds of one look, and how many changes it found."""
        columns, begun = self.columns, time.process_time()
        self.ports.follow(columns, columns.reading_at[self.subjects.port_target])
        stats = ring_stats(columns.ring_at, columns.ring, columns.ring_lost, self.which)
        view = View(
            self.plan,
            self.subjects,
            columns,
            self.code,
            self.explained,
            stats,
            self.ports,
            self.sensed,
            self.duplex,
        )
        changes = self.engine.look(view, stats.at)
        return time.process_time() - begun, len(changes)

    def pass_on(self, lossy: int) -> None:
        """Three liveness rounds later: the first `lossy` gateways lose every second ping."""
        for _ in range(3):
            row = int(self.columns.ring_at.argmin())
            self.columns.ring_at[row] = self.columns.ring_at.max() + 5.0
            self.columns.ring_lost[row] = 0
            self.columns.ring_lost[row, self.subjects.line_target[-lossy:] if lossy else []] = 1


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--schools", type=int, default=13_000)
    parser.add_argument("--inside", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        register = Register(f"sqlite:///{directory}/edunet.db", Path(directory) / "secret.key")
        register.migrate()
        ship_rules(register)
        build(register, Size(arguments.schools, inside=arguments.inside), watch=Watch.any, seen=utcnow())
        plan, rules = build_plan(register), read_rules(register)
        register.close()
    begun = time.process_time()
    subjects = subjects_of(plan, plan.monitored)
    engine = Engine()
    engine.follow(plan, subjects, rules)
    print(f"{len(plan.targets)} devices, {len(plan.lines)} lines, {len(subjects.port_key)} ports, {len(rules)} rules")
    print(f"another plan                    {time.process_time() - begun:8.3f} s, once for each plan")
    bench = Bench(plan, subjects, engine, columns_of(plan))
    calm = min(bench.look()[0] for _ in range(5) if bench.pass_on(0) is None)
    print(
        f"a look in which nothing changes {calm:8.3f} s of CPU: {100 * calm / EVERY_S:.2f} % of a core at one every {EVERY_S:g} s"
    )
    for lossy, word in ((3000, "raised"), (0, "cleared")):
        looks, changes = [], 0
        for _ in range(60):
            bench.pass_on(lossy)
            cost, found = bench.look()
            looks.append(cost)
            changes += found
        print(f"{changes:5} {word:<24} {max(looks):8.3f} s in the dearest look")


if __name__ == "__main__":
    main()
