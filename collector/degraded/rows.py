"""From cases and clusters to rows of `incident`. Pure: of (cases, plan)."""

from collector.degraded.cases import MOST_LISTED, Case, Cluster, worst
from collector.degraded.desk import Desk
from collector.ledger import Row, moment
from collector.plan import Plan
from collector.words import Place, cluster_name, node_name, node_place, region_place, shared_place
from inventory.models import NodeKind, parse_node_id


def place_of(plan: Plan, node: str) -> Place:
    """Where a node is; of a school, its own place."""
    kind, number = parse_node_id(node)
    if kind != NodeKind.school:
        return node_place(plan, node)
    school = plan.school_index.get(number)
    row = plan.schools[school] if school is not None else None
    return region_place(plan, row.place_id, row.duty_id) if row is not None else Place()


def name_of(plan: Plan, node: str) -> str:
    """The name of a node, schools included."""
    kind, number = parse_node_id(node)
    school = plan.school_index.get(number) if kind == NodeKind.school else None
    return plan.schools[school].name if school is not None else node_name(plan, node)


def incident_row(desk: Desk, plan: Plan, key: str, members: dict[str, list[str]]) -> Row | None:
    """What is known now of an incident that is open; None where it is not. members: `desk.members()`."""
    if key in desk.clusters:
        return _cluster_row(desk, plan, desk.clusters[key])
    nodes = members.get(key)
    return _case_row(plan, desk.cases[nodes[0]], nodes) if nodes else None


def _case_row(plan: Plan, case: Case, nodes: list[str]) -> Row:
    kind, number = parse_node_id(case.node)
    measures = [wrong.as_evidence() for wrong in list(case.wrong.values())[:MOST_LISTED]]
    row = _row(place_of(plan, case.node), case.severity, case.since, len(nodes))
    row |= {"root_kind": kind, "root_id": number, "root_name": name_of(plan, case.node)[:160]}
    row |= {"cluster_by": None, "cluster_value": None}
    # What was wrong last stays in the row until it is resolved.
    if measures:
        row["evidence"] = {"measures": measures, "held": case.out_since is not None, "explains": nodes[1:MOST_LISTED]}
    else:
        del row["severity"]
    return row


def _cluster_row(desk: Desk, plan: Plan, cluster: Cluster) -> Row:
    members = [desk.cases[node] for node in sorted(cluster.members) if node in desk.cases]
    row = _row(_cluster_place(plan, cluster), worst([m.severity for m in members]), cluster.since, len(members))
    row |= {"root_kind": None, "root_id": None, "cluster_by": cluster.by, "cluster_value": cluster.value[:160]}
    row["root_name"] = cluster_name(plan, cluster.by, cluster.value)[:160]
    wrong = [w for m in members for w in m.wrong.values() if w.measure == cluster.measure]
    row["evidence"] = {
        "measures": [w.as_evidence() for w in wrong[:5]],
        "measure": cluster.measure,
        "members": [{"node": m.node, "name": name_of(plan, m.node)} for m in members[:MOST_LISTED]],
    }
    return row


def _row(place: Place, severity: str, since: float, affected: int) -> Row:
    return {
        "kind": "degraded",
        "status": "open",
        "severity": severity,
        "place_id": place.place_id,
        "duty_id": place.duty_id,
        "path": place.path,
        "duty_path": place.duty_path,
        "from_at": moment(since),
        "affected": affected,
    }


def _cluster_place(plan: Plan, cluster: Cluster) -> Place:
    """A cluster's place: that of its upstream or region, else what the places of all members share."""
    if cluster.by == "upstream":
        return place_of(plan, cluster.value)
    if cluster.by == "region" and cluster.value.isdigit():
        return region_place(plan, int(cluster.value))
    return shared_place([place_of(plan, node) for node in sorted(cluster.members)[:500]])
