"""For Prometheus: whom to scrape (http_sd), and probes of registered targets on request (`/probe`, `/snmp`)."""

import hashlib
import time
from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic_core import to_json
from sqlalchemy import and_, func, select
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api.collector_link import CollectorGone, CollectorRefused
from api.errors import Problem, Wrong, invalid
from api.live import link_of
from api.resources.machine import Text
from api.resources.routes import problems
from api.security import CurrentUser, MetricsReader, register_of
from api.translation import exposition_of
from inventory.lookup import parse_address
from inventory.models import Address, Device, Region, School, Site, Watch, Zone, table
from inventory.scope import Scope

router = APIRouter(tags=["prometheus"])
probes = APIRouter(tags=["prometheus"], include_in_schema=False)


@router.get(
    "/prometheus/targets",
    response_class=Response,
    responses={
        200: {"content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}},
        304: {"description": "As it was"},
        **problems(401, 403, 422),
    },
    operation_id="list_prometheus_targets",
)
def list_targets(request: Request, reader: MetricsReader) -> Response:
    """Every watched device with an address, for `http_sd_configs`: a target each, with its labels."""
    scope = reader.scope if reader is not None else Scope()
    register = register_of(request)
    told = f"{register.url}|{register.version()}|{scope.tree}|{scope.path}"
    etag = f'"{hashlib.sha256(told.encode()).hexdigest()[:16]}"'
    headers = {"etag": etag, "cache-control": "no-cache"}
    if etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    with register.session() as session:
        body = to_json(read_targets(session, scope))
    return Response(body, headers=headers, media_type="application/json")


def read_targets(session: Session, scope: Scope) -> list[dict[str, Any]]:
    """Targets in Prometheus's http_sd form. Labels that begin with `__meta_` are for relabelling, and go no further."""
    device, address, zone = table(Device), table(Address), table(Zone)
    site, school, region = table(Site), table(School), table(Region)
    statement = (
        select(
            address.c.ip, device.c.id, device.c.name, device.c.kind, device.c.vendor, device.c.watch, device.c.snmp_port,
            zone.c.name.label("zone"), site.c.name.label("site"), school.c.name.label("school"), school.c.code,
            region.c.name.label("region"), func.coalesce(region.c.code, region.c.local_code, "").label("region_code"),
        )
        .select_from(
            device.join(address, and_(address.c.device_id == device.c.id, address.c.primary.is_(True)))
            .join(zone, zone.c.id == address.c.zone_id)
            .join(site, site.c.id == device.c.site_id)
            .join(region, region.c.id == site.c.place_id)
            .outerjoin(school, school.c.id == site.c.school_id)
        )
        .where(device.c.status == "active", device.c.watch != Watch.none)
        .order_by(device.c.id)
    )  # fmt: skip
    return [
        {
            "targets": [row.ip],
            "labels": {
                "device": row.name,
                "kind": str(row.kind),
                "vendor": row.vendor,
                "zone": row.zone,
                "site": row.site,
                "school": row.school or "",
                "school_code": row.code or "",
                "region": row.region,
                "region_code": row.region_code,
                "__meta_edunet_device_id": str(row.id),
                "__meta_edunet_watch": str(row.watch),
                "__meta_edunet_snmp_port": str(row.snmp_port),
            },
        }
        for row in session.connection().execute(scope.filter(statement, Device))
    ]


Target = Annotated[Text, Query(max_length=64, description="Address of a registered device.")]
ZoneName = Annotated[Text | None, Query(max_length=40, description="Needed where several zones have the address.")]


@probes.get("/probe")
async def probe(
    request: Request,
    reader: MetricsReader,
    target: Target,
    module: Literal["icmp", "snmp"] = "icmp",
    zone: ZoneName = None,
) -> Response:
    """One ping round or SNMP reading of a registered target, in blackbox_exporter's words."""
    return await _probe(request, reader, target, zone, module)


@probes.get("/snmp")
async def probe_snmp(request: Request, reader: MetricsReader, target: Target, zone: ZoneName = None) -> Response:
    """One device in full, in snmp_exporter's words. The credential is the register's: none is taken from the caller."""
    return await _probe(request, reader, target, zone, "device")


async def _probe(request: Request, reader: CurrentUser | None, target: str, zone: str | None, module: str) -> Response:
    scope = reader.scope if reader is not None else Scope()

    def ask() -> str:
        with register_of(request).session() as session:
            number = find_target(session, scope, target, zone)
        started = time.monotonic()
        try:
            reading = link_of(request).probe(number, module)
        except CollectorRefused as error:
            raise Problem("collector-gone", more={"detail": error.detail}) from error
        return exposition_of(reading, module, time.monotonic() - started)

    try:
        body = await anyio.to_thread.run_sync(ask, limiter=request.app.state.slow)
    except CollectorGone as error:
        raise Problem("collector-gone", headers={"retry-after": "5"}) from error
    return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")


def find_target(session: Session, scope: Scope, target: str, zone: str | None) -> int:
    """The id of the registered device at an address; 404 where there is none, 422 where the zone must be named."""
    try:
        ip = str(parse_address(target.strip("[]")))
    except ValueError as error:
        raise invalid(Wrong("target", "bad-address", "10.1.2.3 | 2001:db8::1")) from error
    device, address, zones = table(Device), table(Address), table(Zone)
    statement = (
        select(device.c.id, zones.c.name)
        .select_from(
            device.join(address, address.c.device_id == device.c.id).join(zones, zones.c.id == address.c.zone_id)
        )
        .where(address.c.ip == ip)
        .order_by(zones.c.name)
    )
    if zone is not None:
        statement = statement.where(zones.c.name == zone)
    found = session.connection().execute(scope.filter(statement, Device)).all()
    if not found:
        raise Problem("not-found")
    if len(found) > 1:
        raise invalid(Wrong("zone", "missing", " | ".join(row.name for row in found)))
    return int(found[0].id)
