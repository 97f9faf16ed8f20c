"""Traps as the supervisor sees them: sockets that systemd handed over (sd_listen_fds(3)), and where the collector says that it hears them."""

import http.client
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path

FIRST = 3
NAME = "trap"
"""FileDescriptorName of `deploy/systemd/edunet-trap.socket`."""


def trap_sockets(environment: Mapping[str, str] = os.environ, pid: int | None = None) -> tuple[int, ...]:
    """Descriptors of the UDP sockets named `trap`; none where the environment is another process's."""
    try:
        if int(environment.get("LISTEN_PID", "0")) != (os.getpid() if pid is None else pid):
            return ()
        count = int(environment.get("LISTEN_FDS", "0"))
    except ValueError:
        return ()
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    found = []
    for number in range(count):
        if number < len(names) and names[number] == NAME and _is_udp(FIRST + number):
            found.append(FIRST + number)
    return tuple(found)


def _is_udp(descriptor: int) -> bool:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as sock:
            return sock.type == socket.SOCK_DGRAM and sock.family in (socket.AF_INET, socket.AF_INET6)
    except OSError:
        return False


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("collector", timeout=1.0)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask_where(path: Path) -> tuple[list[str], list[str]] | None:
    """(sockets, what could not be had) as the collector behind this socket says; None while it does not know, or is not there."""
    connection = _Connection(path)
    try:
        connection.request("GET", "/feed")
        traps = json.loads(connection.getresponse().read()).get("traps", {})
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    known = traps.get("off") or "plan_version" in traps
    return (list(traps.get("listening", [])), list(traps.get("trouble", []))) if known else None
