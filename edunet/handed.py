"""Sockets that systemd handed over (sd_listen_fds(3)): those for traps, bound to UDP 162 without a privilege of ours."""

import os
import socket
from collections.abc import Mapping

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
