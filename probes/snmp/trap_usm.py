"""Traps and informs of SNMPv3: who signed them, for whom, when, and whether they were here before (RFC 3414, 3.2). Pure.

Two engines have authority. Of a trap its sender has: we follow the sender's clock from message to message. Of an inform we have: senders discover our
engineID and clock by our reports, and get a response. Times are readings of the monotonic clock, seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from probes.snmp import usm
from probes.snmp.ber import COUNTER32, OCTET_STRING, BerError, Value, encode_tlv, read_element, read_integer
from probes.snmp.credential import Credential
from probes.snmp.message import (
    FLAG_AUTH,
    FLAG_PRIV,
    FLAG_REPORTABLE,
    REPORT,
    MessageV3,
    Pdu,
    SecurityParameters,
    decode_v3,
    encode_full_pdu,
    encode_scoped_pdu,
    encode_v3,
    open_scoped_pdu,
)

DRIFT = 0.99
"""An agent's clock may be so much slower than ours: its notion of time is carried on no quicker (a quartz loses far less, a busy agent may not)."""

REORDER_S = 10
"""A trap that is so much older than the newest of its engine is a repeated one: datagrams overtake one another by less. RFC 3414 allows 150 s."""

MOST_SEEN = 128
"""Digests kept for an engine, of traps of its last `REORDER_S`."""

MOST_ENGINES = 4
"""Engines behind one sender: a device that was renewed, the members of a stack."""

MOST_INFORMS = 32_768
"""Digests of informs that are kept, the newest."""

LEVEL = FLAG_AUTH | FLAG_PRIV
REPORT_OIDS = {word: oid for oid, word in usm.REPORTS.items()}


class Opened(NamedTuple):
    """What became of a message. `word`: "ok", else a word of `usm.REPORTS`, "replayed", "repeated" (an inform: it is answered again) or
    "foreign_engine". `scoped`: the scoped PDU in clear of one that is ok or repeated. `report`: a message to send back, or none. `level`: its FLAG_AUTH and FLAG_PRIV."""

    word: str
    scoped: bytes = b""
    report: bytes = b""
    credential: Credential | None = None
    level: int = 0


@dataclass(slots=True)
class Engine:
    """A sender's engine: whose it is, its clock when it was last heard, the digests of its last seconds."""

    sender: int
    boots: int
    latest: int
    at: float
    seen: dict[bytes, int] = field(default_factory=dict)
    floor: int = 0
    """Nothing older is taken: of this second more messages came than are kept."""


