"""Requests wrapped into SNMPv3 and answers opened, by the batch (RFC 3412, RFC 3414). No clock, no socket: the caller has both.

One source, plain Python or compiled by Cython (docs/decisions/0128). The batch engine composes and absorbs v2c messages with an empty community; here
their PDU is put into a v3 message, and taken out again. The msgID is the PDU's request id, which nobody can guess. Messages are immutable `bytes`
throughout, so that whatever is cut out of a hostile one is checked by Python itself. Digests and ciphers are OpenSSL's: compiled, of one prepared
context for each protocol, which takes a new key with each message (a context for each agent would be 2 KiB of memory each); plain, of `probes.snmp.usm`.
"""

import hmac
from itertools import count as count_up
from typing import Any

import cython

from probes.snmp import usm
from probes.snmp.ber import BerError, decode_oid
from probes.snmp.message import FLAG_REPORTABLE, REPORT

if cython.compiled:
    from cython.cimports.probes.engine.crypto import (
        OSSL_PARAM,
        EVP_CIPHER_CTX_free,
        EVP_CIPHER_CTX_new,
        EVP_CIPHER_fetch,
        EVP_CIPHER_free,
        EVP_CipherInit_ex,
        EVP_CipherUpdate,
        EVP_MAC_CTX_free,
        EVP_MAC_CTX_new,
        EVP_MAC_fetch,
        EVP_MAC_final,
        EVP_MAC_free,
        EVP_MAC_init,
        EVP_MAC_update,
        OSSL_PARAM_construct_end,
        OSSL_PARAM_construct_utf8_string,
    )
    from cython.cimports.probes.engine.sockets import EDUNET_SOURCE, memcpy

COMPILED: bool = cython.compiled
SOURCE: bytes = EDUNET_SOURCE if cython.compiled else b""
"""Digest of the text that the compiled engine was built of."""
ID_OCTETS = 4
"""The batch engine's request ids always have four octets."""
ADDRESS = 28
LONGEST = 4096
"""Octets of the longest text that is enciphered or deciphered: beyond every datagram that a channel keeps."""
MOST_TRIES = 8
"""Earlier tries of a question whose answers are still known when they come late."""
_V2C_HEAD = b"\x02\x01\x01\x04\x00"
"""Version and an empty community."""
_BLANK = bytes(64)


# ---------------------------------------------------------------------- OpenSSL


@cython.cclass
class Mac:
    """HMAC of one digest, for any key."""

    protocol: str
    octets: cython.Py_ssize_t
    context: cython.p_void

    def __init__(self, protocol: str) -> None:
        """`protocol`: of `usm.DIGESTS`. ValueError where OpenSSL has none (a machine that forbids MD5)."""
        self.protocol = protocol
        self.octets = usm.digest_octets(protocol)
        if cython.compiled:
            self._prepare(usm.DIGESTS[protocol][0].encode())

    @cython.cfunc
    def _prepare(self, name: bytes) -> cython.int:
        parameters: OSSL_PARAM[2]
        mac: cython.p_void = EVP_MAC_fetch(cython.NULL, b"HMAC", cython.NULL)
        if mac == cython.NULL:
            raise ValueError("OpenSSL has no HMAC")
        self.context = EVP_MAC_CTX_new(mac)
        EVP_MAC_free(mac)  # the context keeps its own reference
        parameters[0] = OSSL_PARAM_construct_utf8_string(b"digest", cython.cast(cython.p_char, name), 0)
        parameters[1] = OSSL_PARAM_construct_end()
        if self.context == cython.NULL or EVP_MAC_init(self.context, _BLANK, 32, parameters) != 1:
            raise ValueError(f"OpenSSL has no HMAC of {self.protocol}")
        return 0

    def __dealloc__(self) -> None:
        if cython.compiled:
            EVP_MAC_CTX_free(self.context)

    @cython.ccall
    def digest(self, key: bytes, message: bytes, at: cython.Py_ssize_t) -> bytes:
        """What belongs at `at` of the message: the digest, cut, over all of it with zeros there (RFC 3414, 6.3). BerError where it does not fit."""
        if at < 0 or at + self.octets > len(message):
            raise BerError("no room for the digest")
        if not cython.compiled:
            return usm.digest(message, at, self.protocol, key)
        out: cython.uchar[64]
        written: cython.size_t = 0
        data: cython.p_uchar = message
        rest: cython.Py_ssize_t = at + self.octets
        if (
            EVP_MAC_init(self.context, key, len(key), cython.NULL) != 1
            or EVP_MAC_update(self.context, data, at) != 1
            or EVP_MAC_update(self.context, _BLANK, self.octets) != 1
            or EVP_MAC_update(self.context, data + rest, len(message) - rest) != 1
            or EVP_MAC_final(self.context, out, cython.address(written), 64) != 1
            or cython.cast(cython.Py_ssize_t, written) < self.octets
        ):
            raise BerError("OpenSSL makes no digest of it")
        return out[: self.octets]


