"""From raised rules to incidents: one for each cause. Pure: of (changes, world, time).

Several measures of one node are one incident; what is wrong because the way above it is, belongs to that; many of one group at once are one
incident with a cluster; what is out, or hangs under an outage, is held; maintenance holds the opening. One that comes again is reopened under
its number, and each time has to be quiet for longer before it is resolved, so that flapping costs a handful of notices.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from collector.degraded.cases import Case, Cluster, Past, Wrong, dump, load
from collector.degraded.engine import Change

SETTLE_S = 30.0
"""A case waits so long before it is opened: what is above it, or beside it, may be raised meanwhile."""

GATHER_S = 120.0
"""... so long where others of its group are wrong too."""

HELD_S = 1800.0
"""What is out is held for so long; then its incident is resolved, and all begins anew when it answers."""

REOPEN_S = 3600.0
QUIET_S, MOST_QUIET_S, FORGET_S = 1800.0, 7200.0, 6 * 3600.0
"""Reopened once, it must be quiet for `QUIET_S` before it is resolved, then twice that, ...; what was reopened longer than `FORGET_S` ago does not count."""

SAY_AGAIN_S = 600.0
"""Between two updates of one incident."""

LEAST_OF_CLUSTER, SHARE_OF_CLUSTER = 5, 1 / 3
TOGETHER_S = 900.0
"""Members of a new cluster became wrong within so long."""

SIGNS = 2
"""So many others wrong in the same group are a sign that more may follow."""

Group = tuple[str, str]


class World(Protocol):
    """What the desk asks of everything else."""

    def is_there(self, node: str) -> bool:
        """Whether the plan has it."""

    def is_out(self, node: str) -> bool:
        """Whether it is down, explained or unknown: it is not judged degraded."""

    def outage_of(self, node: str) -> str | None:
        """Key of the outage's incident that it belongs to."""

    def in_maintenance(self, node: str) -> bool:
        """Whether a window covers it."""

    def ups(self, node: str) -> tuple[str, ...]:
        """What it hangs under; any one of them suffices."""

    def groups(self, node: str, measure: str) -> list[Group]:
        """(by, value) of the groups that it is of, the preferred first."""

    def group_size(self, group: Group, measure: str) -> int:
        """How many of a group are measured."""

    def subject_text(self, subject: str, measure: str) -> str:
        """What a subject is called beside its node: the sensor, the port."""


@dataclass
class Outcome:
    """What is to be written. opened, updated ...: (event, key, merged into); changed: keys whose rows are another than before."""

    notices: list[tuple[str, str, str | None]] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    resolved: dict[str, str | None] = field(default_factory=dict)
    """key -> the incident that it was merged into, or None"""
    dropped: list[str] = field(default_factory=list)
    """nodes whose rules begin anew"""
    touched: set[str] = field(default_factory=set)
    """nodes that came to belong to an incident, or left it"""

    def __bool__(self) -> bool:
        return bool(self.notices or self.changed or self.dropped or self.touched)


