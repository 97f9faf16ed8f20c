"""Vendor knowledge as rows of data: `profiles/<name>.toml`, read once, checked strictly (docs/vendors.md explains each key)."""

import re
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from probes.device.formulas import FORMULAS
from probes.snmp.ber import Oid
from probes.snmp.oids import parse_oid

FOLDER = Path(__file__).parent / "profiles"

UNITS = {
    "temperature": "°C", "voltage": "V", "current": "A", "power": "W", "frequency": "Hz", "fanspeed": "RPM", "humidity": "%",
    "charge": "%", "load": "%", "percent": "%", "runtime": "min", "dbm": "dBm", "signal": "dBm", "delay": "s", "count": "",
    "state": "", "airflow": "CMM", "concentration": "ppm", "power_consumed": "kWh", "pressure": "kPa",
}  # fmt: skip
"""Classes of sensors, and the unit of each."""


@dataclass(frozen=True)
class Where:
    """Keep a row only where the value of `column` at the same index (cut to `take`) is one of `among` and none of `without`.

    With `is_scalar` the column is one instance, the same for every row (a device's unit of temperature).
    """

    column: Oid
    take: tuple[int, int | None] = (0, None)
    among: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None
    is_scalar: bool = False


@dataclass(frozen=True)
class Reading:
    """How one number is got from a device: a column's rows, or one instance."""

    oid: Oid
    is_scalar: bool
    multiplier: float = 1
    divisor: float = 1
    skip: frozenset[float] = frozenset()
    least: float | None = None
    most: float | None = None
    pattern: re.Pattern[str] | None = None
    formula: str = ""


@dataclass(frozen=True)
class Row:
    """One row of a profile's `cpu`, `sensor` or `wireless`."""

    kind: str
    reading: Reading
    descr: str = ""
    names: Oid | None = None
    names_take: tuple[int, int | None] = (0, None)
    port: str = ""
    where: tuple[Where, ...] = ()
    index: re.Pattern[str] | None = None
    states: dict[int, str] = field(default_factory=dict)
    group: str = ""
    fallback: bool = False
    sum: bool = False
    lanes: bool = False


@dataclass(frozen=True)
class MemoryRow:
    """One row of `memory`: any two of total, used and free, or percent."""

    descr: str = "Memory"
    names: Oid | None = None
    names_take: tuple[int, int | None] = (0, None)
    percent: Reading | None = None
    total: Reading | None = None
    used: Reading | None = None
    free: Reading | None = None
    where: tuple[Where, ...] = ()
    fallback: bool = False


@dataclass(frozen=True)
class Fact:
    """One way to learn a fact; the first that gives something counts.

    `source`: "descr" (sysDescr), "oid", "column" (its first row that is not empty), "entity" (a field of the chassis), "text".
    """

    source: str
    oid: Oid | None = None
    entity: str = ""
    pattern: re.Pattern[str] | None = None
    format: str = "{0}"
    map: dict[str, str] = field(default_factory=dict)
    where: tuple[Where, ...] = ()
    parts: tuple["Fact", ...] = ()
    separator: str = " "
    text: str = ""
    is_mac: bool = False


@dataclass(frozen=True)
class Match:
    """Which devices a profile is for: all that is given must hold.

    `answers`: an instance that the device must have; `says`: a column and what one of its rows must match.
    """

    sys_object_id: Oid = ()
    sys_descr: re.Pattern[str] | None = None
    answers: Oid | None = None
    says: tuple[Oid, re.Pattern[str]] | None = None
    identity: dict[str, str] = field(default_factory=dict)

    @property
    def asks(self) -> bool:
        """Whether the device must be asked more than who it is."""
        return self.answers is not None or self.says is not None

    def rank(self) -> tuple[int, int, int, int]:
        """The more it demands, the higher it stands."""
        return len(self.sys_object_id), self.sys_descr is not None, self.says is not None, self.answers is not None


