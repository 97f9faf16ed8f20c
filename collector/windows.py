"""Maintenance windows, from the register to the judge's nodes."""

from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import select

from collector.plan import Plan
from inventory.calendars.windows import spans_between
from inventory.database import Register
from inventory.models import Maintenance, NodeKind, table, utcnow

AHEAD = timedelta(days=2)
"""Windows that begin later are not told to the judge yet; they are read again every second."""


class WindowRow(NamedTuple):
    """A window of work that has not ended, of a repeating one an occurrence: on a node, or on a region with all that lies in it.

    Seconds since the epoch.
    """

    kind: str | None
    node_id: int | None
    region_id: int | None
    from_t: float
    until_t: float


class WindowRows(tuple[WindowRow, ...]):
    """All windows that go on or begin soon."""


def read_windows(register: Register) -> WindowRows:
    """Three SELECTs."""
    row: Any = table(Maintenance)
    now = utcnow()
    with register.session() as session:
        spans = spans_between(session, now, now + AHEAD)
        if not spans:
            return WindowRows()
        numbers = {number for number, _, _ in spans}
        columns = (row.c.id, row.c.kind, row.c.node_id, row.c.region_id)
        of = {one.id: one for one in session.connection().execute(select(*columns).where(row.c.id.in_(numbers)))}
    return WindowRows(
        WindowRow(
            NodeKind(of[number].kind).value if of[number].kind is not None else None,
            of[number].node_id,
            of[number].region_id,
            start.timestamp(),
            end.timestamp(),
        )
        for number, start, end in spans
        if number in of
    )


def window_nodes(plan: Plan, window: WindowRow) -> list[str]:
    """The judge's nodes that a window covers itself; what hangs under them the judge knows."""
    if window.region_id is not None:
        region = plan.regions.get(window.region_id)
        if region is None:
            return []
        inside = {r.id for r in plan.regions.values() if r.path.startswith(region.path)}
        return [node.id for node in plan.nodes if node.region is not None and int(node.region) in inside]
    if window.kind == NodeKind.school:
        school = plan.school_index.get(window.node_id or -1)
        return [
            node.id
            for node, of in zip(plan.nodes, plan.node_school.tolist(), strict=True)
            if of == school and school is not None
        ]
    name = f"{window.kind}:{window.node_id}"
    if name in plan.node_index:
        return [name]
    if window.kind == NodeKind.site:
        return [f"device:{d.id}" for d in plan.devices.values() if d.site_id == window.node_id]
    return []
