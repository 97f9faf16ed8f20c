"""Files of schools, lines and devices: `POST /api/v1/imports/{what}`, and undoing one as a whole.

Administrators import into their own part: a cell that leads out of it is a wrong one (docs/decisions/0122). The check is a dry run that names every wrong cell; the writing is one transaction, or nothing.
"""

from functools import partial
from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, File, Path, Query, UploadFile
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Problem, Wrong
from api.resources.machine import MAX_ID, Row
from api.resources.routes import answer, problems
from api.security import Admin, CurrentUser, register_of
from api.words import Language, language_of
from inventory.database import Register
from inventory.imports import OutsideError, Plan, RegisterMovedError, UndoError, apply_plan, plan_import, render, undo
from inventory.imports import Problem as WrongCell

router = APIRouter(tags=["imports"])

TRIES = 3
"""How often a file is checked anew because the register has changed between the check and the writing."""

SHOWN = 1000
"""Wrong cells told at most; `count` has them all."""


class ImportAnswer(BaseModel):
    """What was done; of a dry run (`id` null): what would be, and every wrong cell."""

    id: int | None = Field(description="Of the import, by which it can be undone; null: nothing was written.")
    dry_run: bool
    what: str
    rows: int
    created: int
    updated: int
    unchanged: int
    count: int = Field(description="Wrong cells.")
    problems: list[dict[str, Any]] = Field(
        description="The first 1,000: sheet, row, column, cell, found, expected, message."
    )


class UndoAnswer(BaseModel):
    """What was undone."""

    id: int
    rows: int


@router.post(
    "/imports/{what}",
    response_model=ImportAnswer,
    responses={201: {"model": ImportAnswer, "description": "Written"}, **problems(400, 401, 403, 412, 413, 422)},
    operation_id="import_file",
)
async def import_file(
    request: Request,
    caller: Admin,
    what: Literal["schools", "lines", "devices"],
    file: Annotated[
        UploadFile, File(description="CSV (UTF-8 or GBK) or XLSX; `edunet import ... --template` writes one.")
    ],
    dry_run: Annotated[bool, Query(description="Check only: nothing is written.")] = False,
) -> Response:
    """Create and update rows by a file. With one wrong cell nothing is written: 422 names them all (a dry run: 200)."""
    data, name, language = await file.read(), file.filename or "", language_of(request)
    act = partial(_import, register_of(request), what, data, name, caller, dry_run)
    plan, number = await anyio.to_thread.run_sync(act, limiter=request.app.state.slow)
    if plan.problems and not dry_run:
        raise _wrong_cells(plan, language)
    return answer(_told(plan, number, dry_run, language), 201 if number is not None else 200)


@router.post(
    "/imports/{number}/undo",
    response_model=UndoAnswer,
    responses=problems(401, 403, 404, 409, 422),
    operation_id="undo_import",
)
async def undo_import(request: Request, caller: Admin, number: Annotated[int, Path(ge=1, le=MAX_ID)]) -> Response:
    """Take an import back as a whole; 409 names the rows that have been changed or come into use since. Who sees a part: of his own imports."""
    language = language_of(request)
    try:
        act = partial(undo, register_of(request), number, caller.actor, caller.scope)
        rows = await anyio.to_thread.run_sync(act, limiter=request.app.state.slow)
    except UndoError as error:
        cells = [_wrong(cell, language) for cell in error.problems[:SHOWN]]
        raise Problem("cannot-undo", why=str(error), errors=cells) from error
    return answer({"id": number, "rows": rows})


def _import(
    register: Register, what: str, data: bytes, name: str, caller: CurrentUser, dry_run: bool
) -> tuple[Plan, int | None]:
    """(plan, id of the import where it was written)."""
    for _ in range(TRIES):
        with register.session() as session:
            plan = plan_import(session, what, data, name, scope=caller.scope)
        if dry_run or plan.problems:
            return plan, None
        try:
            return plan, apply_plan(register, plan, caller.actor)
        except OutsideError as error:
            raise Problem("outside") from error
        except RegisterMovedError:
            continue
    raise Problem("stale")


def _told(plan: Plan, number: int | None, dry_run: bool, language: Language) -> Row:
    told = plan.as_dict()
    cells = [{**cell, "message": cell["message"][language]} for cell in told["problems"][:SHOWN]]
    counts = {name: told[name] for name in ("what", "rows", "created", "updated", "unchanged")}
    return {"id": number, "dry_run": dry_run, **counts, "count": len(plan.problems), "problems": cells}


def _wrong_cells(plan: Plan, language: Language) -> Problem:
    cells = [_wrong(cell, language) for cell in plan.problems[:SHOWN]]
    more = {"problems": _told(plan, None, False, language)["problems"]}
    return Problem("import-wrong", count=len(plan.problems), errors=cells, more=more)


def _wrong(cell: WrongCell, language: Language) -> Wrong:
    """The field is the cell as a spreadsheet names it: `Sheet1!C5`."""
    place = "!".join(part for part in (cell.sheet, cell.cell) if part) or "file"
    return Wrong(place, cell.code, cell.as_dict()["expected"], render(cell, language))
