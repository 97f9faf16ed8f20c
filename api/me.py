"""Who am I, and my password: `/api/v1/me`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from api.resources.machine import Body
from api.resources.routes import answer, problems
from api.security import Caller, CurrentUser, changing_user
from api.signin import change_own_password
from inventory.models import Role

router = APIRouter(tags=["me"])


class Me(BaseModel):
    """The caller. `csrf`: to be sent as X-CSRF-Token with every change; empty with a bearer token."""

    name: str
    role: Role
    region_id: int | None
    scope: str = Field(description="Path of the region whose subtree is seen; empty: everything.")
    locale: str
    via: Literal["session", "token"]
    may: Literal["metrics", "read", "write"]
    csrf: str


class PasswordChange(Body):
    """The old and the new password."""

    old: str = Field(max_length=1000)
    new: str = Field(max_length=1000)


@router.get("/me", response_model=Me, responses=problems(401, 403, 422), operation_id="read_me")
def read_me(caller: Caller) -> Response:
    """The caller, as the server sees them."""
    user = caller.user
    return answer(
        {
            "name": user.name,
            "role": user.role,
            "region_id": user.region_id,
            "scope": caller.scope.path,
            "locale": user.locale,
            "via": caller.via,
            "may": caller.may,
            "csrf": caller.csrf,
        }
    )


@router.post(
    "/me/password",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 422, 429),
    operation_id="change_my_password",
)
def change_my_password(
    request: Request, caller: Annotated[CurrentUser, Depends(changing_user)], body: PasswordChange
) -> Response:
    """Change one's own password; all of one's sessions end, this one too."""
    change_own_password(request, caller, body.old, body.new)
    return Response(status_code=204)
