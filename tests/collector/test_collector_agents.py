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
