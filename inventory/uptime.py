"""Uptime of schools, from the outage log: as they experienced it and as it is accountable, 24 × 7 and in class hours (DESIGN.md, rule 5).

Time that nobody saw is unknown: it is neither up nor down, and stands beside them. Nothing is counted before the first sight.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session

from inventory.calendars.calendars import Calendars
from inventory.calendars.covering import schools_covered
from inventory.calendars.sums import ClassTime
from inventory.calendars.windows import spans_between
from inventory.models import (
    Address,
    Device,
    DeviceKind,
    Maintenance,
    NodeKind,
    Outage,
    Site,
    Unseen,
    Watch,
    Zone,
    table,
)
from inventory.spans import Span, intersect, length, merge, subtract

PARTIES = ("carrier", "power", "school", "province", "planned", "undecided")
"""Who may be accountable for down time. planned: maintenance, and what was switched off as usual."""

_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Down:
    """An outage of a school, seconds since the epoch. accountable: of PARTIES, "" undecided. planned: spans in it that were planned off.

    by_hand: a person said who is accountable, maintenance or not: then windows and habits count for nothing.
    """

    from_t: float
    until_t: float
    accountable: str = ""
    planned: tuple[Span, ...] = ()
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Sums:
    """Seconds. total = up + down + unknown; by: of `down`, who is accountable (each of PARTIES)."""

    total: float
    up: float
    down: float
    unknown: float
    by: Mapping[str, float] = field(default_factory=dict)

    @property
    def experienced(self) -> float | None:
        """Share of the known time in which the school was up; None where nothing is known."""
        known = self.up + self.down
        return self.up / known if known > 0 else None

    @property
    def accountable(self) -> float | None:
        """The same without planned down time: then nobody had promised that it would be up."""
        known = self.up + self.down - self.by.get("planned", 0.0)
        return self.up / known if known > 0 else None


@dataclass(frozen=True, slots=True)
class Uptime:
    """Of one school. known: whether calendars declare all class hours of the time; first_t: when it was seen first, None: never."""

    school: int
    around_the_clock: Sums
    in_class: Sums
    known: bool
    first_t: float | None


def sum_up(
    window: Span,
    first_t: float | None,
    downs: Iterable[Down],
    unseen: Iterable[Span],
    work: Iterable[Span],
    classes: ClassTime,
) -> tuple[Sums, Sums]:
    """(24 × 7, in class hours) of `window`. work: windows of maintenance over the school."""
    start = window[1] if first_t is None else max(window[0], first_t)
    watched = merge([(start, window[1])])
    blind = intersect(merge(unseen), watched)
    shares = _shares(downs, subtract(watched, blind), merge(work))
    whole = {party: length(spans) for party, spans in shares.items()}
    taught = {party: classes.within(spans) for party, spans in shares.items()}
    return (
        _sums(length(watched), length(blind), whole),
        _sums(classes.within(watched), classes.within(blind), taught),
    )


def _shares(downs: Iterable[Down], known: Sequence[Span], work: Sequence[Span]) -> dict[str, list[Span]]:
    """Down time that was seen, by party; no instant twice."""
    found: dict[str, list[Span]] = {party: [] for party in PARTIES}
    taken: list[Span] = []
    for down in sorted(downs, key=lambda one: one.from_t):
        mine = subtract(intersect(merge([(down.from_t, down.until_t)]), known), taken)
        taken = merge([*taken, *mine])
        planned = [] if down.by_hand else intersect(mine, merge([*work, *down.planned]))
        found["planned"] += planned
        party = down.accountable if down.accountable in PARTIES else "undecided"
        found[party] += subtract(mine, planned)
    return found


def _sums(total: float, unknown: float, by: Mapping[str, float]) -> Sums:
    down = sum(by.values())
    return Sums(total, max(0.0, total - unknown - down), down, unknown, by)


def read_uptime(
    session: Session, schools: Sequence[int], from_at: datetime, until_at: datetime, calendars: Calendars
) -> dict[int, Uptime]:
    """{school: its uptime in [from_at, until_at)}; until_at must not lie in the future. The caller has checked the scope."""
    window = (from_at.timestamp(), until_at.timestamp())
    found: dict[int, Uptime] = {}
    for start in range(0, len(schools), _CHUNK):
        part = schools[start : start + _CHUNK]
        downs = read_downs(session, part, from_at, until_at)
        work = _work(session, from_at, until_at, downs)
        first, zones = first_seen(session, part), _zones(session, part)
        unseen = _unseen(session, from_at, until_at)
        for school in part:
            classes = calendars.class_time(calendars.school(school), *window)
            blind = [span for zone in zones.get(school, ()) for span in unseen.get(zone, ())]
            seen = first.get(school)
            sums = sum_up(window, seen, downs.get(school, ()), blind, work.get(school, ()), classes)
            found[school] = Uptime(school, *sums, classes.known, seen)
    return found


def read_downs(
    session: Session, schools: Sequence[int], from_at: datetime, until_at: datetime
) -> dict[int, list[Down]]:
    """{school: its outages that touch the time, those that last cut at its end}"""
    row = table(Outage)
    statement = select(
        row.c.node_id, row.c.from_at, row.c.until_at, row.c.accountable, row.c.evidence, row.c.maintenance, row.c.corrected_at
    ).where(
        row.c.kind == NodeKind.school,
        row.c.node_id.in_(schools),
        row.c.from_at < until_at,
        or_(row.c.until_at.is_(None), row.c.until_at > from_at),
    )  # fmt: skip
    found: dict[int, list[Down]] = defaultdict(list)
    for one in session.connection().execute(statement):
        until = min(one.until_at or until_at, until_at).timestamp()
        found[one.node_id].append(down_of(one, until))
    return dict(found)


def down_of(row: Any, until_t: float) -> Down:
    """From a row of `outage`."""
    by_hand = row.corrected_at is not None
    accountable = "planned" if row.maintenance else row.accountable
    span = (row.evidence or {}).get("planned_off")
    planned: tuple[Span, ...] = ()
    if span:
        start, end = (datetime.fromisoformat(span[name]).timestamp() for name in ("from", "until"))
        planned = ((start, end),)
    return Down(row.from_at.timestamp(), until_t, accountable, planned, by_hand)


def _work(
    session: Session, from_at: datetime, until_at: datetime, downs: Mapping[int, Sequence[Down]]
) -> dict[int, list[Span]]:
    """{school: windows of maintenance over it}, of those that touch any outage: of the others nobody need know whom they cover."""
    dark = merge((down.from_t, down.until_t) for mine in downs.values() for down in mine)
    spans: dict[int, list[Span]] = defaultdict(list)
    for number, start, end in spans_between(session, from_at, until_at):
        span = (start.timestamp(), end.timestamp())
        if intersect([span], dark):
            spans[number].append(span)
    row = table(Maintenance)
    found: dict[int, list[Span]] = defaultdict(list)
    if spans:
        for window in session.connection().execute(select(row).where(row.c.id.in_(spans))).mappings():
            for school in schools_covered(session, window):
                found[school] += spans[window["id"]]
    return found


def _watched(schools: Sequence[int]) -> Any:
    """Devices of schools that are watched: (school, is a gateway, first_seen, zone)."""
    device, site = table(Device), table(Site)
    return (
        select(site.c.school_id)
        .select_from(device.join(site, site.c.id == device.c.site_id))
        .where(site.c.school_id.in_(schools), device.c.status == "active", device.c.watch != Watch.none)
    )


def first_seen(session: Session, schools: Sequence[int]) -> dict[int, float]:
    """{school: when the first of its gateways (where it has none: of its devices) was seen}"""
    device = table(Device)
    found: dict[int, float] = {}
    for gateways in (False, True):
        statement = _watched(schools).add_columns(func.min(device.c.first_seen)).group_by(table(Site).c.school_id)
        if gateways:
            statement = statement.where(device.c.kind == DeviceKind.gateway)
        found |= {s: at.timestamp() for s, at in session.connection().execute(statement) if at is not None}
    return found


def _zones(session: Session, schools: Sequence[int]) -> dict[int, set[str]]:
    """{school: names of the zones in which its gateways (else its devices) are asked}"""
    device, address, zone, site = table(Device), table(Address), table(Zone), table(Site)
    statement = (
        select(site.c.school_id, zone.c.name, device.c.kind)
        .select_from(
            device.join(site, site.c.id == device.c.site_id)
            .join(address, and_(address.c.device_id == device.c.id, address.c.primary.is_(True)))
            .join(zone, zone.c.id == address.c.zone_id)
        )
        .where(site.c.school_id.in_(schools), device.c.status == "active")
        .distinct()
    )
    gates: dict[int, set[str]] = defaultdict(set)
    others: dict[int, set[str]] = defaultdict(set)
    for school, name, kind in session.connection().execute(statement):
        (gates if kind == DeviceKind.gateway else others)[school].add(name)
    return {**others, **gates}


def _unseen(session: Session, from_at: datetime, until_at: datetime) -> dict[str, list[Span]]:
    """{zone: spans that nobody saw}"""
    row = table(Unseen)
    statement = select(row.c.zone, row.c.from_at, row.c.until_at).where(
        row.c.from_at < until_at, or_(row.c.until_at.is_(None), row.c.until_at > from_at)
    )
    found: dict[str, list[Span]] = defaultdict(list)
    for zone, start, end in session.connection().execute(statement):
        found[zone].append((start.timestamp(), min(end or until_at, until_at).timestamp()))
    return dict(found)
