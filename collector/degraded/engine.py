"""All rules over all subjects: what is raised, and what has changed. Columnar and pure but for the state that it keeps.

Python objects are made for changes alone; what costs is numpy over the subjects (benchmarks/bench_degraded.py).
"""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from collector.degraded.hysteresis import Hysteresis, Limits
from collector.degraded.rules import RuleRow, RuleRows, masks_of
from collector.degraded.subjects import Subjects
from collector.degraded.values import Reading, View, pace_s, reading_of
from collector.plan import Plan
from inventory.models import Measure

Mask = NDArray[np.bool_]

FORGOTTEN_S = 3 * 3600.0
"""A raised rule whose measure has not been known for so long (the device answers, its sensor is gone) is cleared."""


class Change(NamedTuple):
    """A rule was raised for a subject, or cleared. node: what the incident is of."""

    rule: RuleRow
    subject: str
    node: str
    raised: bool
    value: float
    at: float
    forgotten: bool = False


class _State:
    """One rule: which subjects it is of, and its hysteresis."""

    def __init__(self, rule: RuleRow, mask: Mask) -> None:
        self.rule, self.which = rule, np.flatnonzero(mask)
        self.limits = Limits(
            rule.raise_at,
            rule.clear_at,
            rule.raise_after_s,
            rule.clear_after_s,
            rule.raise_rounds,
            rule.clear_rounds,
            max(pace_s(rule.measure), 2.0 * rule.raise_after_s),
        )
        self.state = Hysteresis(len(self.which))


