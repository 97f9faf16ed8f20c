"""The list of outages, past and current, each node's by itself; those that are ticked are corrected together."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.responses import RedirectResponse, Response

from api.correcting import Correction, correct_outages
from api.pages.frame import Frame, PageFrame, kept
from api.pages.listing import EXPORT_LIMIT, PAGE_SIZE, ListAddress, exported, wants_export
from api.pages.queries import outages as queries
from api.pages.queries.places import read_places
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
    export = wants_export(frame.request)
    limit = EXPORT_LIMIT if export else PAGE_SIZE
    page = queries.list_outages(frame.session, frame.scope, at, places, frame.clock.zone, limit)
    if export:
        day = frame.clock.local(frame.now).strftime("%Y%m%d-%H%M")
        return exported(export, f"edunet-outages-{day}", _head(frame), (_cells(frame, row) for row in page.rows))
    part = frame.partial and frame.request.headers.get("hx-target") == "list"
    return frame.page(
        "outages_table.html" if part else "outages.html",
        at=at,
        page=page,
        places=places,
        kinds=queries.KINDS,
        causes=list(CAUSES),
        correctable=list(CAUSES),
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


_HEAD = (
    "Number", "State", "Node kind", "field.name", "Place", "From", "Until", "Seconds", "Cause", "Accountable", "Planned until",
    "First verdict", "Corrected", "Reason",
)  # fmt: skip


def _head(frame: Frame) -> list[str]:
    return [frame.text(word) for word in _HEAD]


def _cells(frame: Frame, row: Any) -> Sequence[object]:
    of = counted(row, frame.now)
    return (
        row.id,
        frame.text("mended") if row.until_at else frame.text("open"),
        frame.text(f"node.{row.kind}"),
        row.name,
        row.place or "",
        frame.clock.full(row.from_at),
        frame.clock.full(row.until_at) if row.until_at else "",
        int(((row.until_at or frame.now) - row.from_at).total_seconds()),
        frame.text(f"cause.{row.cause}"),
        frame.text(f"accountable.{of.party}") if of.party else "",
        frame.clock.full(of.planned_until) if of.planned_until else "",
        _first(frame, row),
        row.corrected_by,
        row.corrected_why,
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
