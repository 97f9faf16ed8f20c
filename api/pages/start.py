"""The first steps: from an empty register to a device that is seen, within a minute; and the import of files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, cast
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form
from pydantic import BaseModel, ValidationError
from starlette.responses import RedirectResponse, Response

from api.errors import Problem, Wrong, invalid, problem_body, wrong_of
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
from api.words import Language, say, say_field
from inventory.database import raise_version
from inventory.models import DeviceKind, SchoolLevel
from inventory.regions import load_regions

router = APIRouter(include_in_schema=False, dependencies=[Depends(page_admin)])

Field = Annotated[str, Form(max_length=300)]
INPUTS = {"addresses": "ip", "secret": "community"}
"""A field of the calls: the input that it is typed into, where that has another name."""


@dataclass(slots=True)
class Step:
    """A form that was sent: its name, what was typed (no secret), what is wrong with it as a whole and by input."""

    name: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    def value(self, step: str, name: str, otherwise: str = "") -> str:
        """What stands in an input: what was typed into it, where this step was sent."""
        return self.typed.get(name, otherwise) if step == self.name else otherwise

    def wrong(self, step: str, name: str) -> str:
        """What is wrong with an input; "" nothing."""
        return self.errors.get(name, "") if step == self.name else ""


@router.get("/start")
def show_steps(frame: PageFrame, region: str = "") -> Response:
    """The five steps, the next one open. region: the county that was chosen last."""
    return _page(frame, Step("device", {"region": region[:20]}) if region else Step())


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
    return RedirectResponse("/start", 303)


@router.post("/start/zone")
def add_zone(frame: PageFrame, name: Field = "", references: Field = "") -> Response:
    """Add a zone; the first is the default one."""
    first = not queries.read_progress(frame.session, frame.scope).zones
    body = {"name": name, "references": references, "default": first}
    return _act(frame, Step("zone", {"name": name, "references": references}), lambda: _create(frame, ZONES, body))


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
    typed = {
        "name": name, "version": version, "community": "", "user": user,
        "auth_protocol": auth_protocol, "priv_protocol": priv_protocol,
    }  # fmt: skip
    return _act(frame, Step("credential", typed), lambda: _create(frame, CREDENTIALS, body))


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
    typed = {
        "school": school.strip(), "level": level, "region": region, "kind": kind, "ip": ip.strip(),
        "snmp_port": snmp_port, "watch": watch,
    }  # fmt: skip
    return _act(frame, Step("device", typed), lambda: _add_device(frame, **typed), f"?region={quote(region)}#seen")


def _add_device(
    frame: Frame, school: str, level: str, region: str, kind: str, ip: str, snmp_port: str, watch: str
) -> None:
    place = read_places(frame.session, frame.scope, region).chosen
    if place is None:
        raise invalid(Wrong("region", "no-such"))
    if not school:
        raise invalid(Wrong("school", "empty"))
    device = {
        "name": f"{school} {frame.text('kind.' + kind) if kind in list(DeviceKind) else kind}",
        "kind": kind,
        "site_id": 1,
        "addresses": [{"ip": ip, "primary": True}],
        "snmp_port": snmp_port,
        "watch": watch,
    }
    DeviceCreate.model_validate(device)  # before anything is written
    if queries.is_taken(frame.session, "", ip):
        raise Problem("clash", errors=[Wrong("ip", "clash")], field=ip)
    found = queries.find_school(frame.session, frame.scope, place.id, school)
    number, site = found or (None, None)
    if number is None:
        made = {"name": school, "level": level, "place_id": place.id, "duty_id": queries.duty_of(frame.session, place)}
        number = _create(frame, SCHOOLS, made)["id"]
    if site is None:
        site = _create(frame, SITES, {"name": school, "school_id": number, "place_id": place.id, "main": True})["id"]
    _create(frame, DEVICES, {**device, "site_id": site})


def _create(frame: Frame, resource: Resource, values: Mapping[str, Any]) -> Any:
    assert resource.create is not None, resource.name
    body: BaseModel = resource.create.model_validate(values)
    return create_row(resource, register_of(frame.request), frame.caller, body)


def _act(frame: Frame, step: Step, act: Callable[[], object], there: str = "") -> Response:
    """Do it and go on; what is wrong is said at its input, which keeps what was typed."""
    try:
        act()
    except ValidationError as error:
        wrong = [wrong_of({**item, "loc": ("body", *item["loc"])}) for item in error.errors()]
        step.problem = say("invalid", cast(Language, frame.locale), count=len(wrong))
        _note(frame, step, wrong)
        return _page(frame, step)
    except Problem as problem:
        step.problem = str(problem_body(problem, frame.request)["title"])
        _note(frame, step, problem.errors)
        return _page(frame, step)
    return RedirectResponse(f"/start{there}", 303)


def _note(frame: Frame, step: Step, wrong: Any) -> None:
    """Each at the input that it was typed into; else with the form itself."""
    for one in wrong:
        kind = "bad-address" if one.kind == "value_error" and one.field.endswith("ip") else one.kind
        said = say_field(kind, cast(Language, frame.locale), one.message or one.kind)
        parts = one.field.split(".")
        name = next((part for part in reversed(parts) if part in step.typed), INPUTS.get(parts[0], parts[0]))
        if name == "name" and step.name == "device":
            name = "school"
        if name in step.typed:
            step.errors[name] = said
        else:
            step.problem = f"{step.problem} {one.field}: {said}"


def _page(frame: Frame, step: Step) -> Response:
    return frame.page(
        "start.html",
        422 if step.problem else 200,
        progress=queries.read_progress(frame.session, frame.scope),
        places=read_places(frame.session, frame.scope),
        levels=list(SchoolLevel),
        kinds=list(DeviceKind),
        sent=step,
    )
