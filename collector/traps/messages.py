"""What goes through the channel between the judge's process and the one that hears traps (collector/wire.py)."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.snmp.credential import Credential


@dataclass(frozen=True)
class TrapHello:
    """First word of the judge's process: where to listen and what to bear.

    `listen`: the setting `traps_listen`. `sockets`: descriptors that systemd handed over. `engine_file`: where our engineID and boots are kept.
    `read_every_s`: least seconds between two immediate readings of one device. `burst`, `per_minute`: traps of one device that are kept.
    """

    clock_base: float
    listen: str
    engine_file: str
    read_every_s: float
    burst: int
    per_minute: int
    sockets: tuple[int, ...] = ()


@dataclass(frozen=True)
class Senders:
    """Who may send: n devices, m addresses (a device has one or more in its zones).

    `packed[i]` (4 or 16 octets, network order) in zone `zone[i]` (index in `zones`) is device number `device[i]`. `own`: each device's credential or -1;
    `of_zone`: credentials of each zone. Secrets never stand in its `repr`.
    """

    version: int
    device_id: NDArray[np.int64]
    own: NDArray[np.int32]
    packed: list[bytes]
    zone: NDArray[np.int32]
    device: NDArray[np.int32]
    zones: tuple[str, ...] = ()
    of_zone: tuple[tuple[int, ...], ...] = ()
    credentials: tuple[Credential, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Trap:
    """One trap that was taken: the device it is about (an id of the register), what it says, and how far it can be believed.

    `at`: steady seconds since the epoch. `name`: linkDown, coldStart ... or an OID. `uptime`: hundredths of a second. `security`: v1, v2c, or of v3 noAuthNoPriv,
    authNoPriv or authPriv. `via`: the device that passed it on, where that is another.
    """

    at: float
    device: int
    name: str
    zone: str
    source: str
    security: str
    if_index: int | None = None
    if_name: str = ""
    uptime: int | None = None
    via: int | None = None

    def as_value(self) -> dict[str, Any]:
        """For JSON, without what is not known."""
        row: dict[str, Any] = {"at": self.at, "trap": self.name, "security": self.security, "source": self.source}
        for key, value in (("ifIndex", self.if_index), ("ifName", self.if_name), ("sysUpTime", self.uptime)):
            if value not in (None, ""):
                row[key] = value
        return row if self.via is None else {**row, "via": self.via}


@dataclass(frozen=True)
class TrapNews:
    """Traps that were taken since the last word, and the devices to read at once."""

    traps: list[Trap]
    read: list[int]


@dataclass(frozen=True)
class TrapHealth:
    """How it goes, once a second: `counts` by result since the start, `kinds` of those taken; `said`: lines for the log."""

    at: float
    counts: dict[str, int]
    kinds: dict[str, int]
    detail: dict[str, Any]
    said: list[str]
