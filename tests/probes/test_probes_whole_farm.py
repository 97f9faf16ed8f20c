"""`edunet probe snmp` on a whole farm: every value of every device is what the farm must have said of it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from snmpfarm import addresses, count_wrong, is_dead, running_farm

from probes import engine as engines

ROOT = Path(__file__).parents[2]
PORTS = 28
COMMAND = [sys.executable, "-m", "edunet.main", "probe", "snmp", "--community", "public", "--json"]
COLUMNS = ["ifAdminStatus", "ifOperStatus", "ifHCInOctets", "ifHCOutOctets", "ifInErrors", "ifOutErrors"]
COLUMNS += ["ifInDiscards", "ifOutDiscards", "ifHighSpeed"]


@pytest.mark.parametrize(("engine", "count"), [("compiled", 20_000), ("python", 1_000)])
def test_every_value_of_a_whole_farm_is_what_it_must_have_said(tmp_path: Path, engine: str, count: int) -> None:
    if engine == "compiled" and engines.NAME != "compiled":
        pytest.skip("the engine is not compiled here")
    listed = addresses(count, "127.50.0.1")
    (tmp_path / "targets").write_text("\n".join(listed) + "\n")
    dead = is_dead(listed, 2)
    assert dead.any()
    with running_farm("-d", "2", "-l", "1") as port:
        began = time.time()
        done = subprocess.run(
            [*COMMAND, "--targets", tmp_path / "targets", "--port", str(port), "--dump", tmp_path / "out"],
            env={**os.environ, "EDUNET_ENGINE": engine},
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=300,
            check=False,
        )
        ended = time.time()
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    alive = [address for address, gone in zip(listed, dead, strict=True) if not gone]
    assert (told["targets"], told["answered"], told["silent"]) == (count, len(alive), count - len(alive))
    assert told["values"] == len(alive) * (1 + PORTS * len(COLUMNS))
    uptimes, seen = [], []
    table = np.empty((len(alive), PORTS, len(COLUMNS)), np.int64)
    with (tmp_path / "out").open() as lines:
        for place, line in enumerate(lines):
            device = json.loads(line)
            seen.append(device["address"])
            uptimes.append(device["sysUpTime"])
            assert [port["ifIndex"] for port in device["ports"]] == list(range(1, PORTS + 1))
            table[place] = [[port[name] for name in COLUMNS] for port in device["ports"]]
    assert seen == alive
    wrong = count_wrong(seen, uptimes, table, began, ended)
    assert not any(wrong.values()), wrong
    (tmp_path / "out").unlink()  # a hundred megabytes


def test_the_comparison_finds_a_device_taken_for_another_and_a_single_wrong_value(tmp_path: Path) -> None:
    listed = addresses(2, "127.50.0.1")
    (tmp_path / "targets").write_text("\n".join(listed) + "\n")
    with running_farm() as port:
        began = time.time()
        subprocess.run(
            [*COMMAND, "--targets", tmp_path / "targets", "--port", str(port), "--dump", tmp_path / "out"],
            capture_output=True,
            cwd=ROOT,
            timeout=120,
            check=True,
        )
        ended = time.time()
    devices = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    table = np.array([[[port[name] for name in COLUMNS] for port in device["ports"]] for device in devices], np.int64)
    uptimes = [device["sysUpTime"] for device in devices]
    assert not any(count_wrong(listed, uptimes, table, began, ended).values())
    swapped = count_wrong(listed[::-1], uptimes, table, began, ended)
    assert swapped["sysUpTime"] == 2
    assert swapped["ifHCInOctets"] == swapped["ifInErrors"] == 2 * PORTS
    for column, name in enumerate(COLUMNS):
        spoiled = table.copy()
        spoiled[1, 7, column] += 1
        assert {n: c for n, c in count_wrong(listed, uptimes, spoiled, began, ended).items() if c} == {name: 1}
