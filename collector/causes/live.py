"""Causes in the judge's process: what the bench tells, and the rows that follow for `incident` and `outage`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from collector.causes.casebook import Case, Casebook, agent_case, evidence_rows
from collector.causes.gather import MOST_NAMED, State
from collector.causes.scene import Scene
from collector.judge.values import IncidentView, Node
from collector.live import Live
from collector.plan import Plan
from collector.report import RoundReport
from collector.words import node_name
from inventory.causes import UNDETERMINED
from inventory.database import Register
from inventory.models import CauseRule, parse_node_id, table

Row = dict[str, Any]


class CauseRules(dict[str, str]):
    """Rule -> who is accountable by it, of the rules that are approved."""


def read_cause_rules(register: Register) -> CauseRules:
    """One SELECT. What is not approved holds nobody to account."""
    rule = table(CauseRule)
    query = select(rule.c.name, rule.c.accountable).where(rule.c.approved)
    with register.engine.connect() as connection:
        return CauseRules(connection.execute(query).tuples().all())


class Causes:
    """Scene and casebook of one bench. Rows are given once for each change, by key of the incident."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.book = Casebook(self.scene)
        self.rules = CauseRules()
        self.plan: Plan | None = None
        self._again = False

    def follow(self, plan: Plan, nodes: Sequence[Node]) -> None:
        """Another plan; nodes: as the judge has them."""
        self.plan = plan
        self.scene.set_topology(nodes)
        ends: dict[str, list[tuple[str, str]]] = {}
        for port, line in plan.lineways.ports.items():
            ends.setdefault(f"line:{line}", []).append(port)
        self.scene.ends = ends

    def set_rules(self, rules: CauseRules) -> None:
        """Approvals have changed, perhaps: the cases that are open count by the new ones."""
        self._again = self._again or rules != self.rules
        self.rules = rules

    def take_uptimes(self, live: Live) -> list[RoundReport]:
        """Of devices that were silent in a case: how long they have been running, as last read. As reports, for the record of a trace."""
        found = live.matched()
        if found is None or found[0] is not self.plan or not self.book.cases:
            return []
        plan, columns = found
        reports = []
        for node, since in self._asked_uptimes().items():
            target = plan.node_target[plan.node_index[node]] if node in plan.node_index else -1
            if target < 0 or columns.uptime[target] < 0 or columns.uptime_at[target] <= since:
                continue
            facts = {node: {"sysUpTime": int(columns.uptime[target])}}
            report = RoundReport(float(columns.uptime_at[target]), (), (), kind="reading", facts=facts)
            self.scene.take_report(report)
            reports.append(report)
        return reports

    def take_power(self, plan: Plan, on_battery: NDArray[np.float64], at: NDArray[np.float64]) -> list[RoundReport]:
        """By target: 1 where a UPS runs on battery, 0 on mains, NaN where nothing is known; as read at `at`. What changed, as reports."""
        reports = []
        for target in np.flatnonzero(~np.isnan(on_battery)).tolist():
            node, word = plan.nodes[plan.target_node[target]].id, "battery" if on_battery[target] else "mains"
            t = float(at[target])
            if t <= self.scene.power_said.get(node, 0.0):
                continue
            known = self.scene.power_at(node, t)
            report = RoundReport(t, (), (), kind="reading", facts={node: {"ups": word}})
            self.scene.take_report(report)
            if known is None or known[1] != word:
                reports.append(report)
        return reports

    def _asked_uptimes(self) -> dict[str, float]:
        """node -> since when its uptime would tell something new."""
        wanted: dict[str, float] = {}
        for case in self.book.cases.values():
            for device in case.affected.intersection(case.devices[:MOST_NAMED]):
                if ("uptime", device) not in case.evidence:
                    wanted[device] = max(case.since, wanted.get(device, case.since))
        return wanted

    def look(self, views: Mapping[str, IncidentView], state: State, now: float) -> dict[str, Row]:
        """Rows of what has changed: the verdict, and its evidence in the names that people know."""
        changed = self.book.look(views, state, now)
        if self._again:
            changed = list(self.book.cases.values())
            self._again = False
        return {case.key: self._row(case) for case in changed}

    def forget(self, key: str, kind: str) -> None:
        """A kind of evidence on an incident holds no more; the verdict follows at the next look."""
        case = self.book.cases.get(key)
        if case is not None and any(piece.kind == kind for piece in case.evidence.values()):
            case.evidence = {slot: piece for slot, piece in case.evidence.items() if piece.kind != kind}
            case.looked_at = float("-inf")

    def agent(self, node: str, since: float) -> Row:
        """The row of an incident of kind agent_silent."""
        return self._row(agent_case(node, since))

    def _row(self, case: Case) -> Row:
        verdict = case.verdict
        names = {(piece.node, self._name(piece.node)) for piece in case.evidence.values() if piece.node}
        accountable = self.rules.get(verdict.rule, "") if verdict.cause != UNDETERMINED else ""
        return {
            "cause": verdict.cause,
            "cause_confidence": verdict.confidence,
            "cause_rule": verdict.rule,
            "accountable": accountable,
            "cause_evidence": evidence_rows(case, names),
        }

    def _name(self, node: str) -> str:
        plan = self.plan
        if plan is None:
            return node
        if node.startswith("school:"):
            school = plan.school_index.get(parse_node_id(node)[1])
            return node if school is None else plan.schools[school].name
        return node_name(plan, node)

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on from the memory of the one before. A memory that cannot be read is begun anew."""
        try:
            self.book.restore(kept)
        except (KeyError, TypeError, ValueError):
            self.book.cases.clear()
