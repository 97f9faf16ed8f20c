"""The built-in history: bands of five minutes, from the shared columns to `inventory/history.py` (DESIGN.md, rule 12)."""

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collector.ledger import moment
from collector.live import Live
from collector.loss import count_pings
from collector.plan import Plan
from collector.shared import Columns
from inventory.database import Register
from inventory.history import BAND_S, DeviceBand, HistoryWriter, PortBand
from inventory.models.devices import DeviceKind

KINDS = frozenset({DeviceKind.gateway, DeviceKind.core, DeviceKind.aggregation})
"""Devices whose curves are kept."""

MANY = 3000
"""Above so many curves a band is written when it is over, below every minute."""


@dataclass
class _Sum:
    """Rates of one port within a band: sums, highest, how many."""

    n: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0])
    most: list[float] = field(default_factory=lambda: [0.0, 0.0])


class Curves:
    """Called every few seconds; writes when a minute, or a band, is over."""

    def __init__(self, register: Register, live: Live) -> None:
        self.register, self.live = register, live
        self.extra: set[tuple[int, str]] = set()
        """ports that are monitored beside the plan's: (device id, name)"""
        self._band = -1
        self._ports: dict[tuple[int, str], _Sum] = {}
        self._reading_at = 0.0
        self._written_at = 0.0

    def flush(self) -> None:
        """Take what is new; write what is due."""
        found = self.live.matched()
        if found is None:
            return
        plan, columns = found
        now = self.live.clock.now()
        band = int(now // BAND_S)
        if band != self._band and self._band >= 0:
            self._write(plan, columns, self._band)
            self._ports = {}
        self._band = band
        self._sample(plan, columns)
        if time.monotonic() - self._written_at > 60 and len(plan.gate_node) < MANY:
            self._write(plan, columns, band)

    def _sample(self, plan: Plan, columns: Columns) -> None:
        latest = float(columns.reading_at.max(initial=0.0))
        if latest <= self._reading_at:
            return
        self._reading_at = latest
        for key, row in monitored_rows(plan, columns, self.live, self.extra).items():
            rates = (float(columns.in_bps[row]), float(columns.out_bps[row]))
            if np.isnan(rates).any():
                continue
            entry = self._ports.setdefault(key, _Sum())
            entry.n += 1
            for i in (0, 1):
                entry.sums[i] += rates[i]
                entry.most[i] = max(entry.most[i], rates[i])

    def _write(self, plan: Plan, columns: Columns, band: int) -> None:
        self._written_at = time.monotonic()
        at = moment(band * BAND_S)
        rows: list[DeviceBand | PortBand] = [
            PortBand(device, port, at, s.sums[0] / s.n, s.sums[1] / s.n, s.most[0], s.most[1])
            for (device, port), s in self._ports.items()
        ]
        chosen = np.array(
            [i for i, d in enumerate(plan.targets.device_id.tolist()) if plan.devices[d].kind in KINDS], np.int64
        )
        rounds = np.flatnonzero((columns.ring_at >= band * BAND_S) & (columns.ring_at < (band + 1) * BAND_S))
        if len(chosen) and len(rounds):
            where = np.ix_(rounds, chosen)
            rows += device_bands(plan.targets.device_id[chosen], columns.ring[where], columns.ring_lost[where], at)
        if not rows:
            return
        for start in range(0, len(rows), 500):
            # In pieces: nobody waits long for SQLite's lock.
            with self.register.write() as session:
                HistoryWriter(session).put(rows[start : start + 500])


def device_bands(
    devices: NDArray[np.int64], ring: NDArray[np.float32], ring_lost: NDArray[np.uint8], at: object
) -> list[DeviceBand]:
    """Bands of devices from their rounds (rounds × devices, as `Columns.ring`, `ring_lost`); those that were not asked have none."""
    rtt = np.where(ring >= 0, ring, np.nan)
    rtt.sort(axis=0)  # NaN last
    answered = np.isfinite(rtt).sum(0)
    columns = np.arange(ring.shape[1])

    def quantile(q: float) -> NDArray[np.float32]:
        return np.asarray(rtt[np.clip(np.rint(q * (answered - 1)).astype(int), 0, None), columns], np.float32)

    lost, probes = count_pings(ring, ring_lost)
    low, mid, high = quantile(0.05), quantile(0.5), quantile(0.95)
    return [
        DeviceBand(int(d), at, float(mid[i]), float(low[i]), float(high[i]), float(lost[i] / probes[i]), int(probes[i]))  # type: ignore[arg-type]
        for i, d in enumerate(devices.tolist())
        if probes[i]
    ]


def monitored_rows(plan: Plan, columns: Columns, live: Live, extra: set[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """(device, port) -> row of the port columns, of the monitored ports that are there."""
    wanted: dict[int, set[str]] = {}
    for device, port in (*plan.monitored, *tuple(extra)):
        wanted.setdefault(device, set()).add(port)
    found: dict[tuple[int, str], int] = {}
    for device, ports in wanted.items():
        node = plan.node_index.get(f"device:{device}", -1)
        target = int(plan.node_target[node]) if node >= 0 else -1
        if target < 0:
            continue
        low, high = int(columns.offsets[target]), int(columns.offsets[target + 1])
        for row, number in enumerate(columns.name_id[low:high].tolist(), low):
            name = live.name(number)
            if name in ports:
                found[device, name] = row
    return found
