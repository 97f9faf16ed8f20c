"""How devices are asked, by model, and traps."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    op.get_bind()


def downgrade() -> None:
    """Nothing yet."""
    op.get_bind()
