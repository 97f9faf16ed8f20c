"""What was told: the log of deliveries."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from api.pages.listing import ListAddress, Page, one_page
from inventory.models import Delivery, table
from inventory.scope import Scope

delivery = table(Delivery)

FILTERS = ("outlet", "incident", "state")
ORDERS: Mapping[str, Any] = {"queued": delivery.c.queued_at, "delay": delivery.c.delay_s}


def recent_deliveries(frame: Any, outlet: int, most: int = 20) -> Sequence[Any]:
    """The last deliveries through an outlet, the newest first."""
    statement = select(delivery).where(delivery.c.outlet_id == outlet).order_by(delivery.c.id.desc()).limit(most)
    rows: Sequence[Any] = frame.session.connection().execute(frame.scope.filter(statement, Delivery)).all()
    return rows


def list_deliveries(session: Session, scope: Scope, at: ListAddress, limit: int) -> Page:
    """One page of the log. `states` counts by status."""
    conditions = []
    for name, column in (("outlet", delivery.c.outlet_id), ("incident", delivery.c.incident_id)):
        if at.get(name).isdecimal() and len(at.get(name)) < 10:
            conditions.append(column == int(at.get(name)))
    run = session.connection().execute
    counted = select(delivery.c.status, func.count()).where(*conditions).group_by(delivery.c.status)
    states = {str(row[0]): int(row[1]) for row in run(scope.filter(counted, Delivery))}
    chosen = at.get("state")
    total = states.get(chosen, 0) if chosen else sum(states.values())
    statement = select(delivery).where(*conditions)
    if chosen:
        statement = statement.where(delivery.c.status == chosen)
    statement = one_page(statement, at, ORDERS, limit, delivery.c.id.desc())
    return Page(list(run(scope.filter(statement, Delivery))), total, states)
