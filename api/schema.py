"""The OpenAPI description: FastAPI's, with the problem that every error is, and how to say who one is."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api.resources.routes import ProblemDetails

SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token of `/api/v1/tokens`."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "edunet_session",
        "description": "A browser's session; changes need the header X-CSRF-Token too (`csrf` of `/api/v1/me`).",
    },
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The description, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=None
        )
        template = "#/components/schemas/{model}"
        _, problems = models_json_schema([(ProblemDetails, "serialization")], ref_template=template)
        components = schema.setdefault("components", {})
        components.setdefault("schemas", {}).update(problems["$defs"])
        components["securitySchemes"] = SECURITY
        schema["security"] = [{name: []} for name in SECURITY]
        app.openapi_schema = schema
    return app.openapi_schema
