"""Moving datagrams by the batch: `sendmmsg` and `recvmmsg` where compiled, socket calls one by one where not.

One source (Cython's pure mode): as plain Python the C branches are never entered. Measured in docs/decisions/0010.
Buffers are flat: packet i lies at `i * size`, its sockaddr at `i * ADDRESS`.
"""

import errno as codes
import socket
import struct
import time
from typing import Any

import cython

if cython.compiled:
    from cython.cimports.probes.engine.sockets import (
        CLOCK_REALTIME,
        CMSG_DATA,
        CMSG_FIRSTHDR,
        CMSG_NXTHDR,
        EAGAIN,
        ECONNREFUSED,
        EDUNET_SOURCE,
        EINTR,
        ENOBUFS,
        MSG_DONTWAIT,
        MSG_TRUNC,
        SCM_TIMESTAMPNS,
        SOL_SOCKET,
        clock_gettime,
        cmsghdr,
        errno,
        iovec,
        memcpy,
        mmsghdr,
        recvmmsg,
        sendmmsg,
        timespec,
    )

COMPILED: bool = cython.compiled
SOURCE: bytes = EDUNET_SOURCE if cython.compiled else b""
"""Digest of the text that the compiled engine was built of."""
BATCH = 128
"""Most packets moved by one call."""
ADDRESS = 28
"""Bytes kept for a packed sockaddr (`sockaddr_in6` is the longest)."""
SO_TIMESTAMPNS = 35
_ANCILLARY = 128


def send(
    sock: socket.socket,
    packets: cython.uchar[::1],
    size: cython.Py_ssize_t,
    lengths: cython.int[::1],
    addresses: cython.uchar[::1],
    targets: cython.int[::1],
    count: cython.Py_ssize_t,
    errors: cython.int[::1],
    stamps: cython.longlong[::1],
) -> int:
    """Send packets 0..count-1, packet i to the sockaddr of target `targets[i]`; returns how many left.

    `errors[i]` is 0 or the errno of a packet that could not be sent (a blackholed route: EINVAL) and was passed over; `stamps[i]` is
    when it left, in ns since the epoch, interpolated inside a batch. EAGAIN and ENOBUFS end the batch early: the rest has `errors[i] == -1`.
    """
    if count > BATCH or count * size > packets.shape[0]:
        raise ValueError("more packets than the batch holds")
    if addresses.shape[0] % ADDRESS:
        raise ValueError("an address is cut")
    if cython.compiled:
        return _send_batch(sock.fileno(), packets, size, lengths, addresses, targets, count, errors, stamps)
    return _send_singly(sock, packets, size, lengths, addresses, targets, count, errors, stamps)


def _send_singly(
    sock: socket.socket,
    packets: Any,
    size: int,
    lengths: Any,
    addresses: Any,
    targets: Any,
    count: int,
    errors: Any,
    stamps: Any,
) -> int:
    """What `_send_batch` does, a system call for each packet."""
    done = 0
    family = sock.family
    for i in range(count):
        at = targets[i] * ADDRESS
        packed = bytes(addresses[at : at + ADDRESS])
        errors[i] = 0
        stamps[i] = time.time_ns()
        try:
            sock.sendto(packets[i * size : i * size + lengths[i]], unpack_address(packed, family))
            done += 1
        except OSError as failure:
            if failure.errno in (codes.EAGAIN, codes.ENOBUFS):
                for j in range(i, count):
                    errors[j] = -1
                break
            errors[i] = failure.errno or codes.EINVAL
    return done


@cython.cfunc
def _send_batch(
    fd: cython.int,
    packets: cython.uchar[::1],
    size: cython.Py_ssize_t,
    lengths: cython.int[::1],
    addresses: cython.uchar[::1],
    targets: cython.int[::1],
    count: cython.Py_ssize_t,
    errors: cython.int[::1],
    stamps: cython.longlong[::1],
) -> cython.Py_ssize_t:
    messages: mmsghdr[128]
    vectors: iovec[128]
    before: timespec
    after: timespec
    i: cython.Py_ssize_t
    first: cython.Py_ssize_t = 0
    done: cython.Py_ssize_t = 0
    moved: cython.int
    code: cython.int
    start: cython.longlong
    step: cython.longlong
    refused: cython.int = 0
    with cython.nogil:
        for i in range(count):
            vectors[i].iov_base = cython.address(packets[i * size])
            vectors[i].iov_len = min(lengths[i], size)
            messages[i].msg_hdr.msg_name = cython.address(addresses[targets[i] * 28])
            messages[i].msg_hdr.msg_namelen = 16 if addresses[targets[i] * 28] == 2 else 28
            messages[i].msg_hdr.msg_iov = cython.address(vectors[i])
            messages[i].msg_hdr.msg_iovlen = 1
            messages[i].msg_hdr.msg_control = cython.NULL
            messages[i].msg_hdr.msg_controllen = 0
            messages[i].msg_hdr.msg_flags = 0
            errors[i] = 0
        if count:
            errors[count - 1] = 0
            stamps[count - 1] = 0
        while first < count:
            clock_gettime(CLOCK_REALTIME, cython.address(before))
            moved = sendmmsg(fd, cython.address(messages[first]), cython.cast(cython.uint, count - first), MSG_DONTWAIT)
            code = errno
            start = cython.cast(cython.longlong, before.tv_sec) * 1000000000 + before.tv_nsec
            if moved > 0:
                clock_gettime(CLOCK_REALTIME, cython.address(after))
                step = (cython.cast(cython.longlong, after.tv_sec) * 1000000000 + after.tv_nsec - start) // moved
                for i in range(moved):
                    stamps[first + i] = start + step * i
                first += moved
                done += moved
                continue
            if code == EINTR:
                continue
            if (
                code == ECONNREFUSED and refused < 64
            ):  # an earlier packet's ICMP error, reported late: nothing wrong with this one
                refused += 1
                continue
            if code == EAGAIN or code == ENOBUFS:
                for i in range(first, count):
                    errors[i] = -1
                break
            errors[first] = code
            stamps[first] = start
            first += 1
    return done


