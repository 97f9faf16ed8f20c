"""The sockets that traps come in on: addresses, families, answers, ports that are taken, buffers that are full."""

import socket
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from collector.settings import CollectorSettings
from collector.traps import listeners as module
from collector.traps.listeners import Ears, Listener, narrow, pack


@pytest.fixture
def opened() -> Iterator[list[Listener]]:
    made: list[Listener] = []
    yield made
    for listener in made:
        listener.socket.close()


def exchange(listener: Listener, family: int, source: str, to: str) -> tuple[bytes, str]:
    """Send from `source` to the address `to` of the listener and be answered: (packed source, where the answer came from)."""
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.settimeout(30)
        sock.sendto(b"question", (to, listener.port))
        got = None
        while got is None:
            got = listener.receive()
        data, packed, peer, ancillary = got
        assert data == b"question"
        assert listener.answer(b"answer", peer, ancillary)
        answer, (where, *_) = sock.recvfrom(100)
        assert answer == b"answer"
        return packed, where


def test_an_answer_comes_from_the_address_that_was_asked(opened):
    ears = Ears("0.0.0.0:0,[::]:0")
    found, trouble = ears.listeners, ears.trouble
    opened += found
    assert (len(found), trouble) == (2, [])
    assert exchange(found[0], socket.AF_INET, "127.1.2.3", "127.9.8.7") == (bytes((127, 1, 2, 3)), "127.9.8.7")
    assert exchange(found[1], socket.AF_INET6, "::1", "::1") == (bytes(15) + b"\x01", "::1")


def test_a_socket_of_both_families_as_systemd_binds_it_knows_ipv4_by_its_four_octets(opened):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", 0))
    ears = Ears("*", (sock.detach(),))
    found, trouble = ears.listeners, ears.trouble
    opened += found
    assert (len(found), trouble) == (1, []), "what is handed over stands for all"
    assert exchange(found[0], socket.AF_INET, "127.1.2.3", "127.9.8.7") == (bytes((127, 1, 2, 3)), "127.9.8.7")
    assert exchange(found[0], socket.AF_INET6, "::1", "::1")[1] == "::1"


def test_the_well_known_port_is_tried_first_and_the_other_is_taken_where_it_cannot_be_had(opened, monkeypatch):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder, socket.socket(type=socket.SOCK_DGRAM) as free:
        holder.bind(("127.0.0.1", 0))
        free.bind(("127.0.0.1", 0))
        taken, other = holder.getsockname()[1], free.getsockname()[1]
        free.close()
        monkeypatch.setattr(module, "WELL_KNOWN", taken)
        monkeypatch.setattr(module, "UNPRIVILEGED", other)
        ears = Ears("127.0.0.1=dorms")
        found, trouble = ears.listeners, ears.trouble
        opened += found
        assert [listener.describe() for listener in found] == [f"127.0.0.1:{other}=dorms"]
        assert trouble == [f"127.0.0.1:{taken}: Address already in use"]
        again = Ears("127.0.0.1")
        assert (again.listeners, len(again.trouble)) == ([], 2), "both are taken: none, and no failure"
        assert again.retry() == []
        found[0].socket.close()
        opened += again.retry()
        assert ([listener.port for listener in again.listeners], len(again.trouble)) == ([other], 1), "once it is free"
        assert again.retry() == []


def test_what_is_no_place_is_said_and_fails_nothing(opened):
    ears = Ears("127.0.0.1:0,nowhere")
    found, trouble = ears.listeners, ears.trouble
    opened += found
    assert found == []
    assert trouble[0].startswith("traps_listen: ")
    assert Ears("192.0.2.1:0").trouble == ["192.0.2.1:0: Cannot assign requested address"]
    assert Ears("", (9999,)).trouble == ["descriptor 9999: Bad file descriptor"]
    assert (Ears("").listeners, Ears("").trouble) == ([], [])
    with pytest.raises(ValidationError, match="traps_listen"):
        CollectorSettings(traps_listen="nowhere")


def test_datagrams_that_a_full_buffer_drops_are_counted(opened):
    found = Ears("127.0.0.1:0").listeners
    opened += found
    found[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(200):
            sock.sendto(bytes(500), ("127.0.0.1", found[0].port))
    came = 0
    while found[0].receive() is not None:
        came += 1
    assert 0 < came < 200
    assert found[0].dropped() == 200 - came


def test_addresses_of_the_register_are_packed_as_the_kernel_gives_them():
    six = socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    assert (
        narrow(bytes(10) + b"\xff\xff" + bytes((10, 1, 2, 3))) == bytes((10, 1, 2, 3)) == pack("::ffff:10.1.2.3", True)
    )
    assert narrow(six) == six == pack("2001:db8::1%lo", True)


def test_a_buffer_is_made_larger_and_never_smaller(opened, monkeypatch):
    """A socket that systemd made, with its ReceiveBuffer, in the hands of a user who may not have so much."""

    def size(sock: socket.socket) -> int:
        return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)

    small, large = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    large.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 150_000)
    before = size(small), size(large)
    monkeypatch.setattr(module, "SO_RCVBUFFORCE", 9999)  # refused, as to anybody without CAP_NET_ADMIN
    monkeypatch.setattr(module, "_most_buffer", lambda: 100_000)
    opened += [Listener(small), Listener(large)]
    assert before[0] < size(small) == 200_000
    assert size(large) == before[1]
