"""Regions of both trees that a caller may name in a form, and their names."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from inventory.models import Region, RegionTree, table

region = table(Region)
_LEVELS = {"province": 0, "city": 1, "county": 2, "zone": 2, "township": 3}


def region_names(frame: Any) -> dict[int, str]:
    """Names by id of the regions within the caller's part, in the page's language; read once a page."""
    return {row.id: _called(frame, row) for row in _rows(frame)}


def region_choices(frame: Any) -> Sequence[tuple[str, str]]:
    """(id, name) of the places within the caller's part, then of the bureaus, as a form's choices; counties are set in."""
    rows = sorted(
        _rows(frame), key=lambda row: (row.tree != RegionTree.place, row.code or row.local_code or "", row.id)
    )
    top = min((_LEVELS.get(row.level, 0) for row in rows), default=0)
    return [(str(row.id), "\u3000" * (_LEVELS.get(row.level, 0) - top) + _called(frame, row)) for row in rows]


def _rows(frame: Any) -> Sequence[Any]:
    kept = getattr(frame.request.state, "regions", None)
    if kept is None:
        statement = frame.scope.filter(select(region), Region)
        kept = frame.request.state.regions = frame.session.connection().execute(statement).all()
    return list(kept)


def _called(frame: Any, row: Any) -> str:
    return str((row.name_en if frame.locale == "en" else "") or row.name)