class Desk:
    """Cases by node, clusters by key. `step` after every look of the engine, and whenever time has gone on."""

    def __init__(self, settle_s: float = SETTLE_S) -> None:
        self.settle_s = settle_s
        self.cases: dict[str, Case] = {}
        self.clusters: dict[str, Cluster] = {}
        self.past: dict[str, Past] = {}
        self.explained: dict[str, str] = {}
        """node -> node above it whose case explains it"""
        self._waits: dict[str, float] = {}
        self._reconciled: set[str] = set()
        self._numbers = 0

    def snapshot(self) -> dict[str, Any]:
        """All of it, for `judge_state`."""
        return dump(self.cases, self.clusters, self.past)

    def restore(self, memory: dict[str, Any]) -> None:
        """Go on from a snapshot. ValueError, KeyError or TypeError where it cannot be read."""
        self.cases, self.clusters, self.past = load(memory)

    def raised(self) -> list[tuple[int, str, float]]:
        """(rule id, subject, time) of all that is wrong, for the engine after a restart."""
        return [
            (wrong.rule_id, wrong.subject, wrong.since) for case in self.cases.values() for wrong in case.wrong.values()
        ]

    def keys(self) -> set[str]:
        """Keys of all incidents that are open."""
        return {case.key for case in self.cases.values() if case.key} | set(self.clusters)

    def key_of(self, node: str) -> str:
        """The incident that a node belongs to; empty: none."""
        case = self.cases.get(node)
        if case is None:
            return ""
        above = self.cases.get(self.explained.get(node, ""))
        return case.key or case.cluster or (above.key or above.cluster if above is not None else "")

    def members(self) -> dict[str, list[str]]:
        """The nodes of every open incident: its own first, then those that it explains; the members of a cluster."""
        found = {case.key: [case.node] for case in self.cases.values() if case.key}
        for node, above in sorted(self.explained.items()):
            upper = self.cases.get(above)
            if upper is not None and upper.key:
                found[upper.key].append(node)
        return found | {key: sorted(cluster.members) for key, cluster in self.clusters.items()}

    def reconcile(self, raised: set[tuple[int, str]], changes: Iterable[Change], now: float) -> None:
        """After another plan, other rules or a restart: what nobody looks at any more is wrong no more. changes: not taken yet."""
        coming = {(change.rule.id, change.subject) for change in changes}
        for case in self.cases.values():
            for key in [key for key in case.wrong if key not in raised and key not in coming]:
                del case.wrong[key]
                self._reconciled |= {case.key or case.cluster} - {""}
                if not case.wrong:
                    case.quiet_since = now

    # -- one step --------------------------------------------------------------------------------------------------

    def step(self, changes: Iterable[Change], world: World, now: float) -> Outcome:
        """Take what was raised and cleared; what follows of it and of the time."""
        out, self._reconciled = Outcome(changed=self._reconciled), set()
        for change in changes:
            self._take(change, world, now, out)
        before = {node: self.key_of(node) for node in self.cases}
        self._look_away(world, now, out)
        self._explain(world, now, out)
        self._gather(world, now, out)
        self._open(world, now, out)
        self._close(now, out)
        self.past = {n: past for n, past in self.past.items() if now - past.resolved_at < FORGET_S}
        after = {node: self.key_of(node) for node in self.cases}
        out.touched |= {node for node in before.keys() | after.keys() if before.get(node, "") != after.get(node, "")}
        return out

    def _take(self, change: Change, world: World, now: float, out: Outcome) -> None:
        case = self.cases.get(change.node)
        key = (change.rule.id, change.subject)
        if change.raised:
            if case is None:
                case = self.cases[change.node] = Case(change.node, now)
            case.wrong[key] = Wrong.of_change(change, world.subject_text(change.subject, change.rule.measure))
            case.quiet_since = None
        elif case is not None and key in case.wrong:
            del case.wrong[key]
            if not case.wrong:
                case.quiet_since = now
        if case is not None:
            out.changed |= {case.key or case.cluster} - {""}

    def _look_away(self, world: World, now: float, out: Outcome) -> None:
        """What is gone from the plan ends; what is out is held, and ends when it has been out for long."""
        for case in list(self.cases.values()):
            if not world.is_there(case.node):
                self._end(case, None, now, out)
            elif not world.is_out(case.node):
                case.out_since = None
            elif case.out_since is None:
                case.out_since = now
                out.changed |= {case.key} - {""}
            elif now - case.out_since >= HELD_S:
                self._end(case, world.outage_of(case.node), now, out)
                self.past.pop(case.node, None)

    def _end(self, case: Case, into: str | None, now: float, out: Outcome) -> None:
        """A case is over, whatever is still raised of it."""
        if case.key:
            self._resolve(case, into, now, out)
        self.cases.pop(case.node, None)
        out.dropped.append(case.node)
        out.touched.add(case.node)

    def _resolve(self, case: Case, into: str | None, now: float, out: Outcome) -> None:
        out.notices.append(("resolved", case.key, into))
        out.resolved[case.key] = into
        if into is None:
            past = self.past.get(case.node)
            reopened = past.reopened if past is not None and past.key == case.key else []
            self.past[case.node] = Past(case.key, now, [t for t in reopened if now - t < FORGET_S])
        case.key = ""

    def _explain(self, world: World, now: float, out: Outcome) -> None:
        """What is wrong with the way to a node because it is wrong above: all its ways are, directly or further up."""
        known: dict[str, str] = {}

        def above(node: str, depth: int = 0) -> str:
            """The nearest wrong node that explains it; empty: none."""
            if node in known or depth > 30:
                return known.get(node, "")
            known[node] = ""
            found = ""
            for up in world.ups(node):
                case = self.cases.get(up)
                found = up if case is not None and case.on_path and case.out_since is None else above(up, depth + 1)
                if not found:
                    break
            known[node] = found
            return found

        before, self.explained = self.explained, {}
        for case in self.cases.values():
            if case.only_path and (root := above(case.node)):
                self.explained[case.node] = root
            elif case.node in before:
                case.since = now  # what it was explained by has mended: it may mend in a moment, too
        for node, root in self.explained.items():
            case, upper = self.cases[node], self.cases[root]
            into = upper.key or upper.cluster
            if case.key and into:
                self._resolve(case, into, now, out)
                out.changed.add(into)

    # -- clusters --------------------------------------------------------------------------------------------------

    def _candidates(self, world: World) -> list[Case]:
        """Cases that may be opened, or may be merged into a cluster."""
        return [
            case
            for case in self.cases.values()
            if case.wrong
            and not case.cluster
            and case.out_since is None
            and case.node not in self.explained
            and not world.in_maintenance(case.node)
        ]

    def _gather(self, world: World, now: float, out: Outcome) -> None:
        free = self._candidates(world)
        self._waits = {case.node: self.settle_s for case in free}
        by_group: dict[tuple[Group, str], list[Case]] = {}
        order: dict[tuple[Group, str], int] = {}
        for case in free:
            for measure in {wrong.measure for wrong in case.wrong.values()}:
                for rank, group in enumerate(world.groups(case.node, measure)):
                    by_group.setdefault((group, measure), []).append(case)
                    order.setdefault((group, measure), rank)
        self._join(by_group, out)
        for found in sorted(by_group, key=lambda key: (-len(by_group[key]), order[key], key)):
            cases = [case for case in by_group[found] if not case.cluster]
            if len(cases) > SIGNS:
                self._waits |= {case.node: GATHER_S * self.settle_s / SETTLE_S for case in cases}
            recent = [case for case in cases if now - case.since <= TOGETHER_S]
            size = world.group_size(*found) if len(recent) >= LEAST_OF_CLUSTER else 0
            if len(recent) >= LEAST_OF_CLUSTER and size >= len(recent) > SHARE_OF_CLUSTER * size:
                self._form(found, recent, now, out)

    def _join(self, by_group: dict[tuple[Group, str], list[Case]], out: Outcome) -> None:
        for cluster in self.clusters.values():
            for case in by_group.get(((cluster.by, cluster.value), cluster.measure), ()):
                if not case.key and not case.cluster:
                    case.cluster = cluster.key
                    cluster.members.add(case.node)
                    out.changed.add(cluster.key)

    def _form(self, found: tuple[Group, str], cases: list[Case], now: float, out: Outcome) -> None:
        (by, value), measure = found
        self._numbers += 1
        key = f"degraded-cluster-{int(now)}-{self._numbers}"
        cluster = Cluster(key, by, value, measure, min(case.since for case in cases), {case.node for case in cases})
        self.clusters[key] = cluster
        cluster.said, cluster.said_at = len(cases), now
        out.notices.append(("opened", key, None))
        out.changed.add(key)
        for case in cases:
            if case.key:
                self._resolve(case, key, now, out)
            case.cluster = key

    # -- opening and closing ---------------------------------------------------------------------------------------

    def _open(self, world: World, now: float, out: Outcome) -> None:
        for case in self._candidates(world):
            if case.key:
                self._worse(case, now, out)
            elif now - case.since >= self._waits.get(case.node, self.settle_s):
                past = self.past.get(case.node)
                again = past is not None and now - past.resolved_at <= REOPEN_S
                case.key = (
                    past.key
                    if again and past is not None
                    else f"degraded-{case.node.replace(':', '-')}-{int(case.since)}"
                )
                if again and past is not None:
                    past.reopened.append(now)
                case.said_severity, case.said_at = case.severity, now
                out.notices.append(("reopened" if again else "opened", case.key, None))
                out.changed.add(case.key)
        for cluster in self.clusters.values():
            n = len(cluster.members)
            if n > 1.5 * cluster.said and now - cluster.said_at >= SAY_AGAIN_S:
                cluster.said, cluster.said_at = n, now
                out.notices.append(("updated", cluster.key, None))

    def _worse(self, case: Case, now: float, out: Outcome) -> None:
        """Say it again where it became worse than was said."""
        said = [case.said_severity, case.severity]
        worse = case.severity != case.said_severity and max(said, key=_rank) == case.severity
        if worse and now - case.said_at >= SAY_AGAIN_S:
            case.said_severity, case.said_at = case.severity, now
            out.notices.append(("updated", case.key, None))

    def _close(self, now: float, out: Outcome) -> None:
        for case in list(self.cases.values()):
            if case.wrong or case.out_since is not None:
                continue
            quiet = now - (case.quiet_since if case.quiet_since is not None else now)
            if case.key and quiet < self._patience(case, now):
                continue
            if case.key:
                self._resolve(case, None, now, out)
            if case.cluster in self.clusters:
                self.clusters[case.cluster].members.discard(case.node)
                out.changed.add(case.cluster)
            del self.cases[case.node]
        for cluster in list(self.clusters.values()):
            cluster.members &= self.cases.keys()
            if not cluster.members:
                out.notices.append(("resolved", cluster.key, None))
                out.resolved[cluster.key] = None
                out.changed.discard(cluster.key)
                del self.clusters[cluster.key]

    def _patience(self, case: Case, now: float) -> float:
        past = self.past.get(case.node)
        times = [t for t in past.reopened if now - t < FORGET_S] if past is not None and past.key == case.key else []
        return min(QUIET_S * 2.0 ** (len(times) - 1), MOST_QUIET_S) if times else 0.0


def _rank(severity: str) -> int:
    return ("", "warning", "minor", "major", "critical").index(severity)
