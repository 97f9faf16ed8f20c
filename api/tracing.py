"""An incident's own stretch of trace, for `edunet replay`: `GET /api/v1/incidents/{id}/trace`."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from api.collector_link import CollectorRefused
from api.errors import Problem
from api.live import link_of
from api.resources.machine import MAX_ID
from api.resources.routes import problems
from api.security import Caller, register_of
from inventory.models import Incident, node_id

router = APIRouter(tags=["incidents"])


@router.get(
    "/incidents/{number}/trace",
    response_class=Response,
    responses={
        200: {"description": "JSON lines, as `edunet replay` reads them", "content": {"application/x-ndjson": {}}},
        **problems(401, 403, 404, 413, 422, 503),
    },
    operation_id="read_incident_trace",
)
def read_trace(request: Request, caller: Caller, number: Annotated[int, Path(ge=1, le=MAX_ID)]) -> Response:
    """The rounds of the part of the network that it is about, while it lasted. What it hangs under lies outside a county: for users of the whole province."""
    if not caller.scope.everything:
        raise Problem("outside")
    with register_of(request).session() as session:
        incident = session.get(Incident, number)
    if incident is None or incident.kind != "outage":
        raise Problem("not-found")
    root = node_id(incident.root_kind, incident.root_id) if incident.root_kind and incident.root_id else None
    cluster = (incident.cluster_by, incident.cluster_value or "") if incident.cluster_by else None
    until = incident.resolved_at.timestamp() if incident.resolved_at else None
    try:
        found = link_of(request).trace(root, cluster, incident.from_at.timestamp(), until)
    except CollectorRefused as refused:
        if refused.status == 413:
            raise Problem("too-large", limit=100) from refused
        raise Problem("not-found") from refused
    name = f"incident-{number}.jsonl"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(found, media_type="application/x-ndjson", headers=headers)
