"""SNMP messages: v1 (RFC 1157), v2c (RFC 1901), v3 (RFC 3412), and their PDUs (RFC 3416)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from probes.snmp.ber import (
    OCTET_STRING,
    SEQUENCE,
    BerError,
    Oid,
    Value,
    decode_oid,
    decode_value,
    encode_integer,
    encode_oid,
    encode_tlv,
    encode_value,
    expect_element,
    read_element,
    read_integer,
    read_octets,
)

GET, GET_NEXT, RESPONSE, SET, GET_BULK, INFORM, TRAP, REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA6, 0xA7, 0xA8
PDU_TAGS = frozenset({GET, GET_NEXT, RESPONSE, SET, GET_BULK, INFORM, TRAP, REPORT})

NO_ERROR, TOO_BIG, NO_SUCH_NAME, GEN_ERR, AUTHORIZATION_ERROR = 0, 1, 2, 5, 16

VERSION_NUMBERS = {"1": 0, "2c": 1, "3": 3}
SECURITY_MODEL_USM = 3
FLAG_AUTH, FLAG_PRIV, FLAG_REPORTABLE = 1, 2, 4
MAX_MESSAGE_SIZE = 65507

Binding = tuple[Oid, Value]


class Pdu(NamedTuple):
    """A PDU. In GetBulk requests `error_status` is non-repeaters and `error_index` max-repetitions (RFC 3416, 3)."""

    tag: int
    request_id: int
    error_status: int
    error_index: int
    bindings: tuple[Binding, ...]


class Message(NamedTuple):
    """A message of v1 or v2c. `version` is the number on the wire, 0 or 1."""

    version: int
    community: bytes
    pdu: Pdu


class SecurityParameters(NamedTuple):
    """UsmSecurityParameters (RFC 3414, 2.4). `auth_at`: where the digest's octets begin in the whole message."""

    engine_id: bytes
    boots: int
    time: int
    user: bytes
    digest: bytes
    salt: bytes
    auth_at: int = 0


class MessageV3(NamedTuple):
    """A v3 message before decryption. `body` is a scoped PDU, or its cipher text where `flags` has FLAG_PRIV."""

    message_id: int
    flags: int
    security: SecurityParameters
    body: bytes


class ScopedPdu(NamedTuple):
    """contextEngineID, contextName and the PDU."""

    engine_id: bytes
    context: bytes
    pdu: Pdu


def encode_pdu(tag: int, request_id: int, first: int, second: int, oids: Iterable[Oid]) -> bytes:
    """A request for `oids`; `first` and `second` are 0, or non-repeaters and max-repetitions of GETBULK."""
    names = b"".join(encode_tlv(SEQUENCE, encode_oid(oid) + b"\x05\x00") for oid in oids)
    head = encode_integer(request_id) + encode_integer(first) + encode_integer(second)
    return encode_tlv(tag, head + encode_tlv(SEQUENCE, names))


def encode_full_pdu(pdu: Pdu) -> bytes:
    """Any PDU with its values, as agents send them."""
    names = b"".join(encode_tlv(SEQUENCE, encode_oid(oid) + encode_value(value)) for oid, value in pdu.bindings)
    head = encode_integer(pdu.request_id) + encode_integer(pdu.error_status) + encode_integer(pdu.error_index)
    return encode_tlv(pdu.tag, head + encode_tlv(SEQUENCE, names))


def encode_message(version: str, community: bytes, pdu: bytes) -> bytes:
    """A whole message of version "1" or "2c"."""
    return encode_tlv(SEQUENCE, encode_integer(VERSION_NUMBERS[version]) + encode_tlv(OCTET_STRING, community) + pdu)


def decode_message(data: bytes) -> Message:
    """A message of v1 or v2c. BerError for anything else."""
    at, end = open_message(data)
    version, at = read_integer(data, at, end)
    if version not in (0, 1):
        raise BerError(f"version {version} in a message of v1 or v2c")
    community, at = read_octets(data, at, end)
    return Message(version, community, _read_pdu(data, at, end))


def open_message(data: bytes) -> tuple[int, int]:
    """(first octet of the content, one past its last) of a whole message. BerError where octets follow it."""
    start, stop = expect_element(data, 0, len(data), SEQUENCE)
    if stop != len(data):
        raise BerError(f"{len(data) - stop} octets after the message")
    return start, stop


def _read_pdu(data: bytes, at: int, end: int) -> Pdu:
    tag, at, stop = read_element(data, at, end)
    if tag not in PDU_TAGS:
        raise BerError(f"PDU of type 0x{tag:02x}")
    if stop != end:
        raise BerError("octets after the PDU")
    request_id, at = read_integer(data, at, stop)
    status, at = read_integer(data, at, stop)
    index, at = read_integer(data, at, stop)
    at, end = expect_element(data, at, stop, SEQUENCE)
    if end != stop:
        raise BerError("octets after the variable bindings")
    return Pdu(tag, request_id, status, index, _read_bindings(data, at, end))


