"""Devices that have a credential of their zone and have never spoken SNMP."""

import json
import socket
from collections.abc import Callable
from typing import Any

from collector_world import Collector, World, until

from inventory.models import DeviceKind, Watch


def detail(world: World, name: str) -> dict[str, Any]:
    rows = world.rows(f"SELECT detail FROM feed WHERE name = '{name}'")
    return dict(json.loads(rows[0][0])) if rows else {}


def test_a_device_that_never_spoke_snmp_is_listed_and_is_no_silent_agent(
    world: World, collectors: Callable[..., Collector]
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = int(sock.getsockname()[1])
    world.credential("public")
    never = world.device("printer", DeviceKind.switch, world.ids["pop"], "3.1", watch=Watch.any, snmp_port=port)
    spoke = world.device(
        "switch", DeviceKind.switch, world.ids["pop"], "3.2", watch=Watch.any, snmp_port=port, sys_object_id="1.3.6.1"
    )
    collector = collectors(agent_silent_rounds="1").start()
    until(lambda: world.state_of("device", "switch") == "agent_silent", 90, "it spoke before, says the register")
    until(lambda: detail(world, "judge").get("snmp_not_yet_seen") == 1, 60, "the other is counted")
    assert collector.feed()["snmp_not_yet_seen"] == [never]
    assert world.state_of("device", "printer") == "up"
    incidents = world.rows("SELECT root_id FROM incident WHERE kind = 'agent_silent'")
    assert (spoke,) in incidents
    assert (never,) not in incidents
    assert collector.stop() == 0


def test_after_a_kill_a_silent_agent_is_still_silent_and_what_was_up_is_so_since_before(
    world: World, collectors: Callable[..., Collector]
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = int(sock.getsockname()[1])
    world.credential("public")
    world.device(
        "switch", DeviceKind.switch, world.ids["pop"], "3.2", watch=Watch.any, snmp_port=port, sys_object_id="1.3.6.1"
    )
    first = collectors(agent_silent_rounds="1").start()
    until(lambda: world.rows("SELECT 1 FROM notice WHERE event = 'opened'"), 90, "the incident of the agent")
    since = (
        f"SELECT since, up_s FROM node_state WHERE kind = 'device' AND node_id = {world.ids['core']} AND state = 'up'"
    )
    (before,) = until(lambda: world.rows(since), 60, "the core is up")
    first.kill()
    stopped = world.rows("SELECT at FROM feed WHERE name = 'judge'")
    second = collectors(agent_silent_rounds="3").start()
    until(lambda: (second.feed().get("rounds") or {}).get("readings", 0) >= 2, 90, "two reading rounds after the start")
    until(lambda: world.state_of("device", "switch") == "agent_silent", 60, "its agent is silent still")
    until(lambda: world.rows("SELECT at FROM feed WHERE name = 'judge'") > stopped, 60, "the judge lives")
    (after,) = until(lambda: world.rows(since), 60, "the core is up")
    assert after[0] == before[0], "up since before the kill"
    assert after[1] < before[1], "the stop does not count as up"
    assert world.rows("SELECT unknown_s > 0 FROM node_state WHERE kind = 'device'")[0] == (1,)
    assert world.rows("SELECT event FROM notice WHERE outlet = ''") == [("opened",)]
    assert world.rows("SELECT status FROM incident WHERE kind = 'agent_silent'") == [("open",)]
