"""What was heard of each node beside its silence: ports, uptimes, traps, power; and the topology, as far as causes need it."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.judge.values import Node
from collector.report import RoundReport

MOST_TRAPS = 20
"""Traps that are kept of each node."""

POWER_TRAPS = {
    "upsTrapOnBattery": "battery",
    "1.3.6.1.4.1.318.0.5": "battery",
    "1.3.6.1.4.1.318.0.9": "mains",
}
"""Traps that say whence a UPS takes its power: RFC 1628; PowerNet-MIB's upsOnBattery and powerRestored."""

TICKS = 2**32
"""sysUpTime counts hundredths of seconds and begins anew at this (RFC 3418)."""


@dataclass(frozen=True, slots=True)
class Uptime:
    """A reading of sysUpTime: at `t`, in seconds; boot: when it began. wrapped: it began anew by counting alone."""

    t: float
    seconds: float
    wrapped: bool = False

    @property
    def boot(self) -> float:
        """When the device started, as far as this reading tells."""
        return self.t - self.seconds


@dataclass(frozen=True, slots=True)
class Trap:
    """A trap. port: ifName, where it named one."""

    t: float
    name: str
    port: str = ""


class Scene:
    """All that was heard. Reports may come in any order: of two words on one thing the later counts."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.below: dict[str, list[str]] = {}
        self.of_school: dict[str, list[str]] = {}
        self.operators: set[str] = set()
        self.ports: dict[tuple[str, str], tuple[float, str]] = {}
        self.ports_said: dict[tuple[str, str], float] = {}
        """(device, ifName) -> when its state was last read; `ports` has since when it is so"""
        self.uptimes: dict[str, Uptime] = {}
        self.traps: dict[str, deque[Trap]] = {}
        self.power: dict[str, deque[tuple[float, str]]] = {}
        """UPS -> (since when, "battery" or "mains"), the last changes"""
        self.power_said: dict[str, float] = {}
        self.agents: dict[str, float] = {}
        """node -> since when its agent is silent while it answers"""
        self.off: dict[str, list[tuple[float, float]]] = {}
        """school -> spans in which it is known to be switched off"""
        self.ends: dict[str, list[tuple[str, str]]] = {}
        """line -> the ports that it ends on, where they are others than the node's own"""
        self.touched: set[str] = set()

    def set_topology(self, nodes: Sequence[Node]) -> None:
        """Another topology; what was heard of nodes that remain stays."""
        self.nodes = {node.id: node for node in nodes}
        below, school = defaultdict(list), defaultdict(list)
        for node in nodes:
            for up in node.up or ():
                below[up].append(node.id)
            if node.school is not None:
                school[node.school].append(node.id)
        self.below, self.of_school = dict(below), dict(school)
        self.operators = {node.operator for node in nodes if node.operator}
        for heard in (self.uptimes, self.traps, self.power, self.power_said, self.agents):
            for gone in heard.keys() - self.nodes.keys():
                del heard[gone]
        self.ports = {key: word for key, word in self.ports.items() if key[0] in self.nodes}
        self.ports_said = {key: t for key, t in self.ports_said.items() if key in self.ports}
        self.touched |= set(self.nodes) if len(self.nodes) < 1000 else set()

    def take_report(self, report: RoundReport) -> None:
        """The facts of a round; of a blind one too, for a fact was read or it would not be there."""
        for node, facts in report.facts.items():
            self.take_facts(node, facts, report.t)

    def take_facts(self, node: str, facts: Mapping[str, Any], t: float) -> None:
        """What was read of one node at t. Keys that mean nothing here are passed over."""
        if node not in self.nodes:
            return
        for port, word in (facts.get("ports") or {}).items():
            if word in ("up", "down") and t >= self.ports.get((node, port), (t, ""))[0]:
                if self.ports.get((node, port), (0.0, ""))[1] != word:
                    self.ports[node, port] = (t, word)
                self.ports_said[node, port] = t
                self.touched.add(node)
        uptime = facts.get("sysUpTime")
        if isinstance(uptime, int | float) and uptime >= 0:
            self._take_uptime(node, float(uptime) / 100, t)
        if facts.get("ups") in ("battery", "mains"):
            self.take_power(node, facts["ups"], t)
        if facts.get("snmp") == "silent":
            self.agents.setdefault(node, t)
            self.touched.add(node)
        elif "snmp" in facts:
            self.agents.pop(node, None)

    def _take_uptime(self, node: str, seconds: float, t: float) -> None:
        before = self.uptimes.get(node)
        if before is not None and t <= before.t:
            return
        wrapped = before is not None and before.seconds + (t - before.t) >= TICKS / 100 - 60 > seconds
        self.uptimes[node] = Uptime(t, seconds, wrapped)
        self.touched.add(node)

    def take_power(self, node: str, word: str, t: float) -> None:
        """A UPS says whence its power comes: "battery" or "mains"."""
        changes = self.power.setdefault(node, deque(maxlen=MOST_TRAPS))
        if not changes or (changes[-1][1] != word and t >= changes[-1][0]):
            changes.append((t, word))
            self.touched.add(node)
        self.power_said[node] = max(t, self.power_said.get(node, t))

    def power_at(self, node: str, t: float) -> tuple[float, str] | None:
        """(since when, "battery" or "mains") of a UPS as it was at t; None where it had said nothing."""
        return next(((at, word) for at, word in reversed(self.power.get(node, ())) if at <= t), None)

    def take_trap(self, t: float, node: str, name: str, port: str = "") -> None:
        """A trap that a node sent."""
        if node in self.nodes:
            self.traps.setdefault(node, deque(maxlen=MOST_TRAPS)).append(Trap(t, name, port))
            if name in POWER_TRAPS:
                self.take_power(node, POWER_TRAPS[name], t)
            self.touched.add(node)

    def set_off(self, school: str, spans: Iterable[tuple[float, float]]) -> None:
        """When a school is known to be switched off: all spans that matter now."""
        self.off[school] = list(spans)

    def add_off(self, school: str, start: float, end: float) -> None:
        """Another span in which a school is known to be switched off."""
        self.off.setdefault(school, []).append((start, end))

    def is_off(self, school: str | None, t: float) -> bool:
        """Whether a school is known to be switched off at t."""
        return school is not None and any(start <= t < end for start, end in self.off.get(school, ()))

    # -- what the topology tells

    def above(self, node: str) -> set[str]:
        """All that a node hangs under, directly or not."""
        found: set[str] = set()
        waiting = list(self.nodes[node].up or ()) if node in self.nodes else []
        while waiting:
            up = waiting.pop()
            if up not in found and up in self.nodes:
                found.add(up)
                waiting += self.nodes[up].up or ()
        return found

    def first_asked(self, node: str) -> list[str]:
        """The asked nodes under an unasked one, directly or through other unasked ones."""
        found: list[str] = []
        waiting, seen = list(self.below.get(node, ())), set()
        while waiting:
            child = waiting.pop(0)
            if child in seen or child not in self.nodes:
                continue
            seen.add(child)
            if self.nodes[child].probe:
                found.append(child)
            else:
                waiting += self.below.get(child, ())
        return found

    def ends_of(self, line: str) -> list[tuple[str, str]]:
        """(device, ifName) of the ports that a line ends on."""
        node = self.nodes.get(line)
        port = node.port if node is not None else None
        return self.ends.get(line) or ([port] if port is not None else [])

    def lines_of(self, node: str) -> list[str]:
        """The unasked nodes with a port that a node hangs under."""
        ups = (self.nodes.get(up) for up in self.nodes[node].up or ())
        return [up.id for up in ups if up is not None and not up.probe and up.port is not None]
