"""The layers around every request, in pure ASGI: number and log line, Host check, body limit, security headers."""

import ipaddress
import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem, problem_response

log = logging.getLogger("edunet.api")
access_log = logging.getLogger("edunet.api.access")

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""No inline script, no inline style sheet. Style attributes are allowed: charts set them."""

SECURITY_HEADERS = (
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
)

LINES_PER_SECOND = 20
"""Access log lines at most; the rest is counted in one line a second."""


class RequestLog:
    """Numbers each request (`X-Request-Id`, `request.state.request_id`) and logs a line of it, rate-limited, without its query."""

    def __init__(self, app: ASGIApp, observe: Callable[[Scope, int, float], None]) -> None:
        """observe: is told of each request's scope, status and seconds."""
        self._app = app
        self._observe = observe
        self._second = 0
        self._lines = 0
        self._left_out = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = secrets.token_hex(6)
        scope.setdefault("state", {})["request_id"] = number
        started = time.perf_counter()
        status = 0

        async def send_numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", []).append((b"x-request-id", number.encode()))
            await send(message)

        try:
            await self._app(scope, receive, send_numbered)
        finally:
            took = time.perf_counter() - started
            self._observe(scope, status, took)
            if self._may_log() or status >= 500:
                access_log.info(
                    "%s %s %d %.1f ms %s", scope["method"], _loggable(scope["path"]), status, took * 1000, number
                )

    def _may_log(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            if self._left_out:
                access_log.info("%d more requests within a second", self._left_out)
            self._second, self._lines, self._left_out = second, 0, 0
        self._lines += 1
        if self._lines <= LINES_PER_SECOND:
            return True
        self._left_out += 1
        return False


class FailureNet:
    """The innermost layer: an exception that nobody expected becomes a problem, so that the layers outside still do their work."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except Exception as error:
            number = scope.get("state", {}).get("request_id", "")
            log.error("request %s failed: %s %s", number, scope["method"], _loggable(scope["path"]), exc_info=error)
            if begun:
                raise
            await problem_response(Problem("failed", id=number), Request(scope))(scope, receive, send)


class HostCheck:
    """Refuses a Host that is none of ours (DNS rebinding): names and addresses without port, lower case.

    `names` None: any address literal, localhost, and `hosts`; where the listener is bound to a wildcard, its addresses cannot be listed.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], any_address: bool) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._any_address = any_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_ours(Headers(scope=scope).get("host", "")):
            await problem_response(Problem("bad-host"), Request(scope))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, header: str) -> bool:
        name = host_name(header)
        return name in self._hosts or (self._any_address and is_address(name))


class SecurityHeaders:
    """Adds the security headers to every answer that does not set them itself; HSTS under TLS."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS:
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("strict-transport-security", "max-age=31536000")
                if scope["path"].startswith("/api/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, send_safe)


class BodyLimit:
    """Refuses a body above `limit` bytes (above `import_limit` on imports): by its Content-Length, else while it is read."""

    def __init__(self, app: ASGIApp, limit: int, import_limit: int) -> None:
        self._app = app
        self._limit = limit
        self._import_limit = import_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        limit = self._import_limit if scope["path"].startswith(("/api/v1/imports/", "/start/import")) else self._limit
        problem = Problem("too-large", limit=limit // 1_048_576)
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > limit:
            await problem_response(problem, Request(scope))(scope, receive, send)
            return
        read = 0

        async def receive_limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:  # no Content-Length: the rest is not read
                raise HTTPException(413)
            return message

        await self._app(scope, receive_limited, send)


def host_name(header: str) -> str:
    """The name in a Host header, without port and brackets, lower case: `[::1]:80` is `::1`."""
    header = header.strip().lower()
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0] if header.count(":") == 1 else header


def is_address(name: str) -> bool:
    """Whether it is an IP literal: such a Host cannot come from a rebound name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def allowed_hosts(listen: str, hosts: Iterable[str]) -> tuple[frozenset[str], bool]:
    """Names that Host may have, and whether any address literal may stand there (a listener on a wildcard)."""
    address = host_name(listen if ":" in listen else f"{listen}:0")
    names = {"localhost", "127.0.0.1", "::1", *(host_name(host) for host in hosts)}
    wildcard = address in ("", "0.0.0.0", "::", "*")
    if not wildcard:
        names.add(address)
    return frozenset(names), wildcard


def _loggable(path: str) -> str:
    """The path without secrets: those of a one-time link and of a wall screen's."""
    for secret in ("/login/link/", "/wall/"):
        if path.startswith(secret):
            return f"{secret}..."
    return path[:200]
