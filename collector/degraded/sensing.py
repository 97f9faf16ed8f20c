"""From the sensors of one device, as `probes.device` reads them, to the measures of rules. Pure.

What a sensor says is taken as it is: the worst of several counts, and its name stands beside it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from inventory.models import Measure


class Sensed(NamedTuple):
    """A measure's value, and the sensor (or port) that it is of."""

    value: float
    of: str


Sensor = Mapping[str, Any]

SENSED = (
    Measure.temperature_celsius,
    Measure.cpu_percent,
    Measure.memory_percent,
    Measure.ups_on_battery,
    Measure.ups_charge_percent,
    Measure.ups_load_percent,
    Measure.ups_minutes_left,
    Measure.optical_rx_dbm,
    Measure.poe_percent,
    Measure.parts_failed,
    Measure.disks_failed,
    Measure.co2_ppm,
    Measure.humidity_percent,
)
"""Measures that come from sensors."""

DARK_DBM = -40.0
"""Below this no fibre is lit: an empty or switched-off port, no weak one."""

_ON_BATTERY = re.compile(r"^(on[ -]?)?battery( mode| powered)?$|^on ?battery|discharging", re.IGNORECASE)
_OUTPUT = re.compile(r"output|source|ups (status|state|mode)|input|work mode|power mode", re.IGNORECASE)
_PART = re.compile(r"fan|power.?supply|\bpsu\b|\bpwr\b|风扇|电源", re.IGNORECASE)
_DISK = re.compile(r"disk|disc|drive|\bhdd\b|\braid\b|volume|硬盘", re.IGNORECASE)
_BROKEN = re.compile(
    r"fail|fault|abnormal|broken|error|critical|crash|degrade|not ?supply|damage|故障|异常", re.IGNORECASE
)
_RECEIVED = re.compile(r"\brx\b|receiv|接收", re.IGNORECASE)
_LEFT = re.compile(r"remain|left|autonomy|run ?time|剩余", re.IGNORECASE)
_CO2 = re.compile(r"co2|co₂|carbon dioxide|二氧化碳", re.IGNORECASE)


def measures_of(sensors: Iterable[Sensor]) -> dict[Measure, Sensed]:
    """What the sensors of a device say, by measure; a measure that none speaks of is not there."""
    listed = [sensor for sensor in sensors if isinstance(sensor.get("value"), int | float)]
    found: dict[Measure, Sensed] = {}
    for measure, (choose, worst) in _CHOICES.items():
        chosen = [(float(sensor["value"]), str(sensor.get("descr", ""))) for sensor in listed if choose(sensor)]
        if chosen:
            found[measure] = Sensed(*worst(chosen, key=lambda entry: entry[0]))
    for measure, make in _SPECIAL.items():
        sensed = make(listed)
        if sensed is not None:
            found[measure] = sensed
    return found


def _is(kind: str, pattern: re.Pattern[str] | None = None, but: str = "") -> Callable[[Sensor], bool]:
    def choose(sensor: Sensor) -> bool:
        if sensor.get("class") != kind or (but and sensor.get("group") == but):
            return False
        return pattern is None or bool(pattern.search(str(sensor.get("descr", ""))))

    return choose


def _lit(sensor: Sensor) -> bool:
    return _is("dbm", _RECEIVED)(sensor) and float(sensor["value"]) > DARK_DBM


def _carbon_dioxide(sensor: Sensor) -> bool:
    named = bool(_CO2.search(f"{sensor.get('descr', '')} {sensor.get('class', '')}"))
    return sensor.get("class") == "co2" or (named and sensor.get("class") != "state")


_CHOICES: dict[Measure, tuple[Callable[[Sensor], bool], Callable[..., Any]]] = {
    Measure.temperature_celsius: (_is("temperature", but="transceiver"), max),
    Measure.cpu_percent: (_is("cpu"), max),
    Measure.memory_percent: (_is("memory"), max),
    Measure.ups_charge_percent: (_is("charge"), min),
    Measure.ups_load_percent: (_is("load"), max),
    Measure.ups_minutes_left: (_is("runtime", _LEFT), min),
    Measure.optical_rx_dbm: (_lit, min),
    Measure.co2_ppm: (_carbon_dioxide, max),
    Measure.humidity_percent: (_is("humidity"), max),
}
"""measure -> which sensors, and which of several counts."""


def _on_battery(sensors: list[Sensor]) -> Sensed | None:
    """upsOutputSource battery(5) (RFC 1628), or the word of a vendor's state of output, input or mode."""
    states = [
        s for s in sensors if s.get("class") == "state" and s.get("state") and _OUTPUT.search(str(s.get("descr")))
    ]
    on = [s for s in states if _ON_BATTERY.search(str(s["state"]))]
    # Only where the device speaks of batteries at all: an output or input of another kind of device is no UPS.
    ups = on or any(s.get("class") in ("charge", "runtime") for s in sensors)
    return Sensed(float(bool(on)), str((on or states)[0].get("descr", ""))) if ups and states else None


def _broken(pattern: re.Pattern[str]) -> Callable[[list[Sensor]], Sensed | None]:
    def count(sensors: list[Sensor]) -> Sensed | None:
        states = [s for s in sensors if s.get("class") == "state" and pattern.search(str(s.get("descr", "")))]
        bad = [s for s in states if _BROKEN.search(str(s.get("state", "")))]
        return Sensed(float(len(bad)), ", ".join(str(s.get("descr", "")) for s in bad[:5])) if states else None

    return count


def _poe(sensors: list[Sensor]) -> Sensed | None:
    """pethMainPseConsumptionPower by pethMainPsePower (RFC 3621), all power supplies together."""
    sums = {"budget": 0.0, "consumed": 0.0}
    for sensor in sensors:
        if sensor.get("group") == "PoE" and sensor.get("class") == "power":
            for word in sums:
                if f"PoE {word}" in str(sensor.get("descr", "")):
                    sums[word] += float(sensor["value"])
    return Sensed(100.0 * sums["consumed"] / sums["budget"], "PoE") if sums["budget"] > 0 else None


_SPECIAL: dict[Measure, Callable[[list[Sensor]], Sensed | None]] = {
    Measure.ups_on_battery: _on_battery,
    Measure.parts_failed: _broken(_PART),
    Measure.disks_failed: _broken(_DISK),
    Measure.poe_percent: _poe,
}


def duplex_of(ports: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """ifName (else ifDescr) -> 1.0 where a port that is up runs at half duplex (dot3StatsDuplexStatus, RFC 3635), 0.0 at full duplex."""
    found: dict[str, float] = {}
    for port in ports:
        name = str(port.get("ifName") or port.get("ifDescr") or "")
        if name and port.get("ifOperStatus") == "up" and port.get("ifDuplex") in ("halfDuplex", "fullDuplex"):
            found[name] = float(port["ifDuplex"] == "halfDuplex")
    return found
