"""Devices, with their addresses and upstreams: `/api/v1/devices`."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field
from sqlalchemy import ColumnElement, and_, delete, insert, or_, select
from sqlmodel import Session

from api.errors import Wrong, invalid
from api.resources.machine import Body, Id, Name, PlacedQuery, Resource, Row, Text, Work, contains, like, partial_of
from api.resources.states import SinceField, StateField, StateJoin
from api.resources.writing import clash
from api.security import CurrentUser
from inventory.lookup import pack, parse_address
from inventory.models import (
    Address,
    Credential,
    Device,
    DeviceKind,
    DeviceUpstream,
    NodeKind,
    Site,
    State,
    Watch,
    Zone,
    table,
)
from inventory.searching import device_search

_states = StateJoin(NodeKind.device, Device)
DeviceStatus = Literal["planned", "active", "spare", "retired"]


def _mac(text: str) -> str:
    digits = re.sub(r"[:.\-\s]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        raise ValueError("12 hex digits")
    return digits


def _ip(text: str) -> str:
    try:
        return str(parse_address(text))
    except ValueError as error:
        raise ValueError("IPv4 or IPv6 address") from error


class DeviceAddress(Body):
    """One address: an address means something only in its zone."""

    zone: Annotated[Text, Field(max_length=40, description="Name of the zone; empty: the default zone.")] = ""
    ip: Annotated[Text, Field(max_length=45), AfterValidator(_ip)]
    primary: Annotated[bool, Field(description="The one that is polled; with none marked, the first.")] = False


class DeviceCreate(Body):
    """A gateway, switch, AP, camera, UPS, server ..."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "三小-网关",
                    "kind": "gateway",
                    "site_id": 31,
                    "vendor": "Huawei",
                    "model": "AR2220",
                    "serial": "2102351BTJ",
                    "addresses": [{"zone": "default", "ip": "10.14.3.1", "primary": True}],
                }
            ]
        }
    )

    name: Name
    kind: DeviceKind = DeviceKind.other
    site_id: Id
    addresses: Annotated[list[DeviceAddress], Field(max_length=20, default_factory=list)]
    upstreams: Annotated[
        list[Id],
        Field(
            max_length=10,
            default_factory=list,
            description="Devices that it hangs under; empty: by the rules of its site and kind.",
        ),
    ]
    vendor: Annotated[Text, Field(max_length=80)] = ""
    model: Annotated[Text, Field(max_length=120)] = ""
    serial: Annotated[Text | None, Field(max_length=80)] = None
    chassis_mac: Annotated[Text | None, AfterValidator(lambda text: text and _mac(text))] = None
    engine_id: Annotated[Text | None, Field(pattern=r"^[0-9a-fA-F]{10,64}$", description="snmpEngineID in hex.")] = None
    asset_tag: Annotated[Text | None, Field(max_length=80)] = None
    owner: Annotated[Text, Field(max_length=80)] = ""
    status: DeviceStatus = "active"
    watch: Annotated[Watch, Field(description="What counts as life.")] = Watch.any
    tcp_ports: Annotated[Text, Field(max_length=80, pattern=r"^(\d{1,5}(,\d{1,5})*)?(\+reset)?$")] = ""
    snmp_port: Annotated[int, Field(ge=1, le=65535)] = 161
    snmp_version: Annotated[Literal["", "1", "2c", "3"], Field(description="Empty: as the credential says.")] = ""
    credential_id: Annotated[Id | None, Field(description="Null: the nearest of its subtree or zone.")] = None
    room: Annotated[Text, Field(max_length=80)] = ""
    installed_on: date | None = None
    note: Annotated[Text, Field(max_length=500)] = ""


class DeviceRead(DeviceCreate):
    """A device as it is shown. `upstreams`: those within the caller's part."""

    id: int
    upstreams: list[int]
    sys_object_id: str = ""
    sys_descr: str = ""
    sys_name: str = ""
    version: str = ""
    first_seen: datetime | None = None
    state: StateField
    since: SinceField = None
    reason: str = ""
    row_version: int
    created_at: datetime
    updated_at: datetime


