"""Whether what an import writes, or takes back, lies within the scope of who does it: asked of the database, before and after."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel

from inventory.imports.view import Change, Members
from inventory.models import Device, DeviceUpstream, Line, LineSite, School, Site, table
from inventory.scope import Scope

OWNERS: dict[type[SQLModel], type[SQLModel]] = {LineSite: Line, DeviceUpstream: Device}
"""Tables of pairs, and whose they are."""

PLACED: tuple[type[SQLModel], ...] = (School, Site, Device, Line)
"""What lies somewhere; codes and addresses go with these."""

Touched = list[tuple[type[SQLModel], Any]]
"""(model, id); an id that is no number yet is of a row to be made."""


class OutsideError(Exception):
    """An import touches what lies outside of the scope."""


def touched(changes: Iterable[Change], members: Iterable[Members]) -> Touched:
    """The rows that a plan touches."""
    rows: Touched = [(change.model, change.key) for change in changes]
    return rows + [(OWNERS[each.model], each.owner) for each in members]


def check_within(session: Session, scope: Scope, rows: Touched) -> None:
    """OutsideError where one of the rows that are there lies outside."""
    if scope.everything:
        return
    for model in PLACED:
        ids = sorted({number for touched_model, number in rows if touched_model is model and isinstance(number, int)})
        row = table(model)
        for start in range(0, len(ids), 500):
            part = select(func.count()).select_from(row).where(row.c.id.in_(ids[start : start + 500]))
            there = session.connection().execute(part).scalar()
            if session.connection().execute(scope.filter(part, model)).scalar() != there:
                raise OutsideError
