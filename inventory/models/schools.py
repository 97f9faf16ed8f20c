"""Schools, their 学校标识码 with validity, and what became of them."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from inventory.models.base import UtcDateTime, utcnow


class SchoolLevel(StrEnum):
    """The level, which the category digits of the code do not fully tell (FIELD.md 2.1)."""

    kindergarten = "kindergarten"
    teaching_point = "teaching_point"
    primary = "primary"
    junior = "junior"
    nine_year = "nine_year"
    senior = "senior"
    twelve_year = "twelve_year"
    vocational = "vocational"
    special = "special"
    higher = "higher"
    adult = "adult"
    bureau = "bureau"
    other = "other"


class School(SQLModel, table=True):
    """A school, kindergarten, teaching point, college or bureau.

    `place_id` is the county it lies in (tree place), `duty_id` the bureau it answers to (tree duty). `code` repeats the
    code valid today from `school_code`, for lists and search; the truth with its dates is there.
    """

    __tablename__ = "school"
    __table_args__ = (
        Index("ix_school_level_name", "level", "name"),  # lists of one level, by name
        {"sqlite_autoincrement": True},  # an id is never given out twice
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=120, index=True)
    name_en: str = Field(default="", max_length=160)
    code: str | None = Field(default=None, max_length=16, index=True)
    level: SchoolLevel = Field(default=SchoolLevel.other)
    kind: str = Field(default="public", max_length=16, description="public or private")
    setting: str = Field(default="", max_length=8, description="urban, town, rural or empty")
    place_id: int = Field(foreign_key="region.id", index=True)
    duty_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    pupils: int | None = Field(default=None, ge=0)
    classes: int | None = Field(default=None, ge=0)
    status: str = Field(default="active", max_length=16, description="active, closed or planned")
    opened_on: date | None = None
    closed_on: date | None = None
    contact_name: str = Field(default="", max_length=80)
    contact_phone: str = Field(default="", max_length=40)
    note: str = Field(default="", max_length=500)
    search: str = Field(default="", max_length=400, index=True, description="name, code and pinyin, lower case")
    row_version: int = Field(default=1)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class SchoolCode(SQLModel, table=True):
    """A 10-digit 学校(机构)标识码 with its days of validity; a voided one is never given out again (MOE, 2011-07-20)."""

    __tablename__ = "school_code"

    id: int | None = Field(default=None, primary_key=True)
    school_id: int = Field(foreign_key="school.id", index=True, ondelete="CASCADE")
    code: str = Field(max_length=16, index=True)
    valid_from: date | None = None
    valid_to: date | None = None


class SchoolSuccession(SQLModel, table=True):
    """Merger, split or upgrade: who followed whom, and when."""

    __tablename__ = "school_succession"

    id: int | None = Field(default=None, primary_key=True)
    predecessor_id: int = Field(foreign_key="school.id", index=True)
    successor_id: int = Field(foreign_key="school.id", index=True)
    kind: str = Field(max_length=16, description="merger, split, upgrade or rename")
    on: date
