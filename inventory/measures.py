"""What rules of degradation can look at: a row each. Data alone; how a value is come by is in `collector/degraded/`."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from inventory.models.rules import Measure


class MeasureRow(NamedTuple):
    """A measure: whom it is of (device, port, line or school), its unit, its names; `least` and `most` bound what is no nonsense."""

    measure: Measure
    of: str
    unit: str
    name_zh: str
    name_en: str
    least: float
    most: float


MEASURES: tuple[MeasureRow, ...] = (
    MeasureRow(Measure.loss_percent, "device", "%", "丢包率", "packet loss", 0, 100),
    MeasureRow(Measure.rtt_ms, "device", "ms", "往返时延", "round-trip time", 0, 60_000),
    MeasureRow(Measure.temperature_celsius, "device", "°C", "温度", "temperature", -60, 200),
    MeasureRow(Measure.cpu_percent, "device", "%", "CPU 利用率", "CPU use", 0, 100),
    MeasureRow(Measure.memory_percent, "device", "%", "内存利用率", "memory use", 0, 100),
    MeasureRow(Measure.ups_on_battery, "device", "", "UPS 由电池供电", "UPS on battery", 0, 1),
    MeasureRow(Measure.ups_charge_percent, "device", "%", "UPS 电池电量", "UPS battery charge", 0, 100),
    MeasureRow(Measure.ups_load_percent, "device", "%", "UPS 负载率", "UPS load", 0, 300),
    MeasureRow(Measure.ups_minutes_left, "device", "min", "UPS 剩余供电时间", "UPS time left", 0, 100_000),
    MeasureRow(Measure.optical_rx_dbm, "device", "dBm", "光模块接收功率", "optical power received", -60, 20),
    MeasureRow(Measure.poe_percent, "device", "%", "PoE 供电占用", "PoE power in use", 0, 200),
    MeasureRow(Measure.parts_failed, "device", "", "风扇或电源故障数", "fans and power supplies failed", 0, 1000),
    MeasureRow(Measure.disks_failed, "device", "", "硬盘故障数", "disks failed", 0, 1000),
    MeasureRow(Measure.co2_ppm, "device", "ppm", "二氧化碳浓度", "carbon dioxide", 0, 50_000),
    MeasureRow(Measure.humidity_percent, "device", "%", "湿度", "humidity", 0, 100),
    MeasureRow(Measure.port_down, "port", "", "端口断开", "port down", 0, 1),
    MeasureRow(Measure.port_errors_per_second, "port", "1/s", "端口错包速率", "port errors", 0, 1e12),
    MeasureRow(Measure.port_discards_per_second, "port", "1/s", "端口丢弃速率", "port discards", 0, 1e12),
    MeasureRow(Measure.port_load_percent, "port", "%", "端口利用率", "port load", 0, 1000),
    MeasureRow(Measure.half_duplex, "port", "", "端口半双工", "port at half duplex", 0, 1),
    MeasureRow(Measure.line_loss_percent, "line", "%", "线路丢包率", "packet loss of the line", 0, 100),
    MeasureRow(Measure.line_rtt_ms, "line", "ms", "线路时延", "round-trip time over the line", 0, 60_000),
    MeasureRow(Measure.line_load_percent, "line", "%", "线路利用率", "line load", 0, 1000),
    MeasureRow(Measure.answering_percent, "school", "%", "设备在线率", "share of devices that answer", 0, 100),
)

BY_MEASURE = {row.measure: row for row in MEASURES}

MOST_SAID = 3
"""Measures that a sentence names."""


def say_measures(evidence: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong in an incident of kind degraded, by its evidence, in Chinese and English: `线路丢包 23.7 %、...`; of a rule's several levels the worst."""
    worst: dict[tuple[str, str], Mapping[str, Any]] = {}
    for wrong in evidence.get("measures", ()):
        known = worst.get((wrong["measure"], wrong["subject"]))
        if known is None or _SEVERITY.index(wrong["severity"]) > _SEVERITY.index(known["severity"]):
            worst[wrong["measure"], wrong["subject"]] = wrong
    said = [_say(wrong) for wrong in list(worst.values())[:MOST_SAID]]
    more = ("、等" if len(worst) > MOST_SAID else "", ", ..." if len(worst) > MOST_SAID else "")
    return "、".join(zh for zh, _ in said) + more[0], ", ".join(en for _, en in said) + more[1]


def _say(wrong: Mapping[str, Any]) -> tuple[str, str]:
    row = BY_MEASURE.get(wrong["measure"])
    figure = f" {wrong['value']:g} {row.unit}".rstrip() if row is not None and row.unit else ""
    of = f" ({wrong['of']})" if wrong.get("of") else ""
    return f"{wrong['name_zh']}{figure}{of}", f"{wrong['name_en'] or wrong['name_zh']}{figure}{of}"


_SEVERITY = ("warning", "minor", "major", "critical")
