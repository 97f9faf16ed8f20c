"""The register of a replay: rows for the nodes of a trace, whose ids mean nothing to us, and the plan of each of its topologies."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from collector.judge.values import Node
from collector.lineways import LineWays
from collector.plan import Plan, assemble
from collector.rows import Rows, read_rows
from collector.targets import WATCH_ICMP, Targets, ZonePlan
from inventory.database import Register, raise_version
from inventory.models import Device, DeviceKind, Line, LineSite, Region, School, Site, SiteKind, Zone
from inventory.searching import device_search, school_search

KINDS = frozenset(DeviceKind)


class Stage:
    """Rows for all nodes that a trace ever names: asked ones are devices, unasked ones lines; each school and each region has a site."""

    def __init__(self, register: Register, nodes: Iterable[Node]) -> None:
        self.register = register
        self.ids: dict[str, str] = {}
        """node of the trace -> node of the register"""
        self.names: dict[str, str] = {}
        known = {node.id: node for node in nodes}
        with register.write() as session:
            province = Region(level="province", name="replay", path="/")
            zone = Zone(name="replay", default=True)
            session.add_all([province, zone])
            session.flush()
            province.path = f"/{province.id}/"
            regions = {
                name: Region(level="county", name=name, parent_id=province.id) for name in _words(known, "region")
            }
            session.add_all(regions.values())
            session.flush()
            for region in regions.values():
                region.path = f"{province.path}{region.id}/"
            place = {name: region.id or 0 for name, region in regions.items()} | {None: province.id or 0}
            schools, sites = {}, {}  # type: dict[str, School], dict[str, Site]
            for node in known.values():
                if node.school is not None and node.school not in schools:
                    school = School(name=node.school, place_id=place[node.region], pupils=node.pupils)
                    school.search = school_search(school)
                    schools[node.school] = school
            session.add_all(schools.values())
            session.flush()
            for name, school in schools.items():
                sites[name] = Site(name=name, school_id=school.id, place_id=school.place_id, main=True)
            halls = {
                name: Site(name=name or "network", kind=SiteKind.bureau, tier="county", place_id=place[name])
                for name in place
            }
            session.add_all([*sites.values(), *halls.values()])
            session.flush()
            made: list[tuple[Node, Device | Line]] = []
            for node in known.values():
                site = sites[node.school] if node.school is not None else halls[node.region]
                made.append((node, _device(node, site.id or 0) if node.probe else _line(node)))
            session.add_all(row for _, row in made)
            session.flush()
            self.ids = {n.id: f"{'device' if n.probe else 'line'}:{row.id}" for n, row in made}
            lines = {n.id: row.id or 0 for n, row in made if not n.probe}
            served = {
                (lines[up], sites[node.school].id or 0)
                for node in known.values()
                if node.school is not None
                for up in node.up or ()
                if up in lines
            }
            session.add_all(LineSite(line_id=line, site_id=site) for line, site in sorted(served))
            raise_version(session)
        self._rows = read_rows(register)

    def plan(self, nodes: Sequence[Node]) -> Plan:
        """The plan of one topology of the trace."""
        moved = {self.ids[node.id]: self._move(node) for node in nodes}
        rows = replace(
            self._rows,
            devices=[row for row in self._rows.devices if f"device:{row.id}" in moved],
            lines=[row for row in self._rows.lines if f"line:{row.id}" in moved],
        )
        order = [*(f"device:{row.id}" for row in rows.devices), *(f"line:{row.id}" for row in rows.lines)]
        return assemble(rows, _targets(rows), LineWays(), tuple(moved[name] for name in order), ())

    def _move(self, node: Node) -> Node:
        """A node under its new id, with those that it names."""
        return replace(
            node,
            id=self.ids[node.id],
            up=None if node.up is None else tuple(self.ids[up] for up in node.up),
            port=None if node.port is None else (self.ids[node.port[0]], node.port[1]),
        )


def _words(nodes: dict[str, Node], name: str) -> list[str]:
    return sorted({word for node in nodes.values() if (word := getattr(node, name)) is not None})


def _device(node: Node, site: int) -> Device:
    fallback = (
        DeviceKind.camera if node.edge else DeviceKind.gateway if node.school is not None else DeviceKind.aggregation
    )
    kind = DeviceKind(node.role) if node.role in KINDS else fallback
    device = Device(name=node.id[:120], kind=kind, site_id=site, model=(node.model or "")[:120])
    device.search = device_search(device)
    return device


def _line(node: Node) -> Line:
    return Line(name=node.id[:120], operator=(node.operator or "")[:40])


def _targets(rows: Rows) -> Targets:
    n = len(rows.devices)
    zone = rows.zones[0]
    return Targets(
        version=rows.version,
        device_id=np.array([row.id for row in rows.devices], np.int64),
        address=[""] * n,
        zone=np.zeros(n, np.int32),
        shard=np.zeros(n, np.int32),
        watch=np.full(n, WATCH_ICMP, np.uint8),
        snmp_port=np.zeros(n, np.int32),
        credential=np.full(n, -1, np.int32),
        zones=(ZonePlan(zone.id, zone.name),),
    )
