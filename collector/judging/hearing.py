"""What is heard: reports of rounds, words on lines and ways, traps, power. Each goes to the judge, to the causes and into the recording."""

from collections.abc import Iterable
from dataclasses import replace

from collector.degraded.sensors import SensorStore
from collector.judge import Judge
from collector.judge.values import Rules
from collector.judging.incidents import Recorder
from collector.judging.plans import PlanBook
from collector.ledger import Row, moment
from collector.linejudge import Facts
from collector.plan import Plan
from collector.report import RoundReport
from collector.rounds.messages import LineRound, ShardRound
from collector.statebook import CODES
from collector.traps.messages import Trap
from collector.ways import WayNews
from inventory.models import Measure


class Hearing(PlanBook):
    """Hears for one collector. name: the collector's, as reports carry it."""

    def __init__(self, judge: Judge, record: Recorder | None, rules: Rules, name: str) -> None:
        super().__init__(judge, record, rules)
        self.name = name
        self._changed_at: float | None = None
        """when states were taken over that the judge had before"""

    def take(self, message: ShardRound, seen: bool = False) -> bool:
        """One report. False where it speaks of another plan: the next one will say it again. seen: a vantage point saw its shard on this tick."""
        plan = self.plan
        if plan is None or message.version != plan.version or (message.zone, message.shard) not in self._asked:
            return False
        report = self._report(plan, message)
        if report.facts:
            report = replace(report, facts=self.lines.hear_ports(report.facts, self.judge.node_state))
        self.hear(report)
        self.reports += 1
        if message.kind == "liveness":
            self._watch_blindness(plan, message, seen)
            group = self._groups[message.zone, message.shard] if message.asked is None else message.asked
            fresh = plan.target_node[group]
            fresh = fresh[self._fresh[fresh]]
            if len(fresh):
                self._first.append((fresh, message.ended, message.self_ok))
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

    def _first_words(self) -> None:
        """After a start what the judge remembers is not news to it: take over what the first reports say of nodes that it has said nothing of since.

        To be called when its transitions have been taken: one that another shard's report made may be of a node that is fresh, and older than this.
        """
        assert self.plan is not None
        first, self._first = self._first, []
        for nodes, t, self_ok in first:
            for i in nodes[self._fresh[nodes]].tolist():
                view = self.judge.node_state(self.plan.nodes[i].id)
                if self_ok and view.state in ("up", "out", "down"):
                    self._fresh[i] = False
                    self._move_node(i, CODES[view.state], t, self._stopped_at, view.explained, view.root)
            self._changed_at = t

    def _watch_blindness(self, plan: Plan, message: ShardRound, seen: bool) -> None:
        """Spans that nobody saw. seen: a vantage point did; what it does not ask is unknown all the same, and its state says why."""
        key = (message.zone, message.shard)
        zone = plan.targets.zones[message.zone].name
        reason = "" if message.self_ok else message.reason or "blind"
        if message.reason == "" and message.asked is not None:
            return  # the proven part of a shard whose rest is tcp_only
        self._blind[key], reason = reason, "" if seen else reason
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
