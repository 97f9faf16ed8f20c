"""Import by file: a dry run that names each wrong cell, then all of it or nothing."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, Form, UploadFile
from starlette.responses import Response

from api.errors import Problem
from api.pages.frame import PageFrame
from api.security import page_admin, register_of
from inventory.imports import KINDS, OutsideError, RegisterMovedError, apply_plan, plan_import, render
from inventory.imports.problems import render_expected
from inventory.imports.template import template_xlsx

router = APIRouter(include_in_schema=False, dependencies=[Depends(page_admin)])

SHOWN = 200
"""Wrong cells that the page lists; the rest is counted."""


@router.get("/start/template/{kind}.xlsx")
def give_template(frame: PageFrame, kind: str) -> Response:
    """An empty workbook with its columns explained."""
    if kind not in KINDS:
        raise Problem("not-found")
    return Response(
        template_xlsx(KINDS[kind]),
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": f'attachment; filename="edunet-{kind}.xlsx"'},
    )


@router.post("/start/import")
def import_file(
    frame: PageFrame,
    file: Annotated[UploadFile, File()],
    kind: Annotated[str, Form()] = "schools",
    act: Annotated[str, Form()] = "check",
) -> Response:
    """Check a file, and with `act=write` write it where nothing is wrong, within the caller's part."""
    if kind not in KINDS:
        raise Problem("not-found")
    name = (file.filename or "")[:200]
    plan = plan_import(frame.session, kind, file.file.read(), name, scope=frame.scope)
    frame.session.rollback()
    moved, written = False, False
    if act == "write" and not plan.problems:
        try:
            apply_plan(register_of(frame.request), plan, frame.caller.actor)
            written = True
        except OutsideError as error:
            raise Problem("outside") from error
        except RegisterMovedError:
            moved = True
    language: Literal["zh", "en"] = "zh" if frame.locale == "zh" else "en"
    wrong = [(row, render_expected(row, language), render(row, language)) for row in plan.problems[:SHOWN]]
    template = "import_result.html" if frame.partial else "import.html"
    return frame.page(
        template,
        422 if plan.problems and not frame.partial else 200,
        plan=plan,
        wrong=wrong,
        written=written,
        moved=moved,
    )
