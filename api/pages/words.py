"""Texts that templates look up by a key that they compute, as `state.down`: named here, so that catalogues must have them."""

from api.pages.signs import SEVERITIES
from inventory.models import (
    DayKind,
    DeviceKind,
    HabitKind,
    HabitStatus,
    NodeKind,
    OutletKind,
    Role,
    SchoolLevel,
    State,
)
from inventory.models.telling import INCIDENT_CLASSES, TELL_LEVELS, TIMES

_CAUSES = (
    "undetermined", "line", "power", "upstream", "planned", "port_down", "restart", "carrier", "device", "maintenance", "local",
    "school", "agent",
)  # fmt: skip

WORDS: tuple[str, ...] = (
    "language.other",
    "language.zh",
    "language.en",
    *(f"unit.{unit}" for unit in ("s", "min", "h", "d")),
    *(f"{group}.{state}" for group in ("state", "meaning", "sentence", "device", "line") for state in State),
    *(f"level.{level}" for level in SchoolLevel),
    *(f"kind.{kind}" for kind in DeviceKind),
    *(f"node.{kind}" for kind in NodeKind),
    *(f"role.{role}" for role in Role),
    *(f"role.{role}" for role in ("primary", "backup", "carrier", "site", "school", "bureau")),
    *(f"operator.{name}" for name in ("telecom", "unicom", "mobile", "cernet", "broadnet", "own")),
    *(f"tier.{tier}" for tier in ("core", "city", "county", "access", "site")),
    *(f"incident.{kind}" for kind in ("down", "flapping", "agent_silent", "degraded", "planned_off")),
    *(f"severity.{name}" for name in SEVERITIES),
    *(f"cluster.{group}" for group in ("upstream", "region", "operator", "model")),
    *(f"event.{event}" for event in ("opened", "updated", "reopened", "resolved", "escalated", "lapsed", "alive", "test")),
    *(f"cause.{cause}" for cause in _CAUSES),
    *(f"accountable.{who}" for who in ("carrier", "power", "school", "province", "planned")),
    *(f"outlet.{kind}" for kind in OutletKind),
    *(f"side.{name}" for name in ("for", "against", "neither")),
    *(f"{group}.{why}" for group in ("why", "why_do") for why in (
        "no_gateway", "not_seen", "blind", "tcp_only", "unknown", "planned_off", "maintenance", "silenced",
    )),
    *(f"vantage.{state}" for state in ("sees", "blind", "silent", "never", "off")),
    *(f"unseen.{reason}" for reason in ("blind", "late", "stopped", "tcp_only")),
    *(f"month.{kind}" for kind in ("classes", "make_up", "off", "holiday", "vacation")),
    *(f"missing.{what}" for what in ("term", "hours")),
    *(f"repeat.{name}" for name in ("never", "daily", "weekly", "monthly")),
    *(f"window.{name}" for name in ("from_at", "until_at", "repeat_until", "node_id", "region_id", "weekdays")),
    *(f"probe.{name}" for name in ("icmp", "snmp", "path")),
    *(f"did.{name}" for name in (
        "comment", "acknowledged", "unacknowledged", "lapsed", "void", "owner", "ticket", "corrected", "escalated", "sent",
    )),
    *(f"delivery.{name}" for name in ("waiting", "claimed", "sent", "dropped")),
    *(f"tls.{name}" for name in ("starttls", "tls", "none")),
    *(f"class.{name}" for name in INCIDENT_CLASSES),
    *(f"tell.{name}" for name in TELL_LEVELS),
    *(f"times.{name}" for name in TIMES),
    *(f"night.{name}" for name in ("at_once", "morning")),
    *(f"weekday.{day}" for day in range(1, 8)),
    *(f"day.{kind}" for kind in DayKind),
    *(f"habit.{kind}" for kind in HabitKind),
    *(f"habit_status.{status}" for status in HabitStatus),
    *(f"during.{name}" for name in ("always", "in_class")),
    *(f"port.{look}" for look in ("up", "down", "off", "fault", "unknown")),
    *(f"field.{name}" for name in (
        "name", "references", "version", "community", "user", "auth_protocol", "auth_key", "priv_protocol", "priv_key", "school",
        "region", "ip", "snmp_port", "watch", "secret", "kind", "level",
    )),
    *(f"evidence.{name}" for name in ("maintenance", "resolving", "sysUpTime", "port")),
    *(f"watch.{name}" for name in ("any", "snmp", "icmp")),
    # Heads of CSV files that no template has.
    "State", "Code", "Role", "Model", "From", "Until", "Seconds", "Accountable", "Node kind", "Planned until", "Number", "Place", "Reason",
    "First verdict", "Corrected",
)  # fmt: skip
"""The texts' keys."""
