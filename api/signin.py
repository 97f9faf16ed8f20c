"""Signing in and out, one-time links, changing one's own password: the routes, not the pages (those are `api/pages`)."""

import logging
import math
import secrets
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.errors import Problem, Wrong, invalid, problem_body, wants_page
from api.rendering import renderer_of
from api.security import (
    COOKIE,
    PRE_COOKIE,
    CurrentUser,
    changing_user,
    client_address,
    ends_of,
    public,
    register_of,
    settings_of,
)
from api.sessions import end_session, open_session, peek_link
from api.throttle import Throttle
from inventory.audit import record
from inventory.models import User
from inventory.users import WeakPasswordError, redeem_login_link, set_password, verify_password

log = logging.getLogger("edunet.api")

router = APIRouter(include_in_schema=False)

LONGEST_FOR_ADDRESS = 900.0
LONGEST_FOR_NAME = 60.0
"""Seconds. A name's delay stays short: else anybody could lock out anybody."""

Changing = Annotated[CurrentUser, Depends(changing_user)]


class SignInThrottle:
    """Both throttles of sign-in, by address and by name."""

    def __init__(self) -> None:
        self.by_address = Throttle(LONGEST_FOR_ADDRESS)
        self.by_name = Throttle(LONGEST_FOR_NAME)

    def check(self, address: str, name: str) -> None:
        """Raise 429 with Retry-After where either has to wait."""
        now = time.monotonic()
        wait = max(self.by_address.wait(address, now), self.by_name.wait(name.casefold(), now))
        if wait > 0:
            seconds = math.ceil(wait)
            raise Problem("too-many-tries", headers={"retry-after": str(seconds)}, seconds=seconds)

    def fail(self, address: str, name: str) -> None:
        """Count a failure of both."""
        now = time.monotonic()
        self.by_address.fail(address, now)
        if name:
            self.by_name.fail(name.casefold(), now)

    def succeed(self, address: str, name: str) -> None:
        """Forget the failures of both."""
        self.by_address.succeed(address)
        self.by_name.succeed(name.casefold())


@router.get("/login", dependencies=[Depends(public)])
def show_login(request: Request, next: str = "/") -> Response:
    """The sign-in page; its form's CSRF token is in a cookie too, for there is no session yet."""
    return _login_page(request, next, None, 200)


@router.post("/login", dependencies=[Depends(public)])
def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=80)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    csrf: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Sign in with name and password: a session's cookie, and on to `next`."""
    try:
        _check_form(request, csrf)
        user = _check_login(request, name.strip(), password)
    except Problem as problem:
        if not wants_page(request):
            raise
        page = _login_page(request, next, problem, problem.status)
        page.headers.update(problem.headers)
        return page
    return _enter(request, user, "/account/password" if user.must_change else safe_next(next))


@router.get("/login/link/{secret}", dependencies=[Depends(public)])
def show_link(request: Request, secret: str) -> Response:
    """The page of a one-time link: a button. Looking does not use it, for chats and mail filters look at links."""
    _throttle(request).check(client_address(request), "")
    with register_of(request).session() as session:
        valid = peek_link(session, secret) is not None
    if not valid:
        _throttle(request).fail(client_address(request), "")
    csrf = _form_token(request)
    return _with_form_token(
        request, renderer_of(request).link(request, csrf=csrf, valid=valid, status=200 if valid else 410), csrf
    )


@router.post("/login/link/{secret}", dependencies=[Depends(public)])
def use_link(request: Request, secret: str, csrf: Annotated[str, Form()] = "") -> Response:
    """Use a one-time link: a session, and on to the first page."""
    throttle, address = _throttle(request), client_address(request)
    throttle.check(address, "")
    _check_form(request, csrf)
    with register_of(request).write() as session:
        user = redeem_login_link(session, secret)
    if user is None:
        throttle.fail(address, "")
        raise Problem("wrong-link")
    return _enter(request, user, "/")


@router.post("/logout")
def sign_out(request: Request, caller: Changing) -> Response:
    """End the session."""
    with register_of(request).write() as session:
        end_session(session, request.cookies.get(COOKIE, ""))
        record(session, caller.actor, "logout", "users", caller.user.id)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=_secure(request))
    return response


@router.get("/account/password")
def show_password(request: Request, caller: Changing) -> Response:
    """The page on which a user changes the own password."""
    return renderer_of(request).password(
        request, csrf=caller.csrf, must_change=caller.user.must_change, problem=None, status=200
    )


