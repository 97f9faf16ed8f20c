"""From rows to the judge's topology: what hangs under what (docs/architecture.md, "Nodes"). Pure.

Unknown means alarm: where nothing is known of a node's way its `up` is None, never []; a loop is broken at the edge that
closes it, with a warning, and a node that loses its only way so has none known.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from collector.judge.values import Node
from collector.linewords import WORD
from collector.rows import DeviceRow, LineRow, PrefixRow, Rows, SiteRow
from inventory.links import SURE, learned_ways
from inventory.lookup import pack, parse_address
from inventory.models.devices import EDGE_KINDS, DeviceKind

NETWORK_KINDS = frozenset({DeviceKind.core, DeviceKind.aggregation})
"""Kinds that stand at network sites and hang under lines as gateways do."""


@dataclass(frozen=True)
class Topology:
    """Nodes in a fixed order (devices, lines, sites), and what was wrong with what was declared."""

    nodes: tuple[Node, ...]
    warnings: tuple[str, ...]


class _Ranges:
    """Address ranges by zone, looked up by address."""

    def __init__(self, rows: list[PrefixRow]) -> None:
        self._of = {(row.zone_id, _width(row), row.first): row for row in rows}
        self._widths = sorted({_width(row) for row in rows}, reverse=True)

    def around(self, zone: int, packed: bytes) -> Iterator[PrefixRow]:
        """Those that hold an address, the narrowest first."""
        number = int.from_bytes(packed)
        for width in self._widths:
            first = (number >> (128 - width) << (128 - width)).to_bytes(16)
            row = self._of.get((zone, width, first))
            if row is not None:
                yield row


def _width(row: PrefixRow) -> int:
    """The length of a prefix in the 128 bits of a packed address."""
    return row.length + 96 if row.first.startswith(bytes(10) + b"\xff\xff") else row.length


class _Ways:
    """Look-ups from which the rules are answered."""

    def __init__(self, rows: Rows, learned_confidence: float) -> None:
        self.rows = rows
        kinds = {device.id: str(device.kind) for device in rows.devices}
        self.learned = learned_ways(rows.links, kinds, learned_confidence)
        self.ranges = _Ranges(rows.prefixes)
        self.addresses = {row.device_id: (row.zone_id, row.ip) for row in reversed(rows.addresses)}
        self.devices = {row.id: row for row in rows.devices}
        lines = self.lines = {row.id: row for row in rows.lines}
        self.serving: dict[int, list[int]] = defaultdict(list)
        for line, site in rows.served:
            if line in lines and lines[line].upstream_site_id != site:
                self.serving[site].append(line)
        self.gateways: dict[int, list[int]] = defaultdict(list)
        self.network: dict[int, list[int]] = defaultdict(list)
        for device in rows.devices:
            if device.kind == DeviceKind.gateway:
                self.gateways[device.site_id].append(device.id)
            if device.kind == DeviceKind.gateway or device.kind in NETWORK_KINDS:
                self.network[device.site_id].append(device.id)
        self.declared: dict[int, list[int]] = defaultdict(list)
        for device_id, upstream in rows.upstreams:
            if device_id in self.devices and upstream in self.devices:
                self.declared[device_id].append(upstream)
        self.needed_sites: set[int] = set()

    def of_site(self, site_id: int) -> tuple[str, ...] | None:
        """The lines that serve a site; () at the core; None where nothing is known."""
        lines = self.serving.get(site_id)
        if lines:
            return tuple(f"line:{line}" for line in lines)
        site = self.rows.sites.get(site_id)
        return () if site is not None and site.tier == "core" else None

    def of_device(self, device: DeviceRow, warnings: list[str]) -> tuple[str, ...] | None:
        """A device's upstreams: declared, else as its neighbours are learned, else by its site and kind."""
        declared = self.declared.get(device.id)
        if declared:
            edge = device.kind in EDGE_KINDS
            kept = [up for up in declared if edge or self.devices[up].kind not in EDGE_KINDS]
            for up in set(declared) - set(kept):
                warnings.append(
                    f"device {device.name!r} is declared under {self.devices[up].name!r}, "
                    f"a {self.devices[up].kind}: only devices of such kinds may hang there"
                )
            if kept:
                return tuple(f"device:{up}" for up in kept)
        learned = tuple(f"device:{up}" for up in self.learned.get(device.id, ()))
        if device.kind != DeviceKind.gateway and device.kind not in NETWORK_KINDS:
            if learned:
                return learned
            gateways = self.gateways.get(device.site_id)
            if gateways:
                return tuple(f"device:{gateway}" for gateway in gateways)
        way = self.of_site(device.site_id)
        return way if way is not None else self.of_prefix(device) or learned or None

    def of_prefix(self, device: DeviceRow) -> tuple[str, ...] | None:
        """The line, or the lines of the site, to which the narrowest range around a device's address is given."""
        zone, ip = self.addresses.get(device.id, (0, ""))
        try:
            packed = pack(parse_address(ip))
        except ValueError:
            return None
        for row in self.ranges.around(zone, packed):
            if row.line_id is not None:
                return (f"line:{row.line_id}",) if row.line_id in self.lines else None
            if row.site_id is not None and row.site_id != device.site_id and self.of_site(row.site_id):
                return self.of_site(row.site_id)
        return None

    def of_line(self, line: LineRow) -> tuple[str, ...] | None:
        """A line's upstreams: the network devices of the site that it hangs under, else the site itself."""
        if line.upstream_site_id is None or line.upstream_site_id not in self.rows.sites:
            return None
        network = self.network.get(line.upstream_site_id)
        if network:
            return tuple(f"device:{device}" for device in network)
        self.needed_sites.add(line.upstream_site_id)
        return (f"site:{line.upstream_site_id}",)


