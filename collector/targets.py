"""What is asked: the part of a plan that goes to the rounds process. It knows no register and no database."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from probes.snmp.credential import Credential
from probes.snmp.pace import Asking

WATCH_ANY, WATCH_SNMP, WATCH_ICMP, WATCH_TCP = 0, 1, 2, 3
"""Codes of `Targets.watch`."""


@dataclass(frozen=True)
class ZonePlan:
    """A zone as the rounds know it."""

    id: int
    name: str
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class LineEnd:
    """An address of a line itself: pinged in every liveness round, no target of its own. zone: index in `Targets.zones`."""

    line: int
    near: bool
    address: str
    zone: int


@dataclass(frozen=True)
class Targets:
    """What is asked, densely numbered 0 ... n-1. All arrays have n rows; `shard` counts within a zone."""

    version: int
    device_id: NDArray[np.int64]
    address: list[str]
    zone: NDArray[np.int32]
    shard: NDArray[np.int32]
    watch: NDArray[np.uint8]
    snmp_port: NDArray[np.int32]
    credential: NDArray[np.int32]
    zones: tuple[ZonePlan, ...] = ()
    credentials: tuple[Credential, ...] = field(default=(), repr=False)
    tcp: dict[int, tuple[tuple[int, ...], bool]] = field(default_factory=dict)
    """target -> (ports, whether a reset counts as life)"""
    wanted: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """target -> names of ports on which lines end: their state is a fact of the reports"""

    askings: tuple[Asking, ...] = (Asking(),)
    asking_rules: tuple[tuple[str, ...], ...] = ((),)
    """names of the rules behind each of `askings`"""
    asking_of: NDArray[np.int32] | None = None
    """which of `askings` holds for each target; None: the first for all"""
    line_ends: tuple[LineEnd, ...] = ()

    def __len__(self) -> int:
        return len(self.address)
