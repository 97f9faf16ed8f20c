"""Outages, as the judge logged them: `/api/v1/outages`, to be read."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import ColumnElement, or_, select

from api.resources.machine import Id, PlacedQuery, Resource, Text
from inventory.models import NodeKind, Outage, School, SchoolLevel, table


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
)
