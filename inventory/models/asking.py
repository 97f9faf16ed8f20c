"""How devices are asked, by model."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class AskingRule(SQLModel, table=True):
    """Settings for the SNMP readings of all devices that fit `vendor`, `model` and `sys_object_id`; what is None is left to other rules.

    Rules hold in the order of `position` (then id): each setting comes from the first enabled rule that fits and names it (`collector/asking.py`).
    """

    __tablename__ = "asking_rule"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, unique=True)
    position: int = Field(default=100, ge=0, le=10_000, description="lower ones come first")
    enabled: bool = Field(default=True)
    vendor: str = Field(default="*", max_length=80, description="a pattern with * and ?, in any case")
    model: str = Field(default="*", max_length=120, description="a pattern with * and ?, in any case")
    sys_object_id: str = Field(default="", max_length=120, description="the beginning of sysObjectID; empty: any")
    max_bindings: int | None = Field(default=None, ge=1, le=108, description="most values in one answer")
    max_repetitions: int | None = Field(default=None, ge=1, le=12, description="most rows in one answer")
    pause_ms: int | None = Field(
        default=None, ge=0, le=5000, description="between an answer and the next request to the same device"
    )
    columns_off: str = Field(default="", max_length=200, description="columns that are not read, ifInDiscards,...")
    bulk: bool | None = Field(default=None, description="False: GETNEXT alone, for agents that cannot do GETBULK")
    every_rounds: int | None = Field(default=None, ge=1, le=60, description="read in every such round only")
    budget_requests: int | None = Field(default=None, ge=1, le=10_000, description="for each device and round")
    budget_seconds: float | None = Field(default=None, gt=0, le=12, description="for each device and round")
    budget_kilobytes: int | None = Field(default=None, ge=1, le=65_536, description="for each device and round")
    note: str = Field(default="", max_length=500)
    row_version: int = Field(default=1)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
