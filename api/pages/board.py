"""The board: who is cut off now, why, whom to call? And the pages of one incident and of past ones."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.errors import Problem
from api.pages.frame import PageFrame
from api.pages.queries import board as queries
from api.pages.queries import incident as detail
from api.pages.queries.contacts import find_contacts
from api.pages.queries.places import read_places
from api.pages.queries.roots import describe_roots, name_lines
from api.pages.queries.slow import list_slow

router = APIRouter(include_in_schema=False)


@router.get("/")
def show_board(frame: PageFrame) -> Response:
    """The board; `?wall=1` for a screen on a wall, without controls."""
    rows, total = queries.list_incidents(frame.session, frame.scope)
    recovered = queries.list_recovered(frame.session, frame.scope, frame.now)
    slow = list_slow(frame.session, frame.scope)
    context: dict[str, Any] = {
        "rows": rows,
        "incident_total": total,
        "above": queries.cut_from_above(frame.session, frame.scope),
        "counts": queries.count_schools(frame.session, frame.scope),
        "recovered": recovered,
        "roots": describe_roots(frame.session, frame.locale, [*(row.incident for row in rows), *recovered]),
        "slow": slow,
        "line_names": name_lines(frame.session, frame.locale, [row.id for row in slow]),
        "tiles": queries.map_tiles(frame.session, frame.scope),
        "registered": queries.is_registered(frame.session, frame.scope),
    }
    live = frame.partial and frame.request.headers.get("hx-target") == "live"
    return frame.page("board_live.html" if live else "board.html", **context)


@router.get("/incidents")
def show_incidents(frame: PageFrame) -> Response:
    """Past and current incidents, the newest first."""
    page = frame.request.query_params.get("page", "1")
    number = max(1, int(page)) if page.isdecimal() and len(page) < 6 else 1
    rows, more = detail.list_past(frame.session, frame.scope, number)
    return frame.page(
        "incidents.html", rows=rows, number=number, more=more, roots=describe_roots(frame.session, frame.locale, rows)
    )


@router.get("/incidents/{number}")
def show_incident(frame: PageFrame, number: int) -> Response:
    """One incident: what failed, what it cuts off, what was said of it and when, the evidence."""
    row = detail.read_incident(frame.session, frame.scope, number)
    if row is None:
        raise Problem("not-found")
    schools = detail.schools_of(frame.session, frame.scope, row)
    return frame.page(
        "incident.html",
        row=row,
        roots=describe_roots(frame.session, frame.locale, [row]),
        contact=find_contacts(frame.session, frame.scope, [row]).get(row.id),
        schools=schools,
        own_pupils=sum(school.pupils or 0 for school in schools),
        notices=detail.notices_of(frame.session, frame.scope, row),
        outages=detail.outages_of(frame.session, frame.scope, row),
        merged=detail.read_incident(frame.session, frame.scope, row.merged_into) if row.merged_into else None,
        places=read_places(frame.session, frame.scope),
        possible=detail.name_nodes(frame.session, frame.scope, row.possible),
    )
