"""Links between devices, declared or learned."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from inventory.models.base import UtcDateTime


class Link(SQLModel, table=True):
    """A link from one port to another, with where it is known from and how surely."""

    __tablename__ = "link"

    id: int | None = Field(default=None, primary_key=True)
    from_device_id: int = Field(foreign_key="device.id", index=True, ondelete="CASCADE")
    from_port: str = Field(default="", max_length=120)
    to_device_id: int = Field(foreign_key="device.id", index=True, ondelete="CASCADE")
    to_port: str = Field(default="", max_length=120)
    source: str = Field(default="declared", max_length=16, description="declared, lldp, cdp, fdb or arp")
    confidence: float = Field(default=1.0, ge=0, le=1)
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
