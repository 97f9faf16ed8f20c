"""A probe's reading in Prometheus's text format, with the names of blackbox_exporter and snmp_exporter."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

STATUS_NUMBERS = {
    "up": 1,
    "down": 2,
    "testing": 3,
    "unknown": 4,
    "dormant": 5,
    "notPresent": 6,
    "lowerLayerDown": 7,
}
"""ifOperStatus and ifAdminStatus (RFC 2863)."""

COUNTERS = frozenset(
    {
        "ifHCInOctets",
        "ifHCOutOctets",
        "ifInErrors",
        "ifOutErrors",
        "ifInDiscards",
        "ifOutDiscards",
        "ifHCInUcastPkts",
        "ifHCOutUcastPkts",
        "ifInOctets",
        "ifOutOctets",
    }
)
GAUGES = ("ifAdminStatus", "ifOperStatus", "ifHighSpeed", "ifMtu")


class _Page:
    """Families in the order in which they came, each with its help and type once."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def family(
        self, name: str, kind: str, help_text: str, samples: Iterable[tuple[Mapping[str, str], float | int]]
    ) -> None:
        rows = [f"{name}{_labels(labels)} {value!r}" for labels, value in samples]
        if rows:
            self._lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}", *rows]

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def exposition_of(reading: Mapping[str, Any], module: str, took: float) -> str:
    """The page of one probe. took: seconds; `reading`: what the collector answered to `POST /probe`: {"ok", "duration_s", ...}.

    Of module icmp with `sent`, `received`, `rtt_seconds`; of snmp with `sysUpTime`, `sysName`, `sysDescr`; of device with
    `reading`, one device in full (`edunet probe device`).
    """
    page = _Page()
    inner = reading.get("reading")
    reading = {**reading, **inner} if isinstance(inner, Mapping) else reading
    page.family("probe_success", "gauge", "1 where the target answered.", [({}, int(bool(reading.get("ok"))))])
    seconds = reading["duration_s"] if _is_number(reading.get("duration_s")) else round(took, 6)
    page.family("probe_duration_seconds", "gauge", "Seconds that the probe took.", [({}, seconds)])
    rtt, sent, received = (reading.get(name) for name in ("rtt_seconds", "sent", "received"))
    if _is_number(rtt):
        page.family(
            "probe_icmp_duration_seconds",
            "gauge",
            "Round trip time of the probe in seconds.",
            [({"phase": "rtt"}, rtt)],
        )
    if _is_number(sent) and _is_number(received) and sent:
        page.family(
            "probe_icmp_loss_ratio",
            "gauge",
            "Share of the probes that was not answered, 0 to 1.",
            [({}, 1 - received / sent)],
        )
    _device(page, reading)
    _ports(page, [port for port in reading.get("ports") or () if isinstance(port, Mapping)])
    return page.text()


def _device(page: _Page, reading: Mapping[str, Any]) -> None:
    facts = reading.get("device")
    facts = facts if isinstance(facts, Mapping) else {}
    uptime = facts.get("sysUpTime", reading.get("sysUpTime"))
    if _is_number(uptime):
        page.family("sysUpTime", "gauge", "Hundredths of a second since the agent started (RFC 3418).", [({}, uptime)])
    said = {**reading, **facts}
    told = {name: str(said[name]) for name in ("sysName", "sysDescr", "sysObjectID") if said.get(name)}
    if told:
        page.family("edunet_device_info", "gauge", "What the device says of itself.", [(told, 1)])


def _ports(page: _Page, ports: list[Mapping[str, Any]]) -> None:
    labels = [
        {name: str(port.get(name) or "") for name in ("ifIndex", "ifName", "ifAlias", "ifDescr")} for port in ports
    ]
    for name in (*GAUGES, *sorted(COUNTERS)):
        samples = [
            (label, number)
            for label, port in zip(labels, ports, strict=True)
            if (number := _number(port.get(name))) is not None
        ]
        kind = "counter" if name in COUNTERS else "gauge"
        page.family(name, kind, f"IF-MIB::{name} (RFC 2863).", samples)


def _number(value: Any) -> float | int | None:
    if isinstance(value, str):
        return STATUS_NUMBERS.get(value)
    return value if _is_number(value) else None


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
