"""Generate what is missing of the secrets in a directory (default /secrets), each once; an existing one is never changed.

Files: postgres_password, pgpass (libpq's password file for host `postgres`), metrics_token, grafana_password. They are readable
by the containers that mount the volume, none of which has the same user; the volume itself is root's.
"""

import os
import secrets
import sys
from pathlib import Path


def keep(path: Path, text: str, mode: int, owner: int | None = None) -> str:
    """Write `text` to `path` unless it is there; return what stands in it."""
    if not path.exists():
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(text)
        fresh.chmod(mode)
        if owner is not None and os.geteuid() == 0:
            os.chown(fresh, owner, owner)
        fresh.replace(path)
        print(f"generated {path.name}")
    return path.read_text()


def make(folder: Path) -> None:
    """Make all secrets of the composition in `folder`."""
    edunet_user = 10001
    folder.mkdir(parents=True, exist_ok=True)
    password = keep(folder / "postgres_password", secrets.token_urlsafe(24), 0o444)
    # libpq ignores a password file that others can read.
    keep(folder / "pgpass", f"postgres:5432:edunet:edunet:{password}\n", 0o400, edunet_user)
    keep(folder / "metrics_token", secrets.token_urlsafe(32), 0o444)
    keep(folder / "grafana_password", secrets.token_urlsafe(15), 0o444)


if __name__ == "__main__":
    make(Path(sys.argv[1] if len(sys.argv) > 1 else "/secrets"))
