"""What the frame needs of the pages: the few pages that sign-in and errors show.

`api/pages` gives a `Renderer` (its attribute `renderer`); the frame calls it and knows no template.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response


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
