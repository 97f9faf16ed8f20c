"""The demonstration's own register: the province written into it, and read from it again as a network."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlmodel import Session, SQLModel

from demo.calendars import calendar_rows, night_habit
from demo.network import Circuit, Network, Unit
from demo.province import Province, build
from demo.responder import COMMUNITY
from inventory.credentials import Secret, new_credential
from inventory.database import Register, raise_version
from inventory.models import (
    Address,
    Device,
    DeviceUpstream,
    Line,
    LineSite,
    Prefix,
    Region,
    RegionTree,
    School,
    SchoolCode,
    Site,
    User,
    Watch,
    Zone,
    complete,
    table,
    utcnow,
)
from inventory.regions import divisions, duty_by_code, load_regions, place_by_code
from inventory.sealing import Sealer
from inventory.searching import device_words, pinyin_of, school_words

ZONE = "demo"
REFERENCES = "127.9.255.1, 127.9.255.2, 127.9.255.3"
"""Addresses that are no devices and never silenced: the collector sees by them that its own eyes are well."""

PAST_DAYS = 90
"""The province has been watched for so long."""

SEARCHED = ("vendor", "model", "serial", "sys_name", "chassis_mac")
"""What a device is found by beside its name."""

Progress = Callable[[str, float], None]
"""Told what is being done, and the share done so far."""


def open_register(url: str) -> Register:
    """The demonstration's register by its SQLAlchemy address; its key lies beside the file."""
    return Register(url, Path(url.removeprefix("sqlite:///")).parent / "secret.key")


def fill(register: Register, snmp_port: int, progress: Progress = lambda _what, _share: None) -> Province:
    """Write the whole province into an empty, migrated register, in one transaction."""
    progress("province", 0.0)
    province = build(divisions())
    with register.write() as session:
        load_regions(session)
        places = {code: row.id for code, row in place_by_code(session).items()}
        duties = {code: row.id for code, row in duty_by_code(session).items()}
        progress("schools", 0.2)
        zone = Zone(name=ZONE, description="演示省 / demonstration province", default=True, references=REFERENCES)
        session.add(zone)
        session.flush()
        zone_id = zone.id or 0
        _add_credential(session, register, zone_id)
        _add_schools_and_sites(session, province, places, duties)
        progress("devices", 0.5)
        _add_devices(session, province, zone_id, snmp_port)
        progress("lines", 0.8)
        _add_lines(session, province, zone_id)
        _add_calendars(session)
        raise_version(session)
    return province


def _add_calendars(session: Session) -> None:
    school = table(School)
    rural = select(school.c.id).where(school.c.setting == "rural").order_by(school.c.id).limit(1)
    session.add_all(calendar_rows(utcnow().date()))
    for number in session.connection().execute(rural).scalars():
        session.add(night_habit(number))


def copy_administrator(real: Register, demonstration: Register) -> None:
    """The same people can sign in to both: users (with their hashes) go from the real register to the demonstration's."""
    row = table(User)
    with real.session() as session:
        users = [dict(user) for user in session.connection().execute(select(row)).mappings()]
    with demonstration.write() as session:
        connection = session.connection()
        for user in users:
            values = {**user, "region_id": None}
            number = values.pop("id")
            done = connection.execute(update(row).where(row.c.name == user["name"]).values(values))
            if not done.rowcount:
                taken = connection.execute(select(row.c.id).where(row.c.id == number)).first()
                connection.execute(insert(row).values(values if taken else {**values, "id": number}))


def set_watch(register: Register, snmp_only: bool, port: int) -> None:
    """Let the devices be watched by any answer, or by SNMP alone where ping cannot be silenced; no change costs one SELECT.

    By SNMP alone the zone has no reference addresses: where nothing but TCP can be tried they would not answer, and blind the collector.
    """
    device, zone = table(Device), table(Zone)
    wanted = Watch.snmp if snmp_only else Watch.any
    with register.session() as session:
        other = select(device.c.id).where((device.c.watch != wanted) | (device.c.snmp_port != port)).limit(1)
        if session.connection().execute(other).first() is None:
            return
    with register.write() as session:
        session.connection().execute(update(device).values(watch=wanted, snmp_port=port))
        references = "" if snmp_only else REFERENCES
        session.connection().execute(update(zone).where(zone.c.name == ZONE).values(references=references))
        raise_version(session)


def read_network(register: Register) -> Network:
    """The network as the register has it now."""
    with register.session() as session:
        units = {unit.id: unit for unit in _units(session)}
        upstreams: dict[int, tuple[int, ...]] = {}
        row = table(DeviceUpstream)
        for device, above in session.connection().execute(select(row.c.device_id, row.c.upstream_id)):
            upstreams[device] = (*upstreams.get(device, ()), above)
        school, region = table(School), table(Region)
        schools = session.connection().execute(select(school.c.id, school.c.name, school.c.code))
        regions = session.connection().execute(
            select(region.c.code, region.c.name, region.c.level).where(region.c.tree == RegionTree.place)
        )
        return Network(
            units,
            {circuit.id: circuit for circuit in _circuits(session)},
            upstreams,
            {number: (name, code or "") for number, name, code in schools},
            {code: (name, level) for code, name, level in regions if code},
        )


