"""What is wrong with one node, or with a cluster of nodes: values, and how they are kept over a restart. Pure."""

from dataclasses import dataclass, field
from typing import Any

from collector.degraded.engine import Change
from collector.degraded.rules import SEVERITIES

PATH = frozenset({"loss_percent", "rtt_ms", "line_loss_percent", "line_rtt_ms"})
"""Measures of the way to a node: what is wrong above it shows in all that hangs below."""

MOST_LISTED = 50


@dataclass
class Wrong:
    """A rule that is raised for a subject of the node."""

    rule_id: int
    rule: str
    subject: str
    measure: str
    severity: str
    since: float
    value: float
    name_zh: str = ""
    name_en: str = ""
    raise_at: float = 0.0
    of: str = ""
    """sensor or port"""

    @classmethod
    def of_change(cls, change: Change, of: str = "") -> "Wrong":
        """What a newly raised rule says."""
        rule = change.rule
        return cls(
            rule.id,
            rule.key,
            change.subject,
            rule.measure,
            rule.severity,
            change.at,
            round(change.value, 3),
            rule.name_zh,
            rule.name_en,
            rule.raise_at,
            of,
        )

    def as_evidence(self) -> dict[str, Any]:
        """One entry of `evidence["measures"]`."""
        return {
            "rule": self.rule,
            "name_zh": self.name_zh,
            "name_en": self.name_en,
            "measure": self.measure,
            "value": self.value,
            "raise_at": self.raise_at,
            "severity": self.severity,
            "subject": self.subject,
            "of": self.of,
            "since": self.since,
        }


@dataclass
class Case:
    """All that is wrong with one node, from the first raised rule on. key empty: no incident of its own (waiting, explained, in a cluster)."""

    node: str
    since: float
    wrong: dict[tuple[int, str], Wrong] = field(default_factory=dict)
    key: str = ""
    cluster: str = ""
    quiet_since: float | None = None
    out_since: float | None = None
    said_severity: str = ""
    said_at: float = 0.0

    @property
    def severity(self) -> str:
        """The worst of what is wrong."""
        return worst([wrong.severity for wrong in self.wrong.values()])

    @property
    def on_path(self) -> bool:
        """Whether the way to it is bad, so that what hangs below is explained."""
        return any(wrong.measure in PATH for wrong in self.wrong.values())

    @property
    def only_path(self) -> bool:
        """Whether nothing but the way to it is bad: then what is wrong above explains all of it."""
        return bool(self.wrong) and all(wrong.measure in PATH for wrong in self.wrong.values())


@dataclass
class Cluster:
    """Many of one group with the same measure at once, as one incident."""

    key: str
    by: str
    value: str
    measure: str
    since: float
    members: set[str] = field(default_factory=set)
    said: int = 0
    said_at: float = 0.0
    most: int = 0


@dataclass
class Past:
    """The last incident of a node that was resolved, and when it was opened again lately."""

    key: str
    resolved_at: float
    reopened: list[float] = field(default_factory=list)


def worst(severities: list[str]) -> str:
    """The worst of some severities; warning of none."""
    return max(severities, key=SEVERITIES.index, default="warning")


def dump(cases: dict[str, Case], clusters: dict[str, Cluster], past: dict[str, Past]) -> dict[str, Any]:
    """All of it as JSON for `judge_state`."""
    return {
        "version": 1,
        "cases": [{**vars(case), "wrong": [vars(wrong) for wrong in case.wrong.values()]} for case in cases.values()],
        "clusters": [{**vars(cluster), "members": sorted(cluster.members)} for cluster in clusters.values()],
        "past": {node: vars(last) for node, last in past.items()},
    }


def load(memory: dict[str, Any]) -> tuple[dict[str, Case], dict[str, Cluster], dict[str, Past]]:
    """The opposite of `dump`. ValueError where it is of another version."""
    if memory.get("version") != 1:
        raise ValueError(f"memory of version {memory.get('version')}")
    cases = {}
    for row in memory["cases"]:
        wrong = [Wrong(**entry) for entry in row["wrong"]]
        case = Case(**{**row, "wrong": {(entry.rule_id, entry.subject): entry for entry in wrong}})
        cases[case.node] = case
    clusters = [Cluster(**{**row, "members": set(row["members"])}) for row in memory["clusters"]]
    return cases, {cluster.key: cluster for cluster in clusters}, {n: Past(**p) for n, p in memory["past"].items()}