@cython.cclass
class Aes:
    """AES of one key length in CFB with 128 bits of feedback (RFC 3826), for any key."""

    octets: cython.Py_ssize_t
    context: cython.p_void

    def __init__(self, octets: int) -> None:
        """`octets`: of a key. ValueError where OpenSSL has none such."""
        self.octets = octets
        if cython.compiled:
            self._prepare(b"AES-%d-CFB" % (octets * 8))

    @cython.cfunc
    def _prepare(self, name: bytes) -> cython.int:
        cipher: cython.p_void = EVP_CIPHER_fetch(cython.NULL, name, cython.NULL)
        if cipher == cython.NULL:
            raise ValueError(f"OpenSSL has no {name!r}")
        self.context = EVP_CIPHER_CTX_new()
        done: cython.int = 0
        if self.context != cython.NULL:
            done = EVP_CipherInit_ex(self.context, cipher, cython.NULL, cython.NULL, cython.NULL, 1)
        EVP_CIPHER_free(cipher)
        if done != 1:
            raise ValueError(f"OpenSSL does not begin {name!r}")
        return 0

    def __dealloc__(self) -> None:
        if cython.compiled:
            EVP_CIPHER_CTX_free(self.context)

    @cython.ccall
    def crypt(self, key: bytes, vector: bytes, data: bytes, encrypt: cython.int) -> bytes:
        """Enciphered (`encrypt` 1) or deciphered (0). BerError where key, vector or text have no such length."""
        size: cython.Py_ssize_t = len(data)
        if len(key) != self.octets or len(vector) != 16 or size > LONGEST:
            raise BerError("a key, a vector or a text of another length")
        if not cython.compiled:
            cipher = usm.aes(key, vector)
            work = cipher.encryptor() if encrypt else cipher.decryptor()
            return work.update(data) + work.finalize()
        out: cython.uchar[4096]
        written: cython.int = 0
        if (
            EVP_CipherInit_ex(self.context, cython.NULL, cython.NULL, key, vector, encrypt) != 1
            or EVP_CipherUpdate(self.context, out, cython.address(written), data, cython.cast(cython.int, size)) != 1
            or written != size
        ):
            raise BerError("OpenSSL enciphers nothing")
        return out[:size]


# ---------------------------------------------------------------------- BER


@cython.ccall
def tlv(tag: cython.int, content: bytes) -> bytes:
    """An element of up to 65,535 octets in its shortest form."""
    size: cython.Py_ssize_t = len(content)
    if not cython.compiled:
        if size < 128:
            return bytes((tag, size)) + content
        return bytes((tag, 0x81, size) if size < 256 else (tag, 0x82, size >> 8, size & 255)) + content
    head: cython.uchar[4]
    head[0] = tag
    if size < 128:
        head[1] = size
        return head[:2] + content
    if size < 256:
        head[1] = 0x81
        head[2] = size
        return head[:3] + content
    if size > 65535:
        raise BerError("an element of more than 65,535 octets")
    head[1] = 0x82
    head[2] = size >> 8
    head[3] = size & 255
    return head[:4] + content


