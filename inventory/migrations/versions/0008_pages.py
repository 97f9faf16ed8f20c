"""Links of wall screens."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    op.get_bind()


def downgrade() -> None:
    """Nothing yet."""
    op.get_bind()
