"""Correcting what the judge concluded: `POST /api/v1/outages/correct`, in bulk, with a reason; the first verdict stays on record."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Select, func, or_, select, update
from sqlmodel import Session, SQLModel
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Wrong, invalid
from api.resources.machine import Body, Id, Text
from api.resources.reading import region_clause
from api.resources.routes import answer, problems
from api.security import Admin, CurrentUser, register_of
from inventory.audit import record
from inventory.models import Incident, NodeKind, Outage, table, utcnow

router = APIRouter(tags=["outages"])

MOST = 20_000
"""Outages that one call may correct."""

CHUNK = 500

CauseWord = Literal["undetermined", "line", "power", "upstream", "device", "school", "planned", "agent"]
AccountableWord = Literal["", "carrier", "power", "school", "province", "planned"]


class Which(Body):
    """Outages by what they are: all that is given must hold. `from` and `until`: those that touch that interval."""

    from_: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: AwareDatetime | None = None
    kind: NodeKind | None = None
    school_id: Id | None = None
    region: Annotated[Id | None, Field(description="Of either tree: its whole subtree.")] = None
    cause: CauseWord | None = None
    accountable: AccountableWord | None = None


class Correction(Body):
    """Which outages (one of `ids`, `incidents`, `where`), what is true of them instead, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "incidents": [4711],
                    "cause": "line",
                    "accountable": "carrier",
                    "reason": "运营商确认光缆被挖断，工单 0351-88",
                }
            ]
        }
    )

    ids: Annotated[list[Id] | None, Field(min_length=1, max_length=5000, description="Of outages.")] = None
    incidents: Annotated[
        list[Id] | None,
        Field(min_length=1, max_length=500, description="Of incidents: they, and all of their outages."),
    ] = None
    where: Which | None = None
    cause: CauseWord | None = None
    accountable: AccountableWord | None = None
    maintenance: bool | None = None
    reason: Annotated[Text, StringConstraints(min_length=1, max_length=300)]


class Corrected(BaseModel):
    """How many were corrected."""

    outages: int
    incidents: int


@router.post(
    "/outages/correct", response_model=Corrected, responses=problems(401, 403, 422), operation_id="correct_outages"
)
def correct_outages(request: Request, caller: Admin, body: Correction) -> Response:
    """Correct cause, accountability or maintenance of outages afterwards. All of them are within the caller's part, or none is changed."""
    _check(body)
    with register_of(request).write() as session:
        outages, incidents = _chosen(session, caller, body)
        before = {"outages": outages, "incidents": incidents, "verdicts": _verdicts(session, outages)}
        values = _values(caller, body)
        _correct(session, Outage, outages, values, body.maintenance)
        _correct(session, Incident, incidents, values, None)
        told = body.model_dump(
            mode="json", include={"cause", "accountable", "maintenance", "reason"}, exclude_none=True
        )
        record(session, caller.actor, "correct", "outages", None, before, told)
    return answer({"outages": len(outages), "incidents": len(incidents)})


def _check(body: Correction) -> None:
    if sum(part is not None for part in (body.ids, body.incidents, body.where)) != 1:
        raise invalid(Wrong("ids", "one-of", "ids | incidents | where"))
    if body.where is not None and not body.where.model_fields_set:
        raise invalid(Wrong("where", "missing", "from | until | kind | school_id | region | cause | accountable"))
    if body.cause is None and body.accountable is None and body.maintenance is None:
        raise invalid(Wrong("cause", "one-of", "cause | accountable | maintenance"))


def _chosen(session: Session, caller: CurrentUser, body: Correction) -> tuple[list[int], list[int]]:
    """Ids of the outages, and of the incidents, that are meant; 422 names those that are not within the caller's part."""
    outage = table(Outage)
    if body.ids is not None:
        return _allowed(session, caller, Outage, body.ids, "ids"), []
    if body.incidents is not None:
        incidents = _allowed(session, caller, Incident, body.incidents, "incidents")
        found: list[int] = []
        for start in range(0, len(incidents), CHUNK):
            part = incidents[start : start + CHUNK]
            found += _ids(session, caller, select(outage.c.id).where(outage.c.incident_id.in_(part)))
        return _bounded(found), incidents
    assert body.where is not None
    return _bounded(_ids(session, caller, _matching(session, body.where))), []


