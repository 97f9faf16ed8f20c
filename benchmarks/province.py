"""A province made in bulk for benchmarks and long tests: a core, cities, counties, schools with a line, a gateway, and switches inside.

Every address is of 127.0.0.0/8, worked out from the number of the thing, so that a test knows who falls silent when something is cut.
"""

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session

from inventory.credentials import Secret, new_credential
from inventory.database import Register, raise_version
from inventory.models import (
    Address,
    Device,
    DeviceKind,
    Line,
    LineSite,
    Region,
    School,
    Site,
    SiteKind,
    Watch,
    Zone,
    complete,
    table,
)
from inventory.sealing import Sealer

CORE, CITY, COUNTY, GATEWAY, INSIDE = (
    int(IPv4Address(a)) for a in ("127.1.0.1", "127.2.0.1", "127.3.0.1", "127.8.0.1", "127.64.0.1")
)
"""First addresses of each kind."""

REFERENCE = "127.250.0.1"
"""The reference target of the zone, where one is wanted."""


@dataclass(frozen=True)
class Size:
    """How large: `inside` switches in each school beside its gateway."""

    schools: int
    counties: int = 117
    cities: int = 11
    inside: int = 0

    @property
    def devices(self) -> int:
        """Devices in all."""
        return 1 + self.cities + self.counties + self.schools * (1 + self.inside)


@dataclass
class Province:
    """What stands in the register: ids by number of the thing. Gateway g hangs under county g mod counties, that under city c mod cities."""

    size: Size
    core: int = 0
    cities: list[int] = field(default_factory=list)
    counties: list[int] = field(default_factory=list)
    gateways: list[int] = field(default_factory=list)
    inside: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def under_county(self, county: int) -> list[str]:
        """Addresses that fall silent with a county's aggregation device, its own first."""
        size = self.size
        gateways = range(county, size.schools, size.counties)
        return [
            address(COUNTY + county),
            *(address(GATEWAY + g) for g in gateways),
            *(address(INSIDE + g * size.inside + k) for g in gateways for k in range(size.inside)),
        ]

    def under_city(self, city: int) -> list[str]:
        """Addresses that fall silent with a city's device."""
        counties = range(city, self.size.counties, self.size.cities)
        return [address(CITY + city), *(a for county in counties for a in self.under_county(county))]

    def under_core(self) -> list[str]:
        """All of them."""
        return [address(CORE), *(a for city in range(self.size.cities) for a in self.under_city(city))]

    def gateway_address(self, gateway: int) -> str:
        """Where a school's gateway is asked."""
        return address(GATEWAY + gateway)


def address(number: int) -> str:
    """Dotted."""
    return str(IPv4Address(number))


def build(
    register: Register,
    size: Size,
    snmp_port: int = 161,
    community: str = "",
    watch: Watch = Watch.any,
    references: Sequence[str] = (),
    seen: Any = None,
) -> Province:
    """Fill an empty, migrated register. community "": no credential, ping alone. seen: `first_seen` of all devices."""
    with register.write() as session:
        made = _Builder(session, size, {"snmp_port": snmp_port, "watch": watch, "first_seen": seen}).province(
            references
        )
        if community:
            assert register.key_file is not None
            session.add(new_credential("farm", "2c", Secret(community=community), Sealer(register.key_file), zone_id=1))
        raise_version(session)
    return made


