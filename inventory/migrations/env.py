"""Run by alembic inside `Register.migrate`, which hands over its connection: no alembic.ini, no second way."""

from alembic import context
from sqlmodel import SQLModel

import inventory.models  # noqa: F401  # fills the metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
