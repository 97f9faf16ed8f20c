"""Walking IF-MIB on many devices at once: requests composed and answers absorbed by the batch (RFC 3416 GETBULK, RFC 1157 BER).

One source, plain Python or compiled by Cython (docs/decisions/0010): 60 % of a polled switch's cost is the kernel moving packets, so what is ours
must stay near 20 ns a value. That is why this file is long: functions called for each value are inlined within a module only. A device is a row of the arrays; each column of a device has a cursor of its
own, so that a truncated answer wastes nothing. Hostile packets: every index is checked by the compiler's bounds, every length by `_open` and `_divide`.
"""

from typing import Any

import cython

from probes.engine.plain import Names, absorb, divide_scalars

if cython.compiled:
    from cython.cimports.probes.engine.sockets import EDUNET_SOURCE, memcmp, memcpy, memmove

COMPILED: bool = cython.compiled
SOURCE: bytes = EDUNET_SOURCE if cython.compiled else b""
"""Digest of the text that the compiled engine was built of."""
COLUMNS = 9
"""Values kept of a port."""
WALKED = 12
"""Columns that can be walked: the nine, and ifInOctets, ifOutOctets, ifSpeed for devices without ifXTable."""
NARROW = 0x4000
"""Bit of `present`: the octets of this port are Counter32."""
CELLS = 160
MAX_ROWS = 4096
"""Most ports kept of one device in one round; what has more is a loop."""
IDLE, FLYING, READY, DONE, LOST, SPENT = range(6)
BULK, NEXT, NEXT_V1 = range(3)
"""Of `dialect`: GETBULK of v2c, GETNEXT of v2c for agents that know no GETBULK, GETNEXT of v1."""
ARENA, VALUES, FOREIGN, BROKEN, ERRORS, LATE, LOOPS, ANSWERS, TALLIES = range(9)
UPTIME, NUMBER = 1, 2
_SCALARS = bytes.fromhex("2b060102010103002b06010201020100")
"""sysUpTime.0 and ifNumber.0, eight bytes each."""


@cython.cfunc
@cython.nogil
@cython.exceptval(-9, check=False)
def _header(data: cython.uchar[::1], at: cython.longlong, end: cython.longlong, tag: cython.int) -> cython.longlong:
    """Content position << 20 | content length of the TLV at `at` with this tag, or -1."""
    size: cython.longlong
    more: cython.int
    if at + 2 > end or data[at] != tag:
        return -1
    size = data[at + 1]
    at += 2
    if size >= 128:
        more = size & 127
        if more == 0 or more > 3 or at + more > end:
            return -1
        size = 0
        while more > 0:
            size = size << 8 | data[at]
            at += 1
            more -= 1
    if at + size > end:
        return -1
    return at << 20 | size


@cython.cfunc
@cython.nogil
@cython.exceptval(-9, check=False)
def _small(data: cython.uchar[::1], place: cython.longlong) -> cython.longlong:
    """The unsigned INTEGER of 1 to 4 bytes at a `_header` place, or -1."""
    at: cython.longlong = place >> 20
    size: cython.longlong = place & 0xFFFFF
    value: cython.longlong = 0
    if place < 0 or size < 1 or size > 4 or data[at] >= 128:
        return -1
    while size > 0:
        value = value << 8 | data[at]
        at += 1
        size -= 1
    return value


@cython.cfunc
@cython.nogil
@cython.exceptval(-9, check=False)
def _open(
    data: cython.uchar[::1],
    start: cython.longlong,
    end: cython.longlong,
    head: cython.longlong[::1],
) -> cython.longlong:
    """Read a v1/v2c message as far as its varbinds: the `_header` place of their list, or -1 for whatever is not well-formed.

    `head`: request id, error status, error index, where the community lies, its length, version, PDU tag.
    """
    at: cython.longlong
    place: cython.longlong
    k: cython.int
    place = _header(data, start, end, 0x30)
    if place < 0:
        return -1
    at = place >> 20
    end = at + (place & 0xFFFFF)
    place = _header(data, at, end, 2)
    head[5] = _small(data, place)
    if head[5] < 0 or head[5] > 1:
        return -1
    at = (place >> 20) + (place & 0xFFFFF)
    place = _header(data, at, end, 4)
    if place < 0:
        return -1
    head[3] = place >> 20
    head[4] = place & 0xFFFFF
    at = head[3] + head[4]
    if at >= end:
        return -1
    head[6] = data[at]
    place = _header(data, at, end, data[at])
    if place < 0 or head[6] < 0xA0 or head[6] > 0xA8 or head[6] == 0xA4:
        return -1
    at = place >> 20
    end = at + (place & 0xFFFFF)
    for k in range(3):
        place = _header(data, at, end, 2)
        head[k] = _small(data, place)
        if head[k] < 0:
            return -1
        at = (place >> 20) + (place & 0xFFFFF)
    place = _header(data, at, end, 0x30)
    return place


