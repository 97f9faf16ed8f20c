"""The values between rounds and judge: the same in memory, in the pipe, through a broker and in a trace (REPLAY.md).

A report is a state, not an event: losing one, getting one twice or out of order does no harm.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Asked = Sequence[str] | Literal["all"]

REPORT_VERSION = 1
"""Raised when a field changes its meaning; a reader refuses what it does not know."""


@dataclass(frozen=True, slots=True)
class RoundReport:
    """One sweep of one shard at one tick.

    t: seconds since the epoch (in a trace: since its start) at which the report was true, its `ended`.
    asked: ids of the nodes asked, or "all" that have `probe` true; one tuple per plan and shard, so that its identity can be cached on.
    silent: ids among `asked` that did not answer after the repeated asking. self_ok: False where the collector could not see its
    reference targets: then nothing that it says counts. facts: by node id, {"sysUpTime": hundredths, "ports": {ifName: "up" | "down"}, "way": line id}.
    """

    t: float
    asked: Asked
    silent: Collection[str]
    self_ok: bool = True
    collector: str = ""
    zone: str = ""
    shard: int = 0
    tick: int | None = None
    every: float = 5.0
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    kind: Literal["liveness", "reading"] = "liveness"
    plan_version: int = 0
    started: float | None = None
    version: int = REPORT_VERSION

    def as_line(self) -> dict[str, Any]:
        """The `round` line of a trace."""
        line: dict[str, Any] = {
            "t": self.t,
            "kind": "round",
            "collector": self.collector,
            "zone": self.zone,
            "shard": self.shard,
            "every": self.every,
            "self_ok": self.self_ok,
            "asked": "all" if self.asked == "all" else list(self.asked),
            "silent": sorted(self.silent),
        }
        if self.tick is not None:
            line["tick"] = self.tick
        if self.facts:
            line["facts"] = {node: dict(facts) for node, facts in self.facts.items()}
        return line
