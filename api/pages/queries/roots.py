"""What failed, in English: devices and lines have no English name of their own, but the schools and sites that they stand at or serve do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from inventory.models import Device, Line, LineSite, NodeKind, School, Site, table

device, line, line_site, school, site = table(Device), table(Line), table(LineSite), table(School), table(Site)
_english = func.coalesce(func.nullif(school.c.name_en, ""), site.c.name_en)


@dataclass(frozen=True, slots=True)
class Root:
    """at: the English name of the school or site; what: a device's kind, a line's carrier, or `school` where the school itself is meant."""

    at: str
    what: str


def describe_roots(session: Session, locale: str, incidents: Iterable[Any]) -> dict[int, Root]:
    """By incident id, for a page in English alone: three statements at most. What has no English name at all is left out.

    The caller has checked that the incidents are within the scope; a root is named with its incident.
    """
    named = ((row.id, row.root_kind, row.root_id) for row in incidents if row is not None and row.root_id is not None)
    return _describe(session, locale, named)


def describe_nodes(session: Session, locale: str, outages: Iterable[Any]) -> dict[int, Root]:
    """The same by outage id, of the node that was cut off."""
    return _describe(session, locale, ((row.id, row.kind, row.node_id) for row in outages))


def describe_keys(session: Session, locale: str, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Root]:
    """The same by (kind, id)."""
    wanted = dict(enumerate(keys))
    found = _describe(session, locale, ((number, kind, node) for number, (kind, node) in wanted.items()))
    return {wanted[number]: root for number, root in found.items()}


def _describe(session: Session, locale: str, named: Iterable[tuple[int, Any, int]]) -> dict[int, Root]:
    wanted: dict[str, set[int]] = {}
    rows = list(named) if locale == "en" else []
    for _number, kind, node in rows:
        wanted.setdefault(str(kind), set()).add(node)
    readers = {NodeKind.device: _devices, NodeKind.line: _lines, NodeKind.school: _schools}
    known = {str(kind): read(session, wanted.get(str(kind), set())) for kind, read in readers.items()}
    found = ((number, known.get(str(kind), {}).get(node)) for number, kind, node in rows)
    return {number: root for number, root in found if root is not None}


def name_lines(session: Session, locale: str, ids: Iterable[int]) -> dict[int, Root]:
    """By line id, for a page in English alone: what a line serves, and by whom. The caller has checked the scope."""
    return _lines(session, set(ids)) if locale == "en" else {}


def _schools(session: Session, ids: set[int]) -> dict[int, Root]:
    statement = select(school.c.id, school.c.name_en).where(school.c.id.in_(ids))
    rows = session.connection().execute(statement) if ids else ()
    return {row.id: Root(row.name_en, "school") for row in rows if row.name_en}


def _devices(session: Session, ids: set[int]) -> dict[int, Root]:
    statement = (
        select(device.c.id, device.c.kind, _english.label("at"))
        .select_from(
            device.join(site, site.c.id == device.c.site_id).outerjoin(school, school.c.id == site.c.school_id)
        )
        .where(device.c.id.in_(ids))
    )
    rows = session.connection().execute(statement) if ids else ()
    return {row.id: Root(row.at, str(row.kind)) for row in rows if row.at}


def _lines(session: Session, ids: set[int]) -> dict[int, Root]:
    statement = (
        select(line.c.id, line.c.operator, _english.label("at"))
        .select_from(
            line.join(line_site, line_site.c.line_id == line.c.id)
            .join(site, site.c.id == line_site.c.site_id)
            .outerjoin(school, school.c.id == site.c.school_id)
        )
        .where(line.c.id.in_(ids))
        .order_by(line.c.id, site.c.id.desc())
    )
    rows = session.connection().execute(statement) if ids else ()
    return {row.id: Root(row.at, str(row.operator or "")) for row in rows if row.at}