@cython.cfunc
@cython.nogil
@cython.exceptval(-9, check=False)
def _divide(data: cython.uchar[::1], place: cython.longlong, cells: cython.int[::1]) -> cython.int:
    """Take the list of varbinds at a `_header` place apart; returns their number, or -1 where it is not well-formed.

    `cells`: of each varbind OID position, OID length, value tag, value position, value length.
    """
    at: cython.longlong
    stop: cython.longlong
    inner: cython.longlong
    size: cython.longlong
    count: cython.int = 0
    k: cython.int
    if place < 0:
        return -1
    at = place >> 20
    stop = at + (place & 0xFFFFF)
    k = 0
    while at < stop:
        if count >= 160 or at + 2 > stop or data[at] != 0x30:
            return -1
        size = data[at + 1]
        if size < 128:
            at += 2
        else:
            place = _header(data, at, stop, 0x30)
            if place < 0:
                return -1
            at = place >> 20
            size = place & 0xFFFFF
        inner = at + size
        if inner > stop or at + 2 > inner or data[at] != 6:
            return -1
        size = data[at + 1]
        if size < 128:
            at += 2
        else:
            place = _header(data, at, inner, 6)
            if place < 0:
                return -1
            at = place >> 20
            size = place & 0xFFFFF
        if at + size + 2 > inner:
            return -1
        cells[k] = at
        cells[k + 1] = size
        at += size
        cells[k + 2] = data[at]
        size = data[at + 1]
        if size < 128:
            at += 2
        else:
            place = _header(data, at, inner, data[at])
            if place < 0:
                return -1
            at = place >> 20
            size = place & 0xFFFFF
        if at + size != inner:
            return -1
        cells[k + 3] = at
        cells[k + 4] = size
        at = inner
        k += 5
        count += 1
    return count


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-9, check=False)
def _is_number(data: cython.uchar[::1], tag: cython.int, at: cython.longlong, size: cython.longlong) -> cython.int:
    """1 where the value is a non-negative number that fits its type (RFC 2578): anything else is absent, not zero."""
    if size < 1:
        return 0
    if tag == 2:
        return 1 if size <= 4 and data[at] < 128 else 0
    if tag == 0x46:
        return 1 if size <= 8 or (size == 9 and data[at] == 0) else 0
    if tag == 0x41 or tag == 0x42 or tag == 0x43:
        return 1 if size <= 4 or (size == 5 and data[at] == 0) else 0
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _number(data: cython.uchar[::1], at: cython.longlong, size: cython.longlong) -> cython.ulonglong:
    """The big-endian number of up to 9 bytes whose first is 0 where there are 9 (`_is_number` said so)."""
    if not cython.compiled:
        return int.from_bytes(data[at : at + size], "big")
    value: cython.ulonglong = 0
    while size > 0:
        value = value << 8 | data[at]
        at += 1
        size -= 1
    return value


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-9, check=False)
def _index(data: cython.uchar[::1], at: cython.longlong, size: cython.longlong) -> cython.longlong:
    """The single sub-identifier that fills these bytes, or -1 (none, several, or beyond 31 bits)."""
    value: cython.longlong = 0
    byte: cython.int
    if size == 1:
        return data[at] if data[at] < 128 else -1
    if size < 1 or size > 5:
        return -1
    while size > 0:
        byte = data[at]
        value = value << 7 | (byte & 127)
        size -= 1
        at += 1
        if (byte < 128) != (size == 0):
            return -1
    return value if value <= 0x7FFFFFFF else -1


def decode(packet: bytes) -> tuple | None:
    """A v1/v2c message as (version, community, PDU tag, request id, error status, error index, varbinds), None if it is broken.

    A varbind is (OID bytes, value tag, value bytes, number or None). Requests with ids beyond 31 bits count as broken: ours have 31.
    """
    head_store = bytearray(8 * 8)
    cells_store = bytearray(4 * 5 * CELLS)
    head: cython.longlong[::1] = memoryview(head_store).cast("q")
    cells: cython.int[::1] = memoryview(cells_store).cast("i")
    if cython.compiled:
        data: cython.uchar[::1] = bytearray(packet or b"\0")
    else:
        data = packet or b"\0"
    count: cython.int = _divide(data, _open(data, 0, len(packet), head), cells)
    if count < 0:
        return None
    varbinds = []
    k: cython.int
    for k in range(count):
        where = cells[k * 5 + 3]
        size = cells[k * 5 + 4]
        tag = cells[k * 5 + 2]
        number = _number(data, where, size) if _is_number(data, tag, where, size) else None
        oid = packet[cells[k * 5] : cells[k * 5] + cells[k * 5 + 1]]
        varbinds.append((oid, tag, packet[where : where + size], number))
    return head[5], packet[head[3] : head[3] + head[4]], head[6], head[0], head[1], head[2], varbinds


def _shift_plainly(index: Any, present: Any, values: Any, source: int, to: int, count: int) -> None:
    """Move `count` rows, of which the two places may overlap: what three memmoves do where compiled."""
    index[to : to + count] = index[source : source + count]
    present[to : to + count] = present[source : source + count]
    rows = [[values[source + i, c] for c in range(COLUMNS)] for i in range(count)]
    for i in range(count):
        for c in range(COLUMNS):
            values[to + i, c] = rows[i][c]


