"""Whose address is this: `/api/v1/lookup`."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Problem, Wrong, invalid
from api.resources.machine import Text
from api.resources.routes import answer, problems
from api.security import Caller, register_of
from inventory.lookup import lookup

router = APIRouter(tags=["lookup"])


class Match(BaseModel):
    """Whose an address is. `by`: the device that has it, or the longest prefix that covers it."""

    zone: str
    address: str
    school: dict[str, Any] | None
    line: dict[str, Any] | None
    device: dict[str, Any] | None
    by: str
    prefix: str | None


class Matches(BaseModel):
    """Every match, the best first."""

    items: list[Match]


@router.get("/lookup", response_model=Match | Matches, responses=problems(401, 403, 404, 422), operation_id="lookup")
def look_up(
    request: Request,
    caller: Caller,
    address: Annotated[Text, Query(max_length=64, examples=["10.14.3.1"])],
    zone: Annotated[Text | None, Query(max_length=40)] = None,
) -> Response:
    """With a zone, the best match (404 where there is none); without one, every match in every zone: `{"items": [...]}`."""
    with register_of(request).session() as session:
        try:
            found = lookup(session, caller.scope, address, zone)
        except ValueError as error:
            raise invalid(Wrong("address", "bad-address", "10.1.2.3 | 2001:db8::1")) from error
    if zone is None:
        return answer({"items": found})
    if not found:
        raise Problem("not-found")
    return answer(found[0])
