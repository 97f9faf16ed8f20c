"""Links that devices tell of (LLDP, CDP): from full readings to rows of `link`, matched to devices of the register. Nothing is added to the register.

A neighbour is known by its chassis MAC (the register's, or one of its own ports'), by its sysName, by its management address; only within the
zone of the device that tells of it, and only where it is one device alone.
"""

import queue
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import select

from collector.live import Live
from collector.nodes import NETWORK_KINDS
from inventory.database import Register, raise_version
from inventory.links import SURE, LearnedLink, learned_ways, read_learned, write_learned
from inventory.models import Address, Device, DeviceKind, DeviceUpstream, LineSite, Site, table, utcnow

BY_MAC, BY_NAME, BY_ADDRESS, AGREED, DISPUTED, BOTH_ENDS = 0.9, 0.7, 0.8, 0.95, 0.4, 0.99
"""Confidence of a link: by the way that the neighbour was known; by two ways; by two that name different devices; told by both ends."""

AT_ONCE = 500
"""Readings that are written in one go."""

MOST_MACS = 400
"""MACs of one device's ports by which others may name it."""


RAISE_S = 60.0
"""The register's version is raised at most this often: each time a plan is built, which takes seconds for 100,000 devices."""

ANEW_S = 600.0
"""What devices are known by is read anew so often; 100,000 of them take more than a second."""


class Known(NamedTuple):
    """A device of the register, as neighbours are matched with."""

    id: int
    zones: frozenset[int]
    names: frozenset[str]
    chassis: str | None
    addresses: frozenset[str]


@dataclass
class Book:
    """By what devices can be known. macs: of their ports, as read."""

    devices: dict[int, Known]
    macs: dict[int, frozenset[str]] = field(default_factory=dict)
    ports: dict[int, dict[str, str]] = field(default_factory=dict)
    """device -> what its ports are called (ifName, ifDescr, alias, MAC), in lower case -> ifName"""

    def index(self) -> "Index":
        """The look-ups."""
        by_mac, by_name, by_address = defaultdict(set), defaultdict(set), defaultdict(set)  # type: ignore[var-annotated]
        for device in self.devices.values():
            for mac in {device.chassis, *self.macs.get(device.id, ())} - {None}:
                by_mac[mac].add(device.id)
            for name in device.names:
                by_name[name].add(device.id)
            for address in device.addresses:
                by_address[address].add(device.id)
        return Index(self, dict(by_mac), dict(by_name), dict(by_address))


@dataclass
class Index:
    """Who a neighbour may be."""

    book: Book
    by_mac: dict[str, set[int]]
    by_name: dict[str, set[int]]
    by_address: dict[str, set[int]]

    def learn(self, device: int, macs: frozenset[str], name: str) -> None:
        """What a device has just said of itself."""
        if device not in self.book.devices:
            return
        for mac in self.book.macs.get(device, frozenset()) - macs:
            self.by_mac.get(mac, set()).discard(device)
        for mac in macs:
            self.by_mac.setdefault(mac, set()).add(device)
        if name.strip():
            self.by_name.setdefault(plain_name(name), set()).add(device)

    def find(self, teller: int, told: Mapping[str, Any]) -> tuple[int, float] | None:
        """(device, confidence) of a neighbour that `teller` tells of; None where it is nobody, or not one alone."""
        zones = self.book.devices[teller].zones

        def only(found: set[int] | None) -> int | None:
            near = {d for d in found or () if d != teller and (not zones or zones & self.book.devices[d].zones)}
            return next(iter(near)) if len(near) == 1 else None

        name = told.get("remote_name")
        ways = [
            (only(self.by_mac.get(str(told.get("remote_chassis", "")).lower())), BY_MAC),
            (only(self.by_address.get(str(told.get("remote_address", "")))), BY_ADDRESS),
            (only(self.by_name.get(plain_name(name))) if isinstance(name, str) else None, BY_NAME),
        ]
        known = [(device, confidence) for device, confidence in ways if device is not None]
        if not known:
            return None
        device, confidence = known[0]
        others = {other for other, _ in known[1:]}
        if others:
            confidence = AGREED if others == {device} else DISPUTED
        return device, confidence

    def port(self, device: int, told: Mapping[str, Any]) -> str:
        """The neighbour's port by its ifName where its ports are known, else as it was told."""
        names = self.book.ports.get(device, {})
        words = [str(told[key]) for key in ("remote_port", "remote_port_descr") if told.get(key)]
        return next((names[word.lower()] for word in words if word.lower() in names), words[0] if words else "")[:120]


