"""Is this school all right; if not, since when, why, who acts? `/api/v1/schools/{id}/status`, in one sentence."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.board import is_stale, read_feed
from api.errors import Problem
from api.pages.queries.contacts import find_contacts
from api.pages.queries.school import read_school
from api.resources.machine import MAX_ID
from api.resources.routes import answer, problems
from api.security import Caller, register_of
from api.sentences import Facts, sentence
from api.words import language_of
from inventory.models import State, utcnow

router = APIRouter(tags=["schools"])


class StatusAnswer(BaseModel):
    """One sentence, and the states that it was made of."""

    as_of: datetime
    id: int
    name: str
    sentence: str
    state: State
    since: datetime | None
    stale: bool
    devices: dict[str, int]
    lines: list[dict[str, Any]]
    incident: dict[str, Any] | None
    contact: dict[str, str] | None


@router.get(
    "/schools/{number}/status",
    response_model=StatusAnswer,
    responses=problems(401, 403, 404, 422),
    operation_id="read_school_status",
)
def read_status(request: Request, caller: Caller, number: Annotated[int, Path(ge=1, le=MAX_ID)]) -> Response:
    """One sentence on a school, and what it was made of."""
    now, language = utcnow(), language_of(request)
    with register_of(request).session() as session:
        rows = read_school(session, caller.scope, number)
        if rows is None:
            raise Problem("not-found")
        found = find_contacts(session, caller.scope, [rows.incident]) if rows.incident is not None else {}
        stale = is_stale(read_feed(session, now))
    contact = found.get(rows.incident.id) if rows.incident is not None else None
    shown = (
        {name: getattr(contact, name) for name in ("role", "name", "phone", "operator", "circuit")} if contact else None
    )
    facts = Facts(
        name=rows.school.name if language == "zh" else rows.school.name_en or rows.school.name,
        state=rows.word,
        since=rows.state.since if rows.state is not None else None,
        stale=stale,
        cause=None if rows.hidden_cause else rows.incident.root_name if rows.incident is not None else "",
        call=" ".join(part for part in (contact.operator, contact.name, contact.phone) if part) if contact else "",
    )
    return answer(
        {
            "as_of": now,
            "id": number,
            "name": rows.school.name,
            "sentence": sentence(facts, language, now, ZoneInfo(request.app.state.timezone)),
            "state": facts.state,
            "since": facts.since,
            "stale": stale,
            "devices": {
                "watched": rows.state.devices if rows.state is not None else 0,
                "up": rows.state.devices_up if rows.state is not None else 0,
                "registered": len(rows.devices),
            },
            "lines": [
                {"id": line.id, "name": line.name, "role": line.role, "state": line.state, "since": line.since}
                for line in rows.lines
            ],
            "incident": _incident(rows.incident),
            "contact": shown,
        }
    )


def _incident(row: Any) -> dict[str, Any] | None:
    if row is None:
        return None
    return {name: getattr(row, name) for name in ("id", "key", "kind", "severity", "root_name", "cause", "from_at")}
