"""Habits of switching off, learned from the outage log once a night: `inventory/calendars/learning.py` says what is one, here are its rows."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, insert, or_, select, update
from sqlmodel import Session

from inventory.calendars import Calendars, read_calendars
from inventory.calendars.learning import EVENING_FROM, EVENING_UNTIL, LOOK_BACK_DAYS, Episode, Learned, learn
from inventory.calendars.planned import gap_kind
from inventory.database import Register
from inventory.models import (
    Device,
    Habit,
    HabitKind,
    HabitStatus,
    Incident,
    NodeKind,
    Outage,
    School,
    Site,
    complete,
    table,
    utcnow,
)
from inventory.uptime import first_seen

log = logging.getLogger(__name__)

AT_ONCE = 500
"""Schools that are looked at in one go: a transaction each, so that nobody waits long."""

RECENT = timedelta(days=max(LOOK_BACK_DAYS[HabitKind.night], LOOK_BACK_DAYS[HabitKind.weekend]))
"""So far back all outages are read; beyond it only those of evenings before holidays and the time between terms."""

NOT_OWN = frozenset({"carrier", "power", "province", "planned"})
"""Where one of these is accountable the school did not switch off itself."""

_TIMES = ("off_from", "off_until", "on_by")
_COUNTS = ("kept", "chances", "confidence")


def learn_habits(register: Register, now: datetime | None = None) -> int:
    """Learn of all schools; how many rows changed. It reads half a thousand schools at a time."""
    now = now or utcnow()
    row = table(School)
    with register.session() as session:
        statement = select(row.c.id).where(row.c.status == "active").order_by(row.c.id)
        schools = list(session.connection().execute(statement).scalars())
    changed = 0
    for start in range(0, len(schools), AT_ONCE):
        part = schools[start : start + AT_ONCE]
        with register.session() as session:
            calendars = read_calendars(session, register.timezone, part)
            found = learn_some(session, part, calendars, now)
            known = _known(session, part)
        changed += _write(register, part, found, known, now)
    log.info("habits of switching off: %s schools, %s rows changed", len(schools), changed)
    return changed


def learn_some(
    session: Session, schools: Sequence[int], calendars: Calendars, now: datetime
) -> dict[int, list[Learned]]:
    """{school: what its outages teach}; of schools without an outage nothing."""
    today = now.astimezone(calendars.zone).date()
    episodes = _episodes(session, schools, _evenings(schools, calendars, today), now)
    first = first_seen(session, list(episodes))
    found = {}
    for school, mine in episodes.items():
        seen = first.get(school)
        if seen is None:
            continue
        since = datetime.fromtimestamp(seen, calendars.zone).date()
        learned = learn(mine, calendars.school(school), calendars, today, since)
        if learned:
            found[school] = learned
    return found


def _evenings(schools: Iterable[int], calendars: Calendars, today: date) -> set[date]:
    """Evenings before holidays and the time between terms, of any of these schools, beyond the recent time."""
    tables = {id(t): t for t in (calendars.timetable(calendars.school(school)) for school in schools)}
    days = [today - timedelta(days=n) for n in range(RECENT.days, LOOK_BACK_DAYS[HabitKind.vacation])]
    kinds = (HabitKind.holiday, HabitKind.vacation)
    return {day for one in tables.values() for day in days if one.day(day).classes and gap_kind(one, day) in kinds}


def _episodes(session: Session, schools: Sequence[int], evenings: set[date], now: datetime) -> dict[int, list[Episode]]:
    outage, incident, device, site = table(Outage), table(Incident), table(Device), table(Site)
    times = [outage.c.from_at >= now - RECENT]
    times += [and_(outage.c.from_at >= start, outage.c.from_at < end) for start, end in _spans(evenings, now)]
    statement = (
        select(
            outage.c.node_id, outage.c.from_at, outage.c.until_at, outage.c.from_earliest, outage.c.until_latest,
            outage.c.accountable, outage.c.maintenance, outage.c.evidence, outage.c.incident_id,
            incident.c.root_kind, incident.c.root_id, site.c.school_id,
        )
        .select_from(
            outage.outerjoin(incident, incident.c.id == outage.c.incident_id)
            .outerjoin(device, and_(incident.c.root_kind == NodeKind.device, device.c.id == incident.c.root_id))
            .outerjoin(site, site.c.id == device.c.site_id)
        )
        .where(outage.c.kind == NodeKind.school, outage.c.node_id.in_(schools), or_(*times))
        .order_by(outage.c.from_at)
    )  # fmt: skip
    found: dict[int, list[Episode]] = defaultdict(list)
    for row in session.connection().execute(statement):
        until = row.until_at.timestamp() if row.until_at is not None else None
        sure = row.from_earliest is None and row.until_latest is None
        found[row.node_id].append(Episode(row.from_at.timestamp(), until, _is_own(row), sure))
    return dict(found)


def _is_own(row: Any) -> bool:
    """Whether what failed stood at the school, as far as is known: its own device, or (a cluster, no incident) nothing else."""
    if row.maintenance or (row.accountable in NOT_OWN and "planned_off" not in (row.evidence or {})):
        return False
    return row.root_id is None or row.school_id == row.node_id


def _spans(evenings: set[date], now: datetime) -> list[tuple[datetime, datetime]]:
    """In which an outage of such an evening begins; wide enough for any time zone of the country's."""
    return [
        (
            datetime.combine(day, datetime.min.time(), now.tzinfo) + timedelta(minutes=EVENING_FROM - 12 * 60),
            datetime.combine(day, datetime.min.time(), now.tzinfo) + timedelta(minutes=EVENING_UNTIL + 12 * 60),
        )
        for day in sorted(evenings)
    ]


def _known(session: Session, schools: Sequence[int]) -> dict[tuple[int, str], Any]:
    row = table(Habit)
    rows = session.connection().execute(select(row).where(row.c.school_id.in_(schools)))
    return {(one.school_id, one.kind): one for one in rows}


def _write(
    register: Register,
    schools: Sequence[int],
    found: Mapping[int, list[Learned]],
    known: Mapping[tuple[int, str], Any],
    now: datetime,
) -> int:
    """Rows that differ. What people declared or rejected stays; of what they approved the times stay; what is no more goes."""
    row = table(Habit)
    learned = {(school, one.kind.value): one for school, habits in found.items() for one in habits}
    new, changed = [], []
    for key, habit in learned.items():
        old = known.get(key)
        values = {name: getattr(habit, name) for name in (*_TIMES, *_COUNTS)} | {"evidence": list(habit.evidence)}
        if old is None:
            given = {
                "school_id": key[0],
                "kind": key[1],
                "status": HabitStatus.learned.value,
                "updated_at": now,
                **values,
            }
            new.append(complete(Habit, given))
        elif not old.declared and old.status != HabitStatus.rejected:
            kept = values if old.status == HabitStatus.learned else {k: v for k, v in values.items() if k not in _TIMES}
            if any(getattr(old, name) != value for name, value in kept.items()):
                changed.append({**kept, "id": old.id, "row_version": old.row_version + 1, "updated_at": now})
    gone = [
        old.id
        for key, old in known.items()
        if key not in learned and not old.declared and old.status == HabitStatus.learned
    ]
    if not (new or changed or gone):
        return 0
    with register.write() as session:
        connection = session.connection()
        if new:
            connection.execute(insert(row), new)
        for values in changed:
            number = values.pop("id")
            connection.execute(update(row).where(row.c.id == number).values(**values))
        if gone:
            connection.execute(delete(row).where(row.c.id.in_(gone)))
    return len(new) + len(changed) + len(gone)
