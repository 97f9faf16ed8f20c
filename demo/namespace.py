"""A network namespace of the demonstration's own, and its silenced addresses, without any external program.

In it the kernel answers ping on all of 127.0.0.0/8, and a blackhole route in the table `local` silences one address: a send to it
fails with EINVAL (ip-route(8), rtnetlink(7)). `python -m demo.namespace PID COMMAND...` runs a command in the namespace of PID.
"""

import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1

RTM_NEWROUTE, RTM_DELROUTE, NLMSG_ERROR = 24, 25, 2
NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE = 0x1, 0x4, 0x400, 0x100
RT_TABLE_LOCAL, RTPROT_STATIC, RTN_BLACKHOLE, RTA_DST = 255, 4, 6, 1
BATCH = 256
"""Route messages in one datagram; each is acknowledged."""

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(sig: int = signal.SIGKILL) -> None:
    """Have the kernel send `sig` to this process when its parent dies (prctl(2)); a change of namespaces forgets it."""
    _libc.prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0)


def enter_new() -> str | None:
    """Move this process, which must have one thread, into a new network namespace with `lo` up. None, or why it is refused.

    Root tries without a user namespace first: in one it would lose its rights over others' files.
    """
    uid, gid = os.geteuid(), os.getegid()
    refusal = "" if uid == 0 and _unshare(CLONE_NEWNET) else None
    if refusal is None:
        if not _unshare(CLONE_NEWUSER | CLONE_NEWNET):
            return f"unshare: {os.strerror(ctypes.get_errno())}"
        try:
            _map_root(uid, gid)
        except OSError as error:
            return f"uid_map: {error}"
    try:
        _loopback_up()
    except OSError as error:
        return f"lo: {error}"
    return None


def join(pid: int) -> None:
    """Move this process, which must have one thread, into the namespaces of process `pid`. OSError where it may not."""
    for kind, flag in (("user", CLONE_NEWUSER), ("net", CLONE_NEWNET)):
        theirs, ours = Path(f"/proc/{pid}/ns/{kind}"), Path(f"/proc/self/ns/{kind}")
        if theirs.readlink() == ours.readlink():
            continue
        with theirs.open("rb") as file:
            if _libc.setns(file.fileno(), flag) != 0:
                number = ctypes.get_errno()
                raise OSError(number, f"setns {kind}: {os.strerror(number)}")


class Silencer:
    """Blackhole routes for silent addresses, through one rtnetlink socket of the current namespace."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._sequence = 0
        self.silent: frozenset[int] = frozenset()

    def set(self, addresses: Iterable[int]) -> None:
        """Silence exactly these addresses (IPv4 as numbers) from now on. OSError where the kernel refuses."""
        wanted = frozenset(addresses)
        self._change(sorted(wanted - self.silent), RTM_NEWROUTE)
        self._change(sorted(self.silent - wanted), RTM_DELROUTE)
        self.silent = wanted

    def close(self) -> None:
        """Close the socket; the routes stay as long as the namespace."""
        self._socket.close()

    def _change(self, addresses: Sequence[int], kind: int) -> None:
        for start in range(0, len(addresses), BATCH):
            part = addresses[start : start + BATCH]
            self._socket.send(b"".join(self._message(address, kind) for address in part))
            self._acknowledged(len(part), kind)

    def _message(self, address: int, kind: int) -> bytes:
        self._sequence += 1
        flags = NLM_F_REQUEST | NLM_F_ACK | (NLM_F_CREATE | NLM_F_REPLACE if kind == RTM_NEWROUTE else 0)
        route = struct.pack("=BBBBBBBBI", socket.AF_INET, 32, 0, 0, RT_TABLE_LOCAL, RTPROT_STATIC, 0, RTN_BLACKHOLE, 0)
        body = route + struct.pack("=HH", 8, RTA_DST) + address.to_bytes(4, "big")
        return struct.pack("=IHHII", 16 + len(body), kind, flags, self._sequence, 0) + body

    def _acknowledged(self, wanted: int, kind: int) -> None:
        while wanted > 0:
            data = self._socket.recv(65536)
            while len(data) >= 16:
                size, message = struct.unpack_from("=IH", data)
                if message == NLMSG_ERROR:
                    wanted -= 1
                    number = -struct.unpack_from("=i", data, 16)[0]
                    if number not in (0, errno.EEXIST if kind == RTM_NEWROUTE else errno.ESRCH):
                        raise OSError(number, f"route: {os.strerror(number)}")
                data = data[(size + 3) & ~3 :]


def _unshare(flags: int) -> bool:
    return int(_libc.unshare(flags)) == 0


def _map_root(uid: int, gid: int) -> None:
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def _main() -> None:
    if len(sys.argv) < 3:
        sys.exit("usage: python -m demo.namespace PID COMMAND...")
    join(int(sys.argv[1]))
    die_with_parent(signal.SIGTERM)
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    _main()
