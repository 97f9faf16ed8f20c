"""Whether the collector itself can see: reference targets by zone; where none is declared, the way out of this machine.

References are of three kinds, several may be declared, and one that answers is enough: `10.0.0.1` is pinged, `tcp:10.0.0.1:53` is connected to
(a reset is an answer), `gateway` is this machine's default gateway, as it is now. Weak without references: the carrier of the interface with the
default route, and the default gateway where it has answered before. What stays on this machine (loopback, a namespace without a way out) is always seen.
"""

import socket
import struct
from pathlib import Path

from collector.rounds.tcp import tcp_alive
from collector.targets import ZonePlan
from inventory.references import GATEWAY, parse_reference

PATIENCE_S = 1.5
"""A connection to a reference that takes longer is none."""


class Eyes:
    """The reference targets of a plan's zones. `addresses` are pinged in every liveness round, with the targets; `ask_tcp` beside it."""

    def __init__(self, zones: tuple[ZonePlan, ...], proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> None:
        self._sys = sys
        parsed = [[found for word in zone.references if (found := parse_reference(word))] for zone in zones]
        self.weak = tuple(zone.name for zone, mine in zip(zones, parsed, strict=True) if not mine)
        self._interface, gateway = default_route(proc)
        self._gateway_seen = False
        self.addresses: list[str] = []
        self.tcp: list[tuple[str, int]] = []
        self._pinged: list[range] = []
        self._connected: list[range] = []
        self._declared = [bool(mine) for mine in parsed]
        for mine in parsed:
            start, tcp_start = len(self.addresses), len(self.tcp)
            for address, port in mine or [(GATEWAY, 0)]:
                address = gateway or "" if address == GATEWAY else address
                if address and port:
                    self.tcp.append((address, port))
                elif address:
                    self.addresses.append(address)
            self._pinged.append(range(start, len(self.addresses)))
            self._connected.append(range(tcp_start, len(self.tcp)))

    def ask_tcp(self, deadline_s: float) -> list[bool]:
        """Which of `tcp` can be connected to; a reset is an answer too: the way there is open."""
        wanted = ((i, address, (port,), True) for i, (address, port) in enumerate(self.tcp))
        alive = tcp_alive(wanted, deadline_s, min(PATIENCE_S, deadline_s))
        return [i in alive for i in range(len(self.tcp))]

    def self_ok(self, pinged: list[bool], any_target: list[bool], connected: list[bool] | None = None) -> list[bool]:
        """By zone, from which reference addresses answered and whether any target of the zone did."""
        connected = connected or [False] * len(self.tcp)
        found = []
        for zone, (mine, tcp) in enumerate(zip(self._pinged, self._connected, strict=True)):
            seen = any(pinged[i] for i in mine) or any(connected[i] for i in tcp)
            if self._declared[zone]:
                found.append(seen)
                continue
            was_seen, self._gateway_seen = self._gateway_seen, self._gateway_seen or seen
            found.append(any_target[zone] or seen or (self._carrier() and not was_seen))
        return found

    def _carrier(self) -> bool:
        if self._interface is None:
            return True
        try:
            return (self._sys / "class/net" / self._interface / "carrier").read_text().strip() == "1"
        except OSError:
            return False


def default_route(proc: Path = Path("/proc")) -> tuple[str | None, str | None]:
    """(interface, gateway's address) of the IPv4 default route, (None, None) where there is none (proc(5), net/route)."""
    try:
        lines = (proc / "net/route").read_text().splitlines()[1:]
    except OSError:
        return None, None
    for line in lines:
        words = line.split()
        if len(words) > 3 and words[1] == "00000000" and int(words[3], 16) & 3 == 3:
            return words[0], socket.inet_ntoa(struct.pack("=L", int(words[2], 16)))
    return None, None