@dataclass(frozen=True)
class Profile:
    """What we know of one family of devices."""

    name: str
    os: str = ""
    os_text: str = ""
    type: str = ""
    vendor: str = ""
    matches: tuple[Match, ...] = ()
    facts: dict[str, tuple[Fact, ...]] = field(default_factory=dict)
    cpu: tuple[Row, ...] = ()
    memory: tuple[MemoryRow, ...] = ()
    sensors: tuple[Row, ...] = ()
    wireless: tuple[Row, ...] = ()
    neighbours: dict[str, Oid] = field(default_factory=dict)
    entity_sensors: tuple[Oid, ...] = ()
    hidden: frozenset[str] = frozenset()
    enable_commands: str = ""

    def oids(self) -> tuple[set[Oid], set[Oid]]:
        """(columns, instances) that this profile reads."""
        columns: set[Oid] = set()
        scalars: set[Oid] = set()
        readings = [row.reading for row in (*self.cpu, *self.sensors, *self.wireless)]
        for memory in self.memory:
            readings += [part for part in (memory.percent, memory.total, memory.used, memory.free) if part]
        for reading in readings:
            (scalars if reading.is_scalar else columns).add(reading.oid)
        rows: list[Row | MemoryRow] = [*self.cpu, *self.sensors, *self.wireless, *self.memory]
        for row in rows:
            for where in row.where:
                (scalars if where.is_scalar else columns).add(where.column)
            if row.names:
                columns.add(row.names)
        for fact in (fact for facts in self.facts.values() for fact in facts):
            for part in fact.parts or (fact,):
                if part.oid:
                    (scalars if part.source == "oid" else columns).add(part.oid)
                for where in part.where:
                    (scalars if where.is_scalar else columns).add(where.column)
        return columns, scalars


class ProfileError(ValueError):
    """A profile's file is wrong; the message names file and key."""


# ---------------------------------------------------------------------- reading files


@lru_cache(maxsize=1)
def load_profiles() -> dict[str, Profile]:
    """All profiles by name. `standard` is what every device is asked for."""
    return {path.stem: load_profile(path) for path in sorted(FOLDER.glob("*.toml"))}


def load_profile(path: Path) -> Profile:
    """One file. ProfileError where it is wrong."""
    try:
        return _profile(path.stem, _read(path))
    except (ValueError, KeyError, TypeError, re.error) as error:
        raise ProfileError(f"{path.name}: {error}") from error


def _read(path: Path) -> dict[str, Any]:
    """A file's data. One that `extends` another has its keys in front (`cpu` and `memory` whole), and its sensors before the other's:
    the first reading of an OID counts. A `base` of its own moves the other's relative names, too."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    parent = data.pop("extends", "")
    if not parent:
        return data
    other = _read(path.with_name(f"{parent}.toml"))
    merged = {**other, **data}
    for key in ("sensor", "wireless"):
        merged[key] = data.get(key, []) + other.get(key, [])
    merged["facts"] = {**other.get("facts", {}), **data.get("facts", {})}
    return merged


def _absolute(item: Any, base: str, key: str = "") -> Any:
    """Names that begin with a dot stand below the profile's `base`."""
    if isinstance(item, dict):
        return {inner: _absolute(value, base, inner) for inner, value in item.items()}
    if isinstance(item, list):
        return [_absolute(value, base, key) for value in item]
    if isinstance(item, str) and key not in ("is", "not", "text") and re.fullmatch(r"(\.\d+)+", item):
        return base + item
    return item


def _profile(name: str, data: dict[str, Any]) -> Profile:
    data = _absolute(data, data.pop("base", ""))
    identity = {key: data.pop(key, "") for key in ("os", "os_text", "type", "vendor")}
    profile = Profile(
        name=name,
        **identity,
        matches=tuple(_match(item) for item in data.pop("match", [])),
        facts={key: tuple(_fact(item) for item in items) for key, items in data.pop("facts", {}).items()},
        cpu=tuple(_row({"class": "cpu", **item}) for item in data.pop("cpu", [])),
        memory=tuple(_memory(item) for item in data.pop("memory", [])),
        sensors=tuple(_row(item) for item in data.pop("sensor", [])),
        wireless=tuple(_row(item) for item in data.pop("wireless", [])),
        neighbours={key: parse_oid(text) for key, text in data.pop("neighbours", {}).items()},
        entity_sensors=tuple(parse_oid(text) for text in data.pop("entity_sensors", [])),
        hidden=frozenset(data.pop("hidden", [])),
        enable_commands=data.pop("enable", "").strip(),
    )
    _expect_nothing(data)
    unknown = {row.kind for row in profile.sensors} - UNITS.keys()
    if unknown:
        raise ValueError(f"sensor class {sorted(unknown)}: one of {', '.join(UNITS)}")
    return profile


def _expect_nothing(data: dict[str, Any]) -> None:
    if data:
        raise ValueError(f"unknown keys {sorted(data)}")


