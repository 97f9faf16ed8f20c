"""Life by a TCP connection to a port declared for the device: many at once, within a deadline."""

import errno
import select
import socket
import time
from collections import deque
from collections.abc import Iterable

IN_FLIGHT = 400
"""Connections that are tried at once."""


def tcp_alive(
    wanted: Iterable[tuple[int, str, tuple[int, ...], bool]], deadline_s: float, patience_s: float = 1.0
) -> set[int]:
    """Which targets answer. wanted: (number, address, ports, whether a reset counts as life).

    A connection, and where it counts a reset, is an answer; everything else is none: a firewall resets for others too.
    """
    return _Sweep(time.monotonic() + deadline_s, patience_s).run(wanted)


class _Sweep:
    def __init__(self, until: float, patience_s: float) -> None:
        self.until, self.patience_s = until, patience_s
        self.alive: set[int] = set()
        self.open: dict[int, tuple[socket.socket, int, bool, float]] = {}
        self.poll = select.poll()

    def run(self, wanted: Iterable[tuple[int, str, tuple[int, ...], bool]]) -> set[int]:
        waiting = deque((number, address, port, reset) for number, address, ports, reset in wanted for port in ports)
        try:
            while (waiting or self.open) and time.monotonic() < self.until:
                while waiting and len(self.open) < IN_FLIGHT:
                    self._begin(*waiting.popleft())
                self._collect()
        finally:
            for sock, *_ in self.open.values():
                sock.close()
        return self.alive

    def _begin(self, number: int, address: str, port: int, reset: bool) -> None:
        if number in self.alive:
            return
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        code = sock.connect_ex((address, port))
        if code in (0, errno.EINPROGRESS):
            self.open[sock.fileno()] = (sock, number, reset, time.monotonic() + self.patience_s)
            self.poll.register(sock, select.POLLOUT)
            return
        sock.close()
        if code == errno.ECONNREFUSED and reset:
            self.alive.add(number)

    def _collect(self) -> None:
        for fd, _ in self.poll.poll(50):
            sock, number, reset, _until = self.open[fd]
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0 or (code == errno.ECONNREFUSED and reset):
                self.alive.add(number)
            self._end(fd)
        now = time.monotonic()
        for fd in [fd for fd, (*_, until) in self.open.items() if until < now]:
            self._end(fd)

    def _end(self, fd: int) -> None:
        self.poll.unregister(fd)
        self.open.pop(fd)[0].close()
