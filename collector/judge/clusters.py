"""Roots that have failed together, as one incident: REPLAY.md, "Clusters"."""

from typing import TYPE_CHECKING

from collector.judge.agenda import CLUSTER
from collector.judge.causes import NEVER, Cause, Cluster, Incident
from collector.judge.roots import IN, ROOT

if TYPE_CHECKING:
    from collector.judge.desk import Desk


class Clusters:
    """Open clusters by number. Their incidents speak through the desk."""

    def __init__(self, desk: "Desk") -> None:
        self.desk = desk
        self.open: dict[int, Cluster] = {}

    def touch(self, number: int) -> None:
        """Work out again what is next for a cluster."""
        desk = self.desk
        cluster = self.open.get(number)
        if cluster is None:
            return
        silent = [m for m in cluster.members if desk.roots.kind[m] != IN]
        failing = [m for m in silent if desk.roots.kind[m] == ROOT]
        if failing:
            desk.watch(cluster.incident, sum(len(desk.roots.members.get(m, ())) for m in failing))
        else:
            cluster.incident.differs_t = None
            for m in silent:
                desk.awaiting.setdefault(desk.roots.root[m], set()).add(-1 - number)
        desk.agenda.put(CLUSTER, number, max(self._next(cluster)[0], desk.now))

    def _next(self, cluster: Cluster) -> tuple[float, str]:
        desk = self.desk
        there = [m for m in cluster.members if desk.layout.nodes[m] is not None and not desk.layout.edge[m]]
        silent = [m for m in there if desk.roots.kind[m] != IN]
        if not silent:
            answered = max((desk.causes[m].changed_t for m in there), default=NEVER)
            return (answered + desk.rules.resolve_wait_s if there else NEVER), "resolve"
        if any(desk.roots.kind[m] == ROOT for m in silent):
            return desk.update_due(cluster.incident), "update"
        explained_t = max(desk.causes[m].explained_t for m in silent)
        return min(desk.merge_due(root, explained_t) for root in {desk.roots.root[m] for m in silent}), "merge"

    def _free(self, n: int) -> bool:
        desk = self.desk
        return desk.causes[n].cluster < 0 and not desk.windows.covers(desk.layout, n, desk.now)

    def gather(self, cause: Cause) -> bool:
        """Whether a due root joins a cluster, or makes one with others."""
        desk = self.desk
        if self.join(cause):
            return True
        found = desk.groups.find(desk.layout, desk.roots.since, cause.node, self._free)
        if found is None:
            return False
        desk.number += 1
        incident = Incident(f"{desk.series}{desk.number}", -1, found.group)
        cluster = Cluster(desk.number, incident, {})
        self.open[cluster.number] = cluster
        for m in found.members:
            self._enter(cluster, m, desk.now)
        desk.opened += 1
        incident.opened_t = desk.now
        desk.say(incident, "opened", desk.figures_of(found.members), ())
        for m in found.members:
            desk.touch(m)
        self.touch(cluster.number)
        desk.wake_awaiting(found.members)
        return True

    def join(self, cause: Cause) -> bool:
        """Whether a root falls silent near a member of an open cluster of one of its groups; those near it come along."""
        desk = self.desk
        n = cause.node
        since = desk.roots.since
        if cause.cluster >= 0:
            self.open[cause.cluster].members[n] = since[n]
            return True
        for cluster in self.open.values():
            group = cluster.incident.cluster
            if (
                group not in desk.layout.groups[n]
                or not self._free(n)
                or not desk.groups.near(cluster.members, since[n])
            ):
                continue
            self._enter(cluster, n, desk.now + desk.rules.settle_s)
            others = (m for m in desk.groups.roots.get(group, ()) if self._free(m))
            for m in desk.groups.linked(cluster.members.values(), others, since):
                self._enter(cluster, m, desk.now + desk.rules.settle_s)
                desk.touch(m)
                desk.wake_awaiting([m])
            desk.touch(n)
            self.touch(cluster.number)
            desk.wake_awaiting([n])
            return True
        return False

    def _enter(self, cluster: Cluster, n: int, joined_t: float) -> None:
        desk = self.desk
        cause = desk.causes[n]
        cluster.members[n] = desk.roots.since[n]
        cause.cluster, cause.joined_t = cluster.number, joined_t
        desk.groups.forget_chains()
        cause.end_flapping()

    def act(self, number: int) -> None:
        """A cluster is due."""
        desk = self.desk
        cluster = self.open.get(number)
        if cluster is None:
            return
        due, step = self._next(cluster)
        if due > desk.now:
            self.touch(number)
            return
        incident = cluster.incident
        if step == "update":
            desk.say(incident, "updated", desk.figures_of(self._failing(cluster)), ())
            self.touch(number)
            return
        into: Incident | None = None
        if step == "merge":
            others = {desk.roots.root[m] for m in cluster.members if desk.roots.kind[m] != IN}
            ready = [root for root in sorted(others) if desk.incident_of(root) is not None]
            into = desk.incident_of(ready[0])
            desk.merged += 1
        # members that were open on their own before, and not yet merged, are merged first
        for m in sorted(cluster.members):
            if desk.causes[m].open is not None:
                desk.resolve(desk.causes[m], incident)
        desk.say(incident, "resolved", incident.said, (), merged_into=into.id if into else None)
        del self.open[number]
        desk.groups.forget_chains()
        for m in sorted(cluster.members):
            desk.causes[m].cluster = -1
            desk.causes[m].end_flapping()
            desk.touch(m)

    def _failing(self, cluster: Cluster) -> list[int]:
        return [m for m in cluster.members if self.desk.roots.kind[m] == ROOT]
