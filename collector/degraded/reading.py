"""Reads the sensors that rules wait for more often than the full readings do: a few values of a few devices, gently.

The first reading of a device finds its sensors (as `probes.device.read_sensors` does) and remembers what it was told; after that one request,
seldom two, brings the values of those sensors alone, and the rest is taken from memory. After `LEARN_S` it is found out anew.
"""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.degraded.sensing import measures_of
from collector.degraded.sensors import SensorStore
from collector.live import Live
from collector.plan import Plan
from collector.shared import BY_SNMP
from inventory.models import DeviceKind, Measure
from probes.device import Source, match_profile, read_sensors
from probes.device.profile import Profile
from probes.device.recording import Recording
from probes.device.source import Column, text_of
from probes.snmp.ber import Oid, Value
from probes.snmp.client import SnmpClient, SnmpError
from probes.snmp.oids import SYS_DESCR, SYS_OBJECT_ID, parse_oid

log = logging.getLogger(__name__)

PACE: dict[str, float] = {
    DeviceKind.ups: 1.0,
    DeviceKind.sensor: 2.0,
    DeviceKind.core: 5.0,
    DeviceKind.aggregation: 5.0,
    DeviceKind.recorder: 10.0,
}
"""How often the sensors of these kinds are read, in `sensors_every_s`; those of other kinds come with the full readings. The first come first."""

PACE_OF_RESTLESS = 5.0
"""... and of another device, once a reading of its sensors was bad: the full reading of an hour later is too late."""

LEARN_S = 3 * 3600.0
AT_ONCE = 4
BUDGET_S = 10.0
RETRY_ROUNDS = 5
"""One that did not answer is asked again after so many `sensors_every_s`."""

MOST_DEVICES = 5000
"""Devices that are read so; what is remembered of one takes some kilobytes."""

MOST_OIDS = 48
"""Values of one device in one such reading: two requests at most."""


@dataclass
class _Device:
    """What is remembered of a device."""

    values: dict[Oid, Value]
    profile: Profile
    oids: tuple[Oid, ...]
    learned_at: float
    due: float = 0.0


