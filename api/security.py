"""Who asks, and what they may: the dependencies that every route stands on.

`current_user` (a call: 401 to strangers), `page_user` (a page: to /login), `require_admin`, `page_admin`, `metrics_reader`,
`public` (marks a route that anybody may ask). A test goes through all routes and finds those that stand on none of them.
"""

import ipaddress
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import Depends
from sqlmodel import Session
from starlette.requests import Request

from api.errors import Problem, SeeOther
from api.sessions import Ends, find_session, find_token, touch_session
from api.settings import ApiSettings
from inventory.database import Register
from inventory.models import Role, User
from inventory.scope import Scope

log = logging.getLogger(__name__)

COOKIE = "edunet_session"
PRE_COOKIE = "edunet_form"
"""Holds the CSRF token of the forms that strangers fill in (sign-in): the form's field must equal it."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
QUIET_HEADER = "x-refresh"
"""A request that a page sends by itself, without a person's act, carries it: such do not keep a session alive."""


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """Who asks. `csrf`: the session's token, "" with a bearer token. `via`: how they showed who they are.

    `may`: what a bearer token is for; a session may all that its user's role allows.
    """

    user: User
    scope: Scope
    csrf: str
    via: Literal["session", "token"]
    may: Literal["metrics", "read", "write"] = "write"

    @property
    def is_admin(self) -> bool:
        """Whether the user administers (the own subtree)."""
        return self.user.role == Role.administrator

    @property
    def actor(self) -> str:
        """The name for the audit log."""
        return self.user.name


def register_of(request: Request) -> Register:
    """The register that the application serves."""
    register: Register = request.app.state.register
    return register


def settings_of(request: Request) -> ApiSettings:
    """The application's settings."""
    settings: ApiSettings = request.app.state.settings
    return settings


def ends_of(settings: ApiSettings) -> Ends:
    """How long sessions last by these settings."""
    return Ends(timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_max_hours))


def client_address(request: Request) -> str:
    """The caller's address; of a trusted proxy, the last address of X-Forwarded-For that is none itself."""
    peer = request.client.host if request.client else ""
    trusted = settings_of(request).trusted_proxies
    if peer in trusted:
        for hop in reversed(request.headers.get("x-forwarded-for", "").split(",")):
            if hop.strip() and hop.strip() not in trusted:
                return hop.strip()
    return peer


async def submitted_csrf(request: Request) -> str:
    """The CSRF token that came with a request: the header X-CSRF-Token, or the form's field `csrf`."""
    header = request.headers.get("x-csrf-token")
    if header is not None or request.method in SAFE_METHODS:
        return header or ""
    kind = request.headers.get("content-type", "")
    if kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        return str((await request.form()).get("csrf", ""))
    return ""


SubmittedCsrf = Annotated[str, Depends(submitted_csrf)]


def current_user(request: Request, csrf: SubmittedCsrf) -> CurrentUser:
    """The caller by bearer token or session; 401 to strangers, 403 without the session's CSRF token on an unsafe method."""
    caller = _identify(request)
    if caller is None:
        raise Problem("unauthenticated")
    if caller.via == "token":
        _check_token_scope(caller, request)
    else:
        _check_csrf(caller, csrf, request)
        if caller.user.must_change:
            raise Problem("must-change")
    return caller


def page_user(request: Request, csrf: SubmittedCsrf) -> CurrentUser:
    """The caller of a page; strangers are sent to /login, and those who must change their password to that page."""
    caller = _identify(request) if "authorization" not in request.headers else current_user(request, csrf)
    if caller is None:
        raise SeeOther(f"/login?next={quote(_here(request), safe='')}")
    if caller.via == "session":
        _check_csrf(caller, csrf, request)
        if caller.user.must_change:
            raise SeeOther("/account/password")
    return caller


def changing_user(request: Request, csrf: SubmittedCsrf) -> CurrentUser:
    """The caller by session alone, even one who must change the password: for that change, and for signing out."""
    caller = _identify(request)
    if caller is None or caller.via != "session":
        raise Problem("unauthenticated")
    _check_csrf(caller, csrf, request)
    return caller


