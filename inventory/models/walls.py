"""Links of wall screens."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class WallLink(SQLModel, table=True):
    """A link that shows the board of a region's subtree on a wall without signing in, and nothing else.

    `region_id` None: the whole province. `token_hash` is SHA-256: the link is shown once. It is revoked by deleting the row.
    """

    __tablename__ = "wall_link"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    token_hash: str = Field(max_length=64, unique=True)
    region_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    locale: str = Field(default="", max_length=8, description="zh, en or empty: as the browser says")
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_by: str = Field(default="", max_length=80)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