class TrapSecurity:
    """Our own engine and those of the senders that have proved who they are."""

    def __init__(self, engine_id: bytes, boots: int, now: float) -> None:
        """engine_id, boots: ours, kept over restarts (`boots` one higher at each). now: when it began."""
        self.engine_id, self.boots, self._began = engine_id, boots, now
        self.engines: dict[bytes, Engine] = {}
        self._of_sender: dict[int, list[bytes]] = {}
        self._informs: dict[bytes, None] = {}
        self._reports: dict[str, int] = {}
        self._salt = 0

    def time(self, now: float) -> int:
        """Our engine's time, seconds since it began."""
        return min(0x7FFFFFFF, int(now - self._began))

    def open(self, data: bytes, sender: int, users: Sequence[Credential], now: float) -> Opened:
        """Check one message of `sender`, which may be any of `users`. BerError where the bytes are no message of v3."""
        message = decode_v3(data)
        ours = message.security.engine_id == self.engine_id
        if message.flags & FLAG_REPORTABLE and not ours:
            return Opened("unknown_engine_id", report=self._report(message, "unknown_engine_id", None, now))
        if not message.security.engine_id:
            raise BerError("a trap without an engineID")
        named = [user for user in users if user.user.encode() == message.security.user]
        if not named:
            return self._refuse(message, "unknown_user", now)
        level = message.flags & LEVEL
        fitting = [user for user in named if _level(user) == level]
        if not fitting:
            return self._refuse(message, "unsupported_security_level", now)
        user = fitting[0] if not level else next((user for user in fitting if _is_signed(data, message, user)), None)
        if user is None:
            return self._refuse(message, "wrong_digest", now)
        word = "ok"
        if level:
            word = self._look_at_inform(message, now) if ours else self._look_at_trap(message, sender, now)
        if word == "not_in_time_window" and ours:
            return Opened(word, report=self._report(message, word, user, now))
        if word not in ("ok", "repeated"):
            return Opened(word)
        return Opened(word, _decrypt(message, user), b"", user, level)

    def answer(self, data: bytes, scoped: bytes, reply: bytes, user: Credential, now: float) -> bytes:
        """The message that answers the inform `data`, as well protected as it was; `reply`: the Response-PDU."""
        message = decode_v3(data)
        engine_id, context, _, _ = open_scoped_pdu(scoped)
        body = encode_scoped_pdu(engine_id, context, reply)
        return self._wrap(message, message.flags & LEVEL, body, user, now)

    def forget(self, senders: frozenset[int] | set[int]) -> None:
        """Keep the engines of these senders alone."""
        for sender in [sender for sender in self._of_sender if sender not in senders]:
            for engine_id in self._of_sender.pop(sender):
                self.engines.pop(engine_id, None)

    def memory(self) -> list[tuple[str, int, int, int]]:
        """(engineID in hex, sender, boots, latest) of every engine: what must outlive a restart, lest old traps come again."""
        return [(key.hex(), one.sender, one.boots, one.latest) for key, one in self.engines.items()]

    def remember(self, rows: Sequence[tuple[str, int, int, int]], now: float) -> None:
        """Go on from `memory()`. What was heard up to then is old: nothing of that second and before is taken again."""
        for text, sender, boots, latest in rows:
            self._meet(bytes.fromhex(text), Engine(sender, boots, latest, now, floor=latest + 1))

    # ------------------------------------------------------------------ clocks and repetitions

    def _look_at_inform(self, message: MessageV3, now: float) -> str:
        """RFC 3414, 3.2, 7 a: we have authority."""
        security = message.security
        if security.boots != self.boots or abs(security.time - self.time(now)) > usm.TIME_WINDOW_S:
            return "not_in_time_window"
        if security.digest in self._informs:
            return "repeated"
        while len(self._informs) >= MOST_INFORMS:
            del self._informs[next(iter(self._informs))]
        self._informs[security.digest] = None
        return "ok"

    def _look_at_trap(self, message: MessageV3, sender: int, now: float) -> str:
        """RFC 3414, 3.2, 7 b, and stricter: the sender has authority, and nothing is taken twice."""
        security = message.security
        known = self.engines.get(security.engine_id)
        if known is None:
            known = Engine(sender, security.boots, security.time, now)
            self._meet(security.engine_id, known)
        if known.sender != sender:
            return "foreign_engine"
        if security.boots > known.boots:
            known.boots, known.latest, known.at, known.floor = security.boots, security.time, now, 0
            known.seen.clear()
        elif security.boots < known.boots or security.boots == 0x7FFFFFFF:
            return "not_in_time_window"
        notion = known.latest + int(DRIFT * (now - known.at))
        if security.digest in known.seen:
            return "replayed"
        if security.time < max(known.latest - REORDER_S, notion - usm.TIME_WINDOW_S, known.floor):
            return "not_in_time_window"
        if security.time > known.latest:
            known.latest, known.at = security.time, now
        _keep(known, security.digest, security.time)
        return "ok"

    def _meet(self, engine_id: bytes, engine: Engine) -> None:
        mine = self._of_sender.setdefault(engine.sender, [])
        while len(mine) >= MOST_ENGINES:
            self.engines.pop(mine.pop(0), None)
        mine.append(engine_id)
        self.engines[engine_id] = engine

    # ------------------------------------------------------------------ what goes back

    def _refuse(self, message: MessageV3, word: str, now: float) -> Opened:
        """A report goes to those who wait for one: an inform's sender that knows us (RFC 3412, 7.2, 6 b)."""
        ours = message.security.engine_id == self.engine_id and message.flags & FLAG_REPORTABLE
        return Opened(word, report=self._report(message, word, None, now) if ours else b"")

    def _report(self, message: MessageV3, word: str, user: Credential | None, now: float) -> bytes:
        """A report; signed where `user` is given (RFC 3414, 3.2, 7 a: only then may the sender set its clock by it)."""
        self._reports[word] = count = (self._reports.get(word, 0) + 1) & 0xFFFFFFFF
        pdu = Pdu(REPORT, _request_id(message), 0, 0, ((REPORT_OIDS[word], Value(COUNTER32, count)),))
        body = encode_scoped_pdu(self.engine_id, b"", encode_full_pdu(pdu))
        return self._wrap(message, FLAG_AUTH if user is not None else 0, body, user, now)

    def _wrap(self, message: MessageV3, level: int, body: bytes, user: Credential | None, now: float) -> bytes:
        clock, salt, digest = self.time(now), b"", b""
        keys = usm.localise(user, self.engine_id) if user is not None else usm.LocalKeys(b"", b"")
        if user is not None and level & FLAG_PRIV:
            self._salt += 1
            secret, salt = usm.encrypt(user.priv_protocol, keys.priv, self.boots, clock, body, self._salt)
            body = encode_tlv(OCTET_STRING, secret)
        if user is not None and level & FLAG_AUTH:
            digest = bytes(usm.digest_octets(user.auth_protocol))
        security = SecurityParameters(self.engine_id, self.boots, clock, message.security.user, digest, salt)
        whole, at = encode_v3(message.message_id, level, security, body)
        return usm.sign(whole, at, user.auth_protocol, keys.auth) if user is not None and digest else whole


def _level(user: Credential) -> int:
    return (FLAG_AUTH if user.auth_protocol else 0) | (FLAG_PRIV if user.priv_protocol else 0)


def _is_signed(data: bytes, message: MessageV3, user: Credential) -> bool:
    security = message.security
    keys = usm.localise(user, security.engine_id)
    return usm.is_authentic(data, security.auth_at, security.digest, user.auth_protocol, keys.auth)


def _decrypt(message: MessageV3, user: Credential) -> bytes:
    if not message.flags & FLAG_PRIV:
        return message.body
    security = message.security
    keys = usm.localise(user, security.engine_id)
    return usm.decrypt(user.priv_protocol, keys.priv, security.boots, security.time, security.salt, message.body)


def _keep(engine: Engine, digest: bytes, time: int) -> None:
    """Remember a trap; what is too old to be taken again is forgotten, and where there are too many, their second is over."""
    if len(engine.seen) >= MOST_SEEN:
        limit = engine.latest - REORDER_S
        engine.seen = {one: of for one, of in engine.seen.items() if of >= limit}
        if len(engine.seen) >= MOST_SEEN:
            engine.floor = max(engine.seen.values()) + 1
            engine.seen = {}
    engine.seen[digest] = time


def _request_id(message: MessageV3) -> int:
    """The request-id where it can be read, else 0 (RFC 3412, 7.1, 3 c)."""
    if message.flags & FLAG_PRIV:
        return 0
    try:
        _, _, at, stop = open_scoped_pdu(message.body)
        _, start, end = read_element(message.body, at, stop)
        return read_integer(message.body, start, end)[0]
    except BerError:
        return 0