def plain_name(name: str) -> str:
    """A sysName to compare: in lower case, without the domain and without a serial number in brackets (CDP)."""
    return name.strip().lower().split("(")[0].split(".")[0].strip()


def links_of(teller: int, neighbours: Iterable[Mapping[str, Any]], index: Index) -> list[LearnedLink]:
    """The links that one reading tells of, the device with the lower id first."""
    found: dict[tuple[Any, ...], LearnedLink] = {}
    for told in neighbours:
        match = index.find(teller, told)
        if match is None:
            continue
        device, confidence = match
        own = str(told.get("local_ifName") or told.get("local_ifDescr") or "")[:120]
        ends = sorted([(teller, own), (device, index.port(device, told))])
        source = "cdp" if told.get("protocol") == "cdp" else "lldp"
        link = LearnedLink(ends[0][0], ends[0][1], ends[1][0], ends[1][1], source, confidence, {teller})
        key = link[:4]
        # What speaks both protocols is one link: LLDP's word on it is kept.
        if key not in found or source == "lldp":
            found[key] = link
    return list(found.values())


class Neighbours:
    """A slow job: takes full readings as they come, writes what is new, forgets what nobody tells of any more.

    confidence: from which on links are ways (the setting `learned_confidence`). clock: monotonic seconds.
    """

    def __init__(
        self,
        register: Register,
        live: Live,
        keep_days: int,
        confidence: float = SURE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.register, self.live, self.keep = register, live, timedelta(days=keep_days)
        self.confidence, self.clock = confidence, clock
        self._ways: dict[int, list[int]] | None = None
        """what hangs under what as learned, as the plan has it"""
        self._news, self._raised_at = False, float("-inf")
        self._readings: queue.SimpleQueue[tuple[int, Mapping[str, Any]]] = queue.SimpleQueue()
        self._macs: dict[int, frozenset[str]] = {}
        self._ports: dict[int, dict[str, str]] = {}
        self._last: dict[int, list[Mapping[str, Any]]] = {}
        self._index: Index | None = None
        self._index_of: tuple[int, float] = (-1, 0.0)
        """version of the register and monotonic time at which it was made"""

    def take(self, device: int, _at: float, reading: Mapping[str, Any]) -> None:
        """A full reading."""
        self._readings.put((device, reading))

    def run(self) -> None:
        """Write what the readings since the last run tell. The register's version is raised where what the plan is built of is another for it."""
        if self._ways is None:
            self._ways = read_ways(self.register, self.confidence)
        self._write()
        if self._news and self.clock() >= self._raised_at + RAISE_S:
            self._raise()

    def _raise(self) -> None:
        """Let a plan be built if learned ways differ from those that the last one was built with."""
        self._news = False
        ways = read_ways(self.register, self.confidence)
        if ways != self._ways:
            with self.register.write() as session:
                raise_version(session)
            self._ways, self._raised_at = ways, self.clock()

    def _write(self) -> None:
        fresh: dict[int, list[Mapping[str, Any]]] = {}
        for _ in range(AT_ONCE):
            try:
                device, reading = self._readings.get_nowait()
            except queue.Empty:
                break
            self._keep(device, reading)
            fresh[device] = reading.get("neighbours", [])
        # A neighbour may have been told of before it was read itself: those are looked at again.
        unknown = {device: told for device, told in self._last.items() if device not in fresh}
        for device, told in fresh.items():
            if told:
                self._last[device] = told
            else:
                self._last.pop(device, None)
        if not fresh or not self._last:
            return
        index = self._look_ups()
        book = index.book
        links = [
            link for device, told in fresh.items() if device in book.devices for link in links_of(device, told, index)
        ]
        links += [
            link
            for device, told in unknown.items()
            if device in book.devices
            for link in links_of(device, told, index)
            if {link.from_device, link.to_device} & fresh.keys()
        ]
        with self.register.write() as session:
            before = self._sure(read_learned(session.connection()))
            write_learned(session, links, utcnow(), utcnow() - self.keep)
            self._news |= self._sure(read_learned(session.connection())) != before

    def _look_ups(self) -> Index:
        """Of the register as it is, read again when it has changed; what readings tell is taken up as they come, and all of it once in a while."""
        version, now = self.register.version(), self.clock()
        if self._index is None or self._index_of[0] != version or now - self._index_of[1] > ANEW_S:
            self._index = Book(read_known(self.register), self._macs, self._ports).index()
            self._index_of = version, now
        return self._index

    def _keep(self, device: int, reading: Mapping[str, Any]) -> None:
        """What a device's own reading tells of itself: its MACs, and what its ports are called."""
        names: dict[str, str] = {}
        macs: set[str] = set()
        for port in reading.get("ports", []):
            name = str(port.get("ifName") or port.get("ifDescr") or "")
            mac = str(port.get("ifPhysAddress") or "").lower()
            if mac and mac.strip("0") and len(macs) < MOST_MACS:
                macs.add(mac)
            for word in (name, port.get("ifDescr"), port.get("ifAlias"), mac):
                if word:
                    names.setdefault(str(word).lower(), name)
        if self._index is not None:
            self._index.learn(device, frozenset(macs), str(reading.get("device", {}).get("sysName") or ""))
        self._macs[device], self._ports[device] = frozenset(macs), names

    def _sure(self, links: Iterable[LearnedLink]) -> set[tuple[int, int]]:
        return {(link.from_device, link.to_device) for link in links if link.confidence >= self.confidence}


def read_ways(register: Register, confidence: float) -> dict[int, list[int]]:
    """{device: what it hangs under, as learned}, of those for which the plan asks: nothing is declared, and no line serves what only a line would."""
    device, upstream, serves, site = table(Device), table(DeviceUpstream), table(LineSite), table(Site)
    with register.engine.connect() as connection:
        links = read_learned(connection)
        columns = (device.c.id, device.c.kind, device.c.site_id)
        rows = connection.execute(select(*columns).where(device.c.status == "active"))
        devices = {number: (str(kind), where) for number, kind, where in rows}
        declared = set(connection.execute(select(upstream.c.device_id)).scalars())
        served = set(connection.execute(select(serves.c.site_id)).scalars())
        served |= set(connection.execute(select(site.c.id).where(site.c.tier == "core")).scalars())
    ways = learned_ways(links, {number: kind for number, (kind, _) in devices.items()}, confidence)
    by_line = {str(kind) for kind in (DeviceKind.gateway, *NETWORK_KINDS)}
    return {
        number: ups
        for number, ups in ways.items()
        if number not in declared and not (devices[number][0] in by_line and devices[number][1] in served)
    }


def read_known(register: Register) -> dict[int, Known]:
    """The register's devices as neighbours are matched with, in two statements."""
    device, address = table(Device), table(Address)
    zones: dict[int, set[int]] = defaultdict(set)
    addresses: dict[int, set[str]] = defaultdict(set)
    with register.engine.connect() as connection:
        for number, zone, ip in connection.execute(select(address.c.device_id, address.c.zone_id, address.c.ip)):
            zones[number].add(zone)
            addresses[number].add(ip)
        columns = (device.c.id, device.c.name, device.c.sys_name, device.c.chassis_mac)
        rows = connection.execute(select(*columns).where(device.c.status == "active")).all()
    return {
        number: Known(
            number,
            frozenset(zones[number]),
            frozenset(plain_name(word) for word in (name, sys_name) if word.strip()),
            chassis.lower() if chassis else None,
            frozenset(addresses[number]),
        )
        for number, name, sys_name, chassis in rows
    }
