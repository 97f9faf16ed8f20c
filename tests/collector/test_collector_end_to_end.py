"""The collector as a process, on loopback addresses that are really cut: states, incidents, log, restart, register changes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from collector_world import Collector, Namespace, World, until

from inventory.database import raise_version
from inventory.models import Watch


def alive(world: World, number: int) -> bool:
    return list(world.states().values()).count("up") >= number


def board(world: World) -> list[tuple[Any, ...]]:
    return world.rows(
        "SELECT root_kind, root_id, affected, schools, pupils FROM incident WHERE status IN ('pending', 'open')"
    )


def test_a_cut_county_is_one_incident_with_its_root_and_mends(
    world: World, collectors: Callable[..., Collector], namespace: Namespace
) -> None:
    for number in range(1, 5):
        world.school(number)
    trace = world.state / "trace.jsonl"
    collector = collectors(prefix=namespace.prefix).start("--record", str(trace))
    until(lambda: world.state_of("school", "school4") == "up" and alive(world, 10), what="all up")
    assert world.state_of("line", "line1") == "up"
    assert {row[0] for row in world.rows("SELECT id FROM device WHERE first_seen IS NULL")} == set()
    cut = [world.ip("1.2"), *(world.ip(f"2.{n}") for n in range(1, 5))]
    namespace.cut(*cut)
    until(lambda: board(world) == [("device", world.ids["agg"], 5, 4, 400)], what="one incident, named at once")
    until(lambda: world.state_of("school", "school1") == "down", what="the school is cut off")
    outages = world.rows(
        "SELECT kind, node_id, explained, incident_id FROM outage WHERE until_at IS NULL AND kind = 'device'"
    )
    assert {(number, bool(explained)) for _, number, explained, _ in outages} == {
        (world.ids["agg"], False),
        *((world.ids[f"gw{n}"], True) for n in range(1, 5)),
    }
    cut_off = until(
        lambda: world.rows("SELECT cut, path FROM incident WHERE length(cut) > 2"), what="the schools it cuts off"
    )
    assert set(json.loads(cut_off[0][0])) == {world.ids[f"school{n}"] for n in range(1, 5)}
    number = world.rows("SELECT id FROM incident WHERE status IN ('pending', 'open')")[0][0]
    causes = f"SELECT kind, node_id, reason FROM node_state WHERE incident_id = {number} AND kind IN ('school', 'line')"
    wanted = {(kind, world.ids[f"{kind}{n}"], "explained") for kind in ("school", "line") for n in range(1, 5)}
    until(lambda: set(world.rows(causes)) == wanted, what="schools and lines say what cuts them off")
    assert cut_off[0][1] == f"/1/2/{world.ids['county']}/"
    until(
        lambda: world.rows("SELECT 1 FROM notice WHERE event = 'opened' AND affected = 5"),
        what="the notice, when it is due",
    )
    namespace.mend(*cut)
    until(lambda: world.state_of("school", "school1") == "up" and alive(world, 10), what="all mended")
    until(lambda: not world.rows("SELECT 1 FROM outage WHERE until_at IS NULL"), what="every outage has its end")
    until(lambda: world.rows(causes) == [], what="nothing is cut off any more")
    assert collector.stop() == 0
    replayed = subprocess.run(
        [sys.executable, "-m", "edunet.main", "replay", str(trace), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    summary = json.loads(replayed.stdout.splitlines()[-1])
    assert set(summary["down_seconds"]) == {f"device:{world.ids[name]}" for name in ("agg", "gw1", "gw2", "gw3", "gw4")}
    notices = list(map(json.loads, replayed.stdout.splitlines()[:-1]))
    said = world.rows("SELECT event, affected FROM notice WHERE outlet = '' ORDER BY id")
    assert [(line["event"], line["affected"]) for line in notices] == said


def test_after_kill_9_the_outage_log_is_right_and_the_gap_is_unseen(
    world: World, collectors: Callable[..., Collector], namespace: Namespace
) -> None:
    for number in range(1, 4):
        world.school(number)
    first = collectors(prefix=namespace.prefix).start()
    until(lambda: world.state_of("school", "school3") == "up" and alive(world, 8), what="all up")
    namespace.cut(world.ip("2.1"), world.ip("2.2"))
    until(lambda: len(board(world)) == 2 and world.state_of("school", "school2") == "down", what="two cut off")
    until(lambda: world.rows("SELECT 1 FROM judge_state WHERE key = 'judge'"), what="the judge's memory")
    opened = world.rows("SELECT id, from_at FROM outage WHERE until_at IS NULL ORDER BY id")
    keys = world.rows("SELECT key FROM incident ORDER BY id")
    first.kill()
    namespace.mend(world.ip("2.2"))
    namespace.cut(world.ip("2.3"))
    collectors(prefix=namespace.prefix).start()
    until(
        lambda: world.state_of("device", "gw3") == "down" and world.state_of("device", "gw2") == "up", what="seen anew"
    )
    still = world.rows("SELECT id, from_at FROM outage WHERE until_at IS NULL ORDER BY id")
    gone = dict(opened)
    assert [row for row in still if row[0] in gone] == [row for row in opened if row[0] in dict(still)]
    kinds = {(kind, number) for kind, number in world.rows("SELECT kind, node_id FROM outage WHERE until_at IS NULL")}
    assert {("device", world.ids["gw1"]), ("device", world.ids["gw3"])} <= kinds
    assert ("device", world.ids["gw2"]) not in kinds
    ended = world.rows(f"SELECT until_at, until_latest FROM outage WHERE kind='device' AND node_id={world.ids['gw2']}")
    assert len(ended) == 1
    assert ended[0][0] < ended[0][1], "it ended while nobody saw: bounds, not a guess"
    began = world.rows(f"SELECT from_earliest, from_at FROM outage WHERE kind='device' AND node_id={world.ids['gw3']}")
    assert began[0][0] < began[0][1]
    assert ("stopped",) in world.rows("SELECT reason FROM unseen WHERE until_at IS NOT NULL")
    until(
        lambda: world.rows("SELECT 1 FROM node_state WHERE unknown_s > 0 AND kind = 'device'"),
        what="the gap counts as unknown",
    )
    assert set(keys) <= set(world.rows("SELECT key FROM incident")), "an incident keeps its number"


def test_rounds_that_are_killed_come_back(world: World, collectors: Callable[..., Collector]) -> None:
    world.school(1)
    collector = collectors().start()
    until(lambda: alive(world, 4), what="all up")
    assert collector.process is not None
    wanted = ["pgrep", "-P", str(collector.process.pid), "-f", "collector.rounds"]  # not the receiver of traps
    children = subprocess.run(wanted, capture_output=True, text=True, check=True)
    os.kill(int(children.stdout.split()[0]), signal.SIGKILL)
    feed = until(
        lambda: (
            (found := collector.feed()).get("rounds", {}).get("starts") == 2
            and found["rounds"]["rounds"] >= 2
            and found
        ),
        what="a second rounds process",
    )
    assert feed["rounds"]["answered"] == 3
    assert collector.process.poll() is None


def test_a_change_of_the_register_is_followed(world: World, collectors: Callable[..., Collector]) -> None:
    world.school(1)
    collector = collectors().start()
    until(lambda: alive(world, 4), what="all up")
    world.school(2)
    until(lambda: world.state_of("school", "school2") == "up", what="the new school is asked")
    with world.register.write() as session:
        session.connection().exec_driver_sql(f"UPDATE device SET status='retired' WHERE id={world.ids['gw1']}")
        raise_version(session)
    until(lambda: world.state_of("device", "gw1") is None, what="a retired device has no state")
    until(lambda: world.state_of("school", "school1") == "not_watched", what="nor is its school watched")
    assert f'device="{world.ids["gw1"]}"' not in collector.get("/metrics")[1].decode()
    assert collector.stop() == 0


def test_writing_rows_all_the_time_makes_no_round_late(world: World, collectors: Callable[..., Collector]) -> None:
    for number in range(1, 4):
        world.school(number)
    collector = collectors().start()
    until(lambda: alive(world, 8), what="all up")
    before = collector.feed()["rounds"]["rounds"]
    with world.register.write() as session:
        # SQLite's lock is held while the rounds go on: nobody waits for it but the writer.
        session.connection().exec_driver_sql("UPDATE school SET note='x'")
        until(lambda: collector.feed()["rounds"]["rounds"] >= before + 4, what="four rounds under the lock")
        assert collector.feed()["judge"]["reports"] >= before + 4
    after = collector.feed()
    assert after["rounds"]["late"] == 0
    until(lambda: collector.feed()["judge"]["pending_rows"] == 0, what="the writer has caught up")


def test_by_tcp_alone_nothing_is_called_cut_off(world: World, collectors: Callable[..., Collector]) -> None:
    world.school(1)
    collector = collectors(ping_method="tcp").start()
    until(lambda: world.rows("SELECT reason FROM unseen WHERE until_at IS NULL") == [("tcp_only",)], what="unseen")
    until(lambda: collector.feed()["rounds"]["rounds"] >= 4, what="some rounds")
    assert collector.feed()["rounds"]["proves_down"] is False
    assert "down" not in set(world.states().values())
    assert world.rows("SELECT 1 FROM outage") == []


def test_a_silent_reference_makes_the_collector_blind_and_nothing_down(
    world: World, collectors: Callable[..., Collector], namespace: Namespace
) -> None:
    world.school(1)
    with world.register.write() as session:
        session.connection().exec_driver_sql(f"UPDATE zone SET \"references\"='{world.ip('9.9')}'")
    collectors(prefix=namespace.prefix).start()
    until(lambda: alive(world, 4), what="all up")
    namespace.cut(world.ip("9.9"), world.ip("1.1"), world.ip("1.2"), world.ip("2.1"))
    until(lambda: ("blind",) in world.rows("SELECT reason FROM unseen WHERE until_at IS NULL"), what="blind")
    until(lambda: world.state_of("device", "gw1") == "unknown", what="what it asked is unknown")
    assert board(world) == []
    namespace.mend(world.ip("9.9"), world.ip("1.1"), world.ip("1.2"), world.ip("2.1"))
    until(lambda: world.state_of("device", "gw1") == "up", what="seen again")
    assert world.rows("SELECT 1 FROM outage") == []


def test_check_says_what_is_wrong(world: World, tmp_path: Path) -> None:
    world.school(1, watch=Watch.snmp)
    done = subprocess.run(
        [sys.executable, "-m", "edunet.main", "collector", "--check", "--json"],
        env={**os.environ, "EDUNET_STATE_DIR": str(world.state)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["asked"] == 2
    assert any("no credential" in warning for warning in found["warnings"])
