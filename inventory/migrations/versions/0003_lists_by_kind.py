"""Lists of devices of one kind and of schools of one level come from one index, in the order of their names."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Kind with name and level with name, in place of each alone."""
    op.create_index("ix_device_kind_name", "device", ["kind", "name"])
    op.drop_index("ix_device_kind", "device")
    op.create_index("ix_school_level_name", "school", ["level", "name"])
    op.drop_index("ix_school_level", "school")


def downgrade() -> None:
    """As it was."""
    op.create_index("ix_school_level", "school", ["level"])
    op.drop_index("ix_school_level_name", "school")
    op.create_index("ix_device_kind", "device", ["kind"])
    op.drop_index("ix_device_kind_name", "device")
