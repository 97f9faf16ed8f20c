"""How much is registered, has a gateway, was ever seen, answers now: `/api/v1/coverage`, as counts, never ratios."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Wrong, invalid
from api.resources.machine import Id, Row
from api.resources.routes import answer, problems
from api.security import Caller, CurrentUser, register_of
from inventory.coverage import FIGURES, Coverage, coverage, totals
from inventory.models import Region, utcnow
from inventory.scope import Scope

router = APIRouter(tags=["coverage"])

By = Literal["region", "level", "kind"]


class CoverageRow(BaseModel):
    """Active schools of one group. unknown: has a gateway, and nobody can say now whether it is reachable."""

    by: By
    key: str
    name: str = ""
    registered: int
    with_gateway: int
    ever_seen: int
    reachable: int
    cut_off: int
    unknown: int


class CoverageAnswer(BaseModel):
    """The groups, and all of them together."""

    as_of: str
    items: list[CoverageRow]
    total: dict[str, int]


@router.get("/coverage", response_model=CoverageAnswer, responses=problems(401, 403, 422), operation_id="read_coverage")
def read_coverage(
    request: Request,
    caller: Caller,
    by: Annotated[By, Query(description="region: by county.")] = "region",
    region: Annotated[Id | None, Query(description="Only the subtree of this region.")] = None,
) -> Response:
    """Counts by county, level or kind of school."""
    with register_of(request).session() as session:
        rows = coverage(session, _narrowed(session, caller, region))
    return answer({"as_of": utcnow(), "items": grouped(rows, by), "total": totals(rows)})


def grouped(rows: list[Coverage], by: By) -> list[Row]:
    """The rows summed by county, level or kind, in the order of their keys."""
    groups: dict[str, Row] = {}
    for row in rows:
        key, name = (row.code or str(row.place_id), row.region) if by == "region" else (getattr(row, by), "")
        group = groups.setdefault(key, {"by": by, "key": key, "name": name, **dict.fromkeys(FIGURES, 0)})
        for figure in FIGURES:
            group[figure] += getattr(row, figure)
    return [groups[key] for key in sorted(groups)]


def _narrowed(session: Session, caller: CurrentUser, number: int | None) -> Scope:
    if number is None:
        return caller.scope
    region = session.get(Region, number)
    if region is None or not caller.scope.allows(session, Region, number):
        raise invalid(Wrong("region", "no-such", "id"))
    return Scope.under(region)
