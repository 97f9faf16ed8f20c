"""Prefixes given to schools, sites and lines: `/api/v1/prefixes`."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from sqlalchemy import ColumnElement, and_

from api.errors import Wrong, invalid
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text, Work, contains, partial_of
from inventory.lookup import pack, parse_address, prefix_bounds
from inventory.models import Line, Prefix, School, Site, Zone, table


def _cidr(text: str) -> str:
    try:
        return prefix_bounds(text)[0]
    except ValueError as error:
        raise ValueError("CIDR prefix without host bits, 10.14.3.0/24") from error


class PrefixCreate(Body):
    """A range of addresses in a zone, and whose it is (at least one of school, site and line)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"zone_id": 1, "cidr": "10.14.3.0/24", "school_id": 12, "purpose": "办公"}]}
    )

    zone_id: Id
    cidr: Annotated[Text, Field(max_length=43), AfterValidator(_cidr)]
    school_id: Id | None = None
    site_id: Id | None = None
    line_id: Id | None = None
    purpose: Annotated[Text, Field(max_length=40)] = ""
    note: Annotated[Text, Field(max_length=200)] = ""


class PrefixRead(PrefixCreate):
    """A prefix as it is shown. `length`: in its own family."""

    id: int
    length: int
    row_version: int


class PrefixQuery(ListQuery):
    """Filters of the list."""

    zone_id: Id | None = None
    cidr: Text | None = None
    school_id: Id | None = None
    site_id: Id | None = None
    line_id: Id | None = None
    contains: Annotated[Text | None, Field(max_length=45, description="An address that lies in it.")] = None


def _contains(text: str) -> ColumnElement[bool]:
    try:
        address = parse_address(text)
    except ValueError as error:
        raise invalid(Wrong("contains", "bad-address", "10.1.2.3 | 2001:db8::1")) from error
    family = _own.c.cidr.contains(":") if address.version == 6 else ~_own.c.cidr.contains(":")
    return and_(_own.c.first <= pack(address), _own.c.last >= pack(address), family)


def _prepare(work: Work, row: Prefix, children: Row) -> None:
    if row.school_id is None and row.site_id is None and row.line_id is None:
        raise invalid(Wrong("school_id", "one-of", "school_id | site_id | line_id"))
    row.cidr, row.first, row.last, row.length = prefix_bounds(row.cidr)


_own = table(Prefix)

PREFIXES = Resource(
    name="prefixes",
    model=Prefix,
    read=PrefixRead,
    create=PrefixCreate,
    update=partial_of(PrefixCreate, "PrefixUpdate"),
    query=PrefixQuery,
    filters={"contains": _contains},
    sorts={"cidr": _own.c.cidr},
    search=contains(_own.c.cidr),
    references={"zone_id": Zone, "school_id": School, "site_id": Site, "line_id": Line},
    clashes=(("zone_id", "cidr"),),
    prepare=_prepare,
)