@cython.cfunc
@cython.exceptval(-1)
def _element(data: bytes, at: cython.longlong, end: cython.longlong, tag: cython.int) -> cython.longlong:
    """Content position << 20 | content length of the element with this tag at `at`; it ends by `end`, which lies in the data. BerError where there is none."""
    size: cython.longlong
    more: cython.int
    if at + 2 > end or data[at] != tag:
        raise BerError(f"no element of type 0x{tag:02x}")
    size = data[at + 1]
    at += 2
    if size > 127:
        more = size & 127
        if more < 1 or more > 3 or at + more > end:
            raise BerError("a length that is none")
        size = 0
        while more > 0:
            size = size << 8 | data[at]
            at += 1
            more -= 1
    if size > 0xFFFFF or at + size > end:
        raise BerError("an element that is cut")
    return at << 20 | size


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _end(place: cython.longlong) -> cython.longlong:
    """Where the element at an `_element` place ends."""
    return (place >> 20) + (place & 0xFFFFF)


@cython.cfunc
def _content(data: bytes, place: cython.longlong) -> bytes:
    return data[place >> 20 : _end(place)]


@cython.cfunc
@cython.exceptval(-1)
def _clock(data: bytes, place: cython.longlong) -> cython.longlong:
    """An INTEGER of 0 to 2,147,483,647. BerError for any other."""
    at: cython.longlong = place >> 20
    size: cython.longlong = place & 0xFFFFF
    value: cython.longlong = 0
    while size > 4 and data[at] == 0:
        at += 1
        size -= 1
    if size > 4:
        raise BerError("boots or time beyond RFC 3414")
    while size > 0:
        value = value << 8 | data[at]
        at += 1
        size -= 1
    if value > 0x7FFFFFFF:
        raise BerError("boots or time beyond RFC 3414")
    return value


@cython.ccall
def integer(value: cython.longlong) -> bytes:
    """0 to 2,147,483,647 as an INTEGER in its shortest form."""
    size: cython.int = 1 if value < 0x80 else 2 if value < 0x8000 else 3 if value < 0x800000 else 4
    return (b"\x02%c" % size) + value.to_bytes(size, "big") if not cython.compiled else _integer(value, size)


@cython.cfunc
def _integer(value: cython.longlong, size: cython.int) -> bytes:
    out: cython.uchar[6]
    k: cython.int
    out[0] = 2
    out[1] = size
    for k in range(size):
        out[2 + k] = value >> (8 * (size - 1 - k)) & 255
    return out[: size + 2]


# ---------------------------------------------------------------------- messages


@cython.cclass
class Packet:
    """A v3 message taken apart, before anything of it is believed."""

    message_id = cython.declare(bytes, visibility="readonly")
    flags = cython.declare(cython.int, visibility="readonly")
    engine_id = cython.declare(bytes, visibility="readonly")
    boots = cython.declare(cython.longlong, visibility="readonly")
    time = cython.declare(cython.longlong, visibility="readonly")
    digest_at = cython.declare(cython.Py_ssize_t, visibility="readonly")
    digest = cython.declare(bytes, visibility="readonly")
    salt = cython.declare(bytes, visibility="readonly")
    body = cython.declare(bytes, visibility="readonly")
    """The scoped PDU, or the content of its cipher text where `flags` has FLAG_PRIV."""


@cython.ccall
def open_packet(data: bytes) -> Packet:
    """Take a message apart. BerError for whatever is no v3 message of the user-based model."""
    packet: Packet = Packet()
    place: cython.longlong
    stop: cython.longlong
    at: cython.longlong
    place = _element(data, 0, len(data), 0x30)
    at = place >> 20
    end: cython.longlong = _end(place)
    if data[at : at + 3] != b"\x02\x01\x03":
        raise BerError("not a message of v3")
    place = _element(data, at + 3, end, 0x30)
    stop = _end(place)
    place = _element(data, place >> 20, stop, 2)
    if place & 0xFFFFF > 5:
        raise BerError("a msgID beyond RFC 3412")
    packet.message_id = _content(data, place)
    at = _end(_element(data, _end(place), stop, 2))
    if data[at : at + 2] != b"\x04\x01" or data[at + 3 : stop] != b"\x02\x01\x03":
        raise BerError("flags or security model of no kind that we know")
    packet.flags = data[at + 2]
    place = _element(data, stop, end, 4)
    at = _end(place)
    _read_security(packet, data, place >> 20, at)
    if packet.flags & 2:
        packet.body = _content(data, _element(data, at, end, 4))
    else:
        packet.body = data[at:end]
    return packet


