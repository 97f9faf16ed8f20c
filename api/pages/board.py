"""The board: who is cut off now, why, whom to call?"""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.pages.frame import Frame, PageFrame, kept
from api.pages.queries import board as queries
from api.pages.queries.roots import describe_roots, name_lines
from api.pages.queries.slow import list_slow

router = APIRouter(include_in_schema=False)


@router.get("/")
@kept
def show_board(frame: PageFrame) -> Response:
    """The board; `?wall=1` for a screen on a wall, without controls."""
    live = frame.partial and frame.request.headers.get("hx-target") == "live"
    wall = frame.request.query_params.get("wall") == "1"
    return frame.page(
        "board_live.html" if live else "board.html", **board_context(frame), address="/?wall=1" if wall else "/"
    )


def board_context(frame: Frame) -> dict[str, Any]:
    """What the board shows: current incidents, counts, tiles, what mended."""
    rows, total = queries.list_incidents(frame.session, frame.scope)
    recovered = queries.list_recovered(frame.session, frame.scope, frame.now)
    slow = list_slow(frame.session, frame.scope)
    return {
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