def build_topology(
    rows: Rows,
    asked: frozenset[int],
    operators: dict[int, str],
    learned_confidence: float = SURE,
    worded: Collection[int] = (),
) -> Topology:
    """The judge's nodes. asked: ids of devices that are asked. operators: by site, where all its lines are of one operator.

    learned_confidence: links that devices tell of are used from here on, where nothing is declared. worded: lines with a word
    of their own (collector/linewords.py).
    """
    ways, warnings = _Ways(rows, learned_confidence), []  # type: tuple[_Ways, list[str]]
    pupils = {school.id: school.pupils for school in rows.schools}
    nodes = []
    for device in rows.devices:
        site = rows.sites.get(device.site_id)
        school = site.school_id if site is not None else None
        edge = device.kind in EDGE_KINDS
        nodes.append(
            Node(
                id=f"device:{device.id}",
                up=ways.of_device(device, warnings),
                probe=device.id in asked,
                region=_region(site),
                operator=operators.get(device.site_id),
                model=f"{device.vendor} {device.model}".strip() or None,
                school=None if school is None else f"school:{school}",
                edge=edge,
                pupils=pupils.get(school) if school is not None and not edge else None,
                seen=device.first_seen is not None,
                role=None if edge else str(device.kind),
            )
        )
    nodes += [_line_node(line, ways, line.id in worded) for line in rows.lines]
    nodes += _site_nodes(ways)
    return Topology(*break_loops(nodes, warnings))


def break_loops(nodes: list[Node], warnings: list[str]) -> tuple[tuple[Node, ...], tuple[str, ...]]:
    """Nodes without the edges that close a loop, and the warnings with a line for each of them."""
    ups = {node.id: list(node.up or ()) for node in nodes}
    colour: dict[str, int] = {}
    cut: dict[str, set[str]] = defaultdict(set)
    for start in ups:
        if colour.get(start):
            continue
        colour[start] = 1
        stack = [(start, iter(ups[start]))]
        while stack:
            node, rest = stack[-1]
            for up in rest:
                if colour.get(up) == 1:
                    cut[node].add(up)
                elif up in ups and not colour.get(up):
                    colour[up] = 1
                    stack.append((up, iter(ups[up])))
                    break
            else:
                colour[node] = 2
                stack.pop()
    for node, above in cut.items():
        warnings.append(f"{node} hangs under {', '.join(sorted(above))}, which hangs under it: a loop, cut there")
    kept = [_without(node, cut[node.id]) if node.id in cut else node for node in nodes]
    return tuple(kept), tuple(warnings)


def _without(node: Node, above: set[str]) -> Node:
    left = tuple(up for up in node.up or () if up not in above)
    return replace(node, up=left or None)


def _line_node(line: LineRow, ways: _Ways, worded: bool) -> Node:
    port = (f"line:{line.id}", WORD) if worded else None
    for device, name in ((line.far_device_id, line.far_port), (line.end_device_id, line.end_port)):
        if port is None and device in ways.devices and name:
            port = (f"device:{device}", name)
    site = ways.rows.sites.get(line.upstream_site_id) if line.upstream_site_id is not None else None
    return Node(
        id=f"line:{line.id}",
        up=ways.of_line(line),
        probe=False,
        port=port,
        region=_region(site),
        operator=line.operator or None,
    )


def _site_nodes(ways: _Ways) -> list[Node]:
    return [
        Node(id=f"site:{site}", up=ways.of_site(site), probe=False, region=_region(ways.rows.sites[site]))
        for site in sorted(ways.needed_sites)
    ]


def _region(site: SiteRow | None) -> str | None:
    return None if site is None else str(site.place_id)
