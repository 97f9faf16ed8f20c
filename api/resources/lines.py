"""Lines: `/api/v1/lines`."""

from datetime import date, datetime
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field
from sqlalchemy import delete, func, insert, select
from sqlmodel import Session

from api.errors import Wrong, invalid
from api.resources.machine import MAX_ID, Body, Id, Name, PlacedQuery, Resource, Row, Text, Work, contains, partial_of
from api.resources.states import SinceField, StateField, StateJoin
from api.security import CurrentUser
from inventory.models import Device, Line, LineSite, NodeKind, Site, State, table

_states = StateJoin(NodeKind.line, Line)
LineStatus = Literal["ordered", "active", "ended"]


def _address(text: str | None) -> str | None:
    """An IP address in its usual form; empty: none."""
    return str(ip_address(text)) if text else None


Address = Annotated[Text | None, AfterValidator(_address)]


class LineCreate(Body):
    """One access circuit, serving one site or several."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "迎泽区第三实验小学 电信专线",
                    "operator": "telecom",
                    "circuit": "TY-2024-00317",
                    "bandwidth_mbps": 1000,
                    "sites": [31],
                    "upstream_site_id": 4,
                    "contact_phone": "0351-1234567",
                }
            ]
        }
    )

    name: Name
    sites: Annotated[list[Id], Field(min_length=1, max_length=50, description="Ids of the sites that it serves.")]
    operator: Annotated[Text, Field(max_length=40)] = ""
    circuit: Annotated[Text | None, Field(max_length=80, description="The operator's circuit number.")] = None
    role: Literal["primary", "backup"] = "primary"
    bandwidth_mbps: Annotated[int | None, Field(ge=0, le=10_000_000)] = None
    bandwidth_up_mbps: Annotated[int | None, Field(ge=0, le=10_000_000, description="Null: as downstream.")] = None
    upstream_site_id: Annotated[Id | None, Field(description="The carrier's or bureau's site that it hangs under.")] = (
        None
    )
    end_device_id: Annotated[Id | None, Field(description="The school's gateway that it ends on.")] = None
    end_port: Annotated[Text | None, Field(max_length=80, description="ifName.")] = None
    far_device_id: Id | None = None
    far_port: Annotated[Text | None, Field(max_length=80, description="ifName.")] = None
    near_address: Annotated[Address, Field(description="The school's own address on this circuit; it is pinged.")] = (
        None
    )
    far_address: Annotated[Address, Field(description="The other end's address on this circuit; it is pinged.")] = None
    status: LineStatus = "active"
    ordered_on: date | None = None
    active_on: date | None = None
    ended_on: date | None = None
    contact_name: Annotated[Text, Field(max_length=80)] = ""
    contact_phone: Annotated[Text, Field(max_length=40, description="The operator's fault line.")] = ""
    note: Annotated[Text, Field(max_length=500)] = ""


class LineRead(LineCreate):
    """A line as it is shown. `sites`: those within the caller's part."""

    sites: list[int]
    id: int
    state: StateField
    since: SinceField = None
    reason: str = ""
    row_version: int
    created_at: datetime
    updated_at: datetime


class LineQuery(PlacedQuery):
    """Filters of the list."""

    name: Text | None = None
    operator: list[Text] | None = None
    circuit: Text | None = None
    role: Literal["primary", "backup"] | None = None
    status: list[LineStatus] | None = None
    state: list[State] | None = None
    site_id: Id | None = None
    school_id: Id | None = None
    upstream_site_id: Id | None = None


def _serves_site(site_id: int):  # type: ignore[no-untyped-def]  # a Filter
    return _own.c.id.in_(select(_served.c.line_id).where(_served.c.site_id == site_id))


def _serves_school(school_id: int):  # type: ignore[no-untyped-def]  # a Filter
    site = table(Site)
    sites = select(site.c.id).where(site.c.school_id == school_id)
    return _own.c.id.in_(select(_served.c.line_id).where(_served.c.site_id.in_(sites)))


def _inline(session: Session, caller: CurrentUser, rows: list[Row]) -> None:
    by_id: dict[int, Row] = {row["id"]: row for row in rows}
    for row in rows:
        row["sites"] = []
    statement = select(_served.c.line_id, _served.c.site_id).where(_served.c.line_id.in_(by_id))
    statement = caller.scope.filter(statement, LineSite).order_by(_served.c.site_id)
    for line_id, site_id in session.connection().execute(statement):
        by_id[line_id]["sites"].append(site_id)


def _write_sites(work: Work, row: Line, children: Row) -> None:
    """The sites that it serves become those named; those outside the caller's part stay."""
    session, caller = work.session, work.caller
    wanted = children.get("sites")
    if wanted is None:
        return
    for index, number in enumerate(wanted):
        if not caller.scope.allows(session, Site, number):
            raise invalid(Wrong(f"sites.{index}", "no-such", f"id (1..{MAX_ID})"))
    seen = caller.scope.filter(select(_served.c.site_id).where(_served.c.line_id == row.id), LineSite)
    there = set(session.connection().execute(seen).scalars())
    gone, new = there - set(wanted), sorted(set(wanted) - there)
    if gone:
        statement = delete(LineSite).where(_served.c.line_id == row.id, _served.c.site_id.in_(gone))
        session.connection().execute(statement)
    if new:
        session.connection().execute(insert(_served), [{"line_id": row.id, "site_id": number} for number in new])


_own = table(Line)
_served = table(LineSite)

LINES = Resource(
    name="lines",
    model=Line,
    read=LineRead,
    create=LineCreate,
    update=partial_of(LineCreate, "LineUpdate"),
    query=LineQuery,
    columns=_states.columns,
    join=_states.join,
    filters={"state": _states.is_in, "site_id": _serves_site, "school_id": _serves_school},
    sorts={"name": _own.c.name, "operator": _own.c.operator, "updated_at": _own.c.updated_at},
    default_sort="name",
    search=contains(func.lower(_own.c.name + " " + func.coalesce(_own.c.circuit, ""))),
    references={"upstream_site_id": Site, "end_device_id": Device, "far_device_id": Device},
    clashes=(("operator", "circuit"),),
    children=frozenset({"sites"}),
    inline=_inline,
    write_children=_write_sites,
)
