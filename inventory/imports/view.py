"""What the register has now, in dictionaries, so that 100,000 rows are checked without a statement each."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, SQLModel

from inventory.imports.problems import CellError
from inventory.models import Credential, Region, RegionTree, School, Site, SiteKind, Zone, table
from inventory.scope import Scope

_SUFFIX = ("县", "区", "市")


class New:
    """The id of a row that is yet to be made; `id` is filled in by apply."""

    __slots__ = ("id",)

    def __init__(self) -> None:
        self.id: int | None = None


Id = int | New


@dataclass(slots=True)
class Change:
    """A row to be made (`key` a New) or changed (`key` its id). before: the old values of what changes; version: the row's version then."""

    model: type[SQLModel]
    key: Id
    values: dict[str, Any]
    before: dict[str, Any] | None = None


@dataclass(slots=True)
class Members:
    """The set that an owner has in a table of pairs: a line's sites, a device's upstreams. before None: the owner is new."""

    model: type[SQLModel]
    owner_column: str
    member_column: str
    owner: Id
    members: tuple[Id, ...]
    before: tuple[int, ...] | None = None


class View:
    """Maps over the register, loaded when first asked for, and the rows that this import makes on the way.

    scope: whose import it is. What lies outside is as if it were not there: its names cannot be named, nor be told. Only what
    must be unique in the whole register is asked of all of it (`taken`), and that something is taken is all that is said.
    """

    def __init__(self, session: Session, scope: Scope | None = None) -> None:
        self.session = session
        self.scope = scope or Scope()
        self.changes: list[Change] = []
        self.members: list[Members] = []
        self._remembered: dict[str, Any] = {}

    def rows(self, model: type[SQLModel], *columns: str) -> Iterable[Any]:
        """Rows of some columns within the scope, by the first of them."""
        row = table(model)
        found = self.scope.filter(select(*(row.c[name] for name in columns)), model)
        return self.session.connection().execute(found.order_by(row.c[columns[0]]))

    def every(self, model: type[SQLModel], *columns: str) -> Iterable[Any]:
        """As `rows`, of the whole register: for what must not be told, but minded."""
        row = table(model)
        return self.session.connection().execute(select(*(row.c[name] for name in columns)).order_by(row.c[columns[0]]))

    def taken(self, model: type[SQLModel], *columns: str) -> frozenset[tuple[Any, ...]]:
        """What these columns hold anywhere in the register; empty for who sees all of it, whose maps have it."""
        if self.scope.everything:
            return frozenset()
        name = f"taken {table(model).name} {columns}"
        return frozenset(self.remember(name, lambda: {tuple(row) for row in self.every(model, *columns)}))

    def remember(self, name: str, load: Callable[[], Any]) -> Any:
        """What `load` gives, asked for once."""
        if name not in self._remembered:
            self._remembered[name] = load()
        return self._remembered[name]

    @cached_property
    def regions(self) -> dict[int, Any]:
        """Every region by id."""
        return {
            row.id: row
            for row in self.every(Region, "id", "tree", "level", "code", "local_code", "name", "parent_id", "path")
        }

    @cached_property
    def part(self) -> str:
        """What the scope is called; "-" for none."""
        named = (
            row.name for row in self.regions.values() if (row.tree, row.path) == (self.scope.tree, self.scope.path)
        )
        return next(named, "-")

    def holds(self, place: int, duty: int | None) -> bool:
        """Whether what lies at `place` and answers to `duty` is within the scope."""
        if self.scope.everything:
            return True
        region = self.regions.get(place if self.scope.tree is RegionTree.place else duty or 0)
        return region is not None and region.path.startswith(self.scope.path)

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row in self.regions.values():
            if row.tree == RegionTree.place:
                above = self.regions.get(row.parent_id)
                bare = row.name[:-1] if len(row.name) > 2 and row.name.endswith(_SUFFIX) else row.name
                words = {row.code or row.local_code, row.name, bare}
                if above:
                    words |= {above.name + row.name, "山西省" + above.name + row.name}
                for word in words - {None}:
                    found.setdefault(word, []).append(row.id)
        return found

    @cached_property
    def _duties(self) -> dict[str, int]:
        rows = [row for row in self.regions.values() if row.tree == RegionTree.duty]
        return {word: row.id for row in rows for word in (row.name, row.local_code) if word}

    def place(self, cell: str) -> int:
        """The county (city, province) named or coded; a 12-digit location code (统计用区划代码) counts by its first six."""
        word = re.sub(r"\s", "", cell)
        if word.isdigit() and len(word) == 12:
            word = word[:6]
        found = self._places.get(word) or self._places.get(word.removeprefix("山西省")) or []
        # 太原 is the city, were there a county of the same bare name: the exact name wins.
        exact = [number for number in found if self.regions[number].name == word or word.isdigit()] or found
        # 城区 is two counties, but one of them for who sees only that one.
        exact = [number for number in exact if self.holds(number, self.duty_of_place(number))] or exact
        if len(exact) > 1:
            options = " / ".join(
                self.regions[self.regions[number].parent_id].name + self.regions[number].name for number in exact
            )
            raise CellError("ambiguous_county", names=options)
        if not exact:
            raise CellError("unknown_county")
        return exact[0]

    def duty(self, cell: str) -> int:
        """The bureau named, or that of the division coded or named."""
        word = re.sub(r"\s", "", cell)
        found = self._duties.get(word)
        if found is None:
            try:
                found = self.duty_of_place(self.place(word))
            except CellError:
                found = None
        if found is None:
            raise CellError("unknown_bureau")
        return found

    def duty_of_place(self, place: int) -> int | None:
        """The bureau that answers for a division."""
        row = self.regions[place]
        return self._duties.get(row.code or row.local_code or "")

    @cached_property
    def zones(self) -> dict[str, int]:
        """Zones by name."""
        return {row.name: row.id for row in self.rows(Zone, "id", "name")}

    @cached_property
    def credentials(self) -> dict[str, int]:
        """Credentials by name."""
        return {row.name: row.id for row in self.rows(Credential, "id", "name")}

    @cached_property
    def schools(self) -> dict[int, Any]:
        """Schools by id."""
        return {row.id: row for row in self.rows(School, "id", "name", "code", "place_id")}

    @cached_property
    def sites(self) -> "Sites":
        """Where things stand."""
        return Sites(self)


