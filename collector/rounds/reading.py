"""Reading rounds: the ports of all devices with SNMP, once a minute, in a thread and with sockets of its own."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.ports import PortName, name_ports
from collector.rounds.drops import Drops
from collector.rounds.store import Changes, Reading, Store
from collector.targets import WATCH_ANY, WATCH_SNMP, Targets
from probes.snmp.poll import SnmpPoller, SnmpTargets

DEADLINE_S = 12.0
"""A device is given up after this long (DESIGN.md, round)."""

NAMES_AT_ONCE = 2000
"""Devices whose port names are asked for in one go."""

NAMES_A_ROUND = 10_000
"""Devices whose port names are asked for after one reading round: 100,000 new ones are named within ten minutes, at a cost that nobody feels.
Those on which lines end come first, and are not counted."""


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

    def __init__(self, targets: Targets, snmp: SnmpTargets, store: Store, drops: Drops | None = None) -> None:
        self.targets, self.snmp, self.store, self.drops = targets, snmp, store, drops or Drops()
        self.poller = SnmpPoller()
        readable = (targets.credential >= 0) & np.isin(targets.watch, (WATCH_ANY, WATCH_SNMP))
        self.asked = np.flatnonzero(readable)
        self.unnamed = store.nameless(len(targets))
        self.reachable: NDArray[np.int64] = np.empty(0, np.int64)

    def round(self, now: "Any", select: NDArray[np.int64] | None = None, number: int = 0) -> ReadingRound:
        """One round over all (or some) targets. now: a function that gives the steady time. number: of the round, for those read less often."""
        asked = self.snmp.pace.due(self.asked, number) if select is None else select
        started = now()
        got = self.poller.round(self.snmp, select=asked, deadline_s=DEADLINE_S, attempts=6)
        self.drops.take_snmp(got)
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
        changes = self.store.write_reading(self.targets.version, ended, asked, reading, select is None)
        if changes is not None:
            self.unnamed[changes.relisted] = True
            self.unnamed[changes.restarted] = True
        answered = asked[reading.answered[asked]]
        self.reachable = answered
        return ReadingRound(asked, answered, reading.uptime, changes, started, ended)

    def name_some(self, until: float) -> Iterator[tuple[dict[int, list[PortName]], tuple[int, list[str]]]]:
        """Ask devices with new or renumbered ports for their names, until a monotonic time; those on which lines end first.

        In batches, so that nobody holds all of them: ({device id: ports}, (number of the first new name in the table, new names)).
        """
        tried = np.zeros(len(self.unnamed), np.bool_)
        ends = np.isin(np.arange(len(self.unnamed)), list(self.targets.wanted))  # their ports' words are awaited
        left = NAMES_A_ROUND
        while time.monotonic() < until:
            unnamed = self.reachable[self.unnamed[self.reachable] & ~tried[self.reachable]]
            first = unnamed[ends[unnamed]]
            others = unnamed[~ends[unnamed]][: min(left, max(0, NAMES_AT_ONCE - len(first)))]
            wanted = np.sort(np.concatenate((first[:NAMES_AT_ONCE], others)))
            if not len(wanted):
                break
            left -= len(others)
            tried[wanted] = True
            yield self._name(wanted)

    def _name(self, wanted: NDArray[np.int64]) -> tuple[dict[int, list[PortName]], tuple[int, list[str]]]:
        found: dict[int, list[PortName]] = {}
        start, fresh = len(self.store.names), []  # type: tuple[int, list[str]]
        for target, told in _told(self.poller.names(self.snmp, wanted), wanted):
            ports = name_ports(told)
            self.unnamed[target] = False  # one that did not tell is asked again after the next round
            found[int(self.targets.device_id[target])] = ports
            fresh += self.store.name_ports(target, {port.if_index: port.name for port in ports})
        return found, (start, fresh)

    def facts(self, round_: ReadingRound) -> dict[int, dict[str, Any]]:
        """Of the devices read: states of the ports on which lines end, and sysUpTime where it began again."""
        facts: dict[int, dict[str, Any]] = {}
        columns = self.store.columns
        if columns.shape.version != self.targets.version:
            return facts
        read = set(round_.answered.tolist())
        number = self.store.names
        for target, wanted in self.targets.wanted.items():
            if target not in read:
                continue
            states: dict[str, str] = {}
            low, high = columns.offsets[target : target + 2].tolist()
            ids = columns.name_id[low:high].tolist()
            for name in wanted:
                row = low + ids.index(number[name]) if number.get(name, -2) in ids else -1
                if row >= 0 and columns.present[row] & 2:
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
