"""Causes with their evidence, corrections, and what was said first."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    op.get_bind()


def downgrade() -> None:
    """Nothing yet."""
    op.get_bind()
