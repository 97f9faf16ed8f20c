"""The page of one device: is it alive, and what does it say? And the page of one line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.collector_link import CollectorGone, CollectorRefused
from api.errors import Problem
from api.pages.enabling import commands_for
from api.pages.frame import Frame, PageFrame, kept
from api.pages.panel import lay_out
from api.pages.queries import device as queries
from api.pages.queries.contacts import find_contacts
from api.pages.queries.places import read_places
from api.pages.queries.roots import describe_roots, name_lines
from api.pages.queries.slow import slowness_of
from api.pages.school import read_days
from inventory.models import DeviceKind, NodeKind, State
from probes.device.profile import UNITS

router = APIRouter(include_in_schema=False)


@router.get("/devices/{number}")
@kept
def show_device(frame: PageFrame, number: int) -> Response:
    """One device."""
    rows = _read(frame, number)
    places = read_places(frame.session, frame.scope)
    zones = {row.zone for row in rows.addresses}
    days, outages = read_days(frame, NodeKind.device, number, rows.device.first_seen, zones)
    physical, logical = lay_out(rows.ports, _uplinks(rows))
    place = places.name_of(rows.site.place_id)
    asked = rows.device.watch != "icmp" and queries.has_credential(frame.session, rows, place.path if place else "/")
    quiet = rows.word == State.agent_silent or (
        not rows.ports and rows.word in (State.up, State.not_seen, State.degraded)
    )
    return frame.page(
        "device.html",
        rows=rows,
        roots=describe_roots(frame.session, frame.locale, [rows.incident]),
        places=places,
        days=days,
        outages=outages[:6],
        outage_count=len(outages),
        physical=physical,
        logical=logical,
        live=None,
        has_history=queries.has_history(frame.session, number),
        units=UNITS,
        snmp_asked=asked,
        enabling=commands_for(rows.device.vendor, DeviceKind(rows.device.kind), rows.device.sys_object_id)
        if quiet and rows.device.watch != "icmp"
        else None,
    )


@router.get("/devices/{number}/live")
def show_live(frame: PageFrame, number: int) -> Response:
    """What the collector read of it last: the panel with rates, sensors. Says so where the collector does not answer."""
    rows = _read(frame, number)
    live: Mapping[str, Any] | None
    try:
        live = frame.request.app.state.link.device(number)
    except (CollectorGone, CollectorRefused):
        live = None
    ports = _ports_of(live)
    physical, logical = lay_out(rows.ports or _rows_of(ports), _uplinks(rows), ports)
    return frame.page(
        "device_live.html", rows=rows, physical=physical, logical=logical, live=live, gone=live is None, units=UNITS
    )


@router.get("/lines/{number}")
@kept
def show_line(frame: PageFrame, number: int) -> Response:
    """One line: does the carrier deliver what we pay for?"""
    rows = queries.read_line(frame.session, frame.scope, number)
    if rows is None:
        raise Problem("not-found")
    days, outages = read_days(
        frame, NodeKind.line, number, rows.end.first_seen if rows.end else rows.line.created_at, set()
    )
    month = frame.clock.midnight(frame.now).replace(day=1)
    contact = (
        find_contacts(frame.session, frame.scope, [rows.incident]).get(rows.incident.id) if rows.incident else None
    )
    return frame.page(
        "line.html",
        rows=rows,
        places=read_places(frame.session, frame.scope),
        contact=contact,
        roots=describe_roots(frame.session, frame.locale, [rows.incident]),
        line_names=name_lines(frame.session, frame.locale, [rows.line.id]),
        slow=slowness_of(frame.session, [rows.line], frame.now),
        days=days,
        outages=outages[:10],
        outage_count=len(outages),
        month=[row for row in outages if row.until_at is None or row.until_at >= month],
    )


def _read(frame: Frame, number: int) -> queries.DeviceRows:
    rows = queries.read_device(frame.session, frame.scope, number)
    if rows is None:
        raise Problem("not-found")
    return rows


def _uplinks(rows: queries.DeviceRows) -> list[str]:
    number = rows.device.id
    return [name for row in rows.lines if (name := row.end_port if row.end_device_id == number else row.far_port)]


@dataclass(frozen=True, slots=True)
class LivePort:
    """A port that the collector reads and the register does not have yet."""

    name: str
    if_index: int
    speed_bps: int | None
    admin: str = ""
    oper: str = ""
    alias: str = ""
    if_type: int | None = None
    monitored: bool = False


def _ports_of(live: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    """By ifName, what the collector read of each port (`collector/live.py`)."""
    return {
        str(row["ifName"]): {**row, "admin": row.get("ifAdminStatus"), "oper": row.get("ifOperStatus")}
        for row in (live or {}).get("ports") or []
        if row.get("ifName")
    }


def _rows_of(ports: Mapping[str, Mapping[str, Any]]) -> list[LivePort]:
    return [LivePort(name, int(row.get("ifIndex") or 0), row.get("speed_bps")) for name, row in ports.items()]
