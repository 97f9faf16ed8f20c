"""Sites: `/api/v1/sites`."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from sqlalchemy import func

from api.resources.machine import Body, Id, Name, PlacedQuery, Resource, Text, contains, partial_of
from api.resources.states import SinceField, StateField, StateJoin
from inventory.models import NodeKind, Region, School, Site, SiteKind, State, table

_states = StateJoin(NodeKind.site, Site)


class SiteCreate(Body):
    """A place with equipment: a campus, a carrier's or bureau's site, a data centre."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "本部", "kind": "campus", "school_id": 12, "place_id": 5}]}
    )

    name: Name
    name_en: Annotated[Text, Field(max_length=160)] = ""
    kind: SiteKind = SiteKind.campus
    tier: Annotated[Literal["", "core", "city", "county", "access"], Field(description="Empty on a campus.")] = ""
    school_id: Id | None = None
    main: Annotated[
        bool, Field(description="The school's main campus, which its line and devices mean by default.")
    ] = False
    place_id: Id
    duty_id: Annotated[Id | None, Field(description="Null: as its school.")] = None
    owner: Annotated[Text, Field(max_length=80)] = ""
    address: Annotated[Text, Field(max_length=200)] = ""
    latitude: Annotated[float | None, Field(ge=-90, le=90, allow_inf_nan=False)] = None
    longitude: Annotated[float | None, Field(ge=-180, le=180, allow_inf_nan=False)] = None
    contact_name: Annotated[Text, Field(max_length=80)] = ""
    contact_phone: Annotated[Text, Field(max_length=40)] = ""
    note: Annotated[Text, Field(max_length=500)] = ""


class SiteRead(SiteCreate):
    """A site as it is shown."""

    id: int
    state: StateField
    since: SinceField = None
    reason: str = ""
    row_version: int
    created_at: datetime
    updated_at: datetime


class SiteQuery(PlacedQuery):
    """Filters of the list."""

    name: Text | None = None
    kind: list[SiteKind] | None = None
    tier: Literal["core", "city", "county", "access"] | None = None
    school_id: Id | None = None
    place_id: Id | None = None
    state: list[State] | None = None


_own = table(Site)

SITES = Resource(
    name="sites",
    model=Site,
    read=SiteRead,
    create=SiteCreate,
    update=partial_of(SiteCreate, "SiteUpdate"),
    query=SiteQuery,
    columns=_states.columns,
    join=_states.join,
    filters={"state": _states.is_in},
    sorts={"name": _own.c.name, "updated_at": _own.c.updated_at},
    default_sort="name",
    search=contains(func.lower(_own.c.name)),
    references={"place_id": Region, "duty_id": Region, "school_id": School},
)
