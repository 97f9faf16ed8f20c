"""What vantage points saw: heard like a round of our own, and it takes what it saw out of what nobody saw."""

import numpy as np

from collector.judging.hearing import Hearing
from collector.ledger import Row, moment
from collector.plan import Plan
from collector.report import RoundReport


class Elsewhere(Hearing):
    """Hears other vantage points too (collector/vantage/merging.py says what of their words, and when)."""

    def keep_record(self, seconds: float) -> None:
        """How late reports may come: with vantage points, whose links fail, minutes."""
        self.judge.record.keep_s = seconds

    def take_vantage(self, report: RoundReport) -> None:
        """The good word of a vantage point. Its blind ones never come here."""
        plan = self.plan
        if plan is None:
            return
        self.hear(report)
        self.reports += 1
        self._seen_elsewhere(plan, report)
        if self._fresh.any():
            nodes = np.array([plan.node_index[node] for node in report.asked], np.int64)
            nodes = nodes[self._fresh[nodes]]
            if len(nodes):
                self._first.append((nodes, report.t, True))

    def _seen_elsewhere(self, plan: Plan, report: RoundReport) -> None:
        """What somebody saw is not unseen: an open span ends, and what a late report tells of is taken out of it."""
        row: Row = {"zone": report.zone, "shard": report.shard}
        if report.t < self.judge.now - 2 * report.every and report.tick is not None:
            span = {"from_at": moment(report.tick * report.every), "until_at": moment(report.t + report.every)}
            self._batch.unseen.append(("seen", {**row, **span, "least_s": report.every}))
            return
        key = (next((i for i, zone in enumerate(plan.targets.zones) if zone.name == report.zone), -1), report.shard)
        if self._unseen.get(key):
            self._unseen[key] = ""
            self._batch.unseen.append(("close", {**row, "until_at": moment(report.t)}))