def _match(item: dict[str, Any]) -> Match:
    prefix = item.pop("sys_object_id", "")
    pattern = item.pop("sys_descr", "")
    answers = item.pop("answers", "")
    says = item.pop("says", {})
    identity: dict[str, str] = {key: item.pop(key) for key in ("os", "os_text", "type", "vendor") if key in item}
    _expect_nothing(item)
    return Match(
        parse_oid(prefix) if prefix else (),
        re.compile(pattern) if pattern else None,
        parse_oid(answers) if answers else None,
        _says(says),
        identity,
    )


def _says(item: dict[str, Any]) -> tuple[Oid, re.Pattern[str]] | None:
    if not item:
        return None
    says = parse_oid(item.pop("column")), re.compile(item.pop("matches"))
    _expect_nothing(item)
    return says


def _reading(item: dict[str, Any]) -> Reading:
    scalar, column = item.pop("oid", ""), item.pop("column", "")
    if bool(scalar) == bool(column):
        raise ValueError("a reading has either `oid` (one instance) or `column`")
    formula = item.pop("formula", "")
    if formula and formula not in FORMULAS:
        raise ValueError(f"formula {formula!r}: one of {', '.join(FORMULAS)}")
    pattern = item.pop("pattern", "")
    return Reading(
        oid=parse_oid(scalar or column),
        is_scalar=bool(scalar),
        multiplier=item.pop("multiplier", 1),
        divisor=item.pop("divisor", 1),
        skip=frozenset(item.pop("skip", [])),
        least=item.pop("least", None),
        most=item.pop("most", None),
        pattern=re.compile(pattern) if pattern else None,
        formula=formula,
    )


def _row(item: dict[str, Any]) -> Row:
    reading = _reading(item)
    names, take = _names(item)
    index = item.pop("index", "")
    row = Row(
        kind=item.pop("class"),
        reading=reading,
        descr=item.pop("descr", ""),
        names=names,
        names_take=take,
        port=item.pop("port", ""),
        where=_wheres(item),
        index=re.compile(index) if index else None,
        states={int(key): text for key, text in item.pop("states", {}).items()},
        group=item.pop("group", ""),
        fallback=item.pop("fallback", False),
        sum=item.pop("sum", False),
        lanes=item.pop("lanes", False),
    )
    _expect_nothing(item)
    return row


def _memory(item: dict[str, Any]) -> MemoryRow:
    names, take = _names(item)
    parts = {key: _reading(item.pop(key)) for key in ("percent", "total", "used", "free") if key in item}
    row = MemoryRow(
        descr=item.pop("descr", "Memory"),
        names=names,
        names_take=take,
        where=_wheres(item),
        fallback=item.pop("fallback", False),
        **parts,
    )
    _expect_nothing(item)
    return row


def _names(item: dict[str, Any]) -> tuple[Oid | None, tuple[int, int | None]]:
    text = item.pop("names", "")
    return (parse_oid(text) if text else None), _slice(item.pop("names_take", []))


def _slice(numbers: list[int]) -> tuple[int, int | None]:
    return (numbers[0], numbers[1] if len(numbers) > 1 else None) if numbers else (0, None)


def _wheres(item: dict[str, Any]) -> tuple[Where, ...]:
    found = item.pop("where", [])
    wheres = []
    for where in [found] if isinstance(found, dict) else found:
        pattern = where.pop("matches", "")
        is_scalar = "oid" in where
        wheres.append(
            Where(
                parse_oid(where.pop("oid" if is_scalar else "column")),
                _slice(where.pop("take", [])),
                frozenset(map(str, where.pop("is", []))),
                frozenset(map(str, where.pop("not", []))),
                re.compile(pattern) if pattern else None,
                is_scalar,
            )
        )
        _expect_nothing(where)
    return tuple(wheres)


def _fact(item: dict[str, Any]) -> Fact:
    if "join" in item:
        parts = tuple(_fact(part) for part in item.pop("join"))
        fact = Fact("join", parts=parts, separator=item.pop("separator", " "))
        _expect_nothing(item)
        return fact
    source = next((key for key in ("descr", "oid", "column", "entity", "text") if key in item), "")
    if not source:
        raise ValueError(f"a fact without a source: {item}")
    given = item.pop(source)
    pattern = given if source == "descr" else item.pop("pattern", "")
    fact = Fact(
        source,
        oid=parse_oid(given) if source in ("oid", "column") else None,
        entity=given if source == "entity" else "",
        pattern=re.compile(pattern, re.DOTALL) if pattern else None,
        format=item.pop("format", "{0}"),
        map=item.pop("map", {}),
        where=_wheres(item),
        text=given if source == "text" else "",
        is_mac=item.pop("kind", "") == "mac",
    )
    _expect_nothing(item)
    return fact
