"""The plan: the register's rows as immutable arrays, worked out once for each version of the register ("plan cold, poll hot").

`Targets` (collector/targets.py) goes to the rounds process; `Plan` stays with judge, log and metrics. This module alone speaks both the register's
and the probes' vocabulary.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import ip_address
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collector.asking import askings_of
from collector.credentials import resolve
from collector.judge.values import Node
from collector.lineways import LineWays, find_lineways, line_ends
from collector.nodes import build_topology
from collector.rows import DeviceRow, LineRow, RegionRow, Rows, SchoolRow, SiteRow, read_rows
from collector.targets import WATCH_ANY, WATCH_ICMP, WATCH_SNMP, WATCH_TCP, Targets, ZonePlan
from inventory.database import Register
from inventory.links import SURE
from inventory.models.devices import DeviceKind, Watch
from probes.snmp.credential import Credential

_WATCH = {Watch.any: WATCH_ANY, Watch.snmp: WATCH_SNMP, Watch.icmp: WATCH_ICMP, Watch.tcp: WATCH_TCP}


class CredentialSource(Protocol):
    """Which credential serves which device: (device id -> index or -1 in order of `device_ids`, the credentials)."""

    def __call__(
        self, register: Register, device_ids: list[int]
    ) -> tuple[NDArray[np.int32], tuple[Credential, ...], list[str]]:
        """indices, credentials, warnings."""
        ...


@dataclass(frozen=True)
class Plan:
    """Everything that the judge's process knows of one version of the register."""

    version: int
    targets: Targets
    nodes: tuple[Node, ...]
    node_index: dict[str, int]
    target_node: NDArray[np.int64]
    """target -> index in `nodes`"""
    node_target: NDArray[np.int64]
    """node -> target, -1 where it is not asked"""
    devices: dict[int, DeviceRow]
    lines: dict[int, LineRow]
    sites: dict[int, SiteRow]
    schools: tuple[SchoolRow, ...]
    school_index: dict[int, int]
    """school id -> index in `schools`"""
    regions: dict[int, RegionRow]
    node_school: NDArray[np.int64]
    """node -> index in `schools`, -1: none"""
    gate_node: NDArray[np.int64]
    """the nodes by which schools are judged, with `gate_site` (dense) and `site_school` (index in `schools`)"""
    gate_site: NDArray[np.int64]
    site_school: NDArray[np.int64]
    line_schools: dict[int, tuple[int, ...]]
    """line id -> indices of the schools that it serves"""
    line_site: dict[int, int]
    """line id -> the first site that it serves"""
    monitored: frozenset[tuple[int, str]]
    """(device id, port name)"""
    lineways: LineWays
    warnings: tuple[str, ...] = ()

    @cached_property
    def models(self) -> tuple[list[tuple[str, str]], NDArray[np.int64]]:
        """((vendor, model) of all targets, which of them each target is)."""
        known: dict[tuple[str, str], int] = {}
        devices = [self.devices[number] for number in self.targets.device_id.tolist()]
        of = [known.setdefault((device.vendor, device.model), len(known)) for device in devices]
        return list(known), np.array(of, np.int64)

    @cached_property
    def monitored_devices(self) -> frozenset[int]:
        """Devices of which a port is monitored."""
        return frozenset(device for device, _ in self.monitored)

    def groups(self) -> list[tuple[int, int, NDArray[np.int64]]]:
        """(zone, shard, targets) of each report."""
        if not len(self.targets):
            return []
        key = self.targets.zone.astype(np.int64) << 32 | self.targets.shard
        order = np.argsort(key, kind="stable")
        cuts = np.flatnonzero(np.diff(key[order])) + 1
        return [(int(self.targets.zone[g[0]]), int(self.targets.shard[g[0]]), g) for g in np.split(order, cuts)]

    def asked_ids(self) -> dict[tuple[int, int], tuple[str, ...]]:
        """(zone, shard) -> node ids, one tuple for the plan's whole life."""
        nodes, where = self.nodes, self.target_node
        return {(zone, shard): tuple(nodes[where[i]].id for i in group) for zone, shard, group in self.groups()}


