"""The judge's bench: time goes on, what follows goes to the ledger in one batch, and the judge's memory with it.

One thread only. Nothing here waits: the database is behind the ledger, the rounds behind a channel.
"""

import time
from itertools import groupby

from collector.judge import Judge
from collector.judge.values import Notice, Rules
from collector.judging.elsewhere import Elsewhere
from collector.judging.incidents import Recorder
from collector.ledger import Batch, Ledger

RECORD_S = 15.0
"""Late reports amend the judge's record this far back: reports come through a pipe, in order. With vantage points it is minutes (`keep_record`). It is most of the judge's memory."""

MEMORY_SHARE = 0.02
"""Most of the judge's thread that its memory may cost where nothing was said."""

STORM_SHARE = 0.1
"""The same where incidents have changed: what is lost with a kill has to be seen anew, and its notice waits anew."""

MEMORY_S = 20.0
"""Its memory is written with every notice, and with what changed of the incidents; else where something has changed, at most this often."""


class Bench(Elsewhere):
    """Judge, states, outage log. `now` everywhere is steady time in seconds since the epoch."""

    def __init__(self, ledger: Ledger, name: str, rules: Rules | None = None, record: Recorder | None = None) -> None:
        rules = rules or Rules(record_s=RECORD_S)
        # Ids of incidents begin with the second of the first start, so that a register that lost the judge's memory has no id twice.
        super().__init__(Judge(rules, series=f"{int(time.time()):x}-"), record, rules, name)
        self.ledger = ledger
        self._memory_due = self._storm_due = 0.0

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
        self._first_words()
        if self._changed_at is not None or self._write_all:
            self._sum_up(self._changed_at or now)
            moved = True
        self._changed_at = None
        said = self._take_notices(notices, now)
        seen = self._look_at_incidents(now, moved)
        seen = self._look_at_windows(now) or seen
        if moved or said or seen or len(self._batch):
            self._keep_memory(now, said, seen)
            batch, self._batch = self._batch, Batch()
            self.ledger.put(batch, urgent=moved or said or seen)
        self._write_all = False
        return notices

    def _keep_memory(self, now: float, said: bool, seen: bool) -> None:
        """The judge's memory goes with what it explains: notices, changed incidents; what is only newer, every few seconds."""
        if said or self._new_topology or now >= (self._storm_due if seen else self._memory_due):
            begun = time.monotonic()
            self._batch.memory["judge"] = self.judge.snapshot()
            self._batch.memory["causes"] = self.causes.book.snapshot()
            self._new_topology = False
            cost = time.monotonic() - begun
            self._memory_due, self._storm_due = now + max(MEMORY_S, cost / MEMORY_SHARE), now + cost / STORM_SHARE
