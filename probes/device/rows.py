"""The interpreter: rows of a profile × what the device said → readings. Knows no vendor."""

import re
import struct
from collections.abc import Iterable, Iterator
from typing import Any

from probes.device.formulas import FORMULAS
from probes.device.ports import IF_DESCR, IF_NAME
from probes.device.profile import UNITS, MemoryRow, Reading, Row, Where
from probes.device.source import Column, Tables, number_of, raw_of, text_of
from probes.snmp.ber import OCTET_STRING, OPAQUE, Oid, Value
from probes.snmp.oids import format_oid, parse_oid

ENT_DESCR, ENT_NAME = parse_oid("1.3.6.1.2.1.47.1.1.1.1.2"), parse_oid("1.3.6.1.2.1.47.1.1.1.1.7")

_NUMBER = re.compile(r"^\s*(-?\d+(?:\.\d+)?)\s*%?[A-Za-z°]{0,8}\s*$")
_UNIT = re.compile(r"\d\s*(?:°?C|V|A|W|Hz|%(?:RH)?|dBm|RPM)\s*$")
"""The units of our classes, not their thousandths."""
_FLOAT_HEAD = b"\x9f\x78\x04"
"""Net-SNMP's Opaque float."""


def number_in(value: Value, pattern: re.Pattern[str] | None = None) -> float | None:
    """The number that a value holds: numeric types, Opaque floats, decimal text ("47", "0.25", "12 %"), or what `pattern` finds."""
    number = number_of(value)
    if number is not None and pattern is None:
        return number
    if value.tag == OPAQUE and isinstance(value.data, bytes) and value.data[:3] == _FLOAT_HEAD and len(value.data) == 7:
        found: float = struct.unpack(">f", value.data[3:])[0]
        return found if abs(found) < 1e12 else None
    text = raw_of(value) if number is not None else text_of(value)
    if text is None:
        return None
    match = (pattern or _NUMBER).search(text)
    if match is None:
        return None
    try:
        found = float(match[1])
    except (ValueError, IndexError):
        return None
    return found if abs(found) < 1e18 else None


def evaluate(reading: Reading, value: Value) -> int | float | None:
    """The reading in its unit; None where the raw value means "nothing here" (`skip`, `least`, `most`)."""
    number = number_in(value, reading.pattern)
    if number is None or number in reading.skip:
        return None
    if (reading.least is not None and number < reading.least) or (reading.most is not None and number > reading.most):
        return None
    scaled = number if _names_its_unit(value, reading.pattern) else number * reading.multiplier / reading.divisor
    result = FORMULAS[reading.formula](scaled) if reading.formula else scaled
    if result is None:
        return None
    result = round(result, 10)
    return int(result) if result == int(result) else result


def _names_its_unit(value: Value, pattern: re.Pattern[str] | None) -> bool:
    """Whether a number came as a text with its unit behind it ("23.5 C", "230 V"): then no scale of the profile is to be put on it."""
    return value.tag == OCTET_STRING and pattern is None and _UNIT.search(text_of(value) or "") is not None


def _chosen(tables: Tables, row: Row) -> Iterator[tuple[Oid, Oid, Value]]:
    """(whole name, index, value) of a row's instances whose index is as the row wants it."""
    for oid, index, value in instances(tables, row.reading):
        if row.index is None or row.index.search(format_oid(index)):
            yield oid, index, value


def is_temperature(celsius: float) -> bool:
    """Whether a number can be one: -127 is a thermometer on a 1-Wire bus that is not there; 255, 32767, 65535 and 2^31 - 1 are others' words for it."""
    return -127 < celsius <= 200


def instances(tables: Tables, reading: Reading) -> Iterator[tuple[Oid, Oid, Value]]:
    """(whole name, index, value) of all that a reading finds; the index of an instance is its last number."""
    if reading.is_scalar:
        value = tables.scalar(reading.oid)
        if value is not None:
            yield reading.oid, reading.oid[-1:], value
        return
    for index, value in tables.column(reading.oid).items():
        yield (*reading.oid, *index), index, value


