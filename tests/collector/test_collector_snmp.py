"""SNMP through the whole collector: an agent that is really killed, ports, rates, metrics, Alertmanager."""

import gzip
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from collector_world import Collector, World, until
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from servers import alertmanager as running_alertmanager
from servers import alerts, free_port

from inventory.models import DeviceKind, Watch

SHARED = Path(__file__).resolve().parents[3] / "shared" / "captures"
CAPTURE = "vrp_5720"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/captures (recordings of devices) is not here")


class Agent:
    """A recorded switch on one address, with counters that move; its address goes on answering ping when it is killed."""

    def __init__(self, ip: str, port: int) -> None:
        self.ip, self.port = ip, port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Agent":
        command = [sys.executable, str(SHARED / "miniagent.py"), str(SHARED / "devices"), "--addr", self.ip]
        command += ["--port", str(self.port), "--live", "1e5"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@pytest.fixture
def agents() -> Iterator[Callable[[str, int], Agent]]:
    made: list[Agent] = []

    def make(ip: str, port: int) -> Agent:
        made.append(Agent(ip, port).start())
        return made[-1]

    yield make
    for agent in made:
        agent.kill()


def captures() -> str:
    names = sorted(path.stem for path in (SHARED / "devices").glob("*.snmprec"))
    return next((name for name in names if name.startswith("vrp")), names[0])


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[int]:
    with running_alertmanager(tmp_path) as port:
        yield port


def test_agents_that_die_are_an_outage_or_a_silent_agent_and_both_stand_in_alertmanager(
    world: World, collectors: Callable[..., Collector], agents: Callable[[str, int], Agent], alertmanager: int
) -> None:
    port = free_port(socket.SOCK_DGRAM)
    world.credential(captures())
    agents_of = {}
    for name, last, watch in (("judged by SNMP", "3.1", Watch.snmp), ("pinged too", "3.2", Watch.any)):
        agents_of[name] = agents(world.ip(last), port)
        world.device(name, DeviceKind.switch, world.ids["pop"], last, watch=watch, snmp_port=port)
    collector = collectors(
        agent_silent_rounds="2", alertmanager_url=f"http://127.0.0.1:{alertmanager}", alertmanager_resend_s="5"
    ).start()
    until(
        lambda: world.state_of("device", "pinged too") == "up" == world.state_of("device", "judged by SNMP"), what="up"
    )
    number = world.ids["pinged too"]
    live = until(
        lambda: (
            (d := json.loads(collector.get(f"/devices/{number}")[1])).get("ports")
            and any(p["in_bps"] for p in d["ports"])
            and d
        ),
        60,
        "ports with rates",
    )
    names = {p["ifName"] for p in live["ports"]}
    assert len(names) == len(live["ports"])
    assert not any(name.startswith("#") for name in names)
    assert all(p["in_bps"] is None or p["speed_bps"] is None or p["in_bps"] <= p["speed_bps"] for p in live["ports"])
    until(
        lambda: len(world.rows(f"SELECT 1 FROM port WHERE device_id={number}")) == len(names),
        what="ports in the register",
    )
    until(
        lambda: world.rows(f"SELECT sys_object_id FROM device WHERE id={number} AND sys_object_id != ''"), what="facts"
    )
    probed = collector.post("/probe", {"device": number, "module": "snmp"})
    assert probed["ok"] is True
    assert collector.post("/probe", {"device": number, "module": "icmp"})["received"] == 5
    assert collector.post("/probe", {"device": number, "module": "nothing"})["error"]
    for agent in agents_of.values():
        agent.kill()
    board = "SELECT kind, root_id FROM incident WHERE status = 'open' AND opened_at IS NOT NULL AND kind != 'degraded' ORDER BY kind"
    expected = [("agent_silent", number), ("outage", world.ids["judged by SNMP"])]
    until(lambda: world.rows(board) == expected, 90, "an outage and a silent agent")
    assert world.state_of("device", "pinged too") == "agent_silent"
    assert world.rows(f"SELECT 1 FROM outage WHERE node_id = {number}") == [], "a silent agent is no down time"
    until(lambda: {a["labels"]["kind"] for a in alerts(alertmanager)} >= {"agent_silent", "outage"}, what="alerts")
    status, page = collector.get(
        "/metrics", Accept="application/openmetrics-text;version=1.0.0", **{"Accept-Encoding": "gzip"}
    )
    assert status == 200
    samples = [s for family in read_openmetrics(gzip.decompress(page).decode()) for s in family.samples]
    incidents = {s.labels["kind"]: s.value for s in samples if s.name == "edunet_incidents"}
    del incidents["degraded"]  # a port of the recording may be down
    assert incidents == {"outage": 1.0, "agent_silent": 1.0}
    assert not [s for s in samples if s.name == "ifHCInOctets" and s.labels["device"] == str(number)], (
        "no counters of the silent"
    )
    for agent in agents_of.values():
        agent.start()
    until(lambda: world.state_of("device", "pinged too") == "up", 60, "the agent answers again")
    until(lambda: "agent_silent" not in {a["labels"]["kind"] for a in alerts(alertmanager)}, what="its alert ends")
    sent = world.rows("SELECT event, outlet FROM notice WHERE outlet != '' AND sent_at IS NOT NULL")
    assert ("opened", "alertmanager") in sent
    assert collector.stop() == 0


def test_the_demonstration_can_send_nothing(world: World, alertmanager: int) -> None:
    from collector.outlets.board import Outlets
    from collector.settings import CollectorSettings

    settings = CollectorSettings(alertmanager_url=f"http://127.0.0.1:{alertmanager}")
    outlets = Outlets(world.register, settings, may_notify=False, timezone="UTC")
    outlets.run()
    assert outlets.outlets == []
