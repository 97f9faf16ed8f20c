"""A real collector, a real api and a real vantage process on loopback: what one of the two cannot see the other does."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from collector_world import Collector, Namespace, World, until

from inventory.vantages import make_vantage

REFERENCE = "9.9"


class Elsewhere:
    """The other machine: a namespace in which the api listens, and `edunet vantage run` beside it."""

    def __init__(self, world: World) -> None:
        self.world, self.namespace = world, Namespace()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port: int = sock.getsockname()[1]
        with world.register.write() as session:
            from inventory.database import raise_version

            _, token = make_vantage(session, "datong", "main", world.ip(REFERENCE), "大同", "test")
            raise_version(session)
        (world.state / "token").write_text(token + "\n")

    def start(self, name: str, *arguments: str) -> None:
        log = (self.world.state / f"{name}.log").open("ab")
        environment = {**os.environ, "EDUNET_STATE_DIR": str(self.world.state)}
        environment.pop("EDUNET_CONFIG", None)
        command = [*self.namespace.prefix, sys.executable, "-m", "edunet.main", *arguments]
        self.processes[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        log.close()

    def start_api(self) -> None:
        self.start("api", "api", "--listen", f"127.0.0.1:{self.port}")

    def start_vantage(self) -> None:
        token = self.world.state / "token"
        self.start("vantage", "vantage", "run", "--of", f"http://127.0.0.1:{self.port}", "--token", f"@{token}")

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait()

    def close(self) -> None:
        for name in self.processes:
            self.kill(name)
        self.namespace.close()


@pytest.fixture
def elsewhere(world: World) -> Iterator[Elsewhere]:
    made = Elsewhere(world)
    yield made
    made.close()


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_what_a_blind_collector_does_not_see_a_vantage_point_does(
    world: World, collectors: Callable[..., Collector], namespace: Namespace, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    """The collector blind: an outage is opened by the vantage's word. The vantage blind or killed: the collector sees alone."""
    for number in (1, 2, 3):
        world.school(number)
    with world.register.write() as session:
        session.connection().exec_driver_sql(f"UPDATE zone SET \"references\" = '{world.ip(REFERENCE)}'")
    trace = tmp_path / "trace.jsonl"
    collector = collectors(prefix=namespace.prefix).start("--record", str(trace))
    elsewhere.start_api()
    elsewhere.start_vantage()

    def fare() -> dict[str, Any]:
        return next(iter(collector.feed().get("vantages", {}).values()), {})

    until(lambda: fare().get("sees") == ["main"] and world.state_of("device", "gw3") == "up", 240, "both see")

    # The collector's uplink is gone: it sees nothing, and nothing is unknown.
    everything = [world.ip(REFERENCE), *(world.ip(f"1.{n}") for n in (1, 2)), *(world.ip(f"2.{n}") for n in (1, 2, 3))]
    namespace.cut(*everything)
    until(lambda: collector.feed()["rounds"]["blind"] == ["main"], what="blind")
    elsewhere.namespace.cut(world.ip("2.2"))
    until(lambda: world.state_of("device", "gw2") == "down", what="the vantage saw it")
    assert world.state_of("device", "gw1") == "up"
    assert world.state_of("school", "school2") == "down"
    until(lambda: world.rows("SELECT 1 FROM incident WHERE status = 'open'"), what="an incident, opened")
    assert world.rows("SELECT reason FROM unseen WHERE until_at IS NULL") == []

    # Nobody sees: unknown, and written down; no incident of it.
    elsewhere.kill("vantage")
    until(lambda: world.state_of("device", "gw1") == "unknown", what="nobody sees")
    until(lambda: world.rows("SELECT 1 FROM unseen WHERE until_at IS NULL"), what="unseen")
    elsewhere.start_vantage()
    until(lambda: world.state_of("device", "gw1") == "up", what="it goes on")
    until(lambda: not world.rows("SELECT 1 FROM unseen WHERE until_at IS NULL AND reason = 'blind'"), what="seen again")

    # The collector sees again, and the vantage is blind: what it says counts for nothing.
    namespace.mend(*reversed(everything))
    until(lambda: collector.feed()["rounds"]["blind"] == [], what="sees")
    until(lambda: world.state_of("device", "gw2") == "up", what="who answers to either answers")
    elsewhere.namespace.cut(world.ip(REFERENCE), world.ip("2.1"))
    until(lambda: fare().get("blind") == ["main"], what="the vantage is blind")
    assert world.state_of("device", "gw1") == "up"
    outages = world.rows("SELECT node_id, from_at, until_at FROM outage WHERE kind = 'device'")
    assert [number for number, _, _ in outages] == [world.ids["gw2"]]
    assert collector.process is not None
    collector.process.terminate()
    assert collector.process.wait(60) == 0
    check_replay(trace, world)


def check_replay(trace: Path, world: World) -> None:
    """The trace of both replays to the same notices, and to the down time in the log."""
    done = subprocess.run(
        [sys.executable, "-m", "edunet.main", "replay", str(trace), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    events = [line["event"] for line in lines if line["kind"] == "notice"]
    assert events == [event for (event,) in world.rows("SELECT event FROM notice WHERE outlet = '' ORDER BY id")]
    (outage,) = world.rows("SELECT from_at, until_at FROM outage WHERE kind = 'device'")
    down = lines[-1]["down_seconds"][f"device:{world.ids['gw2']}"]
    unknown = lines[-1]["unknown_seconds"].get(f"device:{world.ids['gw2']}", 0.0)
    assert (
        down - 2.0 <= moment(outage[1]) - moment(outage[0]) <= down + unknown + 2.0
    )  # unknown time within it is part of it
