"""Severity and delay, escalation, the roster, silences: `/api/v1/notice-rules`, `escalation-steps`, `contacts`, `duties`, `silences`.

What names no region holds in the whole province: all may read it, and only its administrators change it.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints
from sqlalchemy import ColumnElement, func, inspect
from sqlmodel import SQLModel

from api.errors import Problem, Wrong, invalid
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text, Work, contains, partial_of
from api.resources.outlets import Kinds, Severity
from api.resources.writing import may_name
from inventory.models import (
    Contact,
    Device,
    Duty,
    EscalationStep,
    Incident,
    Line,
    NodeKind,
    NoticeRule,
    Region,
    School,
    Silence,
    Site,
    table,
    utcnow,
)

Level = Literal["school", "county", "city", "province"]
Title = Annotated[Text, StringConstraints(min_length=1, max_length=80)]
Short = Annotated[Text, Field(max_length=200)]
Note = Annotated[Text, Field(max_length=500)]


def _keep_to_own(work: Work, row: Any) -> None:
    """What holds everywhere is for administrators of the whole province, before the change and after it."""
    if work.caller.scope.everything:
        return
    before = inspect(row).attrs.region_id.history.deleted or (row.region_id,)
    if None in before or row.region_id is None:
        raise Problem("outside")


def _keep_to_own_rule(work: Work, row: Any, children: Row) -> None:
    _keep_to_own(work, row)


class NoticeRuleCreate(Body):
    """Severity and delay by class. Each effect comes from the first rule that fits and names it; `raise_by` adds up."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "单所学校", "classes": ["school"], "delay_s": 180, "night": "morning"}]
        }
    )

    name: Title
    position: Annotated[int, Field(ge=0, le=10_000, description="Lower ones come first.")] = 100
    enabled: bool = True
    classes: Annotated[
        list[Literal["core", "city", "county", "cluster", "line", "school", "device"]],
        Field(max_length=7, description="What failed; empty: all."),
    ] = Field(default_factory=list)
    kinds: Kinds = Field(default_factory=list)
    times: Literal["any", "class", "night", "exam", "holiday"] = "any"
    least_schools: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    least_pupils: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    region_id: Id | None = None
    severity: Annotated[Literal["", "warning", "minor", "major", "critical"], Field(description="Empty: as it is.")] = (
        ""
    )
    raise_by: Annotated[int, Field(ge=-3, le=3)] = 0
    delay_s: Annotated[
        int | None, Field(ge=0, le=86_400, description="From its beginning; null: as other rules say.")
    ] = None
    night: Annotated[
        Literal["", "at_once", "morning"], Field(description="At night: at once, or with the morning's summary.")
    ] = ""
    note: Note = ""


class NoticeRuleRead(NoticeRuleCreate):
    """A rule as it is shown."""

    id: int
    row_version: int
    updated_at: datetime


class NoticeRuleQuery(ListQuery):
    """Filters of the list."""

    name: Text | None = None
    enabled: bool | None = None
    region_id: Id | None = None


_rule = table(NoticeRule)

NOTICE_RULES = Resource(
    name="notice-rules",
    model=NoticeRule,
    read=NoticeRuleRead,
    create=NoticeRuleCreate,
    update=partial_of(NoticeRuleCreate, "NoticeRuleUpdate"),
    query=NoticeRuleQuery,
    sorts={"position": _rule.c.position, "name": _rule.c.name},
    default_sort="position",
    search=contains(func.lower(_rule.c.name)),
    references={"region_id": Region},
    clashes=(("name",),),
    prepare=_keep_to_own_rule,
    before_delete=_keep_to_own,
    planned=False,
)


