"""What the judge found: outages, incidents, notices, maintenance, and the time that nobody saw.

Written by the collector alone (`inventory/log.py`), read by everyone.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, Index, SQLModel

from inventory.models.base import NodeKind, UtcDateTime, utcnow


class Outage(SQLModel, table=True):
    """An interval during which a device, a line or a school was unreachable. `until` None: still so.

    `from_earliest` and `until_latest` widen the bounds where it began or ended while nobody saw. `cause`: undetermined,
    line, power, upstream, planned ...; `accountable`: carrier, power, school, province, planned or empty (not decided).
    The place of the node at that time is kept, so that reports do not move with a later change of the register.
    """

    __tablename__ = "outage"
    __table_args__ = (Index("ix_outage_node", "kind", "node_id", "from_at"), Index("ix_outage_until", "until_at"))

    id: int | None = Field(default=None, primary_key=True)
    kind: NodeKind
    node_id: int
    school_id: int | None = Field(default=None, index=True)
    place_id: int | None = Field(default=None, index=True)
    duty_id: int | None = Field(default=None, index=True)
    from_at: datetime = Field(sa_type=UtcDateTime, index=True)
    from_earliest: datetime | None = Field(default=None, sa_type=UtcDateTime)
    until_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    until_latest: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cause: str = Field(default="undetermined", max_length=24)
    accountable: str = Field(default="", max_length=16)
    evidence: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    cause_confidence: float = 0.0
    cause_rule: str = Field(default="", max_length=24, description="of `cause_rule`, by name")
    first_cause: str | None = Field(default=None, max_length=24, description="the verdict before a person corrected it")
    first_accountable: str | None = Field(default=None, max_length=16)
    first_maintenance: bool | None = None
    corrected_by: str = Field(default="", max_length=80)
    corrected_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    corrected_why: str = Field(default="", max_length=300)
    incident_id: int | None = Field(default=None, index=True)
    explained: bool = Field(default=False, description="something above it had failed")
    maintenance: bool = Field(default=False)


class Incident(SQLModel, table=True):
    """One cause. `key` is the judge's id. `root_kind`/`root_id` None: a cluster, see `cluster_by` and `cluster_value`.

    `status`: pending (seen, notice not yet due), open, resolved or merged. The figures are the last that the judge knew;
    `said_*` those last said in a notice. `cut` lists the schools it cuts off: [school_id ...], at most 200, most pupils first.
    """

    __tablename__ = "incident"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=40, unique=True)
    kind: str = Field(default="outage", max_length=16, description="outage, agent_silent or degraded")
    status: str = Field(default="pending", max_length=10, index=True)
    severity: str = Field(default="warning", max_length=10, description="critical, major, minor or warning")
    root_kind: NodeKind | None = None
    root_id: int | None = Field(default=None, index=True)
    root_name: str = Field(default="", max_length=160)
    cluster_by: str | None = Field(default=None, max_length=16)
    cluster_value: str | None = Field(default=None, max_length=160)
    possible: list[str] = Field(default_factory=list, sa_type=JSON)
    place_id: int | None = Field(default=None, index=True)
    duty_id: int | None = Field(default=None, index=True)
    path: str = Field(default="/", max_length=120, index=True, description="of the place, for the scope filter")
    duty_path: str = Field(default="", max_length=120, index=True)
    from_at: datetime = Field(sa_type=UtcDateTime, index=True)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    merged_into: int | None = Field(default=None, foreign_key="incident.id")
    affected: int = 0
    schools: int = 0
    pupils: int = 0
    said_affected: int = 0
    said_schools: int = 0
    said_pupils: int = 0
    flapping: bool = False
    cut: list[int] = Field(default_factory=list, sa_type=JSON)
    cause: str = Field(default="undetermined", max_length=24)
    evidence: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    cause_confidence: float = 0.0
    cause_rule: str = Field(default="", max_length=24, description="of `cause_rule`, by name")
    cause_evidence: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON, description="inventory/causes.py")
    accountable: str = Field(default="", max_length=16)
    first_cause: str | None = Field(default=None, max_length=24, description="the verdict before a person corrected it")
    first_accountable: str | None = Field(default=None, max_length=16)
    corrected_by: str = Field(default="", max_length=80)
    corrected_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    corrected_why: str = Field(default="", max_length=300)
    owner: str = Field(default="", max_length=80)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    promised_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ticket: str = Field(default="", max_length=80)
    planned_until: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="switched off as usual (planned off): nobody is told before"
    )
    planned_why: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSON, description="inventory/calendars/planned.py"
    )
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class Notice(SQLModel, table=True):
    """What the judge said of an incident, and how each outlet took it."""

    __tablename__ = "notice"

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(foreign_key="incident.id", index=True)
    event: str = Field(max_length=10, description="opened, updated, reopened or resolved")
    at: datetime = Field(sa_type=UtcDateTime, index=True, description="when it was due")
    affected: int = 0
    schools: int = 0
    pupils: int = 0
    flapping: bool = False
    merged_into: int | None = None
    outlet: str = Field(default="", max_length=40, description="empty: the judge's own word; else one sending of it")
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    error: str = Field(default="", max_length=300)


class Repeat(StrEnum):
    """How a window of work comes again."""

    never = "never"
    daily = "daily"
    weekly = "weekly"
    monthly = "monthly"


class Maintenance(SQLModel, table=True):
    """A window of work on a node or on all of a region; never without an end.

    A repeating one: `from_at` and `until_at` are its first occurrence, `repeat_until` ends the series; all occurrences are rows of
    `maintenance_occurrence`, worked out when it is written (`inventory/calendars/windows.py`).
    """

    __tablename__ = "maintenance"

    id: int | None = Field(default=None, primary_key=True)
    kind: NodeKind | None = Field(default=None, description="None: the region below")
    node_id: int | None = None
    region_id: int | None = Field(default=None, foreign_key="region.id")
    from_at: datetime = Field(sa_type=UtcDateTime)
    until_at: datetime = Field(sa_type=UtcDateTime, index=True)
    repeat: str = Field(default=Repeat.never, max_length=8, description="Repeat")
    weekdays: list[int] = Field(default_factory=list, sa_type=JSON, description="weekly: 1 Monday to 7 Sunday, local")
    repeat_until: datetime | None = Field(default=None, sa_type=UtcDateTime, description="the end of the series")
    reason: str = Field(default="", max_length=200)
    created_by: str = Field(default="", max_length=80)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    row_version: int = Field(default=1)


class MaintenanceOccurrence(SQLModel, table=True):
    """One occurrence of a repeating window."""

    __tablename__ = "maintenance_occurrence"

    id: int | None = Field(default=None, primary_key=True)
    maintenance_id: int = Field(foreign_key="maintenance.id", index=True, ondelete="CASCADE")
    from_at: datetime = Field(sa_type=UtcDateTime, index=True)
    until_at: datetime = Field(sa_type=UtcDateTime, index=True)


class Unseen(SQLModel, table=True):
    """A span that nobody saw, by zone and shard: the collector was blind, late or not running."""

    __tablename__ = "unseen"

    id: int | None = Field(default=None, primary_key=True)
    zone: str = Field(max_length=40)
    shard: int = Field(default=0)
    from_at: datetime = Field(sa_type=UtcDateTime, index=True)
    until_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str = Field(default="", max_length=24, description="blind, late, stopped or tcp_only")
