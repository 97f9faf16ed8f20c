"""Learned links: what is written of them, and where they contradict what was declared or propose what was not."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import Session

from inventory.models import Device, DeviceKind, DeviceUpstream, Link, table
from inventory.scope import Scope

LEARNED = ("lldp", "cdp")

SURE = 0.9
"""From this confidence on a learned link is used where nothing is declared (the setting `learned_confidence` may raise it)."""

RANK = {DeviceKind.core: 0, DeviceKind.aggregation: 1, DeviceKind.gateway: 2, DeviceKind.switch: 3, DeviceKind.ac: 3}
"""Kinds that others hang under, from the top; all others hang under these."""

BOTTOM = 4

TOLD_BY_BOTH = 0.99


class LearnedLink(NamedTuple):
    """A link that devices tell of; the device with the lower id first. tellers: which of its ends said so, in this reading."""

    from_device: int
    from_port: str
    to_device: int
    to_port: str
    source: str
    confidence: float
    tellers: set[int] = set()  # noqa: RUF012  # never changed
    seen_at: datetime | None = None


class Neighbour(NamedTuple):
    """A learned neighbour of a device, for people."""

    device_id: int
    name: str
    port: str
    remote_port: str
    source: str
    confidence: float
    seen_at: datetime | None


class Finding(NamedTuple):
    """kind `contradiction`: declared under `declared`, but its neighbours are others. `proposal`: nothing declared, this is what was learned."""

    kind: str
    device_id: int
    device_name: str
    declared: list[tuple[int, str]]
    learned: list[Neighbour]


def read_learned(connection: Connection) -> list[LearnedLink]:
    """All learned links."""
    row = table(Link)
    query = select(row).where(row.c.source.in_(LEARNED))
    return [
        LearnedLink(
            link.from_device_id, link.from_port, link.to_device_id, link.to_port, link.source, link.confidence,
            set(), link.seen_at,
        )
        for link in connection.execute(query)
    ]  # fmt: skip


def write_learned(session: Session, links: Sequence[LearnedLink], now: datetime, forget_before: datetime) -> None:
    """Keep what was read now; forget what nobody has told of since `forget_before`. Declared links are left alone.

    A link that was told of by one end and is now told of by the other too is all but sure.
    """
    row = table(Link)
    connection = session.connection()
    devices = sorted({number for link in links for number in (link.from_device, link.to_device)})
    known: dict[tuple[Any, ...], Any] = {}
    for start in range(0, len(devices), 500):
        part = devices[start : start + 500]
        for found in connection.execute(select(row).where(row.c.source.in_(LEARNED), row.c.from_device_id.in_(part))):
            known[found.from_device_id, found.from_port, found.to_device_id, found.to_port] = found
    merged: dict[tuple[Any, ...], LearnedLink] = {}
    for link in links:
        same = merged.get(link[:4])
        both = same is not None and not same.tellers >= link.tellers
        surest = max(link.confidence, same.confidence if same is not None else 0.0)
        tellers = link.tellers | (same.tellers if same is not None else set())
        merged[link[:4]] = link._replace(confidence=TOLD_BY_BOTH if both else surest, tellers=tellers)
    for key, link in merged.items():
        values = {"source": link.source, "confidence": link.confidence, "seen_at": now}
        there = known.get(key)
        if there is not None:
            kept = max(link.confidence, there.confidence if there.confidence >= TOLD_BY_BOTH else 0.0)
            connection.execute(update(row).where(row.c.id == there.id).values(**{**values, "confidence": kept}))
        else:
            ends = dict(zip(("from_device_id", "from_port", "to_device_id", "to_port"), key, strict=True))
            connection.execute(insert(row).values(**ends, **values))
    connection.execute(delete(row).where(row.c.source.in_(LEARNED), row.c.seen_at < forget_before))


def learned_ways(links: Iterable[LearnedLink], kinds: dict[int, str], confidence: float) -> dict[int, list[int]]:
    """What each device hangs under as learned, {device: upstreams}: towards the core, by kind, and among switches towards the gateway.

    An upstream is a neighbour that is nearer to the top. Of devices that lead nowhere nothing is said.
    """
    near: dict[int, set[int]] = defaultdict(set)
    for link in links:
        if link.confidence >= confidence and link.from_device in kinds and link.to_device in kinds:
            near[link.from_device].add(link.to_device)
            near[link.to_device].add(link.from_device)
    rank = {device: RANK.get(DeviceKind(kinds[device]), BOTTOM) for device in near}
    depth = {device: 0 for device in near if rank[device] < RANK[DeviceKind.switch]}
    level = sorted(depth)
    while level:
        # Only switches and the like lead on; a camera with two ports is no way to anywhere.
        found = {far for device in level if rank[device] < BOTTOM for far in near[device] if far not in depth}
        step = depth[level[0]] + 1
        depth |= dict.fromkeys(found, step)
        level = sorted(found)
    ups: dict[int, list[int]] = {}
    for device in near:
        higher = sorted(other for other in near[device] if _higher(other, device, rank, depth))
        if higher:
            ups[device] = higher
    return ups


def _higher(other: int, device: int, rank: dict[int, int], depth: dict[int, int]) -> bool:
    if rank[other] >= BOTTOM:
        return False
    if rank[device] < RANK[DeviceKind.switch]:
        return rank[other] < rank[device]
    return other in depth and device in depth and depth[other] < depth[device]


def findings(session: Session, scope: Scope, confidence: float = SURE, least: float = 0.4) -> list[Finding]:
    """Where learned links contradict declared upstreams, and what is not sure enough to be used, within the caller's part."""
    device, upstream = table(Device), table(DeviceUpstream)
    connection = session.connection()
    rows = {
        row.id: row
        for row in connection.execute(
            select(device.c.id, device.c.name, device.c.kind).where(device.c.status == "active")
        )
    }
    mine = set(connection.execute(scope.filter(select(device.c.id), Device)).scalars())
    declared: dict[int, list[int]] = defaultdict(list)
    for number, above_it in connection.execute(select(upstream.c.device_id, upstream.c.upstream_id)):
        if number in rows and above_it in rows:
            declared[number].append(above_it)
    links = [link for link in read_learned(connection) if link.confidence >= least]
    kinds = {number: row.kind for number, row in rows.items()}
    learned, sure = learned_ways(links, kinds, least), learned_ways(links, kinds, confidence)
    found = []
    for number in sorted(learned.keys() & mine):
        over = declared.get(number, [])
        contradicts = bool(over) and not set(over) & set(learned[number])
        if not contradicts and (over or number in sure):
            continue
        near = [_neighbour(link, number, rows) for link in links if number in (link.from_device, link.to_device)]
        told = [one for one in near if one is not None and one.device_id in learned[number] and one.device_id in mine]
        if told:
            named = [(up, rows[up].name) for up in over if up in mine]
            found.append(
                Finding("contradiction" if contradicts else "proposal", number, rows[number].name, named, told)
            )
    return found


def _neighbour(link: LearnedLink, number: int, rows: dict[int, Any]) -> Neighbour | None:
    ends = [(link.from_device, link.from_port), (link.to_device, link.to_port)]
    (_, port), (other, remote) = ends if link.from_device == number else ends[::-1]
    if other not in rows:
        return None
    return Neighbour(other, rows[other].name, port, remote, link.source, link.confidence, link.seen_at)
