"""What goes through the channel between the judge's process and the rounds (collector/wire.py). Versioned by `MESSAGES`."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.shared import Shape
from collector.targets import Targets

MESSAGES = 1


@dataclass(frozen=True)
class Hello:
    """First word of the judge's process: how to run."""

    clock_base: float
    liveness_every_s: float
    reading_every_s: float
    ping_method: str | None = None
    ping_rate_pps: int = 0
    version: int = MESSAGES


@dataclass(frozen=True)
class NewPlan:
    """Another plan, to be followed from the next round on."""

    targets: Targets


@dataclass(frozen=True)
class AskNow:
    """Read these targets by SNMP as soon as possible (a trap came, a person asked)."""

    version: int
    targets: NDArray[np.int64]


@dataclass(frozen=True)
class ShardRound:
    """A round of one shard: `silent` are target numbers of plan `version`; `asked` None: the whole shard.

    reason: why nothing counts, where self_ok is False: blind or tcp_only.
    """

    version: int
    zone: int
    shard: int
    tick: int
    started: float
    ended: float
    every: float
    self_ok: bool
    silent: NDArray[np.int64]
    asked: NDArray[np.int64] | None = None
    kind: str = "liveness"
    reason: str = ""
    facts: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class LineRound:
    """Which addresses of lines answered in a liveness round: in the order of the plan's `line_ends`; self_ok: by zone."""

    version: int
    ended: float
    answered: tuple[bool, ...]
    self_ok: tuple[bool, ...]


@dataclass(frozen=True)
class NewColumns:
    """A block of shared columns has taken the last one's place; its descriptor goes with the message."""

    shape: Shape


@dataclass(frozen=True)
class PortNames:
    """What ports devices have: device id -> [(ifIndex, name, ifDescr, ifAlias)]; `table` adds names to the table behind `name_id`."""

    ports: dict[int, list[tuple[int, str, str, str]]]
    table: tuple[int, list[str]]
    """(number of the first, names)"""


@dataclass(frozen=True)
class Health:
    """How the rounds go: a dictionary for `feed` and the metrics."""

    at: float
    detail: dict[str, Any]
