"""Whom to call about an incident: the line's carrier, else the people of the site, else the bureau."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory.models import Device, Line, LineSite, NodeKind, Region, School, Site, table
from inventory.scope import Scope

device, line, line_site, region = table(Device), table(Line), table(LineSite), table(Region)
school, site = table(School), table(Site)


@dataclass(frozen=True, slots=True)
class Contact:
    """role: `carrier`, `site`, `school` or `bureau`. operator and circuit only of a line."""

    role: str
    name: str
    phone: str
    operator: str = ""
    circuit: str = ""


def find_contacts(session: Session, scope: Scope, incidents: Sequence[Any]) -> dict[int, Contact]:
    """By incident id. At most five statements, whatever the number of incidents. Only people within the scope are named."""
    roots: dict[str, set[int]] = {kind: set() for kind in NodeKind}
    for row in incidents:
        if row.root_kind is not None:
            roots[row.root_kind].add(row.root_id)
            roots[NodeKind.line].update(_lines_named(row.possible))
    lines = _fetch(session, select(line).where(line.c.id.in_(roots[NodeKind.line])), roots[NodeKind.line])
    sites = _site_people(session, scope, roots)
    bureaus = _bureaus(session, incidents)
    found: dict[int, Contact] = {}
    for row in incidents:
        contact = (
            _of_line(row, lines) or sites.get((row.root_kind, row.root_id)) or bureaus.get(row.duty_id or row.place_id)
        )
        if contact:
            found[row.id] = contact
    return found


def _lines_named(possible: Sequence[str]) -> list[int]:
    return [int(name.split(":")[1]) for name in possible if name.startswith("line:")]


def _fetch(session: Session, statement: Any, wanted: Any) -> dict[int, Any]:
    return {row.id: row for row in session.connection().execute(statement)} if wanted else {}


def _of_line(row: Any, lines: dict[int, Any]) -> Contact | None:
    named = [row.root_id] if row.root_kind == NodeKind.line else _lines_named(row.possible)
    for number in named:
        found = lines.get(number)
        if found is not None and (found.contact_phone or found.operator):
            return Contact("carrier", found.contact_name, found.contact_phone, found.operator, found.circuit or "")
    return None


def _site_people(session: Session, scope: Scope, roots: dict[str, set[int]]) -> dict[tuple[Any, int], Contact]:
    """Contacts of root schools, of root sites and of the sites of root devices; a campus' own, else its school's."""
    people: dict[tuple[Any, int], Contact] = {}
    columns = (
        site.c.contact_name,
        site.c.contact_phone,
        school.c.contact_name.label("school_name"),
        school.c.contact_phone.label("school_phone"),
    )
    joined = site.outerjoin(school, school.c.id == site.c.school_id)
    if roots[NodeKind.site]:
        statement = select(site.c.id, *columns).select_from(joined).where(site.c.id.in_(roots[NodeKind.site]))
        for row in session.connection().execute(scope.filter(statement, Site)):
            _note(people, NodeKind.site, row)
    if roots[NodeKind.school]:
        own = select(school.c.id, school.c.contact_name, school.c.contact_phone)
        own = scope.filter(own.where(school.c.id.in_(roots[NodeKind.school])), School)
        for number, name, phone in session.connection().execute(own):
            if phone or name:
                people[NodeKind.school, number] = Contact("school", name, phone)
    if roots[NodeKind.device]:
        statement = (
            select(device.c.id, *columns)
            .select_from(device.join(joined, site.c.id == device.c.site_id))
            .where(device.c.id.in_(roots[NodeKind.device]))
        )
        for row in session.connection().execute(scope.filter(statement, Site)):
            _note(people, NodeKind.device, row)
    return people


def _note(people: dict[tuple[Any, int], Contact], kind: NodeKind, row: Any) -> None:
    if row.contact_phone or row.contact_name:
        people[kind, row.id] = Contact("site", row.contact_name, row.contact_phone)
    elif row.school_phone or row.school_name:
        people[kind, row.id] = Contact("school", row.school_name, row.school_phone)


def _bureaus(session: Session, incidents: Sequence[Any]) -> dict[int | None, Contact]:
    wanted = {row.duty_id or row.place_id for row in incidents} - {None}
    rows = _fetch(session, select(region).where(region.c.id.in_(wanted)), wanted)
    return {
        number: Contact("bureau", row.contact_name or row.name, row.contact_phone)
        for number, row in rows.items()
        if row.contact_phone
    }
