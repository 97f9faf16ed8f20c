"""Real senders: Debian's snmptrap and snmpinform; their datagrams as bytes, or sent."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

LINK_DOWN, LINK_UP, COLD_START, WARM_START, AUTH_FAILURE = (f"1.3.6.1.6.3.1.1.5.{n}" for n in (3, 4, 1, 2, 5))
AUTH, PRIV = "an-auth-password", "a-priv-password"
USER = ["-u", "edu", "-l", "authPriv", "-a", "SHA-256", "-A", AUTH, "-x", "AES", "-X", PRIV]


def port_of(index: int, name: str = "") -> list[str]:
    """Bindings of RFC 2863's linkDown for one port."""
    rows = [f"1.3.6.1.2.1.2.2.1.1.{index}", "i", str(index), f"1.3.6.1.2.1.2.2.1.7.{index}", "i", "1"]
    rows += [f"1.3.6.1.2.1.2.2.1.8.{index}", "i", "2"]
    return rows + ([f"1.3.6.1.2.1.31.1.1.1.1.{index}", "s", name] if name else [])


def run(program: str, arguments: Sequence[str], state: Path | None = None) -> subprocess.CompletedProcess[str]:
    """One run of Debian's program. Skips without it."""
    if shutil.which(program) is None:
        pytest.skip("Debian's package snmp is not installed")
    with tempfile.TemporaryDirectory(prefix="edunet-snmp-") as own:
        environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(state or own), "SNMPCONFPATH": own, "MIBS": ""}
        return subprocess.run(
            [program, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
        )


def capture(program: str, before: Sequence[str], after: Sequence[str], state: Path | None = None) -> bytes:
    """The datagram that snmptrap sends; `before` its options, `after` what follows the address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(30)
        done = run(program, [*before, f"127.0.0.1:{sock.getsockname()[1]}", *after], state)
        assert done.returncode == 0, done.stderr
        return sock.recv(65535)


def v2c_trap(oid: str = LINK_DOWN, bindings: Sequence[str] = (), community: str = "public") -> bytes:
    """A v2c trap."""
    return capture("snmptrap", ["-v2c", "-c", community], ["100", oid, *bindings])


def v1_trap(
    generic: int, specific: int = 0, agent: str = "0.0.0.0", enterprise: str = "1.3.6.1.4.1.2011.2.23", more: Sequence[str] = ()
) -> bytes:  # fmt: skip
    """A v1 trap."""
    words = [enterprise, agent, str(generic), str(specific), "100", *more]
    return capture("snmptrap", ["-v1", "-c", "public"], words)


def v3_trap(engine: str, oid: str = LINK_DOWN, bindings: Sequence[str] = (), state: Path | None = None) -> bytes:
    """An authPriv trap of SHA-256 and AES; engine: hex. Boots grow with each run over the same `state`."""
    return capture("snmptrap", ["-v3", "-e", f"0x{engine}", *USER], ["100", oid, *bindings], state)
