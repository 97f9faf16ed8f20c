"""What a device is made of, and what its parts measure: ENTITY-MIB (RFC 6933), ENTITY-SENSOR-MIB (RFC 3433) and tables like it."""

from typing import Any

from probes.device.names import ENTITY_CLASSES
from probes.device.rows import entity_name, is_temperature
from probes.device.source import Tables, number_of, text_of
from probes.snmp.ber import Oid
from probes.snmp.oids import format_oid, parse_oid

ENT_ENTRY = parse_oid("1.3.6.1.2.1.47.1.1.1.1")
FIELDS = {"descr": 2, "name": 7, "hw": 8, "fw": 9, "sw": 10, "serial": 11, "mfg": 12, "model": 13}
CONTAINED_IN, CLASS = (*ENT_ENTRY, 4), (*ENT_ENTRY, 5)
ALIAS_MAPPING = parse_oid("1.3.6.1.2.1.47.1.3.2.1.2")
IF_INDEX_COLUMN = parse_oid("1.3.6.1.2.1.2.2.1.1")

ENTITY_SENSOR = parse_oid("1.3.6.1.2.1.99.1.1.1")
SENSOR_CLASSES = {
    3: "voltage", 4: "voltage", 5: "current", 6: "power", 7: "frequency", 8: "temperature", 9: "humidity", 10: "fanspeed",
    11: "airflow", 14: "dbm",
}  # fmt: skip
"""EntitySensorDataType; 14 (dBm) is CISCO-ENTITY-SENSOR-MIB's."""

SENSOR_UNITS = {
    "voltage": "V", "current": "A", "power": "W", "frequency": "Hz", "temperature": "°C", "humidity": "%", "fanspeed": "RPM",
    "airflow": "CMM", "dbm": "dBm", "concentration": "ppm",
}  # fmt: skip
OTHER, UNITS_DISPLAY = 1, 6
"""EntitySensorDataType other(1) says what it is by entPhySensorUnitsDisplay (RFC 3433): of those, gases in ppm are known here."""

OPER_STATUS = {1: "ok", 2: "unavailable", 3: "nonoperational"}


def read_inventory(tables: Tables) -> list[dict[str, Any]]:
    """The rows of entPhysicalTable: index, class, name, descr, model, serial, hw, fw, sw, mfg, parent, ifIndex; empty ones absent."""
    columns = {field: (*ENT_ENTRY, number) for field, number in FIELDS.items()}
    tables.fetch([*columns.values(), CONTAINED_IN, CLASS, ALIAS_MAPPING], what="inventory")
    ports = _ports_of_entities(tables)
    inventory = []
    for index in sorted(tables.column(CLASS).keys() | tables.column(columns["descr"]).keys()):
        kind = number_of(tables.column(CLASS).get(index))
        item: dict[str, Any] = {"index": index[0] if len(index) == 1 else format_oid(index)}
        item["class"] = ENTITY_CLASSES.get(kind or 0, "unknown")
        for field, column in columns.items():
            text = (text_of(tables.column(column).get(index)) or "").strip()
            if text:
                item[field] = text
        parent = number_of(tables.column(CONTAINED_IN).get(index))
        if parent is not None:
            item["parent"] = parent
        if index in ports:
            item["ifIndex"] = ports[index]
        inventory.append(item)
    return inventory


def _ports_of_entities(tables: Tables) -> dict[Oid, int]:
    """entPhysicalIndex → ifIndex, by entAliasMappingIdentifier (index: entity, logical entity)."""
    ports: dict[Oid, int] = {}
    for index, value in tables.column(ALIAS_MAPPING).items():
        name = value.data
        if isinstance(name, tuple) and name[:-1] == IF_INDEX_COLUMN and len(index) == 2:
            ports[index[:1]] = name[-1]
    return ports


def find_chassis(inventory: list[dict[str, Any]]) -> dict[str, Any]:
    """The entity that stands for the device: a chassis with a serial number, else with a model, else a stack or module."""
    for fields in (("serial",), ("model", "descr", "name")):
        for kinds in (("chassis",), ("stack", "container", "other", "module", "backplane")):
            for item in inventory:
                top = item["class"] == "chassis" or item.get("parent", 0) == 0 or kinds != ("chassis",)
                if item["class"] in kinds and top and any(item.get(field) for field in fields):
                    return item
    return {}


def read_entity_sensors(tables: Tables, table: Oid = ENTITY_SENSOR) -> list[dict[str, Any]]:
    """The rows of entPhySensorTable (or one of the same shape): value = raw · 10^(3·(scale-9)) / 10^precision; only working ones."""
    kind, scale, precision, value, status = ((*table, number) for number in (1, 2, 3, 4, 5))
    tables.fetch([kind, scale, precision, value, status], what="entity sensors")
    sensors = []
    for index, said in tables.column(value).items():
        of = number_of(tables.column(kind).get(index)) or 0
        name = SENSOR_CLASSES.get(of)
        if of == OTHER and table == ENTITY_SENSOR:
            display = text_of(tables.column((*table, UNITS_DISPLAY)).get(index)) or ""
            name = "concentration" if display.strip().lower() == "ppm" else None
        raw = number_of(said)
        if name is None or raw is None or number_of(tables.column(status).get(index)) in (2, 3):
            continue
        if abs(raw) >= 1_000_000_000:  # RFC 3433: ±1,000,000,000 mean "beyond what I can say"
            continue
        exponent = (_or(number_of(tables.column(scale).get(index)), 9) - 9) * 3
        exponent -= _or(number_of(tables.column(precision).get(index)), 0)
        number = raw * 10.0**exponent if exponent > 0 else raw / 10.0**-exponent
        number = round(number, 10)
        if name == "temperature" and not is_temperature(number):
            continue
        sensors.append(
            {
                "class": name,
                "descr": entity_name(tables, index[:1]),
                "value": int(number) if number == int(number) else number,
                "unit": SENSOR_UNITS[name],
                "oid": format_oid((*value, *index)),
                "index": format_oid(index),
                "raw": str(raw),
            }
        )
    return sensors


def read_entity_sensor_states(tables: Tables, table: Oid = ENTITY_SENSOR) -> list[dict[str, Any]]:
    """entPhySensorOperStatus of each sensor, as a state."""
    states = []
    column = (*table, 5)
    for index, value in tables.column(column).items():
        number = number_of(value)
        if number in OPER_STATUS:
            states.append(
                {
                    "class": "state",
                    "descr": entity_name(tables, index[:1]),
                    "value": number,
                    "oid": format_oid((*column, *index)),
                    "index": format_oid(index),
                    "raw": str(number),
                    "state": OPER_STATUS[number],
                }
            )
    return states


def _or(number: int | None, otherwise: int) -> int:
    return otherwise if number is None or not -30 <= number <= 30 else number
