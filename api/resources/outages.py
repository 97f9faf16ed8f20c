"""Outages, as the judge logged them: `/api/v1/outages`, to be read."""

from datetime import datetime
from types import SimpleNamespace
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session

from api.resources.machine import Id, PlacedQuery, Resource, Row, Text
from api.security import CurrentUser
from inventory.models import NodeKind, Outage, School, SchoolLevel, table, utcnow
from inventory.verdicts import counted


class OutageRead(BaseModel):
    """An interval during which a device, a line or a school was unreachable. `until_at` null: still so."""

    id: int
    kind: NodeKind
    node_id: int
    school_id: int | None = None
    place_id: int | None = None
    duty_id: int | None = None
    from_at: datetime
    from_earliest: datetime | None = None
    until_at: datetime | None = None
    until_latest: datetime | None = None
    cause: str
    accountable: str
    evidence: dict[str, Any]
    cause_confidence: float
    cause_rule: str
    first_cause: Annotated[str | None, Field(description="The verdict before a person corrected it.")] = None
    first_accountable: str | None = None
    first_maintenance: bool | None = None
    corrected_by: str
    corrected_at: datetime | None = None
    corrected_why: str
    incident_id: int | None = None
    explained: bool
    maintenance: bool
    counts_for: Annotated[
        str,
        Field(
            description="For whom the uptime counts it: `planned` in maintenance or while it is switched off as usual, else `accountable`."
        ),
    ]
    planned_until: Annotated[
        datetime | None, Field(description="Where only its beginning was switched off as usual: until when.")
    ] = None


class OutageQuery(PlacedQuery):
    """Filters of the list. `from` and `until` give the outages that touch that interval."""

    open: Annotated[bool | None, Field(description="true: not yet over.")] = None
    from_: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: AwareDatetime | None = None
    kind: list[NodeKind] | None = None
    node_id: Id | None = None
    school_id: Id | None = None
    level: Annotated[list[SchoolLevel] | None, Field(description="Of the school.")] = None
    incident_id: Id | None = None
    cause: Text | None = None
    accountable: Text | None = None


def _is_open(wanted: bool) -> ColumnElement[bool]:
    return _own.c.until_at.is_(None) if wanted else _own.c.until_at.is_not(None)


def _of_levels(levels: list[SchoolLevel]) -> ColumnElement[bool]:
    school = table(School)
    return _own.c.school_id.in_(select(school.c.id).where(school.c.level.in_(levels)))


def _count(session: Session, caller: CurrentUser, rows: list[Row]) -> None:
    now = utcnow()
    for row in rows:
        row["counts_for"], row["planned_until"], _ = counted(SimpleNamespace(**row), now)


_own = table(Outage)

OUTAGES = Resource(
    name="outages",
    model=Outage,
    read=OutageRead,
    query=OutageQuery,
    deletable=False,
    filters={
        "open": _is_open,
        "from_": lambda moment: or_(_own.c.until_at.is_(None), _own.c.until_at > moment),
        "until": lambda moment: _own.c.from_at < moment,
        "level": _of_levels,
    },
    sorts={"from_at": _own.c.from_at},
    default_sort="-from_at",
    inline=_count,
)
