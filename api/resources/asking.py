"""How devices are asked, by model: `/api/v1/asking`. Rules are the whole installation's: only its administrators change them."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints
from sqlalchemy import func

from api.resources.machine import Body, ListQuery, Resource, Text, contains, partial_of
from inventory.models import AskingRule, table
from probes.snmp.oids import IF_COLUMN_NAMES

NEEDED = frozenset({"ifAdminStatus", "ifOperStatus"})
"""Without these no port has a state: they are never off."""


def _columns(text: str) -> str:
    """Names of columns that may be left out, separated by commas, in IF-MIB's spelling."""
    known = {name.lower(): name for name in IF_COLUMN_NAMES if name not in NEEDED}
    words = text.replace(",", " ").split()
    if unknown := [word for word in words if word.lower() not in known]:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(known.values())}")
    return ",".join(dict.fromkeys(known[word.lower()] for word in words))


def _object_id(text: str) -> str:
    """The beginning of a sysObjectID: numbers and dots."""
    bare = text.strip(".")
    if bare and not all(part.isdecimal() for part in bare.split(".")):
        raise ValueError("numbers and dots, 1.3.6.1.4.1.2011")
    return bare


def _pattern(text: str) -> str:
    return text or "*"


class AskingCreate(Body):
    """Settings for all devices that fit. What is null is left to the next rule that fits, and at last to the built-in defaults."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "老款海康摄像机", "vendor": "hikvision*", "model": "DS-2CD*", "bulk": False, "pause_ms": 100}
            ]
        }
    )

    name: Annotated[Text, StringConstraints(min_length=1, max_length=80)]
    position: Annotated[int, Field(ge=0, le=10_000, description="Lower ones come first.")] = 100
    enabled: bool = True
    vendor: Annotated[
        Text, Field(max_length=80, description="A pattern with * and ?, in any case."), AfterValidator(_pattern)
    ] = "*"
    model: Annotated[
        Text, Field(max_length=120, description="A pattern with * and ?, in any case."), AfterValidator(_pattern)
    ] = "*"
    sys_object_id: Annotated[
        Text,
        Field(max_length=120, description="The beginning of sysObjectID; empty: any."),
        AfterValidator(_object_id),
    ] = ""
    max_bindings: Annotated[int | None, Field(ge=1, le=108, description="Most values in one answer.")] = None
    max_repetitions: Annotated[int | None, Field(ge=1, le=12, description="Most rows in one answer.")] = None
    pause_ms: Annotated[
        int | None, Field(ge=0, le=5000, description="Between an answer and the next request to the same device.")
    ] = None
    columns_off: Annotated[
        Text,
        Field(max_length=200, description="Columns that are not read, separated by commas: ifInDiscards, ..."),
        AfterValidator(_columns),
    ] = ""
    bulk: Annotated[bool | None, Field(description="false: GETNEXT alone, for agents that cannot do GETBULK.")] = None
    every_rounds: Annotated[int | None, Field(ge=1, le=60, description="Read in every such round only.")] = None
    budget_requests: Annotated[int | None, Field(ge=1, le=10_000, description="For each device and round.")] = None
    budget_seconds: Annotated[float | None, Field(gt=0, le=12, description="For each device and round.")] = None
    budget_kilobytes: Annotated[
        int | None, Field(ge=1, le=65_536, description="For each device and round, both ways.")
    ] = None
    note: Annotated[Text, Field(max_length=500)] = ""


class AskingRead(AskingCreate):
    """A rule as it is shown."""

    id: int
    row_version: int
    updated_at: datetime


class AskingQuery(ListQuery):
    """Filters of the list."""

    name: Text | None = None
    vendor: Text | None = None
    model: Text | None = None
    enabled: bool | None = None


_own = table(AskingRule)

ASKING = Resource(
    name="asking",
    model=AskingRule,
    read=AskingRead,
    create=AskingCreate,
    update=partial_of(AskingCreate, "AskingUpdate"),
    query=AskingQuery,
    sorts={"position": _own.c.position, "name": _own.c.name},
    default_sort="position",
    search=contains(func.lower(_own.c.name + " " + _own.c.vendor + " " + _own.c.model)),
    clashes=(("name",),),
    writers="province",
)
