"""Ports: rows of IF-MIB, known by device and name through a renumbering."""

from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

from inventory.models.base import UtcDateTime


class Port(SQLModel, table=True):
    """A port. `name`: ifName, where empty or doubled ifDescr, then `#ifIndex`. Counters are not kept here."""

    __tablename__ = "port"
    __table_args__ = (UniqueConstraint("device_id", "name", name="uq_port_device_name"),)

    id: int | None = Field(default=None, primary_key=True)
    device_id: int = Field(foreign_key="device.id", index=True, ondelete="CASCADE")
    name: str = Field(max_length=120)
    if_index: int = Field(index=True)
    descr: str = Field(default="", max_length=255)
    alias: str = Field(default="", max_length=255)
    if_type: int | None = None
    speed_bps: int | None = None
    mac: str | None = Field(default=None, max_length=12)
    admin: str = Field(default="", max_length=16)
    oper: str = Field(default="", max_length=16)
    monitored: bool = Field(default=False, description="an uplink or a line's port: its series go to the TSDB")
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
