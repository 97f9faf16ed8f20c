"""What the judge sees now, for boards and pages: notices wait, this does not."""

from collector.judge import figures
from collector.judge.causes import Cause, Incident
from collector.judge.desk import INFINITY, Desk
from collector.judge.roots import EXPLAINED, HELD, IN, ROOT
from collector.judge.values import GroupKey, IncidentView, NodeView
from collector.judge.words import DOWN, NONE


def incidents(desk: Desk) -> list[IncidentView]:
    """All that is open or will be if nothing changes; what is explained is not among them."""
    views = [
        _view(desk, cluster.incident, sorted(cluster.members), min(cluster.members.values()))
        for cluster in desk.clusters.open.values()
    ]
    alone = [cause for n, cause in sorted(desk.causes.items()) if cause.cluster < 0]
    taken: set[int] = set()
    for cause in alone:
        if cause.node in taken:
            continue
        if cause.open is not None:
            views.append(_view(desk, cause.open, [cause.node], desk.roots.since[cause.node], cause))
        elif desk.roots.kind[cause.node] == ROOT:
            views.append(_pending(desk, cause, taken))
    return views


def _pending(desk: Desk, cause: Cause, taken: set[int]) -> IncidentView:
    n = cause.node
    found = desk.groups.find(desk.layout, desk.roots.since, n, lambda m: desk.causes[m].cluster < 0 and _quiet(desk, m))
    if found is not None and not any(desk.causes[m].open for m in found.members):
        taken.update(found.members)
        first = min(desk.causes[m].key for m in found.members)
        return _view(
            desk, Incident(first, -1, found.group), found.members, min(desk.roots.since[m] for m in found.members)
        )
    last = cause.last
    again = last is not None and desk.roots.since[n] - last.resolved_t <= desk.rules.reopen_s
    key = last.id if last is not None and again else cause.key
    return _view(desk, Incident(key, n), [n], desk.roots.since[n], cause)


def _quiet(desk: Desk, n: int) -> bool:
    return not desk.windows.covers(desk.layout, n, desk.now)


def _view(desk: Desk, incident: Incident, roots: list[int], since: float, cause: Cause | None = None) -> IncidentView:
    out = [n for n in roots if desk.roots.kind[n] == ROOT]
    affected = [n for root in out for n in desk.roots.members.get(root, ())]
    schools, pupils = figures.schools_and_pupils(desk.layout, desk.schools, affected)
    ids = desk.layout.names.ids
    silent = any(desk.roots.kind[n] != IN for n in roots)
    there = desk.layout.nodes[roots[0]] is not None
    return IncidentView(
        key=incident.id,
        root=ids[incident.root] if incident.root >= 0 else None,
        cluster=_cluster(incident),
        status=("open" if silent else "resolving") if incident.opened_t > -INFINITY else "pending",
        since=since,
        affected_ids=[ids[n] for n in sorted(affected)],
        affected=len(affected),
        schools=schools,
        pupils=pupils,
        possible=figures.possible(desk.layout, desk.roots, desk.words, roots[0]) if cause is not None and out else (),
        flapping=cause is not None and (cause.flapping or cause.flap_t is not None),
        in_maintenance=there and all(desk.windows.covers(desk.layout, n, desk.now) for n in roots),
    )


def _cluster(incident: Incident) -> GroupKey | None:
    return incident.cluster


def node_state(desk: Desk, n: int, seen: list[bool]) -> NodeView:
    """One node now; an unasked one is up unless it is known to be out."""
    node, roots = desk.layout.nodes[n], desk.roots
    if node is None:
        return NodeView("never")
    kind, ids = roots.kind[n], desk.layout.names.ids
    if not node.probe:
        if kind == IN:
            return NodeView("up")
        return NodeView("out", ids[roots.root[n]], roots.since[n], kind in (EXPLAINED, HELD), True)
    if not seen[n] or desk.words.word[n] == NONE:
        return NodeView("never")
    out = bool(desk.words.good[n] == DOWN)
    root = ids[roots.root[n]] if kind != IN else None
    unknown_from = desk.words.unknown_since(n, desk.now)
    if unknown_from < INFINITY:
        return NodeView("unknown", root, unknown_from, kind in (EXPLAINED, HELD), out)
    since = roots.since[n] if kind != IN else None
    return NodeView("out" if out else "up", root, since, kind in (EXPLAINED, HELD), out)
