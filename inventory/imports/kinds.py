"""What can be imported: a file and its row each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from inventory.imports.columns import Column
from inventory.imports.view import View


@dataclass(slots=True)
class Row:
    """A row of a file after its cells were read. values: by column name; a column that is missing or empty is not there; None: to be cleared.

    cells: as they stand; places: (header as it stands, `C5`).
    """

    sheet: str
    number: int
    cells: dict[str, str]
    values: dict[str, Any]
    places: dict[str, tuple[str, str]] = field(default_factory=dict)
    wrong: bool = False


Report = Callable[..., None]
"""report(row, column name, code, **params): a wrong cell."""

Work = Callable[[View, list[Row], Report], "Counts"]


@dataclass(slots=True)
class Counts:
    """What the rows come to."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file. work: resolves the rows against the register, and puts what is to be done into the view."""

    name: str
    zh: str
    columns: tuple[Column, ...]
    work: Work


def difference(old: Any, values: dict[str, Any]) -> dict[str, Any]:
    """What of `values` differs from the register's row."""
    return {name: value for name, value in values.items() if getattr(old, name) != value}
