"""The sockets that traps come in on: those that systemd handed over, UDP 162 where it can be had, else 9162."""

import errno
import socket
import struct
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

WELL_KNOWN, UNPRIVILEGED = 162, 9162
"""RFC 3417, 3.1; and what anybody may bind."""

BUFFER_BYTES = 32 << 20
"""Some 40,000 datagrams, of which the kernel counts the room only while they wait."""
LONGEST = 65_535

IP_PKTINFO, IPV6_PKTINFO, IPV6_RECVPKTINFO, SO_RCVBUFFORCE, SO_MEMINFO = 8, 50, 49, 33, 55
_MEMINFO = struct.Struct("9I")
_DROPS = 8
_MAPPED = bytes(10) + b"\xff\xff"


@dataclass(frozen=True)
class Place:
    """One entry of `traps_listen`. address "": IPv4 and IPv6; port 0 stands for 162, else 9162; zone "": all."""

    address: str
    port: int | None
    zone: str


def parse_places(text: str) -> list[Place]:
    """`*`, `10.0.0.5:162=dorms, [::]:9162`: addresses, each with a port and a zone if need be. ValueError says what is wrong."""
    places = []
    for word in text.replace(",", " ").split():
        where, _, zone = word.partition("=")
        address, port = where, None
        if where.startswith("["):
            address, _, rest = where[1:].partition("]")
            port = _port(rest[1:], word) if rest else None
        elif where.count(":") == 1:
            address, _, rest = where.partition(":")
            port = _port(rest, word)
        if address == "*":
            address = ""
        else:
            ip_address(address)
        places.append(Place(address, port, zone))
    return places


def _port(text: str, word: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise ValueError(f"{word!r}: no port")
    return int(text)


class Listener:
    """One UDP socket, told apart by its zone; receives with the address that was written to, so that answers come from there."""

    def __init__(self, sock: socket.socket, zone: str = "") -> None:
        self.socket, self.zone = sock, zone
        sock.setblocking(False)
        self._wide = sock.family == socket.AF_INET6
        level, option = (socket.IPPROTO_IPV6, IPV6_RECVPKTINFO) if self._wide else (socket.IPPROTO_IP, IP_PKTINFO)
        sock.setsockopt(level, option, 1)
        _widen(sock)
        self.address, self.port = sock.getsockname()[:2]
        self._into = bytearray(LONGEST)

    def receive(self) -> tuple[bytes, bytes, Any, list[Any]] | None:
        """(datagram, packed source, where to answer to, with which ancillary data), or None where nothing waits. No source: nothing to take."""
        try:
            size, ancillary, _, peer = self.socket.recvmsg_into([self._into], 64, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError as error:
            # An ICMP error of an answer that was sent from this socket is reported here; it is nobody's trap.
            if error.errno in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EINTR):
                return b"", b"", None, []
            raise
        return bytes(memoryview(self._into)[:size]), pack(peer[0], self._wide), peer, ancillary

    def answer(self, data: bytes, peer: Any, ancillary: list[Any]) -> bool:
        """Send from the address that the question came to. Whether it left."""
        back = []
        for level, kind, value in ancillary:
            if level == socket.IPPROTO_IP and kind == IP_PKTINFO and len(value) >= 12:
                back.append((level, kind, struct.pack("=I4s4s", 0, value[4:8], bytes(4))))
            elif level == socket.IPPROTO_IPV6 and kind == IPV6_PKTINFO:
                back.append((level, kind, value))
        try:
            self.socket.sendmsg([data], back, socket.MSG_DONTWAIT, peer)
        except OSError:
            return False
        return True

    def dropped(self) -> int:
        """Datagrams lost since the start because the receive buffer was full; 0 where the kernel does not say."""
        try:
            info = self.socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, _MEMINFO.size)
        except OSError:
            return 0
        return int(_MEMINFO.unpack(info)[_DROPS]) if len(info) == _MEMINFO.size else 0

    def describe(self) -> str:
        """`0.0.0.0:162`, with the zone that it serves."""
        where = _spell(self.address, self.port)
        return f"{where}={self.zone}" if self.zone else where


class Ears:
    """All sockets that are wanted: those that could be had, what could not and why. Nothing here fails: whoever holds a port, the rest goes on."""

    def __init__(self, listen: str, handed: tuple[int, ...] = ()) -> None:
        """listen: see `parse_places`. handed: descriptors of systemd's sockets, which take the place of `*`."""
        self.listeners: list[Listener] = []
        self._wrong: list[str] = []
        self._missing: dict[Place, list[str]] = {}
        self._refused: list[str] = []
        for descriptor in handed:
            try:
                self.listeners.append(Listener(socket.socket(fileno=descriptor)))
            except OSError as error:
                self._wrong.append(f"descriptor {descriptor}: {error.strerror}")
        try:
            places = parse_places(listen)
        except ValueError as error:
            self._wrong.append(f"traps_listen: {error}")
            return
        for place in places:
            if place.address or place.port is not None or not handed:
                for address in [place.address] if place.address else ["0.0.0.0", "::"]:
                    self._open(replace(place, address=address))

    @property
    def trouble(self) -> list[str]:
        """What could not be had, and why."""
        return [*self._wrong, *self._refused, *(line for lines in self._missing.values() for line in lines)]

    def retry(self) -> list[Listener]:
        """Try again what could not be had at all: a port may have become free, an address may have come up. The new ones."""
        return [found for place in list(self._missing) if (found := self._open(place)) is not None]

    def _open(self, place: Place) -> Listener | None:
        refused = []
        for port in [place.port] if place.port is not None else [WELL_KNOWN, UNPRIVILEGED]:
            try:
                listener = Listener(_bind(place.address, port), place.zone)
            except OSError as error:
                refused.append(f"{_spell(place.address, port)}: {error.strerror}")
                continue
            self._missing.pop(place, None)
            self._refused += refused
            self.listeners.append(listener)
            return listener
        self._missing[place] = refused
        return None


def _bind(address: str, port: int) -> socket.socket:
    wide = ":" in address
    sock = socket.socket(socket.AF_INET6 if wide else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if wide:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def _spell(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _widen(sock: socket.socket) -> None:
    """Make the receive buffer as large as allowed, never smaller: systemd's own socket may have more than we could give it."""
    before = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    for option, allowed in ((SO_RCVBUFFORCE, BUFFER_BYTES), (socket.SO_RCVBUF, min(BUFFER_BYTES, _most_buffer()))):
        if 2 * allowed <= before:  # the kernel counts twice what is asked for (socket(7))
            return
        try:
            sock.setsockopt(socket.SOL_SOCKET, option, allowed)
            return
        except OSError:
            continue  # without CAP_NET_ADMIN


def _most_buffer() -> int:
    """net.core.rmem_max."""
    try:
        return int(Path("/proc/sys/net/core/rmem_max").read_text())
    except (OSError, ValueError):
        return 212_992


def pack(address: str, wide: bool) -> bytes:
    """4 octets of IPv4, also where a socket of both families maps it (RFC 4291, 2.5.5.2); 16 of IPv6."""
    if not wide:
        return socket.inet_pton(socket.AF_INET, address)
    return narrow(socket.inet_pton(socket.AF_INET6, address.partition("%")[0]))


def narrow(packed: bytes) -> bytes:
    """Sixteen octets as `pack` gives them; the register's are IPv4 mapped too (`Address.packed`)."""
    return packed[12:] if packed.startswith(_MAPPED) else packed
