"""Windows of work: what goes on, what comes, what was; a new one in three taps; one ended early."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.errors import Problem
from api.pages.frame import Frame, PageFrame
from api.pages.queries import incident as nodes
from api.pages.queries.named import find_school
from api.pages.queries.regions import region_choices, region_names
from api.pages.settings.forms import Typed, attempt
from api.pages.settings.inputs import Filled, Input
from api.resources.machine import MAX_ID, Row
from api.resources.maintenance import MAINTENANCE
from api.resources.reading import etag_of, list_rows, read_row
from api.resources.writing import create_row, delete_row, update_row
from api.security import page_admin, register_of
from inventory.models import NodeKind

router = APIRouter(include_in_schema=False)
acts = APIRouter(include_in_schema=False, dependencies=[Depends(page_admin)])

PRESETS = ("60", "240", "tonight", "custom", "weekly")
"""One hour, four hours, tonight, from and until, every week."""

Match = Annotated[str, Form(max_length=200)]
MOST = 500
"""Windows that are read; the past shows fewer."""
PAST = 50


@router.get("/windows")
def show_windows(frame: PageFrame) -> Response:
    """Windows now, coming and past."""
    query = MAINTENANCE.query(limit=MOST, sort="-from_at")
    rows: list[Row] = list_rows(MAINTENANCE, frame.session, frame.caller, query)["items"]
    sections: dict[str, list[Row]] = {"now": [], "coming": [], "past": []}
    for row in rows:
        sections[_when(row, frame.now)].append(row)
    sections["now"].sort(key=itemgetter("next_until_at"))
    sections["coming"].sort(key=itemgetter("next_from_at"))
    sections["past"] = sections["past"][:PAST]
    return frame.page("windows.html", sections=sections, names=_names(frame, rows), tag=etag_of)


@acts.get("/windows/new")
def show_new(frame: PageFrame) -> Response:
    """A new window: of what the address names, else of a region or school that is chosen here."""
    asked = frame.request.query_params
    values = {name: asked.get(name, "")[:20] for name in ("kind", "node_id", "region_id")}
    return _form(frame, Filled({**values, "span": "60", **_defaults(frame)}))


@acts.post("/windows/new")
def make(frame: PageFrame, form: Typed) -> Response:
    """Make it as the preset says."""
    filled = Filled({name: str(form.get(name, ""))[:300] for name in FIELDS} | {"weekdays": _weekdays(form)})
    done = attempt(
        frame,
        filled,
        lambda: create_row(
            MAINTENANCE,
            register_of(frame.request),
            frame.caller,
            MAINTENANCE.create.model_validate(_body(frame, filled)),  # type: ignore[union-attr]  # maintenance can be made
        ),
    )
    if done is None:
        return _form(frame, filled, 422)
    return RedirectResponse(f"/windows?saved={done['id']}", 303)


@acts.post("/windows/{number}/end")
def end(frame: PageFrame, number: int, match: Match = "*") -> Response:
    """End one now; one that has not begun is taken away, a series ends with what goes on."""
    row = read_row(MAINTENANCE, frame.session, frame.caller, number)
    register, caller, now = register_of(frame.request), frame.caller, frame.now
    if row["from_at"] > now:
        delete_row(MAINTENANCE, register, caller, number, match)
        return RedirectResponse("/windows?deleted=1", 303)
    values: dict[str, Any] = {}
    if row["until_at"] > now:
        values["until_at"] = now
    if row["repeat"] != "never":
        values["repeat_until"] = now
    assert MAINTENANCE.update is not None
    if values:
        update_row(MAINTENANCE, register, caller, number, MAINTENANCE.update.model_validate(values), match)
    return RedirectResponse("/windows?ended=1", 303)


FIELDS = ("kind", "node_id", "region_id", "school", "span", "from_at", "until_at", "repeat", "repeat_until", "reason")


def _when(row: Mapping[str, Any], now: datetime) -> str:
    if row["next_from_at"] is None:
        return "past"
    return "now" if row["next_from_at"] <= now else "coming"


def _names(frame: Frame, rows: list[Row]) -> dict[int, tuple[str, str]]:
    """By window, (name, address) of what it is of."""
    wanted = [(str(row["kind"]), row["node_id"]) for row in rows if row["kind"] is not None]
    named, regions = nodes.names_of_nodes(frame.session, frame.scope, wanted, frame.locale), region_names(frame)
    found = {}
    for row in rows:
        if row["kind"] is None:
            found[row["id"]] = (regions.get(row["region_id"], "–"), "")
        else:
            url = {"device": "/devices/", "line": "/lines/", "school": "/schools/"}.get(row["kind"], "")
            name = named.get((str(row["kind"]), row["node_id"]), "–")
            found[row["id"]] = (name, f"{url}{row['node_id']}" if url else "")
    return found


def _weekdays(form: FormData) -> list[str]:
    return [str(value)[:1] for value in form.getlist("weekdays")]


def _defaults(frame: Frame) -> dict[str, str]:
    """What the fields of other times begin with: the next full hour, two hours long; a series of a quarter."""
    start = frame.clock.local(frame.now).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    form = "%Y-%m-%dT%H:%M"
    return {
        "from_at": start.strftime(form),
        "until_at": (start + timedelta(hours=2)).strftime(form),
        "repeat": "weekly",
        "repeat_until": (start + timedelta(days=90)).strftime(form),
    }


def _body(frame: Frame, filled: Filled) -> dict[str, Any]:
    """What the call takes."""
    span = filled.one("span")
    body: dict[str, Any] = {"reason": filled.one("reason"), **_whose(frame, filled)}
    begin, until = span_of(frame, span)
    if begin is not None:
        return {**body, "from_at": begin, "until_at": until}
    body |= {name: _moment(frame, filled, name) for name in ("from_at", "until_at")}
    if span == "weekly":
        body |= {"repeat": filled.one("repeat") or "weekly", "repeat_until": _moment(frame, filled, "repeat_until")}
        body["weekdays"] = [int(day) for day in filled.many("weekdays") if day in "1234567" and day]
        if body["repeat"] != "weekly":
            body["weekdays"] = []
    return body


def _moment(frame: Frame, filled: Filled, name: str) -> Any:
    return Input(name, "moment", "").read([filled.one(name)], frame.clock.zone)


def span_of(frame: Frame, span: str) -> tuple[datetime | None, datetime | None]:
    """Begin and end of a preset; (None, None) where the form's own times hold. Tonight: 22:00 to 06:00, the rest of it after midnight."""
    if span.isdecimal() and span in PRESETS:
        return frame.now, frame.now + timedelta(minutes=int(span))
    if span != "tonight":
        return None, None
    clock, today = frame.clock, frame.clock.midnight(frame.now)
    morning = clock.midnight(today + timedelta(hours=26)) + timedelta(hours=6)
    if frame.now < today + timedelta(hours=6):
        return frame.now, today + timedelta(hours=6)
    return max(frame.now, today + timedelta(hours=22)), morning


def _whose(frame: Frame, filled: Filled) -> dict[str, Any]:
    kind, number = filled.one("kind"), filled.one("node_id")
    if kind in list(NodeKind) and number.isdecimal() and len(number) < 11:
        return {"kind": kind, "node_id": int(number)}
    if filled.one("school"):
        return {"kind": "school", "node_id": find_school(frame, filled.one("school")) or MAX_ID}
    region = filled.one("region_id")
    return {"region_id": int(region)} if region.isdecimal() and len(region) < 11 else {}


def _form(frame: Frame, filled: Filled, status: int = 200) -> Response:
    kind, number = filled.one("kind"), filled.one("node_id")
    name = ""
    if kind in list(NodeKind) and number.isdecimal() and len(number) < 11:
        key = (kind, int(number))
        name = nodes.names_of_nodes(frame.session, frame.scope, [key], frame.locale).get(key, "")
        if not name:
            raise Problem("not-found")
    night = span_of(frame, "tonight")
    return frame.page(
        "windows_new.html",
        status,
        form=filled,
        name=name,
        regions=() if name else region_choices(frame),
        ends={"60": frame.now + timedelta(hours=1), "240": frame.now + timedelta(hours=4), "tonight": night[1]},
        night=night,
    )


router.include_router(acts)
