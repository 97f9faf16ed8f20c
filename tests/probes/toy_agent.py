"""A toy SNMP agent on a thread: a table of our own, with the bad habits that a test wants."""

import socket
import threading
from bisect import bisect_right
from collections.abc import Callable

from probes import engine
from probes.snmp.poll_state import oid_bytes

Table = dict[tuple[int, ...], tuple[int, bytes]]
_decode = engine.load("walk", "python").decode


def oid(text: str) -> tuple[int, ...]:
    """Dotted numbers as a tuple."""
    return tuple(int(part) for part in text.split("."))


def number(tag: int, value: int) -> tuple[int, bytes]:
    """An INTEGER (2), Counter32 (0x41), Gauge32 (0x42), TimeTicks (0x43) or Counter64 (0x46)."""
    return tag, value.to_bytes(value.bit_length() // 8 + 1, "big")


def tlv(tag: int, content: bytes) -> bytes:
    """BER with the shortest length."""
    n = len(content)
    head = bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else bytes([0x82, n >> 8, n & 255])
    return bytes([tag]) + head + content


def message(
    request_id: int,
    varbinds: list[tuple[bytes, int, bytes]],
    *,
    version: int = 1,
    community: bytes = b"public",
    error: int = 0,
    index: int = 0,
    pdu: int = 0xA2,
) -> bytes:
    """A response."""
    bindings = b"".join(tlv(0x30, tlv(6, name) + tlv(tag, content)) for name, tag, content in varbinds)
    body = tlv(2, request_id.to_bytes(4, "big")) + tlv(2, bytes([error])) + tlv(2, bytes([index])) + tlv(0x30, bindings)
    return tlv(0x30, tlv(2, bytes([version])) + tlv(4, community) + tlv(pdu, body))


class ToyTable:
    """Answers GET, GETNEXT and GETBULK out of `table`.

    `most`: bindings that it can put into one answer; asked for more it says tooBig. `size`: bytes after which an answer is cut short.
    `next_only`: what it does with GETBULK: "" answers, "silent" nothing, "genErr" says so. v1 ends with noSuchName (RFC 1157).
    """

    def __init__(self, table: Table, *, most: int = 10_000, size: int = 1472, next_only: str = "") -> None:
        self.names = sorted(table)
        self.table = table
        self.most, self.size, self.next_only = most, size, next_only

    def answer(self, asked: tuple) -> bytes:
        """The response to one request; empty: none."""
        version, community, pdu, request_id, first, second, bindings = asked
        names = [_oid_tuple(name) for name, *_ in bindings]
        if pdu == 0xA5 and (self.next_only or version == 0):
            error = 5 if self.next_only == "genErr" else 0
            return message(request_id, [], version=version, community=community, error=error) if error else b""
        if pdu == 0xA5:
            found = [self._next(name) for name in names[:first]]
            rows = names[first:]
            for _ in range(second):
                step = [self._next(name) for name in rows]
                rows = [_oid_tuple(name) for name, *_ in step]
                found += step
        elif pdu == 0xA1:
            found = [self._next(name) for name in names]
        else:
            found = [(oid_bytes(".".join(map(str, name))), *self.table.get(name, (0x80, b""))) for name in names]
        absent = [number for number, (_, tag, _) in enumerate(found, 1) if tag >= 0x80]
        if version == 0 and absent:
            return message(request_id, [], version=0, community=community, error=2, index=absent[0])
        if len(found) > self.most:
            return message(request_id, [], version=version, community=community, error=1)
        made = message(request_id, found, version=version, community=community)
        while len(made) > self.size:
            found.pop()
            made = message(request_id, found, version=version, community=community)
        return made

    def _next(self, name: tuple[int, ...]) -> tuple[bytes, int, bytes]:
        place = bisect_right(self.names, name)
        if place >= len(self.names):
            return oid_bytes(".".join(map(str, name))), 0x82, b""
        found = self.names[place]
        return oid_bytes(".".join(map(str, found))), *self.table[found]


class ToyAgent(ToyTable):
    """A `ToyTable` on an address of its own until `close`.

    `before`: called with (socket, peer, message, answer) before each answer; where it returns True nothing more is sent.
    """

    def __init__(
        self,
        table: Table,
        *,
        host: str = "127.0.0.1",
        most: int = 10_000,
        size: int = 1472,
        next_only: str = "",
        before: Callable[[socket.socket, tuple, tuple, bytes], bool] | None = None,
    ) -> None:
        super().__init__(table, most=most, size=size, next_only=next_only)
        self.before = before
        self.requests: list[tuple] = []
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.settimeout(0.1)
        self.host, self.port = host, self.socket.getsockname()[1]
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> "ToyAgent":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()
        self.socket.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                data, peer = self.socket.recvfrom(65535)
            except TimeoutError:
                continue
            asked = _decode(data)
            if asked is None or asked[1] != b"public":
                continue
            self.requests.append(asked)
            answer = self.answer(asked)
            if answer and (self.before is None or not self.before(self.socket, peer, asked, answer)):
                self.socket.sendto(answer, peer)


def _oid_tuple(content: bytes) -> tuple[int, ...]:
    numbers, value = [content[0] // 40, content[0] % 40], 0
    for byte in content[1:]:
        value = value << 7 | byte & 127
        if byte < 128:
            numbers.append(value)
            value = 0
    return tuple(numbers)


def if_table(indexes: list[int], *, wide: bool = True, uptime: int = 123_456) -> Table:
    """sysUpTime and IF-MIB rows: port i has 10^12 + i octets in (i where narrow), i errors in, names `GE0/i`."""
    table: Table = {oid("1.3.6.1.2.1.1.3.0"): number(0x43, uptime), oid("1.3.6.1.2.1.2.1.0"): number(2, len(indexes))}
    for i in indexes:
        columns = {
            2: (4, f"GigabitEthernet0/{i}".encode()),
            5: number(0x42, 100_000_000),
            7: number(2, 1),
            8: number(2, 2),
        }
        columns |= {10: number(0x41, i % 1000), 16: number(0x41, i % 1000 + 1)}
        columns |= {13: number(0x41, 13), 14: number(0x41, i % 1000), 19: number(0x41, 19), 20: number(0x41, 20)}
        table |= {(*oid("1.3.6.1.2.1.2.2.1"), c, i): value for c, value in columns.items()}
        if wide:
            extra = {1: (4, f"GE0/{i}".encode()), 6: number(0x46, 10**12 + i), 10: number(0x46, 2**63 + i)}
            extra |= {15: number(0x42, 1000), 18: (4, "机房".encode("gbk"))}
            table |= {(*oid("1.3.6.1.2.1.31.1.1.1"), c, i): value for c, value in extra.items()}
    return table
