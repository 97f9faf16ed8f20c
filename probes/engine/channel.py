"""A socket with the buffers of one batch in each direction, on either engine."""

import os
import select
import socket
import struct
from types import TracebackType

import numpy as np

from probes import engine as engines

SO_RCVBUFFORCE = 33
SO_MEMINFO = 55
_DROPS = 8
"""SK_MEMINFO_DROPS of linux/sock_diag.h: datagrams that the receive buffer had no room for."""


class Channel:
    """Sends and receives datagrams by the batch. Owns its socket. Not for two threads at once."""

    def __init__(
        self, sock: socket.socket, *, size: int = 2048, buffer_bytes: int = 32 << 20, engine: str = ""
    ) -> None:
        """`size`: bytes of the longest packet kept. `buffer_bytes`: the receive buffer wished for (SO_RCVBUFFORCE where allowed)."""
        self.wire = engines.load("wire", engine or None)  # type: ignore[arg-type]  # "" and None both mean the running one
        self.socket = sock
        sock.setblocking(False)
        self.buffer_bytes = _widen(sock, buffer_bytes)
        self.size = size
        batch, address = self.wire.BATCH, self.wire.ADDRESS
        self.batch = batch
        self.out = np.zeros(batch * size, np.uint8).data
        self.out_lengths = np.zeros(batch, np.int32).data
        self.target_numbers = np.zeros(batch, np.int32)
        self.targets = self.target_numbers.data
        self.error_numbers = np.zeros(batch, np.int32)
        self.errors = self.error_numbers.data
        self.left_ns = np.zeros(batch, np.int64)
        self.left = self.left_ns.data
        self.into = np.zeros(batch * size, np.uint8).data
        self.into_lengths = np.zeros(batch, np.int32).data
        self.sources = np.zeros(batch * address, np.uint8).data
        self.came_ns = np.zeros(batch, np.int64)
        self.came = self.came_ns.data
        self._poll = select.poll()
        self._poll.register(sock.fileno(), select.POLLIN)

    def send(self, addresses: memoryview, count: int) -> int:
        """Send packets 0..count-1 of `out`, packet i to address number `targets[i]`; see `wire.send`."""
        sent: int = self.wire.send(
            self.socket,
            self.out,
            self.size,
            self.out_lengths,
            addresses,
            self.targets,
            count,
            self.errors,
            self.left,
        )
        return sent

    def receive(self) -> int:
        """Take up to a batch of what has arrived into `into`; see `wire.receive`."""
        count: int = self.wire.receive(
            self.socket, self.into, self.size, self.into_lengths, self.sources, self.came, self.batch
        )
        return count

    def wait(self, seconds: float) -> bool:
        """Wait until something has arrived, at most so long; whole milliseconds, rounded up."""
        return bool(self._poll.poll(max(0.0, seconds) * 1000))

    def dropped(self) -> int:
        """Datagrams lost so far because the receive buffer was full; 0 where the kernel does not say."""
        try:
            info = self.socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36)
        except OSError:
            return 0
        return int(struct.unpack("9I", info)[_DROPS]) if len(info) == 36 else 0

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def __enter__(self) -> "Channel":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _widen(sock: socket.socket, wished: int) -> int:
    """Make the receive buffer as large as allowed; returns the bytes that the kernel counts."""
    for option, allowed in ((SO_RCVBUFFORCE, os.geteuid() == 0), (socket.SO_RCVBUF, True)):
        if not allowed:
            continue
        try:
            sock.setsockopt(socket.SOL_SOCKET, option, wished)
            break
        except OSError:
            continue
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def pack_addresses(addresses: list[tuple[str, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Numeric hosts and ports as (uint8[n * 28] of sockaddrs, bool[n]: is IPv6). ValueError names the first that is no address."""
    packed = bytearray()
    wide = np.zeros(len(addresses), np.bool_)
    heads = {port: struct.pack("=H", socket.AF_INET) + struct.pack(">H", port) for port in {p for _, p in addresses}}
    tail = bytes(20)
    for number, (host, port) in enumerate(addresses):
        try:
            packed += heads[port] + socket.inet_pton(socket.AF_INET, host) + tail
            continue
        except OSError:
            pass
        bare, _, zone = host.partition("%")
        try:
            sixteen = socket.inet_pton(socket.AF_INET6, bare)
            scope = int(zone) if zone.isdigit() else socket.if_nametoindex(zone) if zone else 0
        except OSError:
            raise ValueError(f"not an address: {host!r}") from None
        wide[number] = True
        packed += struct.pack("=H", socket.AF_INET6) + struct.pack(">HI", port, 0) + sixteen + struct.pack("=I", scope)
    return np.frombuffer(packed, np.uint8).copy(), wide
