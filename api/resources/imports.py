"""Past imports: `/api/v1/imports`, to be read; making and undoing them is in `api/importing.py`."""

from datetime import datetime

from pydantic import BaseModel

from api.resources.machine import ListQuery, Resource, Text
from inventory.models import ImportBatch, table


class ImportRead(BaseModel):
    """One import: what file, by whom, how many rows."""

    id: int
    at: datetime
    actor: str
    what: str
    file_name: str
    sha256: str
    created: int
    updated: int
    unchanged: int
    undone_at: datetime | None = None
    undone_by: str = ""


class ImportQuery(ListQuery):
    """Filters of the list."""

    what: Text | None = None
    actor: Text | None = None
    sha256: Text | None = None


_own = table(ImportBatch)

IMPORTS = Resource(
    name="imports",
    model=ImportBatch,
    read=ImportRead,
    query=ImportQuery,
    deletable=False,
    sorts={"at": _own.c.at},
    default_sort="-id",
    readers="administrators",
)
