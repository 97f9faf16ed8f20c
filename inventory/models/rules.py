"""Rules of degradation: what is measured of whom, from where on it is too much, and when it is good again."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class Measure(StrEnum):
    """What rules look at; `inventory/measures.py` says of each whom it is of, its unit and its names."""

    loss_percent = "loss_percent"
    rtt_ms = "rtt_ms"
    temperature_celsius = "temperature_celsius"
    cpu_percent = "cpu_percent"
    memory_percent = "memory_percent"
    ups_on_battery = "ups_on_battery"
    ups_charge_percent = "ups_charge_percent"
    ups_load_percent = "ups_load_percent"
    ups_minutes_left = "ups_minutes_left"
    optical_rx_dbm = "optical_rx_dbm"
    poe_percent = "poe_percent"
    parts_failed = "parts_failed"
    disks_failed = "disks_failed"
    co2_ppm = "co2_ppm"
    humidity_percent = "humidity_percent"
    port_down = "port_down"
    port_errors_per_second = "port_errors_per_second"
    port_discards_per_second = "port_discards_per_second"
    port_load_percent = "port_load_percent"
    half_duplex = "half_duplex"
    line_loss_percent = "line_loss_percent"
    line_rtt_ms = "line_rtt_ms"
    line_load_percent = "line_load_percent"
    answering_percent = "answering_percent"


class DegradedRule(SQLModel, table=True):
    """A rule with hysteresis. A worse value is the one beyond `raise_at`, seen from `clear_at`: raise_at > clear_at, more is worse; else less.

    Raised when the value was at `raise_at` or beyond for `raise_after_s` seconds and in `raise_rounds` readings on end; cleared when it was at
    `clear_at` or on the good side of it for `clear_after_s` and in `clear_rounds`. A value between the two changes nothing; one that is not
    known counts for nothing.

    Whom it is of: `kinds` of devices (of `answering_percent`: which devices of a school are counted), globs of `vendor` and `model`, of a line's
    `operator`, the subtree of `region_id`, the `levels` of schools. Empty: all. `replaces_id`: where this rule applies, that one does not.
    `shipped`: from inventory/data/degraded.toml; `changed`: a person has changed it, and an upgrade leaves it alone.
    """

    __tablename__ = "degraded_rule"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=40, unique=True)
    name_zh: str = Field(max_length=80)
    name_en: str = Field(default="", max_length=120)
    measure: str = Field(max_length=32, index=True)
    kinds: list[str] = Field(default_factory=list, sa_type=JSON)
    vendor: str = Field(default="", max_length=80)
    model: str = Field(default="", max_length=120)
    operator: str = Field(default="", max_length=40)
    region_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    levels: list[str] = Field(default_factory=list, sa_type=JSON)
    raise_at: float
    clear_at: float
    raise_after_s: int = 120
    clear_after_s: int = 300
    raise_rounds: int = 2
    clear_rounds: int = 2
    at_least: int = Field(default=1, description="of shares: devices that a school must have for it to count")
    severity: str = Field(default="warning", max_length=10, description="critical, major, minor or warning")
    during: str = Field(default="always", max_length=10, description="always or in_class")
    enabled: bool = Field(default=True)
    replaces_id: int | None = Field(default=None, foreign_key="degraded_rule.id", index=True)
    note: str = Field(default="", max_length=300)
    shipped: bool = Field(default=False)
    changed: bool = Field(default=False)
    row_version: int = Field(default=1)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