@cython.cclass
class Walk:
    """The state of a round over n devices, in columns, and what moves it on. No clock, no socket: the caller has both.

    Arrays are lent by the caller as memoryviews (shapes in `probes/snmp/poll_state.py`) and stay his.
    """

    prefixes: cython.uchar[:, ::1]
    prefix_size: cython.uchar[::1]
    communities: cython.uchar[:, ::1]
    community_size: cython.int[::1]
    community_of: cython.int[::1]
    addresses: cython.uchar[::1]
    cursors: cython.uint[:, ::1]
    ended: cython.ushort[::1]
    asked: cython.ushort[::1]
    wanted: cython.uchar[::1]
    asked_scalars: cython.uchar[::1]
    sequence: cython.uint[::1]
    state: cython.uchar[::1]
    repetitions: cython.uchar[::1]
    width: cython.uchar[::1]
    wide: cython.uchar[::1]
    dialect: cython.uchar[::1]
    proven: cython.uchar[::1]
    off: cython.ushort[::1]
    sent: cython.uint[::1]
    began: cython.uint[::1]
    begun: cython.uint[::1]
    tries: cython.uchar[::1]
    heard: cython.uchar[::1]
    late: cython.uchar[::1]
    sends: cython.ushort[::1]
    octets: cython.uint[::1]
    srtt: cython.uint[::1]
    rttvar: cython.uint[::1]
    rtt_sum: cython.uint[::1]
    samples: cython.ushort[::1]
    budget_requests: cython.ushort[::1]
    budget_octets: cython.uint[::1]
    budget_us: cython.uint[::1]
    base: cython.longlong[::1]
    count: cython.int[::1]
    room: cython.int[::1]
    expected: cython.int[::1]
    uptime: cython.uint[::1]
    row_index: cython.int[::1]
    row_present: cython.ushort[::1]
    row_values: cython.ulonglong[:, ::1]
    cells: cython.int[::1]
    head: cython.longlong[::1]
    tally: cython.longlong[::1]
    scalars: cython.uchar[::1]
    plain_prefixes: list
    plain_communities: list
    plain_names: object
    plain_values: object
    low_words: cython.ulonglong[12]
    high_words: cython.ulonglong[12]
    key: cython.uint
    bits: cython.int
    devices: cython.longlong

    def __init__(self, arrays: dict, key: int) -> None:
        if len(arrays["addresses"]) != 28 * len(arrays["state"]) or max(arrays["prefix_size"]) > 16:
            raise ValueError("28 bytes of address for each device, names of at most 16 bytes")
        if arrays["prefixes"].shape != (12, 16) or arrays["communities"].shape[1] != 256:
            raise ValueError("the names are uint8[12, 16], the communities uint8[k, 256]")
        self.prefixes = arrays["prefixes"]
        self.prefix_size = arrays["prefix_size"]
        self.communities = arrays["communities"]
        self.community_size = arrays["community_size"]
        self.community_of = arrays["community_of"]
        self.addresses = arrays["addresses"]
        self.cursors = arrays["cursors"]
        self.ended = arrays["ended"]
        self.asked = arrays["asked"]
        self.wanted = arrays["wanted"]
        self.asked_scalars = arrays["asked_scalars"]
        self.sequence = arrays["sequence"]
        self.state = arrays["state"]
        self.repetitions = arrays["repetitions"]
        self.width = arrays["width"]
        self.wide = arrays["wide"]
        for name in ("dialect", "proven", "off", "sent", "began", "begun", "tries", "heard", "late", "sends", "octets"):
            if len(arrays[name]) != len(arrays["state"]):
                raise ValueError(f"{name} has another length")
        self.dialect = arrays["dialect"]
        self.proven = arrays["proven"]
        self.off = arrays["off"]
        self.sent = arrays["sent"]
        self.began = arrays["began"]
        self.begun = arrays["begun"]
        self.tries = arrays["tries"]
        self.heard = arrays["heard"]
        self.late = arrays["late"]
        self.sends = arrays["sends"]
        self.octets = arrays["octets"]
        self.srtt = arrays["srtt"]
        self.rttvar = arrays["rttvar"]
        self.rtt_sum = arrays["rtt_sum"]
        self.samples = arrays["samples"]
        self.budget_requests = arrays["budget_requests"]
        self.budget_octets = arrays["budget_octets"]
        self.budget_us = arrays["budget_us"]
        self.base = arrays["base"]
        self.count = arrays["count"]
        self.room = arrays["room"]
        self.expected = arrays["expected"]
        self.uptime = arrays["uptime"]
        self.tally = arrays["tally"]
        self.cells = memoryview(bytearray(4 * 5 * CELLS)).cast("i")
        self.head = memoryview(bytearray(8 * 8)).cast("q")
        self.scalars = memoryview(bytearray(_SCALARS))
        self.devices = len(arrays["state"])
        self.plain_prefixes = [bytes(p[: arrays["prefix_size"][c]]) for c, p in enumerate(arrays["prefix_bytes"])]
        if cython.compiled:
            c: cython.int
            for c in range(12):
                self._note_words(c)
        self.plain_communities = arrays["community_bytes"]
        if not cython.compiled:
            self.plain_names = Names(self.plain_prefixes)
        self.bits = max(1, (len(arrays["state"]) - 1).bit_length())
        self.key = key & 0x3FFFFFFF

    @cython.cfunc
    def _note_words(self, c: cython.int) -> cython.int:
        """The first and last 8 bytes of a prefix as they stand in memory; of a column that is not walked: zeros."""
        low: cython.ulonglong = 0
        high: cython.ulonglong = 0
        if self.prefix_size[c] >= 8:
            memcpy(cython.address(low), cython.address(self.prefixes[c, 0]), 8)
            memcpy(cython.address(high), cython.address(self.prefixes[c, self.prefix_size[c] - 8]), 8)
        elif self.prefix_size[c]:
            raise ValueError("a column's OID of fewer than 8 bytes")
        self.low_words[c] = low
        self.high_words[c] = high
        return 0

    def lend(self, row_index: Any, row_present: Any, row_values: Any) -> None:
        """Give the arena of rows (again, larger): `tally[ARENA]` rows of it are used."""
        if not len(row_index) == len(row_present) == len(row_values):
            raise ValueError("the arena's columns differ in length")
        self.row_index = row_index
        self.row_present = row_present
        self.row_values = row_values
        if not cython.compiled:
            self.plain_values = row_values.cast("B").cast("Q")

    def compact(self) -> None:
        """Close the gaps between the devices' rows. Only where their places in the arena ascend: the caller has seen to that."""
        device: cython.longlong
        to: cython.longlong = 0
        with cython.nogil:
            for device in range(self.devices):
                if self.count[device] == 0:
                    continue
                if self.base[device] > to:
                    self._shift(self.base[device], to, self.count[device])
                    self.base[device] = to
                to += self.count[device]

    def compose(
        self,
        devices: cython.int[::1],
        count: cython.Py_ssize_t,
        packets: cython.uchar[::1],
        size: cython.Py_ssize_t,
        lengths: cython.int[::1],
        now: cython.uint = 1,
    ) -> None:
        """Write the next request of each of `devices[:count]` into `packets`, and mark them FLYING, as sent at `now` (us, not 0).

        A GETBULK (GETNEXT, as `dialect` says) of the columns that have not ended, each from its own cursor; a GET of the scalars alone where
        none is left to walk.
        """
        i: cython.Py_ssize_t
        if count * size > packets.shape[0] or size < 1024:
            raise ValueError("more packets than the batch holds")
        if count > devices.shape[0] or count > lengths.shape[0]:
            raise ValueError("more devices than given")
        with cython.nogil:
            for i in range(count):
                lengths[i] = self._compose(devices[i], packets, i * size)
                self._note_sent(devices[i], lengths[i], now)

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _note_sent(self, device: cython.int, size: cython.int, now: cython.uint) -> cython.int:
        """What the timers and the budgets need of a request."""
        tries: cython.int = self.tries[device]
        self.sent[device] = now
        if tries == 0:
            self.began[device] = now
            if self.begun[device] == 0:
                self.begun[device] = now
        if tries < 255:
            self.tries[device] = tries + 1
        self.sends[device] += 1  # never beyond 65,535: that is the largest budget
        self.octets[device] += size
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _note_answer(self, device: cython.int, size: cython.longlong, now: cython.uint) -> cython.int:
        """The round-trip time by RFC 6298 (2.3, in us), of requests that were sent once only (Karn); the octets; the tries begin again."""
        rtt: cython.longlong
        mean: cython.longlong
        spread: cython.longlong
        if self.tries[device] == 1:
            rtt = now - self.sent[device]
            mean = self.srtt[device]
            if mean:
                spread = self.rttvar[device]
                spread += ((mean - rtt if mean > rtt else rtt - mean) - spread) >> 2
                mean += (rtt - mean) >> 3
            else:
                spread = rtt >> 1
                mean = rtt
            self.srtt[device] = mean if mean > 0 else 1
            self.rttvar[device] = spread
            self.rtt_sum[device] += rtt
            self.samples[device] += 1
        self.tries[device] = 0
        self.late[device] = 0
        self.heard[device] = 1
        self.octets[device] += size
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _note_late(self, device: cython.int, now: cython.uint) -> cython.int:
        """An answer to an earlier try of what is asked now (or about to be): it lives, it is slow, and works on the last try; so the timer starts again.

        That its round trip was no longer than from the first try until now is all that is known.
        """
        rtt: cython.longlong = now - self.began[device]
        if 0 <= rtt < 1 << 30:
            if self.srtt[device] < rtt:
                self.srtt[device] = rtt
            if self.rttvar[device] < rtt >> 2:
                self.rttvar[device] = rtt >> 2
            if self.samples[device] < 65535:
                self.rtt_sum[device] += rtt
                self.samples[device] += 1
        if self.dialect[device] == 0 and self.asked[device] and self.head[1] == 0:
            self.proven[device] = 1
        self.sent[device] = now
        self.heard[device] = 1
        self.late[device] = 1
        return 0

    def note_report(self, device: cython.int, now: cython.uint) -> None:
        """A v3 agent has spoken, but not answered yet (its engine, its clock): it lives, it is as slow as that took, and works on what it was asked last.

        No life and no measurement where the device is not being asked.
        """
        rtt: cython.longlong
        if device < 0 or device >= self.devices or self.state[device] != 1:
            return
        rtt = now - self.began[device]
        if 0 <= rtt < 1 << 30 and self.srtt[device] < rtt and (self.tries[device] > 1 or self.srtt[device] == 0):
            self.srtt[device] = rtt if rtt > 0 else 1
            if self.rttvar[device] < rtt >> 2:
                self.rttvar[device] = rtt >> 2
        self.late[device] = 1 if self.tries[device] > 1 else self.late[device]
        self.sent[device] = now

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _mind_budget(self, device: cython.int, now: cython.uint) -> cython.int:
        """SPENT where it would be asked again, but its budget of this round is used up: what came is kept."""
        if self.state[device] == 2 and (
            self.sends[device] >= self.budget_requests[device]
            or self.octets[device] >= self.budget_octets[device]
            or now - self.begun[device] >= self.budget_us[device]
        ):
            self.state[device] = 5
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _compose(self, device: cython.int, out: cython.uchar[::1], start: cython.Py_ssize_t) -> cython.int:
        order: cython.int[12] = [0] * 12
        c: cython.int
        k: cython.int
        n: cython.int
        body: cython.int = 0
        columns: cython.int = 0
        asked: cython.int = 0
        bulk: cython.int
        plain: cython.int = 1 if self.dialect[device] else 0
        scalars: cython.int
        community: cython.int
        repetitions: cython.int
        wanted: cython.int = self.wanted[device]
        at: cython.Py_ssize_t = start
        cursor: cython.uint
        ended: cython.int = self.ended[device]
        width: cython.int = self.width[device]
        if width == 1 and wanted:
            width = 0  # so little can it answer: the scalars alone first
        for c in range(12):
            if not ended >> c & 1 and columns < width:
                order[columns] = c
                columns += 1
                asked |= 1 << c
                body += 6 + self.prefix_size[c] + _index_size(self.cursors[device, c])
        bulk = 1 if columns else 0
        scalars = (wanted & 1) + (wanted >> 1 & 1)
        body += scalars * (14 - bulk)
        repetitions = self._repetitions(device, order[0], order[columns - 1] if columns else 0)
        self.sequence[device] += 1
        community = self.community_of[device]
        k = self.community_size[community]
        n = 12 + (1 if body < 128 else 2 if body < 256 else 3) + 1 + body
        inner: cython.int = 3 + 2 + k + 1 + (1 if n < 128 else 2 if n < 256 else 3) + n
        at = _put(out, at, 0x30, inner)
        at = _put(out, at, 2, 1)
        out[at] = 0 if self.dialect[device] == 2 else 1
        at = _put(out, at + 1, 4, k)
        if cython.compiled:
            if k:
                memcpy(cython.address(out[at]), cython.address(self.communities[community, 0]), k)
        else:
            out[at : at + k] = self.plain_communities[community]
        at = _put(out, at + k, 0xA0 if not bulk else 0xA1 if plain else 0xA5, n)
        at = _put(out, at, 2, 4)
        cursor = self._request_id(device)
        out[at] = cursor >> 24
        out[at + 1] = cursor >> 16 & 255
        out[at + 2] = cursor >> 8 & 255
        out[at + 3] = cursor & 255
        at = _put(out, at + 4, 2, 1)
        out[at] = scalars if bulk and not plain else 0
        at = _put(out, at + 1, 2, 1)
        out[at] = repetitions if bulk and not plain else 0
        at = _put(out, at + 1, 0x30, body)
        for c in range(2):
            if wanted >> c & 1:
                at = _put(out, at, 0x30, 12 - bulk)
                at = _put(out, at, 6, 8 - bulk)
                for k in range(8 - bulk):
                    out[at + k] = self.scalars[c * 8 + k]
                at += 8 - bulk
                out[at] = 5
                out[at + 1] = 0
                at += 2
        for k in range(columns):
            c = order[k]
            n = self.prefix_size[c]
            cursor = self.cursors[device, c]
            body = n + _index_size(cursor)
            at = _put(out, at, 0x30, body + 4)
            at = _put(out, at, 6, body)
            if cython.compiled:
                memcpy(cython.address(out[at]), cython.address(self.prefixes[c, 0]), n)
            else:
                out[at : at + n] = self.plain_prefixes[c]
            at = _put_index(out, at + n, cursor)
            out[at] = 5
            out[at + 1] = 0
            at += 2
        self.asked[device] = asked
        self.asked_scalars[device] = wanted
        self.state[device] = 1
        return at - start

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _repetitions(self, device: cython.int, first: cython.int, last: cython.int) -> cython.int:
        """Rows to ask for: what the device can answer, and no more than it is thought to have left, plus one that shows the end."""
        most: cython.int = self.repetitions[device]
        left: cython.int = self.expected[device] - self.count[device]
        if (
            self.expected[device] <= 0
            or left <= 0
            or (self.cursors[device, last] == 0 and self.cursors[device, first] != 0)
        ):
            return most
        left += 1
        if self.cursors[device, first] != self.cursors[device, last]:
            left += 1
        return left if left < most else most

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _request_id(self, device: cython.int) -> cython.uint:
        """31 bits, the upper one set so that it has always four bytes; nobody who does not know `key` can guess it."""
        mixed: cython.uint = (self.sequence[device] << self.bits) & 0x3FFFFFFF | device
        return 0x40000000 | (mixed ^ self.key)

    def absorb(
        self,
        packets: cython.uchar[::1],
        size: cython.Py_ssize_t,
        lengths: cython.int[::1],
        sources: cython.uchar[::1],
        first: cython.Py_ssize_t,
        count: cython.Py_ssize_t,
        answered: cython.int[::1],
        now: cython.uint = 1,
    ) -> tuple:
        """Take answers `first`..`count`-1 in, at `now` (us): (how far it got, how many of `answered` it wrote: devices READY, DONE or SPENT now).

        It stops early only where the arena has no room for what the next packet may hold: lend a larger one and call again.
        """
        i: cython.Py_ssize_t = first
        found: cython.Py_ssize_t = 0
        device: cython.int
        if count * size > packets.shape[0] or count > lengths.shape[0] or count * 28 > sources.shape[0]:
            raise ValueError("more packets than the batch holds")
        if count - first > answered.shape[0]:
            raise ValueError("no room for the answered")
        with cython.nogil:
            while i < count:
                if lengths[i] < 0:
                    device = -1
                    self.tally[3] += 1
                elif cython.compiled:
                    device = self._take(packets, i * size, i * size + lengths[i], sources, i * 28, now)
                else:
                    data = bytes(packets[i * size : i * size + lengths[i]]) or b"\0"
                    device = self._take(data, 0, lengths[i], sources, i * 28, now)
                if device == -2:
                    break
                if device >= 0:
                    answered[found] = device
                    found += 1
                i += 1
        return i, found

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _take(
        self,
        data: cython.uchar[::1],
        start: cython.longlong,
        end: cython.longlong,
        sources: cython.uchar[::1],
        source: cython.Py_ssize_t,
        now: cython.uint,
    ) -> cython.int:
        """The device that this packet answers, -1 for none (counted why), -2 for no room."""
        place: cython.longlong = _open(data, start, end, self.head)
        device: cython.int = self._admit(place, data, sources, source, now)
        cells: cython.int
        if device < 0:
            return -1
        if self.row_index.shape[0] - self.tally[0] < 2 * (self.count[device] + 160 + 64):
            return -2
        if not cython.compiled and self.head[1] == 0 and self._short_cut(device, data, place):
            self._note_answer(device, end - start, now)
            self._mind_budget(device, now)
            return device
        cells = _divide(data, place, self.cells)
        if cells < 0:
            self.tally[3] += 1
            return -1
        self.tally[7] += 1
        self.state[device] = 2
        self._note_answer(device, end - start, now)
        if self.head[1] != 0:
            self._refused(device)
        else:
            self._apply(device, data, cells)
        self._mind_budget(device, now)
        return device

    def _short_cut(self, device: int, data: Any, place: int) -> bool:
        """What `plain.absorb` can do with the answer, the plain engine leaves to it: whether it did."""
        at, end = place >> 20, (place >> 20) + (place & 0xFFFFF)
        before = self.tally[1], self.wanted[device], self.uptime[device], self.expected[device]
        scalars = self.asked_scalars[device].bit_count()
        if scalars:
            at = divide_scalars(data, at, end, scalars, self.cells)
            if at < 0:
                return False
            self._scalars(device, data, scalars)
        if not absorb(self, device, data, at, end, self.asked[device]):
            self.tally[1], self.wanted[device], self.uptime[device], self.expected[device] = before
            return False
        self.wanted[device] = 0
        self.tally[7] += 1
        self.state[device] = 2
        self._settle(device)
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _admit(
        self,
        place: cython.longlong,
        data: cython.uchar[::1],
        sources: cython.uchar[::1],
        source: cython.Py_ssize_t,
        now: cython.uint,
    ) -> cython.int:
        """The device that the message just opened answers, or -1 (counted why): broken, foreign, late."""
        device: cython.longlong
        behind: cython.uint
        mixed: cython.uint
        if place < 0:
            self.tally[3] += 1
            return -1
        mixed = self.head[0] ^ self.key
        device = mixed & ((1 << self.bits) - 1)
        if self.head[0] < 0x40000000 or device >= self.devices or self.head[6] != 0xA2:
            self.tally[2] += 1
            return -1
        if self.head[5] != (0 if self.dialect[device] == 2 else 1):
            self.tally[2] += 1
            return -1
        if not self._from(device, data, sources, source):
            self.tally[2] += 1
            return -1
        if self.state[device] != 1 or self.head[0] != self._request_id(device):
            self.tally[5] += 1
            behind = (self.sequence[device] - (mixed >> self.bits)) & (0x3FFFFFFF >> self.bits)
            if behind < self.tries[device] and (self.state[device] == 2 or (self.state[device] == 1 and behind)):
                self._note_late(device, now)
            return -1
        return device

    def admit(self, packet: bytes, source: bytes, now: cython.uint = 1) -> int:
        """The device that this answer is of, now READY, for callers that read its varbinds themselves; -1 for none (counted why).

        `source`: the sockaddr it came from, 28 bytes. `now`: us.
        """
        sender: cython.uchar[::1] = memoryview(bytearray(source.ljust(28, b"\0")))
        if cython.compiled:
            data: cython.uchar[::1] = bytearray(packet or b"\0")
        else:
            data = packet or b"\0"
        place: cython.longlong = _open(data, 0, len(packet), self.head)
        device: cython.int = self._admit(place, data, sender, 0, now)
        if device >= 0 and _divide(data, place, self.cells) < 0:
            self.tally[3] += 1
            return -1
        if device >= 0:
            self.tally[7] += 1
            self.state[device] = 2
            self._note_answer(device, len(packet), now)
            if self.head[1] != 0:
                self._refused(device)
            self._mind_budget(device, now)
        return device

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _from(
        self, device: cython.longlong, data: cython.uchar[::1], sources: cython.uchar[::1], source: cython.Py_ssize_t
    ) -> cython.int:
        """1 where address, port and community are those that were asked."""
        address: cython.longlong = device * 28
        community: cython.int = self.community_of[device]
        size: cython.int = self.community_size[community]
        if self.head[4] != size:
            return 0
        at: cython.longlong = self.head[3]
        if cython.compiled:
            if size and memcmp(cython.address(data[at]), cython.address(self.communities[community, 0]), size) != 0:
                return 0
            if self.addresses[address] == 2:
                return memcmp(cython.address(self.addresses[address]), cython.address(sources[source]), 8) == 0
            return (
                memcmp(cython.address(self.addresses[address]), cython.address(sources[source]), 4) == 0
                and memcmp(cython.address(self.addresses[address + 8]), cython.address(sources[source + 8]), 16) == 0
            )
        if data[at : at + size] != self.plain_communities[community]:
            return 0
        if self.addresses[address] == 2:
            return self.addresses[address : address + 8] == sources[source : source + 8]
        return (
            self.addresses[address : address + 4] == sources[source : source + 4]
            and self.addresses[address + 8 : address + 24] == sources[source + 8 : source + 24]
        )

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _refused(self, device: cython.int) -> cython.int:
        """An error status: the end of a column where GETNEXT says noSuchName (RFC 1157 4.1.3), else a reason to ask for less."""
        c: cython.int
        left: cython.longlong = self.head[2]
        if self.head[1] == 2 and left > 0 and (self.dialect[device] or self.asked[device] == 0):
            for c in range(2):
                if self.asked_scalars[device] >> c & 1:
                    left -= 1
                    if left == 0:
                        self.wanted[device] &= ~(1 << c) & 3
            for c in range(12):
                if self.asked[device] >> c & 1:
                    left -= 1
                    if left == 0:
                        self.ended[device] |= 1 << c
            if left <= 0:
                self._settle(device)
                return 0
        self.tally[4] += 1
        self._shrink(device)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _shrink(self, device: cython.int) -> cython.int:
        """Ask this device for less from now on: fewer rows, then GETNEXT, then fewer columns, then nothing but its scalars."""
        if self.dialect[device] == 0 and self.repetitions[device] > 1:
            self.repetitions[device] >>= 1
        elif self.dialect[device] == 0 and not self.proven[device] and self.head[1] != 1 and self.asked[device]:
            self.dialect[device] = 1
        elif self.width[device] > 1:
            self.width[device] >>= 1
        elif self.asked_scalars[device] & 2:
            self.wanted[device] &= 253
        else:
            self.ended[device] |= self.asked[device]
            if self.asked[device] == 0:
                self.wanted[device] = 0
            self._settle(device)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _apply(self, device: cython.int, data: cython.uchar[::1], count: cython.int) -> cython.int:
        """Keep every value of a well-formed answer; move the cursors; find out which columns have ended."""
        order: cython.int[12] = [0] * 12
        columns: cython.int = 0
        c: cython.int
        k: cython.int
        position: cython.int = 0
        row: cython.longlong = -1
        index: cython.longlong
        seen: cython.longlong = -1
        asked: cython.int = self.asked[device]
        ended: cython.int = self.ended[device]
        cells: cython.int[::1] = self.cells
        prefix: cython.longlong
        at: cython.longlong
        size: cython.longlong
        tag: cython.int
        kept: cython.longlong = 0
        low: cython.ulonglong = 0
        high: cython.ulonglong = 0
        k = self._scalars(device, data, count)
        for c in range(12):
            if asked >> c & 1:
                order[columns] = c
                columns += 1
        if columns and k == count:
            ended |= asked  # the scalars came and not one row: nothing there, or nothing that may be seen
        while k < count and columns:
            c = order[position]
            position += 1
            if position == columns:
                position = 0
            k += 1
            if ended >> c & 1:
                continue
            at = cells[k * 5 - 5]
            size = cells[k * 5 - 4]
            tag = cells[k * 5 - 3]
            prefix = self.prefix_size[c]
            index = -1
            if size > prefix >= 8 and tag < 0x80:
                if cython.compiled:
                    # Two words that overlap, for a prefix has 8 to 16 bytes: a third of what a call of memcmp costs.
                    memcpy(cython.address(low), cython.address(data[at]), 8)
                    memcpy(cython.address(high), cython.address(data[at + prefix - 8]), 8)
                    if low == self.low_words[c] and high == self.high_words[c]:
                        index = _index(data, at + prefix, size - prefix)
                elif data.startswith(self.plain_prefixes[c], at):
                    index = _index(data, at + prefix, size - prefix)
            if index <= self.cursors[device, c]:
                ended |= 1 << c
                if index >= 0 and self.cursors[device, c]:
                    self.tally[6] += 1
                continue
            self.cursors[device, c] = index
            at = cells[k * 5 - 2]
            size = cells[k * 5 - 1]
            if not _is_number(data, tag, at, size):
                continue
            if index != seen:
                row = self._row(device, index)
                seen = index
                if row < 0:
                    ended = 0xFFF
                    self.tally[6] += 1
                    break
            kept += 1
            self._keep(row, c, _number(data, at, size))
            if c == 2 or c == 3:
                self.wide[device] = 1
        self.tally[1] += kept
        self.ended[device] = ended
        if kept and self.dialect[device] == 0:
            self.proven[device] = 1
        self._settle(device)
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _keep(self, row: cython.longlong, column: cython.int, value: cython.ulonglong) -> cython.int:
        if column < 9:
            self.row_values[row, column] = value
            self.row_present[row] |= 1 << column
        elif column < 11:
            self.row_values[row, column - 7] = value
            self.row_present[row] |= 1 << (column - 7) | 0x4000
        else:
            self.row_values[row, 8] = value // 1000000
            self.row_present[row] |= 0x100
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _scalars(self, device: cython.int, data: cython.uchar[::1], count: cython.int) -> cython.int:
        """Keep sysUpTime and ifNumber where they were asked; returns how many varbinds they took."""
        k: cython.int = 0
        c: cython.int
        at: cython.longlong
        asked: cython.int = self.asked_scalars[device]
        value: cython.ulonglong
        for c in range(2):
            if not asked >> c & 1 or k >= count:
                continue
            at = self.cells[k * 5]
            if self.cells[k * 5 + 1] == 8 and self._is_scalar(data, at, c):
                at = self.cells[k * 5 + 3]
                if _is_number(data, self.cells[k * 5 + 2], at, self.cells[k * 5 + 4]):
                    value = _number(data, at, self.cells[k * 5 + 4])
                    if c == 0 and value >> 32 == 0:
                        self.uptime[device] = value
                        self.tally[1] += 1
                    elif c and self.expected[device] <= 0:
                        self.expected[device] = 4096 if value > 4096 else value
            k += 1
        self.wanted[device] = 0
        return k

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _is_scalar(self, data: cython.uchar[::1], at: cython.longlong, which: cython.int) -> cython.int:
        if not cython.compiled:
            return data.startswith(_SCALARS[which * 8 : which * 8 + 8], at)
        return memcmp(cython.address(data[at]), cython.address(self.scalars[which * 8]), 8) == 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _settle(self, device: cython.int) -> cython.int:
        """DONE where no column is left; a device that has rows but no 64-bit octets is walked for the 32-bit ones (no ifXTable)."""
        if self.ended[device] & 0xE0C == 0xE0C and not self.wide[device] and self.count[device]:
            self.ended[device] = self.ended[device] & 0x1FF | self.off[device]
            self.wide[device] = 2
        if self.ended[device] & 0xFFF == 0xFFF and self.wanted[device] == 0:
            self.state[device] = 3
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _row(self, device: cython.int, index: cython.int) -> cython.longlong:
        """The arena row of this device's ifIndex, made in order where it is new; -1 where the device has too many."""
        base: cython.longlong = self.base[device]
        count: cython.int = self.count[device]
        low: cython.int = 0
        high: cython.int = count
        middle: cython.int
        if count and self.row_index[base + count - 1] < index:
            low = count
        while low < high:
            middle = (low + high) >> 1
            if self.row_index[base + middle] < index:
                low = middle + 1
            else:
                high = middle
        if low < count and self.row_index[base + low] == index:
            return base + low
        if count >= 4096:
            return -1
        if count >= self.room[device]:
            base = self._move(device)
        if low < count:
            self._shift(base + low, base + low + 1, count - low)
        self.row_index[base + low] = index
        self.row_present[base + low] = 0
        for middle in range(9):
            self.row_values[base + low, middle] = 0
        self.count[device] = count + 1
        return base + low

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _move(self, device: cython.int) -> cython.longlong:
        """A (larger) place of its own in the arena for this device; `_take` has seen to it that there is room."""
        base: cython.longlong = self.tally[0]
        count: cython.int = self.count[device]
        room: cython.int = count * 2
        if room < self.expected[device] and count == 0:
            room = self.expected[device]
        if room < 8:
            room = 8
        if room > self.row_index.shape[0] - base:
            room = self.row_index.shape[0] - base
        if count:
            self._shift(self.base[device], base, count)
        self.base[device] = base
        self.room[device] = room
        self.tally[0] = base + room
        return base

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _shift(self, source: cython.longlong, to: cython.longlong, count: cython.longlong) -> cython.int:
        """Move `count` rows; the two places may overlap."""
        last: cython.longlong = count - 1
        if cython.compiled:
            # Touch the last row of both through the bounds check, then move as one.
            self.row_present[to + last] = self.row_present[to + last] | self.row_present[source + last] & 0
            memmove(cython.address(self.row_index[to]), cython.address(self.row_index[source]), count * 4)
            memmove(cython.address(self.row_present[to]), cython.address(self.row_present[source]), count * 2)
            memmove(cython.address(self.row_values[to, 0]), cython.address(self.row_values[source, 0]), count * 72)
            return 0
        _shift_plainly(self.row_index, self.row_present, self.row_values, source, to, count)
        return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-9, check=False)
def _index_size(value: cython.uint) -> cython.int:
    """Bytes of a sub-identifier; none for 0, the start of a column."""
    if value == 0:
        return 0
    return 1 if value < 128 else 2 if value < 16384 else 3 if value < 2097152 else 4 if value < 268435456 else 5


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-9, check=False)
def _put_index(out: cython.uchar[::1], at: cython.Py_ssize_t, value: cython.uint) -> cython.Py_ssize_t:
    left: cython.int = _index_size(value)
    while left > 0:
        left -= 1
        out[at] = value >> (7 * left) & 127 | (128 if left else 0)
        at += 1
    return at


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-9, check=False)
def _put(out: cython.uchar[::1], at: cython.Py_ssize_t, tag: cython.int, size: cython.int) -> cython.Py_ssize_t:
    """A TLV header in its shortest form; returns where the content begins."""
    out[at] = tag
    if size < 128:
        out[at + 1] = size
        return at + 2
    if size < 256:
        out[at + 1] = 0x81
        out[at + 2] = size
        return at + 3
    out[at + 1] = 0x82
    out[at + 2] = size >> 8
    out[at + 3] = size & 255
    return at + 4
