"""What goes into the judge and what comes out of it: plain values, no behaviour."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Event = Literal["opened", "updated", "reopened", "resolved"]
GroupKey = tuple[str, str]
"""(`by`, `value`): ("upstream", node id) or ("region" | "operator" | "model", the shared word)."""


class TopologyError(ValueError):
    """A topology that cannot be judged: an unknown id, an id given twice, a loop. `node` is the id."""

    def __init__(self, node: str, message: str) -> None:
        super().__init__(f"{node}: {message}")
        self.node = node


class UnknownNodeError(ValueError):
    """A report or a window names an id that was in no topology so far. `node` is the id."""

    def __init__(self, node: str, where: str) -> None:
        super().__init__(f"{node}: unknown id in {where}")
        self.node = node


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the topology (REPLAY.md, "In").

    up: upstreams, any one of which suffices; () nothing is above it; None nothing is known of its way.
    probe: False where it is never asked itself. port: (device id, ifName) whose word tells of an unasked node.
    edge: a camera, AP, terminal: down time and nothing else. pupils: of its school. seen: False until its first answer.
    role: its `class` where that is not edge (gateway, aggregation, ups ...): says nothing to the judge, but to those who look for causes.
    """

    id: str
    up: tuple[str, ...] | None = None
    probe: bool = True
    port: tuple[str, str] | None = None
    region: str | None = None
    operator: str | None = None
    model: str | None = None
    school: str | None = None
    edge: bool = False
    pupils: int | None = None
    seen: bool = True
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of REPLAY.md, in seconds where not said otherwise. The defaults are the page's "no other rules given"."""

    hold_s: float = 300.0  # what was explained stays so, after its upstreams have come back
    open_wait_s: float = 20.0  # from cause to `opened`, for other shards and collectors to report
    shard_slack_s: float = 5.0  # and at least the longest `every` and this
    most_every_s: float = 20.0  # of rounds that `opened` waits for
    open_limit_s: float = 29.0  # but never longer
    resolve_wait_s: float = 60.0  # from the answer to `resolved`; falling silent before that goes on
    settle_s: float = (
        20.0  # a change of `affected`, or an explanation by what is open already, lasts this long before it is said
    )
    update_every_s: float = 60.0  # at most one `updated` of an incident in this time
    shrink_updates: int = (
        3  # `updated` with a smaller `affected` after each `opened`: one cause costs at most 5 notices
    )
    reopen_s: float = 600.0  # silent again this soon after `resolved`: the same incident
    cluster_gap_s: float = 60.0  # roots that fail within this of another have failed together
    cluster_least: int = 5  # nodes
    cluster_share: float = 1 / 3  # of the group's asked nodes
    flap_silences: int = 3  # within flap_within_s: flapping
    flap_within_s: float = 1200.0
    flap_quiet_s: float = 120.0  # ends it; doubled for each flapping begun in flap_memory_s
    flap_quiet_most_s: float = 3600.0
    flap_memory_s: float = 21600.0
    gap_rounds: float = 3.0  # a span longer than so many `every` is unknown after one `every`
    record_s: float = float("inf")  # late reports amend the record this far back; older rounds are folded into sums


@dataclass(frozen=True, slots=True)
class Notice:
    """One word to people. t: when it was due. Figures as in REPLAY.md, "Out"."""

    t: float
    event: Event
    incident: str
    root: str | None
    possible: tuple[str, ...]
    cluster: GroupKey | None
    affected: int
    schools: int
    pupils: int
    flapping: bool = False
    merged_into: str | None = None

    def as_line(self) -> dict[str, Any]:
        """The `notice` line of a replay."""
        return {
            "t": plain(self.t),
            "kind": "notice",
            "event": self.event,
            "incident": self.incident,
            "root": self.root,
            "possible": list(self.possible),
            "cluster": {"by": self.cluster[0], "value": self.cluster[1]} if self.cluster else None,
            "affected": self.affected,
            "schools": self.schools,
            "pupils": self.pupils,
            "flapping": self.flapping,
            "merged_into": self.merged_into,
        }


@dataclass(frozen=True, slots=True)
class Transition:
    """A node's state changed, or what explains it did: the outage log is written from these.

    t: the time of the report that says so (of "unknown": when the unknown time began). root: the node that it is cut off by
    (itself where it is the root), None when up. explained: something above it has failed.
    earliest: where the change may have come while nobody saw, the time at which seeing ended, else t. A new outage began
    between `earliest` and t and counts from t; one that ended did so between them and counted until `earliest`.
    amends: not a change but a correction by a late report: the node's record between two known words, as
    ((from, to, "up" | "down" | "unknown"), ...); the other fields then say what is true now.
    """

    t: float
    node: str
    state: Literal["up", "down", "unknown"]
    explained: bool = False
    root: str | None = None
    earliest: float | None = None
    amends: tuple[tuple[float, float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentView:
    """What the judge sees now, before notices are due.

    key: the incident's id, also of one not yet opened. status: pending (not yet opened), open, resolving (all answer, `resolved`
    is not yet due). since: first miss. affected_ids: silent asked nodes that belong to it.
    """

    key: str
    root: str | None
    cluster: GroupKey | None
    status: Literal["pending", "open", "resolving"]
    since: float
    affected_ids: Iterable[str]
    affected: int
    schools: int
    pupils: int
    possible: tuple[str, ...] = ()
    flapping: bool = False
    in_maintenance: bool = False


@dataclass(frozen=True, slots=True)
class NodeView:
    """One node now. state: up, out, unknown (its last word was blind or is too old), never (no word yet, or never answered)."""

    state: Literal["up", "out", "unknown", "never"]
    root: str | None = None
    since: float | None = None
    explained: bool = False
    out: bool = field(default=False)


def plain(value: float) -> float | int:
    """Seconds as JSON prints them best: to the microsecond, without a fraction where there is none."""
    value = round(value, 6)
    return int(value) if value == int(value) else value
