"""Answers kept for a moment: when twenty people open the same list, it is made once.

An answer holds for everybody of the same scope, role and language, as long as nobody has committed anything to the register and
at most `KEEP_S`: it is never older than the register, and its ages tick in the browser. What is one person's (the CSRF token, the
name) stands in it as a mark, and is filled in for each (docs/decisions/0054).
"""

import secrets
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from html import escape
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from api.security import CurrentUser
from inventory.database import Register

KEEP_S = 1.0
"""An answer is made anew after this, though nothing has changed: ages and `as of` go on."""

MOST = 256
"""Answers kept at once."""

LARGEST = 1_048_576
"""Bytes of the largest answer that is kept."""

CSRF_MARK = f"csrf{secrets.token_hex(12)}"
NAME_MARK = f"name{secrets.token_hex(12)}"


class Commits:
    """Tells whether anything was committed to the register since."""

    def __init__(self, register: Register) -> None:
        self._engine = register.engine
        self._lock = threading.Lock()
        self._own: sqlite3.Connection | None = None

    def mark(self) -> Hashable:
        """A value that differs after each commit of anybody; None where it cannot be told."""
        try:
            with self._lock:
                return self._sqlite() if self._engine.dialect.name == "sqlite" else self._postgres()
        except (SQLAlchemyError, sqlite3.Error):
            return None

    def _sqlite(self) -> int:
        """`PRAGMA data_version` of a connection that never writes itself."""
        if self._own is None:
            file = str(self._engine.url.database)
            self._own = sqlite3.connect(f"file:{file}?mode=ro", uri=True, check_same_thread=False, isolation_level=None)
        return int(self._own.execute("PRAGMA data_version").fetchone()[0])

    def _postgres(self) -> str:
        """The snapshot: it differs when a transaction has ended, not only when one has begun."""
        with self._engine.connect() as connection:
            return str(connection.execute(text("SELECT pg_current_snapshot()::text")).scalar())

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            if self._own is not None:
                self._own.close()
                self._own = None


@dataclass
class _Entry:
    lock: threading.Lock = field(default_factory=threading.Lock)
    mark: Hashable = None
    made: float = float("-inf")
    response: Response | None = None


class Keeper:
    """The kept answers of one application."""

    def __init__(self, register: Register) -> None:
        self.commits = Commits(register)
        self.made = 0
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def answer(self, key: Hashable, make: Callable[[], Response]) -> Response:
        """The answer of `key`, made by `make` unless one is kept. Whoever comes while it is made waits for it."""
        entry = self._entry(key)
        with entry.lock:
            mark = self.commits.mark()
            fresh = time.monotonic() - entry.made < KEEP_S
            if entry.response is not None and mark is not None and mark == entry.mark and fresh:
                return again(entry.response)
            response = make()
            self.made += 1
            body = getattr(response, "body", None)
            kept = response.status_code == 200 and isinstance(body, bytes) and len(body) <= LARGEST
            entry.response = response if kept else None
            entry.mark, entry.made = mark, time.monotonic()
            return again(response) if kept else response

    def _entry(self, key: Hashable) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > MOST:
                self._entries.popitem(last=False)
            return entry


def key_of(request: Request, caller: CurrentUser, *more: Hashable) -> Hashable:
    """What an answer depends on beside the register: who may see it, and what was asked."""
    scope = caller.scope
    return (request.url.path, request.url.query, scope.tree, scope.path, caller.user.role, caller.via, caller.may, more)


class Anyone:
    """A caller as a kept page shows it: the marks in place of what is one person's."""

    csrf = CSRF_MARK

    def __init__(self, caller: CurrentUser) -> None:
        self._caller = caller
        self.user = _Named(caller.user)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._caller, name)


class _Named:
    name = NAME_MARK

    def __init__(self, user: Any) -> None:
        self._user = user

    def __getattr__(self, name: str) -> Any:
        return getattr(self._user, name)


def again(response: Response, body: bytes | None = None) -> Response:
    """The same answer as a response of its own (layers add headers to the one that they send), or with another body."""
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(bytes(response.body) if body is None else body, response.status_code, headers=headers)


def made_out_to(response: Response, caller: CurrentUser) -> Response:
    """A kept page with the caller's own token and name in it."""
    body = bytes(response.body).replace(CSRF_MARK.encode(), escape(caller.csrf).encode())
    return again(response, body.replace(NAME_MARK.encode(), escape(caller.user.name).encode()))