async def require_admin(caller: Annotated[CurrentUser, Depends(current_user)]) -> CurrentUser:
    """The caller of a call, an administrator (of the own subtree)."""
    if not caller.is_admin:
        raise Problem("admin-only")
    return caller


async def page_admin(caller: Annotated[CurrentUser, Depends(page_user)]) -> CurrentUser:
    """The caller of a page, an administrator (of the own subtree)."""
    if not caller.is_admin:
        raise Problem("admin-only")
    return caller


def metrics_reader(request: Request) -> CurrentUser | None:
    """Who reads metrics: a token of any scope, a session, or (None: of the whole province) the token of `api.metrics_token_file`
    or a peer on this machine where the settings allow it.
    """
    if _has_file_token(request):
        return None
    caller = _identify(request)
    if caller is not None:
        return caller
    if settings_of(request).metrics_open_on_loopback and is_local(request):
        return None
    raise Problem("unauthenticated")


async def public() -> None:
    """Marks a route that anybody may ask."""


def is_local(request: Request) -> bool:
    """Whether the peer is on this machine, asked for a loopback name, and came through no proxy."""
    if request.client is None or any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip")):
        return False
    host = request.url.hostname or ""
    return _is_loopback(request.client.host) and (host == "localhost" or _is_loopback(host))


Caller = Annotated[CurrentUser, Depends(current_user)]
Admin = Annotated[CurrentUser, Depends(require_admin)]
PageCaller = Annotated[CurrentUser, Depends(page_user)]
PageAdmin = Annotated[CurrentUser, Depends(page_admin)]
MetricsReader = Annotated[CurrentUser | None, Depends(metrics_reader)]


def _identify(request: Request) -> CurrentUser | None:
    """The caller, or None. A bearer token that is wrong is an error: it is never a stranger's request."""
    authorization = request.headers.get("authorization", "")
    cookie = request.cookies.get(COOKIE, "")
    if not authorization and not cookie:
        return None
    with register_of(request).session() as session:
        caller = _by_token(session, authorization) if authorization else _by_cookie(session, cookie, request)
    if caller is not None:
        request.state.locale = caller.user.locale
        request.state.caller = caller
    return caller


def _by_token(session: Session, authorization: str) -> CurrentUser:
    scheme, _, secret = authorization.partition(" ")
    found = find_token(session, secret.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        raise Problem("bad-token", headers={"www-authenticate": 'Bearer realm="edunet", error="invalid_token"'})
    user, token = found
    may: Literal["metrics", "read", "write"] = (
        "write" if token.scope == "write" else "read" if token.scope == "read" else "metrics"
    )
    return CurrentUser(user, Scope.of(session, user), "", "token", may)


def _has_file_token(request: Request) -> bool:
    """Whether the bearer token is that of `api.metrics_token_file`. A file that cannot be read lets nobody in."""
    file = settings_of(request).metrics_token_file
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if not file or scheme.lower() != "bearer":
        return False
    try:
        wanted = (Path(file).read_bytes().splitlines() or [b""])[0].strip()
    except OSError as error:
        log.warning("api.metrics_token_file %s cannot be read: %s", file, error.strerror)
        return False
    return bool(wanted) and secrets.compare_digest(wanted, given.strip().encode())


def _by_cookie(session: Session, cookie: str, request: Request) -> CurrentUser | None:
    found = find_session(session, cookie, ends_of(settings_of(request)))
    if found is None:
        return None
    user, row = found
    caller = CurrentUser(user, Scope.of(session, user), row.csrf, "session")
    if QUIET_HEADER not in request.headers and request.url.path != "/api/v1/events":
        touch_session(session, row)
    return caller


def _check_csrf(caller: CurrentUser, csrf: str, request: Request) -> None:
    if request.method in SAFE_METHODS:
        return
    if not secrets.compare_digest(caller.csrf.encode(), csrf.encode()):
        raise Problem("csrf")


def _check_token_scope(caller: CurrentUser, request: Request) -> None:
    if caller.may == "metrics" or (caller.may == "read" and request.method not in SAFE_METHODS):
        raise Problem("token-scope", scope=caller.may)


def _here(request: Request) -> str:
    """The page to come back to: only a path of our own."""
    if request.headers.get("hx-request"):
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False