def build_plan(
    register: Register,
    shard_size: int = 5000,
    credentials: CredentialSource | None = None,
    learned_confidence: float = SURE,
) -> Plan:
    """The plan of the register as it is now. Some ten SELECTs; 100,000 devices take seconds."""
    rows = read_rows(register)
    warnings: list[str] = []
    addresses = _addresses(rows, warnings)
    candidates = [d for d in rows.devices if d.watch != Watch.none and d.id in addresses]
    which, known, said = (credentials or resolve)(register, [d.id for d in candidates])
    warnings += said
    targets = _targets(rows, candidates, addresses, which, known, shard_size, warnings)
    lineways = find_lineways(rows, targets)
    targets = replace(targets, line_ends=line_ends(rows, targets, addresses))
    asked = frozenset(targets.device_id.tolist())
    topology = build_topology(rows, asked, _operators(rows), learned_confidence, lineways.worded)
    return assemble(rows, targets, lineways, topology.nodes, (*warnings, *topology.warnings))


def _addresses(rows: Rows, warnings: list[str]) -> dict[int, tuple[int, str]]:
    """device -> (zone id, address): the first one of each; the second device at one address is not asked."""
    active = {d.id: d.name for d in rows.devices}
    found: dict[int, tuple[int, str]] = {}
    taken: dict[tuple[int, str], int] = {}
    for row in rows.addresses:
        if row.device_id not in active or row.device_id in found:
            continue
        if (row.zone_id, row.ip) in taken:
            other = active[taken[row.zone_id, row.ip]]
            warnings.append(f"device {active[row.device_id]!r} has the address {row.ip} of {other!r}: not asked")
            continue
        try:
            ip_address(row.ip)
        except ValueError:
            warnings.append(f"device {active[row.device_id]!r}: {row.ip!r} is no IP address: not asked")
            continue
        taken[row.zone_id, row.ip] = row.device_id
        found[row.device_id] = (row.zone_id, row.ip)
    return found


