"""Where what devices tell of their neighbours differs from what was declared: `GET /api/v1/topology/findings`."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.resources.routes import answer, problems
from api.security import Caller, register_of
from inventory.links import SURE, findings

router = APIRouter(tags=["links"])


class Upstream(BaseModel):
    """A declared upstream within the caller's part."""

    device_id: int
    name: str


class LearnedNeighbour(BaseModel):
    """A neighbour nearer to the core, as a device told of it."""

    device_id: int
    name: str
    port: str
    remote_port: str
    source: str
    confidence: float
    seen_at: datetime | None


class FindingRead(BaseModel):
    """contradiction: declared under one device, but its neighbours are others. proposal: nothing is declared, and this is not sure enough to be used."""

    kind: Literal["contradiction", "proposal"]
    device_id: int
    device_name: str
    declared: list[Upstream]
    learned: list[LearnedNeighbour]


class Findings(BaseModel):
    """All of the caller's part."""

    items: list[FindingRead]


@router.get(
    "/topology/findings", response_model=Findings, responses=problems(401, 403, 422), operation_id="list_link_findings"
)
def list_findings(
    request: Request,
    caller: Caller,
    kind: Literal["contradiction", "proposal"] | None = None,
    confidence: Annotated[float, Query(ge=0.4, le=1.1, description="From here on learned links are used.")] = SURE,
) -> Response:
    """Contradictions and proposals. Declared links hold; nothing here changes by itself."""
    with register_of(request).session() as session:
        found = findings(session, caller.scope, confidence)
    items = [
        {
            "kind": one.kind,
            "device_id": one.device_id,
            "device_name": one.device_name,
            "declared": [{"device_id": number, "name": name} for number, name in one.declared],
            "learned": [near._asdict() for near in one.learned],
        }
        for one in found
        if kind is None or one.kind == kind
    ]
    return answer({"items": items})
