"""What is said of causes and clusters, and when: REPLAY.md, from "Incidents" to "Notices".

Each subject (a cause, a cluster) has one next step, worked out from what is true now (`_next`); the agenda wakes it when that is
due, and it is worked out again before anything is said. So nothing is ever said for what has meanwhile changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from collector.judge import figures
from collector.judge.agenda import CAUSE, Agenda
from collector.judge.causes import NEVER, Cause, Incident
from collector.judge.clusters import Clusters
from collector.judge.groups import Groups
from collector.judge.roots import EXPLAINED, HELD, IN, ROOT, Change, Roots
from collector.judge.topology import Layout
from collector.judge.values import Event, Notice, Rules
from collector.judge.windows import Windows
from collector.judge.words import Words

INFINITY = float("inf")


@dataclass(slots=True)
class Desk:
    """The state of all that is or was said. now: the judge's time. wait_s: from a cause to its `opened`."""

    rules: Rules
    words: Words
    roots: Roots
    schools: figures.Schools
    windows: Windows
    agenda: Agenda
    groups: Groups
    causes: dict[int, Cause]
    waiting: set[int]
    awaiting: dict[int, set[int]]
    outbox: list[Notice]
    layout: Layout
    clusters: Clusters = field(init=False)
    series: str = "i"
    now: float = NEVER
    wait_s: float = 20.0
    number: int = 0
    opened: int = 0
    merged: int = 0
    notices: int = 0

    def __post_init__(self) -> None:
        self.clusters = Clusters(self)

    # -- what happened

    def apply(self, changes: Iterable[Change], t: float, taken_back: frozenset[int] = frozenset()) -> None:
        """Take in what settled at t. taken_back: nodes whose silence of t never was."""
        touched: set[int] = set()
        new_roots: list[int] = []
        for change in changes:
            n, cause = change.node, self.causes.get(change.node)
            self.groups.follow(self.layout, change)
            if change.kind == ROOT:
                if cause is None:
                    cause = self.causes[n] = Cause(n)
                if change.was == IN:
                    cause.fall_silent(t, self.rules)
                cause.become_root(t)
                cause.key = cause.key or self.new_id()
                new_roots.append(n)
            elif cause is not None:
                self._explain_or_answer(cause, change, t, n in taken_back)
            touched.update((n, change.root, change.was_root))
        for n in new_roots:
            self.clusters.join(self.causes[n])
        touched.discard(-1)
        self._touch_all(touched)

    def _explain_or_answer(self, cause: Cause, change: Change, t: float, taken_back: bool) -> None:
        if change.kind == IN:
            if taken_back and self.roots.since[cause.node] == t:
                cause.take_back()
            else:
                cause.changed_t = t
        elif change.was == IN:
            cause.changed_t = cause.explained_t = t
        elif change.was == ROOT:
            cause.be_explained(t, self.wait_s)
        elif change.kind == EXPLAINED:
            cause.explained_t = t

    def windows_changed(self) -> None:
        """Windows were taken away: what they kept quiet may speak."""
        for cause in self.causes.values():
            if cause.blocked_until is not None:
                covered = self.layout.nodes[cause.node] is not None and self.windows.covers(
                    self.layout, cause.node, self.now
                )
                if not covered:
                    cause.blocked_until, cause.floor_t = None, self.now
        self.touch_all_known()

    def see_again(self, n: int, t: float, unknown_from: float) -> None:
        """A waiting root is seen again at t."""
        self.causes[n].see_again(t, unknown_from)
        self.touch(n)

    def touch_all_known(self) -> None:
        """Look at everything anew: the topology has changed."""
        self._touch_all(self.causes)

    def _touch_all(self, nodes: Iterable[int]) -> None:
        clusters: set[int] = set()
        for n in sorted(nodes):
            cause = self.causes.get(n)
            if cause is not None:
                if cause.cluster >= 0:
                    clusters.add(cause.cluster)
                self.touch(n)
        for number in sorted(clusters):
            self.clusters.touch(number)

    def touch(self, n: int) -> None:
        """Work out again what is next for a cause."""
        cause, kind = self.causes[n], self.roots.kind[n]
        incident = cause.open
        if incident is not None:
            if cause.cluster < 0 and kind == ROOT and not cause.flapping and cause.flap_t is None:
                self.watch(incident, len(self.roots.members.get(n, ())))
            else:
                incident.differs_t = None
            if kind in (EXPLAINED, HELD):
                self.awaiting.setdefault(self.roots.root[n], set()).add(n)
        (self.waiting.add if self.waits(n) else self.waiting.discard)(n)
        due = self._next(cause)[0]
        self.agenda.put(CAUSE, n, max(due, self.now))

    def waits(self, n: int) -> bool:
        """Whether a cause has something to say of which unknown time does not count."""
        cause = self.causes[n]
        return cause.flap_t is not None or (self.roots.kind[n] == ROOT and cause.open is None and cause.cluster < 0)

    def watch(self, incident: Incident, affected: int) -> None:
        if not incident.differs(affected, self.rules.shrink_updates):
            incident.differs_t = None
        elif incident.differs_t is None:
            incident.differs_t = self.now

    # -- what is next

    def _next(self, cause: Cause) -> tuple[float, str]:
        """(when, what) of the next step of a cause; never: (infinity, "")."""
        n, incident = cause.node, cause.open
        kind = self.roots.kind[n]
        if self.layout.nodes[n] is None or self.layout.edge[n]:
            return (NEVER, "resolve") if incident else (INFINITY, "")
        if cause.cluster >= 0:
            return (cause.joined_t, "merge into cluster") if incident else (INFINITY, "")
        steps: list[tuple[float, str]] = [(INFINITY, "")]
        if incident is not None and kind in (EXPLAINED, HELD):
            steps.append((self.merge_due(self.roots.root[n], cause.explained_t), "merge"))
        if cause.flapping:
            steps.append((self._calm_due(cause), "calm"))
            if incident is None and not cause.flap_said and kind == ROOT:
                steps.append((self._open_due(cause), "open"))
            return min(steps)
        if cause.flap_t is not None:
            steps.append((self._flap_due(cause), "flap"))
        elif incident is None and kind == ROOT:
            steps.append((self._open_due(cause), "open"))
        if incident is not None and kind == IN:
            steps.append((cause.changed_t + self.rules.resolve_wait_s, "resolve"))
        if incident is not None and kind == ROOT and cause.again_t is not None:
            steps.append((cause.again_t + self.wait_s, "gather"))
        if incident is not None:
            steps.append((self.update_due(incident), "update"))
        return min(steps)

    def _open_due(self, cause: Cause) -> float:
        if cause.suspended:
            return INFINITY
        start = max(cause.cause_t, cause.floor_t)
        due = start + self.wait_s + cause.unseen_s(start)
        return due if cause.blocked_until is None else max(due, cause.blocked_until)

    def _flap_due(self, cause: Cause) -> float:
        if cause.suspended or cause.flap_t is None:
            return INFINITY
        due = cause.flap_t + self.wait_s + cause.unseen_s(cause.flap_t)
        return max(due, cause.open.updated_t + self.rules.update_every_s) if cause.open else due

    def _calm_due(self, cause: Cause) -> float:
        """That a root is silent for good is said by `updated`, and so not sooner after the last notice than any other."""
        due = cause.changed_t + cause.quiet_s
        if cause.open is None or self.roots.kind[cause.node] == IN:
            return due
        return max(due, cause.open.spoke_t + self.rules.update_every_s)

    def update_due(self, incident: Incident) -> float:
        if incident.differs_t is None:
            return INFINITY
        return max(incident.differs_t + self.rules.settle_s, incident.spoke_t + self.rules.update_every_s)

    def merge_due(self, root: int, explained_t: float) -> float:
        """At once when the other is opened; where it was open before, after a while: it may have been a glitch."""
        other = self.incident_of(root)
        if other is None:
            return INFINITY
        return other.opened_t if other.opened_t > explained_t else explained_t + self.rules.settle_s

    def incident_of(self, n: int) -> Incident | None:
        """The open incident of node n, or of its cluster."""
        cause = self.causes.get(n)
        if cause is None:
            return None
        return self.clusters.open[cause.cluster].incident if cause.cluster >= 0 else cause.open

    # -- what is said

    def act(self, n: int) -> None:
        """A cause is due."""
        cause = self.causes[n]
        due, step = self._next(cause)
        if due <= self.now:
            if step == "open":
                self._open(cause, due)
            elif step == "flap":
                self._flap(cause, due)
            elif step == "calm":
                self._calm(cause)
            elif step == "update":
                self._update(cause)
            elif step == "gather":
                self._gather_again(cause, due)
            elif step == "resolve":
                self.resolve(cause)
            elif step == "merge":
                self.resolve(cause, self.incident_of(self.roots.root[n]))
            else:
                self.resolve(cause, self.clusters.open[cause.cluster].incident)
        self.touch(n)

    def _open(self, cause: Cause, due: float) -> None:
        if self._not_seen(cause, due):
            return
        n = cause.node
        if cause.blocked_until is not None and cause.blocked_until <= self.now:
            cause.floor_t, cause.blocked_until = cause.blocked_until, None
        waited = cause.floor_t + self.wait_s + cause.unseen_s(cause.floor_t) <= self.now
        if self.windows.covers(self.layout, n, self.now):
            cause.blocked_until = self.windows.next_end(self.layout, n, self.now)
        elif waited and not self.clusters.gather(cause):
            self._say_opened(cause, flapping=cause.flapping)
            cause.flap_said = cause.flapping

    def _gather_again(self, cause: Cause, due: float) -> None:
        """A root whose incident goes on has fallen silent anew: with others, it may be."""
        if self.unknown_since(cause.node, self.now) <= due:
            cause.again_t = self.now  # nobody sees: after another wait
            return
        cause.again_t = None
        if not self.windows.covers(self.layout, cause.node, self.now):
            self.clusters.gather(cause)

    def _flap(self, cause: Cause, due: float) -> None:
        if self._not_seen(cause, due):
            return
        n, kind = cause.node, self.roots.kind[cause.node]
        quiet = self.windows.covers(self.layout, n, self.now)
        if kind == ROOT and cause.open is None and not quiet and self.clusters.gather(cause):
            return
        assert cause.flap_t is not None
        cause.begin_flapping(cause.flap_t, self.rules)
        if cause.open is not None:
            self.say(cause.open, "updated", self.figures_of([n]), self._possible(n), flapping=True)
            cause.flap_said = True
        elif kind in (ROOT, IN) and not quiet:
            self._say_opened(cause, flapping=True)
            cause.flap_said = True

    def _calm(self, cause: Cause) -> None:
        n = cause.node
        cause.end_flapping()
        if cause.open is None:
            return
        if self.roots.kind[n] == IN:
            self.resolve(cause)
        else:
            self.say(cause.open, "updated", self.figures_of([n]), self._possible(n))

    def _update(self, cause: Cause) -> None:
        assert cause.open is not None
        self.say(cause.open, "updated", self.figures_of([cause.node]), self._possible(cause.node))

    def resolve(self, cause: Cause, into: Incident | None = None) -> None:
        incident = cause.open
        assert incident is not None
        cause.open = None
        cause.last = None if into or self.layout.nodes[cause.node] is None else incident
        if into:
            self.merged += 1
        incident.resolved_t = self.now
        self.say(incident, "resolved", incident.said, incident.possible, merged_into=into.id if into else None)

    def _say_opened(self, cause: Cause, flapping: bool) -> None:
        n, last = cause.node, cause.last
        again = last is not None and self.roots.since[n] - last.resolved_t <= self.rules.reopen_s
        if last is not None and again:
            incident = last
        else:
            incident = Incident(cause.key or self.new_id(), n)
            cause.key = ""
            self.opened += 1
        cause.open, cause.last = incident, None
        incident.opened_t = self.now
        self.say(
            incident, "reopened" if again else "opened", self.figures_of([n]), self._possible(n), flapping=flapping
        )
        self.wake_awaiting([n])

    def wake_awaiting(self, roots: Iterable[int]) -> None:
        for root in roots:
            for n in sorted(self.awaiting.pop(root, ())):
                if n >= 0:
                    self.touch(n)
                else:
                    self.clusters.touch(-1 - n)

    def say(
        self,
        incident: Incident,
        event: Event,
        said: tuple[int, int, int],
        possible: tuple[str, ...],
        flapping: bool = False,
        merged_into: str | None = None,
    ) -> None:
        root = self.layout.names.ids[incident.root] if incident.root >= 0 else None
        before = incident.said[0]
        incident.said, incident.possible, incident.spoke_t, incident.differs_t = said, possible, self.now, None
        if event == "updated":
            incident.updated_t = self.now
            incident.shrinks += said[0] < before
        elif event != "resolved":
            incident.shrinks = 0
        self.notices += 1
        self.outbox.append(
            Notice(self.now, event, incident.id, root, possible, incident.cluster, *said, flapping, merged_into)
        )

    def figures_of(self, roots: Iterable[int]) -> tuple[int, int, int]:
        affected = [n for root in roots for n in self.roots.members.get(root, ())]
        return len(affected), *figures.schools_and_pupils(self.layout, self.schools, affected)

    def _possible(self, n: int) -> tuple[str, ...]:
        return figures.possible(self.layout, self.roots, self.words, n)

    def new_id(self) -> str:
        self.number += 1
        return f"{self.series}{self.number}"

    # -- who sees it

    def watchers(self, n: int) -> list[int]:
        """The asked nodes by whose words node n is judged: any one of them seen, n is known."""
        if self.layout.asked[n]:
            return [n]
        node = self.layout.nodes[n]
        if node is not None and node.port and n in self.roots.port_down:
            return [self.layout.names.number[node.port[0]]]
        return self.layout.dependants.get(n, [])

    def unknown_since(self, n: int, t: float) -> float:
        """Since when nobody sees node n; infinity where it is seen."""
        watchers = self.watchers(n)
        return max((self.words.unknown_since(w, t) for w in watchers), default=INFINITY)

    def _not_seen(self, cause: Cause, due: float) -> bool:
        """Whether nobody saw it when it was due. It may have been due in the past: a good report came late, after a blind one."""
        cause.suspended = self.unknown_since(cause.node, self.now) <= due
        return cause.suspended
