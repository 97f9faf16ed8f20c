"""Who changed what: `/api/v1/audit`, to be read by those who administer the whole installation."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from api.resources.machine import Id, ListQuery, Resource, Text
from inventory.models import AuditEntry, table


class AuditRead(BaseModel):
    """One change of one row; `digest` chains SHA-256 over the entries."""

    id: int
    at: datetime
    actor: str
    action: str
    resource: str
    resource_id: int | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    digest: str


class AuditQuery(ListQuery):
    """Filters of the list."""

    actor: Text | None = None
    action: Text | None = None
    resource: Text | None = None
    resource_id: Id | None = None
    from_: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: AwareDatetime | None = None


_own = table(AuditEntry)

AUDIT = Resource(
    name="audit",
    model=AuditEntry,
    read=AuditRead,
    query=AuditQuery,
    deletable=False,
    filters={"from_": lambda moment: _own.c.at >= moment, "until": lambda moment: _own.c.at < moment},
    default_sort="-id",
    readers="administrators",
)
