"""A real import of many devices, by the real command, while the rounds go on: none is late."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from collector_world import Collector, World, until

SCHOOLS = 20


def write_devices(path: Path, rows: int) -> None:
    """A file of cameras and switches for the schools of the world; planned ones, so that what is asked stays the same."""
    with path.open("w", newline="", encoding="utf-8") as file:
        sheet = csv.writer(file)
        sheet.writerow(["site", "kind", "name", "address", "serial", "status"])
        for row in range(rows):
            address = f"127.{200 + row // 65536}.{row // 256 % 256}.{row % 256}"
            sheet.writerow([f"第{1 + row % SCHOOLS}小学", "camera", f"camera {row}", address, f"S{row:07}", "planned"])


@pytest.mark.parametrize("rows", [3_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_an_import_during_the_rounds_makes_none_late(
    world: World, collectors: Callable[..., Collector], tmp_path: Path, rows: int
) -> None:
    for number in range(1, SCHOOLS + 1):
        world.school(number)
    collector = collectors().start()
    until(lambda: list(world.states().values()).count("up") >= SCHOOLS, seconds=90, what="all up")
    sheet = tmp_path / "devices.csv"
    write_devices(sheet, rows)
    before = collector.feed()["rounds"]["rounds"]
    environment = {
        **os.environ,
        "EDUNET_STATE_DIR": str(world.state),
        "EDUNET_INVENTORY__DATABASE_URL": world.register.url,
        "EDUNET_INVENTORY__KEY_FILE": str(world.register.key_file),
    }
    done = subprocess.run(
        [sys.executable, "-m", "edunet.main", "import", "devices", str(sheet), "--yes", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert world.rows("SELECT count(*) FROM device WHERE status = 'planned'") == [(rows,)]
    until(lambda: collector.feed()["rounds"]["rounds"] >= before + 3, seconds=90, what="the rounds go on")
    assert collector.feed()["rounds"]["late"] == 0
    until(lambda: collector.feed()["judge"]["pending_rows"] == 0, seconds=90, what="the writer has caught up")
    assert set(world.rows("SELECT DISTINCT state FROM node_state WHERE kind = 'school'")) == {("up",)}
