"""The demonstration's network as it really is: which addresses fall silent when something is cut. Pure.

This is the truth that the monitor is to find out, so it is worked out here on its own and not by the collector's plan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

HUB_KINDS = frozenset({"core", "aggregation", "gateway"})


@dataclass(frozen=True, slots=True)
class Unit:
    """A device. `address`: IPv4 as a number; `place`: GB/T 2260 code of its site; `model`: as in `demo/catalogue.py`."""

    id: int
    kind: str
    name: str
    address: int
    site: int
    school: int | None
    place: str
    tier: str
    vendor: str
    model: str
    serial: str
    sys_name: str
    mac: str


@dataclass(frozen=True, slots=True)
class Circuit:
    """A line with its two ends (device id, ifName) and the sites that it serves."""

    id: int
    name: str
    role: str
    mbps: int
    upstream_site: int | None
    sites: tuple[int, ...]
    end: tuple[int, str] | None
    far: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class Cut:
    """What is out of order. `devices`, `lines`: cut; `mute`: devices whose SNMP agent alone is silent."""

    devices: frozenset[int] = frozenset()
    lines: frozenset[int] = frozenset()
    mute: frozenset[int] = frozenset()


@dataclass(repr=False)
class Network:
    """Devices, lines and what hangs under what. Names and codes are for looking nodes up (`demo/nodes.py`)."""

    units: dict[int, Unit]
    circuits: dict[int, Circuit]
    upstreams: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    schools: dict[int, tuple[str, str]] = field(default_factory=dict)
    regions: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lines_of_site: dict[int, list[int]] = {}
        self._hubs_of_site: dict[int, list[int]] = {}
        for circuit in self.circuits.values():
            for site in circuit.sites:
                self._lines_of_site.setdefault(site, []).append(circuit.id)
        for unit in self.units.values():
            if unit.kind in HUB_KINDS:
                self._hubs_of_site.setdefault(unit.site, []).append(unit.id)

    def silent(self, cut: Cut) -> set[int]:
        """Ids of the devices that nothing can reach, the cut ones included."""
        alive: dict[tuple[str, int], bool] = {}
        return {unit for unit in self.units if not self._device_alive(unit, cut, alive)}

    def dead_ports(self, cut: Cut) -> set[tuple[int, str]]:
        """(device id, ifName) of the ports at both ends of the cut lines."""
        ends = (end for line in cut.lines if line in self.circuits for end in self._ends(line))
        return {end for end in ends if end is not None}

    def circuits_of(self, unit: int) -> list[Circuit]:
        """The lines that end on a device, at either end."""
        return [c for c in self.circuits.values() if any(end and end[0] == unit for end in (c.end, c.far))]

    def _ends(self, line: int) -> Iterable[tuple[int, str] | None]:
        return self.circuits[line].end, self.circuits[line].far

    def _device_alive(self, unit: int, cut: Cut, alive: dict[tuple[str, int], bool]) -> bool:
        key = ("device", unit)
        if key not in alive:
            alive[key] = False  # against loops: nothing lives by itself
            alive[key] = unit not in cut.devices and self._fed(self.units[unit], cut, alive)
        return alive[key]

    def _fed(self, unit: Unit, cut: Cut, alive: dict[tuple[str, int], bool]) -> bool:
        declared = self.upstreams.get(unit.id, ())
        if declared:
            return any(self._device_alive(up, cut, alive) for up in declared if up in self.units)
        hubs = self._hubs_of_site.get(unit.site, []) if unit.kind not in HUB_KINDS else []
        if hubs:
            return any(self._device_alive(up, cut, alive) for up in hubs)
        lines = self._lines_of_site.get(unit.site)
        if not lines:
            return True
        return any(self._line_alive(line, cut, alive) for line in lines)

    def _line_alive(self, line: int, cut: Cut, alive: dict[tuple[str, int], bool]) -> bool:
        key = ("line", line)
        if key not in alive:
            alive[key] = False
            hubs = self._hubs_of_site.get(self.circuits[line].upstream_site or 0)
            fed = not hubs or any(self._device_alive(up, cut, alive) for up in hubs)
            alive[key] = line not in cut.lines and fed
        return alive[key]
