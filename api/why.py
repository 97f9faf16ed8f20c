"""Why is this school down? `/api/v1/why`: from its name or code to one sentence."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from api.board import is_stale, read_feed
from api.pages.queries.why import ask_why
from api.pages.why import facts_of
from api.resources.routes import answer, problems
from api.security import Caller, register_of
from api.sentences import sentence
from api.words import language_of
from inventory.models import State, utcnow

router = APIRouter(tags=["schools"])


class WhyItem(BaseModel):
    """A school that was meant, and one sentence on it."""

    id: int
    name: str
    code: str | None
    sentence: str
    state: State
    since: datetime | None
    incident_id: int | None


class WhyAnswer(BaseModel):
    """One item where the name or code is exact or the only one that fits; else the worst state first."""

    as_of: datetime
    stale: bool
    items: list[WhyItem] = Field(max_length=20)


@router.get("/why", response_model=WhyAnswer, responses=problems(401, 403, 422), operation_id="ask_why")
def read_why(
    request: Request,
    caller: Caller,
    q: Annotated[str, Query(min_length=1, max_length=120, description="Name, pinyin or code of a school.")],
) -> Response:
    """Why a school is down, or that it is not, in one sentence."""
    now, language = utcnow(), language_of(request)
    zone = ZoneInfo(request.app.state.timezone)
    with register_of(request).session() as session:
        stale = is_stale(read_feed(session, now))
        found = ask_why(session, caller.scope, q.strip().replace("\x00", ""), language, 20)
    items = [
        {
            "id": one.school.id,
            "name": one.school.name,
            "code": one.school.code,
            "sentence": sentence(facts_of(one, language, stale), language, now, zone),
            "state": one.state,
            "since": one.since,
            "incident_id": one.incident.id if one.incident is not None else None,
        }
        for one in found
    ]
    return answer({"as_of": now, "stale": stale, "items": items})
