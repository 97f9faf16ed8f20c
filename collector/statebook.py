"""The book of states: every node's and school's state with its seconds, and the outage log that follows from them.

What the judge says of nodes goes in; rows for `node_state` and `outage` come out, in `self._batch`. Lines, sites and schools, which
nobody asks, are summed up here.
"""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from collector.judge import Judge
from collector.judge.values import Transition
from collector.ledger import Batch, Row, moment
from collector.plan import Plan
from collector.planned import Change, PlannedOff
from collector.schools import DEGRADED, DOWN, MAINTENANCE, NOT_SEEN, PLANNED_OFF, UNKNOWN, UP, WORDS, school_states
from collector.spans import Spans, down_runs, spans_together
from collector.states import LineView, States
from collector.words import node_place
from inventory.models import NodeKind, State, parse_node_id

CODES = {"up": UP, "down": DOWN, "out": DOWN, "unknown": UNKNOWN, "never": UNKNOWN}
"""Codes of the judge's words."""


class StateBook:
    """States and outages of one plan at a time. `collector/judging/` builds the bench on it."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.plan: Plan | None = None
        self.nodes = States([], {}, 0.0, np.zeros(0, np.uint8))
        self.schools = States([], {}, 0.0, np.zeros(0, np.uint8))
        self.school_counts: NDArray[np.int64] | None = None
        """watched devices of schools, and those that answer (2 × schools)"""
        self.agent_silent: dict[int, str] = {}
        """node -> key of its incident, empty where it makes none (class edge)"""
        self.degraded: dict[int, str] = {}
        """node -> key of its incident of kind degraded (collector/degraded)"""
        self.degraded_schools: dict[int, str] = {}
        """school (its number in the plan) -> likewise"""
        self._incident_of: dict[str, str] = {}
        self._gates: dict[int, list[int]] = {}
        self._gates_for: Plan | None = None
        self._told: dict[tuple[NodeKind, int], tuple[str | None, str]] = {}
        """(incident, reason) as the last row of each school and line that is cut off has them"""
        self._open: set[tuple[str, int]] = set()
        self._logged: dict[tuple[str, int], float] = {}
        """when an outage of each was last written of, since the start"""
        self._amended_schools: dict[int, tuple[float, float]] = {}
        """School of several gateways -> (from, until) that late reports have corrected of them."""
        self._port_word: dict[tuple[str, str], bool] = {}
        self._explained: dict[int, tuple[bool, str | None]] = {}
        self._unseen: dict[tuple[int, int], str] = {}
        self._blind: dict[tuple[int, int], str] = {}
        """(zone, shard) -> why nobody saw it last ("": somebody did), and why our own rounds did not"""
        self._stopped_at: float | None = None
        """When the collector before this one gave its last sign of life; None once another plan has come."""
        self._fresh = np.zeros(0, np.bool_)
        """node -> nothing has been said of it since the start, or since it came into the plan"""
        self._first: list[tuple[NDArray[np.int64], float, bool]] = []
        """(fresh nodes that a report is of, its t, its self_ok)"""
        self._lines: LineView | None = None
        self._batch = Batch()
        self._write_all = False
        self.planned = PlannedOff()
        self._node_words: dict[int, int] = {}
        self._school_words: dict[int, int] = {}
        """Codes of what is down and shown as something finer, by number in the plan."""

    def set_degraded(self, nodes: dict[int, str], schools: dict[int, str]) -> None:
        """Nodes and schools of the plan that are degraded now, each with its incident: their rows say so. It is no down time."""
        if self.plan is None:
            return
        before, self.degraded = self.degraded, nodes
        schools_before, self.degraded_schools = self.degraded_schools, schools
        for i in sorted(before.keys() | nodes.keys()):
            if before.get(i) != nodes.get(i) and i < len(self.plan.nodes):
                self._node_row(i)
        for school in sorted(schools_before.keys() | schools.keys()):
            if schools_before.get(school) != schools.get(school) and school < len(self.plan.schools):
                self._school_row(self.plan, school)

    def shown_codes(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Codes of nodes and of schools as they are shown: what is up and degraded is degraded, what went off as usual planned off."""
        shown = []
        for codes, degraded in ((self.nodes.code, self.degraded), (self.schools.code, self.degraded_schools)):
            found = codes.copy()
            which = np.fromiter((i for i in degraded if i < len(codes)), np.int64)
            found[which[codes[which] == UP]] = DEGRADED
            shown.append(found)
        for found, words in zip(shown, (self._node_words, self._school_words), strict=True):
            for i, code in list(words.items()):
                if i < len(found) and found[i] == DOWN:
                    found[i] = code
        return shown[0], shown[1]

    def explained_mask(self) -> NDArray[np.bool_]:
        """By node of the plan: it is down because of something above it."""
        mask = np.zeros(len(self.nodes.code), np.bool_)
        mask[[i for i, (explained, _) in self._explained.items() if explained]] = True
        return mask

    def incident_key(self, node: str) -> str | None:
        """Key of the outage's incident that a node belongs to."""
        i = self.plan.node_index.get(node) if self.plan is not None else None
        return self._cause_of(i) if i is not None else None

    def _gone(self, kind: NodeKind, number: int, now: float) -> None:
        self._batch.gone.add((kind, number))
        if (kind, number) in self._open:
            self._open.discard((kind, number))
            self._batch.outages.append(("close", {"kind": kind, "node_id": number, "until_at": moment(now)}))

    def _take_transition(self, change: Transition) -> None:
        assert self.plan is not None
        i = self.plan.node_index.get(change.node)
        if i is None:
            return
        self._fresh[i] = False
        if self.plan.node_target[i] < 0:
            return  # lines and sites are summed up below
        if change.amends:
            self._amend_outages(i, change)
        self._move_node(i, CODES[change.state], change.t, change.earliest, change.explained, change.root)

    def _amend_outages(self, i: int, change: Transition) -> None:
        """A late report corrected a node's record: its outages there, and its school's, follow."""
        plan = self.plan
        assert plan is not None
        kind, number = parse_node_id(change.node)
        school = int(plan.node_school[i])
        self._amend_outage(kind, number, change.node, school, change.amends)
        gates = self._gates_of(plan, school) if school >= 0 else []
        if gates == [i]:
            self._amend_outage(NodeKind.school, plan.schools[school].id, change.node, school, change.amends)
        elif i in gates:
            since, until = self._amended_schools.get(school, (np.inf, -np.inf))
            span = min(since, change.amends[0][0]), max(until, change.amends[-1][1])
            self._amended_schools[school] = span

    def _amend_schools(self, plan: Plan) -> None:
        """Schools with several gateways, of which late reports corrected one: cut off while none of them answered. All at once, for a record is long."""
        amended, self._amended_schools = self._amended_schools, {}
        if not amended:
            return
        gates = {school: [plan.nodes[g].id for g in self._gates_of(plan, school)] for school in amended}
        nodes = sorted({node for of in gates.values() for node in of})
        since, until = min(a for a, _ in amended.values()), max(b for _, b in amended.values())
        spans = dict(zip(nodes, self.judge.spans_of(nodes, since, until), strict=True))
        for school, of in gates.items():
            together = spans_together([spans[node] for node in of])
            if together:
                self._amend_outage(NodeKind.school, plan.schools[school].id, of[0], school, together)

    def _amend_outage(self, kind: NodeKind, number: int, node: str, school: int, spans: Spans) -> None:
        """What is written of outages of one thing between the first and the last of `spans`; node: where it stands."""
        assert self.plan is not None
        key, runs = (kind.value, number), down_runs(spans)
        if not runs and self._logged.get(key, -1.0) < spans[0][0]:
            return  # it had no outage there, and has none
        self._logged[key] = spans[-1][1]
        place = node_place(self.plan, node)
        row: Row = {
            "kind": kind,
            "node_id": number,
            "since": moment(spans[0][0]),
            "until": moment(spans[-1][1]),
            "runs": [(moment(start), moment(end)) for start, end in runs],
            "school_id": self.plan.schools[school].id if school >= 0 else None,
            "place_id": place.place_id,
            "duty_id": place.duty_id,
        }
        self._batch.outages.append(("amend", row))

    def _move_node(
        self, i: int, code: int, t: float, earliest: float | None, explained: bool, root: str | None
    ) -> None:
        assert self.plan is not None
        node = self.plan.nodes[i].id
        kind, number = parse_node_id(node)
        was = int(self.nodes.code[i])
        if was == NOT_SEEN and code != UP:
            return
        if was == NOT_SEEN:
            self._batch.seen[number] = moment(t)
        if code == DOWN:
            self._explained[i] = (explained, root)
        else:
            self._explained.pop(i, None)
        if earliest is not None and self._stopped_at is not None and self.nodes.code[i] == UNKNOWN:
            since = float(self.nodes.since[i])
            if since <= self._stopped_at:
                # Not seen since the stop: what is written knows of later than the judge's memory, which is written less often, and of
                # earlier than the stop where it was unknown before, as after two kills on end.
                earliest = min(t, since)
        changed = self.nodes.move(i, code, t)
        if code == DOWN or (kind, number) in self._open:
            school = int(self.plan.node_school[i])
            self._log_outage(kind, number, code, t, earliest, node, school, explained)
        if changed or code == DOWN:
            self._node_row(i)

    def _log_outage(
        self,
        kind: NodeKind,
        number: int,
        code: int,
        t: float,
        earliest: float | None,
        node: str,
        school: int,
        explained: bool,
    ) -> None:
        """Open or close a row of the outage log. Unknown time neither begins nor ends an outage."""
        assert self.plan is not None
        key = (kind.value, number)
        self._logged[key] = t
        unsure = earliest if earliest is not None and earliest < t else None
        row: Row = {"kind": kind, "node_id": number}
        if code == DOWN and key not in self._open:
            self._open.add(key)
            place = node_place(self.plan, node)
            row |= {
                "from_at": moment(t),
                "from_earliest": moment(unsure) if unsure is not None else None,
                "school_id": self.plan.schools[school].id if school >= 0 else None,
                "place_id": place.place_id,
                "duty_id": place.duty_id,
                "explained": explained,
                "incident_key": self._incident_of.get(node),
            }
            self._batch.outages.append(("open", row))
        elif code in (UP, DEGRADED) and key in self._open:
            self._open.discard(key)
            row |= {"until_at": moment(unsure if unsure is not None else t)}
            row |= {"until_latest": moment(t)} if unsure is not None else {}
            self._batch.outages.append(("close", row))

    def _node_row(self, i: int) -> None:
        """Put a node's state into the batch."""
        assert self.plan is not None
        node = self.plan.nodes[i].id
        kind, number = parse_node_id(node)
        code = int(self.nodes.code[i])
        explained, root = self._explained.get(i, (False, None))
        state, reason = WORDS[code], ""
        if code == DOWN:
            reason = "explained" if explained else "root" if root == node or root is None else ""
            state = self._down_word(self._incident_of.get(node), [node])
        elif code == UP and i in self.agent_silent:
            state = "agent_silent"
        elif code == UP and i in self.degraded:
            state = "degraded"
        elif code == UNKNOWN:
            reason = self._why_unknown(i)
        incident = self._cause_of(i) or self.agent_silent.get(i) or self.degraded.get(i) or None
        if kind != NodeKind.device:
            self._note(kind, number, code, incident, reason)
        _keep_word(self._node_words, i, state)
        self._batch.node_states[kind, number] = self._state_row(kind, number, self.nodes, i, state, reason, incident)

    def _down_word(self, incident: str | None, nodes: list[str]) -> str:
        """What a silence is called: within a window of work maintenance, of the school's own making at its usual time planned off.

        nodes: all that are silent.
        """
        if nodes and all(self.judge.in_maintenance(node) for node in nodes):
            return State.maintenance
        return State.planned_off if incident is not None and incident in self.planned.until else WORDS[DOWN]

    def _cause_of(self, i: int) -> str | None:
        """The incident that a node belongs to; of one that nobody asks, where it is out, that of what it is cut off by."""
        assert self.plan is not None
        own = self._incident_of.get(self.plan.nodes[i].id)
        root = self._explained.get(i, (False, None))[1]
        return own if own is not None or root is None else self._incident_of.get(root)

    def _cut_by(self, plan: Plan, school: int, code: int) -> tuple[str | None, str]:
        """(incident, reason) of a school: its first gateway's that is down and belongs to one."""
        if code not in (DOWN, DEGRADED):
            return None, ""
        gates = [g for g in self._gates_of(plan, school) if self.nodes.code[g] == DOWN]
        for gate in gates:
            key = self._cause_of(gate)
            if key is not None:
                return key, "explained" if self._explained.get(gate, (False, None))[0] else "root"
        explained = any(self._explained.get(gate, (False, None))[0] for gate in gates)
        return None, "explained" if explained else "root" if gates else ""

    def _note(self, kind: NodeKind, number: int, code: int, incident: str | None, reason: str) -> None:
        if code in (DOWN, DEGRADED):
            self._told[kind, number] = (incident, reason)
        else:
            self._told.pop((kind, number), None)

    def _tell_causes(self) -> None:
        """Incidents came, went, merged or got another root: rows of lines and schools that are cut off follow."""
        plan = self.plan
        assert plan is not None
        for (kind, number), told in list(self._told.items()):
            if kind == NodeKind.school:
                school = plan.school_index.get(number)
                if school is None:
                    del self._told[kind, number]
                elif self._cut_by(plan, school, int(self.schools.code[school])) != told:
                    self._school_row(plan, school)
            else:
                i = plan.node_index.get(f"{kind.value}:{number}")
                if i is None:
                    del self._told[kind, number]
                elif self._cause_of(i) != told[0]:
                    self._node_row(i)

    def _state_row(
        self, kind: NodeKind, number: int, states: States, i: int, state: str, reason: str, incident: str | None
    ) -> Row:
        unknown_s, up_s, down_s = states.seconds[i].tolist()
        return {
            "kind": kind,
            "node_id": number,
            "state": state,
            "since": moment(float(states.since[i])),
            "reason": reason,
            "incident_key": incident,
            "up_s": up_s,
            "down_s": down_s,
            "unknown_s": unknown_s,
        }

    def _why_unknown(self, i: int) -> str:
        assert self.plan is not None
        target = int(self.plan.node_target[i])
        if target < 0:
            return ""
        key = (int(self.plan.targets.zone[target]), int(self.plan.targets.shard[target]))
        return self._unseen.get(key) or self._blind.get(key) or "stopped"

    def _sum_up(self, t: float) -> None:
        """Lines, sites and schools follow from what was just moved."""
        plan = self.plan
        assert plan is not None
        self._amend_schools(plan)
        self._sum_up_lines(plan, t)
        found = school_states(plan, self.nodes.code)
        counts = np.stack([found.devices, found.devices_up])
        before = self.school_counts
        touched = np.flatnonzero(self.schools.code != found.state)
        if before is None or before.shape != counts.shape or self._write_all:
            touched = np.arange(len(plan.schools))
        else:
            touched = np.union1d(touched, np.flatnonzero((before != counts).any(0)))
        self.school_counts = counts
        for school in touched.tolist():
            self._move_school(plan, school, int(found.state[school]), t)
        if self._write_all:
            for i in range(len(plan.nodes)):
                self._node_row(i)

    def _move_school(self, plan: Plan, school: int, code: int, t: float) -> None:
        row = plan.schools[school]
        earliest: float | None = None
        if self.schools.code[school] == UNKNOWN and self.schools.seconds[school].any():
            earliest = float(self.schools.since[school])  # nobody saw it since then
        self.schools.move(school, code, t)
        if code == DOWN or ("school", row.id) in self._open:
            gates = self._gates_of(plan, school)
            node = plan.nodes[gates[0]].id if gates else ""
            self._log_outage(NodeKind.school, row.id, code, t, earliest, node, school, False)
        self._school_row(plan, school)

    def _school_row(self, plan: Plan, school: int) -> None:
        """Put a school's state into the batch."""
        number, code = plan.schools[school].id, int(self.schools.code[school])
        incident, reason = self._cut_by(plan, school, code)
        self._note(NodeKind.school, number, code, incident, reason)
        word = WORDS[code]
        if code == DOWN:
            gates = [plan.nodes[g].id for g in self._gates_of(plan, school) if self.nodes.code[g] == DOWN]
            word = self._down_word(incident, gates)
        if code == UP and school in self.degraded_schools:
            word, incident = "degraded", self.degraded_schools[school]
        _keep_word(self._school_words, school, word)
        state = self._state_row(NodeKind.school, number, self.schools, school, word, reason, incident)
        if self.school_counts is not None:
            devices, up = self.school_counts[:, school].tolist()
            state |= {"devices": devices, "devices_up": up}
        self._batch.node_states[NodeKind.school, number] = state

    def _gates_of(self, plan: Plan, school: int) -> list[int]:
        """The nodes by which a school is judged; looked up once for each plan, for storms ask for all of them every second."""
        if self._gates_for is not plan:
            found: dict[int, list[int]] = defaultdict(list)
            for of, node in zip(plan.site_school[plan.gate_site].tolist(), plan.gate_node.tolist(), strict=True):
                found[of].append(node)
            self._gates_for, self._gates = plan, dict(found)
        return self._gates.get(school, [])

    def _sum_up_lines(self, plan: Plan, t: float) -> None:
        lines = self._lines
        if lines is None or not len(lines.line_node):
            return
        views = [self.judge.node_state(plan.nodes[i].id) for i in lines.line_node.tolist()]
        out = np.array([view.state == "out" for view in views], np.bool_)
        ports = [plan.nodes[i].port for i in lines.line_node.tolist()]
        port_up = np.array([port is not None and self._port_word.get(port, False) for port in ports], np.bool_)
        codes = lines.codes(self.nodes.code, out, port_up)
        for k in np.flatnonzero(self.nodes.code[lines.line_node] != codes).tolist():
            i = int(lines.line_node[k])
            self._move_node(i, int(codes[k]), t, None, views[k].explained, views[k].root)
        for k in np.flatnonzero(codes == DOWN).tolist():
            i, why = int(lines.line_node[k]), (views[k].explained, views[k].root)
            if self._explained.get(i) != why:
                self._explained[i] = why
                self._node_row(i)

    def _tie_outage(self, node: str, i: int) -> None:
        """The open outages of a node and of its school belong to its incident."""
        assert self.plan is not None
        key = self._incident_of.get(node)
        if key is None:
            return
        kind, number = parse_node_id(node)
        wanted = [(kind, number)]
        school = int(self.plan.node_school[i])
        if school >= 0 and self.schools.code[school] == DOWN:
            wanted.append((NodeKind.school, self.plan.schools[school].id))
        for of, identity in wanted:
            if (of.value, identity) in self._open:
                self._batch.outages.append(("update", {"kind": of, "node_id": identity, "incident_key": key}))

    def _mark_planned(self, change: Change) -> None:
        """Nodes and schools of an incident are planned off, or are no more: their states and outages say so."""
        plan = self.plan
        assert plan is not None
        schools: set[int] = set()
        nodes = [plan.node_index[node] for node in change.nodes if node in plan.node_index]
        for i in nodes:
            self._node_row(i)
            self._note_planned(*parse_node_id(plan.nodes[i].id), change)
            schools.add(int(plan.node_school[i]))
        for school in sorted(schools - {-1}):
            if self.schools.code[school] == DOWN:
                self._school_row(plan, school)
                self._note_planned(NodeKind.school, plan.schools[school].id, change)

    def _note_planned(self, kind: NodeKind, number: int, change: Change) -> None:
        if (kind.value, number) in self._open:
            row = {"kind": kind, "node_id": number, "evidence": change.evidence()}
            self._batch.outages.append(("update", row))

    def _say_down_again(self) -> None:
        """A window of work began or ended: what is silent is called by another word."""
        plan = self.plan
        assert plan is not None
        for i in np.flatnonzero(self.nodes.code == DOWN).tolist():
            self._node_row(i)
        for school in np.flatnonzero(self.schools.code == DOWN).tolist():
            self._school_row(plan, school)


_FINER = {State.planned_off: PLANNED_OFF, State.maintenance: MAINTENANCE}


def _keep_word(words: dict[int, int], i: int, word: str) -> None:
    code = _FINER.get(State(word))
    if code is None:
        words.pop(i, None)
    else:
        words[i] = code
