"""Full readings of devices at a low pace: what they are, their sensors. Each soon after it is first seen, then once an hour."""

import json
import logging
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.ledger import Batch, Ledger, Row
from collector.live import Live
from collector.plan import Plan
from collector.settings import CollectorSettings
from collector.shared import BY_SNMP
from inventory.database import Register
from probes.device import read_device
from probes.snmp.client import SnmpClient, SnmpError

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Devices that are read at the same time."""

BUDGET_S = 20.0

MOST_KNOWN = 20_000
"""Devices whose last full reading is kept in memory."""

_COLUMNS = {
    "sys_object_id": ("sysObjectID", 120),
    "sys_descr": ("sysDescr", 500),
    "sys_name": ("sysName", 255),
    "version": ("version", 160),
    "engine_id": ("engineID", 64),
    "serial": ("serial", 80),
}
"""Columns of `device` that a reading fills, with the fields they come from and how long they may be."""


class Facts:
    """Called every few seconds; reads a few devices each time."""

    def __init__(self, register: Register, live: Live, ledger: Ledger, settings: CollectorSettings) -> None:
        self.register, self.live, self.ledger, self.settings = register, live, ledger, settings
        self._known: dict[int, bytes] = {}
        self.on_reading: Callable[[int, float, dict[str, Any]], None] | None = None
        """(device, time, reading): called with each full reading"""
        self._read_at: dict[int, float] = {}
        self._written: dict[int, Row] = {}
        self._times_of: tuple[Plan | None, NDArray[np.float64]] = (None, np.zeros(0))

    def _times(self, plan: Plan) -> NDArray[np.float64]:
        """When each target was last read, long ago where it never was."""
        if self._times_of[0] is not plan:
            times = [self._read_at.get(device, -1e9) for device in plan.targets.device_id.tolist()]
            self._times_of = plan, np.array(times, np.float64)
        return self._times_of[1]

    def known(self, device_id: int) -> dict[str, Any] | None:
        """What the last full reading of a device gave, with `read_at`; None where there is none."""
        packed = self._known.get(device_id)
        return None if packed is None else dict(json.loads(zlib.decompress(packed)))

    def run_some(self) -> None:
        """Read those that are due, oldest first, within the pace that the settings allow."""
        found = self.live.matched()
        if found is None or not self.settings.facts_per_minute:
            return
        plan, columns = found
        due = time.monotonic() - self.settings.facts_every_s
        able = ((columns.reading_at > 0) | ((columns.answered & BY_SNMP) != 0)) & (columns.snmp_misses == 0)
        read_at = self._times(plan)
        wanted = np.flatnonzero(able & (read_at < due))
        some = wanted[np.argsort(read_at[wanted], kind="stable")][
            : max(1, self.settings.facts_per_minute // 12)
        ].tolist()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            results = list(threads.map(lambda target: read_target(plan, target), some))
        facts: dict[int, Row] = {}
        for target, result in zip(some, results, strict=True):
            device = int(plan.targets.device_id[target])
            self._read_at[device] = read_at[target] = time.monotonic()
            if result is None:
                continue
            if self.on_reading is not None:
                self.on_reading(device, self.live.clock.now(), result)
            if len(self._known) < MOST_KNOWN or device in self._known:
                # Packed: 20,000 readings of 28 ports are 30 MB so, and 600 as dictionaries.
                kept = {"read_at": self.live.clock.now(), **result}
                self._known[device] = zlib.compress(json.dumps(kept, ensure_ascii=False, default=str).encode(), 1)
            row = device_row(result)
            if row and row != self._written.get(device):
                self._written[device] = facts[device] = row
        if facts:
            self.ledger.put(Batch(facts=facts))


def read_target(plan: Plan, target: int, budget_s: float = BUDGET_S) -> dict[str, Any] | None:
    """One device in full, or None where it does not answer or has no credential."""
    targets = plan.targets
    number = int(targets.credential[target])
    if number < 0:
        return None
    try:
        with SnmpClient(targets.address[target], int(targets.snmp_port[target]), targets.credentials[number]) as client:
            return read_device(client, budget_s=budget_s)
    except (SnmpError, OSError) as error:
        log.debug("%s was not read in full: %s", targets.address[target], error)
        return None


def device_row(reading: dict[str, Any]) -> Row:
    """What a full reading says of the device, as columns of the register; what it does not say is left alone."""
    device = reading.get("device", {})
    row: Row = {}
    for column, (name, most) in _COLUMNS.items():
        value = device.get(name)
        if isinstance(value, str) and value.strip():
            row[column] = value.strip()[:most]
    return row
