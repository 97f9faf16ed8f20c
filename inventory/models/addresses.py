"""Addresses: (zone, IP), never an IP alone."""

from sqlmodel import Field, SQLModel, UniqueConstraint


class Address(SQLModel, table=True):
    """An address of a device in a zone. `ip` is in canonical form (RFC 5952); `packed` its 16 bytes, IPv4 mapped, for ranges."""

    __tablename__ = "address"
    __table_args__ = (UniqueConstraint("zone_id", "ip", name="uq_address_zone_ip"),)

    id: int | None = Field(default=None, primary_key=True)
    zone_id: int = Field(foreign_key="zone.id", index=True)
    ip: str = Field(max_length=39, index=True)
    packed: bytes = Field(max_length=16, index=True)
    device_id: int = Field(foreign_key="device.id", index=True, ondelete="CASCADE")
    primary: bool = Field(default=True, description="the one that is polled")
