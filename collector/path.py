"""The way to an address: UDP datagrams with a growing TTL, and what the kernel is told of them (IP_RECVERR, ip(7)).

It needs no privilege. Routers answer "time exceeded", the target "port unreachable" (RFC 792); whoever stays silent is a gap.
"""

import select
import socket
import struct
import time
from typing import Any

FIRST_PORT = 33434
IP_RECVERR, IPV6_RECVERR = 11, 25
MSG_ERRQUEUE = 0x2000
_ERROR = struct.Struct("=IBBBBII")
"""struct sock_extended_err: errno, origin, type, code, pad, info, data."""


def trace_path(address: str, most_hops: int = 20, patience_s: float = 0.7, tries: int = 2) -> list[dict[str, Any]]:
    """Hops in order: {ttl, address or None, rtt_seconds or None, reached}. Three silent hops beyond the last that answered end it."""
    hops: list[dict[str, Any]] = []
    for ttl in range(1, most_hops + 1):
        hop: dict[str, Any] = {"ttl": ttl, "address": None, "rtt_seconds": None, "reached": False}
        for attempt in range(tries):
            found = _ask(address, ttl, FIRST_PORT + ttl * tries + attempt, patience_s)
            if found is not None:
                hop |= found
                break
        hops.append(hop)
        if hop["reached"] or hop.get("error"):
            break
        if len(hops) >= 4 and all(h["address"] is None for h in hops[-4:]):
            break
    return hops


def _ask(address: str, ttl: int, port: int, patience_s: float) -> dict[str, Any] | None:
    six = ":" in address
    with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        if six:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        begun = time.monotonic()
        try:
            sock.connect((address, port))
            sock.send(b"edunet")
        except OSError as error:
            return {"error": error.strerror}
        waiter = select.poll()
        waiter.register(sock, select.POLLERR)
        if not waiter.poll(patience_s * 1000):
            return None
        took = time.monotonic() - begun
        try:
            _, messages, _, _ = sock.recvmsg(512, 1024, MSG_ERRQUEUE)
        except OSError:
            return None
    for _, _, data in messages:
        found = _offender(data)
        if found is not None:
            who, kind, code = found
            reached = (kind, code) == ((1, 4) if six else (3, 3))
            return {"address": who, "rtt_seconds": round(took, 6), "reached": reached}
    return None


def _offender(data: bytes) -> tuple[str, int, int] | None:
    """(address, ICMP type, code) of an extended error."""
    if len(data) < _ERROR.size + 8:
        return None
    _, origin, kind, code, *_ = _ERROR.unpack_from(data)
    family = int.from_bytes(data[_ERROR.size : _ERROR.size + 2], "little")
    if origin == 2 and family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, data[_ERROR.size + 4 : _ERROR.size + 8]), kind, code
    if origin == 3 and family == socket.AF_INET6 and len(data) >= _ERROR.size + 24:
        return socket.inet_ntop(socket.AF_INET6, data[_ERROR.size + 8 : _ERROR.size + 24]), kind, code
    return None
