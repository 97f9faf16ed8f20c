"""A minimal SNMPv2c agent's protocol side: decode a request, look its names up in a table, encode the answer (RFC 3416, X.690).

Only what an agent needs, and apart from `probes/snmp`, so that the demonstration's agents do not share a mistake with the poller.
What is not a well-formed v2c GET, GETNEXT or GETBULK of the right community is not answered.
"""

from collections.abc import Callable, Sequence
from typing import Any

GET, GETNEXT, RESPONSE, GETBULK = 0xA0, 0xA1, 0xA2, 0xA5
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW = b"\x80\x00", b"\x81\x00", b"\x82\x00"
MAX_SIZE = 1400
"""Bytes of an answer's variable bindings: a GETBULK stops there, a larger GET is answered by tooBig."""
MAX_BINDINGS = 400
CACHE_SIZE = 4096

Value = Callable[[Any, int], bytes]
"""Encodes a value of one agent: (agent, argument) -> type, length, value."""


def length(size: int) -> bytes:
    """The length octets of X.690 8.1.3."""
    if size < 128:
        return bytes((size,))
    octets = (size.bit_length() + 7) // 8
    return bytes((0x80 | octets,)) + size.to_bytes(octets, "big")


def tlv(tag: int, value: bytes) -> bytes:
    """One type, length, value."""
    return bytes((tag,)) + length(len(value)) + value


def integer(value: int, tag: int = 0x02) -> bytes:
    """An INTEGER, or by `tag` a Gauge32 (0x42), Counter32 (0x41), TimeTicks (0x43) or Counter64 (0x46); minimal octets."""
    octets = value.bit_length() // 8 + 1
    return bytes((tag, octets)) + value.to_bytes(octets, "big", signed=True)


def text(value: str) -> bytes:
    """An OCTET STRING in UTF-8."""
    return tlv(0x04, value.encode())


def oid_body(oid: Sequence[int]) -> bytes:
    """The contents octets of an OBJECT IDENTIFIER."""
    body = bytearray((oid[0] * 40 + oid[1],))
    for arc in oid[2:]:
        septets = [arc & 0x7F]
        while arc > 0x7F:
            arc >>= 7
            septets.append(0x80 | arc & 0x7F)
        body += bytes(reversed(septets))
    return bytes(body)


def oid(dotted: str) -> tuple[int, ...]:
    """`1.3.6.1` as arcs."""
    return tuple(int(arc) for arc in dotted.split("."))


