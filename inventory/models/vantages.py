"""Vantage points: processes elsewhere that ping what the collector pings, so that its own blindness is not everybody's."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class VantagePoint(SQLModel, table=True):
    """One `edunet vantage run`. `zone_id` None: it reaches the addresses of every zone.

    `token_hash` is SHA-256: the token is shown once, opens the two calls of a vantage point and nothing else, and is void when the row is gone.
    How it fares is no column: the judge's process says it in the row `vantages` of `feed`.
    """

    __tablename__ = "vantage_point"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40, unique=True)
    place: str = Field(default="", max_length=120, description="where it stands, by whose line")
    zone_id: int | None = Field(default=None, foreign_key="zone.id", index=True)
    references: str = Field(default="", max_length=500, description="its own reference targets, comma separated")
    enabled: bool = Field(default=True)
    token_hash: str = Field(max_length=64, unique=True)
    created_by: str = Field(default="", max_length=80)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    row_version: int = Field(default=1)
