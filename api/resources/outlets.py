"""Ways out and what went through them: `/api/v1/outlets`, `/api/v1/deliveries`. Configurations go in and never come out."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import ColumnElement, func, select
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Problem, Wrong, invalid
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text, Work, contains, partial_of
from api.resources.routes import Number, answer, problems
from api.security import Admin, register_of
from inventory.audit import record
from inventory.models import Delivery, Outlet, OutletKind, Region, table
from inventory.outlets import PERSONAL, WrongConfig, check_config, seal_config, target_of

Severity = Literal["warning", "minor", "major", "critical"]
Kinds = Annotated[
    list[Literal["outage", "agent_silent", "degraded"]], Field(max_length=3, description="Of incidents; empty: all.")
]
Clock = Annotated[Text, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")]


class OutletFacts(Body):
    """What may be shown of an outlet. It serves the subtree of a region; null: the whole province."""

    name: Annotated[Text, StringConstraints(min_length=1, max_length=80)]
    kind: OutletKind
    region_id: Id | None = None
    language: Literal["zh", "en"] = "zh"
    least_severity: Severity = "warning"
    kinds: Kinds = Field(default_factory=list)
    roster: Annotated[bool, Field(description="Mail and SMS: to those on duty as well.")] = False
    enabled: bool = True
    fallback_id: Annotated[Id | None, Field(description="The outlet that takes over when this one fails.")] = None
    alive_at: Annotated[Clock, Field(description="HH:MM of a daily sign of life; empty: none.")] = ""
    per_minute: Annotated[int, Field(ge=1, le=600, description="Most messages in any 60 seconds.")] = 20
    note: Annotated[Text, Field(max_length=500)] = ""


class OutletCreate(OutletFacts):
    """An outlet with its configuration (docs/alerts.md says what each kind needs)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "省中心值班群", "kind": "wecom", "config": {"url": "https://robot.example/send?key=..."}}
            ]
        }
    )

    config: Annotated[dict[str, Any], Field(description="Sealed at rest, never shown again.")]


class OutletRead(OutletFacts):
    """An outlet without its secrets, and how it fares."""

    id: int
    target: str
    row_version: int
    created_at: datetime
    updated_at: datetime
    last_ok_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str
    failing_since: datetime | None = None


class OutletQuery(ListQuery):
    """Filters of the list."""

    name: Text | None = None
    kind: OutletKind | None = None
    region_id: Id | None = None
    enabled: bool | None = None


def _prepare(work: Work, row: Outlet, children: Row) -> None:
    """Seal a new configuration; a robot's address may not become a mail server's by another `kind` alone."""
    row.kind = str(row.kind.value if isinstance(row.kind, OutletKind) else row.kind)
    config = children.get("config")
    if config is None and row.id is not None and _changed(row, "kind"):
        raise invalid(Wrong("config", "missing"))
    if row.roster and row.kind not in PERSONAL:
        raise invalid(Wrong("roster", "wrong", "mail | sms"))
    _check_fallback(work, row)
    if config is None:
        return
    if work.register.sealer is None:
        raise Problem("absent")
    try:
        checked = check_config(row.kind, config)
    except WrongConfig as wrong:
        raise invalid(Wrong(f"config.{wrong.where}", "wrong", wrong.why)) from wrong
    row.secret, row.target = seal_config(row.kind, checked, work.register.sealer), target_of(row.kind, checked)


def _changed(row: Outlet, name: str) -> bool:
    from sqlalchemy import inspect

    return bool(inspect(row).attrs[name].history.deleted)  # type: ignore[union-attr]  # of a mapped row


def _check_fallback(work: Work, row: Outlet) -> None:
    """Ways that take over for each other must come to an end."""
    seen, following = {row.id}, row.fallback_id
    while following is not None:
        if following in seen:
            raise invalid(Wrong("fallback_id", "same"))
        seen.add(following)
        one = work.session.get(Outlet, following)
        following = one.fallback_id if one is not None else None


_own = table(Outlet)

OUTLETS = Resource(
    name="outlets",
    model=Outlet,
    read=OutletRead,
    create=OutletCreate,
    update=partial_of(OutletCreate, "OutletUpdate"),
    query=OutletQuery,
    sorts={"name": _own.c.name},
    default_sort="name",
    search=contains(func.lower(_own.c.name)),
    references={"region_id": Region, "fallback_id": Outlet},
    clashes=(("name",),),
    children=frozenset({"config"}),
    prepare=_prepare,
    readers="administrators",
    planned=False,
)


class DeliveryRead(BaseModel):
    """One thing said to one audience. Several that went in one message share `message`; the first of them has its `body`."""

    id: int
    outlet_id: int
    outlet: str
    contact_id: int | None = None
    contact: str
    incident_id: int | None = None
    event: str
    level: str
    notices: list[int]
    queued_at: datetime
    due_at: datetime
    status: str
    attempts: int
    sent_at: datetime | None = None
    via_id: int | None = None
    error: str
    delay_s: float | None = None
    message: str
    body: str


class DeliveryQuery(ListQuery):
    """Filters of the list. `pending`: what is still to be sent."""

    outlet_id: Id | None = None
    incident_id: Id | None = None
    contact_id: Id | None = None
    event: list[str] | None = None
    status: list[Literal["waiting", "claimed", "sent", "dropped"]] | None = None
    message: Text | None = None
    pending: bool | None = None


def _pending(wanted: bool) -> ColumnElement[bool]:
    return _log.c.status.in_(("waiting", "claimed")) if wanted else _log.c.status.in_(("sent", "dropped"))


_log = table(Delivery)

DELIVERIES = Resource(
    name="deliveries",
    model=Delivery,
    read=DeliveryRead,
    query=DeliveryQuery,
    deletable=False,
    filters={"pending": _pending},
    sorts={"queued_at": _log.c.queued_at, "due_at": _log.c.due_at},
    default_sort="-queued_at",
    search=contains(func.lower(_log.c.outlet)),
    planned=False,
)

router = APIRouter(tags=["outlets"])


class OutletAnswer(BaseModel):
    """What became of a test message: whether it was taken, by which outlet, and what the far side said."""

    as_of: float
    ok: bool
    outlet: str
    answer: str
    wall_s: float


@router.post(
    "/outlets/{number}/test",
    response_model=OutletAnswer,
    responses=problems(401, 403, 404, 503),
    operation_id="test_outlet",
)
def test_outlet(request: Request, caller: Admin, number: Number) -> Response:
    """Send a plain test message through this outlet now, and tell what the far side said."""
    with register_of(request).session() as session:
        statement = caller.scope.filter(select(_own.c.id, _own.c.name).where(_own.c.id == number), Outlet)
        found = session.connection().execute(statement).first()
    if found is None:
        raise Problem("not-found")
    said = request.app.state.link.test_outlet(number, caller.actor)
    with register_of(request).write() as session:
        record(session, caller.actor, "test", "outlets", number, after={"ok": said.get("ok")})
    return answer(said)
