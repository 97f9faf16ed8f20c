"""Sockets that systemd hands over for traps, and where they are heard as the supervisor tells it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edunet.traps import ask_where, trap_sockets
from edunet.words import trap_words
from inventory.database import Register

PROGRAM = """
import json, os, sys
from edunet.traps import trap_sockets
print(json.dumps(trap_sockets()))
"""


def handed(names: str, *sockets: socket.socket, pid: str = "$$") -> list[int]:
    """What a process sees that gets these sockets as systemd hands them over: from descriptor 3 on."""
    shell = "".join(f"exec {3 + i}<&{sock.fileno()}; " for i, sock in reversed(list(enumerate(sockets))))
    given = f"LISTEN_PID={pid} LISTEN_FDS={len(sockets)} LISTEN_FDNAMES={names}"
    command = f"{shell} {given} exec {sys.executable} -c '{PROGRAM}'"
    numbers = tuple(sock.fileno() for sock in sockets)
    done = subprocess.run(["bash", "-c", command], pass_fds=numbers, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.fixture
def sockets():
    made = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
    high = [socket.socket(fileno=os.dup2(sock.fileno(), 50 + i, inheritable=True)) for i, sock in enumerate(made)]
    yield high
    for sock in (*made, *high):
        sock.close()


def test_udp_sockets_named_trap_are_taken_and_others_are_not(sockets):
    stream, datagram = sockets
    assert handed("web:trap", stream, datagram) == [4]
    assert handed("trap:other", datagram, stream) == [3]
    assert handed("trap", stream) == [], "no datagram socket"
    assert handed("other", datagram) == []
    assert handed("trap", datagram, pid="1") == [], "meant for another process"


def test_an_environment_that_is_none_gives_nothing():
    assert trap_sockets({}) == ()
    assert trap_sockets({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many"}) == ()
    assert trap_sockets({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "500", "LISTEN_FDNAMES": "x"}) == ()


def test_where_traps_are_heard_is_told_in_both_languages(tmp_path):
    said = trap_words(["0.0.0.0:9162"], ["0.0.0.0:162: Permission denied"])
    assert "监听" in said or "接收" in said
    assert "UDP 0.0.0.0:9162" in said
    assert "162: Permission denied" in said
    assert "collector.traps_listen" in trap_words([], [])
    assert ask_where(tmp_path / "nothing.sock") is None


def test_systemd_hands_its_socket_to_the_collector(tmp_path: Path):
    """Debian's systemd-socket-activate: the collector starts with the first trap, and hears on the socket that it was given."""
    activate = shutil.which("systemd-socket-activate")
    if activate is None:
        pytest.skip("systemd-socket-activate is not installed")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    Register(f"sqlite:///{tmp_path / 'edunet.db'}", tmp_path / "secret.key").migrate()
    environment = {**os.environ, "EDUNET_STATE_DIR": str(tmp_path)}
    given = [f"--setenv={name}" for name in ("EDUNET_STATE_DIR", "PATH")]
    command = [activate, "-d", "-l", f"127.0.0.1:{port}", "--fdname=trap", *given]
    collector = [sys.executable, "-m", "edunet.main", "collector"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *collector], env=environment, stdout=log, stderr=log, cwd=Path(__file__).parents[2]
        )
    try:
        deadline = time.monotonic() + 60
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            while (found := ask_where(tmp_path / "run" / "collector.sock")) is None and time.monotonic() < deadline:
                sock.sendto(b"wake up", ("127.0.0.1", port))
                time.sleep(0.1)
        assert found == ([f"127.0.0.1:{port}"], []), (tmp_path / "log").read_text()
    finally:
        process.terminate()
        process.wait(20)
