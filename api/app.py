"""The application: layers, routes, and what they share, wired by hand in one place."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import anyio.to_thread
from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse

from api import (
    board,
    collector_link,
    correcting,
    coverage,
    curves,
    errors,
    importing,
    live,
    lookup,
    me,
    observe,
    pages,
    prometheus,
    signin,
    status,
    topology,
    tracing,
    unwatched,
    uptime,
    vantage,
    why,
)
from api.changes import ChangeWatcher
from api.changes import router as changes_router
from api.keeping import Keeper
from api.middleware import BodyLimit, FailureNet, HostCheck, RequestLog, SecurityHeaders, allowed_hosts
from api.resources import RESOURCES, outlets, router_of, timeline
from api.schema import describe
from api.security import public
from api.settings import ApiSettings
from api.strict import known_query
from inventory.database import Register

MEGABYTE = 1_048_576


def create_app(
    register: Register,
    settings: ApiSettings,
    *,
    state_dir: Path,
    timezone: str,
    extra_routers: Sequence[APIRouter] = (),
    demo: bool = False,
) -> FastAPI:
    """The application on a register whose schema is up to date.

    state_dir: where `run/collector.sock` is. timezone: of pages and calendars. extra_routers: more routes, as the demonstration's
    page (the application knows nothing of it). demo: whether this is the demonstration, which every page then says.
    """
    app = FastAPI(
        title="edunet",
        version=version("edunet"),
        description="Which schools are cut off, why, since when, whom to call. See docs/api.md.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
    )
    app.state.register = register
    app.state.settings = settings
    app.state.state_dir = state_dir
    app.state.timezone = timezone
    app.state.demo = demo
    app.state.link = collector_link.CollectorLink(state_dir / "run" / "collector.sock")
    app.state.throttle = signin.SignInThrottle()
    app.state.changes = ChangeWatcher(register)
    app.state.observed = observe.OwnMetrics()
    app.state.coverage = coverage.KeptCoverage()
    app.state.kept = Keeper(register)
    errors.install(app)
    _add_layers(app, settings)
    _add_calls(app)
    for router in extra_routers:
        app.include_router(router)
    _add_pages(app)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # FastAPI's own way (docs: extending OpenAPI)
    return app


def _add_layers(app: FastAPI, settings: ApiSettings) -> None:
    """The last added is the outermost."""
    hosts, any_address = allowed_hosts(settings.listen, settings.hosts)
    app.add_middleware(FailureNet)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(
        BodyLimit, limit=settings.body_limit_mb * MEGABYTE, import_limit=settings.import_limit_mb * MEGABYTE
    )
    app.add_middleware(HostCheck, hosts=hosts, any_address=any_address)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestLog, observe=app.state.observed.observe)


def _add_calls(app: FastAPI) -> None:
    strict = [Depends(known_query)]
    for resource in RESOURCES:
        app.include_router(router_of(resource), prefix="/api/v1", dependencies=strict)
    for module in (
        board,
        correcting,
        status,
        topology,
        tracing,
        live,
        curves,
        lookup,
        coverage,
        importing,
        me,
        prometheus,
        why,
    ):
        app.include_router(module.router, prefix="/api/v1", dependencies=strict)
    for calls in (outlets.router, timeline.router, uptime.router, unwatched.router, vantage.router):
        app.include_router(calls, prefix="/api/v1", dependencies=strict)
    app.include_router(changes_router, prefix="/api/v1")
    app.include_router(observe.router)
    app.include_router(prometheus.probes)
    app.include_router(signin.router)

    @app.get("/openapi.json", include_in_schema=False, dependencies=[Depends(public)])
    @app.get("/api/v1/openapi.json", include_in_schema=False, dependencies=[Depends(public)])
    def openapi(request: Request) -> JSONResponse:
        return JSONResponse(describe(app), headers={"cache-control": "max-age=300"})


def _add_pages(app: FastAPI) -> None:
    app.state.renderer = pages.renderer
    app.include_router(pages.router)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = app.state.settings.threads
    app.state.slow = anyio.CapacityLimiter(8)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(app.state.changes.run)
        yield
        tasks.cancel_scope.cancel()
    app.state.link.close()
    app.state.kept.commits.close()
