"""The columns of a reading round: what is walked, what the engine keeps of each device, what comes out."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

NARROW_COLUMNS: tuple[tuple[str, str], ...] = (
    ("ifInOctets", "1.3.6.1.2.1.2.2.1.10"),
    ("ifOutOctets", "1.3.6.1.2.1.2.2.1.16"),
    ("ifSpeed", "1.3.6.1.2.1.2.2.1.5"),
)
"""Walked in place of the 64-bit octets and ifHighSpeed where a device has no ifXTable."""

NAME_COLUMNS: tuple[tuple[str, str], ...] = (
    ("ifName", "1.3.6.1.2.1.31.1.1.1.1"),
    ("ifDescr", "1.3.6.1.2.1.2.2.1.2"),
    ("ifAlias", "1.3.6.1.2.1.31.1.1.1.18"),
)

COUNTER32 = 0x4000
"""Bit of `SnmpReadings.present`: the octets of this port are Counter32, so they wrap at 2^32."""

USUAL_PORTS = 32
"""Rows set aside for a device of which nothing is known."""

MOST_REPETITIONS = 8
"""Rows of nine columns that fill one Ethernet frame of 1,472 bytes."""

WIDE_ONLY = 0xE00
NARROW_ONLY = 0x10C
NOTHING = 0xFFF
"""Masks of columns that are not walked."""

IDLE, FLYING, READY, DONE, LOST, SPENT = range(6)
"""States of a device in a round; SPENT: it answers, but has used up its budget, and what came is kept."""
BULK, NEXT, NEXT_V1 = range(3)
"""Dialects: GETBULK, GETNEXT for agents that know no GETBULK, GETNEXT of v1."""
ARENA, VALUES, FOREIGN, BROKEN, ERRORS, LATE, LOOPS, ANSWERS, TALLIES = range(9)


LENT = (
    *("cursors", "ended", "asked", "wanted", "asked_scalars", "sequence", "state", "repetitions", "width", "wide"),
    *("dialect", "proven", "off", "sent", "began", "begun", "tries", "heard", "late", "sends", "octets"),
    *("srtt", "rttvar", "rtt_sum", "samples", "budget_requests", "budget_octets", "budget_us"),
    *("base", "count", "room", "expected", "uptime", "tally"),
    *("addresses", "communities", "community_size", "community_of"),
)
"""Columns of `RoundArrays` that the engine works on."""


def oid_bytes(oid: str) -> bytes:
    """BER content of a dotted OID (X.690 8.19)."""
    numbers = [int(part) for part in oid.strip(".").split(".")]
    out = bytearray()
    for number in [numbers[0] * 40 + numbers[1], *numbers[2:]]:
        piece = [number & 127]
        while number := number >> 7:
            piece.append(number & 127 | 128)
        out += bytes(reversed(piece))
    return bytes(out)


@dataclass
class SnmpReadings:
    """What a reading round brought: n devices (all targets, selected or not), m ports.

    Ports of device i are rows `offsets[i]`..`offsets[i + 1] - 1`, in the order of ifIndex. Bit c of `present` says that column c of
    `IF_COLUMNS` was there: what is absent is not zero. `started` and `ended` are seconds since the epoch.
    """

    answered: np.ndarray
    """bool[n]: any valid answer."""
    complete: np.ndarray
    """bool[n]: every column was walked to its end."""
    uptime: np.ndarray
    """uint32[n]: sysUpTime in hundredths of a second; 0 where `uptime_present` is not set."""
    offsets: np.ndarray
    """int64[n + 1]"""
    if_index: np.ndarray
    """int32[m]"""
    columns: np.ndarray
    """uint64[m, 9]"""
    present: np.ndarray
    """uint16[m]"""
    started: float
    ended: float
    requests: int = 0
    answers: int = 0
    values: int = 0
    """Values decoded and kept, sysUpTime among them."""
    dropped_foreign: int = 0
    """Answers from another address, with another id or community than asked."""
    dropped_broken: int = 0
    dropped_late: int = 0
    """Answers to a request that had been answered or asked again."""
    errors: int = 0
    """Answers with an error status (tooBig, genErr): the device is asked for less from then on."""
    loops: int = 0
    """Columns ended because an OID did not increase."""
    dropped_by_kernel: int = 0
    dropped_unauthentic: int = 0
    """v3 answers with a wrong digest."""
    dropped_stale: int = 0
    """v3 answers outside the time window, or less protected than asked (RFC 3414, 3.2)."""
    failures: dict[int, str] = field(default_factory=dict)
    """Why a v1 or v3 target could not be read: a word of `usm.REPORTS`, or a sentence."""
    spent: np.ndarray = field(default_factory=lambda: np.zeros(0, np.bool_))
    """bool[n]: it answered, but its budget (requests, seconds, bytes) was used up before all was read."""
    rtt_s: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    """float32[n]: mean round-trip time of this round's requests that were sent once; NaN where there was none."""
    sends: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint16))
    """uint16[n]: requests sent to each, those sent again included."""
    octets: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint32))
    """uint32[n]: bytes of UDP payload to and from each."""
    duplicates: dict[bytes, list[int]] = field(default_factory=dict)
    """snmpEngineIDs that several addresses claim: engineID → targets (RFC 3411 wants each engine's to be its own)."""


