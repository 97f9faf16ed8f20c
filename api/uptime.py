"""Uptime of schools, `/api/v1/schools/{id}/uptime`, `/api/v1/uptime`: experienced and accountable, 24 × 7 and in class hours; unknown beside them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Problem, Wrong, invalid
from api.resources.machine import MAX_ID, Body, Id, Text
from api.resources.reading import region_clause
from api.resources.routes import answer, problems
from api.security import Caller, register_of
from inventory.calendars import read_calendars
from inventory.models import School, table, utcnow
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


class SchoolUptime(BaseModel):
    """One school of the list; see UptimeAnswer."""

    school_id: int
    first_seen: datetime | None
    calendar_known: bool
    around_the_clock: SumsAnswer
    in_class: SumsAnswer


class UptimeList(BaseModel):
    """Schools in the order of their ids. next: `after` of the next page; null on the last."""

    as_of: datetime
    from_at: datetime
    until_at: datetime
    items: list[SchoolUptime]
    next: int | None


class UptimeQuery(Body):
    """Which time; without `from` the last 90 days."""

    from_: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: AwareDatetime | None = None


class UptimeListQuery(UptimeQuery):
    """Which schools, which time."""

    region: Annotated[Id | None, Field(description="Id of a region of either tree: its whole subtree.")] = None
    region_code: Annotated[
        Text | None, Field(max_length=12, description="GB/T 2260 code of a region: its whole subtree.")
    ] = None
    after: Annotated[Id | None, Field(description="`next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=500, description="Schools at most.")] = 50


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
    start, until = _time_of(query, now)
    register = register_of(request)
    with register.session() as session:
        if not caller.scope.allows(session, School, number):
            raise Problem("not-found")
        calendars = read_calendars(session, register.timezone, [number])
        found = read_uptime(session, [number], start, until, calendars)[number]
    return answer({"as_of": now, "from_at": start, "until_at": until, **shown(found)})


@router.get("/uptime", response_model=UptimeList, responses=problems(401, 403, 422), operation_id="list_uptime")
def list_uptime(request: Request, caller: Caller, query: Annotated[UptimeListQuery, Query()]) -> Response:
    """Uptime of active schools, a page of them at a time."""
    now = utcnow()
    start, until = _time_of(query, now)
    register, school = register_of(request), table(School)
    with register.session() as session:
        wanted = select(school.c.id).where(school.c.status == "active", school.c.id > (query.after or 0))
        if query.region is not None or query.region_code is not None:
            clause = region_clause(session, School, query.region, query.region_code)
            wanted = wanted if clause is None else wanted.where(clause)
        page = caller.scope.filter(wanted, School).order_by(school.c.id).limit(query.limit + 1)
        numbers = list(session.connection().execute(page).scalars())
        mine = numbers[: query.limit]
        calendars = read_calendars(session, register.timezone, mine)
        found = read_uptime(session, mine, start, until, calendars)
    more = mine[-1] if len(numbers) > query.limit else None
    items = [shown(found[number]) for number in mine]
    return answer({"as_of": now, "from_at": start, "until_at": until, "items": items, "next": more})


def _time_of(query: UptimeQuery, now: datetime) -> tuple[datetime, datetime]:
    until = min(query.until or now, now)
    start = query.from_ or until - timedelta(days=DAYS)
    if not start < until or until - start > LONGEST:
        raise invalid(Wrong("from", "future", f"< until, <= {LONGEST.days} d"))
    return start, until


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
