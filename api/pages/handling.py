"""What people do to an incident by its page: acknowledge with a promise, own, note a ticket, comment, silence; the carrier's text."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from api.errors import Problem
from api.pages.frame import Frame, PageFrame
from api.pages.incidents import incident_page
from api.pages.outages import corrected, correction_of
from api.pages.queries import incident as detail
from api.pages.settings.forms import attempt
from api.pages.settings.inputs import Filled, Input
from api.resources import timeline
from api.resources.reading import read_row
from api.resources.telling import SILENCES, SilenceCreate
from api.resources.writing import create_row, delete_row, update_row
from api.security import page_admin, register_of
from api.tracing import read_trace
from inventory.carrier import carrier_text, read_circuit

router = APIRouter(include_in_schema=False)
acts = APIRouter(include_in_schema=False, dependencies=[Depends(page_admin)])

Short = Annotated[str, Form(max_length=200)]
Long = Annotated[str, Form(max_length=4000)]


def moment_of(frame: Frame, span: str, at: str) -> datetime | None:
    """What a form with presets means: minutes from now, `morning` (the next 08:00), or the moment typed; None where none is said."""
    if span == "at":
        read = Input("at", "moment", "").read([at], frame.clock.zone)
        return read if isinstance(read, datetime) else None
    if span == "morning":
        morning = frame.clock.midnight(frame.now) + timedelta(hours=8)
        return morning if morning > frame.now else morning + timedelta(days=1)
    return frame.now + timedelta(minutes=int(span)) if span.isdecimal() and len(span) < 7 else None


@acts.post("/incidents/{number}/acknowledge")
def acknowledge(frame: PageFrame, number: int, span: Short = "", at: Short = "", text: Long = "") -> Response:
    """Somebody sees to it, and promises by when."""
    until = moment_of(frame, span, at)
    if span == "at" and until is None:
        return _again(frame, number, Filled(problem=frame.text("Say by when")))
    return _act(frame, number, lambda: timeline.acknowledge(
        frame.request, frame.caller, number, timeline.Acknowledgement(until=until, text=text)))  # fmt: skip


@acts.post("/incidents/{number}/unacknowledge")
def unacknowledge(frame: PageFrame, number: int) -> Response:
    """Nobody sees to it after all."""
    return _act(frame, number, lambda: timeline.unacknowledge(frame.request, frame.caller, number))


@acts.post("/incidents/{number}/comment")
def comment(frame: PageFrame, number: int, text: Long = "") -> Response:
    """Something to keep with it."""
    return _act(frame, number, lambda: timeline.comment(
        frame.request, frame.caller, number, timeline.CommentBody(text=text)))  # fmt: skip


@acts.post("/incidents/{number}/handle")
def handle(frame: PageFrame, number: int, owner: Short = "", ticket: Short = "") -> Response:
    """Who has it, and the carrier's ticket."""
    return _act(frame, number, lambda: timeline.change(
        frame.request, frame.caller, number, timeline.IncidentChange(owner=owner, ticket=ticket)))  # fmt: skip


@acts.post("/incidents/{number}/silence")
def silence(frame: PageFrame, number: int, span: Short = "", at: Short = "", reason: Short = "") -> Response:
    """Nobody is told of it until then; it stays on the board."""
    until = moment_of(frame, span, at)
    if until is None:
        return _again(frame, number, Filled(problem=frame.text("Say until when")))

    def act() -> Any:
        body = SilenceCreate(incident_id=number, until_at=until, reason=reason)
        return create_row(SILENCES, register_of(frame.request), frame.caller, body)

    return _act(frame, number, act)


@acts.post("/incidents/correct")
def correct(
    frame: PageFrame,
    incident: Annotated[list[int] | None, Form()] = None,
    cause: Short = "",
    accountable: Short = "",
    maintenance: Short = "",
    reason: Annotated[str, Form(max_length=300)] = "",
    back: Annotated[str, Form(max_length=2000)] = "/incidents",
) -> Response:
    """Correct cause, accountability or maintenance of the ticked incidents and all of their outages."""
    said = correction_of(cause, accountable, maintenance, reason)
    return corrected(frame, {"incidents": incident or []}, said, back, "/incidents")


@acts.post("/silences/{number}/end")
def end_silence(frame: PageFrame, number: int, next: Short = "/not-watched") -> Response:
    """A silence ends now; one that has not begun is taken away."""
    home = next if next.startswith("/") and not next.startswith("//") else "/not-watched"
    if read_row(SILENCES, frame.session, frame.caller, number)["from_at"] > frame.now:
        delete_row(SILENCES, register_of(frame.request), frame.caller, number, "*")
        return RedirectResponse(home, 303)
    body = SILENCES.update.model_validate({"until_at": frame.now}) if SILENCES.update else None
    assert body is not None
    update_row(SILENCES, register_of(frame.request), frame.caller, number, body, "*")
    return RedirectResponse(home, 303)


@router.get("/incidents/{number}/carrier.txt")
def show_carrier_text(frame: PageFrame, number: int) -> Response:
    """What to tell the carrier, as plain text in the page's language."""
    if detail.read_incident(frame.session, frame.scope, number) is None:
        raise Problem("not-found")
    case = read_circuit(frame.session, number, frame.scope)
    language: Any = frame.locale
    return PlainTextResponse(carrier_text(case, language, frame.now, frame.clock.zone))


@router.get("/incidents/{number}/trace.jsonl")
def download_trace(frame: PageFrame, number: int) -> Response:
    """Its own stretch of trace, for `edunet replay`; for those who see the whole province."""
    return read_trace(frame.request, frame.caller, number)


def _act(frame: Frame, number: int, act: Callable[[], Any]) -> Response:
    """Do it and show the incident again; what was refused is said there."""
    filled = Filled()
    if attempt(frame, filled, act) is None:
        return _again(frame, number, filled)
    return RedirectResponse(f"/incidents/{number}", 303)


def _again(frame: Frame, number: int, filled: Filled) -> Response:
    frame.session.rollback()
    return incident_page(frame, number, filled.problem, 422)


router.include_router(acts)
