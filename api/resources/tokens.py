"""One's own bearer tokens, for scripts and Prometheus: `/api/v1/tokens`. The secret is in the answer to the creation, once."""

import secrets
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints
from sqlalchemy import ColumnElement

from api.errors import Problem
from api.resources.machine import Body, ListQuery, Resource, Row, Text, Work
from api.security import CurrentUser
from inventory.models import Token, table
from inventory.users import hash_token

TokenScope = Literal["metrics", "read", "write"]


class TokenCreate(Body):
    """A token. scope: metrics (only what Prometheus asks for), read, or write (as far as its user may)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "prometheus", "scope": "metrics"}]})

    name: Annotated[Text, StringConstraints(min_length=1, max_length=80)]
    scope: TokenScope = "read"
    expires_at: Annotated[AwareDatetime | None, Field(description="Null: never.")] = None


class TokenRead(TokenCreate):
    """A token as it is shown."""

    id: int
    created_at: datetime
    used_at: datetime | None = None
    token: Annotated[str | None, Field(description="The secret: only in the answer to its creation.")] = None


class TokenQuery(ListQuery):
    """Filters of the list."""

    name: Text | None = None
    scope: TokenScope | None = None


def _own_of(caller: CurrentUser) -> ColumnElement[bool]:
    return _own.c.user_id == caller.user.id


def _prepare(work: Work, row: Token, children: Row) -> None:
    caller = work.caller
    if caller.via == "token":  # a stolen token must not make itself a successor
        raise Problem("token-scope", scope=caller.may)
    children["token"] = secret = "edu_" + secrets.token_urlsafe(32)
    row.user_id = caller.user.id or 0
    row.token_hash = hash_token(secret)


def _reply(children: Row, shown: Row) -> None:
    shown["token"] = children["token"]


_own = table(Token)

TOKENS = Resource(
    name="tokens",
    model=Token,
    read=TokenRead,
    create=TokenCreate,
    query=TokenQuery,
    own=_own_of,
    sorts={"name": _own.c.name},
    prepare=_prepare,
    reply=_reply,
    writers="all",
    planned=False,
)
