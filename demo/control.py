"""Cutting and mending: what is out of order now, and what follows from it for routes, agents and ports.

`Control.answer` takes a request of the socket `run/demo.sock` (one JSON object a line) and gives the answer; all else is in `demo/host.py`.
"""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo import faults
from demo.faults import BATTERY_PREFIX, SLOW_PREFIX
from demo.network import Network
from demo.nodes import UnknownNodeError, combine, find, inside, name_of

TIMEOUT_S = 10.0


class Control:
    """What is cut. `changed` is called with the addresses that are silent and mute, dead ports and slow lines."""

    def __init__(self, network: Network, keys: list[str], mode: str, changed: Callable[["Control"], None]) -> None:
        """keys: faults to begin with. mode: `namespace`, or `snmp` where ping cannot be silenced."""
        self.network, self.mode, self._changed = network, mode, changed
        self.keys = keys
        self.addresses: frozenset[int] = frozenset()
        self.mute: frozenset[int] = frozenset()
        self.dead_ports: set[tuple[int, str]] = set()
        self.slow: frozenset[int] = frozenset()
        self.battery: frozenset[int] = frozenset()
        self.apply()

    def apply(self) -> None:
        """Work out what is silent, and have it done."""
        hard = [key for key in self.keys if not key.startswith((SLOW_PREFIX, BATTERY_PREFIX))]
        cut, units = combine(self.network, hard), self.network.units
        self.addresses = frozenset(units[n].address for n in self.network.silent(cut))
        self.mute = frozenset(units[n].address for n in cut.mute if n in units)
        self.dead_ports = self.network.dead_ports(cut)
        self.slow = frozenset(int(key[len(SLOW_PREFIX) :]) for key in self.keys if key.startswith(SLOW_PREFIX))
        self.battery = frozenset(int(key[len(BATTERY_PREFIX) :]) for key in self.keys if key.startswith(BATTERY_PREFIX))
        self._changed(self)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to {"do": "cut" | "mend" | "list" | "find" | "status", "node": text}; {"error": ...} where it cannot be done."""
        todo = request.get("do")
        if todo == "status":
            return self.status()
        if todo == "list":
            return {"faults": self.faults()}
        try:
            node = find(self.network, str(request.get("node", "")))
        except UnknownNodeError as unknown:
            candidates = [{"node": n.key, "name": n.name} for n in unknown.candidates]
            return {"error": "unknown", "node": str(unknown), "candidates": candidates, "count": unknown.count}
        if todo == "find":
            return {"node": node.key, "name": node.name}
        if todo == "cut":
            return self.cut(node.key)
        if todo == "mend":
            return self.mend(node.key)
        return {"error": "request"}

    def cut(self, key: str) -> dict[str, Any]:
        """Cut a node; cutting it twice changes nothing."""
        before = len(self.addresses)
        if key not in self.keys:
            try:
                combine(self.network, [key])
            except KeyError:
                return {"error": "nothing", "node": key, "name": name_of(self.network, key)}
            self.keys.append(key)
            self.apply()
        return self._result(key, "cut", before)

    def mend(self, key: str) -> dict[str, Any]:
        """Mend a node; one that is not cut itself: all that is cut inside it. What is cut above it stays cut, and is named in `still`."""
        before = len(self.addresses)
        mended = [key] if key in self.keys else [fault for fault in self.keys if self._mends(key, fault)]
        if mended:
            self.keys = [fault for fault in self.keys if fault not in mended]
            self.apply()
        return {**self._result(key, "mended", before), "faults": mended, "still": self._still(key)}

    def faults(self) -> list[dict[str, Any]]:
        """What is out of order: {node, name, kind} each; kind: cut, mute, slow or battery."""
        rows = []
        for key in self.keys:
            kind = {"mute": "mute", "slow": "slow", "battery": "battery"}.get(key.partition(":")[0], "cut")
            node = key.replace("mute:", "device:").replace(BATTERY_PREFIX, "device:").replace(SLOW_PREFIX, "line:")
            rows.append({"node": node, "name": name_of(self.network, node), "kind": kind})
        return rows

    def status(self) -> dict[str, Any]:
        """Figures of the demonstration."""
        return {
            "mode": self.mode,
            "devices": len(self.network.units),
            "schools": len(self.network.schools),
            "lines": len(self.network.circuits),
            "silent": len(self.addresses),
            "faults": self.faults(),
        }

    def _mends(self, key: str, fault: str) -> bool:
        if fault.startswith(SLOW_PREFIX):
            line = "line:" + fault[len(SLOW_PREFIX) :]
            return inside(self.network, key, line)
        return inside(self.network, key, fault)

    def _still(self, key: str) -> int:
        """How many of the node's own devices are silent all the same."""
        cut = combine(self.network, [key])
        lines = (self.network.circuits[n].end for n in cut.lines)
        own = set(cut.devices) | {end[0] for end in lines if end}
        return sum(self.network.units[n].address in self.addresses for n in own if n in self.network.units)

    def _result(self, key: str, done: str, before: int) -> dict[str, Any]:
        name = name_of(self.network, key)
        return {"node": key, "name": name, "done": done, "silent": len(self.addresses), "silent_before": before}


class NotRunningError(Exception):
    """No demonstration answers on the socket."""


def ask(path: Path, request: dict[str, Any], timeout: float = TIMEOUT_S) -> dict[str, Any]:
    """Ask the running demonstration (or the supervisor, which speaks the same). NotRunningError where nobody answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answer:
                line = answer.readline()
    except OSError as error:
        raise NotRunningError(str(error)) from error
    if not line:
        raise NotRunningError("no answer")
    value: dict[str, Any] = json.loads(line)
    return value


__all__ = ["Control", "NotRunningError", "ask", "faults"]
