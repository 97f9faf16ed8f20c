"""What was told to whom, by which way, how late; and a test message through one way."""

from typing import Any

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from api.collector_link import CollectorGone, CollectorRefused
from api.errors import Problem
from api.pages.frame import Frame, PageFrame
from api.pages.listing import EXPORT_LIMIT, PAGE_SIZE, ListAddress, exported, wants_export
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
    export = wants_export(frame.request)
    page = queries.list_deliveries(frame.session, frame.scope, at, EXPORT_LIMIT if export else PAGE_SIZE)
    if export:
        head = [
            frame.text(title) for title in ("When", "Incident", "Event", "Way out", "To", "State", "Delay", "Error")
        ]
        return exported(export, "edunet-deliveries", head, (_cells(frame, row) for row in page.rows))
    part = frame.partial and frame.request.headers.get("hx-target") == "list"
    outlets = choices_of(frame, Outlet)
    return frame.page("deliveries_table.html" if part else "deliveries.html", at=at, page=page, outlets=outlets)


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


def _cells(frame: Frame, row: Any) -> list[object]:
    return [
        frame.clock.full(row.sent_at or row.queued_at),
        row.incident_id,
        frame.text(f"event.{row.event}"),
        row.outlet,
        row.contact,
        frame.text(f"delivery.{row.status}"),
        row.delay_s,
        row.error,
    ]
