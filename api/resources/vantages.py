"""Vantage points: `/api/v1/vantages`. The token of `edunet vantage run` is in the answer to the creation, once; deleting the row makes it void."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints
from sqlalchemy import func
from sqlmodel import Session

from api.errors import Problem
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text, Work, contains, partial_of
from api.resources.zones import check_references
from api.security import CurrentUser
from inventory.models import VantagePoint, Zone, table
from inventory.users import hash_token
from inventory.vantages import fare_of, new_token, read_fares

State = Literal["sees", "blind", "silent", "never", "off"]


class VantageCreate(Body):
    """A process elsewhere (`edunet vantage run`) that pings what the collector pings. zone_id null: the addresses of every zone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "datong", "place": "大同市教育局，移动专线", "references": "10.2.0.1"}]
        }
    )

    name: Annotated[Text, StringConstraints(min_length=1, max_length=40)]
    place: Annotated[Text, Field(max_length=120, description="Where it stands, by whose line.")] = ""
    zone_id: Id | None = None
    references: Annotated[
        Text,
        Field(max_length=500, description="Its own reference targets: 10.0.0.1, tcp:10.0.0.1:53, gateway."),
        AfterValidator(check_references),
    ] = ""
    enabled: bool = True


class VantageRead(VantageCreate):
    """A vantage point as it is shown. state: sees, blind (its own references are silent), silent (hands nothing in), never, off."""

    id: int
    created_by: str
    created_at: datetime
    row_version: int
    state: State = "never"
    reported_at: Annotated[datetime | None, Field(description="When it last handed reports in.")] = None
    blind: Annotated[list[str], Field(default_factory=list, description="Zones that it cannot see.")]
    detail: Annotated[
        dict[str, Any],
        Field(
            default_factory=dict, description="offset_s of its clock, round_trip_s, reports dropped and waiting there."
        ),
    ]
    token: Annotated[str | None, Field(description="The secret: only in the answer to its creation.")] = None


class VantageQuery(ListQuery):
    """Filters of the list."""

    name: Text | None = None
    zone_id: Id | None = None
    enabled: bool | None = None


def _prepare(work: Work, row: VantagePoint, children: Row) -> None:
    if row.id is not None:
        return
    if work.caller.via == "token":  # a stolen token must not make another that outlives it
        raise Problem("token-scope", scope=work.caller.may)
    children["token"] = secret = new_token()
    row.token_hash = hash_token(secret)
    row.created_by = work.caller.actor


def _reply(children: Row, shown: Row) -> None:
    shown["token"] = children["token"]


def _inline(session: Session, _caller: CurrentUser, rows: list[Row]) -> None:
    """How each fares, as the judge's process last said."""
    fares = read_fares(session)
    for row in rows:
        row |= fare_of(row, fares)


_own = table(VantagePoint)

VANTAGES = Resource(
    name="vantages",
    model=VantagePoint,
    read=VantageRead,
    create=VantageCreate,
    update=partial_of(VantageCreate, "VantageUpdate"),
    query=VantageQuery,
    readers="administrators",
    writers="province",
    sorts={"name": _own.c.name, "created_at": _own.c.created_at},
    default_sort="name",
    search=contains(func.lower(_own.c.name + " " + _own.c.place)),
    clashes=(("name",),),
    references={"zone_id": Zone},
    inline=_inline,
    prepare=_prepare,
    reply=_reply,
)
