"""The page of one school: is it all right; if not, since when, why, who acts?"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.errors import Problem
from api.pages.exporting import write_csv
from api.pages.frame import Frame, PageFrame, kept
from api.pages.queries import school as queries
from api.pages.queries.contacts import find_contacts
from api.pages.queries.places import read_places
from api.pages.queries.roots import describe_roots, name_lines
from api.pages.queries.slow import slowness_of
from api.pages.uptime import Day, Span, split_days
from api.pages.way import draw_way
from inventory.calendars import read_calendars
from inventory.models import DeviceKind, NodeKind, State
from inventory.uptime import Uptime, read_uptime
from inventory.verdicts import counted

router = APIRouter(include_in_schema=False)

DAYS = 90
ALIVE = (State.up, State.degraded, State.agent_silent, State.flapping)


@router.get("/schools/{number}")
@kept
def show_school(frame: PageFrame, number: int) -> Response:
    """One school on one screen."""
    rows = _read(frame, number)
    places = read_places(frame.session, frame.scope)
    contact = (
        find_contacts(frame.session, frame.scope, [rows.incident]).get(rows.incident.id) if rows.incident else None
    )
    root = (
        (NodeKind(rows.incident.root_kind), rows.incident.root_id)
        if rows.incident and rows.incident.root_kind
        else None
    )
    days, outages = read_days(frame, NodeKind.school, number, _first_seen(rows), _zones(rows))
    gateway = rows.gateways[0] if rows.gateways else None
    return frame.page(
        "school.html",
        rows=rows,
        places=places,
        contact=contact,
        roots=describe_roots(frame.session, frame.locale, [rows.incident]),
        line_names=name_lines(frame.session, frame.locale, [row.id for row in rows.lines]),
        slow=slowness_of(frame.session, rows.lines, frame.now),
        way=draw_way(
            rows.school, rows.word, rows.lines, queries.read_way(frame.session, frame.scope, rows.lines), root
        ),
        days=days,
        sums=_sums(frame, number, starts_at=days[0].start),
        outages=outages[:8],
        outage_count=len(outages),
        kinds=_kinds(rows),
        gateway=gateway,
        measured=next(
            (row for row in rows.lines if gateway and row.end_device_id == gateway.id and row.end_port), None
        ),
        troubled=[
            row for row in rows.devices if row.state in (State.down, State.agent_silent, State.doubtful, State.flapping)
        ],
    )


@router.get("/schools/{number}/outages.csv")
def export_outages(frame: PageFrame, number: int) -> Response:
    """The outages of the last 90 days as a table."""
    rows = _read(frame, number)
    _, outages = read_days(frame, NodeKind.school, number, _first_seen(rows), _zones(rows))
    head = [frame.text(word) for word in ("From", "Until", "Seconds", "Cause", "Accountable", "Planned until")]
    return write_csv(f"edunet-school-{number}-outages.csv", head, [_outage_cells(frame, row) for row in outages])


def read_days(frame: Frame, kind: NodeKind, number: int, first: Any, zones: set[str]) -> tuple[list[Day], list[Any]]:
    """The last 90 days of one node, and the outages in them, the newest first."""
    starts = frame.clock.days(DAYS)
    outages = list(queries.list_outages(frame.session, frame.scope, kind, number, starts[0]))
    down: list[Span] = [(row.from_at, row.until_at or frame.now) for row in outages]
    unknown: list[Span] = [
        (begin, end or frame.now) for begin, end in queries.list_unseen(frame.session, zones, starts[0])
    ]
    return split_days(starts, frame.now, first, down, unknown), outages


def _sums(frame: Frame, number: int, starts_at: datetime) -> Uptime:
    """Its uptime since then: experienced and accountable, 24 × 7 and in class hours."""
    calendars = read_calendars(frame.session, str(frame.clock.zone), [number])
    return read_uptime(frame.session, [number], starts_at, frame.now, calendars)[number]


def _read(frame: Frame, number: int) -> queries.SchoolRows:
    rows = queries.read_school(frame.session, frame.scope, number)
    if rows is None:
        raise Problem("not-found")
    return rows


def _first_seen(rows: queries.SchoolRows) -> Any:
    return min((row.first_seen for row in rows.gateways or rows.devices if row.first_seen), default=None)


def _zones(rows: queries.SchoolRows) -> set[str]:
    return {row.zone for row in rows.gateways or rows.devices if row.zone}


def _kinds(rows: queries.SchoolRows) -> list[tuple[str, int, int, int]]:
    """(kind, alive, judged, all) in the register's order of kinds. Judged: known to be up or down."""
    total: Counter[str] = Counter(str(row.kind) for row in rows.devices)
    alive = Counter(str(row.kind) for row in rows.devices if row.state in ALIVE)
    judged = Counter(str(row.kind) for row in rows.devices if row.state in (*ALIVE, State.down))
    order = [str(kind) for kind in DeviceKind]
    return [(kind, alive[kind], judged[kind], total[kind]) for kind in sorted(total, key=order.index)]


def _outage_cells(frame: Frame, row: Any) -> list[object]:
    end = row.until_at or frame.now
    length = max(timedelta(0), end - row.from_at)
    of = counted(row, frame.now)
    return [
        frame.clock.full(row.from_at),
        frame.clock.full(row.until_at) if row.until_at else "",
        int(length.total_seconds()),
        frame.text(f"cause.{row.cause}"),
        frame.text(f"accountable.{of.party}") if of.party else "",
        frame.clock.full(of.planned_until) if of.planned_until else "",
    ]
