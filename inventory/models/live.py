"""What is true now, as the collector last wrote it; the pages read it from here."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, Index, SQLModel

from inventory.models.base import NodeKind, State, UtcDateTime


class NodeState(SQLModel, table=True):
    """The state of one device, line, site or school, written when it changes. No row: not watched, or not yet judged.

    `reason`: a short word (root, explained, blind, tcp_only, backup ...). `incident_id`: what it is cut off by.
    `up_s`, `down_s`, `unknown_s`: seconds up to `since`, for uptime counters that go on over a restart.
    """

    __tablename__ = "node_state"
    __table_args__ = (Index("ix_node_state_state", "kind", "state"),)

    kind: NodeKind = Field(primary_key=True)
    node_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    state: State = Field(default=State.unknown)
    since: datetime = Field(sa_type=UtcDateTime)
    reason: str = Field(default="", max_length=24)
    incident_id: int | None = Field(default=None, index=True)
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    devices: int = Field(default=0, description="of a school: watched devices")
    devices_up: int = Field(default=0, description="of a school: those that answer")
    up_s: float = 0.0
    down_s: float = 0.0
    unknown_s: float = 0.0


class Feed(SQLModel, table=True):
    """A sign of life of one part (`judge`, `rounds`, `outlets`), written every second or two.

    `detail` of `rounds`: {"method": "raw", "every": 5, "self_ok": true, "late": 0, "targets": n, "blind": [], ...}.
    The board greys itself when `at` is older than `stale_after` seconds.
    """

    __tablename__ = "feed"

    name: str = Field(primary_key=True, max_length=40)
    at: datetime = Field(sa_type=UtcDateTime)
    stale_after: float = 15.0
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class JudgeState(SQLModel, table=True):
    """The judge's own memory, so that any judge can go on from the database: small JSON values by key, written with what they explain."""

    __tablename__ = "judge_state"

    key: str = Field(primary_key=True, max_length=80)
    value: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    at: datetime = Field(sa_type=UtcDateTime)
