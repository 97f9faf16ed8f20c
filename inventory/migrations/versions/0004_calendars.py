"""Calendars, habits of switching off, repeating windows of maintenance."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CALENDARS: dict[str, list[sa.Column[Any]]] = {
    "term": [
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
    ],
    "class_hours": [
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("weekdays", sa.JSON(), nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
    ],
    "special_day": [
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("as_weekday", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
    ],
    "exam": [
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
    ],
}
"""Besides what they share: whose they are, and of which levels."""

INDEXED = {"term": ("first_on", "last_on"), "special_day": ("first_on", "last_on"), "exam": ("from_at", "until_at")}


def upgrade() -> None:
    """Tables, and columns with their defaults."""
    for name, columns in CALENDARS.items():
        op.create_table(
            name,
            sa.Column("id", sa.Integer(), nullable=False),
            *[column.copy() for column in columns],
            sa.Column("region_id", sa.Integer(), nullable=True),
            sa.Column("school_id", sa.Integer(), nullable=True),
            sa.Column("levels", sa.JSON(), nullable=False),
            sa.Column("row_version", sa.Integer(), nullable=False),
            sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
            sa.ForeignKeyConstraint(["region_id"], ["region.id"]),
            sa.ForeignKeyConstraint(["school_id"], ["school.id"], ondelete="CASCADE"),
            sa.PrimaryKeyConstraint("id"),
            sqlite_autoincrement=True,
        )
        for column in ("region_id", "school_id", *INDEXED.get(name, ())):
            op.create_index(f"ix_{name}_{column}", name, [column])
    _add_habits()
    _add_repeating()
    op.add_column("incident", sa.Column("planned_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("incident", sa.Column("planned_why", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """As it was."""
    op.drop_column("incident", "planned_why")
    op.drop_column("incident", "planned_until")
    op.drop_table("maintenance_occurrence")
    for column in ("row_version", "repeat_until", "weekdays", "repeat"):
        op.drop_column("maintenance", column)
    op.drop_table("habit")
    for name in reversed(CALENDARS):
        op.drop_table(name)


def _add_habits() -> None:
    op.create_table(
        "habit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("off_from", sa.String(length=5), nullable=False),
        sa.Column("off_until", sa.String(length=5), nullable=False),
        sa.Column("on_by", sa.String(length=5), nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("chances", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("approved_by", sa.String(length=80), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_habit_school_id", "habit", ["school_id"])
    op.create_index("uq_habit_school_kind", "habit", ["school_id", "kind"], unique=True)


def _add_repeating() -> None:
    op.add_column("maintenance", sa.Column("repeat", sa.String(length=8), nullable=False, server_default="never"))
    op.add_column("maintenance", sa.Column("weekdays", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("maintenance", sa.Column("repeat_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("maintenance", sa.Column("row_version", sa.Integer(), nullable=False, server_default="1"))
    op.create_table(
        "maintenance_occurrence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("maintenance_id", sa.Integer(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["maintenance_id"], ["maintenance.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("maintenance_id", "from_at", "until_at"):
        op.create_index(f"ix_maintenance_occurrence_{column}", "maintenance_occurrence", [column])
