"""The list of outages, past and current, each node's by itself; those that are ticked are corrected together."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.responses import RedirectResponse, Response

from api.correcting import Correction, correct_outages
from api.pages.exporting import Cells, export, rows_wanted, wants_export
from api.pages.frame import Frame, PageFrame, kept
from api.pages.listing import ListAddress, template_of
from api.pages.queries import outages as queries
from api.pages.queries.places import read_places
from api.pages.queries.roots import describe_nodes
from api.pages.settings.forms import attempt
from api.pages.settings.inputs import Filled
from api.security import page_admin
from inventory.causes import CAUSES
from inventory.verdicts import counted

router = APIRouter(include_in_schema=False)
acts = APIRouter(include_in_schema=False, dependencies=[Depends(page_admin)])

Short = Annotated[str, Form(max_length=200)]


@router.get("/outages")
@kept
def show_outages(frame: PageFrame) -> Response:
    """Outages of schools (or lines, devices), the newest first; as a table to take away with `format=csv` or `format=xlsx`."""
    at = ListAddress.read(frame.request, queries.FILTERS, queries.ORDERS, "-from")
    places = read_places(frame.session, frame.scope, at.get("region"))
    page = queries.list_outages(frame.session, frame.scope, at, places, frame.clock.zone, rows_wanted(frame.request))
    if wants_export(frame.request):
        return export(frame, "outages", _cells(frame), page.rows)
    return frame.page(
        template_of(frame, "outages"),
        at=at,
        page=page,
        places=places,
        kinds=queries.KINDS,
        causes=list(CAUSES),
        correctable=list(CAUSES),
        roots=describe_nodes(frame.session, frame.locale, page.rows),
    )


@acts.post("/outages/correct")
def correct(
    frame: PageFrame,
    outage: Annotated[list[int] | None, Form()] = None,
    cause: Short = "",
    accountable: Short = "",
    maintenance: Short = "",
    reason: Annotated[str, Form(max_length=300)] = "",
    back: Annotated[str, Form(max_length=2000)] = "/outages",
) -> Response:
    """Correct cause, accountability or maintenance of the ticked outages."""
    return corrected(frame, {"ids": outage or []}, correction_of(cause, accountable, maintenance, reason), back, "/outages")  # fmt: skip


def correction_of(cause: str, accountable: str, maintenance: str, reason: str) -> dict[str, Any]:
    """What the form says, as the call takes it; an empty choice leaves what is there."""
    said: dict[str, Any] = {"reason": reason}
    if cause:
        said["cause"] = cause
    if accountable:
        said["accountable"] = "" if accountable == "nobody" else accountable
    if maintenance:
        said["maintenance"] = maintenance == "yes"
    return said


def corrected(frame: Frame, which: dict[str, list[int]], said: dict[str, Any], back: str, home: str) -> Response:
    """Correct them, and go back to the list, which says how many."""
    act = Correction.model_validate
    done = attempt(frame, Filled(), lambda: correct_outages(frame.request, frame.caller, act({**which, **said})))
    to = back if back.startswith(home) else home
    (numbers,) = which.values()
    told = f"corrected={len(numbers)}" if done is not None else "wrong=1"
    return RedirectResponse(f"{to}{'&' if '?' in to else '?'}{told}", 303)


def _cells(frame: Frame) -> Cells:
    def party(row: Any) -> str:
        who = counted(row, frame.now).party
        return frame.text(f"accountable.{who}") if who else ""

    def planned(row: Any) -> str:
        until = counted(row, frame.now).planned_until
        return frame.clock.full(until) if until else ""

    return (
        ("Number", lambda row: row.id),
        ("State", lambda row: frame.text("mended") if row.until_at else frame.text("open")),
        ("Node kind", lambda row: frame.text(f"node.{row.kind}")),
        ("field.name", lambda row: row.name),
        ("Place", lambda row: row.place or ""),
        ("From", lambda row: frame.clock.full(row.from_at)),
        ("Until", lambda row: frame.clock.full(row.until_at) if row.until_at else ""),
        ("Seconds", lambda row: int(((row.until_at or frame.now) - row.from_at).total_seconds())),
        ("Cause", lambda row: frame.text(f"cause.{row.cause}")),
        ("Accountable", party),
        ("Planned until", planned),
        ("First verdict", lambda row: _first(frame, row)),
        ("Corrected", lambda row: row.corrected_by),
        ("Reason", lambda row: row.corrected_why),
    )


def _first(frame: Frame, row: Any) -> str:
    if row.corrected_at is None:
        return ""
    words = [frame.text(f"cause.{row.first_cause or 'undetermined'}")]
    if row.first_accountable:
        words.append(frame.text(f"accountable.{row.first_accountable}"))
    if row.first_maintenance:
        words.append(frame.text("state.maintenance"))
    return " · ".join(words)


router.include_router(acts)
