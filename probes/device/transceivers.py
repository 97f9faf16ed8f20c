"""Optical modules, a row each: what their sensors say, put together by the port that they sit in. Pure; `rx_dbm` is what rules of degradation look at."""

import re
from collections.abc import Iterable
from typing import Any

RECEIVED = re.compile(r"\brx\b|receive", re.IGNORECASE)
SENT = re.compile(r"\btx\b|transmit", re.IGNORECASE)
_FIELDS = {"temperature": "temperature_celsius", "voltage": "voltage_volts", "current": "bias_amperes"}
_WORDS = re.compile(
    r"\s*\b(lane \d+|rx|tx|receive[dr]?|transmit(ted|ter)?|power|sensor|bias|current|temperature|voltage|optical|module)\b",
    re.IGNORECASE,
)
_MOST_ABOVE = 6
"""How far up from a sensor's entity a port may be."""

Item = dict[str, Any]


def name_ports_of_sensors(sensors: Iterable[Item], ports: Iterable[Item], inventory: Iterable[Item]) -> None:
    """Give sensors of optical modules their `ifIndex`, where they have none: by the entity that they measure or one that contains it
    (entAliasMapping, RFC 6933), or by the name of a port with which their description begins."""
    parts = {str(item["index"]): item for item in inventory}
    names: dict[str, int] = {}
    for port in ports:
        for field in ("ifDescr", "ifName"):
            if port.get(field):
                names[str(port[field])] = int(port["ifIndex"])
    for sensor in sensors:
        if "ifIndex" in sensor or not _is_optical(sensor):
            continue
        found = _by_name(str(sensor["descr"]), names)
        if found is None:
            found = _by_entity(str(sensor["index"]).split(".")[0], parts)
        if found is not None:
            sensor["ifIndex"] = found


def _is_optical(sensor: Item) -> bool:
    return sensor.get("group") == "transceiver" or sensor.get("class") == "dbm"


def _by_name(descr: str, names: dict[str, int]) -> int | None:
    """The longest beginning of a description that is a port's name; what follows is no part of a longer name."""
    for end in range(len(descr), 0, -1):
        if descr[:end] in names and not descr[end : end + 1].isalnum() and descr[end : end + 1] not in ("/", "."):
            return names[descr[:end]]
    return None


def _by_entity(index: str, parts: dict[str, Item]) -> int | None:
    for _ in range(_MOST_ABOVE):
        part = parts.get(index)
        if part is None:
            return None
        if "ifIndex" in part:
            return int(part["ifIndex"])
        index = str(part.get("parent", ""))
    return None


def read_transceivers(sensors: Iterable[Item], ports: Iterable[Item] = ()) -> list[Item]:
    """Of each module: ifIndex (where it is known), descr (its port's name), rx_dbm and tx_dbm (of several lanes the weakest), temperature_celsius,
    voltage_volts, bias_amperes (the highest), and `oids`: field → the name at which the device said it."""
    names = {port["ifIndex"]: port.get("ifName") or port.get("ifDescr") for port in ports}
    modules: dict[object, Item] = {}
    for sensor in sensors:
        field = _field_of(sensor)
        if field is None:
            continue
        place = sensor.get("ifIndex")
        descr = names.get(place) or _WORDS.sub("", str(sensor["descr"])).strip(" -:,")
        module = modules.setdefault(place if place is not None else descr or sensor["index"], {"descr": descr})
        if place is not None:
            module["ifIndex"] = place
        module.setdefault("oids", {})
        worst = min if field.endswith("dbm") else max
        if field not in module or worst(sensor["value"], module[field]) != module[field]:
            module[field] = sensor["value"]
            module["oids"][field] = sensor["oid"]
    lit = [module for module in modules.values() if "rx_dbm" in module or "tx_dbm" in module]
    return sorted(lit, key=lambda module: (module.get("ifIndex", 1 << 32), module["descr"]))


def _field_of(sensor: Item) -> str | None:
    kind, descr = sensor.get("class"), str(sensor.get("descr", ""))
    if kind == "dbm":
        return "rx_dbm" if RECEIVED.search(descr) else "tx_dbm" if SENT.search(descr) else None
    if sensor.get("group") != "transceiver" and "ifIndex" not in sensor:
        return None
    return _FIELDS.get(str(kind))
