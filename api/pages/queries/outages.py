"""The list of outages: of schools, lines and devices; filters, order, one page."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, func, literal, or_, select
from sqlmodel import Session

from api.pages.listing import PAGE_SIZE, ListAddress, Page, like, one_page, read_day, words_of
from api.pages.queries.places import Places, below
from inventory.models import Device, Line, NodeKind, Outage, Region, School, Site, table
from inventory.scope import Scope

outage, region = table(Outage), table(Region)

FILTERS = ("q", "region", "kind", "cause", "from", "until", "state", "correct")
KINDS = (NodeKind.school, NodeKind.line, NodeKind.device)
STATES = ("open", "over", "corrected")

_NAMED = {NodeKind.school: table(School), NodeKind.line: table(Line), NodeKind.device: table(Device), NodeKind.site: table(Site)}  # fmt: skip
_NAME: Any = func.coalesce(*(named.c.name for named in _NAMED.values()), literal(""))
_IS = {
    "open": outage.c.until_at.is_(None),
    "over": outage.c.until_at.is_not(None),
    "corrected": outage.c.corrected_at.is_not(None),
}
ORDERS: Mapping[str, Any] = {
    "from": outage.c.from_at,
    "name": _NAME,
    "cause": outage.c.cause,
}


def list_outages(
    session: Session, scope: Scope, at: ListAddress, places: Places, zone: ZoneInfo, limit: int = PAGE_SIZE
) -> Page:
    """Outages within the scope; a device's and its school's stand apart, as they are logged."""
    run = session.connection().execute
    joined: Any = outage.outerjoin(region, region.c.id == outage.c.place_id)
    for kind, named in _NAMED.items():
        joined = joined.outerjoin(named, and_(outage.c.kind == kind, named.c.id == outage.c.node_id))
    conditions = _conditions(at, places, zone)
    sums = [func.count(), *(func.coalesce(func.sum(case((_IS[one], 1), else_=0)), 0) for one in STATES)]
    whole, *parts = run(scope.filter(select(*sums).select_from(joined).where(*conditions), Outage)).one()
    states = dict(zip(STATES, (int(part) for part in parts), strict=True))
    chosen = at.get("state")
    if chosen in STATES:
        conditions.append(_IS[chosen])
    statement = select(outage, _NAME.label("name"), region.c.name.label("place"), region.c.name_en.label("place_en"))
    statement = one_page(statement.select_from(joined).where(*conditions), at, ORDERS, limit, outage.c.id.desc())
    rows = list(run(scope.filter(statement, Outage)))
    return Page(rows, states.get(chosen, int(whole)), states)


def _conditions(at: ListAddress, places: Places, zone: ZoneInfo) -> list[Any]:
    conditions: list[Any] = []
    if places.chosen is not None:
        conditions.append(below(outage.c.place_id, places.chosen))
    if at.get("kind") in list(NodeKind):
        conditions.append(outage.c.kind == at.get("kind"))
    if at.get("cause"):
        conditions.append(outage.c.cause == at.get("cause"))
    begin, end = read_day(at.get("from"), zone), read_day(at.get("until"), zone)
    if begin is not None:
        conditions.append(or_(outage.c.until_at.is_(None), outage.c.until_at >= begin))
    if end is not None:
        conditions.append(outage.c.from_at < end + timedelta(days=1))
    conditions += [func.lower(_NAME).like(like(part), escape="\\") for part in words_of(at.get("q"))]
    return conditions