@cython.cfunc
def _read_security(packet: Packet, data: bytes, at: cython.longlong, stop: cython.longlong) -> cython.int:
    """UsmSecurityParameters (RFC 3414, 2.4)."""
    place: cython.longlong = _element(data, at, stop, 0x30)
    stop = _end(place)
    place = _element(data, place >> 20, stop, 4)
    if place & 0xFFFFF > 32:
        raise BerError("an engineID beyond RFC 3411")
    packet.engine_id = _content(data, place)
    place = _element(data, _end(place), stop, 2)
    packet.boots = _clock(data, place)
    place = _element(data, _end(place), stop, 2)
    packet.time = _clock(data, place)
    place = _element(data, _end(place), stop, 4)  # the user: whose digest it is, is known by the question
    place = _element(data, _end(place), stop, 4)
    packet.digest_at = place >> 20
    packet.digest = _content(data, place)
    packet.salt = _content(data, _element(data, _end(place), stop, 4))
    return 0


@cython.ccall
def take_pdu(scoped: bytes) -> bytes:
    """The PDU in a scoped PDU in clear; octets after it are DES's padding. BerError where it is none."""
    place: cython.longlong = _element(scoped, 0, len(scoped), 0x30)
    end: cython.longlong = _end(place)
    place = _element(scoped, place >> 20, end, 4)
    place = _element(scoped, _end(place), end, 4)
    if _end(place) >= end:
        raise BerError("a scoped PDU without a PDU")
    return scoped[_end(place) : end]


@cython.ccall
def as_v2c(pdu: bytes) -> bytes:
    """The PDU in a v2c message with an empty community, as the batch engine takes it."""
    return tlv(0x30, _V2C_HEAD + pdu)


@cython.ccall
def pdu_of(message: bytes) -> bytes:
    """The PDU of a message that the batch engine composed with an empty community."""
    if len(message) < 16:
        raise BerError("the engine composes no such message")
    return message[7 + (message[1] & 127 if message[1] > 127 else 0) :]


@cython.ccall
def id_of(pdu: bytes) -> bytes:
    """The four octets of a request id, of a PDU that the batch engine composed."""
    at: cython.Py_ssize_t = 4 + (pdu[1] & 127 if pdu[1] > 127 else 0)
    return pdu[at : at + 4]


def read_report(pdu: bytes) -> str:
    """The word of `usm.REPORTS` for a report's first object; "report" for one that we do not know. BerError where it is none."""
    place: cython.longlong = _element(pdu, 0, len(pdu), REPORT)
    end: cython.longlong = _end(place)
    at: cython.longlong = place >> 20
    for _ in range(3):
        at = _end(_element(pdu, at, end, 2))
    for tag in (0x30, 0x30):
        place = _element(pdu, at, end, tag)
        at, end = place >> 20, _end(place)
    return usm.REPORTS.get(decode_oid(_content(pdu, _element(pdu, at, end, 6))), "report")


@cython.ccall
def head(request_id: bytes, max_size: cython.int, flags: cython.int) -> bytes:
    """Version and HeaderData: msgID, msgMaxSize (what we can take), msgFlags, the user-based model (RFC 3412, 6)."""
    size: bytes = bytes((max_size >> 8 & 255, max_size & 255, 4, 1, flags))
    return b"\x02\x01\x03\x30\x10\x02\x04" + request_id + b"\x02\x02" + size + b"\x02\x01\x03"


