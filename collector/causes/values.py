"""What causes are made of: pieces of evidence, and the verdict on them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.causes.weights import WEIGHTS
from inventory.causes import UNDETERMINED


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece. kind: a key of `WEIGHTS`. at: seconds (of the trace, or since the epoch) at which it was so. node: whom it is about.

    data: what its sentence needs beside the node's name.
    """

    kind: str
    at: float
    node: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def slot(self) -> tuple[str, str]:
        """Of two pieces with the same slot the newer counts: a port is up or down, never both."""
        return WEIGHTS[self.kind].slot or self.kind, self.node

    def as_row(self, name: str | None = None) -> dict[str, Any]:
        """As `incident.cause_evidence` has it. name: of the node, for its sentence."""
        weight = WEIGHTS[self.kind]
        return {
            "kind": self.kind,
            "at": round(self.at, 3),
            "node": self.node,
            "for": sorted(weight.supports),
            "against": sorted(weight.opposes),
            "data": {"name": self.node if name is None else name, **self.data},
        }

    def as_memory(self) -> list[Any]:
        """For the judge's memory."""
        return [self.kind, self.at, self.node, dict(self.data)]

    @classmethod
    def of_memory(cls, kept: Iterable[Any]) -> "Evidence":
        """From the judge's memory."""
        kind, at, node, data = kept
        return cls(kind, at, node, data)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows. confidence: 0 to 1. rule: of `inventory.causes.RULES`, "" where nothing is concluded."""

    cause: str = UNDETERMINED
    confidence: float = 0.0
    rule: str = ""