def receive(
    sock: socket.socket,
    packets: cython.uchar[::1],
    size: cython.Py_ssize_t,
    lengths: cython.int[::1],
    addresses: cython.uchar[::1],
    stamps: cython.longlong[::1],
    limit: cython.Py_ssize_t,
) -> int:
    """Take what has arrived, without waiting: packet i into `packets`, its source into `addresses`; returns how many.

    `lengths[i]` is -1 where the packet was longer than `size`. `stamps[i]` is the kernel's receive time in ns since the epoch
    (SO_TIMESTAMPNS), 0 where it gave none.
    """
    if limit > BATCH or limit * size > packets.shape[0] or limit * ADDRESS > addresses.shape[0]:
        raise ValueError("more packets than the batch holds")
    if cython.compiled:
        return _receive_batch(sock.fileno(), packets, size, lengths, addresses, stamps, limit)
    return _receive_singly(sock, packets, size, lengths, addresses, stamps, limit)


def _receive_singly(
    sock: socket.socket, packets: Any, size: int, lengths: Any, addresses: Any, stamps: Any, limit: int
) -> int:
    """What `_receive_batch` does, a system call for each packet."""
    count = 0
    while count < limit:
        try:
            got, ancillary, flags, source = sock.recvmsg_into([packets[count * size : (count + 1) * size]], _ANCILLARY)
        except (BlockingIOError, InterruptedError):
            break
        except OSError as failure:
            if failure.errno == codes.ECONNREFUSED:
                continue
            break
        lengths[count] = -1 if flags & socket.MSG_TRUNC else got
        stamps[count] = 0
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= 16:
                seconds, nanoseconds = struct.unpack("qq", data[:16])
                stamps[count] = seconds * 1_000_000_000 + nanoseconds
        addresses[count * ADDRESS : (count + 1) * ADDRESS] = pack_address(source, sock.family)
        count += 1
    return count


@cython.cfunc
def _receive_batch(
    fd: cython.int,
    packets: cython.uchar[::1],
    size: cython.Py_ssize_t,
    lengths: cython.int[::1],
    addresses: cython.uchar[::1],
    stamps: cython.longlong[::1],
    limit: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    messages: mmsghdr[128]
    vectors: iovec[128]
    control: cython.char[8192]
    header: cython.pointer[cmsghdr]
    when: timespec
    i: cython.Py_ssize_t
    moved: cython.int = -1
    tries: cython.int = 0
    with cython.nogil:
        for i in range(limit):
            vectors[i].iov_base = cython.address(packets[i * size])
            vectors[i].iov_len = size
            messages[i].msg_hdr.msg_name = cython.address(addresses[i * 28])
            messages[i].msg_hdr.msg_namelen = 28
            messages[i].msg_hdr.msg_iov = cython.address(vectors[i])
            messages[i].msg_hdr.msg_iovlen = 1
            messages[i].msg_hdr.msg_control = cython.address(control[i * 64])
            messages[i].msg_hdr.msg_controllen = 64
            messages[i].msg_hdr.msg_flags = 0
        while tries < 64:
            moved = recvmmsg(fd, messages, cython.cast(cython.uint, limit), MSG_DONTWAIT, cython.NULL)
            if moved >= 0 or (errno != EINTR and errno != ECONNREFUSED):
                break
            tries += 1
        if moved < 0:
            moved = 0
        for i in range(moved):
            lengths[i] = (
                -1 if messages[i].msg_hdr.msg_flags & MSG_TRUNC else cython.cast(cython.int, messages[i].msg_len)
            )
            stamps[i] = 0
            header = CMSG_FIRSTHDR(cython.address(messages[i].msg_hdr))
            while header != cython.NULL:
                if header.cmsg_level == SOL_SOCKET and header.cmsg_type == SCM_TIMESTAMPNS:
                    memcpy(cython.address(when), CMSG_DATA(header), cython.sizeof(timespec))
                    stamps[i] = cython.cast(cython.longlong, when.tv_sec) * 1000000000 + when.tv_nsec
                header = CMSG_NXTHDR(cython.address(messages[i].msg_hdr), header)
    return moved


def pack_address(source: tuple, family: int) -> bytes:
    """A numeric (host, port[, flow, scope]) as `ADDRESS` bytes of sockaddr, padded with zeros."""
    if family == socket.AF_INET:
        packed = struct.pack("=H", socket.AF_INET) + struct.pack(">H", source[1]) + socket.inet_aton(source[0])
        return packed.ljust(ADDRESS, b"\0")
    scope = source[3] if len(source) > 3 else 0
    host = source[0].partition("%")[0]
    return (
        struct.pack("=H", socket.AF_INET6)
        + struct.pack(">HI", source[1], 0)
        + socket.inet_pton(socket.AF_INET6, host)
        + struct.pack("=I", scope)
    )


def unpack_address(packed: bytes, family: int) -> tuple:
    """The (host, port[, flow, scope]) that `pack_address` packed."""
    port = int.from_bytes(packed[2:4], "big")
    if family == socket.AF_INET:
        return socket.inet_ntoa(packed[4:8]), port
    return socket.inet_ntop(socket.AF_INET6, packed[8:24]), port, 0, struct.unpack("=I", packed[24:28])[0]
