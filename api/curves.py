"""RTT, loss and traffic of the last days: `/api/v1/curves` and `/api/v1/curves.csv` (DESIGN.md, rule 12)."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Wrong, invalid
from api.live import check_device
from api.resources.machine import Id, Text
from api.resources.routes import answer, problems
from api.security import Caller, CurrentUser, register_of
from inventory.history import BAND_S, read_curve
from inventory.models import utcnow

router = APIRouter(tags=["curves"])

LONGEST = timedelta(days=31)

DeviceId = Annotated[Id, Query(description="Id of the device.")]
PortName = Annotated[
    Text, Query(max_length=120, description="ifName of a monitored port; empty: the device's RTT and loss.")
]
From = Annotated[AwareDatetime | None, Query(alias="from", description="A day before `until` by default.")]
Until = Annotated[AwareDatetime | None, Query(description="Now by default; at most 31 days after `from`.")]


class CurveAnswer(BaseModel):
    """Columns: `at` is the beginning of each band in seconds since the epoch; null is a gap, never 0."""

    device: int
    port: str
    band_s: int
    columns: dict[str, list[float | None]]


@router.get("/curves", response_model=CurveAnswer, responses=problems(401, 403, 404, 422), operation_id="read_curves")
def read_curves(
    request: Request, caller: Caller, device: DeviceId, port: PortName = "", from_: From = None, until: Until = None
) -> Response:
    """A curve in bands of 5 minutes."""
    columns = _read(request, caller, device, port, from_, until)
    return answer({"device": device, "port": port, "band_s": BAND_S, "columns": columns})


@router.get(
    "/curves.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **problems(401, 403, 404, 422)},
    operation_id="read_curves_csv",
)
def read_curves_csv(
    request: Request, caller: Caller, device: DeviceId, port: PortName = "", from_: From = None, until: Until = None
) -> Response:
    """The same as a table, times in UTC, gaps empty."""
    columns = _read(request, caller, device, port, from_, until)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for at, *values in zip(*columns.values(), strict=True):
        moment = datetime.fromtimestamp(at, UTC).isoformat()
        writer.writerow([moment, *("" if value is None else f"{value:.9g}" for value in values)])
    name = f"curve-{device}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _read(
    request: Request, caller: CurrentUser, device: int, port: str, from_: datetime | None, until: datetime | None
) -> dict[str, list[Any]]:
    end = until or utcnow()
    begin = from_ or _a_day_before(end)
    if not timedelta(0) < end - begin <= LONGEST or begin.year < 2000 or end.year > 2200:
        raise invalid(Wrong("from", "future", "until - 31 d .. until"))
    check_device(request, caller, device)
    with register_of(request).session() as session:
        return read_curve(session, device, port, begin, end)


def _a_day_before(end: datetime) -> datetime:
    try:
        return end - timedelta(days=1)
    except OverflowError as error:
        raise invalid(Wrong("until", "future")) from error
