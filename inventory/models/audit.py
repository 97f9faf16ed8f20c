"""Who changed what; and imports, which can be undone as a whole."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class AuditEntry(SQLModel, table=True):
    """One change of one row. Secrets and hashes never stand in `before` and `after`. `digest` chains SHA-256 over the entries."""

    __tablename__ = "audit"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime, index=True)
    actor: str = Field(default="", max_length=80)
    action: str = Field(max_length=16, description="create, update, delete, import, undo, login ...")
    resource: str = Field(default="", max_length=40, index=True)
    resource_id: int | None = Field(default=None, index=True)
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    after: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    digest: str = Field(default="", max_length=64)


class ImportBatch(SQLModel, table=True):
    """One import: what file, by whom, how many rows."""

    __tablename__ = "import_batch"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    actor: str = Field(default="", max_length=80)
    what: str = Field(max_length=16)
    file_name: str = Field(default="", max_length=200)
    sha256: str = Field(default="", max_length=64)
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    undone_by: str = Field(default="", max_length=80)


class ImportChange(SQLModel, table=True):
    """What an import did to one row, so that it can be undone. `before` None: it created the row.

    `row_version`: the row's version after the import; a later one means that somebody has changed it since.
    """

    __tablename__ = "import_change"

    id: int | None = Field(default=None, primary_key=True)
    batch_id: int = Field(foreign_key="import_batch.id", index=True, ondelete="CASCADE")
    resource: str = Field(max_length=40)
    resource_id: int = Field(index=True)
    row_version: int | None = None
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON)
