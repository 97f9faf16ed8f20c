"""Silent agents: a device answers, its SNMP agent does not. An incident of its own kind, decided in `collector/agents.py`."""

import numpy as np

from collector.agents import agent_key, agent_row, have_spoken, silent_agents
from collector.judge import Judge
from collector.judging.incidents import IncidentBook, Recorder
from collector.ledger import moment
from collector.live import Live
from collector.targets import WATCH_ANY
from inventory.models import parse_node_id


class AgentBook(IncidentBook):
    """Incidents of kind agent_silent, by device: they are opened and resolved here."""

    def __init__(self, judge: Judge, record: Recorder | None) -> None:
        super().__init__(judge, record)
        self.open_agents: dict[int, str] = {}
        """device -> key of its open incident of kind agent_silent"""
        self.snmp_unseen: tuple[int, ...] = ()
        """devices that have a credential and have not been seen by SNMP yet"""

    def look_at_agents(self, live: Live, rounds: int, now: float) -> None:
        """After a reading round: whose agent is silent while the device answers, and whose has come back."""
        found = live.matched()
        if found is None or self.plan is not found[0]:
            return
        for report in self.causes.take_uptimes(live):
            if self.record is not None:
                self.record(report.as_line())
        plan, columns = found
        before = np.zeros(len(plan.targets), np.bool_)
        for node in self.agent_silent:
            if plan.node_target[node] >= 0:
                before[plan.node_target[node]] = True
        spoke = have_spoken(plan, columns.reading_at)
        self.snmp_unseen = tuple(
            plan.targets.device_id[~spoke & (plan.targets.watch == WATCH_ANY) & (plan.targets.credential >= 0)].tolist()
        )
        # What has not been asked since the rounds began has not answered either.
        misses = np.where(before & (columns.reading_at == 0), np.maximum(columns.snmp_misses, 1), columns.snmp_misses)
        silent = silent_agents(plan, columns.answered, misses, rounds, before, spoke)
        for target in np.flatnonzero(silent & ~before).tolist():
            self._open_agent(int(plan.target_node[target]), now)
        for target in np.flatnonzero(before & ~silent).tolist():
            self._close_agent(int(plan.target_node[target]), now)

    def _open_agent(self, node: int, now: float) -> None:
        assert self.plan is not None
        name = self.plan.nodes[node].id
        device = parse_node_id(name)[1]
        key = "" if self.plan.nodes[node].edge else self.open_agents.get(device) or agent_key(device, now)
        self.agent_silent[node] = key
        self._node_row(node)
        if not key or device in self.open_agents:
            return
        self.open_agents[device] = key
        self._batch.incidents[key] = agent_row(self.plan, node, now)
        self._batch.verdicts[key] = self.causes.agent(name, now)
        self._batch.notices.append({"event": "opened", "at": moment(now), "incident_key": key, "affected": 1})

    def _close_agent(self, node: int, now: float) -> None:
        assert self.plan is not None
        self.agent_silent.pop(node, None)
        self._node_row(node)
        self._resolve_agent(parse_node_id(self.plan.nodes[node].id)[1], now)

    def _resolve_agent(self, device: int, now: float) -> None:
        key = self.open_agents.pop(device, None)
        if key is not None:
            self._batch.incidents[key] = {"status": "resolved", "resolved_at": moment(now)}
            self._batch.notices.append({"event": "resolved", "at": moment(now), "incident_key": key, "affected": 1})
