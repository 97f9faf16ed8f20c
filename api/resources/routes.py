"""The routes of a resource, made from its row."""

from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Depends, Header, Path, Query
from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from api.keeping import Keeper, key_of
from api.resources.machine import MAX_ID, Resource, Row
from api.resources.reading import etag_of, list_rows, read_row
from api.resources.writing import create_row, delete_row, update_row
from api.security import CurrentUser, current_user, register_of, require_admin

Item = TypeVar("Item")

Number = Annotated[int, Path(ge=1, le=MAX_ID, description="The row's id.")]
Match = Annotated[str | None, Header(alias="If-Match", max_length=200, description="The ETag that was read.")]


class Page(BaseModel, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next: str | None = Field(default=None, description="`cursor` of the next page; null on the last.")
    total: int | None = Field(default=None, description="Only with `count=true`.")


class Fault(BaseModel):
    """One wrong field."""

    field: str
    message: str
    expected: str


class ProblemDetails(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    instance: str
    errors: list[Fault] = []


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, for OpenAPI."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    words = {
        400: "Cannot be read",
        401: "Who asks is not known",
        403: "Not allowed",
        404: "Not there, or outside the caller's subtree",
        409: "Clashes with what is there",
        412: "Changed meanwhile",
        413: "Too large",
        422: "Wrong values",
        428: "If-Match is missing",
        429: "Too many tries",
        503: "The collector does not answer",
    }
    return {status: {"description": words[status], "content": content} for status in statuses}


def answer(content: Row, status: int = 200, **headers: str) -> Response:
    """JSON, quickly, without another validation of what came from the database."""
    return Response(to_json(content), status, headers=headers, media_type="application/json")


def router_of(resource: Resource) -> APIRouter:
    """All routes of a resource."""
    asker = require_admin if resource.readers == "administrators" else current_user
    router = APIRouter(tags=[resource.name], dependencies=[])
    _add_reading(router, resource, asker)
    if resource.create is not None:
        _add_create(router, resource, resource.create)
    if resource.update is not None:
        _add_update(router, resource, resource.update)
    if resource.deletable:
        _add_delete(router, resource)
    return router


def _add_reading(router: APIRouter, resource: Resource, asker: Any) -> None:
    def list_all(request: Request, caller: CurrentUser, query: Any) -> Response:
        def make() -> Response:
            with register_of(request).session() as session:
                return answer(list_rows(resource, session, caller, query))

        if resource.own is not None:
            return make()
        kept: Keeper = request.app.state.kept
        return kept.answer(key_of(request, caller), make)

    def read_one(request: Request, caller: CurrentUser, number: Number) -> Response:
        with register_of(request).session() as session:
            row = read_row(resource, session, caller, number)
        return answer(row, etag=etag_of(row))

    list_all.__annotations__ |= {
        "caller": Annotated[CurrentUser, Depends(asker)],
        "query": Annotated[resource.query, Query()],
    }
    read_one.__annotations__ |= {"caller": Annotated[CurrentUser, Depends(asker)]}
    page: Any = Page[resource.read]  # type: ignore[name-defined]  # a row's own model
    router.add_api_route(
        f"/{resource.name}",
        list_all,
        methods=["GET"],
        response_model=page,
        operation_id=f"list_{resource.name}",
        summary=f"List {resource.name}",
        responses=problems(401, 403, 422),
    )
    router.add_api_route(
        f"/{resource.name}/{{number}}",
        read_one,
        methods=["GET"],
        response_model=resource.read,
        operation_id=f"read_{resource.name}",
        summary=f"Read one of {resource.name}",
        responses=problems(401, 403, 404, 422),
    )


def _add_create(router: APIRouter, resource: Resource, create: type[BaseModel]) -> None:
    def create_one(request: Request, caller: CurrentUser, body: Any) -> Response:
        row = create_row(resource, register_of(request), caller, body)
        return answer(row, 201, etag=etag_of(row), location=f"/api/v1/{resource.name}/{row['id']}")

    create_one.__annotations__ |= {"caller": Annotated[CurrentUser, Depends(_writer(resource))], "body": create}
    router.add_api_route(
        f"/{resource.name}",
        create_one,
        methods=["POST"],
        status_code=201,
        response_model=resource.read,
        operation_id=f"create_{resource.name}",
        summary=f"Create one of {resource.name}",
        responses=problems(401, 403, 409, 422),
    )


def _add_update(router: APIRouter, resource: Resource, update: type[BaseModel]) -> None:
    def update_one(request: Request, caller: CurrentUser, number: Number, body: Any, match: Match = None) -> Response:
        row = update_row(resource, register_of(request), caller, number, body, match)
        return answer(row, etag=etag_of(row))

    update_one.__annotations__ |= {"caller": Annotated[CurrentUser, Depends(_writer(resource))], "body": update}
    router.add_api_route(
        f"/{resource.name}/{{number}}",
        update_one,
        methods=["PATCH"],
        response_model=resource.read,
        operation_id=f"update_{resource.name}",
        summary=f"Change one of {resource.name}",
        responses=problems(401, 403, 404, 409, 412, 422, 428),
    )


def _add_delete(router: APIRouter, resource: Resource) -> None:
    def delete_one(request: Request, caller: CurrentUser, number: Number, match: Match = None) -> Response:
        delete_row(resource, register_of(request), caller, number, match)
        return Response(status_code=204)

    delete_one.__annotations__ |= {"caller": Annotated[CurrentUser, Depends(_writer(resource))]}
    router.add_api_route(
        f"/{resource.name}/{{number}}",
        delete_one,
        methods=["DELETE"],
        status_code=204,
        response_class=Response,
        operation_id=f"delete_{resource.name}",
        summary=f"Delete one of {resource.name}",
        responses=problems(401, 403, 404, 409, 412, 422, 428),
    )


def _writer(resource: Resource) -> Any:
    return current_user if resource.writers == "all" else require_admin
