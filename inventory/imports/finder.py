"""Devices by serial number, by address, by name at a site: those of the register and those of the file."""

from typing import Any

from inventory.imports.problems import CellError
from inventory.imports.view import Id, View
from inventory.models import Address, Device, DeviceUpstream

_OLD = ("id", "site_id", "kind", "name", "watch", "snmp_port", "snmp_version", "tcp_ports", "vendor", "model", "serial", "chassis_mac",
        "room", "asset_tag", "status", "installed_on", "owner", "note", "credential_id")  # fmt: skip


class DeviceFinder:
    """Loaded once for an import; `add` takes in the rows of the file as they are placed."""

    def __init__(self, view: View) -> None:
        zones = {number: name for name, number in view.zones.items()}
        self.devices: dict[int, Any] = {row.id: row for row in view.rows(Device, *_OLD)}
        self.by_serial: dict[str, int] = {row.serial: row.id for row in self.devices.values() if row.serial}
        self.by_address: dict[tuple[str, str], int] = {}
        self.address_of: dict[int, Any] = {}
        for row in view.rows(Address, "id", "zone_id", "ip", "packed", "device_id", "primary"):
            self.by_address[zones[row.zone_id], row.ip] = row.device_id
            if row.primary:
                self.address_of[row.device_id] = row
        self.declared: dict[Id, tuple[int, ...]] = {}
        # All of them: a loop may lead through what the importer does not see.
        for row in view.every(DeviceUpstream, "device_id", "upstream_id"):
            self.declared[row.device_id] = (*self.declared.get(row.device_id, ()), row.upstream_id)
        self.upstreams: dict[Id, tuple[Id, ...]] = {key: tuple(above) for key, above in self.declared.items()}
        self._serials: dict[str, Id] = dict(self.by_serial)
        self._names: dict[str, set[Id]] = {}
        self._facts: dict[Id, tuple[Id | None, str, Any]] = {}
        for row in self.devices.values():
            self._names.setdefault(row.name, set()).add(row.id)
            self._facts[row.id] = (row.site_id, row.name, row.kind)

    def add(self, key: Id, site: Id | None, name: str, serial: str | None, kind: Any) -> None:
        """A device of the file, new or changed."""
        known = self._facts.get(key)
        if known and known[1] != name:
            self._names[known[1]].discard(key)
        self._names.setdefault(name, set()).add(key)
        if serial:
            self._serials[serial] = key
        self._facts[key] = (site, name, kind or (known[2] if known else None))

    def site_of(self, key: Id) -> Id | None:
        """Where a device stands."""
        return self._facts[key][0]

    def kind_of(self, key: Id) -> Any:
        """What a device is."""
        return self._facts[key][2]

    def named_at(self, site: Id, name: str) -> list[Id]:
        """The devices of this name at a site."""
        return [key for key in self._names.get(name, ()) if self._facts[key][0] == site]

    def unseen_above(self, key: Id) -> tuple[int, ...]:
        """The declared upstreams that lie outside of the importer's scope: they stay."""
        return tuple(above for above in self.declared.get(key, ()) if above not in self.devices)

    def find(self, word: str, *sites: Id | None) -> Id:
        """By serial number, by name at one of `sites`, by a name that is the only one. CellError unknown_device or ambiguous_device."""
        found = self._serials.get(word)
        if found is not None:
            return found
        named = self._names.get(word, set())
        here = [key for key in named if self._facts[key][0] in sites]
        options = here or list(named)
        if not options:
            raise CellError("unknown_device")
        if len(options) > 1:
            raise CellError("ambiguous_device")
        return options[0]

    def loop_from(self, start: Id) -> list[str]:
        """The names along a loop of upstreams that leads back to `start`, or []."""
        way: list[tuple[Id, tuple[Id, ...]]] = [(start, self.upstreams.get(start, ()))]
        seen: set[Id] = set()
        while way:
            key, left = way[-1]
            if not left:
                way.pop()
                continue
            way[-1] = (key, left[1:])
            if left[0] == start:
                return [
                    self._facts[step][1] if step in self._facts else "…" for step in (*(at for at, _ in way), start)
                ]
            if left[0] not in seen:
                seen.add(left[0])
                way.append((left[0], self.upstreams.get(left[0], ())))
        return []
