"""A channel between the judge's process and its own child, the rounds: pickled values and file descriptors over a socket pair.

Pickle is safe here alone: both ends are one program of one user, and the socket has no name that another could open.
"""

import pickle
import socket
import struct
import threading
from typing import Any

_HEAD = struct.Struct("!QI")
"""Length of the pickle, number of file descriptors that go with it."""


class ChannelClosedError(Exception):
    """The other end is gone."""


class Channel:
    """Whole messages over a stream socket. One thread reads; any thread sends."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._sending = threading.Lock()
        self._fds: list[int] = []

    def send(self, value: Any, fds: tuple[int, ...] = ()) -> None:
        """Send one value, with file descriptors that the other end gets its own copies of. ChannelClosedError where it is gone."""
        data = pickle.dumps(value, protocol=5)
        head = _HEAD.pack(len(data), len(fds))
        try:
            with self._sending:
                if fds:
                    socket.send_fds(self.sock, [head], list(fds))
                else:
                    self.sock.sendall(head)
                self.sock.sendall(data)
        except OSError as error:
            raise ChannelClosedError(str(error)) from error

    def receive(self) -> tuple[Any, list[int]]:
        """The next value and its file descriptors, which the caller closes. ChannelClosedError at the end."""
        length, count = _HEAD.unpack(self._read(_HEAD.size))
        value = pickle.loads(self._read(length))  # from our own parent or child alone
        fds, self._fds = self._fds[:count], self._fds[count:]
        return value, fds

    def close(self) -> None:
        """End it: both ends see ChannelClosedError."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def _read(self, length: int) -> bytearray:
        data = bytearray(length)
        view, done = memoryview(data), 0
        while done < length:
            try:
                if length == _HEAD.size:
                    got, fds, _, _ = socket.recv_fds(self.sock, length - done, 4)
                    self._fds += fds
                    view[done : done + len(got)] = got
                    size = len(got)
                else:
                    size = self.sock.recv_into(view[done:])
            except OSError as error:
                raise ChannelClosedError(str(error)) from error
            if not size:
                raise ChannelClosedError("closed by the other end")
            done += size
        return data
