"""Links of wall screens: `/api/v1/walls`. The link is in the answer to its creation, once; deleting the row revokes it."""

import secrets
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from api.errors import Problem
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text, Work
from inventory.models import Region, WallLink, table
from inventory.users import hash_token


class WallCreate(Body):
    """A link that shows the board of a region's subtree (null: the whole province) without signing in, and nothing else."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "值班室大屏", "region_id": 12}]})

    name: Annotated[Text, StringConstraints(min_length=1, max_length=80)]
    region_id: Id | None = None
    locale: Literal["", "zh", "en"] = ""
    expires_at: Annotated[AwareDatetime | None, Field(description="Null: until it is revoked.")] = None


class WallRead(WallCreate):
    """A link as it is shown."""

    id: int
    created_by: str
    created_at: datetime
    used_at: datetime | None = None
    url: Annotated[str | None, Field(description="The link's path: only in the answer to its creation.")] = None


class WallQuery(ListQuery):
    """Filters of the list."""

    region_id: Id | None = None


def _prepare(work: Work, row: WallLink, children: Row) -> None:
    if work.caller.via == "token":  # a stolen token must not make itself a link that outlives it
        raise Problem("token-scope", scope=work.caller.may)
    children["url"] = secret = secrets.token_urlsafe(32)
    row.token_hash = hash_token(secret)
    row.created_by = work.caller.actor


def _reply(children: Row, shown: Row) -> None:
    shown["url"] = f"/wall/{children['url']}"


_own = table(WallLink)

WALLS = Resource(
    name="walls",
    model=WallLink,
    read=WallRead,
    create=WallCreate,
    query=WallQuery,
    readers="administrators",
    sorts={"name": _own.c.name, "created_at": _own.c.created_at},
    default_sort="name",
    references={"region_id": Region},
    prepare=_prepare,
    reply=_reply,
    planned=False,
)
