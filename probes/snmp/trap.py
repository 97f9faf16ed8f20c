"""Traps and informs as they come off the wire: v1 (RFC 1157, 4.1.6), v2c and v3 (RFC 3416, 4.2.6 and 4.2.7), in one form (RFC 3584, 3.1).

Pure and strict: whatever is wrong raises `BerError`, nothing else, and nothing is kept that the message does not hold.
"""

from typing import NamedTuple

from probes.snmp.ber import (
    INTEGER,
    IP_ADDRESS,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    TIME_TICKS,
    BerError,
    Oid,
    decode_oid,
    decode_unsigned,
    decode_value,
    encode_oid,
    expect_element,
    read_element,
    read_integer,
    read_octets,
)
from probes.snmp.message import INFORM, RESPONSE, TRAP, encode_message, open_message
from probes.snmp.text import decode_text

TRAP_V1 = 0xA4
"""Trap-PDU of SNMPv1 (RFC 1157, 4.1.6)."""

SNMP_TRAPS: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5)
ENTERPRISE_SPECIFIC = 6

NAMES: dict[Oid, str] = {
    (*SNMP_TRAPS, 1): "coldStart",
    (*SNMP_TRAPS, 2): "warmStart",
    (*SNMP_TRAPS, 3): "linkDown",
    (*SNMP_TRAPS, 4): "linkUp",
    (*SNMP_TRAPS, 5): "authenticationFailure",
    (*SNMP_TRAPS, 6): "egpNeighborLoss",
    (1, 3, 6, 1, 2, 1, 33, 2, 1): "upsTrapOnBattery",
    (1, 3, 6, 1, 2, 1, 33, 2, 0, 1): "upsTrapOnBattery",
    (1, 3, 6, 1, 2, 1, 47, 2, 0, 1): "entConfigChange",
}
"""What we call a notification (RFC 3418, RFC 2863, RFC 1628, RFC 6933); others by their OID. A v1 UPS's comes with a zero in it (RFC 3584, 3.1)."""

MOST_BINDINGS = 256
MOST_NAME = 64
"""Characters of a port's name that are kept."""


class Notification(NamedTuple):
    """A trap or inform, whatever its version.

    `trap_oid`: snmpTrapOID. `uptime`: hundredths of a second. `if_index` and `if_name`: of the port that it is about, as far as it says (None, "").
    `agent_address`: v1's agent-addr, or snmpTrapAddress.0 that a proxy has put in: four octets, or none. `reply`: the PDU that answers an inform.
    """

    request_id: int
    trap_oid: Oid
    uptime: int | None = None
    if_index: int | None = None
    if_name: str = ""
    agent_address: bytes = b""
    reply: bytes = b""

    @property
    def name(self) -> str:
        """`linkDown`, or the OID where we have no name for it."""
        return NAMES.get(self.trap_oid) or ".".join(map(str, self.trap_oid))


def read_version(data: bytes) -> int:
    """The version on the wire (0, 1, 3) of a whole message. BerError where it is none of ours."""
    at, end = open_message(data)
    version, _ = read_integer(data, at, end)
    if version not in (0, 1, 3):
        raise BerError(f"version {version}")
    return version


class Envelope(NamedTuple):
    """The head of a v1 or v2c message; its PDU stands at `at`, and is not looked at before the community has proved right."""

    version: int
    community: bytes
    at: int


def open_envelope(data: bytes) -> Envelope:
    """The head of a v1 or v2c message. BerError where it is none."""
    at, end = open_message(data)
    version, at = read_integer(data, at, end)
    community, at = read_octets(data, at, end)
    if version not in (0, 1):
        raise BerError(f"version {version} in a message of v1 or v2c")
    return Envelope(version, community, at)


def read_envelope(data: bytes, envelope: Envelope) -> Notification:
    """What a v1 or v2c message says. BerError for everything that is no trap or inform."""
    read = read_notification if envelope.version else _read_v1
    return read(data, envelope.at, len(data))


def answer_envelope(envelope: Envelope, reply: bytes) -> bytes:
    """The whole message of v2c that answers an inform."""
    return encode_message("2c", envelope.community, reply)


def read_notification(data: bytes, at: int, end: int) -> Notification:
    """The SNMPv2-Trap-PDU or InformRequest-PDU at `at`, which must end the enclosing element. BerError for any other PDU."""
    tag, start, stop = read_element(data, at, end)
    if tag not in (TRAP, INFORM):
        raise BerError(f"PDU of type 0x{tag:02x} where a trap belongs")
    if stop != end:
        raise BerError("octets after the PDU")
    request_id, start = read_integer(data, start, stop)
    status, start = read_integer(data, start, stop)
    index, start = read_integer(data, start, stop)
    if status or index:
        raise BerError("a notification with an error")
    said = _read_bindings(data, start, stop)
    if said.trap_oid is None:
        raise BerError("no snmpTrapOID (RFC 3416, 4.2.6)")
    # RFC 3416, 4.2.7: the answer holds what was asked, byte for byte.
    reply = bytes((RESPONSE,)) + data[at + 1 : stop] if tag == INFORM else b""
    return Notification(request_id, said.trap_oid, said.uptime, said.if_index, said.if_name, said.address, reply)


