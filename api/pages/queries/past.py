"""The list of incidents, past and current: filters, order, one page, export."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, case, func, or_, select
from sqlmodel import Session

from api.pages.listing import PAGE_SIZE, ListAddress
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


@dataclass
class PastPage:
    """One page. `states` counts what is open and what has mended, whichever is chosen."""

    rows: list[Any]
    total: int
    states: dict[str, int]

    @property
    def pages(self) -> int:
        """Number of pages."""
        return max(1, -(-self.total // PAGE_SIZE))


def list_past(
    session: Session, scope: Scope, at: ListAddress, places: Places, zone: ZoneInfo, limit: int = PAGE_SIZE
) -> PastPage:
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
    statement = _ordered(statement, at).limit(limit).offset(at.offset if limit == PAGE_SIZE else 0)
    return PastPage(list(run(scope.filter(statement, Incident))), total, states)


def list_causes(session: Session, scope: Scope) -> list[str]:
    """The causes that incidents have within the scope."""
    statement = select(incident.c.cause).distinct().order_by(incident.c.cause)
    return [str(row[0]) for row in session.connection().execute(scope.filter(statement, Incident)) if row[0]]


def _ordered(statement: Select[Any], at: ListAddress) -> Select[Any]:
    column = ORDERS[at.order.lstrip("-")]
    return statement.order_by(column.desc() if at.order.startswith("-") else column.asc(), incident.c.id.desc())


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
    for part in at.get("q").lower().split()[:6]:
        plain = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        names = (func.lower(incident.c.root_name), func.lower(func.coalesce(incident.c.cluster_value, "")))
        conditions.append(or_(*(name.like(f"%{plain}%", escape="\\") for name in names), _numbered(part)))
    return conditions


def _numbered(part: str) -> Any:
    """An incident's number, as notices and tickets name it: `#12`."""
    number = part.lstrip("#")
    wanted = int(number) if number.isdecimal() and len(number) < 10 else -1
    return and_(incident.c.id == wanted)


def read_day(text: str, zone: ZoneInfo) -> datetime | None:
    """`2026-11-24` as the start of that day in `zone`; None where it is no day."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - the zone is given in the next line
        return day.replace(tzinfo=zone)
    except ValueError:
        return None
