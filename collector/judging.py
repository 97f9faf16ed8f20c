"""The judge's bench: hands reports to the judge on steady time, and puts what it finds into the ledger.

One thread only. Nothing here waits: the database is behind the ledger, the rounds behind a channel.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.agents import agent_key, agent_row, have_spoken, silent_agents
from collector.causes.live import CauseRules, Causes
from collector.degraded.sensors import SensorStore
from collector.incidents import Context, incident_row, notice_rows
from collector.judge import Judge
from collector.judge.values import IncidentView, Notice, Rules
from collector.ledger import Batch, Ledger, Row, moment
from collector.linejudge import Facts, LineJudge
from collector.live import Live
from collector.plan import Plan
from collector.planned import HabitBook, off_spans
from collector.report import RoundReport
from collector.rounds.messages import LineRound, ShardRound
from collector.schools import DOWN, NOT_SEEN, UNKNOWN, UP
from collector.statebook import CODES, StateBook
from collector.states import LineView, States, Sums
from collector.targets import WATCH_ANY
from collector.trace import node_value
from collector.traps.messages import Trap
from collector.ways import WayNews
from collector.windows import WindowRows, window_nodes
from inventory.models import Measure, NodeKind, parse_node_id

log = logging.getLogger(__name__)

RECORD_S = 15.0
"""Late reports amend the judge's record this far back: reports come through a pipe, in order. It is most of the judge's memory."""

MEMORY_SHARE = 0.02
"""Most of the judge's thread that its memory may cost where nothing was said."""

MEMORY_S = 20.0
"""Its memory is written with every notice; else where something has changed, at most this often."""

Recorder = Callable[[dict[str, Any]], None]


