"""The alembic environment of the register; run by `inventory.database.Register.migrate`."""
