"""What every page stands on: the caller, a session, the language, the clock and the freshness of the feed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, wraps
from typing import Annotated, Any, Concatenate, ParamSpec
from zoneinfo import ZoneInfo

from fastapi import Depends
from sqlalchemy import select
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.keeping import Anyone, key_of, made_out_to
from api.pages.clock import Clock
from api.pages.render import render
from api.pages.texts import catalogue, choose_locale
from api.security import CurrentUser, page_user, register_of
from inventory.models import Feed, table, utcnow
from inventory.scope import Scope
from inventory.verdicts import counted

THEME_COOKIE = "edunet_theme"
ZONE = ZoneInfo("Asia/Shanghai")

Rest = ParamSpec("Rest")


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old what the page shows may be. at: the oldest sign of life of the parts; None: there was never one.

    blind: zones that the collector itself cannot see; seen_by: those of them that vantage points see, with their names.
    detail, judge: what the rounds and the judge say of themselves (`feed.detail`).
    """

    at: datetime | None
    stale_after: float
    stale: bool
    blind: tuple[str, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    judge: Mapping[str, Any] = field(default_factory=dict)
    seen_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def unseen(self) -> tuple[str, ...]:
        """Zones that nobody sees."""
        return tuple(zone for zone in self.blind if zone not in self.seen_by)


@dataclass
class Frame:
    """One answer in the making. `session` is closed with the request."""

    request: Request
    caller: CurrentUser
    session: Session
    shared: bool = False
    """Whether this page is kept for others too (`kept`): then it names nobody."""

    @cached_property
    def locale(self) -> str:
        """zh or en."""
        return choose_locale(self.request, self.caller.user.locale)

    @cached_property
    def now(self) -> datetime:
        """When the figures of this page are read."""
        return utcnow()

    @cached_property
    def clock(self) -> Clock:
        """Writes times of this page."""
        return Clock(self.now, zone_of(self.request), catalogue(self.locale).ugettext)

    @property
    def scope(self) -> Scope:
        """What the caller may see."""
        return self.caller.scope

    def text(self, message: str, **values: object) -> str:
        """A text of the catalogue."""
        said = catalogue(self.locale).ugettext(message)
        return said % values if values else said

    def number_text(self, one: str, many: str, num: int, **values: object) -> str:
        """A text that counts."""
        return catalogue(self.locale).ungettext(one, many, num) % {"num": f"{num:,}", **values}

    @cached_property
    def freshness(self) -> Freshness:
        """How fresh the feed is, by the rows of `feed`."""
        return read_freshness(self.session, self.now)

    @property
    def partial(self) -> bool:
        """Whether htmx asks for a piece of the page."""
        return (
            self.request.headers.get("hx-request") == "true"
            and "hx-history-restore-request" not in self.request.headers
        )

    def page(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """`template` as the answer."""
        caller = Anyone(self.caller) if self.shared else self.caller
        body = render(
            self.locale,
            template,
            {
                **base_context(self.request, self.locale),
                "frame": self,
                "caller": caller,
                "csrf": caller.csrf,
                "clock": self.clock,
                "freshness": self.freshness,
                "counted": lambda row: counted(row, self.now),
                **context,
            },
        )
        return HTMLResponse(
            body, status, headers={"Cache-Control": "no-store", "Vary": "Cookie, Accept-Language, HX-Request"}
        )


def open_frame(request: Request, caller: Annotated[CurrentUser, Depends(page_user)]) -> Iterator[Frame]:
    """The dependency of every page that needs a signed-in caller."""
    with register_of(request).session() as session:
        yield Frame(request, caller, session)


PageFrame = Annotated[Frame, Depends(open_frame)]


def kept(show: Callable[Concatenate[Frame, Rest], Response]) -> Callable[..., Response]:
    """Of a page's function: its answer is kept for a moment for all who may see the same (`api/keeping.py`).

    Such a page may show what depends on the caller's scope, role and language, and nothing else of the caller.
    """

    @wraps(show)
    def show_kept(frame: Frame, *args: Rest.args, **kwargs: Rest.kwargs) -> Response:
        headers, cookies = frame.request.headers, frame.request.cookies
        asked = tuple(headers.get(name, "") for name in ("hx-request", "hx-target", "hx-history-restore-request"))
        key = key_of(frame.request, frame.caller, frame.locale, cookies.get(THEME_COOKIE, ""), asked)
        frame.shared = True
        answer = frame.request.app.state.kept.answer(key, lambda: show(frame, *args, **kwargs))
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        return made_out_to(answer, frame.caller) if is_page else answer

    return show_kept


def zone_of(request: Request) -> ZoneInfo:
    """The installation's time zone (`timezone` of the settings)."""
    named = getattr(request.app.state, "timezone", None)
    return ZoneInfo(named) if isinstance(named, str) and named else ZONE


def base_context(request: Request, locale: str) -> dict[str, Any]:
    """What `base.html` needs of any request, signed in or not."""
    theme = request.cookies.get(THEME_COOKIE, "")
    path = request.url.path
    return {
        "request": request,
        "path": path,
        "query": request.query_params,
        "here": path + (f"?{request.url.query}" if request.url.query else ""),
        "theme": theme if theme in ("light", "dark") else "",
        "wall": request.query_params.get("wall") == "1",
        "demo": bool(getattr(request.app.state, "demo", False)),
        "replay": float(getattr(request.app.state, "replay", 0.0)),
        "caller": None,
        "csrf": "",
        "freshness": None,
        "clock": None,
    }


def read_freshness(session: Session, now: datetime) -> Freshness:
    """The oldest of the judge's and the rounds' signs of life: what the board shows is no fresher."""
    feed = table(Feed)
    rows = {
        row.name: row
        for row in session.connection().execute(
            select(feed.c.name, feed.c.at, feed.c.stale_after, feed.c.detail).where(
                feed.c.name.in_(("judge", "rounds", "vantages"))
            )
        )
    }
    vantages = rows.pop("vantages", None)
    if not rows:
        return Freshness(None, 15.0, True)
    oldest = min(rows.values(), key=lambda row: row.at + timedelta(seconds=row.stale_after))
    rounds = dict(rows["rounds"].detail or {}) if "rounds" in rows else {}
    blind = rounds.get("blind") or (["*"] if rounds.get("self_ok") is False else [])
    named = tuple(str(zone) for zone in blind) if isinstance(blind, list) else ("*",)
    stale = _is_old(oldest, now)
    judge = dict(rows["judge"].detail or {}) if "judge" in rows else {}
    fares = (vantages.detail or {}) if vantages is not None and not _is_old(vantages, now) else {}
    seen = {zone: by for zone in named if (by := _seers(fares, zone))}
    return Freshness(oldest.at, oldest.stale_after, stale, named, rounds, judge, seen)


def _is_old(row: Any, now: datetime) -> bool:
    return bool((now - row.at).total_seconds() > row.stale_after)


def _seers(fares: Mapping[str, Any], zone: str) -> tuple[str, ...]:
    """Names of the vantage points that see a zone now."""
    return tuple(str(fare["name"]) for fare in fares.values() if fare.get("up") and zone in fare.get("sees", ()))
