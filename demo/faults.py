"""The faults that the demonstration begins with, so that the board has something to say; and the file that keeps what is cut. Pure but for that file."""

import json
from collections import Counter
from pathlib import Path

from demo.network import Network
from demo.nodes import members

SLOW_PREFIX = "slow:"
"""A fault of its own kind: a line that is saturated and loses packets; `mend line:N` ends it."""

BATTERY_PREFIX = "battery:"
"""Another: a UPS whose mains have failed, so that it lives on its battery; `mend device:N` ends it."""

MANY_CAMERAS = 5
"""A school with so many cameras shows what it means that more than half of them are silent."""


def standing(network: Network, mute: bool = True) -> list[str]:
    """A county cut off by its only trunk line, a school with silent cameras, an agent that is silent (`mute`), a slow line, a UPS on battery.

    mute: False where devices are watched by SNMP alone, for which a silent agent would be an outage.
    """
    found = [_county_line(network), *_cameras(network), _slow_line(network), _dead_gateway(network), _battery(network)]
    if mute:
        found.append(_mute_switch(network))
    return [key for key in found if key]


def load(path: Path, network: Network) -> list[str] | None:
    """The faults kept in a file, without those whose node is gone; None where there is no such file or it is broken."""
    try:
        keys = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return [key for key in keys if isinstance(key, str) and exists(network, key)] if isinstance(keys, list) else None


def save(path: Path, keys: list[str]) -> None:
    """Keep the faults for the next start of the responder."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(keys))
    new.replace(path)


def exists(network: Network, key: str) -> bool:
    """Whether a fault's node is in the network."""
    if key.startswith(BATTERY_PREFIX):
        number = key[len(BATTERY_PREFIX) :]
        return number.isdigit() and int(number) in network.units
    if key.startswith(SLOW_PREFIX):
        return key[len(SLOW_PREFIX) :].isdigit() and int(key[len(SLOW_PREFIX) :]) in network.circuits
    try:
        members(network, key)
    except (KeyError, ValueError):
        return False
    return True


def _county_line(network: Network) -> str | None:
    """The only trunk line of a county in the north-west, which nothing else here touches."""
    trunks: dict[int, list[int]] = {}
    for circuit in network.circuits.values():
        unit = network.units.get(circuit.end[0]) if circuit.end else None
        if unit and unit.tier == "county" and unit.place.startswith("1409"):
            trunks.setdefault(unit.id, []).append(circuit.id)
    lines = [lines[0] for unit, lines in sorted(trunks.items()) if len(lines) == 1]
    return f"line:{lines[-1]}" if lines else None


def _in_place(network: Network, kind: str, place: str) -> list[int]:
    return sorted(u.id for u in network.units.values() if u.kind == kind and u.place.startswith(place) and u.school)


def _cameras(network: Network) -> list[str]:
    """More than half of the cameras of a school that has many; where none has, one camera."""
    cameras = _in_place(network, "camera", "1404")
    of_school = Counter(network.units[n].school for n in cameras)
    many = next((school for school, count in sorted(of_school.items()) if count >= MANY_CAMERAS), None)
    mine = [n for n in cameras if network.units[n].school == many]
    return [f"device:{n}" for n in (mine[: len(mine) // 2 + 1] or cameras[:1])]


def _battery(network: Network) -> str | None:
    units = _in_place(network, "ups", "1405")
    return f"{BATTERY_PREFIX}{units[0]}" if units else None


def _mute_switch(network: Network) -> str | None:
    switches = _in_place(network, "switch", "1402")
    return f"mute:{switches[-1]}" if switches else None


def _dead_gateway(network: Network) -> str | None:
    gateways = [n for n in _in_place(network, "gateway", "1410") if "小学" in network.units[n].name]
    return f"device:{gateways[-1]}" if gateways else None


def _slow_line(network: Network) -> str | None:
    for circuit in network.circuits.values():
        unit = network.units.get(circuit.end[0]) if circuit.end else None
        if unit and unit.school and unit.place.startswith("1407") and circuit.mbps == 200:
            return f"{SLOW_PREFIX}{circuit.id}"
    return None
