"""What was told to whom, by which way, how late; and a test message through one way."""

from typing import Any

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from api.collector_link import CollectorGone, CollectorRefused
from api.errors import Problem
from api.pages.exporting import Cells, export, rows_wanted, wants_export
from api.pages.frame import Frame, PageFrame
from api.pages.listing import ListAddress, template_of
from api.pages.queries import telling as queries
from api.pages.queries.named import choices_of
from api.security import page_admin, register_of
from inventory.audit import record
from inventory.models import Outlet

router = APIRouter(include_in_schema=False, dependencies=[Depends(page_admin)])


@router.get("/deliveries")
def show_deliveries(frame: PageFrame) -> Response:
    """The log of deliveries, the newest first; as a table to take away with `format`."""
    at = ListAddress.read(frame.request, queries.FILTERS, queries.ORDERS, "-queued")
    page = queries.list_deliveries(frame.session, frame.scope, at, rows_wanted(frame.request))
    if wants_export(frame.request):
        return export(frame, "deliveries", _cells(frame), page.rows)
    return frame.page(template_of(frame, "deliveries"), at=at, page=page, outlets=choices_of(frame, Outlet))


@router.post("/settings/outlets/{number}/test")
def test_outlet(frame: PageFrame, number: int) -> Response:
    """Send a test message through an outlet, and show what the far side said."""
    if not frame.scope.allows(frame.session, Outlet, number):
        raise Problem("not-found")
    result: dict[str, Any] | None
    try:
        result = frame.request.app.state.link.test_outlet(number, frame.caller.actor)
    except (CollectorGone, CollectorRefused):
        result = None
    with register_of(frame.request).write() as session:
        record(session, frame.caller.actor, "test", "outlets", number, after={"ok": bool(result and result.get("ok"))})
    if not frame.partial:
        return RedirectResponse(f"/settings/outlets/{number}", 303)
    return frame.page("settings_tested.html", result=result)


def _cells(frame: Frame) -> Cells:
    return (
        ("When", lambda row: frame.clock.full(row.sent_at or row.queued_at)),
        ("Incident", lambda row: row.incident_id),
        ("Event", lambda row: frame.text(f"event.{row.event}")),
        ("Way out", lambda row: row.outlet),
        ("To", lambda row: row.contact),
        ("State", lambda row: frame.text(f"delivery.{row.status}")),
        ("Delay", lambda row: row.delay_s),
        ("Error", lambda row: row.error),
    )
