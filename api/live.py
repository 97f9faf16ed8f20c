"""What a device says now, from the collector's memory: `/api/v1/devices/{id}/live`; and asking it now."""

from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from api.collector_link import CollectorLink
from api.errors import Problem
from api.resources.machine import MAX_ID, Body
from api.resources.routes import answer, problems
from api.security import Admin, Caller, CurrentUser, register_of
from inventory.models import Device

router = APIRouter(tags=["devices"])

Number = Annotated[int, Path(ge=1, le=MAX_ID)]


class LiveAnswer(BaseModel):
    """Live readings as the collector has them: RTT, loss, sysUpTime, ports with rates, sensors. `as_of`: when they were read."""

    model_config = ConfigDict(extra="allow")

    as_of: Any = None


class ProbeBody(Body):
    """What to ask."""

    module: Literal["icmp", "snmp", "device", "path"] = "icmp"


def link_of(request: Request) -> CollectorLink:
    """The link to the collector."""
    link: CollectorLink = request.app.state.link
    return link


def check_device(request: Request, caller: CurrentUser, number: int) -> None:
    """404 where there is no such device within the caller's part."""
    with register_of(request).session() as session:
        if not caller.scope.allows(session, Device, number):
            raise Problem("not-found")


@router.get(
    "/devices/{number}/live",
    response_model=LiveAnswer,
    responses=problems(401, 403, 404, 422, 503),
    operation_id="read_device_live",
)
def read_live(request: Request, caller: Caller, number: Number) -> Response:
    """The collector's last readings of a device."""
    check_device(request, caller, number)
    return answer(link_of(request).device(number))


@router.post(
    "/devices/{number}/probe",
    response_model=LiveAnswer,
    responses=problems(401, 403, 404, 422, 503),
    operation_id="probe_device",
)
async def probe_now(request: Request, caller: Admin, number: Number, body: ProbeBody) -> Response:
    """Ask a device now. It has threads of its own, for a silent device takes 12 s to be given up."""

    def ask() -> dict[str, Any]:
        check_device(request, caller, number)
        return link_of(request).probe(number, body.module)

    return answer(await anyio.to_thread.run_sync(ask, limiter=request.app.state.slow))
