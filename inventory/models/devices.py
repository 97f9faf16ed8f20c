"""Devices, and what they hang under."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class DeviceKind(StrEnum):
    """What a device is. Of a school's only a gateway cuts it off; `EDGE_KINDS` make no incidents of their own."""

    core = "core"
    aggregation = "aggregation"
    gateway = "gateway"
    switch = "switch"
    ac = "ac"
    ap = "ap"
    camera = "camera"
    recorder = "recorder"
    ups = "ups"
    sensor = "sensor"
    server = "server"
    printer = "printer"
    terminal = "terminal"
    other = "other"


class Watch(StrEnum):
    """What counts as life: any answer, SNMP alone, ping alone, a TCP port, or nothing (not watched)."""

    any = "any"
    snmp = "snmp"
    icmp = "icmp"
    tcp = "tcp"
    none = "none"


class Device(SQLModel, table=True):
    """A gateway, switch, AP, camera, recorder, UPS, sensor, server ...; its addresses are in `address`.

    `first_seen` None: not yet seen. `credential_id` None: the nearest of its subtree or zone serves.
    """

    __tablename__ = "device"
    __table_args__ = (
        Index("ix_device_kind_name", "kind", "name"),  # lists of one kind, by name
        {"sqlite_autoincrement": True},  # an id is never given out twice
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=120, index=True)
    kind: DeviceKind = Field(default=DeviceKind.other)
    site_id: int = Field(foreign_key="site.id", index=True)
    vendor: str = Field(default="", max_length=80, index=True)
    model: str = Field(default="", max_length=120)
    serial: str | None = Field(default=None, max_length=80, index=True)
    chassis_mac: str | None = Field(default=None, max_length=12, index=True, description="12 hex digits, lower case")
    engine_id: str | None = Field(default=None, max_length=64, index=True, description="snmpEngineID in hex (RFC 3411)")
    asset_tag: str | None = Field(default=None, max_length=80, index=True)
    owner: str = Field(default="", max_length=80)
    status: str = Field(default="active", max_length=16, description="planned, active, spare or retired")
    watch: Watch = Field(default=Watch.any)
    tcp_ports: str = Field(
        default="", max_length=80, description="ports that count as life, 443,8000; +reset to count resets"
    )
    snmp_port: int = Field(default=161, ge=1, le=65535)
    snmp_version: str = Field(default="", max_length=4, description="2c, 3, 1 or empty: as the credential says")
    credential_id: int | None = Field(default=None, foreign_key="credential.id", index=True)
    room: str = Field(default="", max_length=80)
    installed_on: date | None = None
    sys_object_id: str = Field(default="", max_length=120)
    sys_descr: str = Field(default="", max_length=500)
    sys_name: str = Field(default="", max_length=255)
    version: str = Field(default="", max_length=160)
    first_seen: datetime | None = Field(default=None, sa_type=UtcDateTime)
    note: str = Field(default="", max_length=500)
    search: str = Field(default="", max_length=400, index=True, description="name, model, serial, MAC, lower case")
    row_version: int = Field(default=1)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class DeviceUpstream(SQLModel, table=True):
    """What a device hangs under, as declared; with none, the rules of its site and kind hold (collector/plan.py)."""

    __tablename__ = "device_upstream"

    device_id: int = Field(foreign_key="device.id", primary_key=True, ondelete="CASCADE")
    upstream_id: int = Field(foreign_key="device.id", primary_key=True, index=True, ondelete="CASCADE")
    source: str = Field(default="declared", max_length=16, description="declared, lldp, cdp, fdb or prefix")
    confidence: float = Field(default=1.0, ge=0, le=1)


EDGE_KINDS = frozenset(
    {DeviceKind.ap, DeviceKind.camera, DeviceKind.recorder, DeviceKind.sensor, DeviceKind.printer, DeviceKind.terminal}
)
"""Kinds whose silence makes no incident of its own (class `edge` in REPLAY.md)."""
