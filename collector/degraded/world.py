"""The judge's bench and the plan, as the desk asks of them (`desk.World`)."""

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
        below: "Below",
    ) -> None:
        """codes: of nodes and of schools. text_of: (subject, measure) -> sensor or port. below: of this plan."""
        self.plan, self.subjects, self.engine, self.seen = plan, subjects, engine, seen
        self.node_code, self.school_code = codes
        self.subject_text = text_of
        self._line_target = subjects.target_of_line
        self.below = below
        self._measured: dict[int, NDArray[np.int64]] | None = None
        self._sizes: dict[tuple[tuple[str, str], str], int] = {}

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
        """How many nodes of a group have this measure. Counted in columns, at the first question: a storm asks of a few groups alone."""
        key = (group, measure)
        if key not in self._sizes:
            self._sizes[key] = self._count(group, measure)
        return self._sizes[key]

    def _count(self, group: tuple[str, str], measure: str) -> int:
        traits, (by, value) = self.subjects.traits_of(measure), group
        if self._measured is None:
            self._measured = self.engine.measured()
        known = [self._measured[rule.id] for rule in self.engine.rules if rule.measure == measure]
        which = np.unique(np.concatenate(known)) if known else np.zeros(0, np.int64)
        if by == "upstream":
            below = self.below.of(value)
            return len({traits.nodes[i] for i in which.tolist()} & below)
        column = {"region": traits.place, "operator": traits.operator, "model": traits.model}.get(by)
        if column is None:  # ports of lines have an operator, too: looked up one by one
            return sum(group in self.groups(node, measure) for node in {traits.nodes[i] for i in which.tolist()})
        wanted = int(value) if by == "region" else value
        return len({traits.nodes[i] for i in which[column[which] == wanted].tolist()})


class Below:
    """What hangs under a node as its only way, directly or through lines; worked out when it is first asked, once for each plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._children: dict[str, list[str]] | None = None

    def of(self, node: str) -> set[str]:
        """Names of these nodes; lines are among them, and what hangs under them."""
        if self._children is None:
            self._children = {}
            for row in self._plan.nodes:
                if row.up is not None and len(row.up) == 1:
                    self._children.setdefault(row.up[0], []).append(row.id)
        found: set[str] = set()
        todo = [node]
        while todo:
            for child in self._children.get(todo.pop(), ()):
                if child not in found:
                    found.add(child)
                    if not child.startswith("device:"):
                        todo.append(child)
        return found


def port_text(subject: str, measure: str) -> str:
    """The port's name in a subject `port:7:GE0/0/1`; empty for others."""
    return subject.split(":", 2)[2] if BY_MEASURE[Measure(measure)].of == "port" else ""
