"""Beginning, and going on under another plan: what is known by name goes on under new numbers, and what is gone is closed."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from collector.judge import Judge
from collector.judge.values import Rules
from collector.judging.incidents import Recorder
from collector.judging.windows import WindowBook
from collector.ledger import moment
from collector.linejudge import LineJudge
from collector.plan import Plan
from collector.schools import DOWN, NOT_SEEN, UNKNOWN, UP
from collector.states import LineView, States, Sums
from collector.trace import node_value
from inventory.models import NodeKind, parse_node_id

log = logging.getLogger(__name__)


class PlanBook(WindowBook):
    """Takes one plan after another. rules: those that the judge is made anew by."""

    def __init__(self, judge: Judge, record: Recorder | None, rules: Rules) -> None:
        super().__init__(judge, record)
        self._rules = rules
        self.lines = LineJudge()
        self.reports = 0
        self._known_nodes: dict[Any, Sums] = {}
        self._known_schools: dict[Any, Sums] = {}
        self._left: dict[str, str] = {}
        """key -> status of what the register held open at the start, until the first plan"""
        self._new_topology = False

    def restore(
        self,
        memory: Mapping[str, Any] | None,
        node_sums: dict[str, Sums],
        school_sums: dict[int, Sums],
        open_outages: set[tuple[str, int]],
        stopped_at: float | None,
        open_agents: dict[int, str] | None = None,
        causes: Mapping[str, Any] | None = None,
        outages: Mapping[str, str] | None = None,
    ) -> None:
        """Go on from the database, before the first plan. stopped_at: the last sign of life; after it nobody saw anything."""
        if memory:
            try:
                self.judge = Judge.restore(dict(memory), self._rules)
            except ValueError as error:  # of another version of edunet: the log of outages goes on without it
                log.warning("the judge's memory cannot be read, and is begun anew: %s", error)
        self._known_nodes, self._known_schools = dict(node_sums), dict(school_sums)
        self._open = set(open_outages)
        self._stopped_at = stopped_at
        self.open_agents = dict(open_agents or {})
        self.causes.restore(causes or {})
        self._left = dict(outages or {})

    def _close_what_is_left(self, now: float) -> None:
        """Incidents that the register has and the judge does not know: a kill came between two of its memories. Their causes, where they last, are found anew.

        Pending ones were told to nobody; of open ones, which are left only where the memory is lost, the end is told. Their numbers are not given again.
        """
        known = {view.key for view in self.judge.incidents()}
        series = self.judge.desk.series
        for key, status in self._left.items():
            number = key.removeprefix(series)
            if key.startswith(series) and number.isdigit():
                self.judge.desk.number = max(self.judge.desk.number, int(number))
            if key in known:
                continue
            self._batch.incidents[key] = {"status": "resolved", "resolved_at": moment(now)}
            if status == "open":
                self._batch.notices.append({"event": "resolved", "at": moment(now), "incident_key": key})
        self._left = {}

    def follow(self, plan: Plan, now: float) -> None:
        """Another plan: a new topology for the judge, new columns for the states."""
        known_nodes, known_schools = self._known_nodes, self._known_schools
        if self.plan is not None:
            known_nodes, known_schools = self.nodes.sums(), self.schools.sums()
        nodes = [self._with_seen(node, known_nodes) for node in plan.nodes]
        self.judge.set_topology(now, nodes)
        self._close_what_is_left(now)
        self.causes.follow(plan, nodes)
        self.lines.follow(plan)
        if self.record is not None:
            self.record({"t": now, "kind": "topology", "nodes": [node_value(node) for node in nodes]})
        self._renumber(plan, now)
        initial = np.array([UNKNOWN if node.seen else NOT_SEEN for node in nodes], np.uint8)
        before, self.plan = self.plan, plan
        if before is not None and self.reports:
            self._stopped_at = None
        self.nodes = States([node.id for node in nodes], known_nodes, now, initial)
        school_initial = np.full(len(plan.schools), UNKNOWN, np.uint8)
        self.schools = States([school.id for school in plan.schools], known_schools, now, school_initial)
        self._fresh, self._first = self.nodes.code == UNKNOWN, []
        if before is None and self._stopped_at is not None:
            self.nodes.break_off(self._stopped_at)
            self.schools.break_off(self._stopped_at)
            self._fresh[:] = True
        self._lines = LineView.of(plan)
        self._asked = plan.asked_ids()
        self._groups = {(zone, shard): group for zone, shard, group in plan.groups()}
        self._forget(before, known_nodes, known_schools, now)
        self._write_all = self._new_topology = True

    def _renumber(self, plan: Plan, now: float) -> None:
        """What is kept by number of a node goes on under its new number."""
        old = self.plan
        silent, explained = self.agent_silent, self._explained
        self.agent_silent, self._explained = {}, {}
        self._node_words, self._school_words = {}, {}
        self._maintenance = frozenset()
        if old is None:
            for device, key in list(self.open_agents.items()):
                if f"device:{device}" in plan.node_index:
                    self.agent_silent[plan.node_index[f"device:{device}"]] = key
                else:
                    self._resolve_agent(device, now)
            return
        for node, key in silent.items():
            name = old.nodes[node].id
            if name in plan.node_index:
                self.agent_silent[plan.node_index[name]] = key
            else:
                self._resolve_agent(parse_node_id(name)[1], now)
        for node, why in explained.items():
            if old.nodes[node].id in plan.node_index:
                self._explained[plan.node_index[old.nodes[node].id]] = why

    def _with_seen(self, node: Any, known: Mapping[Any, Sums]) -> Any:
        """A node that has answered since the plan's rows were read is seen."""
        sums = known.get(node.id)
        if not node.seen and sums is not None and sums.code in (UP, DOWN):
            return replace(node, seen=True)
        return node

    def _forget(
        self, before: Plan | None, known_nodes: Mapping[Any, Sums], known_schools: Mapping[Any, Sums], now: float
    ) -> None:
        """Close and take away what is not in the plan any more."""
        assert self.plan is not None
        here = self.plan.node_index
        for node in known_nodes:
            if node not in here:
                self._gone(*parse_node_id(node), now)
        schools = self.plan.school_index
        for school in known_schools:
            if school not in schools:
                self._gone(NodeKind.school, int(school), now)
        for kind, number in [key for key in self._open if key[0] != NodeKind.school]:
            if f"{kind}:{number}" not in here:
                self._gone(NodeKind(kind), number, now)