class EscalationStepCreate(Body):
    """After `after_minutes` without an acknowledgement, incidents of at least `severity` reach `level`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"level": "city", "severity": "minor", "after_minutes": 30}]}
    )

    level: Level
    severity: Severity = "warning"
    after_minutes: Annotated[int, Field(ge=0, le=10_080)] = 0
    region_id: Annotated[
        Id | None, Field(description="Null: the whole province. The nearest region's steps count.")
    ] = None
    enabled: bool = True


class EscalationStepRead(EscalationStepCreate):
    """A step as it is shown."""

    id: int
    row_version: int
    updated_at: datetime


class EscalationStepQuery(ListQuery):
    """Filters of the list."""

    level: Level | None = None
    region_id: Id | None = None
    enabled: bool | None = None


_step = table(EscalationStep)

ESCALATION_STEPS = Resource(
    name="escalation-steps",
    model=EscalationStep,
    read=EscalationStepRead,
    create=EscalationStepCreate,
    update=partial_of(EscalationStepCreate, "EscalationStepUpdate"),
    query=EscalationStepQuery,
    sorts={"after_minutes": _step.c.after_minutes, "level": _step.c.level},
    default_sort="after_minutes",
    references={"region_id": Region},
    prepare=_keep_to_own_rule,
    before_delete=_keep_to_own,
    planned=False,
)


class ContactCreate(Body):
    """A person of a region or of a school who may be on duty."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "值班员", "phone": "13800000000", "region_id": 12}]}
    )

    name: Title
    phone: Annotated[Text, StringConstraints(max_length=40, pattern=r"^[+\d][\d\- ]*$|^$")] = ""
    mail: Annotated[Text, StringConstraints(max_length=120, pattern=r"^[^@\s]+@[^@\s]+$|^$")] = ""
    region_id: Id | None = None
    school_id: Id | None = None
    note: Note = ""


class ContactRead(ContactCreate):
    """A person as shown."""

    id: int
    row_version: int
    updated_at: datetime


class PersonQuery(ListQuery):
    """Filters of the list."""

    region_id: Id | None = None
    school_id: Id | None = None


def _one_place(work: Work, row: Any, children: Row) -> None:
    """Of a region or of a school; of neither: the whole province, for its administrators."""
    if row.region_id is not None and row.school_id is not None:
        raise invalid(Wrong("school_id", "one-of", "region_id | school_id"))
    if row.region_id is None and row.school_id is None and not work.caller.scope.everything:
        raise Problem("outside", errors=[Wrong("region_id", "outside")])


_contact = table(Contact)

CONTACTS = Resource(
    name="contacts",
    model=Contact,
    read=ContactRead,
    create=ContactCreate,
    update=partial_of(ContactCreate, "ContactUpdate"),
    query=PersonQuery,
    sorts={"name": _contact.c.name},
    default_sort="name",
    search=contains(func.lower(_contact.c.name)),
    references={"region_id": Region, "school_id": School},
    prepare=_one_place,
    readers="administrators",
    planned=False,
)