class _Listening:
    """A source that remembers what it was told."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.values: dict[Oid, Value] = {}

    def get(self, oids: Sequence[Oid]) -> dict[Oid, Value]:
        """As `Source`."""
        found = self.source.get(oids)
        self.values |= found
        return found

    def walk(self, columns: Sequence[Oid], budget_s: float | None = None) -> dict[Oid, Column]:
        """As `Source`."""
        found = self.source.walk(columns, budget_s)
        for column, rows in found.items():
            self.values |= {(*column, *index): value for index, value in rows.items()}
        return found


class SensorReader:
    """Called every few seconds; reads a few devices each time, most urgent first."""

    def __init__(self, live: Live, store: SensorStore, per_minute: int, every_s: float) -> None:
        """per_minute: most readings a minute; 0: none. every_s: how often a UPS is read."""
        self.live, self.store, self.per_minute, self.every_s = live, store, per_minute, every_s
        self.readings = self.failures = 0
        self._devices: dict[int, _Device] = {}
        self._due: dict[int, float] = {}
        self._plan: Plan | None = None
        self._paced: dict[int, int] = {}
        self._target: dict[int, int] = {}

    def run_some(self, seconds: float) -> None:
        """Read those that are due. seconds: how often this is called."""
        found = self.live.matched()
        if found is None or not self.per_minute:
            return
        plan, columns = found
        able = ((columns.reading_at > 0) | ((columns.answered & BY_SNMP) != 0)) & (columns.snmp_misses == 0)
        chosen = self._choose(plan, np.asarray(able), max(1, int(self.per_minute * seconds / 60)))
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(lambda target: self._read(plan, target), chosen))

    def _choose(self, plan: Plan, able: NDArray[np.bool_], most: int) -> list[int]:
        """Targets that are due: the kinds of `PACE` in order, then those that are restless; of each the longest overdue first."""
        now = time.monotonic()
        if plan is not self._plan:
            order = {kind: rank for rank, kind in enumerate(PACE)}
            kinds = enumerate(plan.devices[d].kind for d in plan.targets.device_id.tolist())
            self._plan, self._paced = plan, {target: order[kind] for target, kind in kinds if kind in order}
            self._target = {d: target for target, d in enumerate(plan.targets.device_id.tolist())}
        ranks = dict(self._paced)
        for device in self.store.restless:
            if device in self._target:
                ranks.setdefault(self._target[device], len(PACE))
        due = []
        for target, rank in ranks.items():
            device = int(plan.targets.device_id[target])
            if able[target] and self._due.get(device, 0.0) <= now and self.store.wants(device):
                due.append((rank, self._due.get(device, 0.0), target))
        due.sort()
        return [target for _, _, target in due[:most]]

    def _read(self, plan: Plan, target: int) -> None:
        device = int(plan.targets.device_id[target])
        every = self.every_s * PACE.get(plan.devices[device].kind, PACE_OF_RESTLESS)
        begun = time.monotonic()
        try:
            sensors = self._ask(plan, target, device)
        except (SnmpError, OSError) as error:
            log.debug("the sensors of %s were not read: %s", plan.targets.address[target], error)
            self.failures += 1
            self._due[device] = time.monotonic() + max(every, RETRY_ROUNDS * self.every_s)
            self._devices.pop(device, None)
            return
        self.readings += 1
        # One that has nothing to say that a rule waits for is asked again when it may have learned something.
        self._due[device] = begun + (every if sensors else LEARN_S)
        if sensors:
            self.store.put(device, self.live.clock.now(), sensors)

    def _ask(self, plan: Plan, target: int, device: int) -> list[dict[str, Any]]:
        targets = plan.targets
        number = int(targets.credential[target])
        if number < 0:
            return []
        known = self._devices.get(device)
        with SnmpClient(targets.address[target], int(targets.snmp_port[target]), targets.credentials[number]) as client:
            if known is None or time.monotonic() - known.learned_at > LEARN_S:
                return self._learn(client, device, self.store.wants(device))
            fresh = client.get(list(known.oids))
        for oid in known.oids:
            if oid in fresh:
                known.values[oid] = fresh[oid]
            else:
                known.values.pop(oid, None)
        return read_sensors(Recording(known.values), known.profile, budget_s=BUDGET_S)

    def _learn(self, client: SnmpClient, device: int, wanted: frozenset[Measure]) -> list[dict[str, Any]]:
        system = client.get([SYS_OBJECT_ID, SYS_DESCR])
        name, descr = system.get(SYS_OBJECT_ID), text_of(system.get(SYS_DESCR)) or ""
        profile = match_profile(name.data if name is not None and isinstance(name.data, tuple) else (), descr)
        listening = _Listening(client)
        sensors = read_sensors(listening, profile, budget_s=BUDGET_S)
        useful = [sensor for sensor in sensors if wanted & measures_of([sensor, *_companions(sensor, sensors)]).keys()]
        if not useful:
            self._devices.pop(device, None)
            return []
        oids = tuple(dict.fromkeys(parse_oid(str(sensor["oid"])) for sensor in useful))[:MOST_OIDS]
        if len(self._devices) < MOST_DEVICES or device in self._devices:
            self._devices[device] = _Device(listening.values, profile, oids, time.monotonic())
        return sensors


def _companions(sensor: dict[str, Any], sensors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sensors that give another its meaning: a battery's charge beside a state of the output, a budget beside a consumption."""
    if sensor.get("class") == "state":
        return [other for other in sensors if other.get("class") in ("charge", "runtime")][:1]
    return [other for other in sensors if other.get("group") == "PoE"] if sensor.get("group") == "PoE" else []
