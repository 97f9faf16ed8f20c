"""Sockets for ICMP: raw where that is allowed, else datagram ("ping sockets", Linux's net.ipv4.ping_group_range)."""

import ctypes
import errno
import secrets
import socket
import struct
from dataclasses import dataclass

from probes.engine.channel import Channel

SO_ATTACH_FILTER = 26
SO_TIMESTAMPNS = 35
ICMP6_FILTER = 1
ECHO_REPLY, ECHO_REPLY_6 = 0, 129
ECHO_REQUEST, ECHO_REQUEST_6 = 8, 128


@dataclass
class IcmpSocket:
    """A channel and how its packets look."""

    channel: Channel
    ident: int
    request: int
    reply: int
    ip_header: bool
    """Whether received packets begin with the IPv4 header (raw IPv4 sockets)."""


def open_socket(method: str, wide: bool, engine: str = "") -> IcmpSocket:
    """A socket of that method ("raw" or "dgram") and family with an id of its own; OSError where it is not allowed or not there."""
    family = socket.AF_INET6 if wide else socket.AF_INET
    protocol = socket.IPPROTO_ICMPV6 if wide else socket.IPPROTO_ICMP
    kind = socket.SOCK_RAW if method == "raw" else socket.SOCK_DGRAM
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if method == "dgram":
            sock.bind(("::" if wide else "0.0.0.0", 0))
            ident = sock.getsockname()[1]
        else:
            ident = 1 + secrets.randbelow(0xFFFE)
            if wide:
                _only_replies_6(sock)
            else:
                _only_replies(sock, ident)
        channel = Channel(sock, size=128, buffer_bytes=8 << 20, engine=engine)
    except OSError:
        sock.close()
        raise
    return IcmpSocket(
        channel,
        ident,
        ECHO_REQUEST_6 if wide else ECHO_REQUEST,
        ECHO_REPLY_6 if wide else ECHO_REPLY,
        method == "raw" and not wide,
    )


def is_allowed(method: str) -> bool:
    """Whether this process may open such a socket, and send with it."""
    try:
        found = open_socket(method, wide=False)
    except OSError:
        return False
    with found.channel as channel:
        try:
            channel.socket.sendto(struct.pack(">BBHHH", 8, 0, 0xF7FF, 0, 0), ("127.0.0.1", 0))
        except OSError as failure:
            return failure.errno not in (errno.EPERM, errno.EACCES)
    return True


def _only_replies(sock: socket.socket, ident: int) -> None:
    """Let the kernel drop what is no echo reply with our id: a raw socket hears everybody's ICMP, on loopback its own requests too."""
    program = (
        (0xB1, 0, 0, 0),  # ldxb 4*([0]&0xf): the length of the IPv4 header
        (0x50, 0, 0, 0),  # ldb [x + 0]: type
        (0x15, 0, 3, ECHO_REPLY),  # jeq, else drop
        (0x48, 0, 0, 4),  # ldh [x + 4]: id
        (0x15, 0, 1, ident),
        (0x06, 0, 0, 0xFFFF),  # keep
        (0x06, 0, 0, 0),  # drop
    )
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code)
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(buffer)))


def _only_replies_6(sock: socket.socket) -> None:
    """RFC 3542 3.2: a bit that is set blocks a type."""
    words = [0xFFFFFFFF] * 8
    words[ECHO_REPLY_6 >> 5] &= ~(1 << (ECHO_REPLY_6 & 31)) & 0xFFFFFFFF
    sock.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, struct.pack("=8I", *words))
