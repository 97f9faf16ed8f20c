"""The demonstration's page: what is out of order, buttons to cut and mend, and the way to a real register.

For administrators alone. It stands on the pages' own frame; its texts are in `demo/locales/`. It talks to `run/demo.sock` (the
responder) and `run/up.sock` (the supervisor), and works without JavaScript.
"""

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from fastapi import APIRouter, Depends, Form
from sqlalchemy import select
from starlette.responses import RedirectResponse, Response

from api.pages.frame import Frame, PageFrame
from api.pages.render import add_templates
from api.security import page_admin
from demo.control import NotRunningError, ask
from inventory.models import Region, RegionTree, table

router = APIRouter(prefix="/demo", include_in_schema=False, dependencies=[Depends(page_admin)])

_HERE = Path(__file__).parent
add_templates(_HERE / "templates")

Text = Annotated[str, Form(max_length=200)]


@lru_cache(maxsize=2)
def texts(locale: str) -> Translations:
    """The demonstration's texts in a language, from its own catalogue."""
    with (_HERE / "locales" / locale / "LC_MESSAGES" / "demo.po").open("rb") as file:
        compiled = BytesIO()
        write_mo(compiled, read_po(file, locale=locale))
    compiled.seek(0)
    return Translations(compiled)


@router.get("")
def show_demonstration(frame: PageFrame, done: str = "", name: str = "") -> Response:
    """What is out of order, and every city with its counties."""
    return _page(frame, done=done, name=name)


@router.post("/cut")
def cut(frame: PageFrame, node: Text = "") -> Response:
    """Silence a node; a name that means several things lists them."""
    return _act(frame, "cut", node)


@router.post("/mend")
def mend(frame: PageFrame, node: Text = "") -> Response:
    """Mend a node."""
    return _act(frame, "mend", node)


@router.post("/leave")
def leave(frame: PageFrame) -> Response:
    """End the demonstration; the page that is shown then looks for the real register by itself."""
    try:
        answer = ask(_run(frame) / "up.sock", {"do": "leave"})
    except NotRunningError:
        return _page(frame, status=503, problem="supervisor")
    return _page(frame, leaving=answer.get("done") == "leave", problem="" if "done" in answer else "supervisor")


def _act(frame: Frame, do: str, node: str) -> Response:
    try:
        answer = ask(_run(frame) / "demo.sock", {"do": do, "node": node})
    except NotRunningError:
        return _page(frame, status=503, problem="responder")
    if "error" in answer:
        found = answer.get("candidates", [])
        return _page(
            frame, status=422, problem=answer["error"], node=node, candidates=found, count=answer.get("count", 0)
        )
    return RedirectResponse(f"/demo?{urlencode({'done': answer['done'], 'name': answer['name']})}", 303)


def _page(frame: Frame, status: int = 200, **context: Any) -> Response:
    try:
        state: dict[str, Any] = ask(_run(frame) / "demo.sock", {"do": "status"})
    except NotRunningError:
        state = {}
    cut_codes = {f["node"].removeprefix("region:") for f in state.get("faults", []) if f["node"].startswith("region:")}
    whole = {
        "done": "",
        "name": "",
        "node": "",
        "problem": "",
        "candidates": [],
        "count": 0,
        "leaving": False,
        **context,
        "say": texts(frame.locale).ugettext,
        "state_of": state,
        "cities": _cities(frame),
        "cut_codes": cut_codes,
    }
    return frame.page("demo.html", status, **whole)


def _cities(frame: Frame) -> list[tuple[Any, list[Any]]]:
    """Each city of the place tree with its counties."""
    row = table(Region)
    statement = select(row.c.id, row.c.parent_id, row.c.code, row.c.name, row.c.name_en, row.c.level)
    statement = statement.where(row.c.tree == RegionTree.place, row.c.code.is_not(None)).order_by(row.c.code)
    rows = list(frame.session.connection().execute(statement))
    return [
        (city, [r for r in rows if r.parent_id == city.id and r.level == "county"])
        for city in rows
        if city.level == "city"
    ]


def _run(frame: Frame) -> Path:
    state: Path = frame.request.app.state.state_dir
    return state / "run"
