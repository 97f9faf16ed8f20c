"""The lists of schools, lines and devices: one page of rows, their number, the number by state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select
from sqlmodel import Session, SQLModel

from api.pages.listing import PAGE_SIZE, ListAddress, Page, in_order, like, words_of
from api.pages.queries.places import Places, below
from api.pages.signs import ORDER
from inventory.models import Address, Device, Line, LineSite, NodeKind, NodeState, School, Site, State, table
from inventory.scope import Scope

address, device, line, line_site = table(Address), table(Device), table(Line), table(LineSite)
node, school, site = table(NodeState), table(School), table(Site)

_STATE = func.coalesce(node.c.state, State.not_watched)
_WORST_FIRST = case(dict(ORDER.items()), value=node.c.state, else_=ORDER[State.not_watched])

SCHOOL_ORDERS: Mapping[str, Any] = {
    "state": _WORST_FIRST, "name": school.c.name, "place": school.c.place_id, "level": school.c.level,
    "pupils": school.c.pupils, "devices": node.c.devices, "since": node.c.since,
}  # fmt: skip
LINE_ORDERS: Mapping[str, Any] = {
    "state": _WORST_FIRST, "name": line.c.name, "operator": line.c.operator, "bandwidth": line.c.bandwidth_mbps, "since": node.c.since,
}  # fmt: skip
DEVICE_ORDERS: Mapping[str, Any] = {
    "state": _WORST_FIRST, "name": device.c.name, "kind": device.c.kind, "vendor": device.c.vendor, "since": node.c.since,
}  # fmt: skip


def list_schools(session: Session, scope: Scope, at: ListAddress, places: Places, limit: int = PAGE_SIZE) -> Page:
    """Active schools with their state."""
    columns = (
        school.c.id, school.c.name, school.c.name_en, school.c.code, school.c.level, school.c.pupils, school.c.place_id,
        _STATE.label("state"), node.c.since, node.c.reason, node.c.devices, node.c.devices_up,
    )  # fmt: skip
    conditions: list[Any] = [school.c.status == "active"]
    if places.chosen is not None:
        conditions.append(below(school.c.place_id, places.chosen))
    if at.get("level"):
        conditions.append(school.c.level == at.get("level"))
    conditions += _words(school.c.search, at.get("q"))
    bare = _with_state(school, NodeKind.school)
    return _Listing(School, bare, bare, columns, conditions, SCHOOL_ORDERS).read(session, scope, at, limit)


def list_lines(session: Session, scope: Scope, at: ListAddress, places: Places, limit: int = PAGE_SIZE) -> Page:
    """Lines in use with their state and the site that they hang under."""
    columns = (
        line.c.id, line.c.name, line.c.operator, line.c.circuit, line.c.role, line.c.bandwidth_mbps, line.c.bandwidth_up_mbps,
        line.c.contact_phone, site.c.name.label("upstream"), site.c.name_en.label("upstream_en"), _STATE.label("state"), node.c.since,
    )  # fmt: skip
    conditions: list[Any] = [line.c.status != "ended"]
    if places.chosen is not None:
        served = select(line_site.c.line_id).join(site, site.c.id == line_site.c.site_id)
        conditions.append(line.c.id.in_(served.where(below(site.c.place_id, places.chosen))))
    if at.get("operator"):
        conditions.append(line.c.operator == at.get("operator"))
    text = at.get("q").lower()
    if text:
        names = (line.c.name, line.c.circuit)
        conditions.append(or_(*(func.lower(column).like(like(text), escape="\\") for column in names)))
    bare = _with_state(line, NodeKind.line)
    joined = bare.outerjoin(site, site.c.id == line.c.upstream_site_id)
    return _Listing(Line, bare, joined, columns, conditions, LINE_ORDERS).read(session, scope, at, limit)


def list_devices(
    session: Session,
    scope: Scope,
    at: ListAddress,
    places: Places,
    limit: int = PAGE_SIZE,
    only: Sequence[int] | None = None,
) -> Page:
    """Devices not retired, with state, site, school and polled address. only: of these ids alone."""
    columns = (
        device.c.id, device.c.name, device.c.kind, device.c.vendor, device.c.model, device.c.serial, site.c.name.label("site"), site.c.name_en.label("site_en"),
        school.c.id.label("school_id"), school.c.name.label("school"), school.c.name_en.label("school_en"), address.c.ip,
        _STATE.label("state"), node.c.since, node.c.seen_at,
    )  # fmt: skip
    conditions: list[Any] = [device.c.status != "retired"]
    if only is not None:
        conditions.append(device.c.id.in_(only))
    if places.chosen is not None:
        conditions.append(device.c.site_id.in_(select(site.c.id).where(below(site.c.place_id, places.chosen))))
    for name, column in (("kind", device.c.kind), ("vendor", device.c.vendor)):
        if at.get(name):
            conditions.append(column == at.get(name))
    if at.get("school").isdecimal() and len(at.get("school")) < 10:
        conditions.append(device.c.site_id.in_(select(site.c.id).where(site.c.school_id == int(at.get("school")))))
    text = at.get("q").lower()
    if text:
        addressed = select(address.c.device_id).where(address.c.ip.like(like(text), escape="\\"))
        conditions.append(or_(device.c.search.like(like(text), escape="\\"), device.c.id.in_(addressed)))
    bare = _with_state(device, NodeKind.device)
    joined = (
        bare.join(site, site.c.id == device.c.site_id)
        .outerjoin(school, school.c.id == site.c.school_id)
        .outerjoin(address, and_(address.c.device_id == device.c.id, address.c.primary.is_(True)))
    )
    return _Listing(Device, bare, joined, columns, conditions, DEVICE_ORDERS).read(session, scope, at, limit)


def served_by(session: Session, scope: Scope, lines: Sequence[int]) -> dict[int, list[Any]]:
    """The schools or sites that each line serves, as far as they are within the scope."""
    if not lines:
        return {}
    statement = (
        select(
            line_site.c.line_id,
            site.c.id.label("site_id"),
            site.c.name.label("site"),
            site.c.name_en.label("site_en"),
            school.c.id,
            school.c.name,
            school.c.name_en,
        )
        .select_from(
            line_site.join(site, site.c.id == line_site.c.site_id).outerjoin(school, school.c.id == site.c.school_id)
        )
        .where(line_site.c.line_id.in_(lines))
    )
    served: dict[int, list[Any]] = {}
    for row in session.connection().execute(scope.filter(statement, LineSite)):
        served.setdefault(row.line_id, []).append(row)
    return served


def distinct_values(session: Session, scope: Scope, model: Any, name: str) -> list[str]:
    """The values that a column has within the scope, for a filter."""
    column = table(model).c[name]
    statement = scope.filter(select(column).where(column != "").distinct().order_by(column), model)
    return [str(row[0]) for row in session.connection().execute(statement)]


def _with_state(thing: Any, kind: NodeKind) -> Any:
    return thing.outerjoin(node, and_(node.c.kind == kind, node.c.node_id == thing.c.id))


@dataclass
class _Listing:
    """A list's statements. bare: the thing and its state, enough for counting and order; joined: with what its columns need besides."""

    model: type[SQLModel]
    bare: Any
    joined: Any
    columns: Sequence[Any]
    conditions: Sequence[Any]
    orders: Mapping[str, Any]

    def read(self, session: Session, scope: Scope, at: ListAddress, limit: int) -> Page:
        """One page: the numbers, then the ids of its rows, then these rows. An export (another limit) is read at once."""
        run = session.connection().execute
        counted = select(_STATE, func.count()).select_from(self.bare).where(*self.conditions).group_by(_STATE)
        states = {str(State(row[0])): row[1] for row in run(scope.filter(counted, self.model))}
        chosen = at.get("state")
        total = states.get(chosen, 0) if chosen else sum(states.values())
        number = table(self.model).c.id
        if limit != PAGE_SIZE:
            everything = self._chosen(select(*self.columns).select_from(self.joined), chosen, at)
            return Page(run(scope.filter(everything.limit(limit), self.model)).all(), total, states)
        wanted = self._chosen(select(number).select_from(self.bare), chosen, at).limit(limit).offset(at.offset)
        ids = [row[0] for row in run(scope.filter(wanted, self.model))]
        rows = run(select(*self.columns).select_from(self.joined).where(number.in_(ids))).all() if ids else []
        place = {found: index for index, found in enumerate(ids)}
        return Page(sorted({row.id: row for row in rows}.values(), key=lambda row: place[row.id]), total, states)

    def _chosen(self, statement: Select[Any], state: str, at: ListAddress) -> Select[Any]:
        statement = statement.where(*self.conditions)
        if state:
            statement = statement.where(_STATE.in_([state]))
        return statement.order_by(in_order(at, self.orders), table(self.model).c.id)


def _words(column: Any, text: str) -> list[Any]:
    return [column.like(like(word), escape="\\") for word in words_of(text)]