class DeviceQuery(PlacedQuery):
    """Filters of the list."""

    name: Text | None = None
    kind: list[DeviceKind] | None = None
    vendor: list[Text] | None = None
    model: Text | None = None
    serial: Text | None = None
    status: list[DeviceStatus] | None = None
    watch: Watch | None = None
    state: list[State] | None = None
    site_id: Id | None = None
    school_id: Id | None = None
    zone: Annotated[Text | None, Field(max_length=40)] = None
    ip: Annotated[Text | None, Field(max_length=45)] = None


def _of_school(school_id: int) -> ColumnElement[bool]:
    site = table(Site)
    return _own.c.site_id.in_(select(site.c.id).where(site.c.school_id == school_id))


def _in_zone(name: str) -> ColumnElement[bool]:
    zone = table(Zone)
    zones = select(zone.c.id).where(zone.c.name == name)
    return _own.c.id.in_(select(_address.c.device_id).where(_address.c.zone_id.in_(zones)))


def _has_ip(text: str) -> ColumnElement[bool]:
    try:
        ip = str(parse_address(text))
    except ValueError as error:
        raise invalid(Wrong("ip", "bad-address", "10.1.2.3 | 2001:db8::1")) from error
    return _own.c.id.in_(select(_address.c.device_id).where(_address.c.ip == ip))


def _search(text: str) -> ColumnElement[bool]:
    """Words in name, model, serial and MAC; or the beginning of an address."""
    words = contains(_own.c.search)(text)
    if re.fullmatch(r"[0-9a-fA-F.:]{3,45}", text) and re.search(r"[.:]", text):
        pattern = like(text.lower())[1:]
        return or_(words, _own.c.id.in_(select(_address.c.device_id).where(_address.c.ip.like(pattern, escape="\\"))))
    return words


def _inline(session: Session, caller: CurrentUser, rows: list[Row]) -> None:
    by_id: dict[int, Row] = {row["id"]: row for row in rows}
    for row in rows:
        row["addresses"], row["upstreams"] = [], []
    zone, connection = table(Zone), session.connection()
    statement = (
        select(_address.c.device_id, zone.c.name, _address.c.ip, _address.c.primary)
        .join(zone, zone.c.id == _address.c.zone_id)
        .where(_address.c.device_id.in_(by_id))
        .order_by(_address.c.primary.desc(), _address.c.id)
    )
    for device_id, name, ip, primary in connection.execute(statement):
        by_id[device_id]["addresses"].append({"zone": name, "ip": ip, "primary": primary})
    above = select(_upstream.c.device_id, _upstream.c.upstream_id).where(_upstream.c.device_id.in_(by_id))
    for device_id, upstream_id in connection.execute(_seen(caller, above).order_by(_upstream.c.upstream_id)):
        by_id[device_id]["upstreams"].append(upstream_id)


def _seen(caller: CurrentUser, statement):  # type: ignore[no-untyped-def]  # a Select, as it came
    """`statement` over `device_upstream`, narrowed to upstreams within the caller's part."""
    clause = caller.scope.clause(Device)
    if clause is None:
        return statement
    return statement.where(_upstream.c.upstream_id.in_(select(_own.c.id).where(clause)))


def _prepare(work: Work, row: Device, children: Row) -> None:
    row.search = device_search(row)


def _write_children(work: Work, row: Device, children: Row) -> None:
    session, caller = work.session, work.caller
    if children.get("addresses") is not None:
        _write_addresses(session, row.id or 0, children["addresses"])
    if children.get("upstreams") is not None:
        _write_upstreams(session, caller, row.id or 0, children["upstreams"])


