"""The page of a region: how is my part of the province?"""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from api.errors import Problem
from api.pages.frame import PageFrame, kept
from api.pages.queries import board as queries
from api.pages.queries import region as part
from api.pages.queries.places import read_places

router = APIRouter(include_in_schema=False)


@router.get("/regions")
def show_top(frame: PageFrame) -> Response:
    """The caller's own part."""
    places = read_places(frame.session, frame.scope)
    if not places.own:
        raise Problem("not-found")
    top = min(places.own, key=lambda row: (row.path.count("/"), row.id))
    return RedirectResponse(f"/regions/{top.code or top.local_code}", 303)


@router.get("/regions/{code}")
@kept
def show_region(frame: PageFrame, code: str) -> Response:
    """A province, city, county or zone: tiles of what is below it, coverage, the worst ten."""
    places = read_places(frame.session, frame.scope, code)
    row = places.chosen
    if row is None:
        raise Problem("not-found")
    tiles = queries.map_tiles(frame.session, frame.scope, row)
    return frame.page(
        "region.html",
        row=row,
        places=places,
        tiles=tiles,
        coverage=part.count_coverage(frame.session, frame.scope, row),
        worst=part.list_worst(frame.session, frame.scope, row),
    )
