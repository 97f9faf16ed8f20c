"""The resources of `/api/v1/`: a file and a row each (docs/resources.md says how to add one)."""

from api.resources.asking import ASKING
from api.resources.audit import AUDIT
from api.resources.calendars import CLASS_HOURS, EXAMS, SPECIAL_DAYS, TERMS
from api.resources.causes import CAUSE_RULES
from api.resources.credentials import CREDENTIALS
from api.resources.degraded_rules import DEGRADED_RULES
from api.resources.devices import DEVICES
from api.resources.habits import HABITS
from api.resources.imports import IMPORTS
from api.resources.incidents import INCIDENTS
from api.resources.lines import LINES
from api.resources.links import LINKS
from api.resources.machine import Resource
from api.resources.maintenance import MAINTENANCE
from api.resources.outages import OUTAGES
from api.resources.outlets import DELIVERIES, OUTLETS
from api.resources.ports import PORTS
from api.resources.prefixes import PREFIXES
from api.resources.regions import REGIONS
from api.resources.routes import router_of
from api.resources.schools import SCHOOLS
from api.resources.sites import SITES
from api.resources.telling import CONTACTS, DUTIES, ESCALATION_STEPS, NOTICE_RULES, SILENCES
from api.resources.timeline import INCIDENT_NOTES
from api.resources.tokens import TOKENS
from api.resources.users import USERS
from api.resources.vantages import VANTAGES
from api.resources.walls import WALLS
from api.resources.zones import ZONES

RESOURCES: tuple[Resource, ...] = (
    SCHOOLS,
    SITES,
    LINES,
    DEVICES,
    PORTS,
    LINKS,
    PREFIXES,
    ZONES,
    REGIONS,
    CREDENTIALS,
    ASKING,
    DEGRADED_RULES,
    MAINTENANCE,
    TERMS,
    CLASS_HOURS,
    SPECIAL_DAYS,
    EXAMS,
    HABITS,
    OUTAGES,
    CAUSE_RULES,
    INCIDENTS,
    INCIDENT_NOTES,
    OUTLETS,
    DELIVERIES,
    NOTICE_RULES,
    ESCALATION_STEPS,
    CONTACTS,
    DUTIES,
    SILENCES,
    IMPORTS,
    USERS,
    TOKENS,
    WALLS,
    VANTAGES,
    AUDIT,
)

__all__ = ["RESOURCES", "Resource", "router_of"]
