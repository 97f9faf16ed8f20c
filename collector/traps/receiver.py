"""What becomes of one datagram: whose it is, whether it may be believed, what it asks for. Pure but for its own counts and memory.

Order matters: a stranger costs one look-up; nothing but the head is decoded before the community or the digest has proved right; what one device may cost
is bounded after that, so that nobody who forges its address can use up its share.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

import numpy as np
from numpy.typing import NDArray

from collector.traps.bounds import Buckets, Readings
from collector.traps.messages import Senders, Trap
from probes.snmp.ber import BerError
from probes.snmp.credential import Credential
from probes.snmp.message import INFORM, decode_v3, open_scoped_pdu
from probes.snmp.trap import (
    NAMES,
    Envelope,
    Notification,
    answer_envelope,
    open_envelope,
    read_envelope,
    read_notification,
    read_version,
)
from probes.snmp.trap_usm import LEVEL, TrapSecurity

READ_AFTER = frozenset({"coldStart", "warmStart", "linkDown", "linkUp", "authenticationFailure"})
"""These lead to an immediate reading of their device."""

RESULTS = (
    *("taken", "storm", "repeated", "discovery"),
    *("unknown_sender", "ambiguous_sender", "no_credential", "wrong_community", "broken"),
    *("unknown_user", "unsupported_security_level", "wrong_digest", "decryption_error"),
    *("not_in_time_window", "replayed", "foreign_engine"),
)
"""What can become of a datagram; each has a count, from the start on."""

SECURITY = {0: "noAuthNoPriv", 1: "authNoPriv", 3: "authPriv"}
_IGNORED = (b"", bytes(4))


@dataclass(frozen=True, slots=True)
class Sender:
    """A device at one of its addresses."""

    device: int
    zone: str
    communities: frozenset[bytes]
    users: tuple[Credential, ...]


class Receiver:
    """Takes datagrams; `take` gives what to send back. `traps`, `readings`, `counts` and `complaints` are for the caller to empty or read."""

    def __init__(
        self, security: TrapSecurity, buckets: Buckets, readings: Readings, wall: Callable[[float], float]
    ) -> None:
        """wall: steady seconds since the epoch of a reading of the monotonic clock."""
        self.security, self.buckets, self.readings, self._wall = security, buckets, readings, wall
        self.counts: Counter[str] = Counter(dict.fromkeys(RESULTS, 0))
        self.kinds: Counter[str] = Counter()
        self.answered = 0
        self.traps: list[Trap] = []
        self.complaints: dict[str, str] = {}
        self.version = -1
        self._at: dict[bytes, tuple[Sender, ...]] = {}

    def __len__(self) -> int:
        return len(self._at)

    def follow(self, senders: Senders) -> None:
        """Other senders from now on."""
        self._at = index_senders(senders)
        self.version = senders.version
        self.security.forget(set(senders.device_id.tolist()))

    def take(self, data: bytes, source: bytes, zone: str, now: float) -> bytes:
        """One datagram from `source` (4 or 16 octets) on a socket of `zone` ("": of all). What to send back, or nothing."""
        result, answer = self._judge(data, source, zone, now)
        self.counts[result] += 1
        if answer:
            self.answered += 1
        if result not in ("taken", "discovery", "repeated") and result not in self.complaints:
            self.complaints[result] = describe(source)
        return answer

    def _judge(self, data: bytes, source: bytes, zone: str, now: float) -> tuple[str, bytes]:
        senders = self._at.get(source)
        if senders is not None and zone:
            senders = tuple(sender for sender in senders if sender.zone == zone)
        if not senders:
            return "unknown_sender", b""
        try:
            if read_version(data) == 3:
                return self._take_user(data, source, senders, now)
            return self._take_community(data, source, senders, now)
        except BerError:
            return "broken", b""

    def _take_community(self, data: bytes, source: bytes, senders: tuple[Sender, ...], now: float) -> tuple[str, bytes]:
        envelope = open_envelope(data)
        fitting = [sender for sender in senders if envelope.community in sender.communities]
        if not fitting:
            known = any(sender.communities or sender.users for sender in senders)
            return ("wrong_community" if known else "no_credential"), b""
        if len(fitting) > 1:
            return "ambiguous_sender", b""
        told = read_envelope(data, envelope)
        answer = answer_envelope(envelope, told.reply) if told.reply else b""
        subject = self._subject(fitting[0], envelope, told, source)
        return self._keep(subject, fitting[0], told, source, "v2c" if envelope.version else "v1", now), answer

    def _subject(self, sender: Sender, envelope: Envelope, told: Notification, source: bytes) -> Sender:
        """Whom it is about: the sender, or another device of its zone that it passes on for, if that has the same community (decision 0091)."""
        if told.agent_address in _IGNORED or told.agent_address == source:
            return sender
        for other in self._at.get(told.agent_address, ()):
            if other.zone == sender.zone and envelope.community in other.communities:
                return other
        return sender

    def _take_user(self, data: bytes, source: bytes, senders: tuple[Sender, ...], now: float) -> tuple[str, bytes]:
        if len(senders) > 1:
            name = decode_v3(data).security.user
            senders = tuple(one for one in senders if any(user.user.encode() == name for user in one.users))
            if len(senders) != 1:
                return "ambiguous_sender", b""
        sender = senders[0]
        if not sender.users:
            return ("unknown_user" if sender.communities else "no_credential"), b""
        opened = self.security.open(data, sender.device, sender.users, now)
        if opened.word not in ("ok", "repeated"):
            return ("discovery" if opened.word == "unknown_engine_id" else opened.word), opened.report
        try:
            _, _, at, stop = open_scoped_pdu(opened.scoped)
            told = read_notification(opened.scoped, at, stop)
        except BerError:
            # Signed and yet no PDU: deciphered with another key than it was enciphered with (RFC 3414, 8.1.1.2).
            return "decryption_error" if opened.level == LEVEL else "broken", b""
        answer = b""
        if opened.scoped[at] == INFORM and opened.credential is not None:
            answer = self.security.answer(data, opened.scoped, told.reply, opened.credential, now)
        if opened.word == "repeated":
            return "repeated", answer
        return self._keep(sender, sender, told, source, SECURITY[opened.level], now), answer

    def _keep(
        self, subject: Sender, sender: Sender, told: Notification, source: bytes, security: str, now: float
    ) -> str:
        name = told.name
        if name in READ_AFTER:
            self.readings.want(subject.device, now)
        if not self.buckets.take(sender.device, now):
            return "storm"
        self.kinds[name if told.trap_oid in NAMES else "other"] += 1
        self.traps.append(
            Trap(
                at=self._wall(now),
                device=subject.device,
                name=name,
                zone=subject.zone,
                source=describe(source),
                security=security,
                if_index=told.if_index,
                if_name=told.if_name,
                uptime=told.uptime,
                via=sender.device if sender.device != subject.device else None,
            )
        )
        return "taken"


def index_senders(senders: Senders) -> dict[bytes, tuple[Sender, ...]]:
    """Packed address → the devices that have it, one for each zone; what devices have in common is kept once."""
    shared: dict[tuple[int, int], tuple[frozenset[bytes], tuple[Credential, ...]]] = {}
    found: dict[bytes, tuple[Sender, ...]] = {}
    ids, own = senders.device_id.tolist(), senders.own.tolist()
    for packed, zone, number in zip(senders.packed, _ints(senders.zone), _ints(senders.device), strict=True):
        key = own[number], zone
        if key not in shared:
            shared[key] = _split(senders, *key)
        sender = Sender(ids[number], senders.zones[zone], *shared[key])
        found[packed] = (*found.get(packed, ()), sender)
    return found


def _split(senders: Senders, own: int, zone: int) -> tuple[frozenset[bytes], tuple[Credential, ...]]:
    numbers = dict.fromkeys(([own] if own >= 0 else []) + list(senders.of_zone[zone]))
    chosen = [senders.credentials[number] for number in numbers]
    communities = frozenset(one.community for one in chosen if one.version != "3")
    return communities, tuple(dict.fromkeys(one for one in chosen if one.version == "3"))


def _ints(array: NDArray[np.int32]) -> list[int]:
    return [int(number) for number in array.tolist()]


def describe(source: bytes) -> str:
    """An address as people write it."""
    return str(ip_address(source))
