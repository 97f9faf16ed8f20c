"""What people do to an incident: acknowledge it with a promise, own it, note a ticket, comment. `/api/v1/incident-notes` is its timeline."""

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select, update
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Problem, Wrong, invalid
from api.resources.incidents import INCIDENTS, IncidentRead
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text
from api.resources.reading import read_row
from api.resources.routes import Number, answer, problems
from api.security import Admin, Caller, CurrentUser, register_of
from inventory.audit import record
from inventory.carrier import carrier_text, read_circuit
from inventory.models import Incident, IncidentNote, table, utcnow

Comment = Annotated[Text, Field(max_length=2000)]


class NoteRead(BaseModel):
    """One entry. `by` empty: edunet itself. `data`: figures of the moment, `until` of a promise, old and new values."""

    id: int
    incident_id: int
    at: datetime
    by: str
    kind: str
    text: str
    data: dict[str, Any]


class NoteQuery(ListQuery):
    """Filters of the list."""

    incident_id: Id | None = None
    kind: list[str] | None = None


_note = table(IncidentNote)

INCIDENT_NOTES = Resource(
    name="incident-notes",
    model=IncidentNote,
    read=NoteRead,
    query=NoteQuery,
    deletable=False,
    sorts={"at": _note.c.at},
    default_sort="-at",
    planned=False,
)

router = APIRouter(tags=["incidents"])


class Acknowledgement(Body):
    """Somebody sees to it. until: when it is promised to be mended; then, or when it grows or its root changes, it lapses."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"until": "2026-12-01T18:00:00+08:00", "text": "抢修中"}]}
    )

    until: Annotated[AwareDatetime | None, Field(description="Null: until it is taken back.")] = None
    text: Comment = ""


class CommentBody(Body):
    """Something to keep with the incident."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "运营商已派人"}]})

    text: Annotated[Text, StringConstraints(min_length=1, max_length=2000)]


class IncidentChange(Body):
    """Who sees to it, and the carrier's ticket; what is not named stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"owner": "张工", "ticket": "CT-2026-118"}]})

    owner: Annotated[Text | None, Field(max_length=80)] = None
    ticket: Annotated[Text | None, Field(max_length=80)] = None


class CarrierText(BaseModel):
    """What to tell the carrier, ready to be copied."""

    language: Literal["zh", "en"]
    text: str


_SHARED: dict[str, Any] = {"response_model": IncidentRead, "responses": problems(401, 403, 404, 409, 422)}


@router.post("/incidents/{number}/acknowledge", operation_id="acknowledge_incident", **_SHARED)
def acknowledge(request: Request, caller: Admin, number: Number, body: Acknowledgement) -> Response:
    """Acknowledge an open incident: it escalates no further until the promise lapses."""
    now = utcnow()
    if body.until is not None and body.until <= now:
        raise invalid(Wrong("until", "before", "> now"))

    def act(session: Session, incident: Row) -> Row:
        data = {
            "until": body.until.isoformat() if body.until else None,
            "affected": incident["affected"],
            "schools": incident["schools"],
            "pupils": incident["pupils"],
            "root": [incident["root_kind"], incident["root_id"]],
        }
        _add(session, incident["id"], caller.actor, "acknowledged", body.text, data)
        return {"acknowledged_at": now, "promised_at": body.until}

    return _change(request, caller, number, act)


@router.delete("/incidents/{number}/acknowledge", operation_id="unacknowledge_incident", **_SHARED)
def unacknowledge(request: Request, caller: Admin, number: Number) -> Response:
    """Take the acknowledgement back: it escalates again."""

    def act(session: Session, incident: Row) -> Row:
        if incident["acknowledged_at"] is not None:
            _add(session, incident["id"], caller.actor, "unacknowledged", "", {})
        return {"acknowledged_at": None, "promised_at": None}

    return _change(request, caller, number, act)


@router.post("/incidents/{number}/comments", status_code=201, operation_id="comment_incident", **_SHARED)
def comment(request: Request, caller: Admin, number: Number, body: CommentBody) -> Response:
    """Add a comment to an incident's timeline, a past one's too."""

    def act(session: Session, incident: Row) -> Row:
        _add(session, incident["id"], caller.actor, "comment", body.text, {})
        return {}

    return _change(request, caller, number, act, only_open=False, status=201)


@router.patch("/incidents/{number}", operation_id="update_incident", **_SHARED)
def change(request: Request, caller: Admin, number: Number, body: IncidentChange) -> Response:
    """Set an incident's owner or the carrier's ticket number."""

    def act(session: Session, incident: Row) -> Row:
        values = {name: value or "" for name, value in body.model_dump(exclude_unset=True).items()}
        for name, value in values.items():
            if value != incident[name]:
                _add(session, incident["id"], caller.actor, name, value, {"before": incident[name]})
        return values

    return _change(request, caller, number, act, only_open=False)


@router.get(
    "/incidents/{number}/carrier",
    response_model=CarrierText,
    responses=problems(401, 403, 404, 422),
    operation_id="read_incident_carrier_text",
)
def carrier(
    request: Request, caller: Caller, number: Number, language: Annotated[Literal["zh", "en"], Query()] = "zh"
) -> Response:
    """Circuit, place, since when, evidence, contact: to be copied to the carrier."""
    zone = ZoneInfo(request.app.state.timezone)
    with register_of(request).session() as session:
        read_row(INCIDENTS, session, caller, number)
        circuits = read_circuit(session, number, caller.scope)
    return answer({"language": language, "text": carrier_text(circuits, language, utcnow(), zone)})


def _change(
    request: Request, caller: CurrentUser, number: int, act: Any, *, only_open: bool = True, status: int = 200
) -> Response:
    """One change of an incident within the caller's part: its notes, its columns, the audit, in one transaction."""
    row = table(Incident)
    with register_of(request).write() as session:
        read_row(INCIDENTS, session, caller, number)
        found = session.connection().execute(select(row).where(row.c.id == number)).mappings().one()
        if only_open and found["status"] in ("resolved", "merged"):
            raise Problem("closed")
        values = act(session, dict(found))
        if values:
            session.connection().execute(update(row).where(row.c.id == number).values(updated_at=utcnow(), **values))
            before = {name: found[name] for name in values}
            record(session, caller.actor, "update", "incidents", number, before=before, after=values)
        shown = read_row(INCIDENTS, session, caller, number)
    return answer(shown, status)


def _add(session: Session, number: int, by: str, kind: str, text: str, data: Row) -> None:
    session.add(IncidentNote(incident_id=number, by=by, kind=kind, text=text, data=data))
    session.flush()
