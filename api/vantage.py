"""The two calls of a vantage point (`edunet vantage run`): what it is to ask, and what it saw. Both go on to the collector's socket.

Its token (`vantage_points`) opens these two and nothing else, and no other token opens them.
"""

import json
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from api.collector_link import CollectorLink, CollectorRefused
from api.errors import Problem
from api.resources.routes import answer, problems
from api.security import register_of
from inventory.models import VantagePoint, table
from inventory.users import hash_token

router = APIRouter(prefix="/vantage", tags=["vantage points"])

MOST_BODY = 2_000_000
"""Bytes of one bundle of reports."""


def vantage_caller(request: Request) -> int:
    """The id of the vantage point whose bearer token this is; 401 to everybody else."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    row = table(VantagePoint)
    if scheme.lower() == "bearer" and secret.strip():
        statement = select(row.c.id).where(row.c.token_hash == hash_token(secret.strip()), row.c.enabled)
        with register_of(request).session() as session:
            number = session.connection().execute(statement).scalar()
        if number is not None:
            return int(number)
    raise Problem("bad-token", headers={"www-authenticate": 'Bearer realm="edunet vantage"'})


VantageCaller = Annotated[int, Depends(vantage_caller)]


class PartAnswer(BaseModel):
    """What to ask. now: the collector's clock, seconds since the epoch. name: of the part. part: null where it is the one that the caller has."""

    model_config = ConfigDict(extra="allow")

    now: float
    name: str
    part: dict[str, Any] | None = None


class TakenAnswer(BaseModel):
    """What became of the reports. name: of the part that holds now. refused: how many, by why (form, part, zone, target, clock, late)."""

    model_config = ConfigDict(extra="allow")

    now: float
    name: str
    taken: int
    refused: dict[str, int] = {}


def _link(request: Request) -> CollectorLink:
    link: CollectorLink = request.app.state.link
    return link


@router.get(
    "/part", response_model=PartAnswer, responses=problems(401, 404, 422, 503), operation_id="read_vantage_part"
)
def read_part(
    request: Request,
    number: VantageCaller,
    have: Annotated[str, Query(max_length=40, description="The name of the part that the caller has.")] = "",
) -> Response:
    """The addresses that a vantage point is to ask."""
    return answer(_ask(request, number, "part", json.dumps({"have": have}).encode()))


@router.post(
    "/reports",
    response_model=TakenAnswer,
    responses=problems(401, 404, 413, 422, 503),
    operation_id="create_vantage_reports",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def take_reports(request: Request, number: VantageCaller) -> Response:
    """Rounds that a vantage point made: {"version": 1, "reports": [round lines], "detail": {...}}."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            raise Problem("too-large", limit=MOST_BODY // 1_000_000)
    return await anyio.to_thread.run_sync(lambda: answer(_ask(request, number, "reports", bytes(body))))


def _ask(request: Request, number: int, what: str, body: bytes) -> dict[str, Any]:
    try:
        return _link(request).vantage(number, what, body)
    except CollectorRefused as refused:
        if refused.status == 404:  # made a moment ago: the plan does not have it yet
            raise Problem("not-found") from refused
        raise Problem("invalid", count=1) from refused
