"""From what the judge sees to rows of `incident` and `notice`. Pure: of (views, plan, school states)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.judge.values import IncidentView, Notice
from collector.ledger import Row, moment
from collector.plan import Plan
from collector.schools import DOWN
from collector.words import Place, cluster_name, node_name, node_place, region_place, severity, shared_place
from inventory.models import parse_node_id

MOST_CUT = 200
"""Schools that an incident lists by id."""


@dataclass(frozen=True)
class Context:
    """What rows are made from beside the view itself. schools: codes by school, in the plan's order."""

    plan: Plan
    schools: NDArray[np.uint8]


def incident_row(view: IncidentView, affected: list[str], context: Context) -> Row:
    """All that is known of an incident now, but for `said_*`, `opened_at` and `resolved_at`."""
    plan = context.plan
    place = _place(view, affected, plan)
    row: Row = {
        "kind": "outage",
        "status": "pending" if view.status == "pending" else "open",
        "severity": severity(plan, view.root, view.schools, view.pupils),
        "root_kind": None,
        "root_id": None,
        "cluster_by": None,
        "cluster_value": None,
        "possible": list(view.possible),
        "place_id": place.place_id,
        "duty_id": place.duty_id,
        "path": place.path,
        "duty_path": place.duty_path,
        "from_at": moment(view.since),
        "affected": view.affected,
        "schools": view.schools,
        "pupils": view.pupils,
        "flapping": view.flapping,
        "cut": cut_schools(view.root, affected, context),
        "evidence": {"maintenance": view.in_maintenance, "resolving": view.status == "resolving"},
    }
    if view.root is not None:
        row["root_kind"], row["root_id"] = parse_node_id(view.root)
        row["root_name"] = node_name(plan, view.root)[:160]
    elif view.cluster is not None:
        row["cluster_by"], row["cluster_value"] = view.cluster
        row["root_name"] = cluster_name(plan, *view.cluster)[:160]
    return row


def cut_schools(root: str | None, affected: Iterable[str], context: Context) -> list[int]:
    """Ids of the schools that it cuts off, most pupils first."""
    plan = context.plan
    touched: set[int] = set()
    for node in affected:
        i = plan.node_index.get(node)
        if i is not None and plan.node_school[i] >= 0:
            touched.add(int(plan.node_school[i]))
    if root is not None and root.startswith("line:"):
        touched |= set(plan.line_schools.get(parse_node_id(root)[1], ()))
    cut = [plan.schools[school] for school in touched if context.schools[school] == DOWN]
    return [school.id for school in sorted(cut, key=lambda s: (-(s.pupils or 0), s.id))[:MOST_CUT]]


def _place(view: IncidentView, affected: list[str], plan: Plan) -> Place:
    if view.root is not None:
        return node_place(plan, view.root)
    if view.cluster is not None:
        by, value = view.cluster
        if by == "upstream" and value in plan.node_index:
            return node_place(plan, value)
        if by == "region" and value.isdigit():
            return region_place(plan, int(value))
    return shared_place([node_place(plan, node) for node in affected[:500]])


def notice_rows(notice: Notice) -> tuple[Row, Row]:
    """(what the notice changes of its incident, the row of `notice`)."""
    at = moment(notice.t)
    figures = {"affected": notice.affected, "schools": notice.schools, "pupils": notice.pupils}
    row: Row = {
        "event": notice.event,
        "at": at,
        "incident_key": notice.incident,
        "flapping": notice.flapping,
        **figures,
    }
    change: dict[str, Any] = {f"said_{name}": figure for name, figure in figures.items()} | {
        "flapping": notice.flapping
    }
    if notice.event == "resolved":
        change |= {"status": "resolved", "resolved_at": at}
        if notice.merged_into is not None:
            change |= {"status": "merged", "merged_key": notice.merged_into}
            row["merged_key"] = notice.merged_into
    else:
        change["status"] = "open"
        if notice.event == "opened":
            change["opened_at"] = at
        else:
            change["resolved_at"] = None
    return change, row