class Bench(StateBook):
    """Judge, states, outage log. `now` everywhere is steady time in seconds since the epoch."""

    def __init__(self, ledger: Ledger, name: str, rules: Rules | None = None, record: Recorder | None = None) -> None:
        self.ledger, self.name, self.record = ledger, name, record
        self._rules = rules or Rules(record_s=RECORD_S)
        # Ids of incidents begin with the second of the first start, so that a register that lost the judge's memory has no id twice.
        super().__init__(Judge(self._rules, series=f"{int(time.time()):x}-"))
        self.incidents: dict[str, IncidentView] = {}
        self.causes = Causes()
        self.lines = LineJudge()
        self.reports = 0
        self.last_notice_delay = 0.0
        self._affected: dict[str, tuple[str, ...]] = {}
        self._rows: dict[str, Row] = {}
        self._known_nodes: dict[Any, Sums] = {}
        self._known_schools: dict[Any, Sums] = {}
        self._stopped_at: float | None = None
        self._maintenance: frozenset[tuple[str, float, float]] = frozenset()
        self._windows_due = float("inf")
        """when the next window begins or ends"""
        self._memory_due = 0.0
        self._left: dict[str, str] = {}
        """key -> status of what the register held open at the start, until the first plan"""
        self.open_agents: dict[int, str] = {}
        """device -> key of its open incident of kind agent_silent"""
        self.snmp_unseen: tuple[int, ...] = ()
        """devices that have a credential and have not been seen by SNMP yet"""
        self._changed_at: float | None = None
        self._new_topology = False

    # -- beginning -------------------------------------------------------------------------------------------------

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
        self._fresh = self.nodes.code == UNKNOWN
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

    # -- reports ---------------------------------------------------------------------------------------------------

    def take(self, message: ShardRound) -> bool:
        """One report. False where it speaks of another plan: the next one will say it again."""
        plan = self.plan
        if plan is None or message.version != plan.version or (message.zone, message.shard) not in self._asked:
            return False
        report = self._report(plan, message)
        if report.facts:
            report = replace(report, facts=self.lines.hear_ports(report.facts, self.judge.node_state))
        self.hear(report)
        self.reports += 1
        if message.kind == "liveness":
            self._watch_blindness(plan, message)
            group = self._groups[message.zone, message.shard] if message.asked is None else message.asked
            fresh = plan.target_node[group]
            fresh = fresh[self._fresh[fresh]]
            if len(fresh):
                self._first_words(fresh, message.ended, message.self_ok)
        return True

    def hear(self, report: RoundReport) -> None:
        """Hand a report to all who hear one."""
        self.judge.take_round(report)
        self.causes.scene.take_report(report)
        if self.record is not None:
            self.record(report.as_line())
        for node, facts in report.facts.items():
            for port, word in facts.get("ports", {}).items():
                self._port_word[node, port] = word == "up"

    def take_lines(self, message: LineRound) -> None:
        """Which addresses of lines answered."""
        if self.plan is not None and message.version == self.plan.version:
            self._take_facts(self.lines.hear_addresses(message, self.judge.node_state), message.ended)

    def take_ways(self, news: WayNews) -> None:
        """By which line gateways send."""
        if self.plan is not None:
            self._take_facts(self.lines.hear_ways(news, self.judge.node_state), news.at)

    def _take_facts(self, facts: Facts, t: float) -> None:
        if facts:
            self.hear(RoundReport(t, (), (), collector=self.name, kind="reading", facts=facts))

    def _report(self, plan: Plan, message: ShardRound) -> RoundReport:
        nodes, where = plan.nodes, plan.target_node
        whole = message.asked is None
        return RoundReport(
            t=message.ended,
            asked=self._asked[message.zone, message.shard]
            if whole
            else tuple(nodes[where[i]].id for i in message.asked),  # type: ignore[union-attr]
            silent=[nodes[where[i]].id for i in message.silent.tolist()],
            self_ok=message.self_ok,
            collector=self.name,
            zone=plan.targets.zones[message.zone].name,
            shard=message.shard,
            tick=message.tick if message.tick >= 0 else None,
            every=message.every,
            facts={nodes[where[i]].id: facts for i, facts in message.facts.items()},
            kind="liveness" if message.kind == "liveness" else "reading",
            plan_version=message.version,
            started=message.started,
        )

    def _first_words(self, nodes: NDArray[np.int64], t: float, self_ok: bool) -> None:
        """After a start what the judge remembers is not news to it: take over what the first report says."""
        assert self.plan is not None
        for i in nodes.tolist():
            view = self.judge.node_state(self.plan.nodes[i].id)
            if self_ok and view.state in ("up", "out", "down"):
                self._fresh[i] = False
                self._move_node(i, CODES[view.state], t, self._stopped_at, view.explained, view.root)
        self._changed_at = t

    def _watch_blindness(self, plan: Plan, message: ShardRound) -> None:
        key = (message.zone, message.shard)
        zone = plan.targets.zones[message.zone].name
        reason = "" if message.self_ok else message.reason or "blind"
        if message.reason == "" and message.asked is not None:
            return  # the proven part of a shard whose rest is tcp_only
        row: Row = {"zone": zone, "shard": message.shard}
        if self._stopped_at is not None and key not in self._unseen:
            span = {"from_at": moment(self._stopped_at), "until_at": moment(message.ended), "reason": "stopped"}
            self._batch.unseen.append(("close", {**row, "until_at": moment(self._stopped_at)}))
            self._batch.unseen.append(("add", {**row, **span}))
        if self._unseen.get(key, "") != reason:
            if self._unseen.get(key):
                self._batch.unseen.append(("close", {**row, "until_at": moment(message.ended)}))
            if reason:
                self._batch.unseen.append(("open", {**row, "from_at": moment(message.started), "reason": reason}))
        self._unseen[key] = reason

    # -- what follows ----------------------------------------------------------------------------------------------

    def step(self, now: float) -> list[Notice]:
        """Let time go on: what has changed goes to the ledger. The notices that fell due."""
        if self.plan is None:
            return []
        notices = self.judge.advance(now)
        moved = False
        for t, group in groupby(self.judge.drain_transitions(), key=lambda change: change.t):
            changes = list(group)
            for change in changes:
                self._take_transition(change)
            self._sum_up(t)
            moved = True
        if self._changed_at is not None or self._write_all:
            self._sum_up(self._changed_at or now)
            moved = True
        self._changed_at = None
        said = self._take_notices(notices, now)
        seen = self._look_at_incidents(now, moved)
        seen = self._look_at_windows(now) or seen
        if moved or said or seen or len(self._batch):
            self._keep_memory(now, said)
            batch, self._batch = self._batch, Batch()
            self.ledger.put(batch, urgent=moved or said or seen)
        self._write_all = False
        return notices

    # -- incidents -------------------------------------------------------------------------------------------------

    def _look_at_incidents(self, now: float, moved: bool) -> bool:
        """Put what has changed of the incidents into the batch."""
        assert self.plan is not None
        views = {view.key: view for view in self.judge.incidents()}
        context = Context(self.plan, self.schools.code)
        changed = False
        for key, view in views.items():
            affected = tuple(view.affected_ids)
            row = incident_row(view, list(affected), context)
            # A line that is down while its school answers affects nobody, and is out all the same.
            root = view.root if affected or view.status != "resolving" else None
            tied = self._incident_of.get(view.root or "") == key
            if self._affected.get(key) != affected or tied != (root is not None):
                self._belong(key, affected, root)
                changed = True
            if self._rows.get(key) != row:
                self._rows[key] = row
                self._batch.incidents[key] = {**self._batch.incidents.get(key, {}), **row}
                changed = True
        for key in [key for key in self._rows if key not in views]:
            changed = True
            was = self._rows.pop(key)
            self._belong(key, (), None)
            self._affected.pop(key, None)
            if was["status"] == "pending" and "status" not in self._batch.incidents.get(key, {}):
                self._batch.incidents.setdefault(key, {}).update(status="resolved", resolved_at=moment(now))
        self.incidents = views
        changed = self._look_at_planned(views, now) or changed
        self._batch.verdicts |= self.causes.look(views, self.judge.node_state, now)
        if changed or moved:
            self._tell_causes()
        return changed

    def _look_at_planned(self, views: Mapping[str, IncidentView], now: float) -> bool:
        """What schools switched off themselves, at their usual time: until when nobody is told (`collector/planned.py`)."""
        assert self.plan is not None
        changes = self.planned.look(views, self.plan, self.judge.node_state, self._line_down, now)
        for change in changes:
            self.add_incident(change.key, change.incident_row())
            self._mark_planned(change)
            if not change.verdict:
                self.causes.forget(change.key, "habit")
        for school, (start, end) in off_spans(changes, self.plan).items():
            self.causes.scene.off[school] = [(start, end)] if end > now else []
            if self.record is not None and end > now:
                self.record({"t": now, "kind": "planned_off", "school": school, "from": start, "to": end})
        return bool(changes)

    def _line_down(self, node: str) -> bool:
        """Whether the port that a line ends on is known to be down."""
        assert self.plan is not None
        i = self.plan.node_index.get(node)
        port = self.plan.nodes[i].port if i is not None else None
        return port is not None and self._port_word.get(port) is False

    def _belong(self, key: str, affected: tuple[str, ...], root: str | None) -> None:
        """Nodes come to belong to an incident, or leave it: their states say so."""
        assert self.plan is not None
        new = set(affected) | ({root} if root is not None else set())
        old = {node for node, of in self._incident_of.items() if of == key}
        self._affected[key] = affected
        for node in old - new:
            if self._incident_of.get(node) == key:
                del self._incident_of[node]
        for node in new:
            self._incident_of[node] = key
        for node in old ^ new:
            i = self.plan.node_index.get(node)
            if i is not None:
                self._node_row(i)
                self._tie_outage(node, i)

    def _take_notices(self, notices: list[Notice], now: float) -> bool:
        for notice in notices:
            change, row = notice_rows(notice)
            base = self._rows.get(notice.incident, {})
            mine = self._batch.incidents.get(notice.incident, {})
            self._batch.incidents[notice.incident] = {**base, **mine, **change}
            if notice.incident in self._rows:
                self._rows[notice.incident] = {**base, "status": change["status"]}
            self._batch.notices.append(row)
            self.last_notice_delay = max(0.0, now - notice.t)
        return bool(notices)

    def _keep_memory(self, now: float, at_once: bool) -> None:
        """The judge's memory goes with what it explains; what is only newer, every few seconds."""
        if at_once or self._new_topology or now >= self._memory_due:
            begun = time.monotonic()
            self._batch.memory["judge"] = self.judge.snapshot()
            self._batch.memory["causes"] = self.causes.book.snapshot()
            self._new_topology = False
            self._memory_due = now + max(MEMORY_S, (time.monotonic() - begun) / MEMORY_SHARE)

    # -- what else the judge is told -------------------------------------------------------------------------------

    def take_traps(self, traps: Iterable[Trap]) -> None:
        """Traps are evidence: they change no verdict. Those of devices that are not in the plan any more are passed over."""
        if self.plan is None:
            return
        for trap in traps:
            node = f"device:{trap.device}"
            if node in self.plan.node_index:
                self.judge.take_trap(trap.at, node, trap.name)
                self.causes.scene.take_trap(trap.at, node, trap.name, trap.if_name)
                if self.record is not None:
                    line = {"t": trap.at, "kind": "trap", "node": node, "trap": trap.name}
                    self.record({**line, "port": trap.if_name} if trap.if_name else line)

    def take_power(self, sensors: SensorStore) -> None:
        """Whence the UPS take their power, as last read: evidence of causes."""
        plan = self.plan
        reading = sensors.readings(plan).get(Measure.ups_on_battery) if plan is not None else None
        if plan is None or reading is None or len(reading[0]) != len(plan.targets):
            return
        for report in self.causes.take_power(plan, *reading):
            if self.record is not None:
                self.record(report.as_line())

    def set_habits(self, book: HabitBook) -> None:
        """Habits of switching off, and the calendars that they are read by."""
        self.planned.set_book(book)

    def set_cause_rules(self, rules: CauseRules) -> None:
        """Which conclusions are approved."""
        self.causes.set_rules(rules)

    def set_windows(self, windows: WindowRows, now: float) -> None:
        """All maintenance windows that have not ended; those that are gone from the register are gone."""
        if self.plan is None:
            return
        wanted = {(node, w.from_t, w.until_t) for w in windows for node in window_nodes(self.plan, w)}
        if wanted == self._maintenance:
            return
        self._maintenance = frozenset(wanted)
        self._windows_due = now
        self.judge.set_maintenance(now, sorted(wanted))
        if self.record is not None:
            for node, start, end in sorted(wanted):
                self.record({"t": now, "kind": "maintenance", "node": node, "from": start, "to": end})

    def _look_at_windows(self, now: float) -> bool:
        """Where a window has begun or ended, what is silent is called by another word. Whether one has."""
        if now < self._windows_due:
            return False
        times = [t for _, start, end in self._maintenance for t in (start, end) if t > now]
        self._windows_due = min(times, default=float("inf"))
        self._say_down_again()
        return True

    def in_maintenance(self, node: str) -> bool:
        """Whether a window covers a node now, its own or that of all above it."""
        return self.judge.in_maintenance(node)

    def add_incident(self, key: str, row: Row) -> None:
        """Put what is known of an incident that is not the judge's into the next batch."""
        self._batch.incidents[key] = {**self._batch.incidents.get(key, {}), **row}

    def add_notice(self, row: Row) -> None:
        """Put a notice into the next batch, with what it speaks of."""
        self._batch.notices.append(row)

    def add_memory(self, key: str, value: Row) -> None:
        """Put what is to be remembered with it into the next batch."""
        self._batch.memory[key] = value

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
