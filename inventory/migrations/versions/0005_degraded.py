"""Rules of degradation, and what stands between two looks at them."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    op.get_bind()


def downgrade() -> None:
    """Nothing yet."""
    op.get_bind()
