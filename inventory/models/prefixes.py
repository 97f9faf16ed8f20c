"""Address ranges given to schools, lines and sites."""

from sqlmodel import Field, SQLModel, UniqueConstraint


class Prefix(SQLModel, table=True):
    """A CIDR prefix in a zone. `first` and `last`: 16 bytes, IPv4 mapped, so that a look-up is two comparisons."""

    __tablename__ = "prefix"
    __table_args__ = (UniqueConstraint("zone_id", "cidr", name="uq_prefix_zone_cidr"),)

    id: int | None = Field(default=None, primary_key=True)
    zone_id: int = Field(foreign_key="zone.id", index=True)
    cidr: str = Field(max_length=43)
    first: bytes = Field(max_length=16, index=True)
    last: bytes = Field(max_length=16, index=True)
    length: int = Field(ge=0, le=128, description="prefix length in its own family")
    school_id: int | None = Field(default=None, foreign_key="school.id", index=True)
    site_id: int | None = Field(default=None, foreign_key="site.id", index=True)
    line_id: int | None = Field(default=None, foreign_key="line.id", index=True)
    purpose: str = Field(default="", max_length=40)
    note: str = Field(default="", max_length=200)
    row_version: int = Field(default=1)
