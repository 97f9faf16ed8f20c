"""Regions for filters and names: the place tree is small (133 rows for a province) and read whole."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import Session

from inventory.models import Region, RegionTree, School, table
from inventory.scope import Scope

region, school = table(Region), table(School)


@dataclass(frozen=True)
class Places:
    """The place tree, as much of it as the caller may choose from. `all`: every region by id, for names."""

    all: dict[int, Any]
    own: list[Any]
    chosen: Any
    cities: list[Any]
    counties: list[Any]

    def name_of(self, number: int | None) -> Any:
        """The region's row, or None."""
        return self.all.get(number) if number is not None else None

    def city_of(self, number: int | None) -> Any:
        """The city that a region lies in, or None."""
        row = self.name_of(number)
        while row is not None and row.level not in ("city", "province"):
            row = self.name_of(row.parent_id)
        return row if row is not None and row.level == "city" else None

    def above(self, number: int | None) -> list[Any]:
        """The regions from the top down to this one."""
        row, way = self.name_of(number), []
        while row is not None:
            way.append(row)
            row = self.name_of(row.parent_id)
        return way[::-1]


def read_places(session: Session, scope: Scope, chosen: str = "") -> Places:
    """chosen: the code (or local code) of the region that a filter names. What lies outside the scope cannot be chosen."""
    rows = (
        session.connection()
        .execute(select(region).where(region.c.tree == RegionTree.place).order_by(region.c.code, region.c.id))
        .all()
    )
    everything = {row.id: row for row in rows}
    homes = _home_paths(session, scope)
    own = [row for row in rows if _is_own(row, scope, homes)]
    found = next((row for row in own if chosen and chosen in (row.code, row.local_code)), None)
    cities = [row for row in own if row.level == "city"]
    city = found if found is None or found.level == "city" else everything.get(found.parent_id)
    counties = [row for row in own if row.level in ("county", "zone") and (city is None or row.parent_id == city.id)]
    return Places(everything, own, found, cities, counties if city is not None or not cities else [])


def _is_own(row: Any, scope: Scope, homes: list[str]) -> bool:
    """Whether a place may be chosen: within the subtree; of a bureau, where its schools lie and what is above them."""
    if scope.everything or (scope.tree == RegionTree.place and row.path.startswith(scope.path)):
        return True
    return any(home.startswith(row.path) for home in homes)


def _home_paths(session: Session, scope: Scope) -> list[str]:
    """Paths of the places where a bureau's schools lie; none for the scopes of the place tree."""
    if scope.everything or scope.tree == RegionTree.place:
        return []
    homes = scope.filter(select(school.c.place_id).distinct(), School)
    return [row.path for row in session.connection().execute(select(region.c.path).where(region.c.id.in_(homes)))]


def below(place_column: Any, row: Any) -> ColumnElement[bool]:
    """The condition that a place lies in the subtree of a region's row."""
    inside = select(region.c.id).where(and_(region.c.path >= row.path, region.c.path < row.path[:-1] + "0"))
    return place_column.in_(inside)  # type: ignore[no-any-return]  # a Core column is untyped
