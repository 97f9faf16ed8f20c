"""Labels of series, rendered once for each plan, as bytes with the blank behind them: `{device="7",name="..."} `."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from collector.catalogue import COVERAGE, DEVICE, LINE, PORT, SCHOOL
from collector.curves import monitored_rows
from collector.plan import Plan
from collector.schools import WORDS
from collector.shared import Columns

if TYPE_CHECKING:
    from collector.service import Service

Labels = NDArray[np.object_]

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def block(names: tuple[str, ...], values: tuple[Any, ...]) -> str:
    """`device="7",name="..."` without braces. Values are escaped (exposition format 0.0.4)."""
    return ",".join(f'{name}="{str(value).translate(_ESCAPES)}"' for name, value in zip(names, values, strict=True))


def column(blocks: list[str]) -> Labels:
    """Blocks as a column of labels."""
    made = np.empty(len(blocks), object)
    made[:] = [f"{{{text}}} ".encode() for text in blocks]
    return made


class _WithStates:
    """Labels with each state's word added: those of the last scrape, but for what is in another state now."""

    def __init__(self, blocks: list[str]) -> None:
        self._blocks = blocks
        self._last = np.full(len(blocks), len(WORDS), np.uint8), np.empty(len(blocks), object)

    def of(self, codes: NDArray[np.uint8]) -> Labels:
        before, found = self._last  # of one moment: two scrapes may go on at a time
        changed = np.flatnonzero(codes != before)
        if len(changed):
            found = found.copy()
            for i in changed.tolist():
                found[i] = f'{{{self._blocks[i]},state="{WORDS[codes[i]]}"}} '.encode()
            self._last = codes.copy(), found
        return found


class PlanLabels:
    """All labels of a plan: devices in order of targets, lines in order of `line_nodes`, schools in the plan's order."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._device_blocks = [self._device(i) for i in range(len(plan.targets))]
        self.devices = column([block(DEVICE, values) for values in self._device_blocks])
        self._device_states = _WithStates([block(DEVICE, values) for values in self._device_blocks])
        lines = [(i, int(node.id[5:])) for i, node in enumerate(plan.nodes) if node.id.startswith("line:")]
        self.line_nodes = np.array([i for i, _ in lines], np.int64)
        self.line_bps = np.array([(plan.lines[n].bandwidth_mbps or 0) * 1_000_000 for _, n in lines], np.int64)
        blocks = [block(LINE, self._line(number)) for _, number in lines]
        self.lines, self._line_states = column(blocks), _WithStates(blocks)
        schools = [block(SCHOOL, (s.id, s.name, str(s.level), s.kind, self.region(s.place_id))) for s in plan.schools]
        self.schools, self._school_states = column(schools), _WithStates(schools)
        groups: dict[tuple[str, str, str], int] = {}
        self.school_group = np.array(
            [groups.setdefault((self.region(s.place_id), str(s.level), s.kind), len(groups)) for s in plan.schools],
            np.int64,
        )
        self.coverage = column([block(COVERAGE, group) for group in groups])

    def region(self, number: int | None) -> str:
        """A region's code, or its name where it has none."""
        row = self.plan.regions.get(number) if number is not None else None
        return "" if row is None else row.code or row.name

    def device_states(self, codes: NDArray[np.uint8]) -> Labels:
        """Labels of devices with their states."""
        return self._device_states.of(codes)

    def line_states(self, codes: NDArray[np.uint8]) -> Labels:
        """Labels of lines with their states."""
        return self._line_states.of(codes)

    def school_states(self, codes: NDArray[np.uint8]) -> Labels:
        """Labels of schools with their states."""
        return self._school_states.of(codes)

    def port(self, target: int, if_index: int, name: str) -> str:
        """The block of one port."""
        device, device_name, _, zone, address, region, _ = self._device_blocks[target]
        return block(PORT, (device, device_name, zone, address, region, if_index, name))

    def _device(self, target: int) -> tuple[Any, ...]:
        plan = self.plan
        row = plan.devices[int(plan.targets.device_id[target])]
        site = plan.sites.get(row.site_id)
        school = site.school_id if site is not None else None
        zone = plan.targets.zones[int(plan.targets.zone[target])].name
        region = self.region(site.place_id if site is not None else None)
        return (
            row.id,
            row.name,
            str(row.kind),
            zone,
            plan.targets.address[target],
            region,
            "" if school is None else school,
        )

    def _line(self, number: int) -> tuple[Any, ...]:
        line = self.plan.lines[number]
        site = self.plan.sites.get(self.plan.line_site.get(number) or line.upstream_site_id or 0)
        return (number, line.name, line.operator, line.role, self.region(site.place_id if site is not None else None))


class PortLabels:
    """Ports whose series go out: rows of the port columns, the targets they belong to, and their labels."""

    def __init__(self, rows: NDArray[np.int64], targets: NDArray[np.int64], labels: Labels) -> None:
        self.rows, self.targets, self.labels = rows, targets, labels


_plans: dict[int, PlanLabels] = {}
_ports: dict[str, tuple[Any, PortLabels]] = {}


def labels_of(plan: Plan) -> PlanLabels:
    """The plan's labels, made at the first scrape."""
    known = _plans.get(id(plan))
    if known is None or known.plan is not plan:
        _plans.clear()
        known = _plans[id(plan)] = PlanLabels(plan)
    return known


def port_labels_of(service: "Service", plan: Plan, columns: Columns, every: bool) -> PortLabels:
    """Labels of ports, made anew when the ports are others."""
    extra = set(service.jobs.ports.monitored)
    key = (id(plan), id(columns), service.live.named, len(extra), every)
    known = _ports.get(service.name)
    if known is not None and known[0] == key:
        return known[1]
    if every:
        rows = np.flatnonzero(columns.name_id >= 0)
    else:
        rows = np.array(sorted(monitored_rows(plan, columns, service.live, extra).values()), np.int64)
    targets = np.searchsorted(columns.offsets, rows, side="right") - 1
    labels = labels_of(plan)
    index, name_id = columns.if_index[rows].tolist(), columns.name_id[rows].tolist()
    blocks = [labels.port(target, index[k], service.live.name(name_id[k])) for k, target in enumerate(targets.tolist())]
    made = PortLabels(rows, targets, column(blocks))
    _ports[service.name] = (key, made)
    return made