class _Moves:
    """Which subject of another plan each of the new ones was, by name; worked out once for each kind."""

    def __init__(self, old: Subjects | None, new: Subjects) -> None:
        self.old, self.new = old, new
        self._found: dict[int, NDArray[np.int64]] = {}

    def places(
        self, measure: str, mine: NDArray[np.int64], theirs: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions in `mine` (subjects of a rule now) and in `theirs` (then) of the same subjects."""
        if self.old is None:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        old, new = self.old.traits_of(measure), self.new.traits_of(measure)
        if id(new) not in self._found:
            where = {name: i for i, name in enumerate(old.names)}
            self._found[id(new)] = np.array([where.get(name, -1) for name in new.names], np.int64)
        position = np.full(len(old) + 1, -1, np.int64)  # the last: was not there
        position[theirs] = np.arange(len(theirs))
        found = position[self._found[id(new)][mine]]
        here = np.flatnonzero(found >= 0)
        return here, found[here]


class Engine:
    """States of the rules of one plan; `follow` takes them to another plan or other rules."""

    def __init__(self) -> None:
        self.rules = RuleRows()
        self.subjects: Subjects | None = None
        self._states: list[_State] = []
        self._kept: dict[tuple[int, str], float] = {}
        """(rule id, subject) -> time: raised before a restart, taken over with the first plan"""

    def restore(self, raised: Iterable[tuple[int, str, float]]) -> None:
        """What was raised when the database was last written: (rule id, subject, time)."""
        self._kept = {(rule, subject): at for rule, subject, at in raised}

    def follow(self, plan: Plan, subjects: Subjects, rules: RuleRows) -> list[Change]:
        """Another plan, or other rules. What is raised but not looked at any more is cleared."""
        masks = masks_of(plan, subjects, rules)
        before = {(c.rule.id, c.subject): c for c in self.raised()}
        old, came_from = {state.rule.id: state for state in self._states}, _Moves(self.subjects, subjects)
        self.subjects, self.rules = subjects, rules
        self._states = [_State(rule, masks[rule.id]) for rule in rules]
        for state in self._states:
            known = old.get(state.rule.id)
            if known is not None and known.rule.measure == state.rule.measure:
                mine, theirs = came_from.places(state.rule.measure, state.which, known.which)
                state.state.carry(known.state, mine, theirs)
            if self._kept:
                self._take_kept(state)
        self._kept = {}
        after = {(c.rule.id, c.subject) for c in self.raised()}
        return [c._replace(raised=False, forgotten=True) for key, c in before.items() if key not in after]

    def _take_kept(self, state: _State) -> None:
        names = self._traits(state).names
        for i, where in enumerate(state.which.tolist()):
            at = self._kept.get((state.rule.id, names[where]))
            if at is not None:
                state.state.raised[i], state.state.at[i] = True, at

    def look(self, view: View, now: float, in_class: Mask | None = None) -> list[Change]:
        """Take what is measured now. in_class: by school of the plan; None: nobody knows, and rules for class hours hold."""
        changes: list[Change] = []
        readings: dict[Any, Reading] = {}
        for state in self._states:
            rule = state.rule
            key = rule.measure if rule.measure != Measure.answering_percent else (rule.kinds, rule.at_least)
            if key not in readings:
                readings[key] = reading_of(view, rule)
            value, at = readings[key]
            may = self._may_raise(rule, state, in_class)
            raised, cleared = state.state.take(state.limits, value[state.which], at[state.which], may)
            changes += [self._change(state, int(i), True) for i in raised]
            changes += [self._change(state, int(i), False) for i in cleared]
            changes += self._forget(view, state, now)
        return changes

    def drop(self, node: str) -> None:
        """A node begins anew: nothing is raised of it."""
        for state in self._states:
            traits = self._traits(state)
            raised = np.flatnonzero(state.state.raised)
            mine = [int(i) for i in raised if traits.nodes[state.which[i]] == node]
            state.state.forget(np.array(mine, np.int64))

    def raised(self) -> list[Change]:
        """All that is raised now."""
        return [self._change(state, int(i), True) for state in self._states for i in np.flatnonzero(state.state.raised)]

    def measured(self) -> dict[int, NDArray[np.int64]]:
        """rule id -> the subjects whose measure is known."""
        return {state.rule.id: state.which[np.isfinite(state.state.value)] for state in self._states}

    def watched(self) -> list[tuple[RuleRow, NDArray[np.int64]]]:
        """Of each rule: the subjects that it is of."""
        return [(state.rule, state.which) for state in self._states]

    def restless(self, measures: Collection[Measure]) -> set[str]:
        """Nodes for which a rule of these measures is raised, or may soon be: its last reading was bad."""
        found: set[str] = set()
        for state in self._states:
            if Measure(state.rule.measure) in measures:
                nodes = self._traits(state).nodes
                found |= {nodes[i] for i in state.which[state.state.raised | (state.state.run > 0)].tolist()}
        return found

    def figures(self) -> list[tuple[RuleRow, int, int]]:
        """Of each rule: subjects that it is of, and how many are raised."""
        return [(state.rule, len(state.which), int(state.state.raised.sum())) for state in self._states]

    def _traits(self, state: _State) -> Any:
        assert self.subjects is not None
        return self.subjects.traits_of(state.rule.measure)

    def _change(self, state: _State, i: int, raised: bool, forgotten: bool = False) -> Change:
        traits, where = self._traits(state), int(state.which[i])
        value, at = float(state.state.value[i]), float(state.state.at[i])
        return Change(state.rule, traits.names[where], traits.nodes[where], raised, value, at, forgotten)

    def _may_raise(self, rule: RuleRow, state: _State, in_class: Mask | None) -> Mask | None:
        if rule.during != "in_class" or in_class is None or not len(in_class):
            return None
        school = self._traits(state).school[state.which]
        return np.asarray((school < 0) | in_class[school], np.bool_)

    def _forget(self, view: View, state: _State, now: float) -> list[Change]:
        """Raised, but long without a reading although its node is up."""
        stale = np.flatnonzero(state.state.raised & (now - state.state.at > FORGOTTEN_S))
        if not len(stale):
            return []
        nodes, index = self._traits(state).nodes, view.plan.node_index
        out = {n for n in stale.tolist() if view.is_out(index.get(nodes[state.which[n]], -1))}
        gone = [n for n in stale.tolist() if n not in out]
        changes = [self._change(state, n, False, forgotten=True) for n in gone]
        state.state.forget(np.array(gone, np.int64))
        return changes
