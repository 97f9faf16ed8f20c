"""The states of all nodes as the log, the pages and the metrics want them: columns, with seconds up, down and unknown.

The judge says what changed; here it is kept, so that a restart goes on with the sums, and so that lines, which nobody asks,
have a state too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.plan import Plan
from collector.schools import DOWN, NOT_SEEN, NOT_WATCHED, UNKNOWN, UP, WORDS
from inventory.models import State

CODE = {word: code for code, word in enumerate(WORDS)} | {
    State.agent_silent: UP,
    State.flapping: DOWN,
    State.maintenance: DOWN,
    State.planned_off: DOWN,
    State.doubtful: UNKNOWN,
}
"""Words of the database by code; what is finer than a code counts as the one that it is a kind of."""


@dataclass(frozen=True)
class Sums:
    """One node as it was last known: code, since when, seconds up, down and unknown until then."""

    code: int
    since: float
    up_s: float = 0.0
    down_s: float = 0.0
    unknown_s: float = 0.0


class States:
    """Columns over one kind of thing in a fixed order of ids. `code`, `since`, `seconds` (n × 3: unknown, up, down, as their codes)."""

    def __init__(self, ids: Sequence[Any], known: Mapping[Any, "Sums"], now: float, initial: NDArray[np.uint8]) -> None:
        """known: what the database or the last plan says; others begin with `initial` at `now`."""
        n = len(ids)
        self.code = initial.astype(np.uint8).copy()
        self.since = np.full(n, now)
        self.seconds = np.zeros((n, 3))
        self.ids = ids
        self._broken_code = np.full(n, NOTHING, np.uint8)
        self._broken_since = np.zeros(n)
        for i, identity in enumerate(ids):
            sums = known.get(identity)
            if sums is not None:
                self.code[i], self.since[i] = sums.code, sums.since
                self.seconds[i] = (sums.unknown_s, sums.up_s, sums.down_s)

    def move(self, i: int, code: int, t: float) -> bool:
        """Thing i is `code` from t on. Whether that is a change. A time before the last change counts as that."""
        if self.code[i] == code:
            return False
        t = max(t, float(self.since[i]))
        self._count(i, t)
        self.code[i], self.since[i] = code, t
        if self._broken_code[i] == code:
            self._go_on(i, t)
        self._broken_code[i] = NOTHING
        return True

    def _go_on(self, i: int, t: float) -> None:
        """Thing i is found as it was before the stop: it is so since then. What was counted of that time, and the stop itself, which is unknown, count no second time."""
        since = float(self._broken_since[i])
        column = _COLUMN[int(self.code[i])]
        if column is not None:
            self.seconds[i, column] -= t - since
        self.since[i] = since

    def _count(self, i: int, t: float) -> None:
        column = _COLUMN[int(self.code[i])]
        if column is not None:
            self.seconds[i, column] += t - float(self.since[i])

    def break_off(self, until: float) -> None:
        """Nobody saw anything after `until` (the last sign of life before a stop): what was up or down is unknown since then."""
        for i in np.flatnonzero(np.isin(self.code, (UP, DOWN, UNKNOWN, DEGRADED_CODE))):
            code, since = self.code[i], self.since[i]
            self.move(int(i), UNKNOWN, until)
            if code != UNKNOWN:
                self._broken_code[i], self._broken_since[i] = code, since

    def totals(self, now: float) -> NDArray[np.float64]:
        """Seconds unknown, up and down of each until now (n × 3)."""
        found = self.seconds.copy()
        for code, column in _COLUMN.items():
            if column is not None:
                mine = self.code == code
                found[mine, column] += np.maximum(now - self.since[mine], 0.0)
        return found

    def sums(self) -> dict[Any, Sums]:
        """All of it by id, for the next plan."""
        return {
            identity: Sums(int(self.code[i]), float(self.since[i]), *(float(self.seconds[i, c]) for c in (1, 2, 0)))
            for i, identity in enumerate(self.ids)
        }


NOTHING = 255
DEGRADED_CODE = WORDS.index("degraded")
_COLUMN: dict[int, int | None] = {
    UNKNOWN: 0,
    UP: 1,
    DOWN: 2,
    DEGRADED_CODE: 1,
    NOT_SEEN: None,
    NOT_WATCHED: None,
}


@dataclass(frozen=True)
class LineView:
    """How lines hang together with what is asked, as arrays over the plan's nodes."""

    line_node: NDArray[np.int64]
    child_line: NDArray[np.int64]
    child_node: NDArray[np.int64]
    child_sole: NDArray[np.bool_]

    @classmethod
    def of(cls, plan: Plan) -> "LineView":
        """Worked out once for each plan."""
        lines = [i for i, node in enumerate(plan.nodes) if node.id.startswith("line:")]
        place = {plan.nodes[i].id: k for k, i in enumerate(lines)}
        line, child, sole = [], [], []
        for i, node in enumerate(plan.nodes):
            for up in node.up or ():
                if up in place and plan.node_target[i] >= 0:
                    line.append(place[up])
                    child.append(i)
                    sole.append(len(node.up or ()) == 1)
        return cls(
            np.array(lines, np.int64), np.array(line, np.int64), np.array(child, np.int64), np.array(sole, np.bool_)
        )

    def codes(
        self, node_code: NDArray[np.uint8], out: NDArray[np.bool_], port_up: NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        """By line: down where the judge calls it out; up where its port says so or what has it as only way answers; else unknown.

        A line without a port and with nothing under it is not watched. out, port_up: by line.
        """
        n = len(self.line_node)
        answering = node_code[self.child_node] == UP if len(self.child_node) else np.zeros(0, np.bool_)
        children = np.bincount(self.child_line, minlength=n)
        sure = np.bincount(self.child_line, answering & self.child_sole, n) > 0
        found = np.full(n, UNKNOWN, np.uint8)
        found[children == 0] = NOT_WATCHED
        found[sure | port_up] = UP
        found[out] = DOWN
        return found