def _targets(
    rows: Rows,
    candidates: list[DeviceRow],
    addresses: dict[int, tuple[int, str]],
    which: NDArray[np.int32],
    known: tuple[Credential, ...],
    shard_size: int,
    warnings: list[str],
) -> Targets:
    zones = tuple(ZonePlan(z.id, z.name, _split(z.references)) for z in rows.zones)
    zone_index = {zone.id: i for i, zone in enumerate(zones)}
    kept: list[DeviceRow] = []
    creds: list[int] = []
    tcp: dict[int, tuple[tuple[int, ...], bool]] = {}
    for device, credential in zip(candidates, which.tolist(), strict=True):
        ports = parse_tcp(device.tcp_ports)
        if device.watch == Watch.snmp and credential < 0:
            warnings.append(f"device {device.name!r} is watched by SNMP alone but has no credential: not asked")
            continue
        if device.watch == Watch.tcp and not ports[0]:
            warnings.append(f"device {device.name!r} is watched by TCP but declares no port: not asked")
            continue
        if ports[0] and device.watch in (Watch.tcp, Watch.any):
            tcp[len(kept)] = ports
        kept.append(device)
        creds.append(credential)
    zone = np.array([zone_index[addresses[d.id][0]] for d in kept], np.int32)
    position = np.zeros(len(kept), np.int64)
    for code in range(len(zones)):
        mine = zone == code
        position[mine] = np.arange(int(mine.sum()))
    where = {d.id: i for i, d in enumerate(kept)}
    askings, rules, asking_of = askings_of(rows.asking, kept)
    return Targets(
        version=rows.version,
        device_id=np.array([d.id for d in kept], np.int64),
        address=[addresses[d.id][1] for d in kept],
        zone=zone,
        shard=(position // shard_size).astype(np.int32),
        watch=np.array([_WATCH[Watch(d.watch)] for d in kept], np.uint8),
        snmp_port=np.array([d.snmp_port for d in kept], np.int32),
        credential=np.array(creds, np.int32),
        zones=zones,
        credentials=known,
        tcp=tcp,
        wanted=_wanted(rows, where),
        askings=askings,
        asking_rules=rules,
        asking_of=asking_of,
    )


def parse_tcp(text: str) -> tuple[tuple[int, ...], bool]:
    """`443,8000+reset` as ((443, 8000), True). What is no port is passed over."""
    words = text.replace("+", ",").replace(" ", ",").split(",")
    ports = tuple(int(word) for word in words if word.isdigit() and 0 < int(word) < 65536)
    return ports, "reset" in words


def _wanted(rows: Rows, where: dict[int, int]) -> dict[int, tuple[str, ...]]:
    wanted: dict[int, list[str]] = defaultdict(list)
    for line in rows.lines:
        for device, port in ((line.far_device_id, line.far_port), (line.end_device_id, line.end_port)):
            if device is not None and port and device in where and port not in wanted[where[device]]:
                wanted[where[device]].append(port)
    return {target: tuple(names) for target, names in wanted.items() if names}


def _operators(rows: Rows) -> dict[int, str]:
    """site -> operator, where all its lines are of one."""
    operator = {line.id: line.operator for line in rows.lines}
    found: dict[int, set[str]] = defaultdict(set)
    for line, site in rows.served:
        if operator.get(line):
            found[site].add(operator[line])
    return {site: next(iter(of)) for site, of in found.items() if len(of) == 1}


def assemble(
    rows: Rows, targets: Targets, lineways: LineWays, nodes: tuple[Node, ...], warnings: tuple[str, ...]
) -> Plan:
    index = {node.id: i for i, node in enumerate(nodes)}
    target_node = np.array([index[f"device:{d}"] for d in targets.device_id.tolist()], np.int64)
    node_target = np.full(len(nodes), -1, np.int64)
    node_target[target_node] = np.arange(len(targets))
    school_index = {school.id: i for i, school in enumerate(rows.schools)}
    node_school = np.full(len(nodes), -1, np.int64)
    for i, device in enumerate(rows.devices):
        site = rows.sites.get(device.site_id)
        if site is not None and site.school_id in school_index:
            node_school[i] = school_index[site.school_id]
    asked = set(targets.device_id.tolist())
    gate_node, gate_site, site_school = _gates(rows, asked, index, school_index)
    line_schools: dict[int, list[int]] = defaultdict(list)
    for line, site_id in rows.served:
        school = rows.sites[site_id].school_id
        if school in school_index and school_index[school] not in line_schools[line]:
            line_schools[line].append(school_index[school])
    return Plan(
        version=rows.version,
        targets=targets,
        nodes=nodes,
        node_index=index,
        target_node=target_node,
        node_target=node_target,
        devices={d.id: d for d in rows.devices},
        lines={line.id: line for line in rows.lines},
        sites=rows.sites,
        schools=tuple(rows.schools),
        school_index=school_index,
        regions=rows.regions,
        node_school=node_school,
        gate_node=gate_node,
        gate_site=gate_site,
        site_school=site_school,
        line_schools={line: tuple(of) for line, of in line_schools.items()},
        line_site=dict(reversed(rows.served)),
        monitored=_monitored(rows),
        lineways=lineways,
        warnings=warnings,
    )


def _gates(
    rows: Rows, asked: set[int], index: dict[str, int], school_index: dict[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """By which devices each school is judged: its sites' gateways; where none is registered, the devices its lines end on."""
    of_site: dict[int, list[int]] = defaultdict(list)
    for device in rows.devices:
        site = rows.sites.get(device.site_id)
        if device.kind == DeviceKind.gateway and device.id in asked and site and site.school_id in school_index:
            of_site[device.site_id].append(device.id)
    with_gateway = {rows.sites[site].school_id for site in of_site}
    lines = {line.id: line for line in rows.lines}
    for line_id, site_id in rows.served:
        line, site = lines.get(line_id), rows.sites[site_id]
        if line is None or site.school_id not in school_index or site.school_id in with_gateway:
            continue
        end = line.end_device_id
        if end in asked and end not in of_site[site_id]:
            of_site[site_id].append(end)
    nodes: list[int] = []
    sites: list[int] = []
    schools: list[int] = []
    for site_id, devices in of_site.items():
        if not devices:
            continue
        school = rows.sites[site_id].school_id
        assert school is not None
        nodes += [index[f"device:{device}"] for device in devices]
        sites += [len(schools)] * len(devices)
        schools.append(school_index[school])
    return np.array(nodes, np.int64), np.array(sites, np.int64), np.array(schools, np.int64)


def _monitored(rows: Rows) -> frozenset[tuple[int, str]]:
    chosen = {(row.device_id, row.name) for row in rows.monitored}
    for line in rows.lines:
        for device, port in ((line.far_device_id, line.far_port), (line.end_device_id, line.end_port)):
            if device is not None and port:
                chosen.add((device, port))
    return frozenset(chosen)


def _split(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.replace(",", " ").split() if word)
