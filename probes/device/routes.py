"""By which way a device sends what it has no better route for: its IPv4 default route."""

from ipaddress import IPv4Address
from typing import NamedTuple, Protocol

from probes.snmp.ber import Oid, Value
from probes.snmp.oids import parse_oid

IP_ROUTE = parse_oid("1.3.6.1.2.1.4.21.1")
"""ipRouteEntry (RFC 1213), by destination; one row for 0.0.0.0."""

CIDR_ROUTE = parse_oid("1.3.6.1.2.1.4.24.4.1")
"""ipCidrRouteEntry (RFC 2096), by destination, mask, TOS, next hop."""

INET_ROUTE = parse_oid("1.3.6.1.2.1.4.24.7.1")
"""inetCidrRouteEntry (RFC 4292), by type and octets of the destination, its length, policy, type and octets of the next hop."""

ANYWHERE = (0, 0, 0, 0)
MOST_DEFAULTS = 16
"""Default routes of one table that are looked at."""


class DefaultRoute(NamedTuple):
    """if_index: 0 where the table does not say. next_hop: an IPv4 address, or "" where the route leads onto a link."""

    if_index: int
    next_hop: str


class Source(Protocol):
    """What is needed of an SNMP client."""

    def get(self, oids: list[Oid]) -> dict[Oid, Value]:
        """Values of instances."""

    def get_next(self, oids: list[Oid]) -> list[tuple[Oid, Value] | None]:
        """What follows each."""


def read_default_route(source: Source) -> DefaultRoute | None:
    """The default route with the lowest metric, of the newest table that has one; None where no table has. SnmpError where it cannot be asked."""
    return _of_inet(source) or _of_cidr(source) or _of_ip(source)


def _of_inet(source: Source) -> DefaultRoute | None:
    """Columns 7 (ifIndex) and 12 (metric); the index begins 1.4.0.0.0.0.0: an IPv4 destination of length 0."""
    found: list[tuple[int, DefaultRoute]] = []
    for rest, if_index in _rows(source, (*INET_ROUTE, 7), (1, 4, *ANYWHERE, 0)):
        # What is left of the index: policy (length, numbers), type of the next hop, its length and octets.
        hop = rest[1 + rest[0] :] if rest else ()
        if len(hop) >= 6 and hop[0] == 1 and hop[1] == 4:
            index = (1, 4, *ANYWHERE, 0, *rest)
            metric = _number(source, (*INET_ROUTE, 12, *index))
            found.append((metric, DefaultRoute(if_index, _hop(hop[2:6]))))
        elif len(hop) >= 2 and hop[1] == 0:
            found.append((0, DefaultRoute(if_index, "")))
    return min(found)[1] if found else None


def _of_cidr(source: Source) -> DefaultRoute | None:
    """Columns 5 (ifIndex) and 11 (metric); the index is destination, mask, TOS and next hop."""
    found = []
    for rest, if_index in _rows(source, (*CIDR_ROUTE, 5), (*ANYWHERE, *ANYWHERE)):
        if len(rest) == 5:
            metric = _number(source, (*CIDR_ROUTE, 11, *ANYWHERE, *ANYWHERE, *rest))
            found.append((metric, DefaultRoute(if_index, _hop(rest[1:]))))
    return min(found)[1] if found else None


def _of_ip(source: Source) -> DefaultRoute | None:
    if_index, next_hop = ((*IP_ROUTE, column, *ANYWHERE) for column in (2, 7))
    found = source.get([if_index, next_hop])
    if next_hop not in found:
        return None
    data = found[next_hop].data
    hop = _hop(tuple(data)) if isinstance(data, bytes) and len(data) == 4 else ""
    number = found[if_index].data if if_index in found else 0
    return DefaultRoute(number if isinstance(number, int) else 0, hop)


def _rows(source: Source, column: Oid, prefix: Oid) -> list[tuple[Oid, int]]:
    """(what is left of the index, value) of a column's rows whose index begins with `prefix`."""
    start, found = (*column, *prefix), []  # type: tuple[Oid, list[tuple[Oid, int]]]
    last = start
    for _ in range(MOST_DEFAULTS):
        following = source.get_next([last])[0]
        if following is None or following[0][: len(start)] != start or following[0] <= last:
            break
        last, value = following
        if isinstance(value.data, int):
            found.append((last[len(start) :], value.data))
    return found


def _number(source: Source, oid: Oid) -> int:
    value = source.get([oid]).get(oid)
    return value.data if value is not None and isinstance(value.data, int) else 0


def _hop(octets: Oid) -> str:
    address = str(IPv4Address(bytes(octet & 255 for octet in octets)))
    return "" if address == "0.0.0.0" else address
