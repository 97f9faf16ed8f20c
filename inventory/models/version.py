"""The register's version."""

from sqlmodel import Field, SQLModel


class RegisterVersion(SQLModel, table=True):
    """One row, id 1: raised in the same transaction as every change that the collector's plan must follow."""

    __tablename__ = "register_version"

    id: int = Field(default=1, primary_key=True)
    version: int = Field(default=1)
