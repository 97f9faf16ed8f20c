"""The judge's bench and the plan, as the desk asks of them (`desk.World`)."""

from collections import Counter
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collector.degraded.engine import Engine
from collector.degraded.rows import place_of
from collector.degraded.subjects import Subjects
from collector.plan import Plan
from collector.schools import DOWN, UNKNOWN, UP
from inventory.measures import BY_MEASURE
from inventory.models import Measure, NodeKind, parse_node_id


class Seen(Protocol):
    """What the bench tells (collector/statebook.py)."""

    def incident_key(self, node: str) -> str | None:
        """Key of the outage's incident that a node belongs to."""

    def in_maintenance(self, node: str) -> bool:
        """Whether a window covers one of the judge's nodes now."""


class BenchWorld:
    """Of one moment."""

    def __init__(
        self,
        plan: Plan,
        subjects: Subjects,
        engine: Engine,
        seen: Seen,
        codes: tuple[NDArray[np.uint8], NDArray[np.uint8]],
        text_of: Callable[[str, str], str],
    ) -> None:
        """codes: of nodes and of schools. text_of: (subject, measure) -> sensor or port."""
        self.plan, self.subjects, self.engine, self.seen = plan, subjects, engine, seen
        self.node_code, self.school_code = codes
        self.subject_text = text_of
        self._line_target = dict(zip(subjects.line.names, subjects.line_target.tolist(), strict=True))
        self._sizes: dict[str, Counter[tuple[str, str]]] = {}

    def is_there(self, node: str) -> bool:
        """Whether the plan has it."""
        kind, number = parse_node_id(node)
        return number in self.plan.school_index if kind == NodeKind.school else node in self.plan.node_index

    def is_out(self, node: str) -> bool:
        """A device that does not answer; a line that is down, or whose device does not answer; a school that is cut off or unknown."""
        kind, number = parse_node_id(node)
        if kind == NodeKind.school:
            return int(self.school_code[self.plan.school_index[number]]) in (UNKNOWN, DOWN)
        code = int(self.node_code[self.plan.node_index[node]])
        if kind == NodeKind.device:
            return code != UP
        target = self._line_target.get(node, -1)
        return code == DOWN or (target >= 0 and int(self.node_code[self.plan.target_node[target]]) != UP)

    def outage_of(self, node: str) -> str | None:
        """Key of the outage's incident that it belongs to; of a line without one, that of the device behind it."""
        key = self.seen.incident_key(node)
        target = self._line_target.get(node, -1)
        if key is None and target >= 0:
            key = self.seen.incident_key(f"device:{int(self.plan.targets.device_id[target])}")
        return key

    def in_maintenance(self, node: str) -> bool:
        """A school: where all gateways by which it is judged are."""
        kind, number = parse_node_id(node)
        if kind != NodeKind.school:
            return self.seen.in_maintenance(node)
        school = self.plan.school_index.get(number, -1)
        gates = self.plan.gate_node[self.plan.site_school[self.plan.gate_site] == school]
        return len(gates) > 0 and all(self.seen.in_maintenance(self.plan.nodes[i].id) for i in gates.tolist())

    def ups(self, node: str) -> tuple[str, ...]:
        """What it hangs under. Of a school nothing: its share says nothing of its way."""
        i = self.plan.node_index.get(node)
        return tuple(self.plan.nodes[i].up or ()) if i is not None else ()

    def groups(self, node: str, measure: str) -> list[tuple[str, str]]:
        """What it hangs under alone, its operator (of lines), its county, its model (of devices)."""
        kind, number = parse_node_id(node)
        found: list[tuple[str, str]] = []
        upstream = self._upstream(node)
        if upstream:
            found.append(("upstream", upstream))
        if kind == NodeKind.line and number in self.plan.lines and self.plan.lines[number].operator:
            found.append(("operator", self.plan.lines[number].operator))
        place = place_of(self.plan, node).place_id
        if place is not None:
            found.append(("region", str(place)))
        if kind == NodeKind.device and number in self.plan.devices and self.plan.devices[number].model:
            found.append(("model", self.plan.devices[number].model))
        return found

    def _upstream(self, node: str) -> str:
        """The one node that is asked and that it hangs under, directly or through lines; empty where there are several ways, or none."""
        for _ in range(8):
            ups = self.ups(node)
            if len(ups) != 1:
                return ""
            node = ups[0]
            if node.startswith("device:"):
                return node
        return ""

    def group_size(self, group: tuple[str, str], measure: str) -> int:
        """How many nodes of a group have this measure."""
        if measure not in self._sizes:
            measured: set[str] = set()
            traits = self.subjects.traits_of(measure)
            for rule, which in self.engine.measured().items():
                if any(r.id == rule and r.measure == measure for r in self.engine.rules):
                    measured |= {traits.nodes[i] for i in which.tolist()}
            self._sizes[measure] = Counter(g for node in measured for g in self.groups(node, measure))
        return self._sizes[measure][group]


def port_text(subject: str, measure: str) -> str:
    """The port's name in a subject `port:7:GE0/0/1`; empty for others."""
    return subject.split(":", 2)[2] if BY_MEASURE[Measure(measure)].of == "port" else ""
