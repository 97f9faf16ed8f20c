"""Settings of the collector."""

from pydantic import BaseModel, Field


class CollectorSettings(BaseModel):
    """Rounds, judging, and what comes out."""

    name: str = Field(default="", description="Name of this collector in reports; empty: the host's name.")
    liveness_every_s: float = Field(default=5.0, ge=1, le=20, description="Seconds between two liveness rounds.")
    reading_every_s: float = Field(default=60.0, ge=10, description="Seconds between two reading rounds (SNMP).")
