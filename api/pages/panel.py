"""A device's ports as a front panel: in port order, uplinks marked, logical interfaces apart. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PHYSICAL = frozenset({6, 62, 69, 71, 117, 161})
"""ifType: ethernetCsmacd, fastEther, fastEtherFX, ieee80211, gigabitEthernet, ieee8023adLag (IANAifType-MIB)."""

_VIRTUAL = re.compile(
    r"^(vlan|loopback|lo$|null|nve|tunnel|inloopback|docker|veth|br-|virbr|console|register|aux|meth\b)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Socket:
    """One port on the panel. look: up, down, off or fault; label: the end of its name; rates in bit/s or None."""

    name: str
    label: str
    look: str
    alias: str
    speed_bps: int | None
    in_bps: float | None
    out_bps: float | None
    uplink: bool
    errors: float | None = None

    @property
    def word(self) -> str:
        """The key of its state's word."""
        return f"port.{self.look}"


def lay_out(
    ports: Iterable[Any], uplinks: Sequence[str], live: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[list[Socket], list[Socket]]:
    """(physical, logical) in port order. `live`: by ifName, what the collector read last; it wins over the register's rows."""
    physical: list[Socket] = []
    logical: list[Socket] = []
    for row in sorted(ports, key=lambda row: order_of(row.name, row.if_index)):
        socket = _socket(row, row.name in uplinks or bool(row.monitored), (live or {}).get(row.name, {}))
        (physical if _is_physical(row) else logical).append(socket)
    return physical, logical


def order_of(name: str, if_index: int) -> tuple[list[tuple[int, int, str]], int]:
    """A key that sorts `GE0/0/2` before `GE0/0/10`, and kinds of ports together."""
    parts = [(0, int(part), "") if part.isdecimal() else (1, 0, part.lower()) for part in re.findall(r"\d+|\D+", name)]
    return parts, if_index


def _socket(row: Any, uplink: bool, live: Mapping[str, Any]) -> Socket:
    admin, oper = str(live.get("admin") or row.admin), str(live.get("oper") or row.oper)
    look = "off" if admin == "down" else "up" if oper in ("up", "dormant") else "down" if oper else "unknown"
    if look == "down" and uplink:
        look = "fault"
    short = re.search(r"(\d+(?:[/.:]\d+)*)$", row.name)
    return Socket(
        row.name,
        (short.group(1) if short else row.name)[-9:],
        look,
        row.alias or "",
        row.speed_bps,
        live.get("in_bps"),
        live.get("out_bps"),
        uplink,
        live.get("errors"),
    )


def _is_physical(row: Any) -> bool:
    if _VIRTUAL.match(row.name):
        return False
    return row.if_type is None or row.if_type in PHYSICAL
