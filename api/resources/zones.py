"""Zones, the address spaces: `/api/v1/zones`. They are the whole installation's: only its administrators change them."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints
from sqlalchemy import func, update

from api.resources.machine import Body, ListQuery, Resource, Row, Text, Work, contains, partial_of
from inventory.models import Zone, table
from inventory.references import EXPECTED, parse_reference


def check_references(text: str) -> str:
    """Reference targets: addresses that are pinged, `tcp:ADDRESS:PORT`, `gateway`; separated by commas."""
    words = [part.strip() for part in text.split(",") if part.strip()]
    if any(parse_reference(word) is None for word in words):
        raise ValueError(f"{EXPECTED}, separated by commas")
    return ",".join(words)


class ZoneCreate(Body):
    """An address space with its collectors."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "taiyuan", "description": "太原市教育城域网", "references": "10.14.0.1"}]
        }
    )

    name: Annotated[Text, StringConstraints(min_length=1, max_length=40)]
    description: Annotated[Text, Field(max_length=200)] = ""
    default: Annotated[bool, Field(description="The zone meant where none is named; only one is.")] = False
    references: Annotated[
        Text,
        Field(max_length=500, description="Reference targets of its collectors: 10.0.0.1, tcp:10.0.0.1:53, gateway."),
        AfterValidator(check_references),
    ] = ""


class ZoneRead(ZoneCreate):
    """A zone as it is shown."""

    id: int
    row_version: int


class ZoneQuery(ListQuery):
    """Filters of the list."""

    name: Text | None = None
    default: bool | None = None


def _one_default(work: Work, row: Zone, children: Row) -> None:
    session = work.session
    if row.default:
        statement = update(Zone).where(_own.c.id != row.id, _own.c.default)
        session.connection().execute(statement.values(default=False, row_version=_own.c.row_version + 1))


_own = table(Zone)

ZONES = Resource(
    name="zones",
    model=Zone,
    read=ZoneRead,
    create=ZoneCreate,
    update=partial_of(ZoneCreate, "ZoneUpdate"),
    query=ZoneQuery,
    sorts={"name": _own.c.name},
    default_sort="name",
    search=contains(func.lower(_own.c.name + " " + _own.c.description)),
    clashes=(("name",),),
    write_children=_one_default,
    writers="province",
)
