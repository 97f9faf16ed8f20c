"""Debian's snmpd on a free port of every address, with a v3 user for each pair of protocols; it can be restarted (boots + 1)."""

import os
import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from probes.snmp.client import NoAnswerError, SnmpClient
from probes.snmp.credential import Credential
from probes.snmp.oids import SYS_UPTIME

SNMPD = shutil.which("snmpd", path="/usr/sbin:/usr/bin:/sbin")
AUTH, PRIV = "an-auth-password", "a-priv-password"
PROTOCOLS = {
    "md5": "MD5", "sha1": "SHA", "sha224": "SHA-224", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512",
    "des": "DES", "aes128": "AES", "aes192": "AES-192", "aes256": "AES-256",
}  # fmt: skip
COMBINATIONS = [("", "")] + [(auth, priv) for auth in list(PROTOCOLS)[:6] for priv in ("", *list(PROTOCOLS)[6:])]


def user(auth: str = "sha256", priv: str = "aes128") -> Credential:
    """The credential of one of snmpd's users."""
    return Credential("3", b"", f"{auth}{priv}" or "plain", auth, AUTH if auth else "", priv, PRIV if priv else "")


def free_port() -> int:
    """A UDP port that is free on every address, and below those that the kernel gives away: it stays free while the agent restarts."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            port = random.randrange(15_000, 32_000)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


class Snmpd:
    """A context manager: the agent runs, and answers at `port` of every address of 127.0.0.0/8."""

    def __init__(self, folder: Path) -> None:
        if SNMPD is None:
            pytest.skip("snmpd is not installed (apt-get install snmpd)")
        lines = ["rocommunity public", "createUser plain", "rouser plain noauth"]
        for auth, priv in COMBINATIONS[1:]:
            secrets = f'{PROTOCOLS[auth]} "{AUTH}"' + (f' {PROTOCOLS[priv]} "{PRIV}"' if priv else "")
            lines += [f"createUser {auth}{priv} {secrets}", f"rouser {auth}{priv} {'priv' if priv else 'auth'}"]
        self.folder = folder
        (folder / "snmpd.conf").write_text("\n".join(lines) + "\n")
        self.port = 0

    def start(self) -> None:
        """Start it, and wait until it answers; the first time at any port that is free, later at the same."""
        for _ in range(5):
            if self._try(self.port or free_port()):
                return
            self.stop()
        raise AssertionError("snmpd does not start")

    def _try(self, port: int) -> bool:
        kept = self.folder / "persistent"
        kept.mkdir(exist_ok=True)
        (kept / "snmpd.conf").touch()
        files = f"{self.folder / 'snmpd.conf'},{kept / 'snmpd.conf'}"  # -C: what it keeps is not read by itself
        program = [str(SNMPD), "-f", "-Ln", "-C", "-c", files, "-I", "-smux", f"udp:{port}"]
        environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(kept)}
        self.process = subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with SnmpClient("127.0.0.1", port, timeout_s=0.5, attempts=1) as client:
                    if client.get([SYS_UPTIME]):
                        self.port = port
                        return True
            except NoAnswerError:
                continue
        return False

    def stop(self) -> None:
        """Stop it; its boots and engineID are kept in its folder."""
        self.process.terminate()
        self.process.wait()

    def forget(self) -> None:
        """Remove what it keeps: the next start is that of another engine."""
        shutil.rmtree(self.folder / "persistent", ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Relay:
    """A way to an agent that changes answers: `mangle(data)` gives the datagrams to deliver in place of one."""

    def __init__(self, port: int, mangle: Callable[[bytes], list[bytes]]) -> None:
        self._to, self._mangle = port, mangle
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port = int(self._socket.getsockname()[1])
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asker = None
        while not self._over.is_set():
            try:
                data, source = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            if source[1] != self._to:
                asker = source
                self._socket.sendto(data, ("127.0.0.1", self._to))
            elif asker is not None:
                for answer in self._mangle(data):
                    self._socket.sendto(answer, asker)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()
