"""Uptime of a school: `/api/v1/schools/{id}/uptime`: experienced and accountable, 24 × 7 and in class hours; unknown beside them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Problem, Wrong, invalid
from api.resources.machine import MAX_ID, Body
from api.resources.routes import answer, problems
from api.security import Caller, register_of
from inventory.calendars import read_calendars
from inventory.models import School, utcnow
from inventory.uptime import Sums, Uptime, read_uptime

router = APIRouter(tags=["schools"])

DAYS = 90
LONGEST = timedelta(days=1100)


class SumsAnswer(BaseModel):
    """Seconds: total = up + down + unknown; `by` parts `down`. The shares are of the known time, null where nothing is known.

    experienced: up by up and down. accountable: the same without planned down time (maintenance, switched off as usual).
    """

    total_s: float
    up_s: float
    down_s: float
    unknown_s: float
    by: Annotated[
        dict[str, float],
        Field(description="Down time by who is accountable: carrier, power, school, province, planned, undecided."),
    ]
    experienced: float | None
    accountable: float | None


class UptimeAnswer(BaseModel):
    """calendar_known false: terms, class hours or holidays of a part of the time are not declared; then usual ones were taken."""

    as_of: datetime
    school_id: int
    from_at: datetime
    until_at: datetime
    first_seen: datetime | None
    calendar_known: bool
    around_the_clock: SumsAnswer
    in_class: SumsAnswer


class UptimeQuery(Body):
    """Which time; without `from` the last 90 days."""

    from_: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: AwareDatetime | None = None


@router.get(
    "/schools/{number}/uptime",
    response_model=UptimeAnswer,
    responses=problems(401, 403, 404, 422),
    operation_id="read_school_uptime",
)
def read_school_uptime(
    request: Request,
    caller: Caller,
    number: Annotated[int, Path(ge=1, le=MAX_ID)],
    query: Annotated[UptimeQuery, Query()],
) -> Response:
    """Uptime of one school, from the outage log."""
    now = utcnow()
    until = min(query.until or now, now)
    start = query.from_ or until - timedelta(days=DAYS)
    if not start < until or until - start > LONGEST:
        raise invalid(Wrong("from", "future", f"< until, <= {LONGEST.days} d"))
    register = register_of(request)
    with register.session() as session:
        if not caller.scope.allows(session, School, number):
            raise Problem("not-found")
        calendars = read_calendars(session, register.timezone, [number])
        found = read_uptime(session, [number], start, until, calendars)[number]
    return answer({"as_of": now, "from_at": start, "until_at": until, **shown(found)})


def shown(found: Uptime) -> dict[str, Any]:
    """As JSON."""
    first = datetime.fromtimestamp(found.first_t, UTC) if found.first_t is not None else None
    return {
        "school_id": found.school,
        "first_seen": first,
        "calendar_known": found.known,
        "around_the_clock": _sums(found.around_the_clock),
        "in_class": _sums(found.in_class),
    }


def _sums(sums: Sums) -> dict[str, Any]:
    return {
        "total_s": sums.total,
        "up_s": sums.up,
        "down_s": sums.down,
        "unknown_s": sums.unknown,
        "by": dict(sums.by),
        "experienced": sums.experienced,
        "accountable": sums.accountable,
    }