def _read_v1(data: bytes, at: int, end: int) -> Notification:
    """A v1 Trap-PDU, its OID translated (RFC 3584, 3.1)."""
    start, stop = expect_element(data, at, end, TRAP_V1)
    if stop != end:
        raise BerError("octets after the PDU")
    first, after = expect_element(data, start, stop, OBJECT_IDENTIFIER)
    enterprise = decode_oid(data[first:after])
    first, after = expect_element(data, after, stop, IP_ADDRESS)
    address = data[first:after]
    if len(address) != 4:
        raise BerError("an agent-addr that is no IPv4 address")
    generic, after = read_integer(data, after, stop)
    specific, after = read_integer(data, after, stop)
    if not 0 <= generic <= ENTERPRISE_SPECIFIC or specific < 0:
        raise BerError("a generic or specific trap that there is not")
    first, after = expect_element(data, after, stop, TIME_TICKS)
    uptime = decode_unsigned(data[first:after], 0xFFFFFFFF)
    said = _read_bindings(data, after, stop)
    oid = (*enterprise, 0, specific) if generic == ENTERPRISE_SPECIFIC else (*SNMP_TRAPS, generic + 1)
    return Notification(0, oid, uptime, said.if_index, said.if_name, address)


class _Said:
    """What the variable bindings say."""

    __slots__ = ("address", "if_index", "if_name", "trap_oid", "uptime")

    def __init__(self) -> None:
        self.trap_oid: Oid | None = None
        self.uptime: int | None = None
        self.if_index: int | None = None
        self.if_name = ""
        self.address = b""


def _content(oid: Oid) -> bytes:
    return encode_oid(oid)[2:]


_UPTIME = _content((1, 3, 6, 1, 2, 1, 1, 3, 0))
_TRAP_OID = _content((1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0))
_ADDRESS = _content((1, 3, 6, 1, 6, 3, 18, 1, 3, 0))
_IF_ENTRY, _IF_X_ENTRY = (1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
_NARROW, _WIDE = _content(_IF_ENTRY), _content(_IF_X_ENTRY)
_IF_INDEX, _IF_DESCR, _IF_NAME = 1, 2, 1
"""Columns of ifEntry, ifEntry and ifXEntry (RFC 2863)."""


def _read_bindings(data: bytes, at: int, end: int) -> _Said:
    """Check every binding, keep the few that mean something here. BerError for a value that is none of its type."""
    at, stop = expect_element(data, at, end, SEQUENCE)
    if stop != end:
        raise BerError("octets after the variable bindings")
    said, count = _Said(), 0
    while at < stop:
        count += 1
        if count > MOST_BINDINGS:
            raise BerError(f"more than {MOST_BINDINGS} variable bindings")
        first, after = expect_element(data, at, stop, SEQUENCE)
        name_at, name_end = expect_element(data, first, after, OBJECT_IDENTIFIER)
        tag, value_at, value_end = read_element(data, name_end, after)
        if value_end != after:
            raise BerError("octets after a value")
        name, at = data[name_at:name_end], after
        if name.startswith((_NARROW, _WIDE)):
            _read_port(said, name, tag, data[value_at:value_end])
        elif name == _TRAP_OID:
            if tag != OBJECT_IDENTIFIER:
                raise BerError("a snmpTrapOID that is no object identifier")
            said.trap_oid = decode_oid(data[value_at:value_end])
        elif name == _UPTIME and tag == TIME_TICKS:
            said.uptime = decode_unsigned(data[value_at:value_end], 0xFFFFFFFF)
        elif name == _ADDRESS and tag == IP_ADDRESS and value_end - value_at == 4:
            said.address = data[value_at:value_end]
        else:
            decode_oid(name)
            decode_value(tag, data[value_at:value_end])
    return said


def _read_port(said: _Said, name: bytes, tag: int, content: bytes) -> None:
    """A binding of ifTable or ifXTable: which port it is about. RFC 2863's linkDown has ifIndex first; some agents give names alone."""
    oid, value = decode_oid(name), decode_value(tag, content)
    wide = name.startswith(_WIDE)
    place = len(_IF_X_ENTRY if wide else _IF_ENTRY)
    if len(oid) != place + 2:
        return
    column, row = oid[place:]
    if not wide and column == _IF_INDEX and tag == INTEGER:
        said.if_index = int(value.data)  # type: ignore[arg-type]  # an INTEGER's is an int
    elif said.if_index is None:
        said.if_index = row
    if tag == OCTET_STRING and column == (_IF_NAME if wide else _IF_DESCR) and (wide or not said.if_name):
        said.if_name = decode_text(content[: 4 * MOST_NAME])[:MOST_NAME]
