"""The province in one collector: everything is read, every state is right, no round is late. What it costs is printed, not asserted, but in the soak."""

import shutil
import sqlite3
import time
from typing import Any

import bench_province
import pytest
from bench_province import VALUES, Collector, check, measure, running, settled, show, wait_for
from province import Province

from probes import engine as engines

ROUNDS = 12
"""Liveness rounds on end, a minute, none of them late."""

pytestmark = [
    pytest.mark.skipif(not bench_province.FARM.exists(), reason="no ../shared/bench: the farm's source is not here"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc: the farm cannot be compiled"),
]


def rounds(collector: Collector) -> dict[str, Any]:
    """How the rounds go."""
    return dict(collector.json("/feed").get("rounds") or {})


def a_minute_without_a_late_round(collector: Collector) -> bool:
    """Twelve rounds on end, and no tick of either kind passed over. One that was passed over, on a machine that had other things to do, begins the count anew."""
    first = last = rounds(collector)
    until = time.monotonic() + 400
    while time.monotonic() < until:
        time.sleep(1)
        now = rounds(collector)
        if (now["late"], now["reading_late"]) != (last["late"], last["reading_late"]):
            first = now
        last = now
        if now["rounds"] - first["rounds"] >= ROUNDS:
            return bool(now["tick"] - first["tick"] == now["rounds"] - first["rounds"])
    return False


@pytest.mark.skipif(engines.NAME != "compiled", reason="the engine is not compiled here")
def test_20_000_switches_are_read_pinged_and_right_and_no_round_is_late() -> None:
    with running(20_000, EDUNET_COLLECTOR__FACTS_PER_MINUTE="0") as (collector, farm, province):
        wait_for(lambda: settled(collector, province), 400, "everything up, read twice and written")
        before, served = rounds(collector), farm.served()
        assert a_minute_without_a_late_round(collector)
        wait_for(lambda: rounds(collector)["readings"] > before["readings"], 400, "another reading")
        feed, text = collector.json("/feed"), collector.get("/metrics").decode()
        more = feed["rounds"]["readings"] - before["readings"]
        assert farm.served() - served >= more * province.size.devices * VALUES
        assert check(collector, text, province, feed) == []
        assert feed["judge"]["stale_reports"] == 0
        assert feed["rounds"]["starts"] == 1
        names_are_in_the_register(collector, province)


def names_are_in_the_register(collector: Collector, province: Province) -> None:
    """Ports are named after the readings, those on which lines end first; they are written no faster than the writer can, and none is lost."""

    def named(devices: list[int]) -> bool:
        with sqlite3.connect(f"file:{collector.state / 'edunet.db'}?mode=ro", uri=True) as database:
            rows = database.execute("SELECT device_id, count(*) FROM port GROUP BY device_id").fetchall()
        found = dict(rows)
        return all(found.get(device) == bench_province.PORTS for device in devices)

    wait_for(lambda: named(province.gateways), 400, "the gateways' ports")


@pytest.mark.soak
def test_half_an_hour_of_100_000_switches_costs_half_a_cpu_and_2_gb_and_no_round_is_late() -> None:
    slower = bench_province.slowness()  # a CPU second is worth what the machine makes of it today
    result = measure(100_000, 1800)
    show(result)
    assert result.wrong == []
    assert result.late == 0
    assert result.values >= result.wanted_values
    assert result.cpu <= bench_province.LIMIT_CPU * slower
    assert result.pss <= bench_province.LIMIT_BYTES


@pytest.mark.soak
def test_ten_times_the_devices_cost_at_most_eleven_times() -> None:
    assert bench_province.curve([1_000, 10_000, 100_000], 125, as_json=False) == 0


@pytest.mark.soak
def test_loss_and_dead_devices_cost_a_round_no_more_than_15_s() -> None:
    assert bench_province.faults(20_000) == 0


def test_the_comparison_finds_a_wrong_rate_and_a_device_taken_for_another() -> None:
    now = time.time()
    offset = bench_province.farm_hash(int.from_bytes(bytes([127, 9, 0, 1]), "big")) % 1_000_000_007
    ip = int.from_bytes(bytes([127, 9, 0, 1]), "big")
    ports = [
        {
            "ifIndex": i,
            "ifHCInOctets": (int(now * 1000) + offset) * i,
            "ifOperStatus": "down" if i % 8 == 0 else "up",
            "ifHighSpeed": 1000,
            "in_bps": i * 8000.0,
            "out_bps": i * 16000.0,
            **{
                name: bench_province.farm_hash((ip + column * 2654435769) % (1 << 32)) % 100_000 + i
                for column, name in (
                    (14, "ifInErrors"),
                    (20, "ifOutErrors"),
                    (13, "ifInDiscards"),
                    (19, "ifOutDiscards"),
                )
            },
        }
        for i in range(1, 29)
    ]
    live: dict[str, Any] = {"device": 1, "address": "127.9.0.1", "snmp_at": now, "ports": ports}
    assert bench_province.check_device(live) == []
    assert len(bench_province.check_device({**live, "address": "127.9.0.2"})) >= 28
    ports[3]["in_bps"] = 1.1 * ports[3]["in_bps"]
    assert len(bench_province.check_device(live)) == 1
