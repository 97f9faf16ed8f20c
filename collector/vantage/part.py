"""What a vantage point is given to ask: its zones' targets that answer by ping or TCP. Named by what is in it, not by the plan's version.

A plan's version rises with every edit of the register, most of which change no address: a part is fetched anew only when it is another, and a report of an
older part is still understood, since it names the part and speaks of node ids.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeGuard

import numpy as np

from collector.plan import Plan
from collector.targets import WATCH_SNMP, Targets, ZonePlan
from inventory.references import parse_reference

PART_VERSION = 1

MOST_TARGETS = 200_000
"""A part with more is refused by the one who fetches it."""


class WrongPartError(ValueError):
    """An answer that is no part: what is wrong with it."""


@dataclass(frozen=True)
class VantageRow:
    """A vantage point as the register has it. zone: None for every zone."""

    id: int
    name: str
    zone: str | None
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shard:
    """The part of one shard. ids, addresses, watch: parallel; tcp: by position, as `Targets.tcp`."""

    zone: str
    shard: int
    ids: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    watch: tuple[int, ...] = ()
    tcp: Mapping[int, tuple[tuple[int, ...], bool]] = field(default_factory=dict)

    @cached_property
    def among(self) -> frozenset[str]:
        """The ids as a set."""
        return frozenset(self.ids)


@dataclass(frozen=True)
class Part:
    """All that one vantage point asks. name: sixteen hex digits of what is in it."""

    shards: tuple[Shard, ...]
    references: tuple[str, ...]
    every: float
    name: str = ""

    @cached_property
    def by_key(self) -> dict[tuple[str, int], Shard]:
        """(zone, shard) -> it."""
        return {(shard.zone, shard.shard): shard for shard in self.shards}

    def __len__(self) -> int:
        return sum(len(shard.ids) for shard in self.shards)

    def as_value(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "version": PART_VERSION,
            "every": self.every,
            "references": list(self.references),
            "shards": [
                {
                    "zone": shard.zone,
                    "shard": shard.shard,
                    "ids": list(shard.ids),
                    "addresses": list(shard.addresses),
                    "watch": list(shard.watch),
                    "tcp": [[at, list(ports), reset] for at, (ports, reset) in shard.tcp.items()],
                }
                for shard in self.shards
            ],
        }


def part_of(plan: Plan, row: VantageRow, every: float) -> Part:
    """What of a plan belongs to a vantage point. Devices that answer by SNMP alone do not: it has no credentials."""
    targets = plan.targets
    shards = []
    for zone, number, group in plan.groups():
        name = targets.zones[zone].name
        if row.zone is not None and name != row.zone:
            continue
        mine = group[targets.watch[group] != WATCH_SNMP].tolist()
        if mine:
            ids = tuple(plan.nodes[plan.target_node[i]].id for i in mine)
            tcp = {at: targets.tcp[i] for at, i in enumerate(mine) if i in targets.tcp}
            watch = tuple(int(targets.watch[i]) for i in mine)
            shards.append(Shard(name, number, ids, tuple(targets.address[i] for i in mine), watch, tcp))
    return named(Part(tuple(shards), row.references, every))


def named(part: Part) -> Part:
    """The same, with its name."""
    text = json.dumps(part.as_value(), separators=(",", ":"), sort_keys=True)
    return Part(part.shards, part.references, part.every, hashlib.sha256(text.encode()).hexdigest()[:16])


def read_part(value: Any) -> Part:
    """A part from JSON, by the one who fetched it. WrongPartError names what is wrong."""
    if not isinstance(value, dict) or value.get("version") != PART_VERSION:
        raise WrongPartError(f"no part of version {PART_VERSION}: the two ends are of different versions of edunet")
    every, references = value.get("every"), value.get("references")
    if not isinstance(every, int | float) or isinstance(every, bool) or not 1 <= every <= 20:
        raise WrongPartError('"every" is no number from 1 to 20')
    if not _texts(references) or any(parse_reference(word) is None for word in references):
        raise WrongPartError('"references" are none')
    shards = value.get("shards")
    if not isinstance(shards, list):
        raise WrongPartError('"shards" is no list')
    part = Part(tuple(_read_shard(shard) for shard in shards), tuple(references), float(every))
    if len(part) > MOST_TARGETS:
        raise WrongPartError(f"more than {MOST_TARGETS} targets")
    return named(part)


def _read_shard(value: Any) -> Shard:
    if not isinstance(value, dict) or not isinstance(value.get("zone"), str) or not _whole(value.get("shard")):
        raise WrongPartError("a shard without a zone or a number")
    ids, addresses, watch = value.get("ids"), value.get("addresses"), value.get("watch")
    if not _texts(ids) or not _texts(addresses) or not isinstance(watch, list) or not all(map(_whole, watch)):
        raise WrongPartError("a shard's ids, addresses or watch are no lists")
    if not len(ids) == len(addresses) == len(watch) == len(set(ids)):
        raise WrongPartError("a shard's ids, addresses and watch do not fit each other")
    if any(parse_reference(address) != (address, 0) for address in addresses):
        raise WrongPartError("an address that is none")
    tcp: dict[int, tuple[tuple[int, ...], bool]] = {}
    for entry in value.get("tcp") or ():
        at, ports, reset = entry if isinstance(entry, list) and len(entry) == 3 else (-1, (), False)
        fits = _whole(at) and at < len(ids) and isinstance(ports, list)
        if not fits or not all(_whole(port) and 0 < port < 65536 for port in ports):
            raise WrongPartError("a port that is none")
        tcp[at] = (tuple(ports), bool(reset))
    return Shard(value["zone"], value["shard"], tuple(ids), tuple(addresses), tuple(watch), tcp)


def _texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def targets_of(part: Part) -> Targets:
    """The part as the rounds ask it (`collector/rounds/liveness.py`), the shards one after another."""
    names: Sequence[str] = list(dict.fromkeys(shard.zone for shard in part.shards))
    addresses: list[str] = []
    zone: list[int] = []
    number: list[int] = []
    watch: list[int] = []
    tcp: dict[int, tuple[tuple[int, ...], bool]] = {}
    for shard in part.shards:
        tcp |= {len(addresses) + at: ports for at, ports in shard.tcp.items()}
        addresses += shard.addresses
        zone += [names.index(shard.zone)] * len(shard.ids)
        number += [shard.shard] * len(shard.ids)
        watch += shard.watch
    n = len(addresses)
    return Targets(
        version=0,
        device_id=np.zeros(n, np.int64),
        address=addresses,
        zone=np.array(zone, np.int32),
        shard=np.array(number, np.int32),
        watch=np.array(watch, np.uint8),
        snmp_port=np.zeros(n, np.int32),
        credential=np.full(n, -1, np.int32),
        zones=tuple(ZonePlan(i, name, part.references) for i, name in enumerate(names)),
        tcp=tcp,
    )
