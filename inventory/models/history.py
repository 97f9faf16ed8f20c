"""The bounded built-in history: curves without a metrics store (DESIGN.md, rule 12)."""

from datetime import date

from sqlmodel import Field, SQLModel


class HistoryDay(SQLModel, table=True):
    """One day of one target in 288 bands of 5 minutes, packed (see `inventory/history.py` for the layout).

    `port` is "" for the device's own RTT and loss, else the ifName of a monitored port. Days are UTC days.
    """

    __tablename__ = "history_day"

    device_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    port: str = Field(primary_key=True, max_length=120, default="")
    day: date = Field(primary_key=True)
    bands: bytes = Field(default=b"")