def holds(tables: Tables, wheres: Iterable[Where], index: Oid) -> bool:
    """Whether all conditions hold at an index."""
    for where in wheres:
        if where.is_scalar:
            value = tables.scalar(where.column)
        else:
            value = tables.column(where.column).get(index[where.take[0] : where.take[1]])
        text = None if value is None else raw_of(value).strip()
        if where.among and text not in where.among:
            return False
        if text is not None and text in where.without:
            return False
        if where.pattern is not None and (text is None or not where.pattern.search(text)):
            return False
    return True


# ---------------------------------------------------------------------- names


def _text_at(column: Column, index: Oid) -> str:
    value = column.get(index)
    return "" if value is None else raw_of(value).strip()


def describe(tables: Tables, row: Row | MemoryRow, index: Oid) -> str:
    """A row's description with its placeholders filled in: {index} {last} {first} {i1} {port} {entity} {name}; what has no name is called by its index."""

    def fill(match: re.Match[str]) -> str:
        key = match[1]
        if key == "index":
            return format_oid(index)
        if key == "port":
            if_index = port_of(row, index)
            return "" if if_index is None else port_name(tables, if_index)
        if key == "entity":
            return entity_name(tables, index[:1])
        if key == "name":
            said = _text_at(tables.column(row.names), index[slice(*row.names_take)]) if row.names else ""
            return said or format_oid(index)
        at = {"last": -1, "first": 0}.get(key)
        at = int(key[1:]) if at is None else at
        return str(index[at]) if -1 <= at < len(index) else ""

    return re.sub(r"\{(index|last|first|i\d|port|entity|name)\}", fill, row.descr).strip()


def port_of(row: Row | MemoryRow, index: Oid) -> int | None:
    """The ifIndex in an index, where the row says that it holds one."""
    where = row.port if isinstance(row, Row) else ""
    if not index:
        return None
    return index[0] if where == "first" else index[-1] if where == "last" else None


def port_name(tables: Tables, if_index: int) -> str:
    """ifName, else ifDescr, else the number."""
    return (
        _text_at(tables.column(IF_NAME), (if_index,)) or _text_at(tables.column(IF_DESCR), (if_index,)) or str(if_index)
    )


def entity_name(tables: Tables, index: Oid) -> str:
    """entPhysicalName, else entPhysicalDescr, else the number."""
    return _text_at(tables.column(ENT_NAME), index) or _text_at(tables.column(ENT_DESCR), index) or format_oid(index)


# ---------------------------------------------------------------------- readings


