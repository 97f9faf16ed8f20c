"""Which conclusions may hold somebody to account: `/api/v1/cause_rules`. An administrator of the whole province approves them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.resources.machine import Body, ListQuery, Resource, Row, Text, Work
from inventory.models import CauseRule, utcnow


class CauseRuleRead(BaseModel):
    """One way of concluding a cause. Until it is approved nobody is accountable by it; its conclusions are shown all the same."""

    id: int
    name: str
    cause: str
    accountable: str
    approved: bool
    approved_by: str
    approved_at: datetime | None = None
    note: str
    row_version: int


class CauseRuleUpdate(Body):
    """What may be changed of a rule."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"approved": True, "note": "与三家运营商商定，2026 年第四季度起执行"}]}
    )

    approved: bool = Field(default=False)
    note: Annotated[Text, Field(max_length=500, description="Why, by which agreement.")] = ""


class CauseRuleQuery(ListQuery):
    """Filters of the list."""

    name: Text | None = None
    cause: Text | None = None
    approved: bool | None = None


def _prepare(work: Work, row: CauseRule, children: Row) -> None:
    if row.approved and row.approved_at is None:
        row.approved_by, row.approved_at = work.caller.actor, utcnow()
    elif not row.approved:
        row.approved_by, row.approved_at = "", None


CAUSE_RULES = Resource(
    name="cause_rules",
    model=CauseRule,
    read=CauseRuleRead,
    update=CauseRuleUpdate,
    query=CauseRuleQuery,
    deletable=False,
    writers="province",
    prepare=_prepare,
)