def _units(session: Session) -> Iterable[Unit]:
    device, site, address, region = table(Device), table(Site), table(Address), table(Region)
    statement = (
        select(
            device.c.id,
            device.c.kind,
            device.c.name,
            address.c.ip,
            device.c.site_id,
            site.c.school_id,
            region.c.code,
            site.c.tier,
            device.c.vendor,
            device.c.model,
            device.c.serial,
            device.c.sys_name,
            device.c.chassis_mac,
        )
        .select_from(
            device.join(site, site.c.id == device.c.site_id)
            .join(address, (address.c.device_id == device.c.id) & address.c.primary)
            .join(region, region.c.id == site.c.place_id)
        )
        .where(device.c.status == "active")
    )
    for row in session.connection().execute(statement):
        number, kind, name, ip, site_id, school, place, tier, vendor, model, serial, sys_name, mac = row
        if ":" in ip:  # the demonstration's agents speak IPv4 alone
            continue
        packed = int(ip_address(ip))
        yield Unit(
            number,
            str(kind),
            name,
            packed,
            site_id,
            school,
            place or "",
            tier,
            vendor,
            model,
            serial or "",
            sys_name or name,
            mac or f"02df{packed:08x}",
        )


def _circuits(session: Session) -> Iterable[Circuit]:
    row, served = table(Line), table(LineSite)
    sites: dict[int, tuple[int, ...]] = {}
    for line, site in session.connection().execute(select(served.c.line_id, served.c.site_id)):
        sites[line] = (*sites.get(line, ()), site)
    for line in session.connection().execute(select(row).where(row.c.status == "active")).mappings():
        yield Circuit(
            line["id"],
            line["name"],
            line["role"],
            line["bandwidth_mbps"] or 100,
            line["upstream_site_id"],
            sites.get(line["id"], ()),
            (line["end_device_id"], line["end_port"]) if line["end_device_id"] and line["end_port"] else None,
            (line["far_device_id"], line["far_port"]) if line["far_device_id"] and line["far_port"] else None,
        )


def _insert(session: Session, model: type[SQLModel], rows: Iterable[Mapping[str, Any]]) -> None:
    whole = [complete(model, row) for row in rows]
    if whole:
        session.connection().execute(insert(table(model)), whole)


def _add_credential(session: Session, register: Register, zone_id: int) -> None:
    if register.key_file is None:
        raise ValueError("the demonstration's register has no key file")
    secret = Secret(community=COMMUNITY.decode())
    session.add(new_credential("演示 demo", "2c", secret, Sealer(register.key_file), zone_id=zone_id))
    session.flush()


def _add_schools_and_sites(
    session: Session, province: Province, places: Mapping[str, int | None], duties: Mapping[str, int | None]
) -> None:
    def placed(row: Mapping[str, Any]) -> dict[str, Any]:
        place = row["place"]
        # A senior high school and a college answer to the city's bureau, all others to the county's.
        duty = place[:4] + "00" if row.get("level") in ("senior", "higher", "vocational") else place
        rest = {name: value for name, value in row.items() if name != "place"}
        return {**rest, "place_id": places[place], "duty_id": duties.get(duty)}

    opened = date(2010, 9, 1)
    schools = [
        {**placed(row), "opened_on": opened, "search": school_words(row["name"], row["name_en"], row["code"])}
        for row in province.schools
    ]
    _insert(session, School, schools)
    _insert(session, SchoolCode, ({"school_id": s["id"], "code": s["code"], "valid_from": opened} for s in schools))
    _insert(session, Site, map(placed, province.sites))


def _add_devices(session: Session, province: Province, zone_id: int, snmp_port: int) -> None:
    seen = utcnow() - timedelta(days=PAST_DAYS)
    installed = seen.date() - timedelta(days=30)
    _insert(
        session,
        Device,
        (
            {
                **row,
                "snmp_port": snmp_port,
                "first_seen": seen,
                "installed_on": installed,
                "search": _device_words(row),
            }
            for row in province.devices
        ),
    )
    _insert(
        session,
        Address,
        (
            {"zone_id": zone_id, "ip": ip, "packed": _packed(ip), "device_id": device, "primary": True}
            for device, ip in province.addresses
        ),
    )
    _insert(session, DeviceUpstream, ({"device_id": d, "upstream_id": u} for d, u in province.upstreams))


def _device_words(row: Mapping[str, Any]) -> str:
    """What a device is found by; the pinyin of its school's name is worked out once for all of a school's devices."""
    parts = [pinyin_of(part) for part in row["name"].split(" ")]
    return device_words(
        "", row["name"], *(row[name] for name in SEARCHED), *(" ".join(p) for p in zip(*parts, strict=True))
    )


def _add_lines(session: Session, province: Province, zone_id: int) -> None:
    since = utcnow().date() - timedelta(days=PAST_DAYS + 30)
    _insert(
        session, Line, ({**row, "ordered_on": since - timedelta(days=40), "active_on": since} for row in province.lines)
    )
    _insert(session, LineSite, ({"line_id": line, "site_id": site} for line, site in province.line_sites))
    _insert(session, Prefix, (_prefix(row, zone_id) for row in province.prefixes))


def _prefix(row: Mapping[str, Any], zone_id: int) -> dict[str, Any]:
    network = ip_network(row["cidr"])
    first, last = _packed(str(network[0])), _packed(str(network[-1]))
    return {**row, "zone_id": zone_id, "first": first, "last": last, "length": network.prefixlen}


def _packed(ip: str) -> bytes:
    return bytes(10) + b"\xff\xff" + ip_address(ip).packed
