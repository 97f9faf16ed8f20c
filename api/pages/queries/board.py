"""The board: current incidents, what they cut off, whom to call; counts; the tiles."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlmodel import Session

from api.pages.queries.causes import cause_of, gateway_causes
from api.pages.queries.contacts import Contact, find_contacts
from api.pages.signs import SEVERITIES
from inventory.models import Incident, NodeKind, NodeState, Region, RegionTree, School, State, table, utcnow
from inventory.scope import Scope

incident, school, node, region = table(Incident), table(School), table(NodeState), table(Region)

OPEN = ("pending", "open")
SHOWN = 60
"""Incidents on the board at most; the rest is counted and linked."""


@dataclass
class Row:
    """One incident on the board. `schools` and `pupils` are those within the caller's scope. planned: it switched off as usual."""

    incident: Any
    schools: int
    pupils: int
    contact: Contact | None = None
    names: list[tuple[int, str, str]] = field(default_factory=list)
    place: Any = None
    planned: bool = False


@dataclass
class Counts:
    """Schools by state, with their pupils; `total` is all active schools within the scope."""

    by_state: Counter[str]
    pupils_down: int
    total: int

    @property
    def down(self) -> int:
        """Schools cut off."""
        return self.by_state[State.down]

    @property
    def degraded(self) -> int:
        """Schools degraded or flapping."""
        return self.by_state[State.degraded] + self.by_state[State.flapping]

    @property
    def unwatched(self) -> int:
        """Schools that nobody watches: no gateway, or none of them ever seen."""
        return self.by_state[State.not_watched] + self.by_state[State.not_seen]

    @property
    def unknown(self) -> int:
        """Schools of which nothing is known now."""
        return self.by_state[State.unknown]


@dataclass
class Tile:
    """A region's schools. `watched` leaves out those not watched, not yet seen and unknown."""

    region: Any
    total: int = 0
    down: int = 0
    watched: int = 0

    @property
    def heat(self) -> str:
        """0 to 4 by the share cut off, x where nothing is watched."""
        if not self.watched:
            return "x"
        share = self.down / self.watched
        return "0" if share == 0 else "1" if share < 0.02 else "2" if share < 0.1 else "3" if share < 0.4 else "4"


@lru_cache(maxsize=1)  # one element: PostgreSQL groups by what is selected only where both are the same parameter
def _state() -> Any:
    return func.coalesce(node.c.state, State.not_watched)


def _of_school() -> Any:
    return and_(node.c.kind == NodeKind.school, node.c.node_id == school.c.id)


def count_schools(session: Session, scope: Scope) -> Counts:
    """Active schools by state."""
    statement = (
        select(_state(), func.count(), func.coalesce(func.sum(school.c.pupils), 0))
        .select_from(school.outerjoin(node, _of_school()))
        .where(school.c.status == "active")
        .group_by(_state())
    )
    rows = session.connection().execute(scope.filter(statement, School)).all()
    counts = Counter({str(State(row[0])): row[1] for row in rows})
    pupils = sum(row[2] for row in rows if row[0] == State.down)
    return Counts(counts, int(pupils), sum(counts.values()))


def list_incidents(session: Session, scope: Scope) -> tuple[list[Row], int]:
    """Open incidents, worst first, and how many there are in all; what switched off as usual comes last."""
    now = utcnow()
    planned = case((incident.c.planned_until > now, 1), else_=0)
    rank = case({name: number for number, name in enumerate(SEVERITIES)}, value=incident.c.severity, else_=9)
    statement = (
        select(incident)
        .where(incident.c.status.in_(OPEN))
        .order_by(planned, rank, incident.c.pupils.desc(), incident.c.affected.desc(), incident.c.from_at)
    )
    found = session.connection().execute(scope.filter(statement, Incident)).all()
    rows = [Row(row, row.schools, row.pupils, planned=is_planned(row, now)) for row in found[:SHOWN]]
    if not scope.everything:
        _count_own(session, scope, rows)
    _name_schools(session, scope, rows)
    contacts = find_contacts(session, scope, [row.incident for row in rows])
    places = _places(session, {row.incident.place_id for row in rows})
    for row in rows:
        row.contact = contacts.get(row.incident.id)
        row.place = places.get(row.incident.place_id)
    return rows, len(found)


def is_planned(row: Any, now: datetime) -> bool:
    """Whether an incident is of something that switched off as usual: nobody is told before it should be back."""
    return row.planned_until is not None and row.planned_until > now


