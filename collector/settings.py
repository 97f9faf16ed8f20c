"""Settings of the collector."""

from typing import Literal

from pydantic import BaseModel, Field, field_validator

from collector.traps.listeners import parse_places


class CollectorSettings(BaseModel):
    """Rounds, judging, and what comes out."""

    name: str = Field(default="", description="Name of this collector in reports; empty: the host's name.")
    liveness_every_s: float = Field(default=5.0, ge=1, le=20, description="Seconds between two liveness rounds.")
    reading_every_s: float = Field(default=60.0, ge=10, description="Seconds between two reading rounds (SNMP).")
    shard_size: int = Field(default=5000, ge=1, description="Most devices that one report speaks of.")
    ping_method: Literal["", "raw", "dgram", "fping", "tcp"] = Field(
        default="",
        description="How to ping; empty: the best that is allowed (raw, dgram for datagram ICMP, fping, tcp).",
    )
    ping_rate_pps: int = Field(
        default=0,
        ge=0,
        description="Most echo requests a second; 0: all targets within a fifth to a third of a liveness round.",
    )
    agent_silent_rounds: int = Field(
        default=3,
        ge=1,
        description="Reading rounds without SNMP, while ping answers, that open an agent_silent incident.",
    )
    facts_every_s: float = Field(
        default=3600.0, ge=60, description="Seconds between two full readings (model, serial, sensors) of one device."
    )
    facts_per_minute: int = Field(default=120, ge=0, description="Most full readings of devices a minute; 0: none.")
    sensors_per_minute: int = Field(
        default=300,
        ge=0,
        description="Most readings a minute of the sensors that degraded rules wait for (UPS, air, core devices); 0: none.",
    )
    learned_confidence: float = Field(
        default=0.9,
        ge=0.4,
        le=1.1,
        description="Links that devices tell of (LLDP, CDP) are used from this confidence on, where nothing is declared; above 1: never.",
    )
    links_keep_days: int = Field(
        default=14, ge=1, description="Days after which a link that no device tells of is forgotten."
    )
    sensors_every_s: float = Field(
        default=60.0,
        ge=1,
        description="Seconds between two readings of a UPS's sensors; air and room sensors: twice, core devices: five times that.",
    )
    degraded_settle_s: float = Field(
        default=30.0,
        ge=1,
        description="Seconds that a degraded device or line waits before its incident is opened; four times that where its group shows more.",
    )
    trace_hours: float = Field(
        default=24.0,
        ge=0,
        le=240,
        description="Hours of trace that are kept for incidents' pages and `edunet replay`; 0: none.",
    )
    trace_mb: int = Field(default=500, ge=1, description="Most megabytes of disk for that; the oldest hours go first.")
    history_days: int = Field(default=7, ge=1, le=400, description="Days of built-in curves that are kept.")
    metrics_ports: Literal["monitored", "all", "none"] = Field(
        default="monitored", description="Ports on /metrics: uplinks and lines' ports, all, or none."
    )
    traps_listen: str = Field(
        default="*",
        description="Where traps and informs are heard, comma separated: `ADDRESS`, `ADDRESS:PORT`, `[IPv6]:PORT`, each with `=ZONE` where it hears one zone "
        "alone; `*`: IPv4 and IPv6. Without a port: 162 where that can be had, else 9162. Empty: no traps.",
    )
    traps_read_every_s: float = Field(
        default=10.0, ge=1, description="Least seconds between two immediate readings of one device that traps ask for."
    )
    traps_burst: int = Field(
        default=60, ge=1, description="Traps of one device that are kept at once; those beyond are counted as storm."
    )
    traps_per_minute: int = Field(
        default=30, ge=1, description="Traps of one device a minute that are kept after that."
    )
    outlets_enabled: bool = Field(default=True, description="False: nothing is ever sent outside.")
    alertmanager_url: str = Field(
        default="", description="Alertmanager's address, such as `http://127.0.0.1:9093`; empty: none."
    )
    alertmanager_resend_s: float = Field(
        default=60.0, ge=5, description="Seconds after which an open alert is posted again, before it ends there."
    )
    page_url: str = Field(default="", description="Address of the pages, for links in notices; empty: no links.")

    @field_validator("traps_listen")
    @classmethod
    def _name_places(cls, text: str) -> str:
        parse_places(text)
        return text
