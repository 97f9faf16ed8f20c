"""What nobody is told of now: schools that are not watched, or in a window, or silenced; why, by whom, until when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlmodel import Session

from inventory.calendars.covering import schools_covered
from inventory.calendars.windows import going_on, next_spans
from inventory.models import (
    Device,
    Incident,
    Maintenance,
    NodeKind,
    NodeState,
    Outlet,
    School,
    Silence,
    State,
    Unseen,
    Watch,
    table,
)  # fmt: skip
from inventory.scope import Scope

device, incident, node, outlet, school = table(Device), table(Incident), table(NodeState), table(Outlet), table(School)
maintenance, silence, unseen = table(Maintenance), table(Silence), table(Unseen)

WHYS = ("no_gateway", "not_seen", "blind", "tcp_only", "unknown", "planned_off", "maintenance", "silenced")
"""Why nobody would be told, the first that holds counts."""

_BY_STATE = {
    State.not_watched: "no_gateway",
    State.not_seen: "not_seen",
    State.planned_off: "planned_off",
    State.maintenance: "maintenance",
}


@dataclass
class Hush:
    """A window or silence that goes on: what it is of, how many schools it covers, by whom, until when."""

    row: Any
    until: datetime
    schools: int


@dataclass
class Unattended:
    """Schools by why (each once), of `total`; the windows and silences behind them; zones that are not seen; silent ways out."""

    total: int
    counts: dict[str, int]
    windows: list[Hush] = field(default_factory=list)
    silences: list[Hush] = field(default_factory=list)
    blind: Sequence[Any] = ()
    unasked: int = 0
    devices: int = 0
    outlets: Sequence[Any] = ()
    off: Sequence[Any] = ()

    @property
    def schools(self) -> int:
        """Schools of which nobody would be told."""
        return sum(self.counts.values())


def count_unattended(session: Session, scope: Scope, now: datetime) -> Unattended:
    """The counts alone, with the windows and silences that they come from: a handful of statements."""
    run = session.connection().execute
    of_school = and_(node.c.kind == NodeKind.school, node.c.node_id == school.c.id)
    state = func.coalesce(node.c.state, State.not_watched)
    active = school.c.status == "active"
    whole = select(func.count()).select_from(school).where(active)
    total = int(run(scope.filter(whole, School)).scalar() or 0)
    odd = (
        select(school.c.id, state.label("state"), node.c.reason)
        .select_from(school.outerjoin(node, of_school))
        .where(active, state.in_([*_BY_STATE, State.unknown]))
    )
    whys = {row.id: _why(State(row.state), row.reason or "") for row in run(scope.filter(odd, School))}
    mine = _mine(session, scope)
    windows = _windows(session, scope, now)
    silences = _silences(session, scope, now)
    hushes = ("maintenance", windows), ("silenced", silences)
    for why, rows in hushes:
        for hush, covered in rows:
            covered = covered if mine is None else covered & mine
            hush.schools = len(covered)
            for number in covered:
                whys.setdefault(number, why)
    counts = dict.fromkeys(WHYS, 0)
    for why in whys.values():
        counts[why] += 1
    return Unattended(total, counts, [hush for hush, _ in windows], [hush for hush, _ in silences])


def read_unattended(session: Session, scope: Scope, now: datetime, administers: bool) -> Unattended:
    """All that the page shows."""
    run = session.connection().execute
    found = count_unattended(session, scope, now)
    found.blind = run(select(unseen).where(unseen.c.until_at.is_(None)).order_by(unseen.c.from_at).limit(50)).all()
    live = device.c.status == "active"
    found.devices = int(run(scope.filter(select(func.count()).select_from(device).where(live), Device)).scalar() or 0)
    none = select(func.count()).select_from(device).where(live, device.c.watch == Watch.none)
    found.unasked = int(run(scope.filter(none, Device)).scalar() or 0)
    usual = select(incident).where(incident.c.status.in_(("pending", "open")), incident.c.planned_until > now)
    found.off = run(scope.filter(usual.order_by(incident.c.planned_until).limit(100), Incident)).all()
    if administers:
        broken = select(outlet).where(outlet.c.failing_since.is_not(None) | outlet.c.enabled.is_(False))
        found.outlets = run(scope.filter(broken.order_by(outlet.c.name), Outlet)).all()
    return found


def _why(state: State, reason: str) -> str:
    if state in _BY_STATE:
        return _BY_STATE[state]
    return reason if reason in ("blind", "tcp_only") else "unknown"


def _mine(session: Session, scope: Scope) -> set[int] | None:
    if scope.everything:
        return None
    return set(session.connection().execute(scope.filter(select(school.c.id), School)).scalars())


def _windows(session: Session, scope: Scope, now: datetime) -> list[tuple[Hush, set[int]]]:
    statement = scope.filter(select(maintenance).where(going_on(now)), Maintenance)
    rows = session.connection().execute(statement.order_by(maintenance.c.until_at)).all()
    spans = next_spans(session, [dict(row._mapping) for row in rows], now)
    found = []
    for row in rows:
        until = spans.get(row.id, (row.from_at, row.until_at))[1]
        found.append((Hush(row, until, 0), schools_covered(session, row._mapping)))
    return found


def _silences(session: Session, scope: Scope, now: datetime) -> list[tuple[Hush, set[int]]]:
    statement = scope.filter(select(silence).where(silence.c.from_at <= now, silence.c.until_at > now), Silence)
    rows = session.connection().execute(statement.order_by(silence.c.until_at)).all()
    cut = _cut(session, (row.incident_id for row in rows))
    return [(Hush(row, row.until_at, 0), _covered(session, row._mapping, cut)) for row in rows]


def _covered(session: Session, row: Mapping[Any, Any], cut: Mapping[int, set[int]]) -> set[int]:
    if row["incident_id"] is not None:
        return cut.get(row["incident_id"], set())
    return schools_covered(session, row)


def _cut(session: Session, numbers: Iterable[int | None]) -> dict[int, set[int]]:
    wanted = {number for number in numbers if number is not None}
    if not wanted:
        return {}
    statement = select(incident.c.id, incident.c.cut).where(incident.c.id.in_(wanted))
    return {row.id: set(row.cut or ()) for row in session.connection().execute(statement)}
