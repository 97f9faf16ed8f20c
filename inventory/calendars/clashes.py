"""Windows of work that fall into a session of an exam: whoever makes one is warned."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, or_, select, true
from sqlmodel import Session, SQLModel

from inventory.models import Device, Exam, LineSite, NodeKind, Region, Repeat, School, Site, table
from inventory.models import MaintenanceOccurrence as Occurrence

Span = tuple[datetime, datetime]


def exams_of_windows(session: Session, rows: Sequence[Mapping[str, Any]], now: datetime) -> dict[int, list[Any]]:
    """{window id: its exams (rows of `exam`)} for windows (rows of `maintenance`) that touch a session which has not ended at `now`."""
    exam = table(Exam)
    coming = session.connection().execute(select(exam).where(exam.c.until_at > now).order_by(exam.c.from_at)).all()
    if not coming or not rows:
        return {}
    spans = _spans(session, rows, now)
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        touching = [e for e in coming if any(a < e.until_at and e.from_at < b for a, b in spans.get(row["id"], ()))]
        if not touching:
            continue
        covered = _covered(session, row)
        found[row["id"]] += [e for e in touching if _meet(session, covered, schools_of(e))]
    return dict(found)


def _spans(session: Session, rows: Sequence[Mapping[str, Any]], now: datetime) -> dict[int, list[Span]]:
    found: dict[int, list[Span]] = defaultdict(list)
    for row in rows:
        if row["repeat"] == Repeat.never:
            found[row["id"]].append((row["from_at"], row["until_at"]))
    series = [row["id"] for row in rows if row["repeat"] != Repeat.never]
    if series:
        own = table(Occurrence)
        statement = select(own.c.maintenance_id, own.c.from_at, own.c.until_at)
        for number, start, end in session.connection().execute(
            statement.where(own.c.maintenance_id.in_(series), own.c.until_at > now)
        ):
            found[number].append((start, end))
    return found


def _meet(session: Session, *conditions: ColumnElement[bool]) -> bool:
    """Whether there is a school that all conditions hold for."""
    return session.connection().execute(select(table(School).c.id).where(*conditions).limit(1)).first() is not None


def schools_of(row: Any) -> ColumnElement[bool]:
    """The condition on `school` that a row of a calendar (region_id, school_id, levels) is meant for it."""
    school = table(School)
    whose: ColumnElement[bool] = true()
    if row.school_id is not None:
        whose = school.c.id == row.school_id
    elif row.region_id is not None:
        whose = in_region(row.region_id)
    return and_(whose, school.c.level.in_(row.levels)) if row.levels else whose


def in_region(number: int) -> ColumnElement[bool]:
    """The condition on `school` that it lies in, or answers to, the subtree of a region."""
    school, region = table(School), table(Region)
    path = select(region.c.path).where(region.c.id == number).scalar_subquery()
    below = select(region.c.id).where(region.c.path.like(path + literal("%")))
    return or_(school.c.place_id.in_(below), school.c.duty_id.in_(below))


def _covered(session: Session, row: Mapping[str, Any]) -> ColumnElement[bool]:
    """The condition on `school` that a window covers it. What stands at no school's campus covers all schools of its place."""
    school = table(School)
    if row["region_id"] is not None:
        return in_region(row["region_id"])
    if row["kind"] == NodeKind.school:
        itself: ColumnElement[bool] = school.c.id == row["node_id"]
        return itself
    sites = _sites(session, NodeKind(row["kind"]), row["node_id"])
    campuses = [site.school_id for site in sites if site.school_id is not None]
    places = [in_region(site.place_id) for site in sites if site.school_id is None]
    return or_(school.c.id.in_(campuses), *places)


def _sites(session: Session, kind: NodeKind, number: int) -> Sequence[Any]:
    site = table(Site)
    owner: dict[NodeKind, tuple[type[SQLModel], str]] = {
        NodeKind.device: (Device, "id"),
        NodeKind.line: (LineSite, "line_id"),
    }
    statement = select(site.c.school_id, site.c.place_id)
    if kind == NodeKind.site:
        return session.connection().execute(statement.where(site.c.id == number)).all()
    model, key = owner[kind]
    row = table(model)
    return session.connection().execute(
        statement.join(row, row.c.site_id == site.c.id).where(row.c[key] == number)
    ).all()  # fmt: skip
