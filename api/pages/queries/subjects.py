"""What may be silenced, by what people type: regions, schools, sites, lines and devices within the caller's part."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select

from api.pages.queries.regions import region_choices
from inventory.models import Address, Device, Line, NodeKind, School, Site, table

school, site, line, device, address = table(School), table(Site), table(Line), table(Device), table(Address)

OFFERED = 5
"""Of each kind, at most; who means another types more."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One that is offered. value: `region:12`, `school:3`; kind: `region` or a node's kind; under: what tells it from others of its name."""

    value: str
    kind: str
    name: str
    under: str = ""


def find_subjects(frame: Any, text: str) -> list[Subject]:
    """What `text` (a name, a code, a circuit, a serial number, an address) may mean; nothing for an empty one."""
    text = text.strip()
    if not text:
        return []
    whole = [Subject(f"region:{number}", "region", name.strip()) for number, name in region_choices(frame)]
    regions = [one for one in whole if text.lower() in one.name.lower()]
    like = _like(text)
    addressed = select(address.c.device_id).where(address.c.ip.like(like, escape="\\"))
    name: Any = school.c.name
    if frame.locale == "en":
        name = func.coalesce(func.nullif(school.c.name_en, ""), name)
    return [
        *regions[:OFFERED],
        *_found(frame, School, NodeKind.school, name, school.c.code, school.c.search.like(like, escape="\\")),
        *_found(frame, Site, NodeKind.site, site.c.name, site.c.tier, _has(like, site.c.name), site.c.school_id.is_(None)),
        *_found(frame, Line, NodeKind.line, line.c.name, line.c.circuit, _has(like, line.c.name, line.c.circuit)),
        *_found(
            frame,
            Device,
            NodeKind.device,
            device.c.name,
            device.c.serial,
            or_(device.c.search.like(like, escape="\\"), device.c.id.in_(addressed)),
        ),
    ]  # fmt: skip


def _found(frame: Any, model: Any, kind: NodeKind, name: Any, under: Any, *conditions: Any) -> list[Subject]:
    number = table(model).c.id
    statement = select(number, name, under).where(*conditions).order_by(name, number).limit(OFFERED)
    rows = frame.session.connection().execute(frame.scope.filter(statement, model))
    return [Subject(f"{kind}:{row[0]}", str(kind), row[1], row[2] or "") for row in rows]


def _has(like: str, *columns: Any) -> Any:
    return or_(*(func.lower(column).like(like, escape="\\") for column in columns))


def _like(text: str) -> str:
    plain = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"
