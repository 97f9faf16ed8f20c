"""Rules of degradation: `/api/v1/degraded-rules`. Shipped ones are changed and switched off, never deleted."""

import secrets
from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints
from sqlalchemy import func, inspect

from api.errors import Problem, Wrong, invalid
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text, Work, contains, partial_of
from inventory.measures import BY_MEASURE
from inventory.models import DegradedRule, DeviceKind, Measure, Region, SchoolLevel, table

Threshold = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]
Rounds = Annotated[int, Field(ge=1, le=1000)]


class RuleCreate(Body):
    """A rule: raised at `raise_at` or beyond for `raise_after_s` and `raise_rounds` on end, cleared at `clear_at` or better likewise."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name_zh": "农村教学点线路丢包",
                    "name_en": "Line of a teaching point loses packets",
                    "measure": "line_loss_percent",
                    "levels": ["teaching_point"],
                    "raise_at": 10,
                    "clear_at": 5,
                }
            ]
        }
    )

    name_zh: Annotated[Text, StringConstraints(min_length=1, max_length=80)]
    name_en: Annotated[Text, Field(max_length=120)] = ""
    measure: Measure
    kinds: Annotated[
        list[DeviceKind], Field(default_factory=list, max_length=20, description="Kinds of devices; none: all.")
    ]
    vendor: Annotated[Text, Field(max_length=80, description="A pattern with * and ?, in any case; empty: any.")] = ""
    model: Annotated[Text, Field(max_length=120, description="A pattern with * and ?, in any case; empty: any.")] = ""
    operator: Annotated[Text, Field(max_length=40, description="Of a line, a pattern likewise; empty: any.")] = ""
    region_id: Annotated[
        Id | None, Field(description="A region of either tree with its subtree; null: everywhere.")
    ] = None
    levels: Annotated[
        list[SchoolLevel], Field(default_factory=list, max_length=20, description="Levels of schools; none: all.")
    ]
    raise_at: Annotated[Threshold, Field(description="From here on it is too much (or, below clear_at, too little).")]
    clear_at: Threshold
    raise_after_s: Seconds = 120
    clear_after_s: Seconds = 300
    raise_rounds: Rounds = 2
    clear_rounds: Rounds = 2
    at_least: Annotated[int, Field(ge=1, le=100_000, description="Of shares: devices that a school must have.")] = 1
    severity: Literal["critical", "major", "minor", "warning"] = "warning"
    during: Annotated[Literal["always", "in_class"], Field(description="When it may be raised.")] = "always"
    enabled: bool = True
    replaces_id: Annotated[Id | None, Field(description="Where this rule applies, that one does not.")] = None
    note: Annotated[Text, Field(max_length=300)] = ""


class RuleRead(RuleCreate):
    """A rule as it is shown. shipped: it came with edunet; changed: a person has changed it, upgrades leave it alone."""

    id: int
    key: str
    shipped: bool
    changed: bool
    row_version: int
    created_at: datetime
    updated_at: datetime


class RuleQuery(ListQuery):
    """Filters of the list."""

    key: Text | None = None
    measure: Measure | None = None
    severity: Literal["critical", "major", "minor", "warning"] | None = None
    enabled: bool | None = None
    shipped: bool | None = None
    changed: bool | None = None
    region_id: Id | None = None


def _prepare(work: Work, row: DegradedRule, children: Row) -> None:
    _check_part(work, row)
    known = BY_MEASURE[Measure(row.measure)]
    if row.raise_at == row.clear_at:
        raise invalid(Wrong("clear_at", "same", "!= raise_at"))
    for name in ("raise_at", "clear_at"):
        if not known.least <= getattr(row, name) <= known.most:
            raise invalid(Wrong(name, "wrong", f"{known.least:g} ... {known.most:g} {known.unit}".strip()))
    if row.replaces_id is not None:
        other = work.session.get(DegradedRule, row.replaces_id)
        if other is None or other.measure != row.measure:
            raise invalid(Wrong("replaces_id", "no-such", row.measure))
        if other.id == row.id or other.replaces_id is not None:
            raise invalid(Wrong("replaces_id", "loop"))
    row.measure = str(row.measure)
    row.kinds, row.levels = [str(kind) for kind in row.kinds], [str(level) for level in row.levels]
    if not row.key:
        row.key = f"own-{secrets.token_hex(6)}"
    row.changed = row.shipped


def _check_part(work: Work, row: DegradedRule) -> None:
    """Administrators of a part write the rules of their part, not those from above: neither before nor after the change."""
    scope = work.caller.scope
    history = inspect(row).attrs.region_id.history
    regions = {row.region_id, *(history.deleted or ())} if row.id is not None else {row.region_id}
    for region in regions:
        if not scope.everything and (region is None or not scope.allows(work.session, Region, region)):
            raise Problem("outside", errors=[Wrong("region_id", "outside")])


def _before_delete(work: Work, row: DegradedRule) -> None:
    _check_part(work, row)
    if row.shipped:
        raise Problem("shipped")


_own = table(DegradedRule)

DEGRADED_RULES = Resource(
    name="degraded-rules",
    model=DegradedRule,
    read=RuleRead,
    create=RuleCreate,
    update=partial_of(RuleCreate, "RuleUpdate", frozenset({"measure"})),
    query=RuleQuery,
    sorts={"name_zh": _own.c.name_zh, "measure": _own.c.measure, "key": _own.c.key},
    search=contains(func.lower(_own.c.name_zh + " " + _own.c.name_en + " " + _own.c.measure + " " + _own.c.key)),
    references={"region_id": Region},
    prepare=_prepare,
    before_delete=_before_delete,
    planned=False,
)
