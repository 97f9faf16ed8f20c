"""How devices are asked, by model, and traps."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of both."""
    _add_asking()


def downgrade() -> None:
    """As it was."""
    op.drop_table("asking_rule")


def _add_asking() -> None:
    op.create_table(
        "asking_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("vendor", sa.String(length=80), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("sys_object_id", sa.String(length=120), nullable=False),
        sa.Column("max_bindings", sa.Integer(), nullable=True),
        sa.Column("max_repetitions", sa.Integer(), nullable=True),
        sa.Column("pause_ms", sa.Integer(), nullable=True),
        sa.Column("columns_off", sa.String(length=200), nullable=False),
        sa.Column("bulk", sa.Boolean(), nullable=True),
        sa.Column("every_rounds", sa.Integer(), nullable=True),
        sa.Column("budget_requests", sa.Integer(), nullable=True),
        sa.Column("budget_seconds", sa.Float(), nullable=True),
        sa.Column("budget_kilobytes", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
