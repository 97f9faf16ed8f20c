"""What rules are about, in columns, worked out once for each plan: devices (targets), ports, lines, schools. Pure.

Every subject has a name that outlives a plan (`device:7`, `port:7:GE0/0/1`, `line:3`, `school:9`) and belongs to a node of incidents: a port on
which a line ends belongs to the line, another to its device.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from collector.plan import Plan
from collector.words import node_place
from inventory.measures import BY_MEASURE
from inventory.models import Measure

Numbers = NDArray[np.int64]
Words = NDArray[np.str_]


@dataclass(frozen=True)
class Traits:
    """What rules choose by. place, duty: ids of regions (0 unknown); level "" where there is no school."""

    names: list[str]
    nodes: list[str]
    place: Numbers
    duty: Numbers
    level: Words
    school: Numbers
    """index in `plan.schools`, -1: none"""
    kind: Words | None = None
    vendor: Words | None = None
    model: Words | None = None
    operator: Words | None = None

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Subjects:
    """Subjects of one plan, by what they are."""

    device: Traits
    line: Traits
    school: Traits
    port: Traits
    port_key: list[tuple[int, str]]
    """(device, ifName) of each port"""
    port_target: Numbers
    line_target: Numbers
    """the target whose pings go over the line, -1: none"""
    port_line: Numbers
    """by port: index of the line that ends there, -1: none"""
    port_own: NDArray[np.bool_]
    """by port: it is the line's end on the school's side"""
    line_mbps: NDArray[np.float64]
    """contracted, NaN: not known"""
    line_ids: list[int] = field(default_factory=list)
    own_loss: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """by target: its pings tell of itself, and not of a line"""

    @cached_property
    def target_of_line(self) -> dict[str, int]:
        """`line:3` -> the target whose pings go over it, -1: none."""
        return dict(zip(self.line.names, self.line_target.tolist(), strict=True))

    def traits_of(self, measure: str) -> Traits:
        """The subjects of a measure."""
        found: Traits = getattr(self, BY_MEASURE[Measure(measure)].of)
        return found


def subjects_of(plan: Plan, monitored: Iterable[tuple[int, str]]) -> Subjects:
    """monitored: (device, ifName) of the ports that are looked at."""
    device = _devices(plan)
    lines = sorted(number for number in plan.lines if f"line:{number}" in plan.node_index)
    line_target = _line_targets(plan, lines)
    ends: dict[tuple[int, str], int] = {}
    for index, number in enumerate(lines):
        line = plan.lines[number]
        for of, port in ((line.end_device_id, line.end_port), (line.far_device_id, line.far_port)):
            if of is not None and port:
                ends.setdefault((of, port), index)
    target_of = {d: i for i, d in enumerate(plan.targets.device_id.tolist())}
    keys = sorted(key for key in {*monitored, *ends} if key[0] in target_of)
    port_target = np.array([target_of[of] for of, _ in keys], np.int64)
    own = np.ones(len(plan.targets), np.bool_)
    own[line_target[line_target >= 0]] = False
    return Subjects(
        device=device,
        line=_lines(plan, lines),
        school=_schools(plan),
        port=_ports(device, keys, port_target, ends, lines),
        port_key=keys,
        port_target=port_target,
        line_target=line_target,
        port_line=np.array([ends.get(key, -1) for key in keys], np.int64),
        port_own=np.array([key in ends and key == _own_end(plan, lines[ends[key]]) for key in keys], np.bool_),
        line_mbps=np.array([plan.lines[n].bandwidth_mbps or np.nan for n in lines], np.float64),
        line_ids=lines,
        own_loss=own,
    )


def _own_end(plan: Plan, line: int) -> tuple[int | None, str | None]:
    row = plan.lines[line]
    return row.end_device_id, row.end_port


def _words(texts: list[str]) -> Words:
    return np.array(texts, dtype=np.str_) if texts else np.zeros(0, "U1")


def _levels(plan: Plan, school: Numbers) -> Words:
    levels = _words([str(row.level) for row in plan.schools] + [""])
    return levels[school]  # -1 is the last: none


def _devices(plan: Plan) -> Traits:
    numbers = plan.targets.device_id.tolist()
    rows = [plan.devices[number] for number in numbers]
    sites = [plan.sites.get(row.site_id) for row in rows]
    school = plan.node_school[plan.target_node] if len(rows) else np.zeros(0, np.int64)
    duty_of = [plan.schools[s].duty_id if s >= 0 else None for s in school.tolist()]
    names = [f"device:{number}" for number in numbers]
    return Traits(
        names=names,
        nodes=names,
        place=np.array([site.place_id if site else 0 for site in sites], np.int64),
        duty=np.array([of or (s.duty_id if s else 0) or 0 for of, s in zip(duty_of, sites, strict=True)], np.int64),
        level=_levels(plan, school),
        school=school,
        kind=_words([str(row.kind) for row in rows]),
        vendor=_words([row.vendor for row in rows]),
        model=_words([row.model for row in rows]),
    )


def _lines(plan: Plan, lines: list[int]) -> Traits:
    names = [f"line:{number}" for number in lines]
    places = [node_place(plan, name) for name in names]
    schools = [plan.line_schools.get(number, ()) for number in lines]
    school = np.array([of[0] if of else -1 for of in schools], np.int64)
    return Traits(
        names=names,
        nodes=names,
        place=np.array([p.place_id or 0 for p in places], np.int64),
        duty=np.array([p.duty_id or 0 for p in places], np.int64),
        level=_levels(plan, school),
        school=school,
        operator=_words([plan.lines[number].operator for number in lines]),
    )


def _schools(plan: Plan) -> Traits:
    names = [f"school:{row.id}" for row in plan.schools]
    return Traits(
        names=names,
        nodes=names,
        place=np.array([row.place_id for row in plan.schools], np.int64),
        duty=np.array([row.duty_id or 0 for row in plan.schools], np.int64),
        level=_words([str(row.level) for row in plan.schools]),
        school=np.arange(len(plan.schools)),
    )


def _ports(
    device: Traits, keys: list[tuple[int, str]], target: Numbers, ends: dict[tuple[int, str], int], lines: list[int]
) -> Traits:
    def of(words: Words | None) -> Words | None:
        return None if words is None else words[target]

    return Traits(
        names=[f"port:{number}:{name}" for number, name in keys],
        nodes=[f"line:{lines[ends[key]]}" if key in ends else f"device:{key[0]}" for key in keys],
        place=device.place[target],
        duty=device.duty[target],
        level=device.level[target],
        school=device.school[target],
        kind=of(device.kind),
        vendor=of(device.vendor),
        model=of(device.model),
    )


def _line_targets(plan: Plan, lines: list[int]) -> Numbers:
    """By line: the device that it ends on, where its pings go over this line: its only way, or the primary one of several.

    Without such an end: the first asked device that has the line as its only way.
    """
    sole: dict[str, int] = {}
    ways: dict[int, tuple[str, ...]] = {}
    for target, node in enumerate(plan.target_node.tolist()):
        ups = plan.nodes[node].up
        ways[target] = tuple(ups or ())
        if ups is not None and len(ups) == 1 and not plan.nodes[node].edge:
            sole.setdefault(ups[0], target)
    found = np.full(len(lines), -1, np.int64)
    for index, number in enumerate(lines):
        line, name = plan.lines[number], f"line:{number}"
        node = plan.node_index.get(f"device:{line.end_device_id}", -1)
        target = int(plan.node_target[node]) if node >= 0 else -1
        if target >= 0 and name in ways[target] and (len(ways[target]) == 1 or line.role == "primary"):
            found[index] = target
        else:
            found[index] = sole.get(name, -1)
    taken: set[int] = set()
    for index, target in enumerate(found.tolist()):
        if target in taken:
            found[index] = -1  # two primary lines: nobody knows which way its pings go
        taken.add(target)
    return found