def _write_addresses(session: Session, device_id: int, wanted: list[Row]) -> None:
    zones = _zone_ids(session, wanted)
    marked = [index for index, item in enumerate(wanted) if item["primary"]]
    if len(marked) > 1:
        raise invalid(Wrong(f"addresses.{marked[1]}.primary", "clash", "one primary"))
    chosen = marked[0] if marked else 0
    rows = [
        {
            "zone_id": zone_id,
            "ip": item["ip"],
            "packed": pack(parse_address(item["ip"])),
            "device_id": device_id,
            "primary": index == chosen,
        }
        for index, (zone_id, item) in enumerate(zip(zones, wanted, strict=True))
    ]
    connection = session.connection()
    connection.execute(delete(Address).where(_address.c.device_id == device_id))
    for index, row in enumerate(rows):
        taken = and_(_address.c.zone_id == row["zone_id"], _address.c.ip == row["ip"])
        if connection.execute(select(_address.c.id).where(taken)).first() is not None:
            raise clash(f"addresses.{index}.ip")
        connection.execute(insert(_address), row)


def _zone_ids(session: Session, wanted: Iterable[Row]) -> list[int]:
    zone = table(Zone)
    known = session.connection().execute(select(zone.c.id, zone.c.name, zone.c.default)).all()
    by_name = {row.name: row.id for row in known}
    default = next((row.id for row in known if row.default), known[0].id if len(known) == 1 else None)
    numbers = []
    for index, item in enumerate(wanted):
        number = by_name.get(item["zone"]) if item["zone"] else default
        if number is None:
            raise invalid(Wrong(f"addresses.{index}.zone", "no-such", " | ".join(sorted(by_name)[:20])))
        numbers.append(number)
    return numbers


def _write_upstreams(session: Session, caller: CurrentUser, device_id: int, wanted: list[int]) -> None:
    """The declared upstreams become those named; those outside the caller's part stay."""
    for index, number in enumerate(wanted):
        if number == device_id or not caller.scope.allows(session, Device, number):
            raise invalid(Wrong(f"upstreams.{index}", "no-such", "id"))
        if _hangs_under(session, number, device_id):
            raise invalid(Wrong(f"upstreams.{index}", "loop", "no loop"))
    connection = session.connection()
    there = set(
        connection.execute(
            _seen(caller, select(_upstream.c.upstream_id).where(_upstream.c.device_id == device_id))
        ).scalars()
    )
    gone, new = there - set(wanted), sorted(set(wanted) - there)
    if gone:
        connection.execute(
            delete(DeviceUpstream).where(_upstream.c.device_id == device_id, _upstream.c.upstream_id.in_(gone))
        )
    if new:
        rows = [
            {"device_id": device_id, "upstream_id": number, "source": "declared", "confidence": 1.0} for number in new
        ]
        connection.execute(insert(_upstream), rows)


def _hangs_under(session: Session, device_id: int, other: int) -> bool:
    """Whether `device_id` hangs under `other` by what is declared, through any number of devices."""
    seen: set[int] = set()
    front = {device_id}
    while front:
        if other in front:
            return True
        seen |= front
        above = select(_upstream.c.upstream_id).where(_upstream.c.device_id.in_(front))
        front = set(session.connection().execute(above).scalars()) - seen
    return False


_own = table(Device)
_address = table(Address)
_upstream = table(DeviceUpstream)

DEVICES = Resource(
    name="devices",
    model=Device,
    read=DeviceRead,
    create=DeviceCreate,
    update=partial_of(DeviceCreate, "DeviceUpdate"),
    query=DeviceQuery,
    columns=_states.columns,
    join=_states.join,
    filters={"state": _states.is_in, "school_id": _of_school, "zone": _in_zone, "ip": _has_ip},
    sorts={"name": _own.c.name, "vendor": _own.c.vendor, "updated_at": _own.c.updated_at},
    default_sort="name",
    search=_search,
    references={"site_id": Site, "credential_id": Credential},
    clashes=(("serial",), ("chassis_mac",), ("asset_tag",)),
    children=frozenset({"addresses", "upstreams"}),
    inline=_inline,
    prepare=_prepare,
    write_children=_write_children,
)
