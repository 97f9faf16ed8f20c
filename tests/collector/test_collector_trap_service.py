"""Traps through the whole collector: Debian's snmptrap and snmpinform from devices' own addresses, a storm, another plan, a receiver that dies."""

import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from collector_world import Collector, World, until
from servers import free_port, snmpd
from trap_senders import AUTH, COLD_START, LINK_DOWN, LINK_UP, PRIV, USER, WARM_START, port_of, run, v2c_trap

from collector.judge import Judge
from collector.trace import replay
from collector.traps.receiver import RESULTS
from inventory.credentials import Secret, new_credential
from inventory.models import Address, DeviceKind, Watch
from inventory.sealing import Sealer


def results(collector: Collector) -> dict[str, int]:
    return dict(collector.feed().get("traps", {}).get("results", {}))


def hears(collector: Collector, result: str, count: int = 1) -> None:
    until(lambda: results(collector).get(result, 0) >= count, 60, f"{count} x {result}: {results(collector)}")


def send(program: str, sender: str, port: int, options: list[str], *after: str) -> int:
    """One run from the address of a device; its exit code."""
    where = [f"--clientaddr={sender}", "-r", "1", "-t", "10", *options, f"127.0.0.1:{port}"]
    return run(program, [*where, "100", *after]).returncode


def told_of(collector: Collector, device: int) -> list[dict[str, Any]]:
    return list(json.loads(collector.get(f"/devices/{device}")[1]).get("traps", []))


def read_at(collector: Collector, device: int) -> float:
    return float(json.loads(collector.get(f"/devices/{device}")[1]).get("snmp_at") or 0.0)


def metrics(collector: Collector) -> dict[str, float]:
    lines = [line for line in collector.get("/metrics")[1].decode().splitlines() if "trap" in line and line[0] != "#"]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def user(world: World) -> int:
    """An authPriv user for the zone."""
    assert world.register.key_file is not None
    secret = Secret(user="edu", auth_key=AUTH, priv_key=PRIV)
    zone = {"auth": "sha256", "priv": "aes128", "zone_id": world.ids["zone"]}
    return world.add(new_credential("v3", "3", secret, Sealer(world.register.key_file), **zone))


def test_traps_lead_to_a_reading_at_once_and_to_no_verdict(
    world: World, collectors: Callable[..., Collector], tmp_path: Path
) -> None:
    agent_port, port = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    world.credential("public")
    user(world)
    switch = world.device("switch", DeviceKind.switch, world.ids["pop"], "3.1", snmp_port=agent_port)
    sender, record = world.ip("3.1"), tmp_path / "storm.jsonl"
    agent = snmpd(tmp_path, "switch", agent_port, ["rocommunity public"], f"udp:{sender}").start()
    try:
        listen = f"127.0.0.1:{port},[::1]:{port}"
        collector = collectors(traps_listen=listen, reading_every_s="3600").start("--record", str(record))
        until(lambda: len(collector.feed().get("traps", {}).get("listening", [])) == 2, what="sockets")
        until(lambda: collector.feed().get("traps", {}).get("senders") == 3, what="senders")
        until(lambda: warm(collector), 90, "the readings of the start")
        before = read_at(collector, switch)

        assert send("snmptrap", sender, port, ["-v2c", "-c", "public"], LINK_DOWN, *port_of(1)) == 0
        hears(collector, "taken", 1)
        until(lambda: read_at(collector, switch) > before, 60, "an immediate reading")
        until(lambda: told_of(collector, switch), what="evidence")
        told = told_of(collector, switch)[0]
        assert (told["trap"], told["ifIndex"], told["ifName"]) == ("linkDown", 1, "lo"), "named by the readings"

        assert send("snmpinform", sender, port, ["-v2c", "-c", "public"], LINK_UP, *port_of(1)) == 0, "a response"
        assert send("snmpinform", sender, port, ["-v3", *USER], COLD_START) == 0, "discovery, report, response"
        assert send("snmptrap", sender, port, ["-v3", "-e", "0x8000000001020304", *USER], COLD_START) == 0
        hears(collector, "taken", 4)
        assert [told["security"] for told in told_of(collector, switch)] == ["v2c", "v2c", "authPriv", "authPriv"]
        assert send("snmptrap", sender, port, ["-v2c", "-c", "private"], LINK_DOWN) == 0
        assert send("snmptrap", world.ip("9.9"), port, ["-v2c", "-c", "public"], LINK_DOWN) == 0
        hears(collector, "wrong_community")
        hears(collector, "unknown_sender")

        added = world.device("added", DeviceKind.switch, world.ids["pop"], "3.2", watch=Watch.icmp)
        until(lambda: collector.feed().get("traps", {}).get("senders") == 4, 60, "the plan is followed")
        assert send("snmptrap", world.ip("3.2"), port, ["-v2c", "-c", "public"], COLD_START) == 0
        until(lambda: told_of(collector, added), what="the trap of a device that was added")

        packed = socket.inet_pton(socket.AF_INET6, "::1")
        world.add(Address(zone_id=world.ids["zone"], ip="::1", packed=packed, device_id=added, primary=False))
        until(lambda: collector.feed().get("traps", {}).get("senders") == 5, 60, "a further address, of IPv6")
        assert run("snmptrap", ["-v2c", "-c", "public", f"udp6:[::1]:{port}", "100", WARM_START]).returncode == 0
        until(lambda: [told["source"] for told in told_of(collector, added)] == [world.ip("3.2"), "::1"], what="IPv6")

        until(lambda: metrics(collector).get('edunet_traps_total{result="taken"}') == 6.0, what="metrics")
        found = metrics(collector)
        assert {name for name in RESULTS if f'edunet_traps_total{{result="{name}"}}' in found} == set(RESULTS)
        assert found['edunet_traps_taken_total{trap="linkDown"}'] == 1.0
        assert found["edunet_trap_answers_total"] == 3.0, "two responses and a report"
        assert found["edunet_trap_sockets"] == 2.0
        assert found["edunet_trap_readings_total"] >= 1.0
        assert world.rows("SELECT 1 FROM incident") == [], "no verdict"
        assert f"traps: listening on udp 127.0.0.1:{port}, [::1]:{port}" in collector.text()
    finally:
        agent.kill()
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    traps = [line for line in lines if line["kind"] == "trap"]
    starts = ["coldStart", "coldStart", "coldStart", "warmStart"]
    assert [line["trap"] for line in traps] == ["linkDown", "linkUp", *starts]
    assert traps[0]["node"] == f"device:{switch}"
    assert traps[0]["port"] == "lo"
    summary = list(replay(record.read_text().splitlines(), Judge()))[-1]
    assert summary["kind"] == "summary", "it can be replayed, and makes no notice"


