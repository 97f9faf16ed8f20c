"""Real servers for tests: each function starts one on loopback, on a free port or socket, and yields how to reach it.

Use: `with postgres(tmp) as url: ...`. Others add theirs (a context manager each).
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
