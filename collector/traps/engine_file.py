"""Our own engineID and its boots, and the clocks of the senders' engines, kept over restarts (RFC 3414, 2.2.2)."""

import json
import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from probes.snmp.trap_usm import TrapSecurity

log = logging.getLogger(__name__)

ENGINE_HEAD = bytes((0x80, 0x00, 0x7E, 0xD9, 0x05))
"""RFC 3411, snmpEngineID: octets of our own choice follow (5), under the number that RFC 5612 sets aside for examples (32473): we have none."""

MOST_BOOTS = 0x7FFFFFFE


def open_security(path: Path, now: float) -> TrapSecurity:
    """Our engine, one boot later than the file says; a new one where it cannot be read, or has used up its boots."""
    try:
        kept = json.loads(path.read_text())
        engine_id, boots = bytes.fromhex(kept["engine_id"]), int(kept["boots"])
        if not 5 <= len(engine_id) <= 32 or not 0 < boots < MOST_BOOTS:
            raise ValueError("no engine of ours")
        security = TrapSecurity(engine_id, boots + 1, now)
        security.remember([_row(row) for row in kept.get("engines", [])], now)
    except (OSError, ValueError, KeyError, TypeError):
        security = TrapSecurity(ENGINE_HEAD + secrets.token_bytes(12), 1, now)
    save_security(path, security)
    return security


def save_security(path: Path, security: TrapSecurity) -> None:
    """Write it whole or not at all, for this user alone. What cannot be written is said once in the log, and goes on."""
    value = {"engine_id": security.engine_id.hex(), "boots": security.boots, "engines": security.memory()}
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(value, file)
        draft.replace(path)
    except OSError as error:
        log.warning("%s cannot be written, senders of informs will have to discover us anew: %s", path, error)
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _row(row: Any) -> tuple[str, int, int, int]:
    text, sender, boots, latest = row
    return str(text), int(sender), int(boots), int(latest)
