"""One v3 agent as the batch knows it: engine, clock, keys; requests wrapped, answers opened (RFC 3412, RFC 3414). Pure.

The batch engine composes and absorbs v2c messages with an empty community; here their PDU is put into a v3 message, and taken out again.
The msgID is the PDU's request id, which nobody can guess. Times are readings of the monotonic clock, seconds.
"""

from typing import NamedTuple

from probes.snmp import usm
from probes.snmp.ber import BerError, decode_oid, encode_integer
from probes.snmp.credential import Credential
from probes.snmp.message import FLAG_AUTH, FLAG_PRIV, FLAG_REPORTABLE, REPORT, RESPONSE

ID_OCTETS = 4
"""The batch engine's request ids always have four octets."""
MAX_RESYNCS = 3
_V2C_HEAD = b"\x02\x01\x01\x04\x00"
"""Version and an empty community."""


class Packet(NamedTuple):
    """A v3 message taken apart, before anything of it is believed."""

    message_id: bytes
    flags: int
    engine_id: bytes
    boots: int
    time: int
    digest_at: int
    digest: bytes
    salt: bytes
    body: bytes
    """The scoped PDU, or the content of its cipher text where `flags` has FLAG_PRIV."""


def tlv(tag: int, content: bytes) -> bytes:
    """An element of up to 65,535 octets in its shortest form."""
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    if size < 256:
        return bytes((tag, 0x81, size)) + content
    return bytes((tag, 0x82, size >> 8, size & 255)) + content


