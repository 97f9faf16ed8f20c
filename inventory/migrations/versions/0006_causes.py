"""Causes with their evidence, corrections, and what was said first; rules that may hold somebody to account; addresses of lines."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from inventory.models import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RULES = (
    ("line_other_way", "line", "carrier", False),
    ("line_end", "line", "carrier", False),
    ("line_group", "line", "carrier", False),
    ("power", "power", "power", True),
    ("upstream", "upstream", "province", True),
    ("device", "device", "school", True),
    ("school", "school", "school", True),
    ("planned", "planned", "planned", True),
    ("agent", "agent", "", True),
)
"""name, cause, accountable, approved. What would count against a carrier waits for an administrator."""


def _text(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=False, server_default="")


def _columns() -> list[tuple[str, list[sa.Column[Any]]]]:
    """New columns by table, made afresh."""

    def shared() -> list[sa.Column[Any]]:
        return [
            sa.Column("cause_confidence", sa.Float(), nullable=False, server_default="0"),
            _text("cause_rule", 24),
            sa.Column("first_cause", sa.String(24), nullable=True),
            sa.Column("first_accountable", sa.String(16), nullable=True),
            _text("corrected_by", 80),
            sa.Column("corrected_at", UtcDateTime(), nullable=True),
            _text("corrected_why", 300),
        ]

    evidence: sa.Column[Any] = sa.Column("cause_evidence", sa.JSON(), nullable=False, server_default="[]")
    addresses: list[sa.Column[Any]] = [
        sa.Column(f"{end}_address", sa.String(45), nullable=True) for end in ("near", "far")
    ]
    return [
        ("incident", [*shared(), evidence, _text("accountable", 16)]),
        ("outage", [*shared(), sa.Column("first_maintenance", sa.Boolean(), nullable=True)]),
        ("line", addresses),
    ]


def upgrade() -> None:
    """Columns with their defaults, and the rules."""
    for name, columns in _columns():
        for column in columns:
            op.add_column(name, column)
    rules = op.create_table(
        "cause_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(24), nullable=False),
        sa.Column("cause", sa.String(24), nullable=False),
        sa.Column("accountable", sa.String(16), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("approved_by", sa.String(80), nullable=False),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.bulk_insert(
        rules,
        [
            {
                "name": name,
                "cause": cause,
                "accountable": accountable,
                "approved": approved,
                "approved_by": "",
                "note": "",
                "row_version": 1,
                "updated_at": datetime.now(UTC),
            }
            for name, cause, accountable, approved in RULES
        ],
    )


def downgrade() -> None:
    """As it was."""
    op.drop_table("cause_rule")
    for name, columns in _columns():
        for column in columns:
            op.drop_column(name, column.name)
