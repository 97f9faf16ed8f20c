"""Settings of the demonstration province."""

from pydantic import BaseModel, Field


class DemoSettings(BaseModel):
    """The demonstration on an empty register."""

    start: bool = Field(default=True, description="Start the demonstration province when the register is empty.")
    snmp_port: int = Field(
        default=16199, ge=1024, le=65535, description="UDP port of the demonstration's SNMP responder."
    )
