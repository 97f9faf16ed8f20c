"""Pings by the batch: ICMP and ICMPv6 echo requests composed, replies matched and timed (RFC 792, RFC 4443).

One source, plain Python or compiled by Cython (docs/decisions/0010). A reply counts only where source address, id, sequence number, the round's
cookie, the target's number and the probe's number all fit; what else arrives is counted and dropped.
"""

import cython

if cython.compiled:
    from cython.cimports.probes.engine.sockets import EDUNET_SOURCE, memcmp

COMPILED: bool = cython.compiled
SOURCE: bytes = EDUNET_SOURCE if cython.compiled else b""
"""Digest of the text that the compiled engine was built of."""
PACKET = 24
"""Bytes of an echo request: 8 of header, then cookie (8), target number (4), probe number (2), two zeros."""
MOST_PROBES = 64
"""Most probes to one target in one round."""
FOREIGN, BROKEN, AGAIN, REPLIES, TALLIES = range(5)


@cython.cclass
class Echo:
    """The state of a round over n targets, in columns lent by the caller (`probes/icmp/loop.py`)."""

    addresses: cython.uchar[::1]
    sent: cython.ushort[::1]
    received: cython.ushort[::1]
    seen: cython.ulonglong[::1]
    left: cython.longlong[:, ::1]
    best: cython.float[::1]
    last: cython.float[::1]
    wander: cython.float[::1]
    failed: cython.uchar[::1]
    tally: cython.longlong[::1]
    cookie: cython.ulonglong
    first: cython.int
    targets: cython.longlong
    probes: cython.int

    def __init__(self, arrays: dict, cookie: int, first: int) -> None:
        """`cookie`: 64 secret bits of this round; `first`: its first sequence number."""
        self.addresses = arrays["addresses"]
        self.sent = arrays["sent"]
        self.received = arrays["received"]
        self.seen = arrays["seen"]
        self.left = arrays["left"]
        self.best = arrays["best"]
        self.last = arrays["last"]
        self.wander = arrays["wander"]
        self.failed = arrays["failed"]
        self.tally = arrays["tally"]
        self.cookie = cookie
        self.first = first & 0xFFFF
        self.targets = len(arrays["sent"])
        self.probes = arrays["left"].shape[1]

    def compose(
        self,
        targets: cython.int[::1],
        count: cython.Py_ssize_t,
        packets: cython.uchar[::1],
        size: cython.Py_ssize_t,
        lengths: cython.int[::1],
        kind: cython.int,
        ident: cython.int,
    ) -> None:
        """Write the next probe of each of `targets[:count]`; `kind` is 8 (ICMP) or 128 (ICMPv6)."""
        i: cython.Py_ssize_t
        if count * size > packets.shape[0] or size < PACKET or count > targets.shape[0] or count > lengths.shape[0]:
            raise ValueError("more packets than the batch holds")
        with cython.nogil:
            for i in range(count):
                self._compose(targets[i], packets, i * size, kind, ident)
                lengths[i] = 24

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _compose(
        self,
        target: cython.int,
        out: cython.uchar[::1],
        at: cython.Py_ssize_t,
        kind: cython.int,
        ident: cython.int,
    ) -> cython.int:
        k: cython.int
        number: cython.int = self.sent[target]
        sequence: cython.int = (self.first + number) & 0xFFFF
        total: cython.int = 0
        out[at] = kind
        out[at + 1] = 0
        out[at + 2] = 0
        out[at + 3] = 0
        out[at + 4] = ident >> 8 & 255
        out[at + 5] = ident & 255
        out[at + 6] = sequence >> 8
        out[at + 7] = sequence & 255
        for k in range(8):
            out[at + 8 + k] = self.cookie >> (56 - 8 * k) & 255
        out[at + 16] = target >> 24 & 255
        out[at + 17] = target >> 16 & 255
        out[at + 18] = target >> 8 & 255
        out[at + 19] = target & 255
        out[at + 20] = number >> 8
        out[at + 21] = number & 255
        out[at + 22] = 0
        out[at + 23] = 0
        for k in range(12):
            total += out[at + 2 * k] << 8 | out[at + 2 * k + 1]
        total = (total >> 16) + (total & 0xFFFF)
        total += total >> 16
        total = ~total & 0xFFFF
        out[at + 2] = total >> 8
        out[at + 3] = total & 255
        self.sent[target] = number + 1
        return 0

    def mark(
        self, targets: cython.int[::1], count: cython.Py_ssize_t, errors: cython.int[::1], stamps: cython.longlong[::1]
    ) -> int:
        """Note when the probes just composed left, or why they could not; returns how many were held back (and are unsent again)."""
        i: cython.Py_ssize_t
        held: cython.int = 0
        target: cython.int
        number: cython.int
        if count > targets.shape[0] or count > errors.shape[0] or count > stamps.shape[0]:
            raise ValueError("more packets than the batch holds")
        with cython.nogil:
            for i in range(count):
                target = targets[i]
                number = self.sent[target] - 1
                if errors[i] < 0:
                    self.sent[target] = number
                    held += 1
                    continue
                if errors[i]:
                    self.failed[target] = errors[i] if errors[i] < 256 else 255
                if number < self.probes:
                    self.left[target, number] = stamps[i]
        return held

    def absorb(
        self,
        packets: cython.uchar[::1],
        size: cython.Py_ssize_t,
        lengths: cython.int[::1],
        sources: cython.uchar[::1],
        stamps: cython.longlong[::1],
        count: cython.Py_ssize_t,
        kind: cython.int,
        ident: cython.int,
        ip_header: cython.bint,
        now_ns: cython.longlong,
    ) -> int:
        """Take replies in; returns how many counted. `kind`: 0 (ICMP) or 129; `now_ns` stands in where the kernel gave no stamp."""
        i: cython.Py_ssize_t
        good: cython.int = 0
        came: cython.longlong
        if count * size > packets.shape[0] or count > lengths.shape[0] or count * 28 > sources.shape[0]:
            raise ValueError("more packets than the batch holds")
        if count > stamps.shape[0]:
            raise ValueError("more packets than stamps")
        with cython.nogil:
            for i in range(count):
                came = stamps[i] if stamps[i] else now_ns
                good += self._take(packets, i * size, lengths[i], sources, i * 28, kind, ident, ip_header, came)
        return good

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _take(
        self,
        data: cython.uchar[::1],
        at: cython.Py_ssize_t,
        length: cython.Py_ssize_t,
        sources: cython.uchar[::1],
        source: cython.Py_ssize_t,
        kind: cython.int,
        ident: cython.int,
        ip_header: cython.bint,
        came: cython.longlong,
    ) -> cython.int:
        """1 where this packet is the first answer to one of our probes."""
        skip: cython.int
        k: cython.int
        cookie: cython.ulonglong = 0
        target: cython.longlong
        number: cython.int
        sequence: cython.int
        if ip_header:
            skip = (data[at] & 15) * 4 if length >= 20 else 0
            if skip < 20 or skip > length:
                self.tally[1] += 1
                return 0
            at += skip
            length -= skip
        if length < 24:
            self.tally[1] += 1
            return 0
        for k in range(8):
            cookie = cookie << 8 | data[at + 8 + k]
        target = 0
        for k in range(4):
            target = target << 8 | data[at + 16 + k]
        number = data[at + 20] << 8 | data[at + 21]
        sequence = data[at + 6] << 8 | data[at + 7]
        if (
            data[at] != kind
            or data[at + 1] != 0
            or (data[at + 4] << 8 | data[at + 5]) != ident
            or cookie != self.cookie
            or target >= self.targets
            or number >= self.probes
            or sequence != (self.first + number) & 0xFFFF
        ):
            self.tally[0] += 1
            return 0
        if number >= self.sent[target] or not self._from(target, sources, source):
            self.tally[0] += 1
            return 0
        if self.seen[target] >> number & 1:
            self.tally[2] += 1
            return 0
        self.seen[target] |= cython.cast(cython.ulonglong, 1) << number
        self._time(target, came - self.left[target, number])
        self.tally[3] += 1
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _from(self, target: cython.longlong, sources: cython.uchar[::1], source: cython.Py_ssize_t) -> cython.int:
        """1 where the packet came from the target's own address."""
        address: cython.longlong = target * 28
        if not cython.compiled:
            if self.addresses[address] == 2:
                return self.addresses[address + 4 : address + 8] == sources[source + 4 : source + 8]
            return self.addresses[address + 8 : address + 24] == sources[source + 8 : source + 24]
        if self.addresses[address] == 2:
            return memcmp(cython.address(self.addresses[address + 4]), cython.address(sources[source + 4]), 4) == 0
        return memcmp(cython.address(self.addresses[address + 8]), cython.address(sources[source + 8]), 16) == 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-9, check=False)
    def _time(self, target: cython.longlong, elapsed_ns: cython.longlong) -> cython.int:
        """Keep the best RTT and the sum of the differences between successive ones. A stepped clock makes no RTT below 1 us."""
        rtt: cython.float = elapsed_ns * 1e-9 if elapsed_ns > 1000 else 1e-6
        count: cython.int = self.received[target]
        if count == 0 or rtt < self.best[target]:
            self.best[target] = rtt
        if count:
            self.wander[target] += rtt - self.last[target] if rtt > self.last[target] else self.last[target] - rtt
        self.last[target] = rtt
        self.received[target] = count + 1
        return 0
