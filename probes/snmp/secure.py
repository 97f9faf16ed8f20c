"""One v3 agent as the batch knows it from round to round: engine, clock, keys (RFC 3412, RFC 3414). Pure.

`probes.engine.seal` makes and opens the messages. Times are readings of the monotonic clock, seconds.
"""

from typing import Literal, Protocol

from probes.snmp import usm
from probes.snmp.ber import encode_integer, encode_tlv
from probes.snmp.credential import Credential
from probes.snmp.message import FLAG_AUTH, FLAG_PRIV

MAX_RESYNCS = 3
Heeded = Literal["again", "late", "refused"]


class Said(Protocol):
    """What a report's message says of its sender: `probes.engine.seal.Packet`."""

    message_id: bytes
    flags: int
    engine_id: bytes
    boots: int
    time: int


class Agent:
    """What is known of one v3 agent from round to round, and the request that it has not answered yet."""

    __slots__ = (
        *("credential", "engine_id", "boots", "proven", "refusal", "request_id", "ids", "pdu", "resyncs"),
        *("latest", "at", "level", "octets", "keys", "front", "context", "tail", "second", "timed"),
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
        self.ids: tuple[bytes, ...] = ()
        """Request ids of this question's tries, the last is `request_id`: an answer may come late."""
        self.pdu = b""
        self.resyncs = 0
        self.latest, self.at = 0, 0.0
        """The newest time that it has said, and when that was."""
        self.level = (FLAG_AUTH if credential.auth_protocol else 0) | (FLAG_PRIV if credential.priv_protocol else 0)
        self.octets = usm.digest_octets(credential.auth_protocol)
        self.keys = usm.LocalKeys(b"", b"")
        self.front = self.context = self.tail = self.timed = b""
        self.second = -1
        """`timed`: the security parameters of that second, as far as the salt."""

    def meet(self, engine_id: bytes, boots: int, time: int, now: float) -> None:
        """The engine made itself known: keys are localised, once; what every request repeats is put together."""
        if engine_id != self.engine_id:
            self.engine_id, self.proven = engine_id, False
            self.keys = usm.localise(self.credential, engine_id)
            self.context = encode_tlv(4, engine_id) + encode_tlv(4, self.credential.context.encode())
            salt = b"\x04\x08" if self.credential.priv_protocol else b"\x04\x00"
            self.tail = encode_tlv(4, self.credential.user.encode()) + encode_tlv(4, bytes(self.octets)) + salt
        self.set_clock(boots, time, now)

    def set_clock(self, boots: int, time: int, now: float) -> None:
        """The engine's clock as it has just said it."""
        self.boots, self.latest, self.at = boots, time, now
        self.front = encode_tlv(4, self.engine_id) + encode_integer(boots)
        self.second = -1

    def clock(self, now: float) -> int:
        """The engine's time now, seconds since its boot."""
        return min(0x7FFFFFFF, self.latest + int(now - self.at))

    def accepts(self, flags: int, boots: int, time: int, now: float) -> bool:
        """Whether a response is as well protected as asked and in the time window; its clock is kept then."""
        if flags & (FLAG_AUTH | FLAG_PRIV) != self.level:
            return False
        if not self.level:
            return True
        if not usm.is_in_time_window(boots, time, self.boots, self.clock(now)):
            return False
        if boots > self.boots:
            self.set_clock(boots, time, now)
        elif time > self.latest:
            self.latest, self.at = time, now
        return True

    def heed(self, packet: Said, reason: str, now: float) -> Heeded:
        """What a report means. "again": the request is to be put again, at once; "late": to an earlier try, nothing that is not known already;
        "refused": `refusal` says why it will not be answered.
        """
        last = packet.message_id == self.request_id
        if reason == "unknown_engine_id" and packet.engine_id:
            if packet.engine_id == self.engine_id:
                return "late"  # of a discovery that was sent more than once
            if self.resyncs < MAX_RESYNCS:
                self.resyncs += 1
                self.meet(packet.engine_id, packet.boots, packet.time, now)
                return "again"
        # RFC 3414, 11.4: only an authenticated report may set the clock.
        if reason == "not_in_time_window" and packet.flags & FLAG_AUTH and self.resyncs < MAX_RESYNCS:
            self.resyncs += 1
            self.set_clock(packet.boots, packet.time, now)
            return "again" if last else "late"
        self.refusal = reason
        return "refused"
