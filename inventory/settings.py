"""Settings of the register."""

from pydantic import BaseModel, Field


class InventorySettings(BaseModel):
    """Where the register is."""

    database_url: str = Field(
        default="",
        description="SQLAlchemy address of the register, such as `postgresql+psycopg://edunet@localhost/edunet`; empty: SQLite in the state directory.",
    )
    key_file: str = Field(
        default="", description="File with the key that seals credentials; empty: `secret.key` in the state directory."
    )
