"""What a user may see: the whole province, or a subtree of the place or the duty tree.

EVERY list, count and call passes `Scope.filter`. A model without a rule here is refused (TypeError), never shown whole: a new
table needs its row in `_RULES` or in `_OPEN`, and a test names the one that was forgotten.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, false, literal, or_, select
from sqlmodel import Session, SQLModel

from inventory import models as m
from inventory.models import NodeKind, RegionTree, table

Statement = TypeVar("Statement", bound=Any)


@dataclass(frozen=True, slots=True)
class Scope:
    """A subtree. path: of its region, `/1/12/`; empty: everything."""

    tree: RegionTree = RegionTree.place
    path: str = ""

    @classmethod
    def of(cls, session: Session, user: m.User) -> "Scope":
        """The scope of a user. A region that is gone leaves nothing to see."""
        if user.region_id is None:
            return cls()
        region = session.get(m.Region, user.region_id)
        return cls(region.tree, region.path) if region else NOTHING

    @classmethod
    def under(cls, region: m.Region) -> "Scope":
        """The subtree of a region."""
        return cls(region.tree, region.path)

    @property
    def everything(self) -> bool:
        """Whether nothing is hidden."""
        return not self.path

    def filter(self, statement: Statement, model: type[SQLModel]) -> Statement:
        """`statement` (a select, update or delete that has `model` in it), narrowed to the rows of `model` within the scope."""
        clause = self.clause(model)
        narrowed: Statement = statement if clause is None else statement.where(clause)
        return narrowed

    def clause(self, model: type[SQLModel]) -> ColumnElement[bool] | None:
        """The condition on `model`, or None where everything may be seen. TypeError for a model without a rule."""
        rule = _RULES.get(model)
        if rule is None and model not in _OPEN:
            raise TypeError(f"inventory/scope.py has no rule for {model.__name__}")
        return None if rule is None or self.everything else rule(self)

    def allows(self, session: Session, model: type[SQLModel], number: int) -> bool:
        """Whether the row `number` of `model` is there and within the scope."""
        row = table(model)
        return (
            session.connection().execute(self.filter(select(row.c.id).where(row.c.id == number), model)).first()
            is not None
        )


NOTHING = Scope(RegionTree.place, "//")
"""No region has this path."""


def _below(column: Any, path: str) -> ColumnElement[bool]:
    """`column` begins with `path`: LIKE, since a range would obey PostgreSQL's collation, in which "/" may count for nothing."""
    found: ColumnElement[bool] = column.like(f"{path}%")
    return found


def _regions(scope: Scope) -> Select[Any]:
    row = table(m.Region)
    return select(row.c.id).where(row.c.tree == scope.tree, _below(row.c.path, scope.path))


def _region(scope: Scope) -> ColumnElement[bool]:
    row = table(m.Region)
    return and_(row.c.tree == scope.tree, _below(row.c.path, scope.path))


def _in_region(model: type[SQLModel]) -> Callable[[Scope], ColumnElement[bool]]:
    def rule(scope: Scope) -> ColumnElement[bool]:
        row = table(model)
        return (row.c.place_id if scope.tree is RegionTree.place else row.c.duty_id).in_(_regions(scope))

    return rule


_school = _in_region(m.School)


def _schools(scope: Scope) -> Select[Any]:
    return select(table(m.School).c.id).where(_school(scope))


def _site(scope: Scope) -> ColumnElement[bool]:
    row = table(m.Site)
    if scope.tree is RegionTree.place:
        return row.c.place_id.in_(_regions(scope))
    # A campus answers to its school's bureau, unless it has one of its own.
    return or_(row.c.duty_id.in_(_regions(scope)), and_(row.c.duty_id.is_(None), row.c.school_id.in_(_schools(scope))))


def _sites(scope: Scope) -> Select[Any]:
    return select(table(m.Site).c.id).where(_site(scope))


def _by(
    model: type[SQLModel], column: str, ids: Callable[[Scope], Select[Any]]
) -> Callable[[Scope], ColumnElement[bool]]:
    def rule(scope: Scope) -> ColumnElement[bool]:
        return table(model).c[column].in_(ids(scope))

    return rule


_device = _by(m.Device, "site_id", _sites)


def _devices(scope: Scope) -> Select[Any]:
    return select(table(m.Device).c.id).where(_device(scope))


def _lines(scope: Scope) -> Select[Any]:
    row = table(m.LineSite)
    return select(row.c.line_id).where(row.c.site_id.in_(_sites(scope)))


def _link(scope: Scope) -> ColumnElement[bool]:
    row = table(m.Link)
    return and_(row.c.from_device_id.in_(_devices(scope)), row.c.to_device_id.in_(_devices(scope)))


def _prefix(scope: Scope) -> ColumnElement[bool]:
    row = table(m.Prefix)
    return or_(row.c.school_id.in_(_schools(scope)), row.c.site_id.in_(_sites(scope)), row.c.line_id.in_(_lines(scope)))


def _incident(scope: Scope) -> ColumnElement[bool]:
    row = table(m.Incident)
    return _below(row.c.path if scope.tree is RegionTree.place else row.c.duty_path, scope.path)


def _incidents(scope: Scope) -> Select[Any]:
    return select(table(m.Incident).c.id).where(_incident(scope))


_NODES: dict[NodeKind, Callable[[Scope], Select[Any]]] = {
    NodeKind.device: _devices,
    NodeKind.line: _lines,
    NodeKind.site: _sites,
    NodeKind.school: _schools,
}


