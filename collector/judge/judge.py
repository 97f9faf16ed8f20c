"""The judge: reports, topology and time go in, notices come out. Pure: no clock, no I/O.

It holds the parts together and owns the time; what each rule means is decided in `roots` (who is out and why), `desk` (what is said and when),
`record` (down time).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from collector.judge import view
from collector.judge.agenda import CAUSE, CLUSTER, HOLD, Agenda
from collector.judge.causes import NEVER
from collector.judge.desk import INFINITY, Desk
from collector.judge.figures import Schools
from collector.judge.follow import Follower
from collector.judge.groups import Groups
from collector.judge.record import Record
from collector.judge.roots import HELD, Change, Roots
from collector.judge.topology import Layout, Names, check
from collector.judge.unseen import recount
from collector.judge.values import IncidentView, Node, NodeView, Notice, Rules, Transition, UnknownNodeError, plain
from collector.judge.windows import Windows
from collector.judge.words import BLIND, DOWN, EPSILON, UP, Heard, Mask, Numbers, Words
from collector.report import Asked, RoundReport

TickKey = tuple[str, int, int]


class Judge:
    """Judges one network. follow: keep transitions for `drain_transitions`. series: what incident ids begin with."""

    def __init__(self, rules: Rules | None = None, follow: bool = True, series: str = "i") -> None:
        self.rules = rules or Rules()
        self.at: datetime | None = None
        self.now = NEVER
        self.names = Names()
        self.seen: list[bool] = []
        self.answered_late: set[int] = set()
        self.port_words: dict[tuple[str, str], tuple[float, bool]] = {}
        self.ticks: dict[TickKey, float] = {}
        self.everys: dict[tuple[str, int], float] = {}
        self.words = Words(self.rules.gap_rounds)
        self.record = Record(self.rules.gap_rounds, self.rules.record_s)
        self.roots = Roots(self.rules.hold_s)
        self.windows = Windows()
        self.agenda = Agenda()
        self.layout = Layout([], self.names)
        self.layout.work_out([])
        self.roots.relayout(self.layout, [])
        self.follower = Follower(follow)
        self.desk = self._new_desk(series)
        self._asked_cache: dict[int, tuple[Asked, Numbers]] = {}

    def _new_desk(self, series: str) -> Desk:
        return Desk(
            rules=self.rules,
            words=self.words,
            roots=self.roots,
            schools=Schools(),
            windows=self.windows,
            agenda=self.agenda,
            groups=Groups(self.rules),
            causes={},
            waiting=set(),
            awaiting={},
            outbox=[],
            layout=self.layout,
            series=series,
            wait_s=self.rules.open_wait_s,
        )

    # -- in

    def start(self, at: datetime | None) -> None:
        """When t = 0 was, for calendars. Alone it changes no notice."""
        self.at = at

    def set_topology(self, t: float, nodes: Sequence[Node]) -> None:
        """Replace the whole topology at t; states of nodes that remain go on. Raises TopologyError, and then nothing has changed."""
        ordered = check(nodes, self.names)
        self._pass_to(t)
        before = {n for n, node in enumerate(self.layout.nodes) if node is not None}
        for node in ordered:
            self._admit(node, before)
        size = len(self.names)
        self.words.grow(size)
        self.record.grow(size)
        self.roots.grow(size)
        for n, node in ((self.names.number[node.id], node) for node in ordered):
            if not self.seen[n]:
                self.record.counts_from[n] = np.inf
            elif self.record.counts_from[n] == np.inf and node.seen:
                self.record.counts_from[n] = self.now
        self.layout = self.desk.layout = Layout(ordered, self.names)
        self._asked_cache.clear()
        gone = before - set(self.layout.order)
        for n in gone:
            self.words.forget(n)
            self.seen[n] = False
            if n in self.desk.causes:
                self.desk.causes[n].last = None
        self.roots.port_down = self.port_nodes_down()
        self._settle_all(self.now, gone)
        self.desk.touch_all_known()

    def _admit(self, node: Node, before: set[int]) -> None:
        n = self.names.add(node.id)
        if n == len(self.seen):
            self.seen.append(node.seen)
        elif node.seen or n not in before:
            self.seen[n] = node.seen or self.seen[n]

    def take_round(self, report: RoundReport) -> None:
        """Take a round in. Raises UnknownNodeError, and then nothing has changed."""
        idx, silent = self._numbers(report)
        self._pass_to(report.t)
        t = self._time_of(report)
        self._wait_for(report)
        unseen = self._unseen_waiting(idx, t) if report.self_ok else {}
        heard = self.words.hear(idx, silent, report.self_ok, t, report.every)
        self.record.add(t, report.every, report.self_ok, idx, idx[silent])
        within = self.words.within_blindness(idx, t)
        if len(within):
            self.words.see_within(within, report.self_ok, t, report.every, self.record.first_after(within, t))
        dirty, relayout = self._hush(heard)
        if report.self_ok:
            relayout |= self._see(idx, silent, heard)
            dirty += self._ports(report, t)
        changes = self._settle_all(t) if relayout else self._settle(dirty, t, frozenset(heard.taken_back.tolist()))
        for n, since in unseen.items():
            if self.desk.unknown_since(n, t) > t and n in self.desk.waiting:
                self.desk.see_again(n, t, since)
        if len(heard.behind) and self.desk.waiting:
            recount(self.desk, self.record, heard.behind)
        if len(heard.late):
            self._amend(heard.late, t)
        self.follower.follow(self, t, heard, changes)

    def take_maintenance(self, t: float, node: str, from_: float, to: float) -> None:
        """A window of work on a node. Raises UnknownNodeError."""
        n = self.names.number.get(node)
        if n is None:
            raise UnknownNodeError(node, "a window")
        self._pass_to(t)
        self.windows.add(n, from_, to)

    def set_maintenance(self, t: float, windows: Iterable[tuple[str, float, float]]) -> None:
        """Replace all windows, each (node, from, to): for a register where they are changed and taken back. Raises UnknownNodeError."""
        numbered = []
        for node, from_, to in windows:
            if node not in self.names.number:
                raise UnknownNodeError(node, "a window")
            numbered.append((self.names.number[node], from_, to))
        self._pass_to(t)
        self.windows.by_node.clear()
        for n, from_, to in numbered:
            self.windows.add(n, from_, to)
        self.desk.windows_changed()

    def take_trap(self, t: float, node: str, trap: str) -> None:
        """A trap is evidence of the cause; alone it changes no verdict."""
        self._pass_to(t)

    def advance(self, now: float) -> list[Notice]:
        """Let time go on to `now`, that included. Returns all notices since the last call, in order of t."""
        self._fire(now, inclusive=True)
        self._set_now(now)
        return self.take_notices()

    def take_notices(self) -> list[Notice]:
        """All notices since the last call, in order of t, without letting time go on."""
        notices, self.desk.outbox = self.desk.outbox, []
        return notices

    def next_due(self) -> float | None:
        """When something falls due, if nothing else comes."""
        return self.agenda.first()

    # -- out

    def summary(self) -> dict[str, Any]:
        """The `summary` line of a replay: seconds up to each node's last report."""
        sums = self.record.sums()
        ids = self.names.ids

        def above_zero(seconds: Any) -> dict[str, float]:
            return {ids[n]: plain(float(seconds[n])) for n in np.flatnonzero(np.round(seconds, 6) > 0).tolist()}

        return {
            "kind": "summary",
            "incidents": self.desk.opened - self.desk.merged,
            "notices": self.desk.notices,
            "down_seconds": above_zero(sums.down),
            "unknown_seconds": above_zero(sums.unknown),
        }

    def drain_transitions(self) -> list[Transition]:
        """What changed since the last call, in order of arrival (values.Transition)."""
        return self.follower.drain(self)

    def incidents(self) -> list[IncidentView]:
        """What the judge sees now, without waiting for notices to be due."""
        return view.incidents(self.desk)

    def in_maintenance(self, node: str) -> bool:
        """Whether a window covers a node now: its own, or those of all above it. False for one that is not known."""
        n = self.names.number.get(node)
        if n is None or n >= len(self.layout.nodes) or self.layout.nodes[n] is None:
            return False
        return self.desk.windows.covers(self.layout, n, self.desk.now)

    def node_state(self, node: str) -> NodeView:
        """One node now. Raises KeyError for an id that never was."""
        return view.node_state(self.desk, self.names.number[node], self.seen)

    def spans_of(self, nodes: Sequence[str], since: float, until: float) -> list[tuple[tuple[float, float, str], ...]]:
        """What is known of each node between its last word before `since` and its first after `until`, as `Transition.amends` has it."""
        numbers = np.array([self.names.number[node] for node in nodes], np.int64)
        order = np.argsort(numbers)
        kinds, which = self.record.spans_of(numbers[order], since, until)
        found = dict(zip(numbers[order].tolist(), which.tolist(), strict=True))
        return [kinds[found[n]] for n in numbers.tolist()]

    def snapshot(self) -> dict[str, Any]:
        """All that the judge knows, as JSON-able values."""
        from collector.judge import memory

        return memory.dump(self)

    @classmethod
    def restore(cls, snapshot: dict[str, Any], rules: Rules | None = None, follow: bool = True) -> "Judge":
        """A judge that goes on exactly as the one that made the snapshot would have."""
        from collector.judge import memory

        return memory.load(snapshot, rules, follow)

    # -- time

    def _set_now(self, t: float) -> None:
        self.now = self.desk.now = max(self.now, t)

    def _pass_to(self, t: float) -> None:
        """What fell due before t is said first; what is due at t itself waits for all lines of t."""
        self._fire(t, inclusive=False)
        self._set_now(t)

    def _fire(self, until: float, inclusive: bool) -> None:
        self.desk.groups.forget_chains()
        last = until if inclusive else until - EPSILON  # what is due at t by all but the rounding of a sum is due at t
        while (due := self.agenda.first()) is not None and (due < last or (inclusive and due == until)):
            due, phase, number = self.agenda.take()
            if due > self.now:
                self.desk.groups.forget_chains()
            self._set_now(due)
            if phase == HOLD:
                self.roots.release(number)
                self.follower.follow(self, due, None, self._settle([number], due))
            elif phase == CLUSTER:
                self.desk.clusters.act(number)
            elif phase == CAUSE:
                self.desk.act(number)

    def _time_of(self, report: RoundReport) -> float:
        """Two rounds with the same (zone, shard, tick) are one, at the t of the first to arrive."""
        if report.tick is None:
            return report.t
        t = self.ticks.setdefault((report.zone, report.shard, report.tick), report.t)
        if (
            len(self.ticks) > 4096
            and self.record.keep_s < INFINITY
            and self.now - next(iter(self.ticks.values())) > 2 * self.record.keep_s
        ):
            oldest = self.now - self.record.keep_s
            self.ticks = {key: first for key, first in self.ticks.items() if first >= oldest}
        return t

    def _wait_for(self, report: RoundReport) -> None:
        key = (report.zone, report.shard)
        if report.every > self.rules.most_every_s:
            return  # a reading round: it adds facts and life, nothing waits for it
        if self.everys.get(key) != report.every:
            self.everys[key] = report.every
            longest = max(self.everys.values()) + self.rules.shard_slack_s
            self.desk.wait_s = min(max(self.rules.open_wait_s, longest), self.rules.open_limit_s)

    # -- a round's parts

    def _numbers(self, report: RoundReport) -> tuple[Numbers, Mask]:
        """(distinct nodes asked, as numbers in order; which of them were silent). Ids that are gone are passed over."""
        idx = self._asked(report.asked)
        number = self.names.number
        for node, facts in report.facts.items():
            for named in (node, facts.get("way") or node):
                if named not in number:
                    raise UnknownNodeError(named, "the facts of a round")
        try:
            silent = np.fromiter((number[node] for node in report.silent), np.int64, len(report.silent))
        except KeyError as error:
            raise UnknownNodeError(error.args[0], "a round") from None
        return idx, np.isin(idx, silent) if len(silent) else np.zeros(len(idx), bool)

    def _asked(self, asked: Asked) -> Numbers:
        cached = self._asked_cache.get(id(asked))
        if cached is not None and cached[0] is asked:
            return cached[1]
        number, nodes = self.names.number, self.layout.nodes
        try:
            numbers = self.layout.order if asked == "all" else [number[node] for node in asked]
        except KeyError as error:
            raise UnknownNodeError(error.args[0], "a round") from None
        there = [n for n in numbers if n < len(nodes) and (node := nodes[n]) is not None and node.probe]
        idx = np.unique(np.array(there, np.int64))
        if isinstance(asked, str | tuple):
            if len(self._asked_cache) >= 1024:
                self._asked_cache.clear()
            self._asked_cache[id(asked)] = (asked, idx)
        return idx

    def _unseen_waiting(self, idx: Numbers, t: float) -> dict[int, float]:
        """Roots with something to say that are unknown at t, and since when."""
        if not self.desk.waiting or not self.words.unknown(idx, t)[0].any():
            return {}
        since = {n: self.desk.unknown_since(n, t) for n in sorted(self.desk.waiting)}
        return {n: from_ for n, from_ in since.items() if from_ < INFINITY}

    def _hush(self, heard: Heard) -> tuple[list[int], bool]:
        """Nodes to settle after a round, and whether the first answer of somebody makes all to be worked out anew."""
        layout, schools = self.layout, self.desk.schools
        dirty: list[int] = []
        for n in heard.down.tolist():
            if layout.asked[n]:
                schools.hear(layout, n, False)
                dirty += self.roots.hush(n, True)
        first = False
        for n in heard.up.tolist():
            if not self.seen[n]:
                self.seen[n] = True
                if not layout.see(n):
                    first = True
                    continue
                dirty += self.roots.see(n)
            if layout.asked[n]:
                schools.hear(layout, n, True)
                if self.roots.silent[n]:
                    dirty += self.roots.hush(n, False)
        return dirty, first

    def _see(self, idx: Numbers, silent: Mask, heard: Heard) -> bool:
        """A first answer that came late is taken up with the next good word. Whether there is one."""
        first = False
        if self.answered_late:
            for n in self.answered_late.intersection(idx[silent].tolist()).difference(heard.late.tolist()):
                self.answered_late.discard(n)
                self.seen[n] = first = True
        for n in heard.late.tolist():
            if not self.seen[n] and not silent[np.searchsorted(idx, n)]:
                self.answered_late.add(n)
        return first

    def _ports(self, report: RoundReport, t: float) -> list[int]:
        """Take in what devices say of their ports. Returns unasked nodes whose word changed."""
        dirty: list[int] = []
        for device, facts in report.facts.items():
            if self.layout.nodes[self.names.number[device]] is None:
                continue  # gone: reports about it are passed over
            for name, state in (facts.get("ports") or {}).items():
                if state not in ("up", "down"):
                    continue
                port, down = (device, name), state == "down"
                heard_t, was_down = self.port_words.get(port, (NEVER, False))
                if t < heard_t or (t == heard_t and down):
                    continue
                self.port_words[port] = (t, down)
                for n in self.layout.port_nodes.get(port, ()) if down != was_down else ():
                    (self.roots.port_down.add if down else self.roots.port_down.discard)(n)
                    dirty.append(n)
        return dirty

    def _amend(self, late: Numbers, t: float) -> None:
        """A silence of t that is taken back after newer words have come never was."""
        roots = self.roots
        for n in late.tolist():
            cause = self.desk.causes.get(n)
            began = self.layout.asked[n] and roots.silent[n] and roots.since[n] == t
            if not began and (cause is None or t not in cause.silences):
                continue
            words = [(at, word) for at, _, word in self.record.words_on(n) if at >= t and word != BLIND]
            if words[0] != (t, UP) or len(words) < 2:
                continue
            since = words[1][0] if words[1][1] == DOWN else None
            if began and since is not None:
                roots.since[n] = since
            if cause is not None:
                cause.amend(t, since, self.rules)
                self.desk.touch(n)

    def port_nodes_down(self) -> set[int]:
        """Nodes of whose port the latest word is down."""
        down = [port for port in self.layout.port_nodes if self.port_words.get(port, (NEVER, False))[1]]
        return {n for port in down for n in self.layout.port_nodes[port]}

    # -- settling

    def _settle(self, dirty: Sequence[int], t: float, taken_back: frozenset[int] = frozenset()) -> list[Change]:
        if not dirty:
            return []
        changes = self.roots.settle(dirty, t)
        self._hold(changes)
        self.desk.apply(changes, t, taken_back)
        return changes

    def _settle_all(self, t: float, gone: Sequence[int] | set[int] = ()) -> list[Change]:
        layout = self.layout
        layout.work_out(self.seen)
        down = (self.words.good == DOWN).tolist()
        self.roots.relayout(layout, [asked and silent for asked, silent in zip(layout.asked, down, strict=True)])
        self.desk.schools.relayout(layout, self.words)
        changes = self.roots.settle([*layout.order, *gone], t)
        self.roots.recount()
        self.desk.groups.relayout(layout, self.roots)
        self._hold(changes)
        self.desk.apply(changes, t)
        return changes

    def _hold(self, changes: list[Change]) -> None:
        for change in changes:
            if change.kind == HELD:
                self.agenda.put(HOLD, change.node, max(self.roots.held_until[change.node], self.now))
            elif change.was == HELD:
                self.agenda.put(HOLD, change.node, None)
