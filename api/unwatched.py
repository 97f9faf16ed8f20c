"""What nobody is told of now: `/api/v1/not-watched`: how many schools and why; windows, silences, what is switched off as usual, unseen time."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api.pages.queries.unwatched import Hush, read_unattended
from api.resources.routes import answer, problems
from api.security import Caller, register_of
from inventory.models import Feed, Incident, NodeKind, table, utcnow
from inventory.scope import Scope

router = APIRouter(tags=["not-watched"])

MOST = 1000
"""Incidents that are planned off are listed up to this."""


class Hushed(BaseModel):
    """A window of work or a silence that goes on: of a node, a region or an incident; by whom, why, until when."""

    id: int
    kind: NodeKind | None = None
    node_id: int | None = None
    region_id: int | None = None
    incident_id: int | None = None
    from_at: datetime
    until_at: datetime
    reason: str
    created_by: str
    schools: Annotated[int, Field(description="Schools of the caller's part that it covers.")]


class Off(BaseModel):
    """An incident that nobody is told of before `until_at`: what it is of switched off as usual. why: the habits that say so."""

    incident_id: int
    name: str
    from_at: datetime
    until_at: datetime
    why: dict[str, Any]


class Blind(BaseModel):
    """A span that nobody sees, still open: of a zone and shard, and why."""

    zone: str
    shard: int
    from_at: datetime
    reason: str


class UnwatchedAnswer(BaseModel):
    """`schools` of `total` are not watched or silenced now, each counted once under the first `why` that holds."""

    as_of: datetime
    total: int
    schools: int
    why: Annotated[
        dict[str, int],
        Field(description="no_gateway, not_seen, blind, tcp_only, unknown, planned_off, maintenance, silenced."),
    ]
    devices: int
    devices_not_asked: Annotated[int, Field(description="Devices with watch = none.")]
    snmp_not_yet_seen: Annotated[
        int | None,
        Field(description="Devices with a credential that never spoke SNMP; null where the feed does not say."),
    ]
    maintenance: list[Hushed]
    silences: list[Hushed]
    planned_off: list[Off]
    blind: list[Blind]


@router.get(
    "/not-watched", response_model=UnwatchedAnswer, responses=problems(401, 403, 422), operation_id="read_not_watched"
)
def read_not_watched(request: Request, caller: Caller) -> Response:
    """What is not watched or silenced now: why, by whom, until when."""
    now = utcnow()
    with register_of(request).session() as session:
        found = read_unattended(session, caller.scope, now, caller.is_admin)
        off = _planned_off(session, caller.scope, now)
        judge = _judge(session) if caller.scope.everything else {}
    return answer(
        {
            "as_of": now,
            "total": found.total,
            "schools": found.schools,
            "why": found.counts,
            "devices": found.devices,
            "devices_not_asked": found.unasked,
            "snmp_not_yet_seen": judge.get("snmp_not_yet_seen"),
            "maintenance": [_hushed(one) for one in found.windows],
            "silences": [_hushed(one) for one in found.silences],
            "planned_off": off,
            "blind": [{n: getattr(row, n) for n in ("zone", "shard", "from_at", "reason")} for row in found.blind],
        }
    )


def _judge(session: Session) -> dict[str, Any]:
    """What the judge said of itself last."""
    feed = session.get(Feed, "judge")
    return feed.detail if feed is not None else {}


def _hushed(hush: Hush) -> dict[str, Any]:
    row = hush.row._mapping
    names = ("id", "node_id", "region_id", "from_at", "reason", "created_by")
    return {
        **{name: row[name] for name in names},
        "kind": row["kind"] or None,
        "incident_id": row.get("incident_id"),
        "until_at": hush.until,
        "schools": hush.schools,
    }


def _planned_off(session: Session, scope: Scope, now: datetime) -> list[dict[str, Any]]:
    row = table(Incident)
    statement = (
        select(row.c.id, row.c.root_name, row.c.from_at, row.c.planned_until, row.c.planned_why)
        .where(row.c.status.in_(("pending", "open")), row.c.planned_until > now)
        .order_by(row.c.planned_until, row.c.id)
        .limit(MOST)
    )
    return [
        {
            "incident_id": one.id,
            "name": one.root_name,
            "from_at": one.from_at,
            "until_at": one.planned_until,
            "why": one.planned_why,
        }
        for one in session.connection().execute(scope.filter(statement, Incident))
    ]