def discovery(request_id: bytes, max_size: int) -> bytes:
    """The question for an engine's name and clock (RFC 3414, 4): reportable, without a user."""
    security = b"\x04\x10\x30\x0e\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\x04\x00"
    pdu = tlv(0xA0, b"\x02\x04" + request_id + b"\x02\x01\x00\x02\x01\x00\x30\x00")
    return tlv(0x30, head(request_id, max_size, FLAG_REPORTABLE) + security + tlv(0x30, b"\x04\x00\x04\x00" + pdu))


# ---------------------------------------------------------------------- by the batch


@cython.cfunc
def _piece(buffer: cython.uchar[::1], at: cython.Py_ssize_t, size: cython.Py_ssize_t) -> bytes:
    """A copy of so many octets of a buffer."""
    if at < 0 or size < 0 or at + size > buffer.shape[0]:
        raise ValueError("beyond the buffer")
    if not cython.compiled:
        return bytes(buffer[at : at + size])
    if size == 0:
        return b""
    return cython.cast(cython.p_char, cython.address(buffer[at]))[:size]


@cython.cfunc
def _put(buffer: cython.uchar[::1], at: cython.Py_ssize_t, room: cython.Py_ssize_t, data: bytes) -> cython.int:
    """Write into a slot of the buffer. ValueError where it does not fit."""
    size: cython.Py_ssize_t = len(data)
    if at < 0 or size > room or at + size > buffer.shape[0]:
        raise ValueError(f"{size} octets do not fit a slot of {room}")
    if not cython.compiled:
        buffer[at : at + size] = data
    elif size:
        memcpy(cython.address(buffer[at]), cython.cast(cython.p_char, data), size)
    return size


