"""Which conclusions about causes may hold somebody to account."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class CauseRule(SQLModel, table=True):
    """One way of concluding a cause from evidence (`inventory/causes.py` names them, the migration makes the rows).

    Until `approved`, its conclusion is shown with its evidence, but nobody is accountable by it.
    """

    __tablename__ = "cause_rule"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=24, unique=True)
    cause: str = Field(max_length=24)
    accountable: str = Field(default="", max_length=16, description="who counts as accountable once it is approved")
    approved: bool = False
    approved_by: str = Field(default="", max_length=80)
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    note: str = Field(default="", max_length=500)
    row_version: int = Field(default=1)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
