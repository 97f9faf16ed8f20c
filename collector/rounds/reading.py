"""Reading rounds: the ports of all devices with SNMP, once a minute, in a thread and with sockets of its own."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.ports import PortName, name_ports
from collector.rounds.store import Changes, Reading, Store
from collector.targets import WATCH_ANY, WATCH_SNMP, Targets
from probes.snmp.poll import SnmpPoller, SnmpTargets

DEADLINE_S = 12.0
"""A device is given up after this long (DESIGN.md, round)."""

NAMES_AT_ONCE = 2000
"""Devices whose port names are asked for in one go."""


def snmp_targets(targets: Targets) -> SnmpTargets | None:
    """The targets in the poller's words, in the plan's numbering; None where no device has a credential."""
    if not len(targets) or not (targets.credential >= 0).any():
        return None
    fallback = targets.credentials[0]
    return SnmpTargets(
        targets.address,
        ports=targets.snmp_port.tolist(),
        credentials=[targets.credentials[c] if c >= 0 else fallback for c in targets.credential.tolist()],
        askings=targets.askings,
        asking_of=targets.asking_of,
    )


def inherit(snmp: SnmpTargets, targets: Targets, old: SnmpTargets, before: Targets) -> None:
    """What was learnt of the devices that remain in another plan."""
    _, mine, theirs = np.intersect1d(targets.device_id, before.device_id, return_indices=True)
    snmp.inherit(old, list(zip(mine.tolist(), theirs.tolist(), strict=True)))


@dataclass(frozen=True)
class ReadingRound:
    """What a reading round gave: the numbers asked and answered, and what changed (None: another plan came meanwhile)."""

    asked: NDArray[np.int64]
    answered: NDArray[np.int64]
    uptime: NDArray[np.int64]
    changes: Changes | None
    started: float
    ended: float


class Readings:
    """Reading rounds over one plan; made anew for each plan."""

    def __init__(self, targets: Targets, snmp: SnmpTargets, store: Store) -> None:
        self.targets, self.snmp, self.store = targets, snmp, store
        self.poller = SnmpPoller()
        readable = (targets.credential >= 0) & np.isin(targets.watch, (WATCH_ANY, WATCH_SNMP))
        self.asked = np.flatnonzero(readable)
        self.unnamed = np.zeros(len(targets), np.bool_)
        self.reachable: NDArray[np.int64] = np.empty(0, np.int64)
        self.names: dict[int, dict[int, str]] = {}

    def round(self, now: "Any", select: NDArray[np.int64] | None = None, number: int = 0) -> ReadingRound:
        """One round over all (or some) targets. now: a function that gives the steady time. number: of the round, for those read less often."""
        asked = self.snmp.pace.due(self.asked, number) if select is None else select
        started = now()
        got = self.poller.round(self.snmp, select=asked, deadline_s=DEADLINE_S, attempts=6)
        ended = now()
        reading = Reading(
            answered=np.asarray(got.answered, np.bool_),
            complete=np.asarray(got.complete, np.bool_),
            uptime=np.where(got.answered & (got.uptime > 0), np.asarray(got.uptime, np.int64), -1),
            offsets=np.asarray(got.offsets, np.int64),
            if_index=np.asarray(got.if_index, np.int64),
            counters=np.asarray(got.columns),
            present=np.asarray(got.present, np.uint16),
        )
        self.store.write_pace(self.targets.version, self.snmp.pace)
        changes = self.store.write_reading(self.targets.version, ended, asked, reading)
        if changes is not None:
            self.unnamed[changes.relisted] = True
            self.unnamed[changes.restarted] = True
        answered = asked[reading.answered[asked]]
        self.reachable = answered
        return ReadingRound(asked, answered, reading.uptime, changes, started, ended)

    def name_some(self, until: float) -> tuple[dict[int, list[PortName]], tuple[int, list[str]]]:
        """Ask devices with new or renumbered ports for their names, until a monotonic time.

        ({target: ports}, (number of the first new name in the table, new names)).
        """
        found: dict[int, list[PortName]] = {}
        first, fresh = len(self.store.names), []  # type: tuple[int, list[str]]
        tried = np.zeros(len(self.unnamed), np.bool_)
        while time.monotonic() < until:
            unnamed = self.reachable[self.unnamed[self.reachable] & ~tried[self.reachable]]
            ends = np.isin(unnamed, list(self.targets.wanted))  # where lines end: their ports' words are awaited
            wanted = np.sort(np.concatenate((unnamed[ends], unnamed[~ends]))[:NAMES_AT_ONCE])
            if not len(wanted):
                break
            tried[wanted] = True
            for target, told in _told(self.poller.names(self.snmp, wanted), wanted):
                ports = name_ports(told)
                self.unnamed[target] = False  # one that did not tell is asked again after the next round
                found[target] = ports
                self.names[target] = {port.if_index: port.name for port in ports}
                fresh += self.store.name_ports(target, self.names[target])
        return found, (first, fresh)

    def facts(self, round_: ReadingRound) -> dict[int, dict[str, Any]]:
        """Of the devices read: states of the ports on which lines end, and sysUpTime where it began again."""
        facts: dict[int, dict[str, Any]] = {}
        columns = self.store.columns
        if columns.shape.version != self.targets.version:
            return facts
        read = set(round_.answered.tolist())
        for target, wanted in self.targets.wanted.items():
            names = self.names.get(target)
            if target not in read or not names:
                continue
            states: dict[str, str] = {}
            for row in range(int(columns.offsets[target]), int(columns.offsets[target + 1])):
                name = names.get(int(columns.if_index[row]))
                if name in wanted and columns.present[row] & 2:
                    states[name] = "up" if columns.counters[row, 1] in (1, 5) else "down"
            if states:
                facts[target] = {"ports": states}
        for target in round_.changes.restarted.tolist() if round_.changes is not None else ():
            facts.setdefault(target, {})["sysUpTime"] = int(round_.uptime[target])
        return facts


def _told(got: Any, wanted: NDArray[np.int64]) -> Any:
    """(target, {ifIndex: (ifName, ifDescr, ifAlias)}) of those that answered."""
    items = got.items() if isinstance(got, dict) else ((target, got[target]) for target in wanted.tolist())
    return [(int(target), told) for target, told in items if told]
