"""Who changed what, in a chain of SHA-256: an entry that is altered or taken out later breaks it."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlmodel import Session, select

from inventory.database import begin_writing
from inventory.models import AuditEntry, table, utcnow

SECRETS = frozenset(
    {"secret", "password", "password_hash", "token", "token_hash", "csrf", "community", "auth_key", "priv_key"}
)
"""Fields that never stand in an entry; only that they changed."""

_LOCK = 0x61756474


def record(
    session: Session,
    actor: str,
    action: str,
    resource: str,
    resource_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Add an entry in the session's transaction. `before` and `after`: column values; secrets become `***`.

    Entries are chained one after the other, so a transaction that records holds off other recording ones until it commits.
    """
    connection = session.connection()
    begin_writing(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    session.flush()
    entry = AuditEntry(
        at=utcnow(),
        actor=actor,
        action=action,
        resource=resource,
        resource_id=resource_id,
        before=_plain(before),
        after=_plain(after),
    )
    row = table(AuditEntry)
    last = connection.execute(select(row.c.digest).order_by(row.c.id.desc()).limit(1)).scalar()
    entry.digest = _digest(last or "", entry)
    session.add(entry)
    session.flush()
    return entry


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs: (before, after) of the fields that changed, without `row_version`, `updated_at` and `search`."""
    dull = {"row_version", "updated_at", "search"}
    keys = [key for key in after if key not in dull and before.get(key) != after[key]]
    return {key: before.get(key) for key in keys}, {key: after[key] for key in keys}


def first_broken(session: Session) -> int | None:
    """The id of the first entry that does not fit the chain, or None."""
    last = ""
    for entry in session.exec(select(AuditEntry).order_by(AuditEntry.id)).yield_per(1000):  # type: ignore[arg-type]  # a column
        if entry.digest != _digest(last, entry):
            return entry.id
        last = entry.digest
    return None


def _digest(last: str, entry: AuditEntry) -> str:
    told = [
        last,
        entry.at.isoformat(),
        entry.actor,
        entry.action,
        entry.resource,
        entry.resource_id,
        entry.before,
        entry.after,
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {key: "***" if key in SECRETS else _json(value) for key, value in values.items()}


def _json(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_json(item) for item in value]
    return value
