"""The application's own health and figures: `/-/healthy`, `/-/ready`, `/-/heartbeat`, `/metrics`."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import httpx
from fastapi import APIRouter, Depends
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from sqlalchemy import func, select
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Scope as Asgi

from api.board import is_stale, read_feed
from api.collector_link import CollectorGone, CollectorLink
from api.pages.queries.unwatched import count_unattended
from api.security import MetricsReader, public, register_of
from inventory.database import Register, head
from inventory.models import Delivery, table, utcnow
from inventory.scope import Scope

UNTOLD = timedelta(minutes=10)
"""What waits longer for an outlet fails the heartbeat."""

router = APIRouter(include_in_schema=False)

TEXT = "text/plain; version=0.0.4; charset=utf-8"
EOF = b"# EOF\n"
COUNT_EVERY_S = 15.0
"""Seconds for which the counts of schools hold: a scrape must not cost a count of 15,000."""


class OwnMetrics:
    """The application's self-metrics, in a registry of their own; in another, counts of the whole province, which not everybody may see."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.province = CollectorRegistry()
        self._requests = Counter(
            "edunet_api_requests",
            "Requests answered, by the route's template and the class of the status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "edunet_api_request_duration_seconds",
            "Seconds from a request's arrival to the end of its answer, by the route's template.",
            ("route",),
            buckets=(0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
            registry=self.registry,
        )
        self.listeners = Gauge(
            "edunet_api_event_listeners", "Boards that listen for changes now.", registry=self.registry
        )
        self._unattended = Gauge(
            "edunet_schools_unattended",
            "Active schools of which nobody would be told now, each once, by why: no_gateway, not_seen, blind, tcp_only, unknown, "
            "planned_off, maintenance, silenced. Their share is of edunet_schools_registered.",
            ("why",),
            registry=self.province,
        )
        self._counted = float("-inf")
        self.collector = Gauge(
            "edunet_api_collector_answers",
            "1 where the collector's socket answered this scrape, 0 where only the application's own figures are here.",
            registry=self.registry,
        )

    def count_unattended(self, register: Register) -> None:
        """Count the schools of which nobody would be told, at most every `COUNT_EVERY_S`."""
        now = time.monotonic()
        if now - self._counted < COUNT_EVERY_S:
            return
        self._counted = now
        with register.session() as session:
            found = count_unattended(session, Scope(), utcnow())
        for why, count in found.counts.items():
            self._unattended.labels(why).set(count)

    def render(self, whole: bool, opened: bool) -> bytes:
        """The figures as text; whole: with those of the province. opened: in OpenMetrics."""
        registries = (self.registry, self.province) if whole else (self.registry,)
        if not opened:
            return b"".join(generate_latest(registry) for registry in registries)
        pages: list[bytes] = [openmetrics.generate_latest(registry) for registry in registries]  # type: ignore[no-untyped-call]  # untyped there
        return b"".join(page.removesuffix(EOF) for page in pages) + EOF

    def observe(self, scope: Asgi, status: int, seconds: float) -> None:
        """Count one request. Streams of events are counted, not timed."""
        route: Any = scope.get("route")
        path = str(getattr(route, "path", "")) or "other"
        self._requests.labels(scope["method"] if path != "other" else "", path, f"{status // 100}xx").inc()
        if path != "/api/v1/events":
            self._seconds.labels(path).observe(seconds)


@router.get("/-/healthy", dependencies=[Depends(public)])
def healthy() -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


@router.get("/-/ready", dependencies=[Depends(public)])
def ready(request: Request) -> Response:
    """The register can be read and is up to date, and the collector's feed is fresh; 503 names what is not."""
    return _verdict(request, with_schema=True)


@router.get("/-/heartbeat", dependencies=[Depends(public)])
def heartbeat(request: Request) -> Response:
    """For a watchdog outside: 200 only while judge, rounds and outlets give fresh signs of life, and people can be told; 503 names what is not so."""
    return _verdict(request, with_schema=False)


@router.get("/metrics")
def metrics(request: Request, reader: MetricsReader) -> Response:
    """The fleet's figures from the collector, then the application's own; without the collector these alone."""
    own: OwnMetrics = request.app.state.observed
    link: CollectorLink = request.app.state.link
    own.listeners.set(request.app.state.changes.clients)
    whole = reader is None or reader.scope.everything
    if whole:
        own.count_unattended(register_of(request))
    with ExitStack() as stack:
        try:
            fleet = stack.enter_context(link.metrics(request.headers.get("accept", ""))) if whole else None
            if fleet is not None and fleet.status_code != 200:
                fleet = None
        except CollectorGone:
            fleet = None
        own.collector.set(1 if fleet is not None else 0)
        if fleet is None:
            return Response(own.render(whole, False), media_type=TEXT)
        kind = fleet.headers.get("content-type", TEXT)
        opened = kind.startswith("application/openmetrics-text")
        mine = own.render(whole, opened)
        return StreamingResponse(_joined(fleet, mine, opened, stack.pop_all().close), media_type=kind)


def _joined(fleet: httpx.Response, mine: bytes, opened: bool, close: Callable[[], None]) -> Iterator[bytes]:
    """The collector's answer, without OpenMetrics' last line, then ours."""
    held = b""
    try:
        for chunk in fleet.iter_raw(65536):
            chunk = held + chunk
            held = chunk[-len(EOF) :] if opened else b""
            yield chunk[: len(chunk) - len(held)]
        yield held.removesuffix(EOF) + mine
    finally:
        close()


def find_untold(session: Session, now: datetime) -> list[str]:
    """What waits to be said for minutes, since no outlet takes it: then edunet cannot alarm, and the watchdog must."""
    row = table(Delivery)
    waiting = row.c.status.in_(("waiting", "claimed")) & (row.c.due_at < now - UNTOLD)
    found = session.connection().execute(select(func.count(), func.min(row.c.due_at)).where(waiting)).one()
    return [f"outlets: {found[0]} things could not be said since {found[1].isoformat()}"] if found[0] else []


def _verdict(request: Request, *, with_schema: bool) -> Response:
    wrong = []
    try:
        with register_of(request).session() as session:
            feed = read_feed(session, utcnow())
            untold = [] if with_schema else find_untold(session, utcnow())
        if is_stale(feed):
            wrong.append("feed: old or missing")
        if not with_schema and any(row["name"] == "outlets" and row["stale"] for row in feed):
            wrong.append("outlets: old")
        wrong += untold
        if with_schema and register_of(request).schema_version() != head():
            wrong.append("register: schema is not up to date")
    except Exception as error:  # noqa: BLE001 - whatever it is, the register cannot be read
        wrong.append(f"register: {type(error).__name__}")
    return PlainTextResponse("\n".join(wrong or ["ok"]) + "\n", 503 if wrong else 200)