def read_cpu(tables: Tables, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Processors: descr, usage_percent (0 to 100, to the nearest whole), oid, raw."""
    found: list[dict[str, Any]] = []
    for row in rows:
        if row.fallback and found:
            continue
        for oid, index, value in _chosen(tables, row):
            usage = evaluate(row.reading, value)
            if usage is None or not 0 <= usage <= 100 or not holds(tables, row.where, index):
                continue
            descr = describe(tables, row, index) or "Processor"
            found.append(
                {"descr": descr, "usage_percent": round_half_up(usage), "oid": format_oid(oid), "raw": raw_of(value)}
            )
    return found


def round_half_up(number: float) -> int:
    """To the nearest whole number; halves go up, as people expect of percents."""
    return int(number + 0.5)


def read_memory(tables: Tables, rows: Iterable[MemoryRow]) -> list[dict[str, Any]]:
    """Memories: descr, class, used_percent, and where the device says it total_bytes, used_bytes, free_bytes; each with oid and raw.

    Each row of the device once: the profile's first row that reads it counts.
    """
    found: list[dict[str, Any]] = []
    read: set[Oid] = set()
    for row in rows:
        if row.fallback and found:
            continue
        main = row.percent or row.used or row.free
        if main is None:
            continue
        for oid, index, _ in instances(tables, main):
            if oid in read or not holds(tables, row.where, index):
                continue
            memory = _memory_at(tables, row, index)
            if memory is not None:
                read.add(oid)
                found.append(memory)
    return found


def _memory_at(tables: Tables, row: MemoryRow, index: Oid) -> dict[str, Any] | None:
    parts: dict[str, int | float] = {}
    evidence: dict[str, str] = {}
    for key, reading in (("perc", row.percent), ("total", row.total), ("used", row.used), ("free", row.free)):
        if reading is None:
            continue
        name = reading.oid if reading.is_scalar else (*reading.oid, *index)
        value = tables.scalar(name) if reading.is_scalar else tables.column(reading.oid).get(index)
        number = None if value is None else evaluate(reading, value)
        if value is not None and number is not None:
            parts[key] = number
            evidence[f"{key}_oid"], evidence[f"{key}_raw"] = format_oid(name), raw_of(value)
    total, used, free = parts.get("total"), parts.get("used"), parts.get("free")
    percent = parts.get("perc")
    if total is None and used is not None and free is not None:
        total = used + free
    if used is None and total is not None:
        used = total - free if free is not None else None if percent is None else int(total * percent / 100)
    if percent is None and total and used is not None:
        percent = used * 100 / total
    if percent is None or not 0 <= percent <= 100:
        return None
    memory: dict[str, Any] = {
        "descr": describe(tables, row, index),
        "class": "system",
        "used_percent": round_half_up(percent),
    }
    if total and used is not None:
        memory |= {"total_bytes": int(total), "used_bytes": int(used), "free_bytes": int(total) - int(used)}
    return memory | evidence


def read_rows(tables: Tables, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Sensors: class, descr, value, unit, oid, index, raw, and for states their word; one of a port has its ifIndex."""
    found: list[dict[str, Any]] = []
    kinds: set[str] = set()
    for row in rows:
        if row.fallback and row.kind in kinds:
            continue
        for oid, index, value in _chosen(tables, row):
            if row.lanes:
                found += _lanes(tables, row, oid, index, value)
                continue
            number = evaluate(row.reading, value)
            if number is None or (row.kind == "temperature" and not is_temperature(number)):
                continue
            if not holds(tables, row.where, index):
                continue
            kinds.add(row.kind)
            found.append(_sensor(tables, row, oid, index, value, number))
    return found


def _lanes(tables: Tables, row: Row, oid: Oid, index: Oid, value: Value) -> Iterator[dict[str, Any]]:
    """A text of several numbers in the class's unit, one for each lane of an optical module: a sensor each. One number is no list of lanes."""
    parts = raw_of(value).split(",")
    if len(parts) < 2 or not holds(tables, row.where, index):
        return
    for lane, part in enumerate(parts, 1):
        match = _NUMBER.search(part)
        number = float(match[1]) if match else None
        if number is None or number in row.reading.skip:
            continue
        if row.reading.least is not None and number < row.reading.least:
            continue
        sensor = _sensor(tables, row, oid, index, value, round(number, 10))
        yield sensor | {"descr": f"{sensor['descr']} lane {lane}", "lane": lane}


def _sensor(tables: Tables, row: Row, oid: Oid, index: Oid, value: Value, number: float) -> dict[str, Any]:
    sensor: dict[str, Any] = {"class": row.kind, "descr": describe(tables, row, index), "value": number}
    if UNITS.get(row.kind):
        sensor["unit"] = UNITS[row.kind]
    sensor |= {"oid": format_oid(oid), "index": format_oid(index), "raw": raw_of(value)}
    if row.states:
        sensor["state"] = row.states.get(int(number), str(number))
    if row.group:
        sensor["group"] = row.group
    if_index = port_of(row, index)
    if if_index is not None:
        sensor["ifIndex"] = if_index
    return sensor


def read_wireless(tables: Tables, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Counts of access points and clients: class, descr, value, oids; a row with `sum` adds up what has the same description."""
    found: list[dict[str, Any]] = []
    for row in rows:
        if row.fallback and any(item["class"] == row.kind for item in found):
            continue
        groups: dict[str, dict[str, Any]] = {}
        for oid, index, value in _chosen(tables, row):
            number = evaluate(row.reading, value)
            if number is None or not holds(tables, row.where, index):
                continue
            descr = describe(tables, row, index)
            key = descr if row.sum else format_oid(index)
            item = groups.setdefault(key, {"class": row.kind, "descr": descr, "value": 0, "oids": []})
            item["value"] += number
            item["oids"].append(format_oid(oid))
        found += groups.values()
    return found
