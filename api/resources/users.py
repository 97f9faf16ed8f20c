"""People: `/api/v1/users`, for administrators."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints
from sqlalchemy import func
from sqlmodel import Session

from api.errors import Problem, Wrong, invalid
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text, Work, contains, partial_of
from api.resources.writing import clash
from inventory.models import Region, Role, User, table
from inventory.users import WeakPasswordError, end_sessions, find_user, set_password


class UserCreate(Body):
    """A person. Without a password nobody signs in as them until one is set, or a link is made (`edunet user`)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "zhang.wei", "role": "viewer", "region_id": 5, "password": "..."}]}
    )

    name: Annotated[Text, StringConstraints(min_length=1, max_length=80)]
    role: Role = Role.viewer
    region_id: Annotated[Id | None, Field(description="The subtree that they see; null: the whole province.")] = None
    disabled: bool = False
    locale: Literal["", "zh", "en"] = ""
    password: Annotated[
        str | None, Field(max_length=1000, description="A first one, to be changed at the first sign-in; never shown.")
    ] = None


class UserRead(Body):
    """A person as they are shown."""

    id: int
    name: str
    role: Role
    region_id: int | None = None
    disabled: bool
    locale: str
    must_change: bool
    created_at: datetime
    row_version: int


class UserQuery(ListQuery):
    """Filters of the list."""

    name: Text | None = None
    role: Role | None = None
    region_id: Id | None = None
    disabled: bool | None = None


def _prepare(work: Work, row: User, children: Row) -> None:
    """Names differ by more than their case."""
    known = find_user(work.session, row.name)
    if known is not None and known.id != row.id:
        raise clash("name")


def _write_password(work: Work, row: User, children: Row) -> None:
    session = work.session
    password = children.get("password")
    if password is not None:
        version = row.row_version
        try:
            set_password(session, row, password, must_change=True)
        except WeakPasswordError as error:
            raise invalid(Wrong("password", "weak", str(error))) from error
        row.row_version = version
        session.add(row)
    if row.disabled:
        end_sessions(session, row)
    _keep_an_administrator(session)


def _keep_an_administrator(session: Session) -> None:
    session.flush()
    if session.connection().execute(func.count(_own.c.id).select().where(*_full_administrator)).scalar() == 0:
        raise Problem("in-use", what="edunet (the last administrator)")


def _before_delete(work: Work, row: User) -> None:
    caller = work.caller
    if row.id == caller.user.id:
        raise Problem("in-use", what=row.name)


_own = table(User)
_full_administrator = (_own.c.role == Role.administrator, _own.c.disabled.is_(False), _own.c.region_id.is_(None))

USERS = Resource(
    name="users",
    model=User,
    read=UserRead,
    create=UserCreate,
    update=partial_of(UserCreate, "UserUpdate"),
    query=UserQuery,
    sorts={"name": _own.c.name},
    default_sort="name",
    search=contains(func.lower(_own.c.name)),
    references={"region_id": Region},
    clashes=(("name",),),
    children=frozenset({"password"}),
    prepare=_prepare,
    write_children=_write_password,
    before_delete=_before_delete,
    readers="administrators",
    planned=False,
)
