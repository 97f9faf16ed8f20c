"""People, their sessions, tokens and one-time links."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class Role(StrEnum):
    """What a user may do within the own subtree. Roles to come: registrar, reviewer, operator, auditor, carrier."""

    administrator = "administrator"
    viewer = "viewer"


class User(SQLModel, table=True):
    """A person. `region_id` None: the whole province; else the subtree of that region (of its tree: place or duty)."""

    __tablename__ = "user"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, unique=True)
    role: Role = Field(default=Role.viewer)
    region_id: int | None = Field(default=None, foreign_key="region.id")
    password_hash: str = Field(default="", max_length=200)
    must_change: bool = False
    disabled: bool = False
    locale: str = Field(default="", max_length=8, description="zh, en or empty: as the browser says")
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    row_version: int = Field(default=1)


class LoginSession(SQLModel, table=True):
    """A browser's session; `token_hash` is SHA-256 of the cookie."""

    __tablename__ = "login_session"

    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = Field(max_length=64, unique=True)
    user_id: int = Field(foreign_key="user.id", index=True, ondelete="CASCADE")
    csrf: str = Field(max_length=64)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    used_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    address: str = Field(default="", max_length=45)


class LoginLink(SQLModel, table=True):
    """A one-time sign-in link, as `make run` prints it; `token_hash` is SHA-256."""

    __tablename__ = "login_link"

    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = Field(max_length=64, unique=True)
    user_id: int = Field(foreign_key="user.id", ondelete="CASCADE")
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Token(SQLModel, table=True):
    """A bearer token for scripts and Prometheus. `scope`: metrics (read only /metrics, http_sd), read, write."""

    __tablename__ = "token"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    token_hash: str = Field(max_length=64, unique=True)
    user_id: int = Field(foreign_key="user.id", index=True, ondelete="CASCADE")
    scope: str = Field(default="read", max_length=10)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
