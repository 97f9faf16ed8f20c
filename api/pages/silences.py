"""Silences of a node or a region: what is silenced now, what comes, what was; a new one, always with an end and a reason."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.responses import RedirectResponse, Response

from api.pages.frame import Frame, PageFrame
from api.pages.handling import moment_of
from api.pages.queries import incident as nodes
from api.pages.queries.regions import region_names
from api.pages.queries.subjects import find_subjects
from api.pages.settings.forms import attempt
from api.pages.settings.inputs import Filled
from api.resources.machine import Row
from api.resources.reading import list_rows
from api.resources.telling import SILENCES, SilenceCreate
from api.resources.writing import create_row
from api.security import page_admin, register_of
from inventory.models import NodeKind

router = APIRouter(include_in_schema=False)
acts = APIRouter(include_in_schema=False, dependencies=[Depends(page_admin)])

Short = Annotated[str, Form(max_length=200)]
MOST = 500
"""Silences that are read; the past shows fewer."""
PAST = 50
URLS = {"device": "/devices/", "line": "/lines/", "school": "/schools/"}


@router.get("/silences")
def show_silences(frame: PageFrame) -> Response:
    """Silences now, coming and past."""
    query = SILENCES.query(limit=MOST, sort="-from_at")
    rows: list[Row] = list_rows(SILENCES, frame.session, frame.caller, query)["items"]
    sections: dict[str, list[Row]] = {"now": [], "coming": [], "past": []}
    for row in rows:
        sections[_when(row, frame.now)].append(row)
    sections["past"] = sections["past"][:PAST]
    return frame.page("silences.html", sections=sections, names=names_of_silenced(frame, rows))


@acts.get("/silences/new")
def show_new(frame: PageFrame) -> Response:
    """A new silence: of what the address names (`subject=line:3`), else of what is searched for here (`q`)."""
    asked = frame.request.query_params
    filled = Filled({"subject": asked.get("subject", "")[:30], "q": asked.get("q", "")[:120], "span": "240"})
    if frame.partial and frame.request.headers.get("hx-target") == "subjects":
        return frame.page("silences_subjects.html", form=filled, subjects=find_subjects(frame, filled.one("q")))
    return _form(frame, filled)


@acts.post("/silences/new")
def make(frame: PageFrame, subject: Short = "", q: Short = "", span: Short = "", at: Short = "", reason: Short = "") -> Response:  # fmt: skip
    """Make it; what is wrong is said at the form."""
    filled = Filled({"subject": subject[:30], "q": q, "span": span, "at": at, "reason": reason})
    until = moment_of(frame, span, at)
    whose = _whose(subject)
    if not whose or until is None or not reason.strip():
        filled.problem = frame.text("Say of what, until when and why")
        return _form(frame, filled, 422)

    def act() -> Any:
        body = SilenceCreate.model_validate({**whose, "until_at": until, "reason": reason})
        return create_row(SILENCES, register_of(frame.request), frame.caller, body)

    if attempt(frame, filled, act) is None:
        frame.session.rollback()
        return _form(frame, filled, 422)
    return RedirectResponse("/silences?saved=1", 303)


def names_of_silenced(frame: Frame, rows: Sequence[Mapping[str, Any]]) -> dict[int, tuple[str, str, str]]:
    """By silence, (name, address, kind) of what it is of."""
    wanted = [(str(row["kind"]), row["node_id"]) for row in rows if row["kind"] and row["node_id"]]
    named, regions = nodes.names_of_nodes(frame.session, frame.scope, wanted, frame.locale), region_names(frame)
    found = {}
    for row in rows:
        kind = str(row["kind"] or "")
        if kind:
            url = URLS.get(kind, "")
            found[row["id"]] = (named.get((kind, row["node_id"]), "–"), f"{url}{row['node_id']}" if url else "", kind)
        elif row["region_id"] is not None:
            found[row["id"]] = (regions.get(row["region_id"], "–"), "", "region")
        else:
            found[row["id"]] = (f"#{row['incident_id']}", f"/incidents/{row['incident_id']}", "incident")
    return found


def _when(row: Mapping[str, Any], now: datetime) -> str:
    if row["until_at"] <= now:
        return "past"
    return "now" if row["from_at"] <= now else "coming"


def _whose(subject: str) -> dict[str, Any]:
    """`line:3` as the call takes it; {} where it is nothing of the kind."""
    kind, _, number = subject.partition(":")
    if not (number.isdecimal() and len(number) < 11):
        return {}
    if kind == "region":
        return {"region_id": int(number)}
    return {"kind": kind, "node_id": int(number)} if kind in list(NodeKind) else {}


def _form(frame: Frame, filled: Filled, status: int = 200) -> Response:
    """The form; a subject that the caller may not see is as if it had not been named."""
    whose = _whose(filled.one("subject"))
    name = ""
    if "region_id" in whose:
        name = region_names(frame).get(whose["region_id"], "")
    elif whose:
        key = (whose["kind"], whose["node_id"])
        name = nodes.names_of_nodes(frame.session, frame.scope, [key], frame.locale).get(key, "")
    return frame.page(
        "silences_new.html",
        status,
        form=filled,
        name=name,
        kind=filled.one("subject").partition(":")[0] if name else "",
        subjects=() if name else find_subjects(frame, filled.one("q")),
    )


router.include_router(acts)
