"""Every table of the register, one file for each kind of thing.

Surrogate integer ids everywhere; codes (学校标识码, GB/T 2260, circuit numbers) are attributes, most of them with validity
dates, never keys. All datetimes are aware and stored in UTC (`UtcDateTime`).
"""

from inventory.models.addresses import Address
from inventory.models.asking import AskingRule
from inventory.models.audit import AuditEntry, ImportBatch, ImportChange
from inventory.models.base import (
    NODE_KINDS,
    NodeKind,
    State,
    UtcDateTime,
    complete,
    node_id,
    parse_node_id,
    table,
    utcnow,
)
from inventory.models.calendars import ClassHours, DayKind, Exam, Habit, HabitKind, HabitStatus, SpecialDay, Term
from inventory.models.causes import CauseRule
from inventory.models.credentials import Credential
from inventory.models.devices import Device, DeviceKind, DeviceUpstream, Watch
from inventory.models.history import HistoryDay
from inventory.models.lines import Line, LineSite
from inventory.models.links import Link
from inventory.models.live import Feed, JudgeState, NodeState
from inventory.models.outages import Incident, Maintenance, MaintenanceOccurrence, Notice, Outage, Repeat, Unseen
from inventory.models.ports import Port
from inventory.models.prefixes import Prefix
from inventory.models.regions import Region, RegionTree
from inventory.models.rules import DegradedRule, Measure
from inventory.models.schools import School, SchoolCode, SchoolLevel, SchoolSuccession
from inventory.models.sites import Site, SiteKind
from inventory.models.telling import (
    Contact,
    Delivery,
    Duty,
    EscalationStep,
    IncidentNote,
    NoticeRule,
    Outlet,
    OutletKind,
    Silence,
)
from inventory.models.users import LoginLink, LoginSession, Role, Token, User
from inventory.models.vantages import VantagePoint
from inventory.models.version import RegisterVersion
from inventory.models.walls import WallLink
from inventory.models.zones import Zone

__all__ = [
    "NODE_KINDS",
    "Address",
    "AskingRule",
    "AuditEntry",
    "CauseRule",
    "ClassHours",
    "Contact",
    "Credential",
    "DayKind",
    "DegradedRule",
    "Delivery",
    "Device",
    "DeviceKind",
    "DeviceUpstream",
    "Duty",
    "EscalationStep",
    "Exam",
    "Feed",
    "Habit",
    "HabitKind",
    "HabitStatus",
    "HistoryDay",
    "ImportBatch",
    "ImportChange",
    "Incident",
    "IncidentNote",
    "JudgeState",
    "Line",
    "LineSite",
    "Link",
    "LoginLink",
    "LoginSession",
    "Maintenance",
    "MaintenanceOccurrence",
    "Measure",
    "NodeKind",
    "NodeState",
    "Notice",
    "NoticeRule",
    "Outage",
    "Outlet",
    "OutletKind",
    "Port",
    "Prefix",
    "Region",
    "RegionTree",
    "RegisterVersion",
    "Repeat",
    "Role",
    "School",
    "SchoolCode",
    "SchoolLevel",
    "SchoolSuccession",
    "Silence",
    "Site",
    "SiteKind",
    "SpecialDay",
    "State",
    "Term",
    "Token",
    "Unseen",
    "User",
    "UtcDateTime",
    "VantagePoint",
    "WallLink",
    "Watch",
    "Zone",
    "complete",
    "node_id",
    "parse_node_id",
    "table",
    "utcnow",
]
