"""One device in full: what it is, its ports, what it measures, who its neighbours are.

Vendor knowledge is data (`profiles/*.toml`); what no profile knows comes from standard MIBs. Nothing is invented: a sensor names its
`oid` and the `raw` value that the device gave there.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from probes.device.entities import (
    ENTITY_SENSOR,
    find_chassis,
    read_entity_sensor_states,
    read_entity_sensors,
    read_inventory,
)
from probes.device.facts import choose_match, enterprise_of, read_facts
from probes.device.host import read_host_cpu, read_host_storage, read_printer_supplies, read_ucd_memory
from probes.device.neighbours import read_neighbours
from probes.device.networks import read_ipv4, read_vlans
from probes.device.ports import read_ports
from probes.device.profile import Match, Profile, load_profiles
from probes.device.rows import read_cpu, read_memory, read_rows, read_wireless
from probes.device.source import Source, Tables, number_of, text_of
from probes.device.transceivers import name_ports_of_sensors, read_transceivers
from probes.snmp.ber import Oid, Value
from probes.snmp.client import NoAnswerError, SnmpClient
from probes.snmp.oids import (
    SNMP_ENGINE_ID,
    SYS_CONTACT,
    SYS_DESCR,
    SYS_LOCATION,
    SYS_NAME,
    SYS_OBJECT_ID,
    SYS_UPTIME,
    format_oid,
    parse_oid,
)

__all__ = ["NoAnswerError", "Profile", "Source", "match_profile", "read_device", "read_sensors"]

GENERIC = Profile(name="generic")
STANDARD = "standard"
SYSTEM = (SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_CONTACT, SYS_NAME, SYS_LOCATION, SNMP_ENGINE_ID)


def match_profile(sys_object_id: str | Oid, sys_descr: str) -> Profile:
    """The profile that fits a sysObjectID and a sysDescr; the empty `generic` one where none does. No device is asked."""
    oid = parse_oid(sys_object_id) if isinstance(sys_object_id, str) and sys_object_id else sys_object_id or ()
    chosen = choose_match(load_profiles(), oid if isinstance(oid, tuple) else (), sys_descr)
    return chosen[0] if chosen else GENERIC


def read_device(source: Source, *, budget_s: float = 60) -> dict[str, Any]:
    """Everything about one device, in the field names of LibreNMS's test data as our captures use them.

    `device`, `ports`, and where the device has any: `cpu`, `memory`, `sensors`, `transceivers`, `neighbours`, `wireless`, `inventory`, `vlans`, `ipv4`,
    `storage`, `printer_supplies`. `incomplete` names the parts that did not all come within `budget_s` seconds.
    NoAnswerError or RefusedError where the device answers nothing at all.
    """
    with _limited(source, budget_s):
        return _read_device(source, Tables(source, budget_s))


@contextmanager
def _limited(source: Source, budget_s: float) -> Iterator[None]:
    """Within, an agent is asked no question after the budget; a recording needs no limit."""
    if not isinstance(source, SnmpClient):
        yield
        return
    before = source.deadline
    source.deadline = min(time.monotonic() + budget_s, before if before is not None else float("inf"))
    try:
        yield
    finally:
        source.deadline = before


def _read_device(source: Source, tables: Tables) -> dict[str, Any]:
    system = _read_system(source)
    profile, match = _recognise(tables, system)
    sections: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "ports": partial(read_ports, tables),
        "inventory": partial(read_inventory, tables),
    }
    result: dict[str, Any] = {"device": {}}
    result.update({name: read() for name, read in sections.items()})
    _fetch_profile(tables, profile)
    result["device"] = _read_identity(tables, system, profile, match, result["inventory"])
    memories, disks = _host_storage(tables, profile)
    result["cpu"] = read_cpu(tables, profile.cpu) or _unless(profile, "host_cpu", read_host_cpu, tables)
    result["memory"] = memories
    result["sensors"] = _read_sensors(tables, profile)
    name_ports_of_sensors(result["sensors"], result["ports"], result["inventory"])
    result["transceivers"] = read_transceivers(result["sensors"], result["ports"])
    result["neighbours"] = read_neighbours(tables, profile.neighbours)
    result["wireless"] = read_wireless(tables, profile.wireless)
    result["vlans"] = read_vlans(tables)
    result["ipv4"] = read_ipv4(tables)
    result["storage"] = disks
    result["printer_supplies"] = read_printer_supplies(tables)
    kept = {name: part for name, part in result.items() if part or name in ("device", "ports")}
    if tables.incomplete:
        kept["incomplete"] = tables.incomplete
    return kept


def read_sensors(source: Source, profile: Profile, *, budget_s: float = 12) -> list[dict[str, Any]]:
    """Only what changes: the sensors (class, descr, value, unit, oid, raw), with CPU and memory as classes `cpu` and `memory` (percent)."""
    with _limited(source, budget_s):
        return _read_changing(Tables(source, budget_s), profile)


def _read_changing(tables: Tables, profile: Profile) -> list[dict[str, Any]]:
    _fetch_profile(tables, profile)
    found: list[dict[str, Any]] = []
    for item in read_cpu(tables, profile.cpu) or _unless(profile, "host_cpu", read_host_cpu, tables):
        found.append(
            {
                "class": "cpu",
                "descr": item["descr"],
                "value": item["usage_percent"],
                "unit": "%",
                "oid": item["oid"],
                "raw": item["raw"],
            }
        )
    for item in _host_storage(tables, profile)[0]:
        kind = next(key for key in ("perc", "used", "free") if f"{key}_oid" in item)
        evidence = {"oid": item[f"{kind}_oid"], "raw": item[f"{kind}_raw"]}
        if item["class"] == "system":
            found.append(
                {"class": "memory", "descr": item["descr"], "value": item["used_percent"], "unit": "%", **evidence}
            )
    return found + _read_sensors(tables, profile)


# ---------------------------------------------------------------------- parts


def _read_system(source: Source) -> dict[Oid, Value]:
    """The system group; the first question of all, so silence shows here."""
    return source.get(list(SYSTEM))


def _recognise(tables: Tables, system: dict[Oid, Value]) -> tuple[Profile, Match]:
    name = system.get(SYS_OBJECT_ID)
    oid = name.data if name is not None and isinstance(name.data, tuple) else ()
    chosen = choose_match(load_profiles(), oid, text_of(system.get(SYS_DESCR)) or "", tables)
    return chosen or (GENERIC, Match())


def _fetch_profile(tables: Tables, profile: Profile) -> None:
    """All that the rows will need, in few requests."""
    for part in (profile, load_profiles()[STANDARD]):
        columns, scalars = part.oids()
        tables.fetch(sorted(columns), sorted(scalars), what=f"profile {part.name}")


def _read_identity(
    tables: Tables, system: dict[Oid, Value], profile: Profile, match: Match, inventory: list[dict[str, Any]]
) -> dict[str, Any]:
    device: dict[str, Any] = {}
    name = system.get(SYS_OBJECT_ID)
    oid = name.data if name is not None and isinstance(name.data, tuple) else ()
    if oid:
        device["sysObjectID"] = format_oid(oid)
    sys_descr = text_of(system.get(SYS_DESCR)) or ""
    for field, key in (
        ("sysDescr", SYS_DESCR),
        ("sysName", SYS_NAME),
        ("sysLocation", SYS_LOCATION),
        ("sysContact", SYS_CONTACT),
    ):
        text = text_of(system.get(key))
        if text:
            device[field] = text
    uptime = number_of(system.get(SYS_UPTIME))
    if uptime is not None:
        device["sysUpTime"] = uptime
    engine = system.get(SNMP_ENGINE_ID)
    if engine is not None and isinstance(engine.data, bytes) and engine.data:
        device["engineID"] = engine.data.hex()
    for field in ("os", "os_text", "type", "vendor"):
        text = match.identity.get(field) or getattr(profile, field)
        if text:
            device[field] = text
    enterprise = enterprise_of(oid)
    if enterprise is not None:
        device["enterprise"] = enterprise
    device["profile"] = profile.name
    standard = load_profiles()[STANDARD].facts
    return device | read_facts(tables, profile.facts, sys_descr, find_chassis(inventory), profile.hidden, standard)


def _host_storage(tables: Tables, profile: Profile) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(memories, disks): the profile's memories first, then HOST-RESOURCES, then UCD."""
    own = read_memory(tables, profile.memory)
    memories, disks = read_host_storage(tables) if "host_storage" not in profile.hidden else ([], [])
    return own or memories or read_ucd_memory(tables), disks


def _unless(
    profile: Profile, name: str, read: Callable[[Tables], list[dict[str, Any]]], tables: Tables
) -> list[dict[str, Any]]:
    return [] if name in profile.hidden else read(tables)


def _read_sensors(tables: Tables, profile: Profile) -> list[dict[str, Any]]:
    """The profile's rows, those of the standard profile, and ENTITY-SENSOR-MIB or the vendor's tables of its shape; each OID once."""
    found = read_rows(tables, profile.sensors) + read_rows(tables, load_profiles()[STANDARD].sensors)
    for table in profile.entity_sensors or (ENTITY_SENSOR,):
        found += read_entity_sensors(tables, table)
    if ENTITY_SENSOR in (profile.entity_sensors or (ENTITY_SENSOR,)):
        found += read_entity_sensor_states(tables)
    first = {(item["oid"], item.get("lane")): item for item in reversed(found)}
    return [item for item in found if first[item["oid"], item.get("lane")] is item]