def _node(model: type[SQLModel]) -> Callable[[Scope], ColumnElement[bool]]:
    def rule(scope: Scope) -> ColumnElement[bool]:
        row = table(model)
        return or_(*(and_(row.c.kind == kind, row.c.node_id.in_(ids(scope))) for kind, ids in _NODES.items()))

    return rule


def _maintenance(scope: Scope) -> ColumnElement[bool]:
    return or_(_node(m.Maintenance)(scope), table(m.Maintenance).c.region_id.in_(_regions(scope)))


def _calendar(model: type[SQLModel]) -> Callable[[Scope], ColumnElement[bool]]:
    """Calendars of the own part, and those from above that hold in it: they name no school of another's."""

    def rule(scope: Scope) -> ColumnElement[bool]:
        row, region = table(model), table(m.Region)
        above = select(region.c.id).where(region.c.tree == scope.tree, literal(scope.path).like(region.c.path + "%"))
        whole = and_(row.c.region_id.is_(None), row.c.school_id.is_(None))
        return or_(
            whole,
            row.c.school_id.in_(_schools(scope)),
            row.c.region_id.in_(_regions(scope)),
            row.c.region_id.in_(above),
        )

    return rule


def _degraded_rule(scope: Scope) -> ColumnElement[bool]:
    """A rule of the own part, and those from above that hold in it: they name no school."""
    rule, region = table(m.DegradedRule), table(m.Region)
    above = select(region.c.id).where(region.c.tree == scope.tree, literal(scope.path).like(region.c.path + "%"))
    return or_(rule.c.region_id.is_(None), rule.c.region_id.in_(_regions(scope)), rule.c.region_id.in_(above))


def _silence(scope: Scope) -> ColumnElement[bool]:
    row = table(m.Silence)
    return or_(_node(m.Silence)(scope), row.c.region_id.in_(_regions(scope)), row.c.incident_id.in_(_incidents(scope)))


def _of_part(model: type[SQLModel]) -> Callable[[Scope], ColumnElement[bool]]:
    """Of a region's subtree, or of a school there."""

    def rule(scope: Scope) -> ColumnElement[bool]:
        row = table(model)
        return or_(row.c.region_id.in_(_regions(scope)), row.c.school_id.in_(_schools(scope)))

    return rule


def _or_everywhere(model: type[SQLModel]) -> Callable[[Scope], ColumnElement[bool]]:
    """What holds everywhere may be read by all; who may change it, the resource says."""

    def rule(scope: Scope) -> ColumnElement[bool]:
        row = table(model)
        return or_(row.c.region_id.is_(None), row.c.region_id.in_(_regions(scope)))

    return rule


def _nothing(_scope: Scope) -> ColumnElement[bool]:
    return false()


_RULES: dict[type[SQLModel], Callable[[Scope], ColumnElement[bool]]] = {
    m.Region: _region,
    m.School: _school,
    m.SchoolCode: _by(m.SchoolCode, "school_id", _schools),
    m.SchoolSuccession: _by(m.SchoolSuccession, "successor_id", _schools),
    m.Site: _site,
    m.Line: _by(m.Line, "id", _lines),
    m.LineSite: _by(m.LineSite, "site_id", _sites),
    m.Device: _device,
    m.DeviceUpstream: _by(m.DeviceUpstream, "device_id", _devices),
    m.Port: _by(m.Port, "device_id", _devices),
    m.Address: _by(m.Address, "device_id", _devices),
    m.HistoryDay: _by(m.HistoryDay, "device_id", _devices),
    m.Link: _link,
    m.Prefix: _prefix,
    m.Outage: _in_region(m.Outage),
    m.Incident: _incident,
    m.Notice: _by(m.Notice, "incident_id", _incidents),
    m.NodeState: _node(m.NodeState),
    m.Maintenance: _maintenance,
    m.MaintenanceOccurrence: _by(
        m.MaintenanceOccurrence,
        "maintenance_id",
        lambda scope: select(table(m.Maintenance).c.id).where(_maintenance(scope)),
    ),
    m.Term: _calendar(m.Term),
    m.ClassHours: _calendar(m.ClassHours),
    m.SpecialDay: _calendar(m.SpecialDay),
    m.Exam: _calendar(m.Exam),
    m.Habit: _by(m.Habit, "school_id", _schools),
    m.DegradedRule: _degraded_rule,
    m.Credential: _by(m.Credential, "region_id", _regions),
    m.User: _by(m.User, "region_id", _regions),
    m.WallLink: _by(m.WallLink, "region_id", _regions),
    m.Outlet: _by(m.Outlet, "region_id", _regions),
    m.Delivery: _by(m.Delivery, "incident_id", _incidents),
    m.NoticeRule: _or_everywhere(m.NoticeRule),
    m.EscalationStep: _or_everywhere(m.EscalationStep),
    m.Contact: _of_part(m.Contact),
    m.Duty: _of_part(m.Duty),
    m.Silence: _silence,
    m.IncidentNote: _by(m.IncidentNote, "incident_id", _incidents),
    # What tells of the whole installation is for those who see all of it.
    m.AuditEntry: _nothing,
    m.ImportBatch: _nothing,
    m.ImportChange: _nothing,
    m.LoginSession: _nothing,
    m.LoginLink: _nothing,
    m.Token: _nothing,
    m.JudgeState: _nothing,
}

_OPEN: frozenset[type[SQLModel]] = frozenset(
    {m.AskingRule, m.CauseRule, m.Zone, m.VantagePoint, m.Unseen, m.Feed, m.RegisterVersion}
)
"""Tables that name no place, school or device."""
