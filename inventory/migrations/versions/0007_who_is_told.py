"""Outlets, deliveries, rules of severity and delay, rosters, steps of escalation, silences, what people note on incidents."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from inventory.models import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("incident_note", "silence", "escalation_step", "duty", "contact", "notice_rule", "delivery", "outlet")

RULES: tuple[dict[str, Any], ...] = (
    {"name": "考试期间升一级 exams", "position": 10, "times": "exam", "raise_by": 1, "delay_s": 0, "night": "at_once"},
    {
        "name": "上课时间千人以上升一级 a thousand pupils in class",
        "position": 20,
        "kinds": ["outage"],
        "times": "class",
        "least_pupils": 1000,
        "raise_by": 1,
    },
    {
        "name": "SNMP 无应答与劣化 silent agents, degraded",
        "position": 30,
        "kinds": ["agent_silent", "degraded"],
        "delay_s": 900,
        "night": "morning",
    },
    {
        "name": "核心、市、县 core, city, county",
        "position": 40,
        "classes": ["core", "city", "county"],
        "delay_s": 0,
        "night": "at_once",
    },
    {
        "name": "五所以上学校 five schools and more",
        "position": 50,
        "least_schools": 5,
        "delay_s": 0,
        "night": "at_once",
    },
    {"name": "单所学校 a single school", "position": 60, "classes": ["school"], "delay_s": 180, "night": "morning"},
    {
        "name": "线路与设备 lines, devices",
        "position": 70,
        "classes": ["line", "device"],
        "delay_s": 300,
        "night": "morning",
    },
    {"name": "其余 all others", "position": 1000, "delay_s": 0, "night": "at_once"},
)
"""What the program comes with; all of it may be changed."""

STEPS = (
    ("school", "minor", 0),
    ("county", "warning", 0),
    ("city", "minor", 30),
    ("city", "major", 0),
    ("province", "minor", 240),
    ("province", "major", 30),
    ("province", "critical", 0),
)
"""level, least severity, minutes"""


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), nullable=False)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _references(**tables: str) -> list[sa.ForeignKeyConstraint]:
    return [sa.ForeignKeyConstraint([column], [f"{of}.id"]) for column, of in tables.items()]


def _edited() -> list[sa.Column[Any]]:
    return [_number("row_version"), _at("updated_at")]


def _index(of: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{of}_{column}", of, [column])


def upgrade() -> None:
    """All tables, and what the program comes with."""
    _add_outlets()
    _add_deliveries()
    _add_rules()
    _add_roster()
    _add_steps()
    _add_silences()
    op.create_table(
        "incident_note",
        _id(),
        _number("incident_id"),
        _at("at"),
        _text("by", 80),
        _text("kind", 16),
        _text("text", 2000),
        _json("data"),
        *_references(incident_id="incident"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_note_incident", "incident_note", ["incident_id", "id"])


def downgrade() -> None:
    """As it was."""
    for name in TABLES:
        op.drop_table(name)


def _add_outlets() -> None:
    op.create_table(
        "outlet",
        _id(),
        _text("name", 80),
        _text("kind", 16),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        _text("target", 160),
        _number("region_id", nullable=True),
        _text("language", 8),
        _text("least_severity", 10),
        _json("kinds"),
        _flag("roster"),
        _flag("enabled"),
        _number("fallback_id", nullable=True),
        _text("alive_at", 5),
        _number("per_minute"),
        _text("note", 500),
        _number("row_version"),
        _at("created_at"),
        _at("updated_at"),
        _at("last_ok_at", nullable=True),
        _at("last_error_at", nullable=True),
        _text("last_error", 300),
        _at("failing_since", nullable=True),
        *_references(region_id="region", fallback_id="outlet"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    _index("outlet", "region_id", "fallback_id")


def _add_deliveries() -> None:
    op.create_table(
        "delivery",
        _id(),
        _number("outlet_id"),
        _text("outlet", 80),
        _number("contact_id", nullable=True),
        _text("contact", 80),
        _number("incident_id", nullable=True),
        _number("opening"),
        _text("event", 10),
        _text("level", 10),
        _json("notices"),
        _at("queued_at"),
        _at("due_at"),
        _text("status", 8),
        _number("attempts"),
        _at("claimed_at", nullable=True),
        _at("sent_at", nullable=True),
        _number("via_id", nullable=True),
        _text("error", 300),
        sa.Column("delay_s", sa.Float(), nullable=True),
        _text("message", 32),
        sa.Column("body", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    _index("delivery", "sent_at", "message")
    op.create_index("ix_delivery_status", "delivery", ["status", "due_at"])
    op.create_index("ix_delivery_incident", "delivery", ["incident_id", "id"])
    op.create_index("ix_delivery_outlet", "delivery", ["outlet_id", "queued_at"])


def _add_rules() -> None:
    made = op.create_table(
        "notice_rule",
        _id(),
        _text("name", 80),
        _number("position"),
        _flag("enabled"),
        _json("classes"),
        _json("kinds"),
        _text("times", 8),
        _number("least_schools"),
        _number("least_pupils"),
        _number("region_id", nullable=True),
        _text("severity", 10),
        _number("raise_by"),
        _number("delay_s", nullable=True),
        _text("night", 8),
        _text("note", 500),
        *_edited(),
        *_references(region_id="region"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    _index("notice_rule", "region_id")
    blank = {
        "enabled": True,
        "classes": [],
        "kinds": [],
        "times": "any",
        "least_schools": 0,
        "least_pupils": 0,
        "region_id": None,
        "severity": "",
        "raise_by": 0,
        "delay_s": None,
        "night": "",
        "note": "",
        "row_version": 1,
        "updated_at": datetime.now(UTC),
    }
    op.bulk_insert(made, [{**blank, **rule} for rule in RULES])


def _add_roster() -> None:
    op.create_table(
        "contact",
        _id(),
        _text("name", 80),
        _text("phone", 40),
        _text("mail", 120),
        _number("region_id", nullable=True),
        _number("school_id", nullable=True),
        _text("note", 500),
        *_edited(),
        *_references(region_id="region", school_id="school"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    _index("contact", "region_id", "school_id")
    op.create_table(
        "duty",
        _id(),
        _number("contact_id"),
        _number("region_id", nullable=True),
        _number("school_id", nullable=True),
        _at("from_at"),
        _at("until_at"),
        _flag("weekly"),
        _at("last_at", nullable=True),
        _number("position"),
        _text("note", 200),
        *_edited(),
        *_references(contact_id="contact", region_id="region", school_id="school"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    _index("duty", "contact_id", "region_id", "school_id")


def _add_steps() -> None:
    made = op.create_table(
        "escalation_step",
        _id(),
        _text("level", 10),
        _text("severity", 10),
        _number("after_minutes"),
        _number("region_id", nullable=True),
        _flag("enabled"),
        *_edited(),
        *_references(region_id="region"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    _index("escalation_step", "region_id")
    shared = {"region_id": None, "enabled": True, "row_version": 1, "updated_at": datetime.now(UTC)}
    op.bulk_insert(
        made,
        [
            {"level": level, "severity": severity, "after_minutes": minutes, **shared}
            for level, severity, minutes in STEPS
        ],
    )


def _add_silences() -> None:
    op.create_table(
        "silence",
        _id(),
        _text("kind", 8),
        _number("node_id", nullable=True),
        _number("region_id", nullable=True),
        _number("incident_id", nullable=True),
        _at("from_at"),
        _at("until_at"),
        _text("reason", 200),
        _text("created_by", 80),
        _at("created_at"),
        *_references(region_id="region", incident_id="incident"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    _index("silence", "region_id", "incident_id", "until_at")