def _bounded(found: list[int]) -> list[int]:
    if len(found) > MOST:
        raise invalid(Wrong("where", "too_long", f"<= {MOST}"))
    return found


def _matching(session: Session, which: Which) -> Select[Any]:
    outage = table(Outage)
    statement = select(outage.c.id)
    if which.from_ is not None:
        statement = statement.where(or_(outage.c.until_at.is_(None), outage.c.until_at > which.from_))
    if which.until is not None:
        statement = statement.where(outage.c.from_at < which.until)
    for name in ("kind", "school_id", "cause", "accountable"):
        if (value := getattr(which, name)) is not None:
            statement = statement.where(outage.c[name] == value)
    if which.region is not None:
        clause = region_clause(session, Outage, which.region, None)
        statement = statement if clause is None else statement.where(clause)
    return statement


def _ids(session: Session, caller: CurrentUser, statement: Select[Any]) -> list[int]:
    narrowed = caller.scope.filter(statement, Outage).order_by(table(Outage).c.id).limit(MOST + 1)
    return [int(number) for number in session.connection().execute(narrowed).scalars()]


def _allowed(session: Session, caller: CurrentUser, model: type[SQLModel], wanted: list[int], field: str) -> list[int]:
    row = table(model)
    there: set[int] = set()
    for start in range(0, len(wanted), CHUNK):
        statement = caller.scope.filter(select(row.c.id).where(row.c.id.in_(wanted[start : start + CHUNK])), model)
        there |= set(session.connection().execute(statement).scalars())
    wrong = [Wrong(f"{field}.{index}", "no-such", "id") for index, number in enumerate(wanted) if number not in there]
    if wrong:
        raise invalid(*wrong[:50])
    return sorted(there)


def _verdicts(session: Session, outages: list[int]) -> list[dict[str, Any]]:
    """What was held of them until now, counted: an audit entry of 20,000 rows names each verdict once."""
    row = table(Outage)
    counts: dict[tuple[str, str, bool], int] = {}
    for start in range(0, len(outages), CHUNK):
        held = (row.c.cause, row.c.accountable, row.c.maintenance)
        statement = select(*held, func.count()).where(row.c.id.in_(outages[start : start + CHUNK])).group_by(*held)
        for cause, accountable, maintenance, count in session.connection().execute(statement):
            key = (cause, accountable, bool(maintenance))
            counts[key] = counts.get(key, 0) + count
    return [
        {"cause": cause, "accountable": accountable, "maintenance": maintenance, "count": count}
        for (cause, accountable, maintenance), count in sorted(counts.items())
    ]


def _values(caller: CurrentUser, body: Correction) -> dict[str, Any]:
    values: dict[str, Any] = {"corrected_by": caller.actor, "corrected_at": utcnow(), "corrected_why": body.reason}
    for name in ("cause", "accountable"):
        if getattr(body, name) is not None:
            values[name] = getattr(body, name)
    return values


def _correct(
    session: Session, model: type[SQLModel], numbers: list[int], values: dict[str, Any], maintenance: bool | None
) -> None:
    row = table(model)
    firsts = {
        "first_cause": func.coalesce(row.c.first_cause, row.c.cause),
        "first_accountable": func.coalesce(row.c.first_accountable, row.c.accountable),
    }
    if model is Outage:
        firsts["first_maintenance"] = func.coalesce(row.c.first_maintenance, row.c.maintenance)
    more = {"maintenance": maintenance} if maintenance is not None else {}
    for start in range(0, len(numbers), CHUNK):
        part = numbers[start : start + CHUNK]
        session.connection().execute(update(row).where(row.c.id.in_(part)).values(**firsts, **values, **more))
