"""Schools by what people type into a form: a name, a code; and the things that a form chooses from."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlmodel import SQLModel

from inventory.models import School, table

school = table(School)

OFFERED = 20
"""Schools that a form offers while a name is typed."""


def school_name(frame: Any, number: int) -> str:
    """The name of a school within the caller's part; "" where it is outside."""
    statement = frame.scope.filter(select(school.c.name).where(school.c.id == number), School)
    found = frame.session.connection().execute(statement).scalar()
    return str(found or "")


def find_school(frame: Any, text: str) -> int | None:
    """The only school within the caller's part of this code or name; else the only one whose name, code or pinyin holds it."""
    run, scope = frame.session.connection().execute, frame.scope
    exact = select(school.c.id).where(or_(school.c.code == text, school.c.name == text, school.c.name_en == text))
    found = run(scope.filter(exact.limit(2), School)).scalars().all()
    if not found:
        found = run(scope.filter(select(school.c.id).where(_like(text)).limit(2), School)).scalars().all()
    return int(found[0]) if len(found) == 1 else None


def offer_schools(frame: Any, text: str) -> Sequence[Any]:
    """Schools that what is typed may mean: (id, name, name_en, code)."""
    columns = (school.c.id, school.c.name, school.c.name_en, school.c.code)
    statement = select(*columns).where(_like(text)).order_by(school.c.name).limit(OFFERED)
    rows: Sequence[Any] = frame.session.connection().execute(frame.scope.filter(statement, School)).all()
    return rows


def choices_of(frame: Any, model: type[SQLModel], *conditions: Any) -> list[tuple[str, str]]:
    """(id, name) of the rows of a table that has a name, within the caller's part."""
    row = table(model)
    statement = frame.scope.filter(select(row.c.id, row.c.name).where(*conditions).order_by(row.c.name), model)
    return [(str(number), str(name)) for number, name in frame.session.connection().execute(statement)]


def names_of(frame: Any, model: type[SQLModel]) -> dict[int, str]:
    """Names by id, read once for a page."""
    kept = frame.request.state
    key = f"names_{table(model).name}"
    if not hasattr(kept, key):
        setattr(kept, key, {int(number): name for number, name in choices_of(frame, model)})
    names: dict[int, str] = getattr(kept, key)
    return names


def _like(text: str) -> Any:
    plain = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return school.c.search.like(f"%{plain}%", escape="\\")