def _arcs(body: bytes) -> tuple[int, ...]:
    """Arcs of contents octets; ValueError where they are not well-formed."""
    if not body or body[-1] & 0x80 or len(body) > 512:
        raise ValueError("broken OBJECT IDENTIFIER")
    arcs, value = [min(body[0] // 40, 2), body[0] - 40 * min(body[0] // 40, 2)], 0
    for octet in body[1:]:
        value = value << 7 | octet & 0x7F
        if value > 0xFFFFFFFF:
            raise ValueError("arc beyond 32 bits")
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    return tuple(arcs)


class Table:
    """The names that one kind of agent has, in order, each with how its value is made.

    Agents of one model share a table; looking up the bindings of a request is remembered, because a poller asks the same
    names of thousands of devices (measured: 3 times as many answers a second).
    """

    def __init__(self, rows: Sequence[tuple[tuple[int, ...], Value | None, int | bytes]]) -> None:
        """rows: (arcs, value, argument); value None: the argument is the encoded value itself."""
        ordered = sorted(rows, key=lambda row: row[0])
        self.names = [row[0] for row in ordered]
        self.heads = [tlv(0x06, oid_body(row[0])) for row in ordered]
        self.values = [row[1] for row in ordered]
        self.arguments = [row[2] for row in ordered]
        self._exact = {name: n for n, name in enumerate(self.names)}
        self._seen: dict[tuple[int, int, int, bytes], list[tuple[int, bytes]]] = {}

    def plan(self, pdu: int, first: int, second: int, bindings: bytes) -> list[tuple[int, bytes]]:
        """Which rows answer a request: (row, b"") or (-1, an encoded binding). ValueError where the bindings are broken."""
        key = (pdu, first, second, bindings)
        known = self._seen.get(key)
        if known is None:
            known = self._work_out(pdu, first, second, bindings)
            if len(self._seen) >= CACHE_SIZE:
                self._seen.clear()
            self._seen[key] = known
        return known

    def _work_out(self, pdu: int, first: int, second: int, bindings: bytes) -> list[tuple[int, bytes]]:
        names = _names(bindings)
        if pdu == GET:
            return [self._get(name) for name in names]
        if pdu == GETNEXT:
            return [self._next(name) for name in names]
        repeaters = [_arcs(name) for name in names[first:]]
        rows = [self._next(name) for name in names[:first]]
        at = [self._after(arcs) for arcs in repeaters]
        for _ in range(min(second, MAX_BINDINGS)):
            if not repeaters or len(rows) >= MAX_BINDINGS:
                break
            for n, row in enumerate(at):
                rows.append((row, b"") if row < len(self.names) else self._end(repeaters[n]))
                at[n] = min(row + 1, len(self.names))
        return rows

    def _get(self, name: bytes) -> tuple[int, bytes]:
        row = self._exact.get(_arcs(name), -1)
        return (row, b"") if row >= 0 else (-1, tlv(0x30, tlv(0x06, name) + NO_SUCH_INSTANCE))

    def _next(self, name: bytes) -> tuple[int, bytes]:
        arcs = _arcs(name)
        row = self._after(arcs)
        return (row, b"") if row < len(self.names) else self._end(arcs)

    def _end(self, arcs: tuple[int, ...]) -> tuple[int, bytes]:
        name = max(arcs, self.names[-1]) if self.names else arcs
        return -1, tlv(0x30, tlv(0x06, oid_body(name)) + END_OF_MIB_VIEW)

    def _after(self, arcs: tuple[int, ...]) -> int:
        low, high = 0, len(self.names)
        while low < high:
            middle = (low + high) // 2
            if self.names[middle] <= arcs:
                low = middle + 1
            else:
                high = middle
        return low


class Request:
    """A decoded request: `pdu`, `identifier` (its encoding, given back as it came), `first`, `second`, `bindings`."""

    __slots__ = ("bindings", "first", "identifier", "pdu", "second")

    def __init__(self, packet: bytes, community: bytes) -> None:
        """ValueError where the packet is no v2c GET, GETNEXT or GETBULK of this community."""
        tag, at, end = _element(packet, 0)
        if tag != 0x30 or end != len(packet):
            raise ValueError("no message")
        version, at = _integer(packet, at, end)
        tag, start, stop = _element(packet, at)
        if version != 1 or tag != 0x04 or packet[start:stop] != community or stop > end:
            raise ValueError("other version or community")
        self.pdu, at, pdu_end = _element(packet, stop)
        if self.pdu not in (GET, GETNEXT, GETBULK) or pdu_end != end:
            raise ValueError("no request")
        before = at
        _, at = _integer(packet, at, end)
        self.identifier = packet[before:at]
        self.first, at = _integer(packet, at, end)
        self.second, at = _integer(packet, at, end)
        tag, at, stop = _element(packet, at)
        if tag != 0x30 or stop != end:
            raise ValueError("no bindings")
        self.bindings = packet[at:stop]
        if self.pdu == GETBULK:
            self.first, self.second = max(self.first, 0), max(self.second, 0)
        else:
            self.first = self.second = 0


def answer(request: Request, community: bytes, table: Table, agent: object) -> bytes:
    """The whole response message. ValueError where the request's bindings are broken."""
    parts: list[bytes] = []
    size, bulk = 0, request.pdu == GETBULK
    heads, values, arguments = table.heads, table.values, table.arguments
    for row, given in table.plan(request.pdu, request.first, request.second, request.bindings):
        if row >= 0:
            make, argument = values[row], arguments[row]
            value = argument if make is None else make(agent, argument)  # type: ignore[arg-type]  # by Table's rows
            body = heads[row] + value  # type: ignore[operator]  # bytes where `make` is None
            given = b"\x30" + length(len(body)) + body
        size += len(given)
        if size > MAX_SIZE:
            if bulk:
                break
            return _message(community, request, b"\x02\x01\x01\x02\x01\x00", request.bindings)
        parts.append(given)
    return _message(community, request, b"\x02\x01\x00\x02\x01\x00", b"".join(parts))


def _message(community: bytes, request: Request, status: bytes, bindings: bytes) -> bytes:
    pdu = request.identifier + status + b"\x30" + length(len(bindings)) + bindings
    body = b"\x02\x01\x01" + tlv(0x04, community) + b"\xa2" + length(len(pdu)) + pdu
    return b"\x30" + length(len(body)) + body


def _element(data: bytes, at: int) -> tuple[int, int, int]:
    """(tag, start, end) of the element at `at`; ValueError where it does not fit into the data."""
    if at + 2 > len(data):
        raise ValueError("too short")
    tag, size = data[at], data[at + 1]
    at += 2
    if size & 0x80:
        octets = size & 0x7F
        if not 1 <= octets <= 4 or at + octets > len(data):
            raise ValueError("length")
        size = int.from_bytes(data[at : at + octets], "big")
        at += octets
    if at + size > len(data):
        raise ValueError("beyond the packet")
    return tag, at, at + size


def _integer(data: bytes, at: int, end: int) -> tuple[int, int]:
    tag, start, stop = _element(data, at)
    if tag != 0x02 or not 1 <= stop - start <= 5 or stop > end:
        raise ValueError("no INTEGER")
    return int.from_bytes(data[start:stop], "big", signed=True), stop


def _names(bindings: bytes) -> list[bytes]:
    names: list[bytes] = []
    at = 0
    while at < len(bindings):
        tag, start, stop = _element(bindings, at)
        inner, first, last = _element(bindings, start)
        if tag != 0x30 or inner != 0x06 or last > stop or len(names) >= MAX_BINDINGS:
            raise ValueError("binding")
        names.append(bindings[first:last])
        at = stop
    return names
