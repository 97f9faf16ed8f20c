"""What the reports mean, decided in one place: state, topology and time in, notices out (REPLAY.md; docs/judging.md). Pure."""

from collector.judge.judge import Judge
from collector.judge.values import (
    IncidentView,
    Node,
    NodeView,
    Notice,
    Rules,
    TopologyError,
    Transition,
    UnknownNodeError,
)

__all__ = [
    "IncidentView",
    "Judge",
    "Node",
    "NodeView",
    "Notice",
    "Rules",
    "TopologyError",
    "Transition",
    "UnknownNodeError",
]
