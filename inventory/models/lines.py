"""Access circuits."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class Line(SQLModel, table=True):
    """One circuit, serving one site or several (`line_site`), hanging under `upstream_site_id`.

    `end_device_id` and `end_port` (ifName) are the port on the school's gateway that it ends on; `far_device_id` and
    `far_port` the carrier's or county's port at the other end. `near_address` and `far_address`, in the end device's zone (else its site's), are pinged. A line is judged by these
    (docs/judging.md, "Lines").
    """

    __tablename__ = "line"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=120, index=True)
    operator: str = Field(default="", max_length=40, index=True, description="telecom, unicom, mobile, cernet, own ...")
    circuit: str | None = Field(default=None, max_length=80, index=True, description="the operator's circuit number")
    role: str = Field(default="primary", max_length=8, description="primary or backup")
    bandwidth_mbps: int | None = Field(default=None, ge=0, description="contracted, downstream")
    bandwidth_up_mbps: int | None = Field(default=None, ge=0, description="contracted, upstream; None: the same")
    upstream_site_id: int | None = Field(default=None, foreign_key="site.id", index=True)
    end_device_id: int | None = Field(default=None, foreign_key="device.id", index=True)
    end_port: str | None = Field(default=None, max_length=80)
    far_device_id: int | None = Field(default=None, foreign_key="device.id", index=True)
    far_port: str | None = Field(default=None, max_length=80)
    near_address: str | None = Field(
        default=None, max_length=45, description="the school's own address on this circuit"
    )
    far_address: str | None = Field(default=None, max_length=45, description="the other end's address on this circuit")
    status: str = Field(default="active", max_length=16, description="ordered, active or ended")
    ordered_on: date | None = None
    active_on: date | None = None
    ended_on: date | None = None
    contact_name: str = Field(default="", max_length=80)
    contact_phone: str = Field(default="", max_length=40, description="the operator's fault line")
    note: str = Field(default="", max_length=500)
    row_version: int = Field(default=1)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class LineSite(SQLModel, table=True):
    """A site that a line serves; several where a teaching point hangs behind the central school."""

    __tablename__ = "line_site"

    line_id: int = Field(foreign_key="line.id", primary_key=True, ondelete="CASCADE")
    site_id: int = Field(foreign_key="site.id", primary_key=True, index=True, ondelete="CASCADE")
