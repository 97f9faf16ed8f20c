"""Degraded through the whole collector: loss by nftables, a UPS on battery and a port that goes down at agents whose values change, kill -9 between."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from collector_world import Collector, Namespace, World, until
from prometheus_client.parser import text_string_to_metric_families
from servers import alertmanager as running_alertmanager
from servers import alerts
from sqlalchemy import update

from inventory.database import raise_version
from inventory.models import DegradedRule, DeviceKind, Port, Watch, table
from inventory.rules import ship_rules

sys.path.insert(0, str(Path(__file__).parents[1] / "probes"))
from toy_agent import ToyAgent, number, oid

QUICK = {"degraded_settle_s": "1", "sensors_every_s": "2", "facts_per_minute": "0"}


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[int]:
    with running_alertmanager(tmp_path) as port:
        yield port


def make_quick(world: World, *keys: str) -> None:
    """Rules that are raised and cleared by the first reading; all others off."""
    ship_rules(world.register)
    row = table(DegradedRule)
    now = {"raise_after_s": 0, "clear_after_s": 0, "raise_rounds": 1, "clear_rounds": 1, "changed": True}
    with world.register.write() as session:
        session.connection().execute(update(row).values(enabled=row.c.key.in_(keys), **now))


def open_incidents(world: World) -> set[tuple[str, int]]:
    return {
        (kind, number)
        for kind, number in world.rows(
            "SELECT root_kind, root_id FROM incident WHERE kind='degraded' AND status='open' AND opened_at IS NOT NULL"
        )
    }


def said(world: World) -> list[tuple[int, str]]:
    return world.rows(
        "SELECT i.root_id, n.event FROM notice n JOIN incident i ON i.id = n.incident_id"
        " WHERE i.kind = 'degraded' AND n.outlet = '' ORDER BY n.id"
    )


def metric(collector: Collector, name: str, **labels: str) -> float:
    """One value of /metrics, 0 where it is not there (yet)."""
    try:
        page = collector.get("/metrics")[1].decode()
    except OSError:
        return 0.0
    samples = (sample for family in text_string_to_metric_families(page) for sample in family.samples)
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


def lose(namespace: Namespace, address: str, percent: int) -> None:
    """Drop so many of a hundred pings to an address, at random."""
    rule = f"add rule ip t c ip daddr {address} icmp type echo-request numgen random mod 100 < {percent} drop"
    chain = "add chain ip t c { type filter hook input priority 0; }"
    script = f"add table ip t\n{chain}\n{rule}\n"
    done = subprocess.run([*namespace.prefix, "nft", "-f", "-"], input=script, text=True, capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"no nftables in a user's namespace: {done.stderr.strip()[:100]}")


def test_a_line_that_loses_packets_is_one_incident_and_stays_it_over_a_kill(
    world: World, collectors: Callable[..., Collector], namespace: Namespace
) -> None:
    for school in (1, 2):
        world.school(school)
    make_quick(world, "line-loss", "line-loss-heavy")
    lose(namespace, world.ip("2.1"), 25)
    collector = collectors(prefix=namespace.prefix, **QUICK).start()
    line = ("line", world.ids["line1"])
    until(lambda: open_incidents(world) == {line}, 120, "a degraded line")
    assert world.state_of("line", "line1") == "degraded"
    assert world.state_of("school", "school1") == "degraded"
    assert world.state_of("school", "school2") == "up"
    evidence = world.rows("SELECT evidence, affected FROM incident WHERE kind='degraded'")[0]
    assert "line_loss_percent" in evidence[0]
    assert metric(collector, "edunet_degraded", rule="line-loss") == 1.0
    assert metric(collector, "edunet_school_state", state="degraded") == 1.0
    before = said(world)
    assert [event for _, event in before][:1] == ["opened"]
    collector.kill()
    collector.start()
    until(lambda: metric(collector, "edunet_degraded_looks_total") >= 2, 60, "looks after the restart")
    assert open_incidents(world) == {line}
    assert [event for _, event in said(world)].count("opened") == 1
    assert world.rows("SELECT count(*) FROM incident WHERE kind='degraded'") == [(1,)]
    assert collector.stop() == 0


class Box(ToyAgent):
    """An agent with two ports and a UPS, whose values a test changes."""

    def __init__(self, host: str) -> None:
        table = {
            oid("1.3.6.1.2.1.1.1.0"): (4, b"toy"),
            oid("1.3.6.1.2.1.1.2.0"): (6, bytes.fromhex("2b0601040101")),
            oid("1.3.6.1.2.1.1.3.0"): number(0x43, 100_000),
        }
        for index, name in ((1, b"GE0/0/1"), (2, b"GE0/0/2")):
            table |= {
                oid(f"1.3.6.1.2.1.2.2.1.2.{index}"): (4, name),
                oid(f"1.3.6.1.2.1.31.1.1.1.1.{index}"): (4, name),
                oid(f"1.3.6.1.2.1.2.2.1.7.{index}"): number(2, 1),
                oid(f"1.3.6.1.2.1.2.2.1.8.{index}"): number(2, 1),
                oid(f"1.3.6.1.2.1.31.1.1.1.6.{index}"): number(0x46, 1000),
                oid(f"1.3.6.1.2.1.31.1.1.1.10.{index}"): number(0x46, 1000),
                oid(f"1.3.6.1.2.1.31.1.1.1.15.{index}"): number(0x42, 1000),
            }
        table |= {
            oid("1.3.6.1.2.1.33.1.2.1.0"): number(2, 2),
            oid("1.3.6.1.2.1.33.1.2.4.0"): number(2, 100),
            oid("1.3.6.1.2.1.33.1.4.1.0"): number(2, 3),
        }
        super().__init__(table, host=host)

    def set(self, name: str, value: int) -> None:
        self.table[oid(name)] = number(2, value)


def test_a_ups_on_battery_and_a_port_that_is_down_are_said_and_end(
    world: World, collectors: Callable[..., Collector], alertmanager: int
) -> None:
    world.credential("public")
    with Box(world.ip("2.1")) as gateway, Box(world.ip("3.1")) as ups:
        world.school(1, watch=Watch.snmp)
        battery = world.device("ups", DeviceKind.ups, world.ids["site1"], "3.1", watch=Watch.snmp, snmp_port=ups.port)
        router = world.ids["gw1"]
        with world.register.write() as session:
            session.connection().exec_driver_sql(f"UPDATE device SET snmp_port={gateway.port} WHERE id={router}")
            session.add(Port(device_id=router, name="GE0/0/2", if_index=2, monitored=True))
            raise_version(session)
        make_quick(world, "ups-on-battery", "port-down")
        collector = collectors(alertmanager_url=f"http://127.0.0.1:{alertmanager}", alertmanager_resend_s="5", **QUICK)
        collector.start()
        until(lambda: metric(collector, "edunet_sensor_readings_total") >= 2, 90, "the UPS is read")
        assert open_incidents(world) == set()
        ups.set("1.3.6.1.2.1.33.1.4.1.0", 5)
        gateway.set("1.3.6.1.2.1.2.2.1.8.2", 2)
        collector.post("/read", {"devices": [router]})
        both = {("device", battery), ("device", router)}
        until(lambda: open_incidents(world) == both, 90, "both incidents")
        until(lambda: world.state_of("device", "ups") == "degraded", what="the UPS's state")
        until(lambda: world.state_of("school", "school1") == "degraded", what="the school's state")
        assert world.rows("SELECT count(*) FROM outage") == [(0,)], "degraded is no down time"
        until(lambda: [a["labels"]["kind"] for a in alerts(alertmanager)] == ["degraded"] * 2, what="alerts")
        collector.kill()
        collector.start()
        until(lambda: metric(collector, "edunet_degraded_looks_total") >= 2, 60, "looks after the restart")
        assert open_incidents(world) == both
        assert sorted(said(world)) == sorted([(battery, "opened"), (router, "opened")])
        ups.set("1.3.6.1.2.1.33.1.4.1.0", 3)
        gateway.set("1.3.6.1.2.1.2.2.1.8.2", 1)
        collector.post("/read", {"devices": [router]})
        until(lambda: open_incidents(world) == set(), 90, "both are over")
        until(lambda: world.state_of("school", "school1") == "up", what="the school's state")
        until(lambda: alerts(alertmanager) == [], what="the alerts end")
        events = said(world)
        assert sorted(events[2:]) == sorted([(battery, "resolved"), (router, "resolved")])
        assert collector.stop() == 0


def test_a_silent_camera_makes_no_incident_but_counts_in_its_schools_share(
    world: World, collectors: Callable[..., Collector], namespace: Namespace
) -> None:
    world.school(1)
    for camera in range(1, 5):
        world.device(f"cam{camera}", DeviceKind.camera, world.ids["site1"], f"4.{camera}", watch=Watch.icmp)
    make_quick(world, "cameras-answering")
    collectors(prefix=namespace.prefix, **QUICK).start()
    until(lambda: world.state_of("device", "cam4") == "up", what="cameras")
    namespace.cut(world.ip("4.1"))
    until(lambda: world.state_of("device", "cam1") == "down", what="one camera is silent")
    assert world.rows("SELECT count(*) FROM incident") == [(0,)]
    namespace.cut(world.ip("4.2"))
    school = ("school", world.ids["school1"])
    until(lambda: open_incidents(world) == {school}, 60, "half of its cameras are silent")
    assert world.rows("SELECT count(*) FROM incident WHERE kind != 'degraded'") == [(0,)]
    assert world.state_of("school", "school1") == "degraded"
    namespace.mend(world.ip("4.1"), world.ip("4.2"))
    until(lambda: open_incidents(world) == set(), 60, "it is over")
    assert [event for _, event in said(world)] == ["opened", "resolved"]
