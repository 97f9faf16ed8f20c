"""Server-Sent Events: `/api/v1/events` ticks whenever something changed that the caller's board shows.

One watcher for all clients reads the database once a second, and only while somebody listens; a client costs a small
object and a socket. The events carry no content: the board asks for what it may see.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import anyio
import anyio.to_thread
from fastapi import APIRouter
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import StreamingResponse

from api.board import is_stale, read_feed
from api.resources.routes import problems
from api.security import Caller
from inventory.database import Register
from inventory.models import Incident, NodeKind, NodeState, RegionTree, table, utcnow
from inventory.scope import Scope

router = APIRouter(tags=["board"])

LOOK_EVERY_S = 1.0
FEED_EVERY_S = 5.0
"""A `feed` event at least so often: it says how fresh the board is, and keeps the connection open through proxies."""
LONGEST = timedelta(minutes=10)
"""Then the client connects again, and shows anew who it is."""
MOST_CLIENTS = 500


@dataclass(eq=False)
class Client:
    """One listener: what it has not yet been told."""

    scope: Scope
    waiting: dict[str, None] = field(default_factory=dict)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, what: str) -> None:
        """Note a change, and wake the listener."""
        self.waiting[what] = None
        self.woken.set()


@dataclass
class Seen:
    """What the watcher saw at its last look."""

    newest: datetime
    counts: tuple[Any, ...] = ()
    stale: bool | None = None
    feed: list[dict[str, Any]] = field(default_factory=list)


class ChangeWatcher:
    """Looks for changes, and tells the clients whose part they touch."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._clients: set[Client] = set()
        self._seen = Seen(utcnow())
        self._someone = asyncio.Event()

    @property
    def clients(self) -> int:
        """How many listen."""
        return len(self._clients)

    @property
    def feed(self) -> tuple[bool, list[dict[str, Any]]]:
        """(stale, signs of life) at the last look."""
        return self._seen.stale is not False, self._seen.feed

    async def run(self) -> None:
        """Look once a second while somebody listens; a failed look is tried again."""
        while True:
            await self._someone.wait()
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - a database that is gone for a moment must not end all boards
                self._tell_all("feed")
            await anyio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """One look."""
        paths, seen = await anyio.to_thread.run_sync(self._read)
        old, self._seen = self._seen, seen
        if old.stale is not seen.stale:
            self._tell_all("feed")
        if old.counts != seen.counts:
            self._tell_all("schools")
        for client in self._clients:
            if any(touches(client.scope, place, duty) for place, duty in paths):
                client.tell("incidents")

    async def listen(self, scope: Scope) -> AsyncIterator[list[str]]:
        """What changed, again and again; an empty list when nothing did for `FEED_EVERY_S`."""
        client = Client(scope)
        self._clients.add(client)
        self._someone.set()
        end = anyio.current_time() + LONGEST.total_seconds()
        try:
            while anyio.current_time() < end:
                with anyio.move_on_after(FEED_EVERY_S):
                    await client.woken.wait()
                client.woken.clear()
                told, client.waiting = list(client.waiting), {}
                yield told
        finally:
            self._clients.discard(client)
            if not self._clients:
                self._someone.clear()

    def _tell_all(self, what: str) -> None:
        for client in self._clients:
            client.tell(what)

    def _read(self) -> tuple[list[tuple[str, str]], Seen]:
        incident, state, now = table(Incident), table(NodeState), utcnow()
        with self._register.session() as session:
            connection = session.connection()
            changed = connection.execute(
                select(incident.c.path, incident.c.duty_path, incident.c.updated_at)
                .where(incident.c.updated_at > self._seen.newest)
                .order_by(incident.c.updated_at.desc())
                .limit(1000)
            ).all()
            counts = connection.execute(
                select(state.c.state, func.count())
                .where(state.c.kind == NodeKind.school)
                .group_by(state.c.state)
                .order_by(state.c.state)
            ).all()
            feed = read_feed(session, now)
        newest = changed[0].updated_at if changed else self._seen.newest
        seen = Seen(newest, tuple(tuple(row) for row in counts), is_stale(feed), feed)
        return [(row.path, row.duty_path) for row in changed], seen


def touches(scope: Scope, place: str, duty: str) -> bool:
    """Whether an incident concerns a part: its root lies in it, or above it (then it may cut the part off)."""
    path = place if scope.tree is RegionTree.place else duty
    return scope.everything or path.startswith(scope.path) or scope.path.startswith(path)


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **problems(401, 403, 503)},
    operation_id="listen",
)
async def listen(request: Request, caller: Caller) -> StreamingResponse:
    """`tick` (data: {"what": ["incidents" | "schools" | "feed", ...]}) when the board should be read again; `feed` every 5 s."""
    watcher: ChangeWatcher = request.app.state.changes
    returning = "last-event-id" in request.headers
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    if watcher.clients >= MOST_CLIENTS:
        return StreamingResponse(iter(["retry: 30000\n\n"]), 503, headers, "text/event-stream")
    return StreamingResponse(_events(watcher, caller.scope, returning), 200, headers, "text/event-stream")


async def _events(watcher: ChangeWatcher, scope: Scope, returning: bool) -> AsyncIterator[str]:
    number = 0
    yield _event("tick" if returning else "hello", number, {"what": ["incidents"]} if returning else {})
    async for told in watcher.listen(scope):
        number += 1
        stale, feed = watcher.feed
        body = {"as_of": utcnow().isoformat(), "stale": stale}
        if told:
            yield _event("tick", number, {"what": told, **body})
        else:
            ages = {row["name"]: row["at"].isoformat() for row in feed}
            yield _event("feed", number, {"at": ages, **body})


def _event(name: str, number: int, data: dict[str, Any]) -> str:
    return f"retry: 3000\nid: {number}\nevent: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
