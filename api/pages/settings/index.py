"""The page of all settings, and the routes of each."""

from fastapi import APIRouter
from starlette.responses import Response

from api.pages.frame import PageFrame
from api.pages.queries.named import offer_schools
from api.pages.settings import calendars, month, telling
from api.pages.settings.inputs import _
from api.pages.settings.pages import GROUPS, PAGES
from api.pages.settings.routes import router_of

router = APIRouter(include_in_schema=False)

MORE = {
    telling.GROUP: [
        ("/deliveries", _("What was told"), _("Every notice that left, by which way, how late, and what failed."))
    ],
    calendars.GROUP: [
        ("/settings/calendar", _("Calendar of a month"), _("Which days have classes, and why the others have none."))
    ],
}
"""Pages beside those that set something."""
OPEN = ("/settings/calendar",)
"""Those of them that a viewer may look at."""


@router.get("/settings")
def show_settings(frame: PageFrame) -> Response:
    """What can be set, by what it is for; only what the caller may read."""
    groups = [
        (
            group,
            [
                *((page.path, page.title, page.lead) for page in PAGES if page.group == group and page.may_read(frame)),
                *(more for more in MORE.get(group, ()) if frame.caller.is_admin or more[0] in OPEN),
            ],
        )
        for group in GROUPS
    ]
    return frame.page("settings.html", groups=[(group, pages) for group, pages in groups if pages])


@router.get("/settings/offer/schools")
def offer(frame: PageFrame) -> Response:
    """Schools that what is being typed into a form may mean, as options of a datalist."""
    asked = frame.request.query_params
    typed = asked.get(asked.get("field", ""), "").strip()[:120]
    return frame.page("settings_offer.html", rows=offer_schools(frame, typed) if typed else ())


router.include_router(month.router)
for _page in PAGES:
    router.include_router(router_of(_page))
