"""Windows of work: `/api/v1/maintenance`. Never without an end, repeating ones neither; what has begun is ended, not deleted."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement
from sqlmodel import Session, SQLModel

from api.errors import Problem, Wrong, invalid
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text, Work, partial_of
from api.resources.writing import may_name
from api.security import CurrentUser
from inventory.calendars.clashes import exams_of_windows
from inventory.calendars.windows import LONGEST, going_on, next_spans, occurrences, overlaps, write_occurrences
from inventory.models import Device, Line, Maintenance, NodeKind, Region, Repeat, School, Site, table, utcnow

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
                },
                {
                    "region_id": 12,
                    "from_at": "2026-12-05T01:00:00+08:00",
                    "until_at": "2026-12-05T03:00:00+08:00",
                    "repeat": "weekly",
                    "weekdays": [6],
                    "repeat_until": "2027-03-01T00:00:00+08:00",
                    "reason": "每周割接窗口",
                },
            ]
        }
    )

    kind: NodeKind | None = None
    node_id: Id | None = None
    region_id: Id | None = None
    from_at: AwareDatetime
    until_at: AwareDatetime
    reason: Annotated[Text, Field(max_length=200)] = ""
    repeat: Annotated[
        Repeat,
        Field(description="How it comes again, at the same local times; `from_at` and `until_at` are the first."),
    ] = Repeat.never
    weekdays: Annotated[
        list[Annotated[int, Field(ge=1, le=7)]],
        Field(default_factory=list, max_length=7, description="weekly: 1 Monday to 7 Sunday; none: that of `from_at`."),
    ]
    repeat_until: Annotated[
        AwareDatetime | None, Field(description="The end of the series: needed, and at most a year after `from_at`.")
    ] = None


class Warned(BaseModel):
    """What speaks against a window: it begins, or goes on, inside a session of an exam."""

    code: Literal["exam"]
    exam_id: int
    name: str
    from_at: datetime
    until_at: datetime


class MaintenanceRead(MaintenanceCreate):
    """A window as it is shown. `next_*`: the occurrence that goes on or comes next; null: it is over."""

    id: int
    created_by: str
    created_at: datetime
    row_version: int
    next_from_at: datetime | None = None
    next_until_at: datetime | None = None
    warnings: Annotated[list[Warned], Field(default_factory=list)]


class MaintenanceQuery(ListQuery):
    """Filters of the list."""

    kind: NodeKind | None = None
    node_id: Id | None = None
    region_id: Id | None = None
    current: Annotated[bool | None, Field(description="true: going on now; false: not.")] = None


def _current(wanted: bool) -> ColumnElement[bool]:
    going = going_on(utcnow())
    return going if wanted else ~going


def _prepare(work: Work, row: Maintenance, children: Row) -> None:
    if row.until_at <= row.from_at:
        raise invalid(Wrong("until_at", "before", "> from_at"))
    if (row.region_id is None) == (row.kind is None) or (row.kind is None) != (row.node_id is None):
        raise invalid(Wrong("region_id", "one-of", "region_id | kind + node_id"))
    if row.kind is not None and not may_name(work.session, work.caller, _MODELS[row.kind], row.node_id or 0):
        raise invalid(Wrong("node_id", "no-such", row.kind.value))
    _check_series(work, row)
    if not row.created_by:
        row.created_by = work.caller.actor


def _check_series(work: Work, row: Maintenance) -> None:
    row.repeat, row.weekdays = Repeat(row.repeat).value, sorted(set(row.weekdays))
    if row.repeat == Repeat.never:
        row.weekdays, row.repeat_until = [], None
        return
    if row.weekdays and row.repeat != Repeat.weekly:
        raise invalid(Wrong("weekdays", "wrong", "repeat = weekly"))
    if row.repeat_until is None:
        raise invalid(Wrong("repeat_until", "missing"))
    if not row.until_at <= row.repeat_until <= row.from_at + LONGEST:
        raise invalid(Wrong("repeat_until", "future", "until_at ... from_at + 366 d"))
    zone = ZoneInfo(work.register.timezone)
    spans = occurrences(row.from_at, row.until_at, row.repeat, row.weekdays, row.repeat_until, zone)
    if not spans or spans[0][0] != row.from_at:
        raise invalid(Wrong("weekdays", "wrong", "from_at"))
    if overlaps(spans):
        raise invalid(Wrong("until_at", "future", "< next from_at"))


def _write_occurrences(work: Work, row: Maintenance, _children: Row) -> None:
    write_occurrences(work.session, row, ZoneInfo(work.register.timezone))


def _inline(session: Session, _caller: CurrentUser, rows: list[Row]) -> None:
    now = utcnow()
    coming = next_spans(session, rows, now)
    exams = exams_of_windows(session, rows, now)
    for row in rows:
        row["next_from_at"], row["next_until_at"] = coming.get(row["id"], (None, None))
        row["warnings"] = [
            {"code": "exam", "exam_id": e.id, "name": e.name, "from_at": e.from_at, "until_at": e.until_at}
            for e in exams.get(row["id"], ())
        ]


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
    write_children=_write_occurrences,
    inline=_inline,
    before_delete=_before_delete,
)
