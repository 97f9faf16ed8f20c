"""Places with equipment."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class SiteKind(StrEnum):
    """What stands at a site."""

    campus = "campus"
    carrier = "carrier"
    bureau = "bureau"
    datacentre = "datacentre"


class Site(SQLModel, table=True):
    """A school's campus, a carrier's or bureau's county or city site, a data centre.

    `tier` orders the network sites: core, city, county, access ("" on a campus). Lines say how sites hang together.
    """

    __tablename__ = "site"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=120, index=True)
    name_en: str = Field(default="", max_length=160)
    kind: SiteKind = Field(default=SiteKind.campus, index=True)
    tier: str = Field(default="", max_length=8, description="core, city, county or empty")
    main: bool = Field(
        default=False, description="the school's main campus, which its line and devices mean by default"
    )
    school_id: int | None = Field(default=None, foreign_key="school.id", index=True)
    place_id: int = Field(foreign_key="region.id", index=True)
    duty_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    owner: str = Field(default="", max_length=80)
    address: str = Field(default="", max_length=200)
    latitude: float | None = None
    longitude: float | None = None
    contact_name: str = Field(default="", max_length=80)
    contact_phone: str = Field(default="", max_length=40)
    note: str = Field(default="", max_length=500)
    row_version: int = Field(default=1)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