def element(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """(where the content begins, where it ends) of the element with this tag at `at`. BerError where there is none."""
    if at + 2 > end or data[at] != tag:
        raise BerError(f"no element of type 0x{tag:02x}")
    size = data[at + 1]
    at += 2
    if size > 127:
        more = size & 127
        if not 1 <= more <= 3 or at + more > end:
            raise BerError("a length that is none")
        size = int.from_bytes(data[at : at + more], "big")
        at += more
    if at + size > end:
        raise BerError("an element that is cut")
    return at, at + size


def open_packet(data: bytes) -> Packet:
    """Take a message apart. BerError for whatever is no v3 message of the user-based model."""
    at, end = element(data, 0, len(data), 0x30)
    if data[at : at + 3] != b"\x02\x01\x03":
        raise BerError("not a message of v3")
    start, stop = element(data, at + 3, end, 0x30)
    id_at, id_end = element(data, start, stop, 2)
    _, at = element(data, id_end, stop, 2)
    if data[at : at + 2] != b"\x04\x01" or data[at + 3 : stop] != b"\x02\x01\x03":
        raise BerError("flags or security model of no kind that we know")
    flags = data[at + 2]
    outer, after = element(data, stop, end, 4)
    start, stop = element(data, outer, after, 0x30)
    engine_at, engine_end = element(data, start, stop, 4)
    boots_at, boots_end = element(data, engine_end, stop, 2)
    time_at, time_end = element(data, boots_end, stop, 2)
    _, user_end = element(data, time_end, stop, 4)
    digest_at, digest_end = element(data, user_end, stop, 4)
    salt_at, salt_end = element(data, digest_end, stop, 4)
    boots = int.from_bytes(data[boots_at:boots_end], "big")
    time = int.from_bytes(data[time_at:time_end], "big")
    if engine_end - engine_at > 32 or boots > 0x7FFFFFFF or time > 0x7FFFFFFF or id_end - id_at > 5:
        raise BerError("engineID, boots, time or msgID beyond RFC 3414")
    body_at, body_end = element(data, after, end, 4) if flags & FLAG_PRIV else (after, end)
    return Packet(
        data[id_at:id_end],
        flags,
        data[engine_at:engine_end],
        boots,
        time,
        digest_at,
        data[digest_at:digest_end],
        data[salt_at:salt_end],
        data[body_at:body_end],
    )


def take_pdu(scoped: bytes) -> bytes:
    """The PDU in a scoped PDU in clear; octets after it are DES's padding. BerError where it is none."""
    at, end = element(scoped, 0, len(scoped), 0x30)
    _, at = element(scoped, at, end, 4)
    _, at = element(scoped, at, end, 4)
    if at >= end:
        raise BerError("a scoped PDU without a PDU")
    return scoped[at:end]


def as_v2c(pdu: bytes) -> bytes:
    """The PDU in a v2c message with an empty community, as the batch engine takes it."""
    return tlv(0x30, _V2C_HEAD + pdu)


def from_v2c(message: bytes) -> tuple[bytes, bytes]:
    """(PDU, the four octets of its request id) of a message that the batch engine composed with an empty community."""
    pdu = message[7 + (message[1] & 127 if message[1] > 127 else 0) :]
    at = 4 + (pdu[1] & 127 if pdu[1] > 127 else 0)
    return pdu, pdu[at : at + ID_OCTETS]


def read_report(pdu: bytes) -> str:
    """The word of `usm.REPORTS` for a report's first object; "report" for one that we do not know. BerError where it is none."""
    at, end = element(pdu, 0, len(pdu), REPORT)
    for _ in range(3):
        _, at = element(pdu, at, end, 2)
    at, end = element(pdu, at, end, 0x30)
    at, end = element(pdu, at, end, 0x30)
    at, end = element(pdu, at, end, 6)
    return usm.REPORTS.get(decode_oid(pdu[at:end]), "report")


def head(request_id: bytes, max_size: int, flags: int) -> bytes:
    """Version and HeaderData: msgID, msgMaxSize (what we can take), msgFlags, the user-based model (RFC 3412, 6)."""
    return b"\x02\x01\x03\x30\x10\x02\x04%b\x02\x02%b\x04\x01%c\x02\x01\x03" % (
        request_id,
        max_size.to_bytes(2, "big"),
        flags,
    )


def discovery(request_id: bytes, max_size: int) -> bytes:
    """The question for an engine's name and clock (RFC 3414, 4): reportable, without a user."""
    security = b"\x04\x10\x30\x0e\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\x04\x00"
    pdu = tlv(0xA0, b"\x02\x04" + request_id + b"\x02\x01\x00\x02\x01\x00\x30\x00")
    return tlv(0x30, head(request_id, max_size, FLAG_REPORTABLE) + security + tlv(0x30, b"\x04\x00\x04\x00" + pdu))


class Agent:
    """What is known of one v3 agent from round to round, and the request that it has not answered yet."""

    __slots__ = (
        *("credential", "engine_id", "boots", "proven", "refusal", "request_id", "pdu", "resyncs"),
        *("_latest", "_at", "_level", "_octets", "_keys", "_front", "_context", "_tail"),
        *("_second", "_timed"),
    )

    def __init__(self, credential: Credential) -> None:
        """ValueError for a user or context longer than SNMP-FRAMEWORK-MIB allows: a request must fit its slot."""
        if len(credential.user.encode()) > 32 or len(credential.context.encode()) > 255:
            raise ValueError("a user of more than 32 octets, or a context of more than 255")
        self.credential = credential
        self.engine_id = b""
        self.boots = 0
        self.proven = False
        """Whether it has ever answered with this credential."""
        self.refusal = ""
        """Why it does not answer, in this round: a word of `usm.REPORTS`."""
        self.request_id = b""
        self.pdu = b""
        self.resyncs = 0
        self._latest, self._at = 0, 0.0
        self._level = (FLAG_AUTH if credential.auth_protocol else 0) | (FLAG_PRIV if credential.priv_protocol else 0)
        self._octets = usm.digest_octets(credential.auth_protocol)
        self._keys = usm.LocalKeys(b"", b"")
        self._front = self._context = self._tail = self._timed = b""
        self._second = -1

    # ------------------------------------------------------------------ the engine

    def meet(self, engine_id: bytes, boots: int, time: int, now: float) -> None:
        """The engine made itself known: keys are localised, once; what every request repeats is put together."""
        if engine_id != self.engine_id:
            self.engine_id, self.proven = engine_id, False
            self._keys = usm.localise(self.credential, engine_id)
            self._context = tlv(4, engine_id) + tlv(4, self.credential.context.encode())
            salt = b"\x04\x08" if self.credential.priv_protocol else b"\x04\x00"
            self._tail = tlv(4, self.credential.user.encode()) + tlv(4, bytes(self._octets)) + salt
        self.set_clock(boots, time, now)

    def set_clock(self, boots: int, time: int, now: float) -> None:
        """The engine's clock as it has just said it."""
        self.boots, self._latest, self._at = boots, time, now
        self._front = tlv(4, self.engine_id) + encode_integer(boots)
        self._second = -1

    def clock(self, now: float) -> int:
        """The engine's time now, seconds since its boot."""
        return min(0x7FFFFFFF, self._latest + int(now - self._at))

    # ------------------------------------------------------------------ messages

    def wrap(self, max_size: int, salt: int, now: float) -> bytes:
        """The waiting request (`pdu`, `request_id`) as a message; the discovery's question until the engine is known."""
        if not self.engine_id:
            return discovery(self.request_id, max_size)
        credential, clock, vector = self.credential, self.clock(now), b""
        body = tlv(0x30, self._context + self.pdu)
        if credential.priv_protocol:
            secret, vector = usm.encrypt(credential.priv_protocol, self._keys.priv, self.boots, clock, body, salt)
            body = tlv(4, secret)
        if clock != self._second:
            self._second, self._timed = clock, self._front + encode_integer(clock) + self._tail
        security = tlv(4, tlv(0x30, self._timed + vector))
        message = tlv(0x30, head(self.request_id, max_size, FLAG_REPORTABLE | self._level) + security + body)
        if not self._octets:
            return message
        at = len(message) - len(body) - len(vector) - 2 - self._octets
        return usm.sign(message, at, credential.auth_protocol, self._keys.auth)

    def is_authentic(self, data: bytes, packet: Packet) -> bool:
        """Whether the signed message `data` is this engine's."""
        protocol = self.credential.auth_protocol
        return (
            bool(protocol)
            and packet.engine_id == self.engine_id
            and usm.is_authentic(data, packet.digest_at, packet.digest, protocol, self._keys.auth)
        )

    def decrypt(self, packet: Packet) -> bytes:
        """The scoped PDU in clear. BerError where it is encrypted and cannot be opened."""
        if not packet.flags & FLAG_PRIV:
            return packet.body
        protocol = self.credential.priv_protocol
        if not protocol or not packet.flags & FLAG_AUTH:
            raise BerError("encrypted, and we share no key for it")
        return usm.decrypt(protocol, self._keys.priv, packet.boots, packet.time, packet.salt, packet.body)

    def accepts(self, packet: Packet, pdu: bytes, now: float) -> bool:
        """Whether an answer is a response, as well protected as asked and in the time window; its clock is kept then."""
        if pdu[0] != RESPONSE or packet.flags & (FLAG_AUTH | FLAG_PRIV) != self._level:
            return False
        if not self._level:
            return True
        if not usm.is_in_time_window(packet.boots, packet.time, self.boots, self.clock(now)):
            return False
        if packet.boots > self.boots or packet.time > self._latest:
            self.set_clock(packet.boots, packet.time, now)
        return True

    def heed(self, packet: Packet, pdu: bytes, now: float) -> bool:
        """What a report means: True where the request is to be put again, at once; else `refusal` says why it will not be answered."""
        reason = read_report(pdu)
        self.resyncs += 1
        if reason == "unknown_engine_id" and packet.engine_id and self.resyncs <= MAX_RESYNCS:
            self.meet(packet.engine_id, packet.boots, packet.time, now)
            return True
        # RFC 3414, 11.4: only an authenticated report may set the clock.
        if reason == "not_in_time_window" and packet.flags & FLAG_AUTH and self.resyncs <= MAX_RESYNCS:
            self.set_clock(packet.boots, packet.time, now)
            return True
        self.refusal = reason
        return False
