"""Links between devices: `/api/v1/links`."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field
from sqlalchemy import ColumnElement, or_

from api.errors import Wrong, invalid
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text, Work, partial_of
from inventory.models import Device, Link, table


class LinkCreate(Body):
    """A link from one port to another, declared by a person."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"from_device_id": 7, "from_port": "GE0/0/1", "to_device_id": 9, "to_port": "GE1/0/24"}]
        }
    )

    from_device_id: Id
    from_port: Annotated[Text, Field(max_length=120, description="ifName.")] = ""
    to_device_id: Id
    to_port: Annotated[Text, Field(max_length=120, description="ifName.")] = ""


class LinkRead(LinkCreate):
    """A link as it is shown. `source`: declared, lldp, cdp, fdb or arp."""

    id: int
    source: str
    confidence: float
    seen_at: datetime | None = None


class LinkQuery(ListQuery):
    """Filters of the list."""

    from_device_id: Id | None = None
    to_device_id: Id | None = None
    device_id: Annotated[Id | None, Field(description="At either end.")] = None
    source: Text | None = None


def _at_either_end(number: int) -> ColumnElement[bool]:
    return or_(_own.c.from_device_id == number, _own.c.to_device_id == number)


def _prepare(work: Work, row: Link, children: Row) -> None:
    if row.from_device_id == row.to_device_id:
        raise invalid(Wrong("to_device_id", "clash", "!= from_device_id"))


_own = table(Link)

LINKS = Resource(
    name="links",
    model=Link,
    read=LinkRead,
    create=LinkCreate,
    update=partial_of(LinkCreate, "LinkUpdate"),
    query=LinkQuery,
    filters={"device_id": _at_either_end},
    references={"from_device_id": Device, "to_device_id": Device},
    clashes=(("from_device_id", "from_port", "to_device_id", "to_port"),),
    prepare=_prepare,
)
