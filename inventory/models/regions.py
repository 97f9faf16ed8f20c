"""Administrative divisions (place) and bureaus (duty): two trees in one table."""

from datetime import date
from enum import StrEnum

from sqlmodel import Field, SQLModel


class RegionTree(StrEnum):
    """Where a thing lies, or who answers for it."""

    place = "place"
    duty = "duty"


class Region(SQLModel, table=True):
    """A province, prefecture city, county, development zone or township; or the bureau that answers for one.

    `code`: 6 digits of GB/T 2260 (place tree), None for local ones such as development zones. `path`: the ids from the root
    to this one, `/1/12/140/`, so that a subtree is a prefix match. `local_code`: the statistical code of a development zone;
    in the duty tree the code of the division that the bureau answers for.
    """

    __tablename__ = "region"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    tree: RegionTree = Field(default=RegionTree.place, index=True)
    level: str = Field(max_length=16, description="province, city, county, zone or township")
    code: str | None = Field(default=None, max_length=12, index=True)
    local_code: str | None = Field(default=None, max_length=12, index=True)
    name: str = Field(max_length=80)
    name_en: str = Field(default="", max_length=120)
    parent_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    path: str = Field(default="/", max_length=120, index=True)
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = Field(default="", max_length=80)
    contact_name: str = Field(default="", max_length=80)
    contact_phone: str = Field(default="", max_length=40)
