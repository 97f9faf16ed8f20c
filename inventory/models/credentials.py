"""SNMP credentials, encrypted at rest."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class Credential(SQLModel, table=True):
    """A community (v1, v2c) or a USM user (v3), for a zone or the subtree of a region; never tried in turn.

    `secret`: the JSON {community} or {user, auth_key, priv_key}, sealed by `inventory/sealing.py`. It never leaves the
    register in clear but into the collector's plan.
    """

    __tablename__ = "credential"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, unique=True)
    version: str = Field(default="2c", max_length=4, description="1, 2c or 3")
    zone_id: int | None = Field(default=None, foreign_key="zone.id", index=True)
    region_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    auth_protocol: str = Field(
        default="", max_length=10, description="md5, sha1, sha224, sha256, sha384, sha512 or empty"
    )
    priv_protocol: str = Field(default="", max_length=10, description="des, aes128, aes192, aes256 or empty")
    context: str = Field(default="", max_length=80)
    secret: bytes = Field(default=b"")
    row_version: int = Field(default=1)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
