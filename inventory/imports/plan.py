"""The dry run: reads a file, names every wrong cell, and says what would be done. Nothing is written here."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory.imports import devices, lines, schools
from inventory.imports.columns import CLEAR, Column, normal
from inventory.imports.kinds import Counts, Kind, Row
from inventory.imports.problems import NARROWED, CellError, FileError, Problem, Words
from inventory.imports.read import Sheet, read_sheets
from inventory.imports.view import Change, Members, View
from inventory.models import RegisterVersion, table
from inventory.scope import Scope

KINDS: dict[str, Kind] = {kind.name: kind for kind in (schools.KIND, lines.KIND, devices.KIND)}
"""What can be imported: a file and a row here each."""

HEADER_ROWS = 10
"""The header is sought in so many rows; a title may stand above it."""

Progress = Callable[[str, int, int], None]
"""progress(phase, done, total); phases are read, check, write."""


def _silent(_phase: str, _done: int, _total: int) -> None:
    pass


@dataclass(slots=True)
class Plan:
    """What an import would do. problems: every wrong cell, in order; nothing may be applied while there is one."""

    what: str
    file_name: str = ""
    sha256: str = ""
    rows: int = 0
    counts: Counts = field(default_factory=Counts)
    problems: list[Problem] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    members: list[Members] = field(default_factory=list)
    register_version: int = 0
    scope: Scope = field(default_factory=Scope)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "what": self.what,
            "file": self.file_name,
            "rows": self.rows,
            "created": self.counts.created,
            "updated": self.counts.updated,
            "unchanged": self.counts.unchanged,
            "problems": [problem.as_dict() for problem in self.problems],
        }


def plan_file(session: Session, what: str, path: Path, progress: Progress = _silent) -> Plan:
    """As `plan_import`, from a file on disk. OSError where it cannot be read."""
    return plan_import(session, what, path.read_bytes(), path.name, progress)


def plan_import(
    session: Session,
    what: str,
    data: bytes,
    file_name: str = "",
    progress: Progress = _silent,
    scope: Scope | None = None,
) -> Plan:
    """Check a file of the kind `what` (a key of KINDS) against the register. Never raises for what is wrong with the file.

    scope: of who imports; what lies outside can neither be named nor changed, nor moved in or out. None: the whole province.
    """
    kind = KINDS[what]
    plan = Plan(what, file_name, hashlib.sha256(data).hexdigest(), scope=scope or Scope())
    row = table(RegisterVersion)
    plan.register_version = session.connection().execute(select(row.c.version)).scalar() or 0
    progress("read", 0, 1)
    try:
        sheets = read_sheets(data, file_name)
    except FileError as error:
        plan.problems.append(error.problem)
        return plan
    progress("read", 1, 1)
    rows = [row for sheet in sheets for row in _Reader(kind, sheet, plan.problems).rows(progress)]
    plan.rows = len(rows)
    if not rows and not plan.problems:
        plan.problems.append(Problem("no_rows", sheet=sheets[0].name))
    columns = {column.name: column for column in kind.columns}
    view = View(session, plan.scope)

    def report(row: Row, name: str, code: str, found: str | None = None, /, **params: Any) -> None:
        row.wrong = True
        header, cell = row.places.get(name, (f"{columns[name].name} {columns[name].zh}", ""))
        shown = row.cells.get(name, "") if found is None else found
        if code in NARROWED and not plan.scope.everything:
            code, params = NARROWED[code], {"part": view.part}
        plan.problems.append(Problem(code, row.sheet, row.number, header, cell, shown[:80], params))

    plan.counts = kind.work(view, rows, report)
    progress("check", 1, 1)
    plan.problems.sort(key=lambda problem: (problem.sheet, problem.row or 0))
    if plan.problems:
        plan.counts = Counts()
    else:
        plan.changes, plan.members = view.changes, view.members
    return plan


class _Reader:
    """One sheet: its header, then its cells by column."""

    def __init__(self, kind: Kind, sheet: Sheet, problems: list[Problem]) -> None:
        self._kind = kind
        self._sheet = sheet
        self._problems = problems
        self._words = {
            normal(word): column for column in kind.columns for word in (column.name, column.zh, *column.aliases)
        }

    def rows(self, progress: Progress) -> list[Row]:
        """The rows below the header; wrong cells go to the problems."""
        at = self._header_at()
        if at is None:
            shown = ", ".join(f"{column.zh} ({column.name})" for column in self._kind.columns[:4])
            self._problems.append(
                Problem("no_header", self._sheet.name, params={"rows": HEADER_ROWS, "columns": shown})
            )
            return []
        columns = self._header(at)
        missing = len(self._problems)
        self._check_missing(self._sheet.rows[at][0], columns)
        found = []
        body = self._sheet.rows[at + 1 :]
        for done, (number, cells) in enumerate(body):
            if done % 5000 == 0:
                progress("check", done, len(body))
            found.append(self._row(number, cells, columns))
        # Without a required column every row would be wrong once more.
        return [] if any(problem.code == "missing_column" for problem in self._problems[missing:]) else found

    def _header_at(self) -> int | None:
        """The first of the upper rows with the most known names."""
        counts = [sum(normal(cell) in self._words for cell in cells) for _, cells in self._sheet.rows[:HEADER_ROWS]]
        best = max(counts, default=0)
        return counts.index(best) if best else None

    def _header(self, at: int) -> list[tuple[int, Column, str]]:
        """(position, column, header as it stands) of the known columns."""
        number, cells = self._sheet.rows[at]
        columns: list[tuple[int, Column, str]] = []
        for position, cell in enumerate(cells):
            column = self._words.get(normal(cell)) if cell else None
            where: dict[str, Any] = {
                "sheet": self._sheet.name,
                "row": number,
                "column": cell,
                "cell": f"{letters(position)}{number}",
            }
            if cell and column is None:
                shown = ", ".join(f"{known.zh} ({known.name})" for known in self._kind.columns)
                self._problems.append(Problem("unknown_column", **where, found=cell[:80], params={"columns": shown}))
            elif column and any(known is column for _, known, _ in columns):
                self._problems.append(
                    Problem("double_column", **where, params={"name": f"{column.zh} ({column.name})"})
                )
            elif column:
                columns.append((position, column, cell))
        return columns

    def _check_missing(self, number: int, columns: list[tuple[int, Column, str]]) -> None:
        for column in self._kind.columns:
            if column.required and all(known is not column for _, known, _ in columns):
                params = {"name": f"{column.zh} ({column.name})"}
                self._problems.append(Problem("missing_column", self._sheet.name, number, params=params))

    def _row(self, number: int, cells: list[str], columns: list[tuple[int, Column, str]]) -> Row:
        row = Row(self._sheet.name, number, {}, {})
        for position, column, header in columns:
            cell = cells[position] if position < len(cells) else ""
            row.cells[column.name] = cell
            row.places[column.name] = (header, f"{letters(position)}{number}")
            try:
                if (number, position) in self._sheet.wide:
                    raise CellError("digits_lost")
                self._cell(row, column, cell)
            except CellError as error:
                row.wrong = True
                at = f"{letters(position)}{number}"
                self._problems.append(Problem(error.code, row.sheet, number, header, at, cell[:80], error.params))
        return row

    def _cell(self, row: Row, column: Column, cell: str) -> None:
        if not cell:
            if column.required:
                raise CellError("required", expected=Words(column.help_en))
        elif cell.startswith("="):
            raise CellError("formula")
        elif cell in CLEAR and not column.required:
            row.values[column.name] = None
        else:
            row.values[column.name] = column.parse(cell)


def letters(position: int) -> str:
    """A column's letters in a spreadsheet: 0 is A, 26 is AA."""
    text, left = "", position + 1
    while left:
        left, digit = divmod(left - 1, 26)
        text = chr(65 + digit) + text
    return text
