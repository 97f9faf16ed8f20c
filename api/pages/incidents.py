"""The list of incidents, and the page of one: what failed, what it cuts off, what was done about it."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.errors import Problem
from api.pages.exporting import Cells, export, rows_wanted, wants_export
from api.pages.frame import Frame, PageFrame, kept
from api.pages.listing import ListAddress, template_of
from api.pages.queries import incident as detail
from api.pages.queries import past as queries
from api.pages.queries.contacts import find_contacts
from api.pages.queries.places import read_places
from api.pages.queries.roots import describe_keys, describe_roots
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
    page = queries.list_past(frame.session, frame.scope, at, places, frame.clock.zone, rows_wanted(frame.request))
    if wants_export(frame.request):
        return export(frame, "incidents", _cells(frame), page.rows)
    return frame.page(
        template_of(frame, "incidents"),
        at=at,
        page=page,
        places=places,
        kinds=[(kind, frame.text(f"incident.{'down' if kind == 'outage' else kind}")) for kind in queries.KINDS],
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
    keys = [name for entry in entries if entry.row is None for name in entry.names]
    names = detail.names_of_nodes(session, scope, keys, frame.locale)
    possible = detail.name_nodes(session, scope, row.possible)
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
        names=names,
        called=describe_keys(session, frame.locale, [*names, *((str(kind), node) for kind, node, _ in possible)]),
        outages=outages,
        merged=detail.read_incident(session, scope, row.merged_into) if row.merged_into else None,
        places=read_places(session, scope),
        possible=possible,
        evidence=evidence_sentences(row.cause_evidence or (), language, row.cause),
        of=counted_incident(row, frame.now),
        concluded=say(RULES[row.cause_rule], language) if row.cause_rule in RULES else "",
        diagnosed=detail.device_of(session, scope, row),
        silenced=detail.silence_of(session, scope, row, frame.now),
        carrier=carrier_text(read_circuit(session, number, scope), language, frame.now, frame.clock.zone),
        node=(row.root_kind, row.root_id) if row.root_kind else None,
    )


def _cells(frame: Frame) -> Cells:
    whole = frame.scope.everything  # the figures count schools of other parts too
    return (
        ("Number", lambda row: row.id),
        ("State", lambda row: frame.text("mended") if row.status == "resolved" else frame.text("open")),
        ("Severity", lambda row: frame.text(f"severity.{row.severity}")),
        ("Incident kind", lambda row: frame.text(f"incident.{'down' if row.kind == 'outage' else row.kind}")),
        ("What failed", lambda row: row.root_name or row.cluster_value or frame.text("Several at once")),
        ("Place", lambda row: row.place or ""),
        ("From", lambda row: frame.clock.full(row.from_at)),
        ("Until", lambda row: frame.clock.full(row.resolved_at) if row.resolved_at else ""),
        ("Seconds", lambda row: int(((row.resolved_at or frame.now) - row.from_at).total_seconds())),
        ("Schools", lambda row: row.told if whole else ""),
        ("Pupils", lambda row: (row.said_pupils or row.pupils) if whole else ""),
        ("Cause", lambda row: frame.text(f"cause.{row.cause}")),
        ("Who has it", lambda row: row.owner),
        ("Ticket", lambda row: row.ticket),
    )
