"""The list of incidents, past and current: filters, order, one page, export."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, func, or_, select
from sqlmodel import Session

from api.pages.listing import PAGE_SIZE, ListAddress, Page, like, one_page, read_day, words_of
from api.pages.queries.places import Places
from api.pages.signs import SEVERITIES
from inventory.models import Incident, Region, table
from inventory.scope import Scope

incident, region = table(Incident), table(Region)

FILTERS = ("q", "region", "kind", "severity", "cause", "from", "until", "state", "correct")
KINDS = ("outage", "degraded", "agent_silent")
STATES = ("open", "mended")

_RANK = case({name: number for number, name in enumerate(SEVERITIES)}, value=incident.c.severity, else_=9)
_SCHOOLS = func.coalesce(func.nullif(incident.c.said_schools, 0), incident.c.schools)
ORDERS: Mapping[str, Any] = {
    "from": incident.c.from_at, "severity": _RANK, "schools": _SCHOOLS, "cause": incident.c.cause, "root": incident.c.root_name,
}  # fmt: skip


def list_past(
    session: Session, scope: Scope, at: ListAddress, places: Places, zone: ZoneInfo, limit: int = PAGE_SIZE
) -> Page:
    """Incidents that were said, or are being confirmed; merged ones stand under what they were merged into."""
    conditions = _conditions(at, places, zone)
    state = case((incident.c.status.in_(("pending", "open")), "open"), else_="mended")
    run = session.connection().execute
    counted = select(state.label("state"), func.count()).where(*conditions).group_by(state.label("state"))
    states = {str(row[0]): int(row[1]) for row in run(scope.filter(counted, Incident))}
    chosen = at.get("state")
    total = states.get(chosen, 0) if chosen in STATES else sum(states.values())
    statement = (
        select(incident, region.c.name.label("place"), region.c.name_en.label("place_en"), _SCHOOLS.label("told"))
        .select_from(incident.outerjoin(region, region.c.id == incident.c.place_id))
        .where(*conditions)
    )
    if chosen in STATES:
        statement = statement.where(state == chosen)
    statement = one_page(statement, at, ORDERS, limit, incident.c.id.desc())
    return Page(list(run(scope.filter(statement, Incident))), total, states)


def list_causes(session: Session, scope: Scope) -> list[str]:
    """The causes that incidents have within the scope."""
    statement = select(incident.c.cause).distinct().order_by(incident.c.cause)
    return [str(row[0]) for row in session.connection().execute(scope.filter(statement, Incident)) if row[0]]


def _conditions(at: ListAddress, places: Places, zone: ZoneInfo) -> list[Any]:
    said = or_(incident.c.opened_at.is_not(None), incident.c.status == "pending")
    conditions: list[Any] = [incident.c.merged_into.is_(None), said]
    if places.chosen is not None:
        conditions.append(incident.c.path.like(f"{places.chosen.path}%"))
    conditions += [incident.c[name] == at.get(name) for name in ("kind", "severity", "cause") if at.get(name)]
    begin, end = read_day(at.get("from"), zone), read_day(at.get("until"), zone)
    if begin is not None:
        conditions.append(or_(incident.c.resolved_at.is_(None), incident.c.resolved_at >= begin))
    if end is not None:
        conditions.append(incident.c.from_at < end + timedelta(days=1))
    for part in words_of(at.get("q")):
        names = (func.lower(incident.c.root_name), func.lower(func.coalesce(incident.c.cluster_value, "")))
        conditions.append(or_(*(name.like(like(part), escape="\\") for name in names), _numbered(part)))
    return conditions


def _numbered(part: str) -> Any:
    """An incident's number, as notices and tickets name it: `#12`."""
    number = part.lstrip("#")
    wanted = int(number) if number.isdecimal() and len(number) < 10 else -1
    return and_(incident.c.id == wanted)
