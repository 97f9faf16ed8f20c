"""NODE as people write it (id, code or name), and what cutting it means. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from demo.network import Cut, Network

SHOWN = 20
"""At most so many candidates are listed."""


@dataclass(frozen=True, slots=True)
class Node:
    """A thing that can be cut. `key`: `device:12`, `line:7`, `school:9` or `region:140105`."""

    key: str
    name: str


class UnknownNodeError(ValueError):
    """No node, or several, are meant; `candidates` are those that come near."""

    def __init__(self, text: str, candidates: list[Node]) -> None:
        super().__init__(text)
        self.candidates = candidates[:SHOWN]
        self.count = len(candidates)


def find(network: Network, text: str) -> Node:
    """The one node that `text` means: an id, a region's or school's code, a whole name, or a part of one name alone."""
    text = text.strip()
    node = _by_key(network, text) or _by_code(network, text)
    if node:
        return node
    everything = list(_named(network))
    for match in (
        [n for n in everything if n.name == text],
        [n for n in everything if n.key.startswith("region:") and n.name in (text + "市", text + "县", text + "区")],
        [n for n in everything if text and text.lower() in n.name.lower()],
    ):
        if len(match) == 1:
            return match[0]
        if match:
            raise UnknownNodeError(text, match)
    raise UnknownNodeError(text, [])


def members(network: Network, key: str) -> Cut:
    """What is cut when `key` is: of a region its hub devices, of a school all its devices. KeyError where there is none."""
    kind, _, rest = key.partition(":")
    if kind == "line":
        return Cut(lines=frozenset({network.circuits[int(rest)].id}))
    if kind == "device":
        return Cut(devices=frozenset({network.units[int(rest)].id}))
    if kind == "mute":
        return Cut(mute=frozenset({network.units[int(rest)].id}))
    if kind == "school":
        units = frozenset(u.id for u in network.units.values() if u.school == int(rest))
        if not units:
            raise KeyError(key)
        return Cut(devices=units)
    if kind != "region" or rest not in network.regions:
        raise KeyError(key)
    tier = {"province": "core", "city": "city"}.get(network.regions[rest][1], "county")
    hubs = frozenset(
        u.id for u in network.units.values() if u.tier == tier and u.place == rest and u.kind in ("core", "aggregation")
    )
    if not hubs:
        raise KeyError(key)
    return Cut(devices=hubs)


def combine(network: Network, keys: Iterable[str]) -> Cut:
    """All that is out of order when all of `keys` are."""
    parts = [members(network, key) for key in keys]
    return Cut(
        frozenset().union(*(p.devices for p in parts)),
        frozenset().union(*(p.lines for p in parts)),
        frozenset().union(*(p.mute for p in parts)),
    )


def inside(network: Network, key: str, fault: str) -> bool:
    """Whether mending `key` mends `fault` too: the same, or one of its own site, school or region (not what is above it)."""
    if key == fault:
        return True
    kind, _, rest = key.partition(":")
    kind_of_fault, _, number = fault.partition(":")
    if kind == "device":
        return fault in (f"mute:{rest}", f"battery:{rest}")
    if kind == "school":
        return _school_of(network, kind_of_fault, number) == int(rest)
    if kind == "region":
        return any(place.startswith(_stem(rest)) for place in _places_of(network, kind_of_fault, number))
    return False


def name_of(network: Network, key: str) -> str:
    """The name of a node or fault; the key itself where it is gone."""
    kind, _, rest = key.partition(":")
    if kind == "region" and rest in network.regions:
        return network.regions[rest][0]
    number = int(rest) if rest.isdigit() else -1
    if kind == "school" and number in network.schools:
        return network.schools[number][0]
    if kind == "line" and number in network.circuits:
        return network.circuits[number].name
    if kind in ("device", "mute", "battery") and number in network.units:
        return network.units[number].name
    return key


def _stem(code: str) -> str:
    return code[:4] if code.endswith("00") and code[2:4] != "00" else code[:2] if code.endswith("0000") else code


def _school_of(network: Network, kind: str, number: str) -> int | None:
    if kind in ("device", "mute", "battery"):
        return network.units[int(number)].school if int(number) in network.units else None
    if kind == "line":
        circuit = network.circuits.get(int(number))
        unit = network.units.get(circuit.end[0]) if circuit and circuit.end else None
        return unit.school if unit else None
    return int(number) if kind == "school" else None


def _places_of(network: Network, kind: str, number: str) -> set[str]:
    if kind == "region":
        return {number}
    if kind in ("device", "mute", "battery"):
        return {network.units[int(number)].place} if int(number) in network.units else set()
    if kind == "school":
        return {u.place for u in network.units.values() if u.school == int(number)}
    circuit = network.circuits.get(int(number))
    return {network.units[circuit.end[0]].place} if circuit and circuit.end else set()


def _by_key(network: Network, text: str) -> Node | None:
    kind, colon, _ = text.partition(":")
    if not colon or kind not in ("device", "line", "school", "region"):
        return None
    try:
        members(network, text)
    except (KeyError, ValueError):
        return None
    return Node(text, name_of(network, text))


def _by_code(network: Network, text: str) -> Node | None:
    if text in network.regions:
        return _by_key(network, f"region:{text}")
    for number, (name, code) in network.schools.items():
        if code and code == text:
            return Node(f"school:{number}", name)
    return None


def _named(network: Network) -> Iterable[Node]:
    for code, (name, _level) in network.regions.items():
        yield Node(f"region:{code}", name)
    for number, (name, _code) in network.schools.items():
        yield Node(f"school:{number}", name)
    for circuit in network.circuits.values():
        yield Node(f"line:{circuit.id}", circuit.name)
    for unit in network.units.values():
        yield Node(f"device:{unit.id}", unit.name)
