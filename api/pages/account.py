"""Language, theme, legend; and the pages that sign-in and errors show (`api.rendering.Renderer`)."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.pages.frame import THEME_COOKIE, PageFrame, base_context
from api.pages.render import render
from api.pages.texts import COOKIE, LOCALES, choose_locale
from api.security import CurrentUser, page_user, public, register_of, settings_of
from api.signin import safe_next
from inventory.models import User

router = APIRouter(include_in_schema=False)

YEAR = 365 * 86400


@router.get("/legend")
def show_legend(frame: PageFrame) -> Response:
    """What every sign means."""
    return frame.page("legend.html")


@router.get("/language/{locale}", dependencies=[Depends(public)])
def choose_language(request: Request, locale: str, next: str = "/") -> Response:
    """Keep the language in this browser; a link, so that it works on the sign-in page and without script."""
    response = RedirectResponse(safe_next(next), 303)
    if locale in LOCALES:
        _keep(request, response, COOKIE, locale)
    return response


@router.get("/theme/{theme}", dependencies=[Depends(public)])
def choose_theme(request: Request, theme: str, next: str = "/") -> Response:
    """Keep light, dark or (auto) the system's theme in this browser."""
    response = RedirectResponse(safe_next(next), 303)
    _keep(request, response, THEME_COOKIE, theme if theme in ("light", "dark") else "auto")
    return response


@router.post("/account/language")
def save_language(
    request: Request,
    caller: Annotated[CurrentUser, Depends(page_user)],
    locale: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Keep the language with the user, for every browser."""
    response = RedirectResponse(safe_next(next), 303)
    if locale in LOCALES:
        with register_of(request).write() as session:
            session.get_one(User, caller.user.id).locale = locale
        _keep(request, response, COOKIE, locale)
    return response


def _keep(request: Request, response: Response, name: str, value: str) -> None:
    secure = settings_of(request).behind_tls or request.url.scheme == "https"
    response.set_cookie(name, value, max_age=YEAR, path="/", samesite="lax", secure=secure)


class PageRenderer:
    """The sign-in, link, password and error pages, as `api.rendering.Renderer` asks for them."""

    def login(
        self, request: Request, *, csrf: str, next_page: str, problem: Mapping[str, Any] | None, status: int
    ) -> Response:
        """See `Renderer.login`."""
        return _alone(request, "login.html", status, csrf=csrf, next_page=next_page, problem=problem)

    def link(self, request: Request, *, csrf: str, valid: bool, status: int) -> Response:
        """See `Renderer.link`."""
        return _alone(request, "link.html", status, csrf=csrf, valid=valid)

    def password(
        self, request: Request, *, csrf: str, must_change: bool, problem: Mapping[str, Any] | None, status: int
    ) -> Response:
        """See `Renderer.password`."""
        return _alone(request, "password.html", status, csrf=csrf, must_change=must_change, problem=problem)

    def error(self, request: Request, problem: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
        """See `Renderer.error`."""
        page = _alone(request, "error.html", int(problem["status"]), csrf="", problem=problem)
        page.headers.update(headers)
        return page


def _alone(request: Request, template: str, status: int, **context: Any) -> HTMLResponse:
    caller = getattr(request.state, "caller", None)
    locale = choose_locale(request, caller.user.locale if caller else "")
    body = render(locale, template, {**base_context(request, locale), "caller": caller, **context})
    return HTMLResponse(body, status, headers={"Cache-Control": "no-store"})


@router.get("/feed")
def show_feed(frame: PageFrame) -> Response:
    """The feed's sign of life alone; pages ask for it again and again."""
    return frame.page("feed.html")