@cython.cclass
class Seal:
    """Wraps the requests of a round and opens their answers. Counts since `begin`: see `SecureChannel`, whose these are.

    An agent is a `probes.snmp.secure.Agent`, a device its number.
    """

    again = cython.declare(list, visibility="readonly")
    """Devices whose question is to be put again, at once."""
    refused = cython.declare(list, visibility="readonly")
    """Devices that said why they do not answer."""
    reported = cython.declare(list, visibility="readonly")
    """Devices that have answered something else than the question: their engine, their clock."""
    unauthentic = cython.declare(cython.longlong, visibility="readonly")
    stale = cython.declare(cython.longlong, visibility="readonly")
    foreign = cython.declare(cython.longlong, visibility="readonly")
    broken = cython.declare(cython.longlong, visibility="readonly")
    agents: dict
    pending: dict
    addresses: bytes
    salt: object
    macs: dict
    ciphers: dict

    def __init__(self, salt: int) -> None:
        """`salt`: where the salts begin; they are never the same twice with one key (RFC 3826, 3.1.2.1)."""
        self.salt = count_up(salt)
        self.macs, self.ciphers = {}, {}
        self.again, self.refused, self.reported = [], [], []
        self.begin({}, b"")

    def begin(self, agents: dict, addresses: bytes) -> None:
        """A new round over these agents (by the target's number) and packed addresses (28 octets each)."""
        self.agents, self.addresses, self.pending = agents, addresses, {}
        self.again.clear()
        self.refused.clear()
        self.reported.clear()
        self.unauthentic = self.stale = self.foreign = self.broken = 0

    # ------------------------------------------------------------------ requests

    def wrap_all(
        self,
        devices: cython.int[::1],
        count: cython.Py_ssize_t,
        packets: cython.uchar[::1],
        size: cython.Py_ssize_t,
        lengths: cython.int[::1],
        now: cython.double,
    ) -> None:
        """Make v3 messages of the v2c messages in `packets`; message i lies at `i * size` and is the next try of `devices[i]`."""
        i: cython.Py_ssize_t
        ids: tuple
        pdu: bytes
        request_id: bytes
        for i in range(count):
            device = devices[i]
            agent = self.agents[device]
            pdu = pdu_of(_piece(packets, i * size, lengths[i]))
            request_id = id_of(pdu)
            ids = agent.ids
            if len(ids) >= MOST_TRIES:
                self.pending.pop(ids[0], None)
                ids = ids[1:]
            agent.ids, agent.pdu, agent.request_id = (*ids, request_id), pdu, request_id
            agent.resyncs, agent.refusal = 0, ""
            self.pending[request_id] = device
            lengths[i] = _put(packets, i * size, size, self.wrap(agent, size, now))

    def wrap_again(
        self,
        devices: cython.int[::1],
        count: cython.Py_ssize_t,
        packets: cython.uchar[::1],
        size: cython.Py_ssize_t,
        lengths: cython.int[::1],
        now: cython.double,
    ) -> None:
        """Write the questions of `devices[:count]`, which wait for their answers, once more."""
        i: cython.Py_ssize_t
        for i in range(count):
            lengths[i] = _put(packets, i * size, size, self.wrap(self.agents[devices[i]], size, now))

    @cython.ccall
    def wrap(self, agent: Any, max_size: cython.int, now: cython.double) -> bytes:
        """The waiting request of an agent (`pdu`, `request_id`) as a message; the discovery's question until the engine is known."""
        if not agent.engine_id:
            return discovery(agent.request_id, max_size)
        credential = agent.credential
        clock: cython.longlong = agent.clock(now)
        level: cython.int = agent.level
        vector: bytes = b""
        body: bytes = tlv(0x30, agent.context + agent.pdu)
        if level & 2:
            vector = self._vector(credential.priv_protocol, agent.boots)
            body = tlv(4, self._crypt(credential.priv_protocol, agent.keys.priv, agent.boots, clock, vector, body, 1))
        if clock != agent.second:
            agent.second, agent.timed = clock, agent.front + integer(clock) + agent.tail
        timed: bytes = agent.timed
        message: bytes = head(agent.request_id, max_size, 4 | level) + tlv(4, tlv(0x30, timed + vector)) + body
        message = tlv(0x30, message)
        if not level & 1:
            return message
        mac: Mac = self._mac(credential.auth_protocol)
        at: cython.Py_ssize_t = len(message) - len(body) - len(vector) - 2 - mac.octets
        digest: bytes = mac.digest(agent.keys.auth, message, at)
        return message[:at] + digest + message[at + mac.octets :]

    @cython.cfunc
    def _mac(self, protocol: str) -> Mac:
        found = self.macs.get(protocol)
        if found is None:
            found = self.macs[protocol] = Mac(protocol)
        return found

    @cython.cfunc
    def _vector(self, protocol: str, boots: cython.longlong) -> bytes:
        """A new salt, as it stands in the message."""
        number: int = next(self.salt)  # type: ignore[call-overload]  # a `count`, to Cython an object
        if protocol == "des":
            return boots.to_bytes(4, "big") + (number & 0xFFFFFFFF).to_bytes(4, "big")
        return (number & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")

    @cython.cfunc
    def _crypt(
        self,
        protocol: str,
        key: bytes,
        boots: cython.longlong,
        time: cython.longlong,
        salt: bytes,
        text: bytes,
        encrypt: cython.int,
    ) -> bytes:
        """Enciphered or deciphered. BerError where salt or text have a length that is none of this protocol's."""
        if len(salt) != 8:
            raise BerError(f"a salt of {len(salt)} octets")
        if protocol == "des":
            return usm.des(key, salt, text, encrypt=bool(encrypt))
        found = self.ciphers.get(protocol)
        if found is None:
            found = self.ciphers[protocol] = Aes(usm.PRIVACY_KEY_OCTETS[protocol])
        cipher: Aes = found
        return cipher.crypt(key, _four(boots) + _four(time) + salt, text, encrypt)

    # ------------------------------------------------------------------ answers

    def open_all(
        self,
        packets: cython.uchar[::1],
        size: cython.Py_ssize_t,
        lengths: cython.int[::1],
        sources: cython.uchar[::1],
        count: cython.Py_ssize_t,
        now: cython.double,
    ) -> int:
        """Open what has come; answers that are believed lie in `packets` then, as v2c, from the first slot on: returns how many.

        Whatever else came has been heeded (`again`, `refused`, `reported`) or counted.
        """
        i: cython.Py_ssize_t
        kept: cython.Py_ssize_t = 0
        source: bytes
        for i in range(count):
            if lengths[i] <= 0:
                self.broken += 1
                continue
            source = _piece(sources, i * 28, 28)
            try:
                message = self._open(_piece(packets, i * size, lengths[i]), source, now)
            except BerError:
                self.broken += 1
                continue
            if message is None:
                continue
            lengths[kept] = _put(packets, kept * size, size, message)
            if kept != i:
                _put(sources, kept * 28, 28, source)
            kept += 1
        return kept

    @cython.cfunc
    def _open(self, data: bytes, source: bytes, now: cython.double) -> Any:
        """The answer as v2c, or None where it was a report or is to be dropped (counted why). BerError where it is broken."""
        packet: Packet = open_packet(data)
        device = self.pending.get(packet.message_id)
        if device is None or not self._is_from(device, source):
            self.foreign += 1
            return None
        agent = self.agents[device]
        if packet.flags & 1 and not self.is_authentic(agent, data, packet):
            self.unauthentic += 1
            return None
        pdu: bytes = take_pdu(self.decrypt(agent, packet))
        if pdu[0] == 0xA8:
            self._heed(device, agent, packet, pdu, now)
            return None
        if pdu[0] != 0xA2 or not agent.accepts(packet.flags, packet.boots, packet.time, now):
            self.stale += 1
            return None
        agent.proven = True
        if packet.message_id == agent.request_id:
            for request_id in agent.ids:
                self.pending.pop(request_id, None)
            agent.ids, agent.pdu = (), b""
        else:
            del self.pending[packet.message_id]  # late: the engine takes it for a measurement, once
        return as_v2c(pdu)

    @cython.cfunc
    def _heed(self, device: Any, agent: Any, packet: Packet, pdu: bytes, now: cython.double) -> cython.int:
        """A report: the question is put again, or will not be answered."""
        said = agent.heed(packet, read_report(pdu), now)
        if said == "refused":
            self.refused.append(device)
            return 0
        self.reported.append(device)
        if said == "again":
            self.again.append(device)
        return 0

    @cython.ccall
    def is_authentic(self, agent: Any, data: bytes, packet: Packet) -> cython.bint:
        """Whether the signed message `data` is this engine's (RFC 3414, 6.3.2)."""
        protocol: str = agent.credential.auth_protocol
        if not protocol or not agent.engine_id or packet.engine_id != agent.engine_id:
            return False  # of an engine that is not known there are no keys: anybody can sign with none
        mac: Mac = self._mac(protocol)
        if len(packet.digest) != mac.octets:
            return False
        return hmac.compare_digest(mac.digest(agent.keys.auth, data, packet.digest_at), packet.digest)

    @cython.ccall
    def decrypt(self, agent: Any, packet: Packet) -> bytes:
        """The scoped PDU in clear. BerError where it is encrypted and cannot be opened."""
        if not packet.flags & 2:
            return packet.body
        protocol: str = agent.credential.priv_protocol
        if not protocol or not packet.flags & 1:
            raise BerError("encrypted, and we share no key for it")
        return self._crypt(protocol, agent.keys.priv, packet.boots, packet.time, packet.salt, packet.body, 0)

    @cython.cfunc
    def _is_from(self, device: cython.Py_ssize_t, source: bytes) -> cython.bint:
        """Whether address and port are those that were asked."""
        at: cython.Py_ssize_t = device * 28
        wanted: bytes = self.addresses[at : at + 28]
        if len(wanted) != 28 or len(source) != 28:
            return False
        if wanted[0] == 2:
            return source[:8] == wanted[:8]
        return source[:4] == wanted[:4] and source[8:24] == wanted[8:24]


@cython.cfunc
def _four(value: cython.longlong) -> bytes:
    if not cython.compiled:
        return (value & 0xFFFFFFFF).to_bytes(4, "big")
    out: cython.uchar[4]
    out[0] = value >> 24 & 255
    out[1] = value >> 16 & 255
    out[2] = value >> 8 & 255
    out[3] = value & 255
    return out[:4]
