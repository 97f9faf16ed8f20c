"""The SNMP agents of all the demonstration's devices: one process, one UDP socket, the answer from the address that was asked.

IP_PKTINFO (ip(7)) tells which address of 127.0.0.0/8 a request was sent to, and chooses the source of the answer.
"""

import socket
import struct
import time
from dataclasses import dataclass
from ipaddress import IPv4Address

from demo.agents import Fleet
from demo.mib import table_for
from demo.snmp import Request, answer

COMMUNITY = b"public-demo"
IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)
RECEIVE_BUFFER = 4 << 20
BATCH = 256
"""At most so many requests are answered before the control socket is looked at again."""


@dataclass(slots=True)
class Counts:
    """What the responder has done: `broken` packets were no request, `silent` requests went to a cut device."""

    asked: int = 0
    answered: int = 0
    broken: int = 0
    unknown: int = 0
    silent: int = 0


class Responder:
    """Answers for a fleet. `silent`: addresses that say nothing; `mute`: those whose agent alone says nothing."""

    def __init__(self, fleet: Fleet, port: int) -> None:
        """port: UDP port, 0 for any free one; OSError where it is taken."""
        self.fleet = fleet
        self.silent: frozenset[int] = frozenset()
        self.counts = Counts()
        self._units = {unit.address: unit.id for unit in fleet.network.units.values()}
        self.socket = open_socket(port)
        self.port: int = self.socket.getsockname()[1]

    def refill(self, fleet: Fleet) -> None:
        """Answer for another fleet from now on (the register has changed)."""
        self.fleet = fleet
        self._units = {unit.address: unit.id for unit in fleet.network.units.values()}

    def serve(self) -> int:
        """Answer what has arrived, at most `BATCH` requests; how many there were."""
        self.fleet.clock.set(time.time())
        for number in range(BATCH):
            try:
                packet, ancillary, _, source = self.socket.recvmsg(4096, 64)
            except (BlockingIOError, InterruptedError):
                return number
            except OSError:  # an ICMP error of an earlier answer: the next read goes on
                continue
            self._one(packet, ancillary, source)
        return BATCH

    def _one(self, packet: bytes, ancillary: list[tuple[int, int, bytes]], source: tuple[str, int]) -> None:
        self.counts.asked += 1
        if not ancillary:
            return
        asked = int.from_bytes(ancillary[0][2][8:12], "big")
        if asked in self.silent:
            self.counts.silent += 1
            return
        unit = self._units.get(asked)
        if unit is None:
            self.counts.unknown += 1
            return
        reply = reply_to(packet, self.fleet, unit)
        if reply is None:
            self.counts.broken += 1
            return
        info = struct.pack("=I4s4s", 0, asked.to_bytes(4, "big"), b"\0\0\0\0")
        try:
            self.socket.sendmsg([reply], [(socket.IPPROTO_IP, IP_PKTINFO, info)], 0, source)
            self.counts.answered += 1
        except OSError:  # the asker is gone, or its address is silenced: no answer, as in life
            return

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


def reply_to(packet: bytes, fleet: Fleet, unit: int) -> bytes | None:
    """The answer of device `unit` to a packet; None where it is no request that an agent answers."""
    try:
        request = Request(packet, COMMUNITY)
        agent = fleet.agent(unit)
        return answer(request, COMMUNITY, table_for(agent), agent)
    except ValueError:
        return None


def open_socket(port: int) -> socket.socket:
    """A non-blocking UDP socket for all of 127.0.0.0/8 on the loopback interface alone. OSError where the port is taken."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
        udp.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        udp.bind(("0.0.0.0", port))
    except OSError:
        udp.close()
        raise
    return udp


def dotted(address: int) -> str:
    """An IPv4 number as text."""
    return str(IPv4Address(address))
