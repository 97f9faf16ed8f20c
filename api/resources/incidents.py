"""Incidents, one for each cause: `/api/v1/incidents`, to be read. Their figures count the caller's own part alone."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import ColumnElement, func, or_, select, true
from sqlmodel import Session

from api.resources.machine import Id, ListQuery, Resource, Row, contains
from api.security import CurrentUser
from inventory.models import Incident, NodeKind, Outage, Region, School, table

IncidentKind = Literal["outage", "agent_silent", "degraded"]
Status = Literal["pending", "open", "resolved", "merged"]


class IncidentRead(BaseModel):
    """One cause and what it cuts off. `cut`: ids of schools, most pupils first, at most 200."""

    id: int
    key: str
    kind: IncidentKind
    status: Status
    severity: str
    root_kind: NodeKind | None = None
    root_id: int | None = None
    root_name: str
    cluster_by: str | None = None
    cluster_value: str | None = None
    place_id: int | None = None
    from_at: datetime
    opened_at: datetime | None = None
    resolved_at: datetime | None = None
    merged_into: int | None = None
    affected: int
    schools: int
    pupils: int
    flapping: bool
    cut: list[int]
    cause: str
    cause_confidence: float
    cause_rule: str
    cause_evidence: Annotated[
        list[dict[str, Any]], Field(description="kind, at, node, for and against which causes, data.")
    ]
    accountable: str
    first_cause: Annotated[str | None, Field(description="The verdict before a person corrected it.")] = None
    first_accountable: str | None = None
    corrected_by: str
    corrected_at: datetime | None = None
    corrected_why: str
    evidence: dict[str, Any]
    owner: str
    acknowledged_at: datetime | None = None
    promised_at: datetime | None = None
    ticket: str
    updated_at: datetime


class IncidentQuery(ListQuery):
    """Filters of the list. `from` and `until` give the incidents that touch that interval."""

    open: Annotated[bool | None, Field(description="true: pending or open.")] = None
    from_: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: AwareDatetime | None = None
    kind: list[IncidentKind] | None = None
    status: list[Status] | None = None
    severity: list[str] | None = None
    school_id: Annotated[Id | None, Field(description="That cut this school off.")] = None
    unsaid: Annotated[
        bool, Field(description="true: also those that mended before their notice was due, and were never said.")
    ] = False
    region_id: Annotated[Id | None, Field(description="Whose root lies in this region's subtree.")] = None


OPEN = ("pending", "open")


def _is_open(wanted: bool) -> ColumnElement[bool]:
    """What mended before its notice was due, and was never said, is no incident of the past."""
    return _own.c.status.in_(OPEN) if wanted else _own.c.status.not_in(OPEN) & _own.c.opened_at.is_not(None)


def _of_school(number: int) -> ColumnElement[bool]:
    outage = table(Outage)
    return _own.c.id.in_(select(outage.c.incident_id).where(outage.c.school_id == number))


def _in_region(number: int) -> ColumnElement[bool]:
    region = table(Region)
    path = select(region.c.path).where(region.c.id == number).scalar_subquery()
    return or_(_own.c.path.startswith(path), _own.c.duty_path.startswith(path))


def restrict(session: Session, caller: CurrentUser, rows: list[Row]) -> None:
    """Leave of each row's `cut` the schools of the caller's part, and make `schools`, `pupils` and `affected` count those alone."""
    if caller.scope.everything:
        return
    school = table(School)
    named = {number for row in rows for number in row["cut"]}
    statement = caller.scope.filter(select(school.c.id, school.c.pupils).where(school.c.id.in_(named)), School)
    pupils = {number: count or 0 for number, count in session.connection().execute(statement)}
    for row in rows:
        row["cut"] = [number for number in row["cut"] if number in pupils]
        row["schools"] = len(row["cut"])
        row["pupils"] = sum(pupils[number] for number in row["cut"])
        row["affected"] = min(row["affected"], max(len(row["cut"]), 1))


_own = table(Incident)

INCIDENTS = Resource(
    name="incidents",
    model=Incident,
    read=IncidentRead,
    query=IncidentQuery,
    deletable=False,
    filters={
        "open": _is_open,
        "unsaid": lambda wanted: true() if wanted else or_(_own.c.opened_at.is_not(None), _own.c.status.in_(OPEN)),
        "from_": lambda moment: or_(_own.c.resolved_at.is_(None), _own.c.resolved_at > moment),
        "until": lambda moment: _own.c.from_at < moment,
        "school_id": _of_school,
        "region_id": _in_region,
    },
    sorts={"from_at": _own.c.from_at, "updated_at": _own.c.updated_at, "pupils": _own.c.pupils},
    default_sort="-from_at",
    search=contains(func.lower(_own.c.root_name)),
    inline=restrict,
)
