"""The list of incidents, and the page of one: what failed, what it cuts off, what was done about it."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.errors import Problem
from api.pages.frame import Frame, PageFrame, kept
from api.pages.listing import EXPORT_LIMIT, PAGE_SIZE, ListAddress, exported, wants_export
from api.pages.queries import incident as detail
from api.pages.queries import past as queries
from api.pages.queries.contacts import find_contacts
from api.pages.queries.places import read_places
from api.pages.queries.roots import describe_roots
from api.pages.signs import SEVERITIES
from api.pages.story import tell
from inventory.carrier import carrier_text, read_circuit
from inventory.causes import CAUSES, RULES, evidence_sentences
from inventory.models import State
from inventory.verdicts import counted_incident
from inventory.words import say

router = APIRouter(include_in_schema=False)


@router.get("/incidents")
@kept
def show_incidents(frame: PageFrame) -> Response:
    """Past and current incidents, the newest first; as a table to take away with `format=csv` or `format=xlsx`."""
    at = ListAddress.read(frame.request, queries.FILTERS, queries.ORDERS, "-from")
    places = read_places(frame.session, frame.scope, at.get("region"))
    export = wants_export(frame.request)
    limit = EXPORT_LIMIT if export else PAGE_SIZE
    page = queries.list_past(frame.session, frame.scope, at, places, frame.clock.zone, limit)
    if export:
        day = frame.clock.local(frame.now).strftime("%Y%m%d-%H%M")
        return exported(export, f"edunet-incidents-{day}", _head(frame), (_cells(frame, row) for row in page.rows))
    part = frame.partial and frame.request.headers.get("hx-target") == "list"
    return frame.page(
        "incidents_table.html" if part else "incidents.html",
        at=at,
        page=page,
        places=places,
        kinds=queries.KINDS,
        severities=SEVERITIES,
        causes=queries.list_causes(frame.session, frame.scope),
        correctable=list(CAUSES),
        roots=describe_roots(frame.session, frame.locale, page.rows),
    )


@router.get("/incidents/{number}")
@kept
def show_incident(frame: PageFrame, number: int) -> Response:
    """One incident: what failed, what it cuts off, what was said of it and when, the evidence."""
    return incident_page(frame, number)


def incident_page(frame: Frame, number: int, problem: str = "", status: int = 200) -> Response:
    """The page of an incident; problem: why what was asked for was not done."""
    row = detail.read_incident(frame.session, frame.scope, number)
    if row is None:
        raise Problem("not-found")
    session, scope = frame.session, frame.scope
    schools = detail.schools_of(session, scope, row)
    outages = detail.outages_of(session, scope, row)
    mark = State("flapping" if row.flapping else "down" if row.kind == "outage" else row.kind)
    entries = tell(
        outages,
        detail.notices_of(session, scope, row),
        detail.notes_of(session, scope, row),
        detail.deliveries_of(session, scope, row) if frame.caller.is_admin else (),
        mark,
    )
    language: Any = frame.locale
    return frame.page(
        "incident.html",
        status,
        problem=problem,
        row=row,
        roots=describe_roots(session, frame.locale, [row]),
        contact=find_contacts(session, scope, [row]).get(row.id),
        schools=schools,
        own_pupils=sum(school.pupils or 0 for school in schools),
        entries=entries,
        names=detail.names_of_nodes(
            session, scope, [name for entry in entries if entry.row is None for name in entry.names]
        ),
        outages=outages,
        merged=detail.read_incident(session, scope, row.merged_into) if row.merged_into else None,
        places=read_places(session, scope),
        possible=detail.name_nodes(session, scope, row.possible),
        evidence=evidence_sentences(row.cause_evidence or (), language, row.cause),
        of=counted_incident(row, frame.now),
        concluded=say(RULES[row.cause_rule], language) if row.cause_rule in RULES else "",
        diagnosed=detail.device_of(session, scope, row),
        silenced=detail.silence_of(session, scope, row, frame.now),
        carrier=carrier_text(read_circuit(session, number, scope), language, frame.now, frame.clock.zone),
        node=(row.root_kind, row.root_id) if row.root_kind else None,
    )


def _head(frame: Frame) -> list[str]:
    return [
        frame.text("Number"),
        frame.text("State"),
        frame.text("Severity"),
        frame.text("Incident kind"),
        frame.text("What failed"),
        frame.text("Place"),
        frame.text("From"),
        frame.text("Until"),
        frame.text("Seconds"),
        frame.text("Schools"),
        frame.text("Pupils"),
        frame.text("Cause"),
        frame.text("Who has it"),
        frame.text("Ticket"),
    ]


def _cells(frame: Frame, row: Any) -> Sequence[object]:
    whole = frame.scope.everything  # the figures count schools of other parts too
    seconds = int(((row.resolved_at or frame.now) - row.from_at).total_seconds())
    return (
        row.id,
        frame.text("mended") if row.status == "resolved" else frame.text("open"),
        frame.text(f"severity.{row.severity}"),
        frame.text(f"incident.{'down' if row.kind == 'outage' else row.kind}"),
        row.root_name or row.cluster_value or frame.text("Several at once"),
        row.place or "",
        frame.clock.full(row.from_at),
        frame.clock.full(row.resolved_at) if row.resolved_at else "",
        seconds,
        row.told if whole else "",
        (row.said_pupils or row.pupils) if whole else "",
        frame.text(f"cause.{row.cause}"),
        row.owner,
        row.ticket,
    )
