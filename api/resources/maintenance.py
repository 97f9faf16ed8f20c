"""Windows of work: `/api/v1/maintenance`. Never without an end; what has begun is ended, not deleted."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field
from sqlalchemy import ColumnElement
from sqlmodel import SQLModel

from api.errors import Problem, Wrong, invalid
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text, Work, partial_of
from api.resources.writing import may_name
from inventory.models import Device, Line, Maintenance, NodeKind, Region, School, Site, table, utcnow

_MODELS: dict[NodeKind, type[SQLModel]] = {
    NodeKind.device: Device,
    NodeKind.line: Line,
    NodeKind.site: Site,
    NodeKind.school: School,
}


class MaintenanceCreate(Body):
    """A window on one node (`kind`, `node_id`), or on all of a region."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "line",
                    "node_id": 45,
                    "from_at": "2026-12-01T22:00:00+08:00",
                    "until_at": "2026-12-02T02:00:00+08:00",
                    "reason": "光缆割接",
                }
            ]
        }
    )

    kind: NodeKind | None = None
    node_id: Id | None = None
    region_id: Id | None = None
    from_at: AwareDatetime
    until_at: AwareDatetime
    reason: Annotated[Text, Field(max_length=200)] = ""


class MaintenanceRead(MaintenanceCreate):
    """A window as it is shown."""

    id: int
    created_by: str
    created_at: datetime


class MaintenanceQuery(ListQuery):
    """Filters of the list."""

    kind: NodeKind | None = None
    node_id: Id | None = None
    region_id: Id | None = None
    current: Annotated[bool | None, Field(description="true: going on now; false: not.")] = None


def _current(wanted: bool) -> ColumnElement[bool]:
    now = utcnow()
    going = (_own.c.from_at <= now) & (_own.c.until_at > now)
    return going if wanted else ~going


def _prepare(work: Work, row: Maintenance, children: Row) -> None:
    if row.until_at <= row.from_at:
        raise invalid(Wrong("until_at", "before", "> from_at"))
    if (row.region_id is None) == (row.kind is None) or (row.kind is None) != (row.node_id is None):
        raise invalid(Wrong("region_id", "one-of", "region_id | kind + node_id"))
    if row.kind is not None and not may_name(work.session, work.caller, _MODELS[row.kind], row.node_id or 0):
        raise invalid(Wrong("node_id", "no-such", row.kind.value))
    if not row.created_by:
        row.created_by = work.caller.actor


def _before_delete(work: Work, row: Maintenance) -> None:
    if row.from_at <= utcnow():
        raise Problem("begun")


_own = table(Maintenance)

MAINTENANCE = Resource(
    name="maintenance",
    model=Maintenance,
    read=MaintenanceRead,
    create=MaintenanceCreate,
    update=partial_of(MaintenanceCreate, "MaintenanceUpdate", frozenset({"kind", "node_id", "region_id"})),
    query=MaintenanceQuery,
    filters={"current": _current},
    sorts={"from_at": _own.c.from_at, "until_at": _own.c.until_at},
    default_sort="-from_at",
    references={"region_id": Region},
    prepare=_prepare,
    before_delete=_before_delete,
)
