"""Ports in the register: names when they come from the rounds, states when they change; nothing is written that is there already."""

import re
import time
from typing import Any

import numpy as np

from collector.ledger import Batch, Ledger, Row
from collector.live import STATUS, Live
from collector.plan import Plan
from collector.rounds.messages import PortNames
from collector.shared import Columns
from inventory.database import Register
from inventory.models import Port, table, utcnow
from inventory.models.devices import DeviceKind

UPLINK = re.compile(r"wan|uplink|trunk|上联|出口|上行", re.IGNORECASE)
"""What people call the port towards the network."""

MOST_GUESSED = 2
"""Ports of a gateway without a declared line that are taken for uplinks."""

AT_ONCE = 300
"""Devices whose ports are looked up in one statement."""

MOST_PENDING = 10_000
"""Rows of ports that wait for the writer; 100,000 switches have millions, and each waits as a dictionary."""

PATIENCE_S = 120.0
"""A writer that is held up for longer (an import) has other things to do; the ports are named again after the next start."""

_WRITTEN = ("if_index", "descr", "alias", "speed_bps", "admin", "oper")


class PortLog:
    """Owned by the slow jobs' threads."""

    def __init__(self, register: Register, live: Live, ledger: Ledger) -> None:
        self.register, self.live, self.ledger = register, live, ledger
        self.monitored: set[tuple[int, str]] = set()
        self._states: Any = None
        self._columns: Columns | None = None
        self._read_at = 0.0

    def take(self, message: PortNames) -> None:
        """Names of the ports of some devices: what differs from the register is written, in bulk, no faster than the writer can."""
        devices = list(message.ports)
        for start in range(0, len(devices), AT_ONCE):
            found = self._matched()
            if found is None:
                return
            plan, columns = found
            part = devices[start : start + AT_ONCE]
            known = self._known(part)
            ports: dict[tuple[int, str], Row] = {}
            for device in part:
                for row in port_rows(plan, columns, device, message.ports[device]):
                    key = (device, row["name"])
                    if row["monitored"]:
                        self.monitored.add(key)
                    if known.get(key) != tuple(row[name] for name in _WRITTEN):
                        ports[key] = row
            if ports:
                self.ledger.put(Batch(ports=ports))

    def _matched(self) -> tuple[Plan, Columns] | None:
        """Plan and columns, when the writer has room for more; None where they do not come together in time."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            found = self.live.matched()
            if found is not None and self.ledger.ports_pending() < MOST_PENDING:
                return found
            time.sleep(0.1)
        return None

    def follow_states(self) -> None:
        """Ports that went up or down since the last look."""
        found = self.live.matched()
        if found is None:
            return
        plan, columns = found
        latest = float(columns.reading_at.max(initial=0.0))
        if latest <= self._read_at and self._columns is columns:
            return
        self._read_at = latest
        states = columns.counters[:, :2].astype(np.uint8)
        if self._columns is not columns or self._states is None:
            self._columns, self._states = columns, states
            return
        changed = np.flatnonzero((states != self._states).any(1) & (columns.name_id >= 0))
        self._states = states
        ports: dict[tuple[int, str], Row] = {}
        owners = np.searchsorted(columns.offsets, changed, side="right") - 1
        for row, target in zip(changed.tolist(), owners.tolist(), strict=True):
            name, device = self.live.name(int(columns.name_id[row])), int(plan.targets.device_id[target])
            if name:
                ports[device, name] = {
                    "device_id": device,
                    "name": name,
                    "if_index": int(columns.if_index[row]),
                    "admin": STATUS.get(int(states[row, 0]), ""),
                    "oper": STATUS.get(int(states[row, 1]), ""),
                    "seen_at": utcnow(),
                }
        if ports:
            self.ledger.put(Batch(ports=ports))

    def _known(self, devices: list[int]) -> dict[tuple[int, str], tuple[Any, ...]]:
        row: Any = table(Port)
        columns = (row.c.device_id, row.c.name, *(row.c[name] for name in _WRITTEN))
        query = row.select().with_only_columns(*columns).where(row.c.device_id.in_(devices))
        with self.register.engine.connect() as connection:
            return {(device, name): tuple(rest) for device, name, *rest in connection.execute(query)}


def port_rows(plan: Plan, columns: Columns, device: int, told: list[tuple[int, str, str, str]]) -> list[Row]:
    """A device's ports as rows of `port`; none of a device that is not asked any more."""
    node = plan.node_index.get(f"device:{device}", -1)
    target = int(plan.node_target[node]) if node >= 0 else -1
    if target < 0:
        return []
    low, high = int(columns.offsets[target]), int(columns.offsets[target + 1])
    where = {index: row for row, index in enumerate(columns.if_index[low:high].tolist(), low) if columns.present[row]}
    declared = device in plan.monitored_devices
    network = plan.devices[device].kind in (DeviceKind.gateway, DeviceKind.core, DeviceKind.aggregation)
    guesses = MOST_GUESSED if network and not declared else 0
    rows = []
    for index, name, descr, alias in told:
        row = where.get(index)
        admin, oper, speed = "", "", None
        if row is not None:
            admin, oper = (STATUS.get(int(columns.counters[row, c]), "") for c in (0, 1))
            speed = int(columns.counters[row, 8]) * 1_000_000 or None
        uplink = guesses > 0 and (bool(UPLINK.search(f"{name} {descr} {alias}")) or (oper == "up" and bool(speed)))
        guesses -= uplink
        rows.append(
            {
                "device_id": device,
                "name": name,
                "if_index": index,
                "descr": descr[:255],
                "alias": alias[:255],
                "speed_bps": speed,
                "admin": admin,
                "oper": oper,
                "monitored": uplink or (device, name) in plan.monitored,
                "seen_at": utcnow(),
            }
        )
    return rows