@router.post("/account/password")
def change_password(
    request: Request,
    caller: Changing,
    old: Annotated[str, Form(max_length=1000)] = "",
    new: Annotated[str, Form(max_length=1000)] = "",
    again: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Change the own password; every other session of the user ends."""
    try:
        if new != again:
            raise invalid(Wrong("again", "wrong", "= new"))
        change_own_password(request, caller, old, new)
    except Problem as problem:
        if not wants_page(request):
            raise
        return renderer_of(request).password(
            request,
            csrf=caller.csrf,
            must_change=caller.user.must_change,
            problem=problem_body(problem, request),
            status=problem.status,
        )
    return _enter(request, caller.user, "/")


def change_own_password(request: Request, caller: CurrentUser, old: str, new: str) -> None:
    """Change the caller's password, which ends all of the user's sessions. Problem where the old is wrong (throttled) or the new weak."""
    throttle, address = _throttle(request), client_address(request)
    throttle.check(address, caller.user.name)
    if _verified(request, caller.user.name, old) is None:
        throttle.fail(address, caller.user.name)
        raise invalid(Wrong("old", "wrong"))
    with register_of(request).write() as session:
        user = session.get_one(User, caller.user.id)
        try:
            set_password(session, user, new)
        except WeakPasswordError as error:
            raise invalid(Wrong("new", "weak", str(error))) from error
        record(session, caller.actor, "password", "users", user.id)


def safe_next(next_page: str) -> str:
    """A path of this server, never another's address: `//evil`, `/\\evil` and `https:` lead to the first page."""
    if not next_page.startswith("/") or next_page[1:2] in ("/", "\\") or any(ord(char) < 32 for char in next_page):
        return "/"
    return next_page


def _check_login(request: Request, name: str, password: str) -> User:
    """The user of this name and password; 401, and 429 where there were too many failures. Audited either way."""
    throttle, address = _throttle(request), client_address(request)
    throttle.check(address, name)
    user = _verified(request, name, password)
    if user is None:
        throttle.fail(address, name)
        with register_of(request).write() as session:
            record(session, name[:80], "login-failed", "users", after={"address": address})
        raise Problem("wrong-login")
    throttle.succeed(address, name)
    return user


def _verified(request: Request, name: str, password: str) -> User | None:
    """The user of this name and password; takes as long for nobody as for somebody."""
    with register_of(request).session() as session:
        user = verify_password(session, name, password)
        session.commit()  # a hash of older parameters was renewed
        return user


def _enter(request: Request, user: User, where: str) -> Response:
    """Open a session, and send the browser on. A former session of this browser ends (no fixation)."""
    address = client_address(request)
    with register_of(request).write() as session:
        end_session(session, request.cookies.get(COOKIE, ""))
        opened = open_session(session, user.id or 0, address, ends_of(settings_of(request)))
        record(session, user.name, "login", "users", user.id, after={"address": address})
    response = RedirectResponse(where, 303)
    response.set_cookie(
        COOKIE,
        opened.cookie,
        max_age=settings_of(request).session_max_hours * 3600,
        path="/",
        httponly=True,
        samesite="lax",
        secure=_secure(request),
    )
    response.delete_cookie(PRE_COOKIE, path="/login", httponly=True, samesite="strict", secure=_secure(request))
    return response


def _login_page(request: Request, next_page: str, problem: Problem | None, status: int) -> Response:
    csrf = _form_token(request)
    page = renderer_of(request).login(
        request,
        csrf=csrf,
        next_page=safe_next(next_page),
        problem=problem_body(problem, request) if problem else None,
        status=status,
    )
    return _with_form_token(request, page, csrf)


def _form_token(request: Request) -> str:
    return request.cookies.get(PRE_COOKIE) or secrets.token_urlsafe(24)


def _with_form_token(request: Request, page: Response, csrf: str) -> Response:
    page.headers["cache-control"] = "no-store"
    page.set_cookie(
        PRE_COOKIE, csrf, max_age=3600, path="/login", httponly=True, samesite="strict", secure=_secure(request)
    )
    return page


def _check_form(request: Request, csrf: str) -> None:
    expected = request.cookies.get(PRE_COOKIE, "")
    if not expected or not secrets.compare_digest(expected.encode(), csrf.encode()):
        raise Problem("csrf")


def _throttle(request: Request) -> SignInThrottle:
    throttle: SignInThrottle = request.app.state.throttle
    return throttle


def _secure(request: Request) -> bool:
    return settings_of(request).behind_tls or request.url.scheme == "https"
