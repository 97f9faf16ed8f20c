"""What is not watched or silenced now: why, by whom, until when, and what share of all that is."""

from fastapi import APIRouter
from starlette.responses import Response

from api.pages.frame import Frame, PageFrame
from api.pages.queries import incident as nodes
from api.pages.queries.regions import region_names
from api.pages.queries.unwatched import WHYS, Unattended, read_unattended

router = APIRouter(include_in_schema=False)

LINKS = {
    "no_gateway": "/schools?state=not_watched",
    "not_seen": "/schools?state=not_seen",
    "blind": "/schools?state=unknown",
    "tcp_only": "/schools?state=unknown",
    "unknown": "/schools?state=unknown",
    "planned_off": "/schools?state=planned_off",
    "maintenance": "/windows",
}
"""Where the schools of a why are listed."""

MARKS = {
    "no_gateway": "not_watched", "not_seen": "not_seen", "blind": "unknown", "tcp_only": "unknown", "unknown": "unknown",
    "planned_off": "planned_off", "maintenance": "maintenance", "silenced": "planned_off",
}  # fmt: skip


@router.get("/not-watched")
def show_unwatched(frame: PageFrame) -> Response:
    """Schools of which nobody would be told now."""
    found = read_unattended(frame.session, frame.scope, frame.now, frame.caller.is_admin)
    return frame.page(
        "unwatched.html", found=found, whys=WHYS, links=LINKS, marks=MARKS, names=_names(frame, found),
        key=id, unspoken=_unspoken(frame)
    )  # fmt: skip


def _unspoken(frame: Frame) -> int:
    return int(frame.freshness.judge.get("snmp_not_yet_seen") or 0)


def _names(frame: Frame, found: Unattended) -> dict[int, tuple[str, str]]:
    """(name, address) of what each window and silence is of, by the identity of its hush."""
    hushes = [*found.windows, *found.silences]
    rows = [hush.row for hush in hushes]
    wanted = [(str(row.kind), row.node_id) for row in rows if row.kind and row.node_id]
    named, regions = nodes.names_of_nodes(frame.session, frame.scope, wanted, frame.locale), region_names(frame)
    urls = {"device": "/devices/", "line": "/lines/", "school": "/schools/"}
    names: dict[int, tuple[str, str]] = {}
    for hush in hushes:
        row, key = hush.row, id(hush)
        if row.kind and row.node_id:
            url = urls.get(str(row.kind), "")
            names[key] = (named.get((str(row.kind), row.node_id), "–"), f"{url}{row.node_id}" if url else "")
        elif row.region_id is not None:
            names[key] = (regions.get(row.region_id, "–"), "")
        else:
            number = row.incident_id
            names[key] = (f"#{number}", f"/incidents/{number}")
    return names
