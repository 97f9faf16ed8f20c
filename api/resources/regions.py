"""Regions of both trees: `/api/v1/regions`. A region stays where it hangs: moving one would move its schools out of scopes."""

from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints
from sqlalchemy import func

from api.errors import Wrong, invalid
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text, Work, contains, partial_of
from inventory.models import Region, RegionTree, table

Level = Literal["province", "city", "county", "zone", "township"]


class RegionCreate(Body):
    """An administrative division (tree place), or the bureau that answers for one (tree duty)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"tree": "place", "level": "zone", "name": "新开发区", "parent_id": 2}]}
    )

    tree: RegionTree = RegionTree.place
    level: Level
    parent_id: Annotated[Id | None, Field(description="Null only for a province.")] = None
    name: Annotated[Text, StringConstraints(min_length=1, max_length=80)]
    name_en: Annotated[Text, Field(max_length=120)] = ""
    code: Annotated[Text | None, Field(pattern=r"^\d{6,12}$", description="GB/T 2260; null for local ones.")] = None
    local_code: Annotated[Text | None, Field(max_length=12)] = None
    valid_from: date | None = None
    valid_to: date | None = None
    source: Annotated[Text, Field(max_length=80)] = ""
    contact_name: Annotated[Text, Field(max_length=80)] = ""
    contact_phone: Annotated[Text, Field(max_length=40)] = ""


class RegionRead(RegionCreate):
    """A region as it is shown. `path`: the ids from the root to this one."""

    id: int
    path: str


class RegionQuery(ListQuery):
    """Filters of the list."""

    tree: RegionTree | None = None
    level: list[Level] | None = None
    code: Text | None = None
    local_code: Text | None = None
    name: Text | None = None
    parent_id: Id | None = None
    under: Annotated[Id | None, Field(description="Id of a region: it and its whole subtree.")] = None


def _under(number: int):  # type: ignore[no-untyped-def]  # a Filter
    return _own.c.path.like(f"%/{number}/%")


def _check_parent(work: Work, row: Region, children: Row) -> None:
    session = work.session
    parent = session.get(Region, row.parent_id) if row.parent_id is not None else None
    if (parent is None) != (row.level == "province") or (parent is not None and parent.tree is not row.tree):
        raise invalid(Wrong("parent_id", "no-such", "a region of the same tree"))


def _write_path(work: Work, row: Region, children: Row) -> None:
    session = work.session
    if row.path.endswith(f"/{row.id}/"):
        return
    parent = session.get(Region, row.parent_id) if row.parent_id is not None else None
    row.path = f"{parent.path if parent else '/'}{row.id}/"
    session.add(row)
    session.flush()


_own = table(Region)

REGIONS = Resource(
    name="regions",
    model=Region,
    read=RegionRead,
    create=RegionCreate,
    update=partial_of(RegionCreate, "RegionUpdate", frozenset({"tree", "level", "parent_id"})),
    query=RegionQuery,
    filters={"under": _under},
    sorts={"name": _own.c.name, "path": _own.c.path, "code": func.coalesce(_own.c.code, "")},
    default_sort="id",
    search=contains(func.lower(_own.c.name + " " + _own.c.name_en + " " + func.coalesce(_own.c.code, ""))),
    references={"parent_id": Region},
    clashes=(("tree", "code"), ("tree", "local_code")),
    prepare=_check_parent,
    write_children=_write_path,
)
