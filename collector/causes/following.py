"""Causes on a recorded trace: `edunet replay --causes`. A line `{"kind": "cause", ...}` whenever the word on an incident changes."""

from collections.abc import Iterator
from typing import Any

from collector.causes.casebook import Case, Casebook, evidence_rows
from collector.causes.scene import Scene
from collector.judge import Judge
from collector.judge.values import plain
from collector.report import RoundReport
from collector.trace import Line, OffLine, TopologyLine, TrapLine


class CauseFollower:
    """Hears each line of a trace after the judge has."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.book = Casebook(self.scene)

    def __call__(self, line: Line, judge: Judge) -> Iterator[dict[str, Any]]:
        """The lines to print after this one."""
        match line:
            case RoundReport():
                self.scene.take_report(line)
            case TopologyLine():
                self.scene.set_topology(line.nodes)
            case TrapLine():
                self.scene.take_trap(line.t, line.node, line.trap, line.port)
            case OffLine():
                self.scene.add_off(line.school, line.from_, line.to)
        views = {view.key: view for view in judge.incidents()}
        for case in [*self.book.look(views, judge.node_state, judge.now), *self.book.look_at_agents(judge.node_state)]:
            yield cause_line(case, judge.now)


def cause_line(case: Case, t: float) -> dict[str, Any]:
    """The word on one incident."""
    return {
        "t": plain(t),
        "kind": "cause",
        "incident": case.key,
        "root": case.root,
        "cause": case.verdict.cause,
        "confidence": case.verdict.confidence,
        "rule": case.verdict.rule,
        "evidence": evidence_rows(case),
    }
