"""The part of BER (X.690) that SNMP uses: definite lengths, small integers, object identifiers.

Strict with hostile bytes: whatever is wrong raises `BerError`, never anything else, and no length that a sender claims makes us
allocate. Lenient only where real agents are sloppy: integers with superfluous leading octets, unsigned ones without their leading zero.
"""

from functools import lru_cache
from typing import NamedTuple

Oid = tuple[int, ...]
"""An object identifier; `()` is the empty one that some agents give as sysObjectID."""

INTEGER, OCTET_STRING, NULL, OBJECT_IDENTIFIER, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW = 0x80, 0x81, 0x82

EXCEPTIONS = frozenset({NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW})
UNSIGNED = {COUNTER32: 0xFFFFFFFF, GAUGE32: 0xFFFFFFFF, TIME_TICKS: 0xFFFFFFFF, COUNTER64: 0xFFFFFFFFFFFFFFFF}
"""Unsigned types of RFC 2578 and their largest value."""

MAX_SUBIDENTIFIERS = 128


class BerError(ValueError):
    """The bytes are no such message."""


class Value(NamedTuple):
    """What an agent said: the ASN.1 tag, and int, bytes, Oid, or None (NULL and the exceptions of v2c)."""

    tag: int
    data: int | bytes | Oid | None


def encode_length(length: int) -> bytes:
    """Length octets, the shortest form."""
    if length < 0x80:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def encode_tlv(tag: int, body: bytes) -> bytes:
    """One element."""
    return bytes((tag,)) + encode_length(len(body)) + body


def encode_integer(number: int, tag: int = INTEGER) -> bytes:
    """A signed INTEGER, or an unsigned type with its leading zero where the first bit is set."""
    return encode_tlv(tag, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


@lru_cache(maxsize=8192)
def encode_oid(oid: Oid) -> bytes:
    """An object identifier as an element. ValueError where it has no such encoding."""
    if not oid:
        return b"\x06\x00"
    if oid[0] > 2 or (oid[0] < 2 and len(oid) > 1 and oid[1] > 39):
        raise ValueError(f"no object identifier: {oid!r}")
    out = bytearray()
    for number in (oid[0] * 40 + (oid[1] if len(oid) > 1 else 0), *oid[2:]):
        if not 0 <= number <= 0xFFFFFFFF:
            raise ValueError(f"sub-identifier {number} in {oid!r}")
        septets = [number & 0x7F]
        number >>= 7
        while number:
            septets.append(0x80 | (number & 0x7F))
            number >>= 7
        out += bytes(reversed(septets))
    return encode_tlv(OBJECT_IDENTIFIER, bytes(out))


def encode_value(value: Value) -> bytes:
    """A value as an element; the inverse of `decode_value`. ValueError where tag and data do not fit."""
    tag, data = value
    if isinstance(data, int):
        return encode_integer(data, tag)
    if isinstance(data, bytes):
        return encode_tlv(tag, data)
    if isinstance(data, tuple):
        return encode_oid(data)
    return encode_tlv(tag, b"")


def read_element(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """(tag, first octet of the content, one past its last) of the element at `at`; it must end by `end`."""
    if at + 2 > end:
        raise BerError("cut inside an element's head")
    tag, length = data[at], data[at + 1]
    at += 2
    if tag & 0x1F == 0x1F:
        raise BerError(f"a tag of several octets, 0x{tag:02x}")
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise BerError("indefinite or absurd length")
        if at + count > end:
            raise BerError("cut inside a length")
        length = int.from_bytes(data[at : at + count], "big")
        at += count
    if at + length > end:
        raise BerError(f"{length} octets claimed, {end - at} there")
    return tag, at, at + length


def expect_element(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """(first octet of the content, one past its last) of the element at `at`, which must have `tag`."""
    found, start, stop = read_element(data, at, end)
    if found != tag:
        raise BerError(f"tag 0x{found:02x} where 0x{tag:02x} belongs")
    return start, stop


def read_integer(data: bytes, at: int, end: int) -> tuple[int, int]:
    """(a signed INTEGER of at most 32 bits, where the next element begins)."""
    start, stop = expect_element(data, at, end, INTEGER)
    number = decode_signed(data[start:stop])
    if not -0x80000000 <= number <= 0x7FFFFFFF:
        raise BerError("INTEGER beyond 32 bits (RFC 2578, 7.1.1)")
    return number, stop


def read_octets(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    """(an OCTET STRING, where the next element begins)."""
    start, stop = expect_element(data, at, end, OCTET_STRING)
    return data[start:stop], stop


def decode_signed(content: bytes) -> int:
    """A signed integer of 1 to 9 octets."""
    if not 1 <= len(content) <= 9:
        raise BerError(f"an integer of {len(content)} octets")
    return int.from_bytes(content, "big", signed=True)


def decode_unsigned(content: bytes, largest: int) -> int:
    """An unsigned integer; one without its leading zero is taken as meant, one beyond `largest` is refused."""
    if not 1 <= len(content) <= 9:
        raise BerError(f"an integer of {len(content)} octets")
    number = int.from_bytes(content, "big")
    if number > largest:
        raise BerError(f"{number} is beyond its type")
    return number


@lru_cache(maxsize=8192)
def decode_oid(content: bytes) -> Oid:
    """The object identifier of these content octets."""
    if not content:
        return ()
    if content[-1] & 0x80:
        raise BerError("cut inside a sub-identifier")
    numbers: list[int] = []
    number = 0
    for octet in content:
        if number == 0 and octet == 0x80:
            raise BerError("a sub-identifier with leading zeros")
        number = number << 7 | octet & 0x7F
        if number > 0xFFFFFFFF + 80:
            raise BerError("a sub-identifier beyond 32 bits")
        if not octet & 0x80:
            numbers.append(number)
            number = 0
    if len(numbers) >= MAX_SUBIDENTIFIERS:
        raise BerError("an object identifier of more than 128 sub-identifiers")
    first = numbers[0]
    head = (0, first) if first < 40 else (1, first - 40) if first < 80 else (2, first - 80)
    if any(number > 0xFFFFFFFF for number in numbers[1:]):
        raise BerError("a sub-identifier beyond 32 bits")
    return head + tuple(numbers[1:])


def decode_value(tag: int, content: bytes) -> Value:
    """The value of a variable binding. BerError for a type that RFC 3416 does not know, or content that is none of its type."""
    if tag == INTEGER:
        return Value(tag, decode_signed(content))
    if tag in UNSIGNED:
        return Value(tag, decode_unsigned(content, UNSIGNED[tag]))
    if tag in (OCTET_STRING, OPAQUE, IP_ADDRESS):
        return Value(tag, content)
    if tag == OBJECT_IDENTIFIER:
        return Value(tag, decode_oid(content))
    if tag == NULL or tag in EXCEPTIONS:
        return Value(tag, None)
    raise BerError(f"a value of type 0x{tag:02x}")
