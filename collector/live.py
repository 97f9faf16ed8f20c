"""What the rounds measure, as the judge's process sees it: shared columns, names of ports, health."""

import threading
from typing import Any

import numpy as np

from collector.asking import tell_asking
from collector.clock import SteadyClock
from collector.loss import count_pings
from collector.plan import Plan
from collector.rounds.messages import Health, PortNames
from collector.shared import COUNTER_COLUMNS, Columns, attach

STATUS = {1: "up", 2: "down", 3: "testing", 4: "unknown", 5: "dormant", 6: "notPresent", 7: "lowerLayerDown"}
"""ifAdminStatus and ifOperStatus (RFC 2863)."""


class Live:
    """Swapped as wholes by the thread that listens to the rounds; read by every other."""

    def __init__(self, clock: SteadyClock) -> None:
        self.clock = clock
        self.plan: Plan | None = None
        self.columns: Columns | None = None
        self.health: Health | None = None
        self.names: list[str] = []
        self.named = 0
        """how often names came: what is made of them is made anew"""
        self._readings = 0
        self._lock = threading.Lock()

    def attach(self, fd: int) -> None:
        """Another block of columns."""
        self.columns = attach(fd)

    def take_names(self, message: PortNames) -> None:
        """New names in the table behind `name_id`."""
        first, fresh = message.table
        with self._lock:
            self.names = [*self.names[:first], *fresh]
            self.named += 1

    def take_health(self, message: Health) -> bool:
        """How the rounds go. Whether a reading round has ended since the last word."""
        self.health = message
        readings = int(message.detail.get("readings", 0))
        ended, self._readings = readings != self._readings and readings > 0, readings
        return ended

    def matched(self) -> tuple[Plan, Columns] | None:
        """Plan and columns, where they speak of the same version."""
        plan, columns = self.plan, self.columns
        if plan is None or columns is None or columns.shape.version != plan.version:
            return None
        return plan, columns

    def name(self, number: int) -> str:
        """A port's name by its number; empty where it is not known yet."""
        names = self.names
        return names[number] if 0 <= number < len(names) else ""

    def device(self, device_id: int) -> dict[str, Any] | None:
        """Live readings of one device, ready for JSON; None where it is not asked."""
        found = self.matched()
        if found is None:
            return None
        plan, columns = found
        node = plan.node_index.get(f"device:{device_id}", -1)
        target = int(plan.node_target[node]) if node >= 0 else -1
        if target < 0:
            return None
        one = columns.read_rows(
            ("answered", "rtt_s", "uptime", "uptime_at", "reading_at", "complete"), target, target + 1
        )
        order = np.argsort(columns.ring_at)
        order = order[columns.ring_at[order] > 0][-12:]
        window = columns.ring[order, target]
        lost, sent = count_pings(window[:, None], columns.ring_lost[order, target][:, None])
        pinged = window[window >= 0]
        return {
            "device": device_id,
            "address": plan.targets.address[target],
            "answered": int(one["answered"][0]) > 0,
            "by": [word for bit, word in ((1, "icmp"), (2, "snmp"), (4, "tcp")) if int(one["answered"][0]) & bit],
            "rtt_seconds": _number(one["rtt_s"][0]),
            "rtt_median_seconds": float(np.median(pinged)) if len(pinged) else None,
            "loss_ratio": float(lost[0] / sent[0]) if sent[0] else None,
            "rtt_window": [_number(value) if value != -1 else None for value in window.tolist()],
            "window_at": [float(t) for t in columns.ring_at[order]],
            "sysUpTime": int(one["uptime"][0]) if one["uptime"][0] >= 0 else None,
            "snmp_at": float(one["reading_at"][0]) or None,
            "asking": tell_asking(plan.targets, columns, target),
            "ports": self._ports(columns, target),
        }

    def _ports(self, columns: Columns, target: int) -> list[dict[str, Any]]:
        rows = columns.read_rows(
            ("if_index", "name_id", "present", "counters", "in_bps", "out_bps"), target, target + 1
        )
        ports = []
        for i, index in enumerate(rows["if_index"].tolist()):
            present = int(rows["present"][i])
            if not present:
                continue
            port: dict[str, Any] = {"ifIndex": index, "ifName": self.name(int(rows["name_id"][i])) or f"#{index}"}
            for column, name in enumerate(COUNTER_COLUMNS):
                value = int(rows["counters"][i, column]) if present & (1 << column) else None
                port[name] = STATUS.get(value or 0, "unknown") if column < 2 and value is not None else value
            speed = port["ifHighSpeed"]
            port["speed_bps"] = speed * 1_000_000 if speed else None
            port["in_bps"], port["out_bps"] = _number(rows["in_bps"][i]), _number(rows["out_bps"][i])
            ports.append(port)
        return ports


def _number(value: Any) -> float | None:
    number = float(value)
    return None if np.isnan(number) or number < 0 else number