class RoundArrays:
    """The engine's columns for one round (see `probes.engine.walk.Walk`). Times are us since a moment before the round, never 0 where set.

    `sent`: the request under way; `began`: the first try of it; `begun`: the first request of the round; `tries` of it so far, `late`: an answer to an earlier one of them has come; `sends` and
    `octets` (both ways) in all; `srtt`, `rttvar`: RFC 6298's, lent from round to round; `rtt_sum`, `samples`: of this round.
    """

    def __init__(self, addresses: np.ndarray, communities: list[bytes], community_of: np.ndarray) -> None:
        """`addresses`: uint8[n * 28]; `communities`: at most 255 bytes each; `community_of`: int32[n]."""
        n = len(addresses) // 28
        self.n = n
        self.cursors = np.zeros((n, 12), np.uint32)
        self.ended = np.full(n, WIDE_ONLY, np.uint16)
        self.asked = np.zeros(n, np.uint16)
        self.wanted = np.zeros(n, np.uint8)
        self.asked_scalars = np.zeros(n, np.uint8)
        self.sequence = np.full(n, secrets.randbits(16), np.uint32)
        self.state = np.zeros(n, np.uint8)
        self.repetitions = np.full(n, MOST_REPETITIONS, np.uint8)
        self.width = np.full(n, 9, np.uint8)
        self.wide = np.zeros(n, np.uint8)
        self.dialect = np.zeros(n, np.uint8)
        self.proven = np.zeros(n, np.uint8)
        self.off = np.zeros(n, np.uint16)
        self.sent = np.zeros(n, np.uint32)
        self.began = np.zeros(n, np.uint32)
        self.begun = np.zeros(n, np.uint32)
        self.tries = np.zeros(n, np.uint8)
        self.heard = np.zeros(n, np.uint8)
        self.late = np.zeros(n, np.uint8)
        self.sends = np.zeros(n, np.uint16)
        self.octets = np.zeros(n, np.uint32)
        self.srtt = np.zeros(n, np.uint32)
        self.rttvar = np.zeros(n, np.uint32)
        self.rtt_sum = np.zeros(n, np.uint32)
        self.samples = np.zeros(n, np.uint16)
        self.budget_requests = np.full(n, 65535, np.uint16)
        self.budget_octets = np.full(n, 2**32 - 1, np.uint32)
        self.budget_us = np.full(n, 2**32 - 1, np.uint32)
        self.base = np.zeros(n, np.int64)
        self.count = np.zeros(n, np.int32)
        self.room = np.zeros(n, np.int32)
        self.expected = np.full(n, -1, np.int32)
        self.uptime = np.zeros(n, np.uint32)
        self.tally = np.zeros(TALLIES, np.int64)
        self.addresses = addresses
        self.communities = np.zeros((max(1, len(communities)), 256), np.uint8)
        for number, community in enumerate(communities):
            self.communities[number, : len(community)] = np.frombuffer(community, np.uint8)
        self.community_bytes = communities
        self.community_size = np.array([len(c) for c in communities] or [0], np.int32)
        self.community_of = np.ascontiguousarray(community_of, np.int32)
        self.row_index = np.zeros(0, np.int32)
        self.row_present = np.zeros(0, np.uint16)
        self.row_values = np.zeros((0, 9), np.uint64)

    def views(self, columns: tuple[tuple[str, str], ...]) -> dict[str, object]:
        """What `Walk` is made of, walking these (at most 12) columns."""
        prefixes = np.zeros((12, 16), np.uint8)
        sizes = np.zeros(12, np.uint8)
        for number, (_, oid) in enumerate(columns):
            packed = oid_bytes(oid)
            prefixes[number, : len(packed)] = np.frombuffer(packed, np.uint8)
            sizes[number] = len(packed)
        found: dict[str, object] = {name: getattr(self, name).data for name in LENT}
        found |= {"prefixes": prefixes.data, "prefix_size": sizes.data}
        found |= {"prefix_bytes": [row.tobytes() for row in prefixes], "community_bytes": self.community_bytes}
        return found

    def widen(self, rows: int) -> tuple[memoryview, memoryview, memoryview]:
        """Make the arena of ports this long, keeping what is in it; gives what `Walk.lend` takes."""
        used = min(int(self.tally[ARENA]), len(self.row_index))
        index, present, values = self.row_index, self.row_present, self.row_values
        self.row_index = np.zeros(rows, np.int32)
        self.row_present = np.zeros(rows, np.uint16)
        self.row_values = np.empty((rows, 9), np.uint64)
        self.row_index[:used] = index[:used]
        self.row_present[:used] = present[:used]
        self.row_values[:used] = values[:used]
        return self.row_index.data, self.row_present.data, self.row_values.data

    def gather(
        self, compact: Callable[[], None] | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The ports in the order of the targets: (offsets, if_index, columns, present).

        `compact` closes gaps in the arena in place (the compiled engine's); without it they are copied.
        """
        offsets = np.zeros(self.n + 1, np.int64)
        np.cumsum(self.count, out=offsets[1:])
        total = int(offsets[-1])
        places = self.base[self.count > 0]
        if compact is not None and np.all(places[1:] > places[:-1]):
            compact()
            return offsets, self.row_index[:total], self.row_values[:total], self.row_present[:total]
        rows = np.repeat(self.base - offsets[:-1], self.count) + np.arange(total, dtype=np.int64)
        return offsets, self.row_index[rows], self.row_values[rows], self.row_present[rows]
