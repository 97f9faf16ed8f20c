"""Real servers for tests: each function starts one on loopback, on a free port or socket, and yields how to reach it.

Use: `with postgres(tmp) as url: ...`. Others add theirs (a context manager each).
"""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")


def unprivileged() -> dict[str, int]:
    """Keyword arguments of subprocess that drop root to an ordinary user (PostgreSQL refuses root); {} for an ordinary user."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid}
    return {"user": 65534, "group": 65534}


def has_postgres() -> bool:
    """Whether Debian's PostgreSQL is here."""
    return (POSTGRES_BIN / "initdb").exists()


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of its own on a unix socket in a temporary directory; yields the SQLAlchemy address of an empty database."""
    root = Path(tempfile.mkdtemp(prefix="edunet-pg-", dir="/tmp"))
    user = unprivileged()
    if user:
        os.chown(root, user["user"], user["group"])
    data = root / "data"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": str(root)}
    subprocess.run(
        [POSTGRES_BIN / "initdb", "-D", data, "-U", "edunet", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
        check=True, **quiet, **user,
    )  # fmt: skip
    options = [
        "-c",
        "listen_addresses=",
        "-c",
        f"unix_socket_directories={root}",
        "-c",
        "fsync=off",
        "-c",
        "shared_buffers=32MB",
    ]
    process = subprocess.Popen([POSTGRES_BIN / "postgres", "-D", data, *options], **quiet, **user)
    try:
        deadline = time.monotonic() + 30
        while subprocess.run([POSTGRES_BIN / "pg_isready", "-h", root], check=False, **quiet).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.05)
        yield f"postgresql+psycopg://edunet@/postgres?host={root}"
    finally:
        process.send_signal(signal.SIGINT)  # fast shutdown: does not wait for clients
        process.wait(30)
        shutil.rmtree(root, ignore_errors=True)


def fresh_database(url: str, name: str) -> str:
    """The address of a new empty database `name` on the server of `url`."""
    import psycopg

    plain = url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    return url.replace("/postgres?", f"/{name}?")


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody has on any address of loopback: TCP, or UDP with SOCK_DGRAM."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("0.0.0.0", 0))
        return int(sock.getsockname()[1])


class Server:
    """A server's process that can be killed as a fault, and started again as it was."""

    def __init__(self, command: Sequence[str | Path], log: Path, **environment: str) -> None:
        self.command, self.log = [str(word) for word in command], log
        self.environment = {**os.environ, **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Server":
        """Start it; its words go to the log."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=self.environment
            )
        return self

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]


def wait_for_url(url: str, server: Server, seconds: float = 60) -> None:
    """Poll until `url` answers 200."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            assert server.process is not None
            if server.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{url} does not answer: {server.words()}") from None
            time.sleep(0.05)


@contextmanager
def alertmanager(folder: Path) -> Iterator[int]:
    """Debian's Alertmanager with a receiver that tells nobody; yields its port. Skips where it is not installed."""
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        pytest.skip("Debian's package prometheus-alertmanager is not installed")
    (folder / "am.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    port = free_port()
    command = [program, f"--config.file={folder}/am.yml", f"--storage.path={folder}/am", "--cluster.listen-address="]
    server = Server([*command, f"--web.listen-address=127.0.0.1:{port}"], folder / "am.log").start()
    try:
        wait_for_url(f"http://127.0.0.1:{port}/-/ready", server)
        yield port
    finally:
        server.kill()


@contextmanager
def prometheus(folder: Path, config: str) -> Iterator[int]:
    """Debian's Prometheus with this configuration; yields its port. Skips where it is not installed."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("Debian's package prometheus is not installed")
    (folder / "prometheus.yml").write_text(config)
    port = free_port()
    command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    server = Server([*command, f"--web.listen-address=127.0.0.1:{port}"], folder / "prometheus.log").start()
    try:
        wait_for_url(f"http://127.0.0.1:{port}/-/ready", server)
        yield port
    finally:
        server.kill()


def alerts(port: int) -> list[dict[str, Any]]:
    """What stands in an Alertmanager now (GET /api/v2/alerts); nothing while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/alerts", timeout=5) as answer:
            return list(json.load(answer))
    except OSError:
        return []


def snmpd(folder: Path, name: str, port: int, lines: Sequence[str], *addresses: str) -> Server:
    """Debian's snmpd, not yet started, on these addresses (`udp:127.1.1.1`, `udp6:[::1]`) with lines of snmpd.conf(5). Skips without it."""
    program = shutil.which("snmpd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if program is None:
        pytest.skip("Debian's package snmpd is not installed")
    state = folder / f"{name}.state"
    state.mkdir()
    listened = ",".join(f"{address}:{port}" for address in addresses)
    (folder / f"{name}.conf").write_text("\n".join([f"agentaddress {listened}", f"sysName {name}", *lines]) + "\n")
    command = [program, "-f", "-Le", "-C", "-c", folder / f"{name}.conf", "-p", state / "pid", "-I", "-smux"]
    return Server(command, folder / f"{name}.log", SNMP_PERSISTENT_DIR=str(state))


def miniagent(shared: Path, folder: Path, names: Sequence[str], port: int, net: str) -> tuple[Server, dict[str, str]]:
    """Recordings behind `../shared`'s miniagent.py, each on an address of its own in `net` (`127.77`); started: (server, address by name)."""
    chosen = folder / "captures"
    chosen.mkdir()
    for name in names:
        (chosen / f"{name}.snmprec").symlink_to(shared / "devices" / f"{name}.snmprec")
    command = [sys.executable, "-u", shared / "miniagent.py", chosen, "--addr", f"{net}.255.1", "--port", str(port)]
    server = Server([*command, "--by-address", net, "--live", "1e5"], folder / "miniagent.log").start()
    deadline = time.monotonic() + 60
    while "ready:" not in server.log.read_text():
        assert server.process is not None
        if server.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"miniagent did not start: {server.words()}")
        time.sleep(0.05)
    rows = [line.split() for line in server.log.read_text().splitlines() if line.startswith(net)]
    return server, {name: address for address, name in rows}
