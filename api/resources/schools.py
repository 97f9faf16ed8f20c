"""Schools: `/api/v1/schools`."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from sqlalchemy import func, select

from api.resources.machine import Body, Id, Name, PlacedQuery, Resource, Row, Text, Work, contains, partial_of
from api.resources.states import SinceField, StateField, StateJoin
from api.resources.writing import clash
from inventory.models import NodeKind, Region, School, SchoolCode, SchoolLevel, State, table, utcnow
from inventory.searching import school_search

_states = StateJoin(NodeKind.school, School)

SchoolStatus = Literal["active", "closed", "planned"]


class SchoolCreate(Body):
    """A school, kindergarten, teaching point, college or bureau."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "迎泽区第三实验小学", "code": "2114002345", "level": "primary", "place_id": 5, "pupils": 1240}
            ]
        }
    )

    name: Name
    name_en: Annotated[Text, Field(max_length=160)] = ""
    code: Annotated[
        Text | None,
        Field(pattern=r"^\d{10}$", description="学校(机构)标识码, 10 digits; a voided one is never reused."),
    ] = None
    level: SchoolLevel = SchoolLevel.other
    kind: Literal["public", "private"] = "public"
    setting: Literal["", "urban", "town", "rural"] = ""
    place_id: Annotated[Id, Field(description="The county it lies in (tree place).")]
    duty_id: Annotated[Id | None, Field(description="The bureau it answers to (tree duty).")] = None
    pupils: Annotated[int | None, Field(ge=0, le=1_000_000)] = None
    classes: Annotated[int | None, Field(ge=0, le=10_000)] = None
    status: SchoolStatus = "active"
    opened_on: date | None = None
    closed_on: date | None = None
    contact_name: Annotated[Text, Field(max_length=80)] = ""
    contact_phone: Annotated[Text, Field(max_length=40)] = ""
    note: Annotated[Text, Field(max_length=500)] = ""


class SchoolRead(SchoolCreate):
    """A school as it is shown."""

    id: int
    state: StateField
    since: SinceField = None
    reason: str = ""
    devices: Annotated[int, Field(description="Watched devices.")] = 0
    devices_up: Annotated[int, Field(description="Those that answer.")] = 0
    row_version: int
    created_at: datetime
    updated_at: datetime


class SchoolQuery(PlacedQuery):
    """Filters of the list."""

    name: Text | None = None
    code: Text | None = None
    level: list[SchoolLevel] | None = None
    kind: Literal["public", "private"] | None = None
    setting: Literal["urban", "town", "rural"] | None = None
    place_id: Id | None = None
    duty_id: Id | None = None
    status: list[SchoolStatus] | None = None
    state: list[State] | None = None


def _prepare(work: Work, row: School, children: Row) -> None:
    """The bureau by default is that of the county's code; the words for the search."""
    session = work.session
    if row.duty_id is None:
        place = session.get(Region, row.place_id)
        code = place and (place.code or place.local_code)
        region = table(Region)
        found = select(region.c.id).where(region.c.tree == "duty", region.c.local_code == code)
        row.duty_id = session.connection().execute(found).scalar() if code else None
    row.search = school_search(row)


def _write_codes(work: Work, row: School, children: Row) -> None:
    """Keep the codes' days of validity: a new one begins today and voids the old."""
    session = work.session
    code = table(SchoolCode)
    if row.code:
        other = select(code.c.id).where(code.c.code == row.code, code.c.school_id != row.id)
        if session.connection().execute(other).first() is not None:
            raise clash("code")
    today = utcnow().date()
    open_codes = session.connection().execute(
        select(code.c.id, code.c.code).where(code.c.school_id == row.id, code.c.valid_to.is_(None))
    )
    held = False
    for number, value in open_codes.all():
        if value == row.code:
            held = True
        else:
            session.connection().execute(code.update().where(code.c.id == number).values(valid_to=today))
    if row.code and not held:
        session.add(SchoolCode(school_id=row.id or 0, code=row.code, valid_from=row.opened_on or today))


_own = table(School)

SCHOOLS = Resource(
    name="schools",
    model=School,
    read=SchoolRead,
    create=SchoolCreate,
    update=partial_of(SchoolCreate, "SchoolUpdate"),
    query=SchoolQuery,
    columns={
        **_states.columns,
        "devices": func.coalesce(_states.column("devices"), 0),
        "devices_up": func.coalesce(_states.column("devices_up"), 0),
    },
    join=_states.join,
    filters={"state": _states.is_in},
    sorts={
        "name": _own.c.name,
        "code": func.coalesce(_own.c.code, ""),
        "pupils": func.coalesce(_own.c.pupils, -1),
        "updated_at": _own.c.updated_at,
    },
    default_sort="name",
    search=contains(_own.c.search),
    references={"place_id": Region, "duty_id": Region},
    clashes=(("code",),),
    prepare=_prepare,
    write_children=_write_codes,
)

__all__: list[Any] = ["SCHOOLS"]
