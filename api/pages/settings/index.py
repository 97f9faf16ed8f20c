"""The page of all settings, and the routes of each."""

from fastapi import APIRouter
from starlette.responses import Response

from api.pages.frame import PageFrame
from api.pages.settings.inputs import _
from api.pages.settings.pages import PAGES
from api.pages.settings.routes import router_of

router = APIRouter(include_in_schema=False)

GROUPS: tuple[str, ...] = (_("Who is told"), _("When"), _("What counts"), _("Screens"))
"""Headings of the page of all settings, in order."""


@router.get("/settings")
def show_settings(frame: PageFrame) -> Response:
    """What can be set, by what it is for; only what the caller may read."""
    groups = [
        (
            group,
            [(page.path, page.title, page.lead) for page in PAGES if page.group == group and page.may_read(frame)],
        )
        for group in GROUPS
    ]
    return frame.page("settings.html", groups=[(group, pages) for group, pages in groups if pages])


for _page in PAGES:
    router.include_router(router_of(_page))
