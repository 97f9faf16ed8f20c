"""What sensors say, kept by device, and in columns for the rules. Written by the jobs that read, read by the judge's thread."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.degraded.rules import RuleRow, masks_of
from collector.degraded.sensing import SENSED, Sensed, duplex_of, measures_of
from collector.degraded.subjects import Subjects
from collector.plan import Plan
from inventory.models import Measure

Reading = tuple[NDArray[np.float64], NDArray[np.float64]]

MOST_DEVICES = 200_000
"""Devices whose sensors are kept."""


class SensorStore:
    """The last word of each device's sensors."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[int, tuple[float, dict[Measure, Sensed]]] = {}
        self._duplex: dict[tuple[int, str], tuple[float, float]] = {}
        self._fresh: set[int] = set()
        self._columns: dict[Measure, Reading] = {}
        self._plan: Plan | None = None
        self._target: dict[int, int] = {}
        self._wanted: dict[Measure, NDArray[np.bool_]] = {}
        self.restless: frozenset[int] = frozenset()
        """devices of which something was bad at the last reading: they are read again soon, whatever their kind"""

    def put(
        self, device: int, at: float, sensors: Iterable[Mapping[str, Any]], ports: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        """One reading of a device, in the words of `probes.device`."""
        found = measures_of(sensors)
        with self._lock:
            if device in self._known or len(self._known) < MOST_DEVICES:
                self._known[device] = (at, found)
                self._fresh.add(device)
            for name, half in duplex_of(ports).items():
                self._duplex[device, name] = (at, half)

    def take(self, device: int, at: float, reading: Mapping[str, Any]) -> None:
        """A full reading (`probes.device.read_device`): its sensors, CPU and memory, and its ports."""
        sensors = [*reading.get("sensors", ())]
        sensors += [{"class": "cpu", "descr": c["descr"], "value": c["usage_percent"]} for c in reading.get("cpu", ())]
        for memory in reading.get("memory", ()):
            if memory.get("class") == "system" and "used_percent" in memory:
                sensors.append({"class": "memory", "descr": memory["descr"], "value": memory["used_percent"]})
        self.put(device, at, sensors, reading.get("ports", ()))

    def follow(self, plan: Plan, subjects: Subjects, rules: Iterable[RuleRow]) -> None:
        """Another plan or other rules: new columns, and who is to be read."""
        n, devices = len(plan.targets), plan.targets.device_id
        sensed = [rule for rule in rules if Measure(rule.measure) in SENSED]
        wanted = {Measure(rule.measure): np.zeros(n, np.bool_) for rule in sensed}
        for rule, mask in zip(sensed, masks_of(plan, subjects, sensed).values(), strict=True):
            wanted[Measure(rule.measure)] |= mask
        with self._lock:
            mine, theirs = _places(devices, self._plan.targets.device_id if self._plan is not None else devices[:0])
            columns = {measure: (np.full(n, np.nan), np.zeros(n)) for measure in SENSED}
            for measure, old in self._columns.items():
                for column, known in zip(columns[measure], old, strict=True):
                    column[mine] = known[theirs]
            self._columns = columns
            self._plan, self._target = plan, {device: i for i, device in enumerate(devices.tolist())}
            self._fresh |= self._known.keys() - set(devices[mine].tolist())
            self._wanted = wanted

    def wants(self, device: int) -> frozenset[Measure]:
        """The measures that some rule wants of a device."""
        with self._lock:
            i = self._target.get(device)
            return frozenset() if i is None else frozenset(m for m, mask in self._wanted.items() if mask[i])

    def readings(self, plan: Plan) -> dict[Measure, Reading]:
        """(value, time) by target and measure; NaN where no sensor spoke of it."""
        with self._lock:
            if plan is self._plan:
                for device in self._fresh:
                    self._fill(device)
                self._fresh = set()
            return self._columns

    def _fill(self, device: int) -> None:
        i = self._target.get(device)
        if i is None:
            return
        at, found = self._known[device]
        for measure, (values, times) in self._columns.items():
            sensed = found.get(measure)
            values[i], times[i] = (sensed.value, at) if sensed is not None else (np.nan, at)

    def duplex(self, subjects: Subjects) -> Reading:
        """(1 half, 0 full, time) by port."""
        value, at = np.full(len(subjects.port_key), np.nan), np.zeros(len(subjects.port_key))
        with self._lock:
            if self._duplex:
                for i, key in enumerate(subjects.port_key):
                    known = self._duplex.get(key)
                    if known is not None:
                        at[i], value[i] = known
        return value, at

    def text_of(self, subject: str, measure: str) -> str:
        """The sensor that a measure of `device:7` is of; empty where it is no sensor's."""
        kind, _, number = subject.partition(":")
        if kind != "device" or not number.isdigit():
            return ""
        with self._lock:
            known = self._known.get(int(number))
        sensed = known[1].get(Measure(measure)) if known is not None else None
        return sensed.of if sensed is not None else ""


def _places(new: NDArray[np.int64], old: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the same devices in the new and in the old numbering."""
    if not len(old):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.argsort(old, kind="stable")
    at = np.minimum(np.searchsorted(old[order], new), len(old) - 1)
    mine = np.flatnonzero(old[order][at] == new)
    return mine, order[at[mine]]