class Sites:
    """Sites by the code or name of their school, by their own name, or as `county:140105`, made where it is missing."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.names: dict[Id, str] = {}
        self._by_word: dict[str, set[Id]] = {}
        self._by_place: dict[int, Id] = {}
        self.own = frozenset(row.id for row in view.rows(Site, "id"))
        """Those within the scope: the others can neither be named nor changed."""
        mains: dict[int, tuple[bool, int]] = {}
        for row in view.every(Site, "id", "name", "kind", "tier", "school_id", "place_id", "main"):
            if row.school_id is None:
                if row.tier in ("core", "city", "county") and row.kind in (SiteKind.carrier, SiteKind.bureau):
                    self._by_place.setdefault(row.place_id, row.id)
            else:
                best = mains.get(row.school_id)
                if best is None or (row.main and not best[0]):
                    mains[row.school_id] = (row.main, row.id)
            if row.id in self.own:
                self.names[row.id] = row.name
                words = self._by_word.setdefault(row.name, set())
                words |= {row.id} if row.school_id is None else set()
        self.main_of_school = {school: site for school, (_, site) in mains.items()}
        for number, school in view.schools.items():
            site = self.main_of_school.get(number)
            if site is not None and site in self.own:
                if school.code:
                    self._by_word.setdefault(school.code, set()).add(site)
                self._by_word.setdefault(school.name, set()).add(site)

    def find(self, cell: str) -> Id:
        """CellError unknown_site or ambiguous_site."""
        word = cell.strip()
        match = re.fullmatch("(county|city|core|县|市)\\s*[:\uff1a]\\s*(.+)", word)
        if match:
            return self._access_site(self._view.place(match[2]))
        found = self._by_word.get(word, set())
        if len(found) > 1:
            raise CellError("ambiguous_site")
        if not found:
            raise CellError("unknown_site")
        return next(iter(found))

    def _access_site(self, place: int) -> Id:
        found = self._by_place.get(place)
        duty = self._view.duty_of_place(place)
        if found not in self.own if isinstance(found, int) else not self._view.holds(place, duty):
            raise CellError("outside_site", part=self._view.part)
        if found is None:
            found = self._by_place[place] = New()
            region = self._view.regions[place]
            tier = {"province": "core", "city": "city"}.get(region.level, "county")
            word = {"core": "省核心站点", "city": "市级站点", "county": "县级接入站点"}[tier]
            values = {"name": region.name + word, "kind": SiteKind.bureau, "tier": tier, "place_id": place}
            values["duty_id"] = duty
            self._view.changes.append(Change(Site, found, values))
            self.names[found] = values["name"]
        return found
