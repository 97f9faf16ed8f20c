"""How much is registered, has a gateway, was ever seen, answers now: `/api/v1/coverage`, as counts, never ratios."""

import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock
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

    as_of: datetime
    items: list[CoverageRow]
    total: dict[str, int]


class KeptCoverage:
    """Counts of the last seconds, by scope: 20 ms of the database for a province, asked for by every wall and scraper."""

    def __init__(self, seconds: float = 5.0, size: int = 256) -> None:
        self._seconds, self._size = seconds, size
        self._lock = Lock()
        self._kept: dict[Scope, tuple[float, datetime, list[Coverage]]] = {}

    def get(self, scope: Scope, count: Callable[[], list[Coverage]]) -> tuple[datetime, list[Coverage]]:
        """(as of when, rows): those kept, where they are fresh, else what `count` gives; many who ask at once wait for one count."""
        with self._lock:
            kept = self._kept.get(scope)
            if kept is not None and time.monotonic() - kept[0] < self._seconds:
                return kept[1], kept[2]
            if len(self._kept) >= self._size:
                self._kept.clear()
            as_of, rows = utcnow(), count()
            self._kept[scope] = (time.monotonic(), as_of, rows)
            return as_of, rows


@router.get("/coverage", response_model=CoverageAnswer, responses=problems(401, 403, 422), operation_id="read_coverage")
def read_coverage(
    request: Request,
    caller: Caller,
    by: Annotated[By, Query(description="region: by county.")] = "region",
    region: Annotated[Id | None, Query(description="Only the subtree of this region.")] = None,
) -> Response:
    """Counts by county, level or kind of school."""
    with register_of(request).session() as session:
        scope = _narrowed(session, caller, region)
        kept: KeptCoverage = request.app.state.coverage
        as_of, rows = kept.get(scope, lambda: coverage(session, scope))
    return answer({"as_of": as_of, "items": grouped(rows, by), "total": totals(rows)})


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