def warm(collector: Collector) -> bool:
    """Whether both readings of the start are over."""
    return int((collector.feed().get("rounds") or {}).get("readings", 0)) >= 2


def test_a_storm_is_counted_whole_and_the_rounds_go_on(world: World, collectors: Callable[..., Collector]) -> None:
    """20,000 traps of two devices as fast as this process can send them: each is accounted for, and no round is late for it."""
    port = free_port(socket.SOCK_DGRAM)
    world.credential("public")
    for number in (1, 2):
        world.device(f"loud {number}", DeviceKind.switch, world.ids["pop"], f"3.{number}", watch=Watch.icmp)
    collector = collectors(traps_listen=f"127.0.0.1:{port}", traps_burst="10", traps_per_minute="1").start()
    until(lambda: collector.feed().get("traps", {}).get("senders") == 4, what="senders")
    until(lambda: (collector.feed().get("rounds") or {}).get("rounds", 0) >= 2, what="rounds")
    told = v2c_trap(LINK_DOWN, port_of(5, "GE0/0/5"))
    sent, sockets = 20_000, []
    for number in (1, 2):
        sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sockets[-1].bind((world.ip(f"3.{number}"), 0))
        sockets[-1].connect(("127.0.0.1", port))
    begun = collector.feed()["rounds"]["rounds"]
    for number in range(sent):
        sockets[number % 2].send(told)
    for sock in sockets:
        sock.close()

    def accounted() -> bool:
        traps = collector.feed()["traps"]
        return sum(traps.get("results", {}).values()) + traps["dropped_by_kernel"] == sent

    until(accounted, 60, "every datagram is accounted for")
    until(lambda: collector.feed()["rounds"]["rounds"] >= begun + 3, 60, "rounds go on")
    found = results(collector)
    assert 20 <= found["taken"] <= 26, "two devices, ten at once, and one a minute after that"
    assert set(found) == {"taken", "storm"}
    for number in (1, 2):
        assert 0 < len(told_of(collector, world.ids[f"loud {number}"])) <= 13
    assert world.rows("SELECT 1 FROM incident") == []


def test_a_receiver_that_dies_is_started_again_and_a_port_that_is_taken_is_said(
    world: World, collectors: Callable[..., Collector]
) -> None:
    world.credential("public")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        taken, port = holder.getsockname()[1], free_port(socket.SOCK_DGRAM)
        collector = collectors(traps_listen=f"127.0.0.1:{taken},127.0.0.1:{port},127.0.0.2:{port}=nobody").start()
        until(lambda: len(collector.feed().get("traps", {}).get("trouble", [])) == 2, what="what is wrong is said")
        traps = collector.feed()["traps"]
        assert traps["listening"] == [f"127.0.0.1:{port}", f"127.0.0.2:{port}=nobody"]
        assert traps["trouble"] == [
            f"127.0.0.1:{taken}: Address already in use",
            f"127.0.0.2:{port}=nobody: no zone has this name",
        ]
        until(lambda: f"(not on 127.0.0.1:{taken}: Address already in use)" in collector.text(), what="the log says so")
    children = Path(f"/proc/{collector.process.pid}/task/{collector.process.pid}/children")  # type: ignore[union-attr]
    found = [pid for pid in map(int, children.read_text().split()) if b"collector.traps" in command_of(pid)]
    if not found:  # threads start children too: each has a list of its own
        every = Path(f"/proc/{collector.process.pid}/task").glob("*/children")  # type: ignore[union-attr]
        pids = [int(pid) for path in every for pid in path.read_text().split()]
        found = [pid for pid in pids if b"collector.traps" in command_of(pid)]
    os.kill(found[0], signal.SIGKILL)
    until(lambda: collector.feed().get("traps", {}).get("starts", 0) >= 2, 60, "started again")
    until(lambda: len(collector.feed().get("traps", {}).get("listening", [])) == 3, 60, "all sockets now")
    sender = world.ip("1.1")
    until(lambda: collector.feed().get("traps", {}).get("senders") == 2, what="senders, told again")
    assert send("snmptrap", sender, port, ["-v2c", "-c", "public"], LINK_DOWN, *port_of(1)) == 0
    hears(collector, "taken")


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_without_a_place_to_listen_there_is_no_receiver(world: World, collectors: Callable[..., Collector]) -> None:
    collector = collectors(traps_listen="").start()
    until(lambda: collector.feed().get("traps") == {"listening": [], "trouble": [], "off": True}, what="off")
    assert not any("trap" in name for name in metrics(collector))
    assert collector.stop() == 0
