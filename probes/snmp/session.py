"""How requests are wrapped and answers unwrapped: by a community, or by a v3 user. Pure but for its own state."""

import random
from collections.abc import Sequence
from typing import Protocol

from probes.snmp import usm
from probes.snmp.ber import OCTET_STRING, BerError, Oid, encode_tlv
from probes.snmp.credential import Credential
from probes.snmp.message import (
    FLAG_AUTH,
    FLAG_PRIV,
    FLAG_REPORTABLE,
    GET,
    REPORT,
    RESPONSE,
    MessageV3,
    Pdu,
    SecurityParameters,
    decode_message,
    decode_scoped_pdu,
    decode_v3,
    encode_message,
    encode_pdu,
    encode_scoped_pdu,
    encode_v3,
)

AGAIN = "again"


class Session(Protocol):
    """One agent's way of wrapping."""

    engine_id: bytes

    def encode(self, request_id: int, tag: int, first: int, second: int, oids: Sequence[Oid], now: float) -> bytes:
        """A whole message. `now` is a reading of the monotonic clock, seconds."""
        ...

    def decode(self, data: bytes, request_id: int, now: float) -> Pdu | str | None:
        """The answer; "again" where the request is to be sent anew; another word where the agent refuses; None for a stranger's.

        BerError where the bytes are no message.
        """
        ...


def open_session(credential: Credential) -> Session:
    """The session that suits a credential."""
    return UserSession(credential) if credential.version == "3" else CommunitySession(credential)


class CommunitySession:
    """v1 and v2c."""

    engine_id = b""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def encode(self, request_id: int, tag: int, first: int, second: int, oids: Sequence[Oid], now: float) -> bytes:
        """See `Session`."""
        pdu = encode_pdu(tag, request_id, first, second, oids)
        return encode_message(self._credential.version, self._credential.community, pdu)

    def decode(self, data: bytes, request_id: int, now: float) -> Pdu | str | None:
        """See `Session`. The community of the answer is not compared: some agents answer with another."""
        pdu = decode_message(data).pdu
        return pdu if pdu.tag == RESPONSE and pdu.request_id == request_id else None


class UserSession:
    """v3: discovers the engine, keeps its clock, signs and encrypts (RFC 3414, 4)."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self.engine_id = b""
        self._boots = 0
        self._time = 0
        self._time_at = 0.0
        self._resyncs = 0
        self._message_id = random.randrange(1, 0x3FFFFFFF)

    def encode(self, request_id: int, tag: int, first: int, second: int, oids: Sequence[Oid], now: float) -> bytes:
        """See `Session`. Until the engine is known this is the discovery's question."""
        self._message_id = (self._message_id + 1) & 0x3FFFFFFF
        if not self.engine_id:
            body = encode_scoped_pdu(b"", b"", encode_pdu(GET, request_id, 0, 0, ()))
            return encode_v3(self._message_id, FLAG_REPORTABLE, SecurityParameters(b"", 0, 0, b"", b"", b""), body)[0]
        credential = self._credential
        keys = usm.localise(credential, self.engine_id)
        clock = self._clock(now)
        pdu = encode_pdu(tag, request_id, first, second, oids)
        body = encode_scoped_pdu(self.engine_id, credential.context.encode(), pdu)
        flags, salt = FLAG_REPORTABLE, b""
        if credential.priv_protocol:
            flags |= FLAG_PRIV
            secret, salt = usm.encrypt(credential.priv_protocol, keys.priv, self._boots, clock, body)
            body = encode_tlv(OCTET_STRING, secret)
        digest = bytes(usm.digest_octets(credential.auth_protocol))
        if digest:
            flags |= FLAG_AUTH
        security = SecurityParameters(self.engine_id, self._boots, clock, credential.user.encode(), digest, salt)
        message, at = encode_v3(self._message_id, flags, security, body)
        return usm.sign(message, at, credential.auth_protocol, keys.auth) if digest else message

    def decode(self, data: bytes, request_id: int, now: float) -> Pdu | str | None:
        """See `Session`."""
        message = decode_v3(data)
        if message.message_id != self._message_id:
            return None
        credential = self._credential
        authentic = False
        if message.flags & FLAG_AUTH:
            if not credential.auth_protocol or message.security.engine_id != self.engine_id:
                return None
            keys = usm.localise(credential, self.engine_id)
            security = message.security
            if not usm.is_authentic(data, security.auth_at, security.digest, credential.auth_protocol, keys.auth):
                return None
            authentic = True
        pdu = decode_scoped_pdu(self._open(message)).pdu
        if pdu.tag == REPORT:
            return self._heed(pdu, message.security, authentic, now)
        if pdu.tag != RESPONSE or pdu.request_id != request_id or not self._is_as_secret(message.flags):
            return None
        if authentic:
            if not usm.is_in_time_window(message.security.boots, message.security.time, self._boots, self._clock(now)):
                return None
            self._set_clock(message.security, now)
        self._resyncs = 0
        return pdu

    def _open(self, message: MessageV3) -> bytes:
        if not message.flags & FLAG_PRIV:
            return message.body
        if not self._credential.priv_protocol or not message.flags & FLAG_AUTH:
            raise BerError("encrypted, and we share no key for it")
        keys = usm.localise(self._credential, self.engine_id)
        security = message.security
        return usm.decrypt(
            self._credential.priv_protocol, keys.priv, security.boots, security.time, security.salt, message.body
        )

    def _is_as_secret(self, flags: int) -> bool:
        """An answer may not be less protected than its question."""
        wanted = (FLAG_AUTH if self._credential.auth_protocol else 0) | (
            FLAG_PRIV if self._credential.priv_protocol else 0
        )
        return flags & (FLAG_AUTH | FLAG_PRIV) == wanted

    def _heed(self, pdu: Pdu, security: SecurityParameters, authentic: bool, now: float) -> str | None:
        """What a report means: the engine made itself known, the clock is wrong, or a refusal."""
        reason = next((usm.REPORTS[oid] for oid, _ in pdu.bindings if oid in usm.REPORTS), "report")
        if reason == "unknown_engine_id":
            if not security.engine_id or self._resyncs >= 3:
                return None
            self._resyncs += 1
            self.engine_id = security.engine_id
            self._set_clock(security, now)
            return AGAIN
        if reason == "not_in_time_window":
            # RFC 3414, 11.4: only an authenticated report may set the clock.
            if not authentic or self._resyncs >= 3:
                return reason
            self._resyncs += 1
            self._set_clock(security, now)
            return AGAIN
        return reason

    def _clock(self, now: float) -> int:
        return min(0x7FFFFFFF, self._time + int(now - self._time_at))

    def _set_clock(self, security: SecurityParameters, now: float) -> None:
        self._boots, self._time, self._time_at = security.boots, security.time, now
