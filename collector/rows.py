"""What the plan needs of the register, in one SELECT for each table: plain rows, in memory, in order of id."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection

from collector.asking import AskingRow, read_asking
from inventory.database import Register
from inventory.links import LearnedLink, read_learned
from inventory.models import (
    Address,
    Device,
    DeviceUpstream,
    Line,
    LineSite,
    Port,
    Prefix,
    Region,
    School,
    Site,
    Zone,
)


class DeviceRow(NamedTuple):
    """A device, as the plan needs it."""

    id: int
    name: str
    kind: str
    site_id: int
    vendor: str
    model: str
    status: str
    watch: str
    tcp_ports: str
    snmp_port: int
    first_seen: Any
    sys_object_id: str


class LineRow(NamedTuple):
    """A line that is not ended."""

    id: int
    name: str
    operator: str
    role: str
    bandwidth_mbps: int | None
    upstream_site_id: int | None
    end_device_id: int | None
    end_port: str | None
    far_device_id: int | None
    far_port: str | None
    near_address: str | None
    far_address: str | None


class SiteRow(NamedTuple):
    """A site."""

    id: int
    name: str
    tier: str
    school_id: int | None
    place_id: int
    duty_id: int | None


class SchoolRow(NamedTuple):
    """A school that is open."""

    id: int
    name: str
    level: str
    kind: str
    place_id: int
    duty_id: int | None
    pupils: int | None


class RegionRow(NamedTuple):
    """A region of either tree."""

    id: int
    code: str | None
    name: str
    name_en: str
    path: str


class AddressRow(NamedTuple):
    """A device's polled address."""

    device_id: int
    zone_id: int
    ip: str


class ZoneRow(NamedTuple):
    """A zone."""

    id: int
    name: str
    references: str


class PrefixRow(NamedTuple):
    """An address range that is given to a line or a site; `first` and `last` as `inventory.lookup.pack` makes them."""

    zone_id: int
    first: bytes
    last: bytes
    length: int
    line_id: int | None
    site_id: int | None


class PortRow(NamedTuple):
    """A port that goes to the metrics."""

    device_id: int
    name: str


@dataclass(frozen=True)
class Rows:
    """The register as the plan sees it."""

    version: int
    zones: list[ZoneRow]
    regions: dict[int, RegionRow]
    schools: list[SchoolRow]
    sites: dict[int, SiteRow]
    lines: list[LineRow]
    served: list[tuple[int, int]]
    """(line, site)"""
    devices: list[DeviceRow]
    upstreams: list[tuple[int, int]]
    """(device, upstream device)"""
    addresses: list[AddressRow]
    monitored: list[PortRow]
    asking: list[AskingRow]
    links: list[LearnedLink] = field(default_factory=list)
    """as devices tell of them"""
    prefixes: list[PrefixRow] = field(default_factory=list)


def read_rows(register: Register) -> Rows:
    """Everything the plan needs, of one moment (the version is read first: a change in between is found at the next look)."""
    version = register.version()
    with register.engine.connect() as connection:
        return Rows(
            version=version,
            zones=_rows(connection, Zone, ZoneRow),
            regions={row.id: row for row in _rows(connection, Region, RegionRow)},
            schools=_rows(connection, School, SchoolRow, status="active"),
            sites={row.id: row for row in _rows(connection, Site, SiteRow)},
            lines=_rows(connection, Line, LineRow, status="active"),
            served=_pairs(connection, LineSite, "line_id", "site_id"),
            devices=_rows(connection, Device, DeviceRow, status="active"),
            upstreams=_pairs(connection, DeviceUpstream, "device_id", "upstream_id"),
            addresses=_rows(connection, Address, AddressRow, primary=True),
            monitored=_rows(connection, Port, PortRow, monitored=True),
            asking=read_asking(connection),
            links=read_learned(connection),
            prefixes=[row for row in _rows(connection, Prefix, PrefixRow) if row.line_id or row.site_id],
        )


def _rows(connection: Connection, model: Any, row: Any, **where: Any) -> list[Any]:
    table = model.__table__
    columns = [table.c[name] for name in row._fields]
    query = table.select().with_only_columns(*columns).order_by(table.c.id)
    for name, value in where.items():
        query = query.where(table.c[name] == value)
    return [row._make(values) for values in connection.execute(query)]


def _pairs(connection: Connection, model: Any, first: str, second: str) -> list[tuple[int, int]]:
    table = model.__table__
    query = table.select().with_only_columns(table.c[first], table.c[second]).order_by(table.c[first], table.c[second])
    return [(int(a), int(b)) for a, b in connection.execute(query)]
