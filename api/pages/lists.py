"""The lists of schools, lines and devices: find, filter, export."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from api.collector_link import CollectorGone, CollectorRefused
from api.pages.exporting import Cells, export, rows_wanted, wants_export
from api.pages.frame import Frame, PageFrame, kept
from api.pages.listing import ListAddress, template_of
from api.pages.queries import lists as queries
from api.pages.queries.places import Places, read_places
from api.pages.queries.roots import name_lines
from inventory.models import Device, DeviceKind, Line, SchoolLevel

router = APIRouter(include_in_schema=False)


@router.get("/schools")
@kept
def show_schools(frame: PageFrame) -> Response:
    """All schools of the caller's part."""
    at = ListAddress.read(frame.request, ("q", "region", "level", "state"), queries.SCHOOL_ORDERS, "state")
    places = read_places(frame.session, frame.scope, at.get("region"))
    page = queries.list_schools(frame.session, frame.scope, at, places, rows_wanted(frame.request))
    if wants_export(frame.request):
        return export(frame, "schools", _school_cells(frame, places), page.rows)
    return frame.page(template_of(frame, "schools"), at=at, page=page, places=places, levels=list(SchoolLevel))


@router.get("/lines")
@kept
def show_lines(frame: PageFrame) -> Response:
    """All lines of the caller's part."""
    at = ListAddress.read(frame.request, ("q", "region", "operator", "state"), queries.LINE_ORDERS, "state")
    places = read_places(frame.session, frame.scope, at.get("region"))
    page = queries.list_lines(frame.session, frame.scope, at, places, rows_wanted(frame.request))
    if wants_export(frame.request):
        return export(frame, "lines", _line_cells(frame), page.rows)
    ids = [row.id for row in page.rows]
    return frame.page(
        template_of(frame, "lines"),
        at=at,
        page=page,
        places=places,
        line_names=name_lines(frame.session, frame.locale, ids),
        served=queries.served_by(frame.session, frame.scope, ids),
        operators=queries.distinct_values(frame.session, frame.scope, Line, "operator"),
    )


@router.get("/devices")
@kept
def show_devices(frame: PageFrame) -> Response:
    """All devices of the caller's part."""
    at = ListAddress.read(
        frame.request, ("q", "region", "kind", "vendor", "school", "state", "snmp"), queries.DEVICE_ORDERS, "state"
    )
    places = read_places(frame.session, frame.scope, at.get("region"))
    silent = _never_spoke(frame) if at.get("snmp") == "unseen" else None
    page = queries.list_devices(frame.session, frame.scope, at, places, rows_wanted(frame.request), silent)
    if wants_export(frame.request):
        return export(frame, "devices", _device_cells(frame), page.rows)
    vendors = queries.distinct_values(frame.session, frame.scope, Device, "vendor")
    return frame.page(
        template_of(frame, "devices"),
        at=at,
        page=page,
        places=places,
        kinds=list(DeviceKind),
        vendors=vendors,
        unspoken=int(frame.freshness.judge.get("snmp_not_yet_seen") or 0),
    )


def _never_spoke(frame: Frame) -> list[int]:
    """Ids of devices that answer, are asked by SNMP, and never answered by it, as the collector knows; none where it is gone."""
    try:
        told = frame.request.app.state.link.feed().get("snmp_not_yet_seen")
    except (CollectorGone, CollectorRefused):
        return []
    return [int(number) for number in told] if isinstance(told, list) else []


@router.get("/search")
def search(frame: PageFrame) -> Response:
    """The search box of every page: schools first; where none is found, devices (names, serial numbers, addresses)."""
    text = frame.request.query_params.get("q", "").strip()[:120]
    at = ListAddress("/schools", {"q": text}, "state", 1)
    places = read_places(frame.session, frame.scope)
    found = queries.list_schools(frame.session, frame.scope, at, places)
    if found.total == 1:
        return RedirectResponse(f"/schools/{found.rows[0].id}", 303)
    if found.total or not text:
        return RedirectResponse(at.url(), 303)
    at = ListAddress("/devices", {"q": text}, "state", 1)
    found = queries.list_devices(frame.session, frame.scope, at, places)
    if found.total == 1:
        return RedirectResponse(f"/devices/{found.rows[0].id}", 303)
    if found.total:
        return RedirectResponse(at.url(), 303)
    at = ListAddress("/lines", {"q": text}, "state", 1)
    found = queries.list_lines(frame.session, frame.scope, at, places)
    return RedirectResponse(at.url() if found.total else ListAddress("/schools", {"q": text}, "state", 1).url(), 303)


def _common(frame: Frame) -> Cells:
    return (
        ("State", lambda row: frame.text(f"state.{row.state}")),
        ("Since", lambda row: frame.clock.full(row.since) if row.since else ""),
    )


def _school_cells(frame: Frame, places: Places) -> Cells:
    def place(row: Any) -> str:
        way = [region for region in places.above(row.place_id) if region.level != "province"]
        return " ".join(region.name for region in way)

    return (
        ("School", lambda row: row.name),
        ("Code", lambda row: row.code),
        ("Place", place),
        ("Level", lambda row: frame.text(f"level.{row.level}")),
        ("Pupils", lambda row: row.pupils),
        ("Devices answering", lambda row: row.devices_up),
        ("Devices watched", lambda row: row.devices),
        *_common(frame),
    )


def _line_cells(frame: Frame) -> Cells:
    return (
        ("Line", lambda row: row.name),
        ("Circuit", lambda row: row.circuit),
        ("Carrier", lambda row: frame.text(f"operator.{row.operator}") if row.operator else ""),
        ("Role", lambda row: frame.text(f"role.{row.role}")),
        ("Bandwidth (Mbit/s)", lambda row: row.bandwidth_mbps),
        ("Hangs under", lambda row: row.upstream),
        ("Fault line", lambda row: row.contact_phone),
        *_common(frame),
    )


def _device_cells(frame: Frame) -> Cells:
    return (
        ("Device", lambda row: row.name),
        ("Kind", lambda row: frame.text(f"kind.{row.kind}")),
        ("Vendor", lambda row: row.vendor),
        ("Model", lambda row: row.model),
        ("Serial number", lambda row: row.serial),
        ("Address", lambda row: row.ip),
        ("School", lambda row: row.school or row.site),
        *_common(frame),
    )
