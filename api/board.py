"""What is cut off now, why, since when, whom to call: `/api/v1/board`."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api.pages.queries.board import count_schools, cut_from_above, list_incidents
from api.resources.incidents import IncidentRead, restrict
from api.resources.machine import Row
from api.resources.routes import answer, problems
from api.security import Caller, register_of
from inventory.models import Feed, School, table, utcnow
from inventory.scope import Scope

router = APIRouter(tags=["board"])


class BoardIncident(IncidentRead):
    """An incident on the board. `schools`, `pupils` and `cut` are those of the caller's part."""

    cut_schools: list[dict[str, Any]] = Field(description="{id, name, pupils} of up to 20 schools, most pupils first.")
    contact: dict[str, str] | None = Field(description="Whom to call: role, name, phone, operator, circuit.")


class FeedState(BaseModel):
    """A sign of life of one part; `stale`: older than `stale_after` seconds."""

    name: str
    at: datetime
    age_s: float
    stale_after: float
    stale: bool


class BoardAnswer(BaseModel):
    """The board. `stale`: what it shows is old, or no part gives a sign of life: nothing of it may be called up."""

    as_of: datetime
    stale: bool
    feed: list[FeedState]
    schools: dict[str, int] = Field(description="Active schools of the caller's part by state, and `total`.")
    incidents: list[BoardIncident]
    incidents_total: int
    from_outside: list[dict[str, Any]] = Field(
        description="Own schools cut off by something outside the caller's part: {since, schools, pupils}."
    )


@router.get("/board", response_model=BoardAnswer, responses=problems(401, 403, 422), operation_id="read_board")
def read_board(request: Request, caller: Caller) -> Response:
    """Open and pending incidents of the caller's part, worst first, at most 60; counts; how fresh they are."""
    now = utcnow()
    with register_of(request).session() as session:
        found, total = list_incidents(session, caller.scope)
        rows = [_shown(item) for item in found]
        restrict(session, caller, rows)
        _name_cut(session, caller.scope, rows)
        above = [
            dict(zip(("since", "schools", "pupils"), row, strict=True)) for row in cut_from_above(session, caller.scope)
        ]
        counts = count_schools(session, caller.scope)
        feed = read_feed(session, now)
    return answer(
        {
            "as_of": now,
            "stale": is_stale(feed),
            "feed": feed,
            "schools": {**dict(counts.by_state), "total": counts.total},
            "incidents": rows,
            "incidents_total": total,
            "from_outside": above,
        }
    )


def read_feed(session: Session, now: datetime) -> list[Row]:
    """The signs of life, by name."""
    feed = table(Feed)
    found = session.connection().execute(select(feed.c.name, feed.c.at, feed.c.stale_after).order_by(feed.c.name))
    rows = []
    for name, at, stale_after in found:
        age = (now - at).total_seconds()
        rows.append(
            {"name": name, "at": at, "age_s": round(age, 1), "stale_after": stale_after, "stale": age > stale_after}
        )
    return rows


def is_stale(feed: list[Row]) -> bool:
    """Whether what the collector wrote is old: judge and rounds must both give fresh signs of life."""
    fresh = {row["name"] for row in feed if not row["stale"]}
    return not {"judge", "rounds"} <= fresh


def _shown(item: Any) -> Row:
    row = {name: getattr(item.incident, name) for name in IncidentRead.model_fields}
    contact = item.contact
    row["contact"] = contact and {
        name: getattr(contact, name) for name in ("role", "name", "phone", "operator", "circuit")
    }
    return row


def _name_cut(session: Session, scope: Scope, rows: list[Row]) -> None:
    school = table(School)
    wanted = {number for row in rows for number in row["cut"][:20]}
    statement = scope.filter(select(school.c.id, school.c.name, school.c.pupils).where(school.c.id.in_(wanted)), School)
    named = {row.id: dict(row._mapping) for row in session.connection().execute(statement)}
    for row in rows:
        row["cut_schools"] = [named[number] for number in row["cut"][:20] if number in named]