class DutyCreate(Body):
    """A turn on duty for a region's subtree or a school. `weekly`: it comes again every 7 days, until `last_at`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "contact_id": 3,
                    "region_id": 12,
                    "from_at": "2026-12-07T08:00:00+08:00",
                    "until_at": "2026-12-07T20:00:00+08:00",
                    "weekly": True,
                }
            ]
        }
    )

    contact_id: Id
    region_id: Id | None = None
    school_id: Id | None = None
    from_at: AwareDatetime
    until_at: AwareDatetime
    weekly: bool = False
    last_at: Annotated[AwareDatetime | None, Field(description="Of a weekly turn: nothing begins after it.")] = None
    position: Annotated[int, Field(ge=1, le=9, description="1 is called first, 2 stands by.")] = 1
    note: Short = ""


class DutyRead(DutyCreate):
    """A turn as it is shown."""

    id: int
    row_version: int
    updated_at: datetime


class DutyQuery(PersonQuery):
    """Filters of the list."""

    contact_id: Id | None = None


def _prepare_duty(work: Work, row: Duty, children: Row) -> None:
    if row.until_at <= row.from_at:
        raise invalid(Wrong("until_at", "before", "> from_at"))
    if row.weekly and row.until_at - row.from_at > timedelta(days=7):
        raise invalid(Wrong("until_at", "wrong", "<= from_at + 7 d"))
    _one_place(work, row, children)


_duty = table(Duty)

DUTIES = Resource(
    name="duties",
    model=Duty,
    read=DutyRead,
    create=DutyCreate,
    update=partial_of(DutyCreate, "DutyUpdate"),
    query=DutyQuery,
    sorts={"from_at": _duty.c.from_at},
    default_sort="from_at",
    references={"contact_id": Contact, "region_id": Region, "school_id": School},
    prepare=_prepare_duty,
    readers="administrators",
    planned=False,
)

_MODELS: dict[NodeKind, type[SQLModel]] = {
    NodeKind.device: Device,
    NodeKind.line: Line,
    NodeKind.site: Site,
    NodeKind.school: School,
}


LONGEST_SILENCE = timedelta(days=366)
"""A silence ends: one of a hundred years would be one without an end."""


class SilenceCreate(Body):
    """Nobody is told of what begins on a node (`kind`, `node_id`), in a region or of one incident; what was said still resolves."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"incident_id": 12, "until_at": "2026-12-02T02:00:00+08:00", "reason": "已知:校舍拆除"}]
        }
    )

    kind: NodeKind | None = None
    node_id: Id | None = None
    region_id: Id | None = None
    incident_id: Id | None = None
    from_at: Annotated[AwareDatetime | None, Field(description="Null: now.")] = None
    until_at: AwareDatetime
    reason: Annotated[Text, StringConstraints(min_length=1, max_length=200)]


class SilenceRead(SilenceCreate):
    """A silence as it is shown."""

    id: int
    kind: str  # type: ignore[assignment]  # "" where it is of a region or an incident
    created_by: str
    created_at: datetime


class SilenceQuery(ListQuery):
    """Filters of the list."""

    kind: NodeKind | None = None
    node_id: Id | None = None
    region_id: Id | None = None
    incident_id: Id | None = None
    current: Annotated[bool | None, Field(description="true: going on now; false: not.")] = None


def _current(wanted: bool) -> ColumnElement[bool]:
    now = utcnow()
    going = (_silence.c.from_at <= now) & (_silence.c.until_at > now)
    return going if wanted else ~going


def _prepare_silence(work: Work, row: Silence, children: Row) -> None:
    row.from_at = row.from_at or utcnow()
    if row.until_at <= row.from_at:
        raise invalid(Wrong("until_at", "before", "> from_at"))
    if row.until_at - row.from_at > LONGEST_SILENCE:
        raise invalid(Wrong("until_at", "wrong", "<= from_at + 366 d"))
    node = row.kind is not None and row.kind != ""
    if [node, row.region_id is not None, row.incident_id is not None].count(True) != 1 or node != (
        row.node_id is not None
    ):
        raise invalid(Wrong("region_id", "one-of", "kind + node_id | region_id | incident_id"))
    if node and not may_name(work.session, work.caller, _MODELS[NodeKind(row.kind)], row.node_id or 0):
        raise invalid(Wrong("node_id", "no-such", str(row.kind)))
    row.kind = NodeKind(row.kind).value if node else ""
    row.created_by = row.created_by or work.caller.actor


def _before_ending(work: Work, row: Silence) -> None:
    if row.from_at <= utcnow():
        raise Problem("begun")


_silence = table(Silence)

SILENCES = Resource(
    name="silences",
    model=Silence,
    read=SilenceRead,
    create=SilenceCreate,
    update=partial_of(SilenceCreate, "SilenceUpdate", frozenset({"kind", "node_id", "region_id", "incident_id"})),
    query=SilenceQuery,
    filters={"current": _current},
    sorts={"from_at": _silence.c.from_at, "until_at": _silence.c.until_at},
    default_sort="-from_at",
    references={"region_id": Region, "incident_id": Incident},
    prepare=_prepare_silence,
    before_delete=_before_ending,
    planned=False,
)
