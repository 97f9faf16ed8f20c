"""What a device is: vendor, operating system, hardware, version, serial number; and which profile knows it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from probes.device.profile import Fact, Match, Profile
from probes.device.rows import holds
from probes.device.source import Tables, raw_of
from probes.snmp.ber import Oid, Value
from probes.snmp.oids import ENTERPRISES, format_oid
from probes.snmp.text import decode_mac

NOT_SAID = frozenset(
    {"", "none", "n/a", "na", "null", "unknown", "unspecified", "not available", "not specified", "not supported"}
)
"""What agents write where they have nothing to say."""

CHASSIS_FIELDS = {"serial": ("serial",), "version": ("sw",), "hardware": ("model", "descr")}
"""Which fields of the chassis stand in for a fact; its name is what people call it, no model."""


def choose_match(
    profiles: Mapping[str, Profile], sys_object_id: Oid, sys_descr: str, tables: Tables | None = None
) -> tuple[Profile, Match] | None:
    """The profile whose match demands most and holds. Matches with `answers` or `says` are tried only where `tables` can be asked."""
    candidates = [
        (match.rank(), name, match)
        for name, profile in profiles.items()
        for match in profile.matches
        if sys_object_id[: len(match.sys_object_id)] == match.sys_object_id
        and (match.sys_descr is None or match.sys_descr.search(sys_descr))
        and not (match.asks and tables is None)
        # A probe alone is no reason to ask devices that say who they are.
        and (match.sys_object_id or match.sys_descr or sys_object_id in ((), (0, 0)))
    ]
    for _, name, match in sorted(candidates, key=lambda candidate: candidate[:2], reverse=True):
        if not match.asks or (tables is not None and _answers(tables, match)):
            return profiles[name], match
    return None


def _answers(tables: Tables, match: Match) -> bool:
    """Whether a device has what a match asks it for."""
    if match.answers is not None and tables.scalar(match.answers) is None:
        return False
    if match.says is None:
        return True
    column, pattern = match.says
    return any(pattern.search(raw_of(value)) for value in tables.column(column).values())


def read_facts(
    tables: Tables,
    facts: Mapping[str, Iterable[Fact]],
    sys_descr: str,
    chassis: Mapping[str, Any],
    hidden: Iterable[str] = (),
    standard: Mapping[str, Iterable[Fact]] | None = None,
) -> dict[str, str]:
    """hardware, version, serial, features: by the profile's ways in turn, then by the chassis of ENTITY-MIB, then by `standard` ways."""
    found = _learn_all(tables, facts, sys_descr, chassis)
    for name, fields in CHASSIS_FIELDS.items():
        if name in found or name in hidden:
            continue
        text = next((said for field in fields if is_said(said := str(chassis.get(field, "")))), "")
        if text:
            found[name] = text
    unknown = {name: ways for name, ways in (standard or {}).items() if name not in found and name not in hidden}
    return found | _learn_all(tables, unknown, sys_descr, chassis)


def _learn_all(
    tables: Tables, facts: Mapping[str, Iterable[Fact]], sys_descr: str, chassis: Mapping[str, Any]
) -> dict[str, str]:
    """The first that each fact's ways give."""
    found: dict[str, str] = {}
    for name, ways in facts.items():
        text = next((said for way in ways if (said := learn(tables, way, sys_descr, chassis))), "")
        if text:
            found[name] = text
    return found


def is_said(text: str) -> bool:
    """Whether a text says something."""
    return text.strip().lower() not in NOT_SAID and not re.fullmatch(r"[\s.\-*?]*", text)


def learn(tables: Tables, fact: Fact, sys_descr: str, chassis: Mapping[str, Any]) -> str:
    """What one way gives; empty where it gives nothing."""
    if fact.source == "join":
        parts = [learn(tables, part, sys_descr, chassis) for part in fact.parts]
        return _join([part for part in parts if part], fact.separator) if parts and parts[0] else ""
    for text in _sources(tables, fact, sys_descr, chassis):
        result = _shape(fact, text)
        if is_said(result):
            return result
    return ""


def _join(parts: list[str], separator: str) -> str:
    """Parts side by side; one that stands in another already is said once."""
    kept = [part for at, part in enumerate(parts) if not any(part in other for other in parts[:at])]
    kept = [part for at, part in enumerate(kept) if not any(part in other for other in kept[at + 1 :])]
    return separator.join(kept)


def _sources(tables: Tables, fact: Fact, sys_descr: str, chassis: Mapping[str, Any]) -> Iterable[str]:
    if fact.source == "text":
        yield fact.text
    elif fact.source == "descr":
        yield sys_descr
    elif fact.source == "entity":
        yield str(chassis.get(fact.entity, ""))
    elif fact.source == "oid" and fact.oid:
        value = tables.scalar(fact.oid)
        if value is not None:
            yield raw_of(value)
    elif fact.source == "column" and fact.oid:
        for index, value in sorted(tables.column(fact.oid).items()):
            if holds(tables, fact.where, index):
                yield _mac_text(value) if fact.is_mac else raw_of(value)


def _mac_text(value: Value) -> str:
    """A hardware address as it stands on labels; empty for none and for all zeros."""
    mac = decode_mac(value.data) if isinstance(value.data, bytes) else None
    return "" if mac is None or not mac.strip("0") else ":".join(mac[at : at + 2] for at in range(0, 12, 2))


def _shape(fact: Fact, text: str) -> str:
    text = text.strip()
    if fact.pattern is not None:
        match = fact.pattern.search(text)
        if match is None:
            return ""
        groups = [group or "" for group in (match.groups() or (match[0],))]
        text = fact.format.format(*groups)
    elif fact.format != "{0}" and text:
        text = fact.format.format(text)
    text = " ".join(text.split())
    return fact.map.get(text, text if not fact.map or "*" not in fact.map else fact.map["*"])


def enterprise_of(sys_object_id: Oid) -> int | None:
    """The enterprise number in a sysObjectID; None where it is not below `enterprises`."""
    below = sys_object_id[: len(ENTERPRISES)] == ENTERPRISES and len(sys_object_id) > len(ENTERPRISES)
    return sys_object_id[len(ENTERPRISES)] if below else None


def object_id_text(sys_object_id: Oid) -> str:
    """sysObjectID as dotted numbers; empty where the device has none."""
    return format_oid(sys_object_id)
