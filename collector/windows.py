"""Maintenance windows, from the register to the judge's nodes."""

from typing import Any, NamedTuple

from collector.plan import Plan
from inventory.database import Register
from inventory.models import Maintenance, NodeKind, table, utcnow


class WindowRow(NamedTuple):
    """A window of work that has not ended: on a node, or on a region with all that lies in it. Seconds since the epoch."""

    kind: str | None
    node_id: int | None
    region_id: int | None
    from_t: float
    until_t: float


class WindowRows(tuple[WindowRow, ...]):
    """All windows that have not ended."""


def read_windows(register: Register) -> WindowRows:
    """One SELECT."""
    row: Any = table(Maintenance)
    columns = (row.c.kind, row.c.node_id, row.c.region_id, row.c.from_at, row.c.until_at)
    query = row.select().with_only_columns(*columns).where(row.c.until_at > utcnow()).order_by(row.c.id)
    with register.engine.connect() as connection:
        return WindowRows(
            WindowRow(
                NodeKind(kind).value if kind is not None else None, node, region, start.timestamp(), end.timestamp()
            )
            for kind, node, region, start, end in connection.execute(query)
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
