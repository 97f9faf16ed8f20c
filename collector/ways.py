"""By which of its lines a school's gateway sends: its default route, read by SNMP, for gateways with several lines. A slow job."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from collector.live import Live
from collector.plan import Plan
from probes.device.routes import DefaultRoute, read_default_route
from probes.snmp.client import SnmpClient, SnmpError

log = logging.getLogger(__name__)

EVERY_S = 60.0
"""Each gateway is asked this often."""

AT_ONCE, MOST = 4, 40
"""Gateways asked at the same time, and in one run (every 5 s): 480 a minute; more are asked less often."""

PATIENCE_S = 3.0


@dataclass(frozen=True)
class WayNews:
    """Gateway (id of the device) -> the line that it sends by, at the steady time `at`."""

    at: float
    ways: dict[int, int]


class Ways:
    """Reads; `tell` hands the news to the judge's thread."""

    def __init__(self, live: Live, tell: Callable[[WayNews], None]) -> None:
        self.live, self._tell = live, tell
        self._read_at: dict[int, float] = {}

    def run_some(self) -> None:
        """Ask the gateways that are due, the longest waiting first."""
        found = self.live.matched()
        if found is None or not found[0].lineways.ways:
            return
        plan, columns = found
        due = time.monotonic() - EVERY_S
        targets = {int(plan.targets.device_id[i]): i for i in range(len(plan.targets))}
        wanted = [
            device
            for device in plan.lineways.ways
            if device in targets
            and plan.targets.credential[targets[device]] >= 0
            and columns.answered[targets[device]]
            and self._read_at.get(device, -1e9) < due
        ]
        some = sorted(wanted, key=lambda device: self._read_at.get(device, -1e9))[:MOST]
        if not some:
            return
        with ThreadPoolExecutor(AT_ONCE) as threads:
            routes = list(threads.map(lambda device: _read(plan, targets[device]), some))
        self._read_at |= dict.fromkeys(some, time.monotonic())
        ways = {}
        for device, route in zip(some, routes, strict=True):
            line = None if route is None else line_of(plan, device, route, self._port_name(device, route))
            if line is not None:
                ways[device] = line
        if ways:
            self._tell(WayNews(self.live.clock.now(), ways))

    def _port_name(self, device: int, route: DefaultRoute) -> str:
        ports = (self.live.device(device) or {}).get("ports", [])
        return next((str(port["ifName"]) for port in ports if port["ifIndex"] == route.if_index), "")


def line_of(plan: Plan, device: int, route: DefaultRoute, port: str) -> int | None:
    """The line that a default route leads onto: by the port that the line ends on, its far address, or the range that it was given."""
    lines = plan.lineways.ways[device]
    for line in lines:
        row = plan.lines[line]
        if port and row.end_device_id in (device, None) and row.end_port == port:
            return line
    for line in lines:
        if route.next_hop and plan.lines[line].far_address == route.next_hop:
            return line
    return next((line for line in lines if plan.lineways.holds(line, route.next_hop)), None) if route.next_hop else None


def _read(plan: Plan, target: int) -> DefaultRoute | None:
    targets = plan.targets
    credential = targets.credentials[int(targets.credential[target])]
    try:
        with SnmpClient(
            targets.address[target], int(targets.snmp_port[target]), credential, timeout_s=1.0, attempts=2
        ) as client:
            client.deadline = time.monotonic() + PATIENCE_S
            return read_default_route(client)
    except (SnmpError, OSError) as error:
        log.debug("%s did not tell its default route: %s", targets.address[target], error)
        return None
