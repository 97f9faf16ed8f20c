"""Address spaces."""

from sqlmodel import Field, SQLModel


class Zone(SQLModel, table=True):
    """An address space with its collectors: schools reuse 192.168.1.0/24, so that an address means something only here."""

    __tablename__ = "zone"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given out twice

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40, unique=True)
    description: str = Field(default="", max_length=200)
    default: bool = Field(default=False, description="the zone meant where none is named")
    references: str = Field(
        default="", max_length=500, description="reference targets of its collectors, comma separated"
    )
    row_version: int = Field(default=1)