def cut_from_above(session: Session, scope: Scope) -> list[Any]:
    """Own schools that are cut off by something outside the caller's part: (since, schools, pupils), no name of it. At most one row."""
    if scope.everything:
        return []
    visible = scope.filter(select(incident.c.id), Incident)
    causes = gateway_causes()
    cause = cause_of(node, causes)
    statement = (
        select(func.min(node.c.since), func.count(), func.coalesce(func.sum(school.c.pupils), 0))
        .select_from(school.join(node, _of_school()).outerjoin(causes, causes.c.school_id == school.c.id))
        .where(node.c.state == State.down, cause.is_not(None), cause.not_in(visible))
    )
    return [row for row in session.connection().execute(scope.filter(statement, School)) if row[1]]


def _count_own(session: Session, scope: Scope, rows: list[Row]) -> None:
    causes = gateway_causes()
    cause = cause_of(node, causes).label("cause")
    statement = (
        select(cause, func.count(), func.coalesce(func.sum(school.c.pupils), 0))
        .select_from(school.join(node, _of_school()).outerjoin(causes, causes.c.school_id == school.c.id))
        .where(node.c.state == State.down, cause_of(node, causes).in_([row.incident.id for row in rows]))
        .group_by(cause)
    )
    own = {row[0]: (row[1], int(row[2])) for row in session.connection().execute(scope.filter(statement, School))}
    for row in rows:
        row.schools, row.pupils = own.get(row.incident.id, (0, 0))


def _name_schools(session: Session, scope: Scope, rows: list[Row]) -> None:
    wanted = {number for row in rows for number in row.incident.cut[:3]}
    statement = select(school.c.id, school.c.name, school.c.name_en).where(school.c.id.in_(wanted))
    names = {row.id: row for row in session.connection().execute(scope.filter(statement, School))} if wanted else {}
    for row in rows:
        row.names = [names[number] for number in row.incident.cut[:3] if number in names]


def _places(session: Session, ids: Iterable[int | None]) -> dict[int, Any]:
    wanted = {number for number in ids if number is not None}
    if not wanted:
        return {}
    return {row.id: row for row in session.connection().execute(select(region).where(region.c.id.in_(wanted)))}


def list_recovered(session: Session, scope: Scope, now: datetime, limit: int = 6) -> list[Any]:
    """Incidents resolved within the last day, the newest first."""
    statement = (
        select(incident)
        .where(
            incident.c.status == "resolved",
            incident.c.resolved_at >= now - timedelta(days=1),
            incident.c.merged_into.is_(None),
            incident.c.opened_at.is_not(None),  # what was blamed for a round or two, and never said, was never mended
        )
        .order_by(incident.c.resolved_at.desc())
        .limit(limit)
    )
    return list(session.connection().execute(scope.filter(statement, Incident)))


def map_tiles(session: Session, scope: Scope, parent: Any = None) -> list[Tile]:
    """Tiles of the place tree within the scope: the children of `parent`, else the cities (one city: its counties)."""
    statement = (
        select(school.c.place_id, _state(), func.count())
        .select_from(school.outerjoin(node, _of_school()))
        .where(school.c.status == "active")
        .group_by(school.c.place_id, _state())
    )
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for place, state, count in session.connection().execute(scope.filter(statement, School)):
        counts[place][str(State(state))] += count
    places = (
        session.connection()
        .execute(select(region).where(region.c.tree == RegionTree.place).order_by(region.c.code))
        .all()
    )
    if parent is not None:
        tiles = _sum_tiles([row for row in places if row.parent_id == parent.id], places, counts)
        return tiles if scope.everything else _own(tiles)
    cities = _sum_tiles([row for row in places if row.level == "city"], places, counts)
    seen = [tile for tile in cities if tile.total]
    if scope.everything:
        return cities
    if len(seen) == 1:
        return _own(_sum_tiles([row for row in places if row.parent_id == seen[0].region.id], places, counts))
    return seen


def _own(tiles: list[Tile]) -> list[Tile]:
    return [tile for tile in tiles if tile.total]


def _sum_tiles(chosen: list[Any], places: Any, counts: dict[int, Counter[str]]) -> list[Tile]:
    paths = {row.id: row.path for row in places}
    tiles = [Tile(row) for row in chosen]
    for tile in tiles:
        for place, states in counts.items():
            if paths.get(place, "").startswith(tile.region.path):
                tile.total += sum(states.values())
                tile.down += states[State.down]
                tile.watched += sum(
                    number
                    for state, number in states.items()
                    if state not in (State.not_watched, State.not_seen, State.unknown)
                )
    return tiles


def is_registered(session: Session, scope: Scope) -> bool:
    """Whether there is any school: without one the board leads to the first steps."""
    return session.connection().execute(scope.filter(select(school.c.id).limit(1), School)).first() is not None
