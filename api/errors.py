"""Errors as RFC 9457 problem details, in the caller's language, naming the field."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.collector_link import CollectorGone, CollectorRefused
from api.rendering import renderer_of
from api.words import language_of, say, say_field

STATUS = {
    "unauthenticated": 401,
    "bad-token": 401,
    "wrong-login": 401,
    "wrong-link": 410,
    "wall-gone": 410,
    "too-many-tries": 429,
    "csrf": 403,
    "must-change": 403,
    "forbidden": 403,
    "admin-only": 403,
    "token-scope": 403,
    "outside": 403,
    "not-found": 404,
    "not-allowed": 405,
    "invalid": 422,
    "clash": 409,
    "in-use": 409,
    "begun": 409,
    "shipped": 409,
    "closed": 409,
    "need-match": 428,
    "stale": 412,
    "too-large": 413,
    "bad-host": 421,
    "collector-gone": 503,
    "absent": 501,
    "import-wrong": 422,
    "cannot-undo": 409,
    "failed": 500,
}
"""code: HTTP status."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One wrong field. `kind`: a key of `words.FIELD_ERRORS` or pydantic's; `expected`: what would be right, language-free."""

    field: str
    kind: str
    expected: str = ""
    message: str = ""


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """An answer that is no success. `code`: a row of `words.PROBLEMS`; `values` fill its words; `more`: extra members."""

    def __init__(
        self,
        code: str,
        *,
        errors: Sequence[Wrong] = (),
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
        more: Mapping[str, Any] | None = None,
        **values: object,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = status or STATUS[code]
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.values = values
        self.more = dict(more or {})


class SeeOther(Exception):  # noqa: N818 - HTTP's word
    """Send a browser elsewhere (303)."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


def invalid(*errors: Wrong) -> Problem:
    """A 422 naming the wrong fields."""
    return Problem("invalid", errors=errors, count=len(errors))


def problem_body(problem: Problem, request: Request) -> dict[str, Any]:
    """The members of the answer (RFC 9457, 3.1)."""
    language = language_of(request)
    body: dict[str, Any] = {
        "type": f"urn:edunet:problem:{problem.code}",
        "title": say(problem.code, language, **problem.values),
        "status": problem.status,
        "instance": request.url.path,
    }
    if problem.errors:
        body["errors"] = [
            {
                "field": wrong.field,
                "message": say_field(wrong.kind, language, wrong.message or wrong.kind),
                "expected": wrong.expected,
            }
            for wrong in problem.errors
        ]
    body.update(problem.more)
    return body


def problem_response(problem: Problem, request: Request) -> Response:
    """The answer: JSON for scripts, a page for browsers outside /api/."""
    headers = {"cache-control": "no-store", **problem.headers}
    if problem.status == 401:
        headers.setdefault("www-authenticate", 'Bearer realm="edunet"')
    body = problem_body(problem, request)
    if wants_page(request):
        return renderer_of(request).error(request, body, headers)
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(content, problem.status, headers=headers, media_type="application/problem+json")


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks for a page rather than a script for data."""
    path = request.url.path
    if path.startswith(("/api/", "/-/", "/metrics", "/probe", "/snmp")):
        return False
    return "text/html" in request.headers.get("accept", "")


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(SeeOther, _on_see_other)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(CollectorGone, _on_gone)
    app.add_exception_handler(CollectorRefused, _on_refused)
    app.add_exception_handler(HTTPException, _on_http)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error, request)


async def _on_see_other(request: Request, error: Exception) -> Response:
    assert isinstance(error, SeeOther)
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"hx-redirect": error.location})
    return RedirectResponse(error.location, 303)


async def _on_gone(request: Request, error: Exception) -> Response:
    return problem_response(Problem("collector-gone", headers={"retry-after": "5"}), request)


async def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, CollectorRefused)
    code = "not-found" if error.status == 404 else "collector-gone"
    return problem_response(Problem(code, more={"detail": error.detail}), request)


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(invalid(*(wrong_of(item) for item in error.errors())), request)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not-found", 405: "not-allowed", 413: "too-large"}.get(error.status_code, "http")
    problem = Problem(code, status=error.status_code, headers=error.headers or {}, limit="?")
    if code == "http" and error.detail:
        problem.more["detail"] = str(error.detail)
    return problem_response(problem, request)


def wrong_of(item: Mapping[str, Any]) -> Wrong:
    """One of pydantic's errors as ours: `loc` without its first word (body, query, path) is the field."""
    loc = [str(part) for part in item.get("loc", ())]
    field = ".".join(loc[1:]) or (loc[0] if loc else "")
    kind = str(item.get("type", ""))
    if kind == "json_invalid":
        field = "body"
    return Wrong(field=field, kind=kind, expected=_expected(kind, item), message=str(item.get("msg", "")))


def _expected(kind: str, item: Mapping[str, Any]) -> str:
    context = item.get("ctx") or {}
    if "expected" in context:
        return str(context["expected"])
    for key, sign in (("ge", ">="), ("le", "<="), ("gt", ">"), ("lt", "<")):
        if key in context:
            return f"{sign} {context[key]}"
    if "max_length" in context:
        return f"<= {context['max_length']}"
    if "min_length" in context:
        return f">= {context['min_length']}"
    if "pattern" in context:
        return str(context["pattern"])
    if "error" in context:
        return str(context["error"])
    words = {"int_": "integer", "float_": "number", "bool_": "true | false", "date": "YYYY-MM-DD"}
    return next((word for prefix, word in words.items() if kind.startswith(prefix)), "")
