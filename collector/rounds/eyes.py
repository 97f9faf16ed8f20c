"""Whether the collector itself can see: reference targets by zone; where none is declared, the way out of this machine.

Weak without references: the carrier of the interface with the default route, and the default gateway where it has answered before.
What stays on this machine (loopback, a namespace without a way out) is always seen.
"""

import ipaddress
import socket
import struct
from pathlib import Path

from collector.targets import ZonePlan


class Eyes:
    """The reference targets of a plan's zones. `addresses` are pinged in every liveness round, with the targets."""

    def __init__(self, zones: tuple[ZonePlan, ...], proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> None:
        self._sys = sys
        self.weak = tuple(zone.name for zone in zones if not zone.references)
        interface, gateway = default_route(proc) if self.weak else (None, None)
        self._interface, self._gateway_seen = interface, False
        self.addresses: list[str] = []
        self._of_zone: list[range] = []
        for zone in zones:
            start = len(self.addresses)
            wanted = zone.references or ((gateway,) if gateway else ())
            self.addresses += [address for address in wanted if is_address(address)]
            self._of_zone.append(range(start, len(self.addresses)))
        self._declared = [any(is_address(address) for address in zone.references) for zone in zones]

    def self_ok(self, answered: list[bool], any_target: list[bool]) -> list[bool]:
        """By zone, from which reference addresses answered and whether any target of the zone did."""
        found = []
        for zone, mine in enumerate(self._of_zone):
            seen = any(answered[i] for i in mine)
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


def is_address(text: str) -> bool:
    """Whether it is an IP address (a reference is never looked up by name: that would need another thing to work)."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