class _Builder:
    """Bulk inserts with ids given out here: the register is empty."""

    def __init__(self, session: Session, size: Size, device: dict[str, Any]) -> None:
        self.connection, self.size, self.common = session.connection(), size, device
        self._next: dict[Any, int] = {}

    def province(self, references: Sequence[str]) -> Province:
        size, made = self.size, Province(self.size)
        self._add(Zone, [{"name": "main", "default": True, "references": ",".join(references)}])
        (root,) = self._add(Region, [{"level": "province", "code": "140000", "name": "山西省", "path": "/1/"}])
        city_rows = [
            {
                "level": "city",
                "code": f"14{c + 1:02}00",
                "name": f"第{c + 1}市",
                "parent_id": root,
                "path": f"/1/{2 + c}/",
            }
            for c in range(size.cities)
        ]
        cities = self._add(Region, city_rows)
        first = 2 + size.cities
        county_rows = [
            {
                "level": "county",
                "code": f"14{c % size.cities + 1:02}{c // size.cities + 1:02}",
                "name": f"第{c + 1}县",
                "parent_id": cities[c % size.cities],
                "path": f"/1/{cities[c % size.cities]}/{first + c}/",
            }
            for c in range(size.counties)
        ]
        counties = self._add(Region, county_rows)
        made.core = self._network(made, root, cities, counties)
        self._schools(made, counties)
        return made

    def _network(self, made: Province, root: int, cities: list[int], counties: list[int]) -> int:
        size = self.size
        (core_site,) = self._add(Site, [_site("core", "core", root, SiteKind.datacentre)])
        city_sites = self._add(Site, [_site(f"city {c}", "city", place) for c, place in enumerate(cities)])
        self.county_sites = self._add(Site, [_site(f"county {c}", "county", place) for c, place in enumerate(counties)])
        (core,) = self._devices(DeviceKind.core, "core", [core_site], CORE)
        made.cities = self._devices(DeviceKind.aggregation, "city", city_sites, CITY)
        made.counties = self._devices(DeviceKind.aggregation, "county", self.county_sites, COUNTY)
        trunks = [(core_site, site) for site in city_sites]
        trunks += [(city_sites[c % size.cities], site) for c, site in enumerate(self.county_sites)]
        rows = [{"name": f"trunk {i}", "operator": "own", "upstream_site_id": up} for i, (up, _) in enumerate(trunks)]
        self._serve(self._add(Line, rows), [site for _, site in trunks])
        return core

    def _schools(self, made: Province, counties: list[int]) -> None:
        size, n = self.size, self.size.counties
        rows = [
            {
                "name": f"第{s + 1}小学",
                "level": "primary",
                "place_id": counties[s % n],
                "duty_id": counties[s % n],
                "pupils": 500,
            }
            for s in range(size.schools)
        ]
        schools = self._add(School, rows)
        campuses = [
            {"name": f"campus {s}", "main": True, "school_id": school, "place_id": counties[s % n]}
            for s, school in enumerate(schools)
        ]
        sites = self._add(Site, campuses)
        made.gateways = self._devices(DeviceKind.gateway, "gateway", sites, GATEWAY)
        inside_sites = [site for site in sites for _ in range(size.inside)]
        made.inside = self._devices(DeviceKind.switch, "switch", inside_sites, INSIDE)
        lines = [
            {
                "name": f"line {s}",
                "operator": ("telecom", "unicom", "mobile")[s % 3],
                "bandwidth_mbps": 1000,
                "upstream_site_id": self.county_sites[s % n],
                "end_device_id": gateway,
                "end_port": "GigabitEthernet0/0/1",
            }
            for s, gateway in enumerate(made.gateways)
        ]
        made.lines = self._add(Line, lines)
        self._serve(made.lines, sites)

    def _devices(self, kind: DeviceKind, name: str, sites: list[int], first: int) -> list[int]:
        rows = [{"name": f"{name} {i}", "kind": kind, "site_id": site, **self.common} for i, site in enumerate(sites)]
        ids = self._add(Device, rows)
        addresses = (
            {"zone_id": 1, "ip": address(first + i), "packed": _packed(address(first + i)), "device_id": device}
            for i, device in enumerate(ids)
        )
        self._add(Address, list(addresses))
        return ids

    def _serve(self, lines: list[int], sites: list[int]) -> None:
        rows = [{"line_id": line, "site_id": site} for line, site in zip(lines, sites, strict=True)]
        if rows:
            self.connection.execute(insert(table(LineSite)), rows)

    def _add(self, model: Any, rows: list[dict[str, Any]]) -> list[int]:
        first = self._next.get(model, 1)
        ids = list(range(first, first + len(rows)))
        self._next[model] = first + len(rows)
        for part in _parts([{"id": i, **complete(model, row)} for i, row in zip(ids, rows, strict=True)]):
            self.connection.execute(insert(table(model)), part)
        return ids


def _site(name: str, tier: str, place: int, kind: SiteKind = SiteKind.carrier) -> dict[str, Any]:
    return {"name": name, "tier": tier, "place_id": place, "kind": kind}


def _packed(ip: str) -> bytes:
    return bytes(10) + b"\xff\xff" + socket.inet_aton(ip)


def _parts(rows: list[dict[str, Any]], most: int = 5000) -> Iterator[list[dict[str, Any]]]:
    return (rows[start : start + most] for start in range(0, len(rows), most))
