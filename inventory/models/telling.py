"""Who is told what, when, by which way: outlets, deliveries, rules, the roster, steps of escalation, silences, notes on incidents.

What an administrator sets is written by the pages; `delivery` and the health of outlets by the collector alone.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, Index, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class OutletKind(StrEnum):
    """A way to tell people. `apprise`: any address that Apprise understands."""

    alertmanager = "alertmanager"
    wecom = "wecom"
    dingtalk = "dingtalk"
    feishu = "feishu"
    mail = "mail"
    sms = "sms"
    webhook = "webhook"
    apprise = "apprise"


SEVERITIES = ("warning", "minor", "major", "critical")
"""Least first."""

INCIDENT_CLASSES = ("core", "city", "county", "cluster", "line", "school", "device")
"""What failed, for rules: a core, city or county node, several at once, a line, a school's way out, any other device."""

TELL_LEVELS = ("school", "county", "city", "province")
"""Whom an escalation reaches, lowest first."""

TIMES = ("any", "class", "night", "exam", "holiday")
"""When a rule holds: always, in class hours, at night, during an exam, on days without school."""


class Outlet(SQLModel, table=True):
    """One way out. `region_id`: the subtree (of either tree) that it serves, and the level at which it is told; None: the province.

    `secret`: the JSON of its configuration (addresses hold keys), sealed by `inventory/sealing.py`; `target` is what may be shown of it.
    `fallback_id`: the outlet that takes over when this one fails. The fields from `last_ok_at` on are the collector's.
    """

    __tablename__ = "outlet"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, unique=True)
    kind: str = Field(max_length=16, description="of OutletKind")
    secret: bytes = Field(default=b"")
    target: str = Field(default="", max_length=160, description="what may be shown of where it leads")
    region_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    language: str = Field(default="zh", max_length=8, description="zh or en")
    least_severity: str = Field(default="warning", max_length=10)
    kinds: list[str] = Field(default_factory=list, sa_type=JSON, description="kinds of incidents; empty: all")
    roster: bool = Field(default=False, description="mail and SMS: to those on duty, not to fixed addresses alone")
    enabled: bool = Field(default=True)
    fallback_id: int | None = Field(default=None, foreign_key="outlet.id", index=True)
    alive_at: str = Field(default="", max_length=5, description="HH:MM of its daily sign of life; empty: none")
    per_minute: int = Field(default=20, ge=1, le=600, description="most messages in any 60 s")
    note: str = Field(default="", max_length=500)
    row_version: int = Field(default=1)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    last_ok_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error: str = Field(default="", max_length=300)
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Delivery(SQLModel, table=True):
    """One thing to say to one audience (an outlet, or a person through it): the durable queue, and the log of what was said.

    Several that went in one message share `message`; the first of them keeps its `body`. No secret stands here, and names stay
    when the outlet or the contact is gone. `opening`: the notice that opened this life of the incident. `via_id`: the outlet that
    really sent it. `delay_s`: from when it was due to when it was sent.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_status", "status", "due_at"),
        Index("ix_delivery_incident", "incident_id", "id"),
        Index("ix_delivery_outlet", "outlet_id", "queued_at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    outlet_id: int = Field(description="of `outlet`; kept when that is gone")
    outlet: str = Field(default="", max_length=80)
    contact_id: int | None = Field(default=None, description="of `contact`; None: all who listen there")
    contact: str = Field(default="", max_length=80)
    incident_id: int | None = Field(default=None, description="None: a sign of life or a test")
    opening: int = Field(default=0)
    event: str = Field(
        max_length=10, description="opened, updated, escalated, lapsed, reopened, resolved, alive or test"
    )
    level: str = Field(default="", max_length=10, description="school, county, city or province")
    notices: list[int] = Field(default_factory=list, sa_type=JSON, description="ids of the notices that it says")
    queued_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    status: str = Field(default="waiting", max_length=8, description="waiting, claimed, sent or dropped")
    attempts: int = Field(default=0)
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    via_id: int | None = Field(default=None)
    error: str = Field(default="", max_length=300, description="of the last attempt, or why it was dropped")
    delay_s: float | None = Field(default=None)
    message: str = Field(default="", max_length=32, index=True)
    body: str = Field(default="", description="the text that was sent")


class NoticeRule(SQLModel, table=True):
    """Severity and delay as data. In order of `position` each effect comes from the first rule that fits and names it; `raise_by` adds up.

    Conditions: classes and kinds of incidents (empty: all), `times` (one of TIMES), least figures, a region's subtree.
    Effects: `severity` ("" leaves it), `delay_s` (None leaves it), `night` ("at_once", "morning" or "").
    """

    __tablename__ = "notice_rule"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, unique=True)
    position: int = Field(default=100, ge=0, le=10_000, description="lower ones come first")
    enabled: bool = Field(default=True)
    classes: list[str] = Field(default_factory=list, sa_type=JSON, description="of INCIDENT_CLASSES; empty: all")
    kinds: list[str] = Field(
        default_factory=list, sa_type=JSON, description="outage, agent_silent, degraded; empty: all"
    )
    times: str = Field(default="any", max_length=8, description="of TIMES")
    least_schools: int = Field(default=0, ge=0)
    least_pupils: int = Field(default=0, ge=0)
    region_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    severity: str = Field(default="", max_length=10)
    raise_by: int = Field(default=0, ge=-3, le=3)
    delay_s: int | None = Field(default=None, ge=0, le=86_400)
    night: str = Field(default="", max_length=8, description="at_once, morning or empty")
    note: str = Field(default="", max_length=500)
    row_version: int = Field(default=1)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class Contact(SQLModel, table=True):
    """A person who may be on duty, of a region or of a school."""

    __tablename__ = "contact"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    phone: str = Field(default="", max_length=40)
    mail: str = Field(default="", max_length=120)
    region_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    school_id: int | None = Field(default=None, foreign_key="school.id", index=True)
    note: str = Field(default="", max_length=500)
    row_version: int = Field(default=1)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class Duty(SQLModel, table=True):
    """A person's turn on duty for a region's subtree, or for a school. `weekly`: it comes again every 7 days, until `last_at`.

    `position`: 1 is called first, 2 stands by.
    """

    __tablename__ = "duty"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id", index=True)
    region_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    school_id: int | None = Field(default=None, foreign_key="school.id", index=True)
    from_at: datetime = Field(sa_type=UtcDateTime)
    until_at: datetime = Field(sa_type=UtcDateTime)
    weekly: bool = Field(default=False)
    last_at: datetime | None = Field(default=None, sa_type=UtcDateTime, description="None: for ever")
    position: int = Field(default=1, ge=1, le=9)
    note: str = Field(default="", max_length=200)
    row_version: int = Field(default=1)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class EscalationStep(SQLModel, table=True):
    """After `after_minutes` without an acknowledgement, incidents of at least `severity` reach `level`; the earliest step that fits counts.

    Steps of the nearest region on the way up count alone for their level; None: the whole province.
    """

    __tablename__ = "escalation_step"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    level: str = Field(max_length=10, description="of TELL_LEVELS")
    severity: str = Field(default="warning", max_length=10, description="the least")
    after_minutes: int = Field(default=0, ge=0, le=10_080)
    region_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    enabled: bool = Field(default=True)
    row_version: int = Field(default=1)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class Silence(SQLModel, table=True):
    """Nobody is told of what begins on a node, in a region, or of one incident, from `from_at` to `until_at`; never without an end.

    What was said before still resolves; what is still open at the end is told then.
    """

    __tablename__ = "silence"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(default="", max_length=8, description="device, line, site or school; empty: one of the two below")
    node_id: int | None = None
    region_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    incident_id: int | None = Field(default=None, foreign_key="incident.id", index=True)
    from_at: datetime = Field(sa_type=UtcDateTime)
    until_at: datetime = Field(sa_type=UtcDateTime, index=True)
    reason: str = Field(max_length=200)
    created_by: str = Field(default="", max_length=80)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class IncidentNote(SQLModel, table=True):
    """What people (and edunet itself, `by` empty) did to an incident: its timeline. `data` holds the figures of the moment."""

    __tablename__ = "incident_note"
    __table_args__ = (Index("ix_incident_note_incident", "incident_id", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(foreign_key="incident.id")
    at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    by: str = Field(default="", max_length=80)
    kind: str = Field(
        max_length=16,
        description="comment, acknowledged, unacknowledged, lapsed, void, owner, ticket, corrected, escalated or sent",
    )
    text: str = Field(default="", max_length=2000)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
