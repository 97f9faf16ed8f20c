"""The first steps: from an empty register to a device that is seen, within a minute; and the import of files."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from pydantic import BaseModel, ValidationError
from starlette.responses import RedirectResponse, Response

from api.errors import Problem, problem_body
from api.pages.frame import Frame, PageFrame
from api.pages.queries import start as queries
from api.pages.queries.places import read_places
from api.resources.credentials import CREDENTIALS
from api.resources.devices import DEVICES, DeviceCreate
from api.resources.machine import Resource
from api.resources.schools import SCHOOLS
from api.resources.sites import SITES
from api.resources.writing import create_row
from api.resources.zones import ZONES
from api.security import page_admin, register_of
from inventory.database import raise_version
from inventory.models import DeviceKind, SchoolLevel
from inventory.regions import load_regions

router = APIRouter(include_in_schema=False, dependencies=[Depends(page_admin)])

Field = Annotated[str, Form(max_length=300)]
MEMBERS: tuple[str, ...] = ("title", "errors")
"""Of a problem, what the page shows."""


@router.get("/start")
def show_steps(frame: PageFrame) -> Response:
    """The five steps, the next one open."""
    return _page(frame)


@router.get("/start/seen")
def show_seen(frame: PageFrame) -> Response:
    """The newest devices alone, asked for again every two seconds."""
    return frame.page("start_seen.html", progress=queries.read_progress(frame.session, frame.scope))


@router.post("/start/regions")
def add_regions(frame: PageFrame) -> Response:
    """Load the province's regions."""
    if not frame.scope.everything:
        raise Problem("outside")
    with register_of(frame.request).write() as session:
        if load_regions(session):
            raise_version(session)
    return _on()


@router.post("/start/zone")
def add_zone(frame: PageFrame, name: Field = "", references: Field = "") -> Response:
    """Add a zone; the first is the default one."""
    first = not queries.read_progress(frame.session, frame.scope).zones
    return _act(
        frame, "zone", lambda: [_create(frame, ZONES, {"name": name, "references": references, "default": first})]
    )


@router.post("/start/credential")
def add_credential(
    frame: PageFrame,
    name: Field = "",
    version: Field = "2c",
    community: Field = "",
    user: Field = "",
    auth_protocol: Field = "",
    auth_key: Field = "",
    priv_protocol: Field = "",
    priv_key: Field = "",
) -> Response:
    """Add a credential: for the default zone, or for the caller's own part."""
    zones = queries.read_progress(frame.session, frame.scope).zones
    home = next((zone.id for zone in zones if zone.default), zones[0].id if zones else None)
    serves = {"zone_id": home} if frame.scope.everything else {"region_id": frame.caller.user.region_id}
    three = version == "3"
    body = {
        "name": name,
        "version": version,
        **serves,
        "auth_protocol": auth_protocol if three else "",
        "priv_protocol": priv_protocol if three else "",
        "secret": {"user": user, "auth_key": auth_key, "priv_key": priv_key} if three else {"community": community},
    }
    return _act(frame, "credential", lambda: [_create(frame, CREDENTIALS, body)])


@router.post("/start/device")
def add_device(
    frame: PageFrame,
    school: Field = "",
    level: Field = "primary",
    region: Field = "",
    kind: Field = "gateway",
    ip: Field = "",
    snmp_port: Field = "161",
    watch: Field = "any",
) -> Response:
    """Add one device, and the school where there is none of its name in the county."""
    return _act(
        frame, "device", lambda: _add_device(frame, school.strip(), level, region, kind, ip.strip(), snmp_port, watch)
    )


def _add_device(frame: Frame, name: str, level: str, code: str, kind: str, ip: str, port: str, watch: str) -> list[Any]:
    place = read_places(frame.session, frame.scope, code).chosen
    if place is None:
        raise Problem("invalid", count=1, more={"field": "region"})
    device = {
        "name": f"{name} {frame.text('kind.' + kind) if kind in list(DeviceKind) else kind}",
        "kind": kind,
        "site_id": 1,
        "addresses": [{"ip": ip, "primary": True}],
        "snmp_port": port,
        "watch": watch,
    }
    DeviceCreate.model_validate(device)  # before anything is written
    if queries.is_taken(frame.session, "", ip):
        raise Problem("clash", field=ip)
    found = queries.find_school(frame.session, frame.scope, place.id, name)
    number, site = found or (None, None)
    if number is None:
        made = {"name": name, "level": level, "place_id": place.id, "duty_id": queries.duty_of(frame.session, place)}
        number = _create(frame, SCHOOLS, made)["id"]
    if site is None:
        site = _create(frame, SITES, {"name": name, "school_id": number, "place_id": place.id, "main": True})["id"]
    return [_create(frame, DEVICES, {**device, "site_id": site})]


def _create(frame: Frame, resource: Resource, values: Mapping[str, Any]) -> Any:
    assert resource.create is not None, resource.name
    body: BaseModel = resource.create.model_validate(values)
    return create_row(resource, register_of(frame.request), frame.caller, body)


def _act(frame: Frame, step: str, act: Any) -> Response:
    """Do it and go on; what is wrong is shown at the step's form, with what was typed."""
    try:
        act()
    except ValidationError as error:
        fields = [str(item["loc"][-1]) for item in error.errors() if item["loc"]]
        return _page(
            frame,
            step,
            {"title": frame.text("Please correct: %(fields)s", fields=_named(frame, fields)), "errors": fields},
        )
    except Problem as problem:
        body = problem_body(problem, frame.request)
        return _page(
            frame,
            step,
            {"title": body["title"], "errors": [str(item.get("detail", "")) for item in body.get("errors", [])]},
        )
    return _on()


def _named(frame: Frame, fields: list[str]) -> str:
    return ", ".join(dict.fromkeys(frame.text(f"field.{name}") for name in fields))


def _page(frame: Frame, failed: str = "", problem: Mapping[str, Any] | None = None) -> Response:
    return frame.page(
        "start.html",
        422 if failed else 200,
        progress=queries.read_progress(frame.session, frame.scope),
        places=read_places(frame.session, frame.scope),
        levels=list(SchoolLevel),
        kinds=list(DeviceKind),
        failed=failed,
        problem=problem,
    )


def _on() -> Response:
    return RedirectResponse("/start", 303)
