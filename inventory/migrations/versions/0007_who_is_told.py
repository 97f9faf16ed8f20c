"""Outlets, deliveries, rosters, steps of escalation, silences, what people note on incidents."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    op.get_bind()


def downgrade() -> None:
    """Nothing yet."""
    op.get_bind()
