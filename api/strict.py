"""Unknown query parameters are errors that name themselves: a filter that is misspelt must not show everything."""

from typing import Any

from pydantic import BaseModel
from starlette.requests import Request

from api.errors import Wrong, invalid

_known: dict[int, frozenset[str]] = {}


async def known_query(request: Request) -> None:
    """Refuse a request with a query parameter that its route does not take."""
    if not request.query_params:
        return
    route: Any = request.scope.get("route")
    known = _known.get(id(route))
    if known is None:
        known = _known[id(route)] = frozenset(_names(route))
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        expected = " | ".join(sorted(known))
        raise invalid(*(Wrong(name, "extra_forbidden", expected) for name in dict.fromkeys(unknown)))


def _names(route: Any) -> list[str]:
    names: list[str] = []
    waiting = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        waiting.extend(dependant.dependencies)
        for parameter in dependant.query_params:
            kind = parameter.field_info.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                names.extend(info.alias or name for name, info in kind.model_fields.items())
            else:
                names.append(parameter.alias)
    return names