def _read_bindings(data: bytes, at: int, end: int) -> tuple[Binding, ...]:
    bindings = []
    while at < end:
        start, stop = expect_element(data, at, end, SEQUENCE)
        name, name_end = expect_element(data, start, stop, 0x06)
        tag, content, value_end = read_element(data, name_end, stop)
        if value_end != stop:
            raise BerError("octets after a value")
        bindings.append((decode_oid(data[name:name_end]), decode_value(tag, data[content:value_end])))
        at = stop
    return tuple(bindings)


def encode_v3(message_id: int, flags: int, security: SecurityParameters, body: bytes) -> tuple[bytes, int]:
    """(a whole v3 message, where the digest's octets begin in it). `body`: a scoped PDU in clear or as an OCTET STRING element."""
    head = encode_tlv(
        SEQUENCE,
        encode_integer(message_id)
        + encode_integer(MAX_MESSAGE_SIZE)
        + encode_tlv(OCTET_STRING, bytes((flags,)))
        + encode_integer(SECURITY_MODEL_USM),
    )
    digest = encode_tlv(OCTET_STRING, security.digest)
    salt = encode_tlv(OCTET_STRING, security.salt)
    before = (
        encode_tlv(OCTET_STRING, security.engine_id)
        + encode_integer(security.boots)
        + encode_integer(security.time)
        + encode_tlv(OCTET_STRING, security.user)
    )
    parameters = encode_tlv(OCTET_STRING, encode_tlv(SEQUENCE, before + digest + salt))
    message = encode_tlv(SEQUENCE, encode_integer(3) + head + parameters + body)
    return message, len(message) - len(body) - len(salt) - len(security.digest)


def decode_v3(data: bytes) -> MessageV3:
    """A v3 message of the user-based security model. BerError for anything else."""
    at, end = open_message(data)
    version, at = read_integer(data, at, end)
    if version != 3:
        raise BerError(f"version {version} in a message of v3")
    start, stop = expect_element(data, at, end, SEQUENCE)
    message_id, at = read_integer(data, start, stop)
    _size, at = read_integer(data, at, stop)
    flags, at = read_octets(data, at, stop)
    model, at = read_integer(data, at, stop)
    if len(flags) != 1 or model != SECURITY_MODEL_USM:
        raise BerError("flags or security model of no kind that we know")
    start, stop = expect_element(data, stop, end, OCTET_STRING)
    security = _read_security(data, start, stop)
    if flags[0] & FLAG_PRIV:
        body, at = read_octets(data, stop, end)
    else:
        body, at = data[stop:end], end
    if at != end:
        raise BerError("octets after the scoped PDU")
    return MessageV3(message_id, flags[0], security, body)


def _read_security(data: bytes, at: int, end: int) -> SecurityParameters:
    start, stop = expect_element(data, at, end, SEQUENCE)
    engine_id, at = read_octets(data, start, stop)
    boots, at = read_integer(data, at, stop)
    time, at = read_integer(data, at, stop)
    user, at = read_octets(data, at, stop)
    digest, after_digest = read_octets(data, at, stop)
    salt, at = read_octets(data, after_digest, stop)
    if boots < 0 or time < 0 or len(engine_id) > 32:
        raise BerError("boots, time or engineID beyond RFC 3414")
    return SecurityParameters(engine_id, boots, time, user, digest, salt, after_digest - len(digest))


def encode_scoped_pdu(engine_id: bytes, context: bytes, pdu: bytes) -> bytes:
    """A scoped PDU in clear."""
    return encode_tlv(SEQUENCE, encode_tlv(OCTET_STRING, engine_id) + encode_tlv(OCTET_STRING, context) + pdu)


def open_scoped_pdu(data: bytes) -> tuple[bytes, bytes, int, int]:
    """(contextEngineID, contextName, where the PDU begins, where it must end) of a scoped PDU in clear.

    Octets after it are allowed: CBC-DES pads (RFC 3414, 8.1.1.2).
    """
    start, stop = expect_element(data, 0, len(data), SEQUENCE)
    engine_id, at = read_octets(data, start, stop)
    context, at = read_octets(data, at, stop)
    return engine_id, context, at, stop


def decode_scoped_pdu(data: bytes) -> ScopedPdu:
    """A scoped PDU in clear, see `open_scoped_pdu`."""
    engine_id, context, at, stop = open_scoped_pdu(data)
    return ScopedPdu(engine_id, context, _read_pdu(data, at, stop))


def is_missing(value: Value) -> bool:
    """Whether the agent says that it has nothing there (an exception of v2c, or NULL)."""
    return value.data is None


def describe_error(status: int) -> str:
    """The name of an error-status (RFC 3416, 3)."""
    names: Sequence[str] = (
        "noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess", "wrongType", "wrongLength",
        "wrongEncoding", "wrongValue", "noCreation", "inconsistentValue", "resourceUnavailable", "commitFailed",
        "undoFailed", "authorizationError", "notWritable", "inconsistentName",
    )  # fmt: skip
    return names[status] if 0 <= status < len(names) else f"error {status}"
