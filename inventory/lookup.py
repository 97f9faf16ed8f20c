"""Whose address is this? By the device that has it, else by the longest prefix given to a school, site or line."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory.models import Address, Device, Line, LineSite, Prefix, School, Site, Zone, table
from inventory.scope import Scope

_MAPPED = b"\0" * 10 + b"\xff\xff"


def parse_address(text: str) -> IPv4Address | IPv6Address:
    """An address, an IPv4-mapped one as IPv4. ValueError where it is none."""
    found = ip_address(text.strip())
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return found.ipv4_mapped
        if found.scope_id:
            raise ValueError(f"{text!r} has a zone index: a registered address has none")
    return found


def pack(address: IPv4Address | IPv6Address) -> bytes:
    """16 bytes, IPv4 mapped (RFC 4291, 2.5.5.2), as `Address.packed` and `Prefix.first` keep them."""
    return _MAPPED + address.packed if address.version == 4 else address.packed


def prefix_bounds(cidr: str) -> tuple[str, bytes, bytes, int]:
    """(canonical CIDR, first, last, length) of a prefix. ValueError where host bits are set or it is none."""
    network: IPv4Network | IPv6Network = ip_network(cidr.strip())
    return str(network), pack(network.network_address), pack(network.broadcast_address), network.prefixlen


def lookup(session: Session, scope: Scope, address: str, zone: str | None = None) -> list[dict[str, Any]]:
    """Every match of `address` in `zone` (its name; None: in all zones), the best first: devices, then prefixes, longest first.

    Each: {zone, address, school, line, device, by: "device" | "prefix", prefix}; school, line and device are
    {id, name, ...} or None. ValueError where it is no address.
    """
    found = parse_address(address)
    prefixes = _prefixes(session, scope, found, zone)
    devices = _devices(session, scope, str(found), zone)
    for match in devices:
        longest = next((prefix for prefix in prefixes if prefix["zone"] == match["zone"]), None)
        match["prefix"] = longest["prefix"] if longest else None
    return devices + prefixes


def _devices(session: Session, scope: Scope, ip: str, zone: str | None) -> list[dict[str, Any]]:
    device, site, address, zones = table(Device), table(Site), table(Address), table(Zone)
    statement = (
        select(
            device.c.id, device.c.name, device.c.kind, device.c.site_id, site.c.school_id, zones.c.name.label("zone")
        )
        .select_from(
            address.join(device, device.c.id == address.c.device_id)
            .join(site, site.c.id == device.c.site_id)
            .join(zones, zones.c.id == address.c.zone_id)
        )
        .where(address.c.ip == ip)
        .order_by(zones.c.name)
    )
    if zone is not None:
        statement = statement.where(zones.c.name == zone)
    return [
        {
            "zone": row.zone,
            "address": ip,
            "school": _school(session, row.school_id),
            "line": _line_of_sites(session, [row.site_id]),
            "device": {"id": row.id, "name": row.name, "kind": row.kind},
            "by": "device",
            "prefix": None,
        }
        for row in session.connection().execute(scope.filter(statement, Device))
    ]


def _prefixes(
    session: Session, scope: Scope, found: IPv4Address | IPv6Address, zone: str | None
) -> list[dict[str, Any]]:
    prefix, zones, site = table(Prefix), table(Zone), table(Site)
    packed = pack(found)
    # IPv4 is mapped into ::ffff:0:0/96, which an IPv6 prefix such as ::/0 would cover: the families are kept apart.
    family = prefix.c.cidr.contains(":") if found.version == 6 else ~prefix.c.cidr.contains(":")
    statement = (
        select(prefix, zones.c.name.label("zone"), site.c.school_id.label("site_school"))
        .select_from(prefix.join(zones, zones.c.id == prefix.c.zone_id).outerjoin(site, site.c.id == prefix.c.site_id))
        .where(prefix.c.first <= packed, prefix.c.last >= packed, family)
        .order_by(prefix.c.length.desc(), zones.c.name)
    )
    if zone is not None:
        statement = statement.where(zones.c.name == zone)
    return [
        _prefix_match(session, row, str(found)) for row in session.connection().execute(scope.filter(statement, Prefix))
    ]


def _prefix_match(session: Session, row: Any, ip: str) -> dict[str, Any]:
    school_id = row.school_id if row.school_id is not None else row.site_school
    if school_id is None and row.line_id is not None:
        school_id = _school_of_line(session, row.line_id)
    if row.line_id is not None:
        line = _line(session, row.line_id)
    else:
        line = _line_of_sites(session, [row.site_id] if row.site_id is not None else _sites_of(session, school_id))
    return {
        "zone": row.zone,
        "address": ip,
        "school": _school(session, school_id),
        "line": line,
        "device": None,
        "by": "prefix",
        "prefix": row.cidr,
    }


def _school(session: Session, number: int | None) -> dict[str, Any] | None:
    row = session.get(School, number) if number is not None else None
    return {"id": row.id, "name": row.name, "code": row.code} if row else None


def _line(session: Session, number: int) -> dict[str, Any] | None:
    row = session.get(Line, number)
    return _line_words(row) if row else None


def _line_words(row: Any) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "operator": row.operator, "circuit": row.circuit, "role": row.role}


def _line_of_sites(session: Session, sites: list[int]) -> dict[str, Any] | None:
    """The line that serves these sites: an active primary one before others."""
    line, serves = table(Line), table(LineSite)
    statement = (
        select(line)
        .join(serves, serves.c.line_id == line.c.id)
        .where(serves.c.site_id.in_(sites), line.c.status != "ended")
        .order_by(line.c.status != "active", line.c.role != "primary", line.c.id)
        .limit(1)
    )
    row = session.connection().execute(statement).first()
    return _line_words(row) if row else None


def _sites_of(session: Session, school: int | None) -> list[int]:
    row = table(Site)
    return list(session.connection().execute(select(row.c.id).where(row.c.school_id == school)).scalars())


def _school_of_line(session: Session, line: int) -> int | None:
    """The school that a line serves, where it is one alone."""
    site, serves = table(Site), table(LineSite)
    statement = (
        select(site.c.school_id)
        .join(serves, serves.c.site_id == site.c.id)
        .where(serves.c.line_id == line, site.c.school_id.is_not(None))
        .distinct()
    )
    schools = list(session.connection().execute(statement).scalars())
    return schools[0] if len(schools) == 1 else None
