"""What the frame needs of the pages: the few pages that sign-in and errors show.

`api/pages` gives a `Renderer` (its attribute `renderer`); the frame calls it and knows no template.
"""

from collections.abc import Mapping
from html import escape
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response


class Renderer(Protocol):
    """The pages that the frame shows.

    Form contract: `login` posts `name`, `password`, `csrf`, `next` to `/login`; `link` posts `csrf` to the page's own
    address; `password` posts `old`, `new`, `again`, `csrf` to `/account/password`. `problem`: the members of
    `errors.problem_body`, or None at first sight.
    """

    def login(
        self, request: Request, *, csrf: str, next_page: str, problem: Mapping[str, Any] | None, status: int
    ) -> Response:
        """The sign-in page."""
        ...

    def link(self, request: Request, *, csrf: str, valid: bool, status: int) -> Response:
        """The page with the one button that uses a one-time link (a preview of the link must not use it)."""
        ...

    def password(
        self, request: Request, *, csrf: str, must_change: bool, problem: Mapping[str, Any] | None, status: int
    ) -> Response:
        """The page on which a user changes the own password. `request.state.caller` is the `CurrentUser`."""
        ...

    def error(self, request: Request, problem: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
        """An error as a page, with the problem's status and these headers."""
        ...


def renderer_of(request: Request) -> Renderer:
    """The renderer of the application that serves this request."""
    renderer: Renderer = request.app.state.renderer
    return renderer


class PlainRenderer:
    """The same pages without any style, for an application without `api/pages` (a listener for metrics, tests)."""

    def login(
        self, request: Request, *, csrf: str, next_page: str, problem: Mapping[str, Any] | None, status: int
    ) -> Response:
        """See `Renderer.login`."""
        fields = (
            f'{_hidden("csrf", csrf)}{_hidden("next", next_page)}<input name="name"><input name="password" type="password">'
        )
        return _page(f'{_said(problem)}<form method="post" action="/login">{fields}<button>→</button></form>', status)

    def link(self, request: Request, *, csrf: str, valid: bool, status: int) -> Response:
        """See `Renderer.link`."""
        form = f'<form method="post">{_hidden("csrf", csrf)}<button>→</button></form>'
        return _page(form if valid else "410", status)

    def password(
        self, request: Request, *, csrf: str, must_change: bool, problem: Mapping[str, Any] | None, status: int
    ) -> Response:
        """See `Renderer.password`."""
        fields = "".join(f'<input name="{name}" type="password">' for name in ("old", "new", "again"))
        form = f'<form method="post" action="/account/password">{_hidden("csrf", csrf)}{fields}<button>→</button></form>'
        return _page(_said(problem) + form, status)

    def error(self, request: Request, problem: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
        """See `Renderer.error`."""
        return HTMLResponse(f"<!doctype html>{_said(problem)}", int(problem["status"]), headers=dict(headers))


def _said(problem: Mapping[str, Any] | None) -> str:
    return f"<p>{escape(str(problem['title']))}</p>" if problem else ""


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value, quote=True)}">'


def _page(body: str, status: int) -> Response:
    return HTMLResponse(f"<!doctype html><meta charset=utf-8><title>edunet</title>{body}", status)
