"""A wall screen's link: the board of one part without signing in, and nothing else."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Problem
from api.pages.board import board_context
from api.pages.frame import Frame
from api.pages.queries.walls import open_link
from api.security import CurrentUser, public, register_of
from inventory.models import Role, User

router = APIRouter(include_in_schema=False)


def wall_frame(request: Request, secret: Annotated[str, Path(max_length=100)]) -> Iterator[Frame]:
    """The frame of whoever holds a link: a viewer of its part, without a session. 410 where the link is no longer one."""
    with register_of(request).session() as session:
        found = open_link(session, secret)
        if found is None:
            raise Problem("wall-gone")
        link, scope = found
        user = User(name=link.name, role=Role.viewer, region_id=link.region_id, locale=link.locale)
        yield Frame(request, CurrentUser(user, scope, "", "token", "read"), session)


@router.get("/wall/{secret}", dependencies=[Depends(public)])
def show_wall(frame: Annotated[Frame, Depends(wall_frame)], secret: str) -> Response:
    """The board as a wall shows it. It asks for itself again, and leads nowhere else."""
    live = frame.partial and frame.request.headers.get("hx-target") == "live"
    page = frame.page(
        "board_live.html" if live else "board.html", **board_context(frame), wall=True, address=f"/wall/{secret}"
    )
    page.headers["referrer-policy"] = "no-referrer"
    return page
