"""The routes of one kind of thing that is set: its list, its form, and what the form does."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from api.errors import Problem
from api.pages.frame import Frame, PageFrame
from api.pages.settings import forms
from api.pages.settings.inputs import Filled, Input
from api.pages.settings.managed import Managed

Match = Annotated[str, Form(max_length=200)]


def router_of(page: Managed) -> APIRouter:
    """All routes of a page."""
    router = APIRouter(prefix="/settings", include_in_schema=False)

    @router.get(f"/{page.name}")
    def show_list(frame: PageFrame) -> Response:
        """All of them."""
        _check_reader(frame, page)
        rows = forms.rows_of(frame, page)
        more = page.context(frame, rows) if page.context is not None else {}
        return frame.page("settings_list.html", page=page, rows=rows, **more)

    if page.resource.create is not None:
        _add_create(router, page)

    @router.get(f"/{page.name}/{{number}}")
    def show_one(frame: PageFrame, number: int) -> Response:
        """One of them, in its form."""
        _check_reader(frame, page)
        row, version = forms.read(frame, page, number)
        return show_form(frame, page, forms.filled_with(frame, _fields(page, row), row), row, version)

    if page.resource.update is not None:

        @router.post(f"/{page.name}/{{number}}")
        def change_one(frame: PageFrame, number: int, form: forms.Typed, match: Match = "") -> Response:
            """Change it as the form says."""
            _check_writer(frame, page)
            row, _ = forms.read(frame, page, number)
            fields = _fields(page, row)
            typed = forms.typed_of(form, fields)
            filled = forms.as_typed(fields, typed)
            body = forms.body_of(frame, fields, typed)
            if forms.attempt(frame, filled, lambda: forms.change(frame, page, number, body, match)) is None:
                return show_form(frame, page, filled, row, match, 422)
            return RedirectResponse(f"{page.path}?saved={number}", 303)

    if page.switch:

        @router.post(f"/{page.name}/{{number}}/switch")
        def switch_one(frame: PageFrame, number: int, match: Match = "") -> Response:
            """Turn it on, or off."""
            _check_writer(frame, page)
            row, version = forms.read(frame, page, number)
            filled = forms.filled_with(frame, _fields(page, row), row)
            turned = {page.switch: not row[page.switch]}
            if forms.attempt(frame, filled, lambda: forms.change(frame, page, number, turned, match)) is None:
                return show_form(frame, page, filled, row, version, 409)
            return RedirectResponse(f"{page.path}?saved={number}", 303)

    if page.resource.deletable:

        @router.post(f"/{page.name}/{{number}}/delete")
        def delete_one(frame: PageFrame, number: int, match: Match = "") -> Response:
            """Take it away."""
            _check_writer(frame, page)
            row, version = forms.read(frame, page, number)
            filled = forms.filled_with(frame, _fields(page, row), row)
            if forms.attempt(frame, filled, lambda: forms.take_away(frame, page, number, match)) is None:
                return show_form(frame, page, filled, row, version, 409)
            return RedirectResponse(f"{page.path}?deleted=1", 303)

    return router


def _add_create(router: APIRouter, page: Managed) -> None:
    @router.get(f"/{page.name}/new")
    def show_new(frame: PageFrame) -> Response:
        """An empty form; what the address names stands in it already."""
        _check_writer(frame, page)
        given = frame.request.query_params
        variant = given.get(page.variant_of, "")
        if page.choose is not None and variant not in [value for value, _, _ in page.choose(frame)]:
            return frame.page("settings_choose.html", page=page, choices=page.choose(frame))
        filled = forms.empty(page.fields(True, variant))
        filled.values.update({name: given[name][:300] for name in filled.values if name in given})
        return show_form(frame, page, filled, None, "")

    @router.post(f"/{page.name}/new")
    def make_one(frame: PageFrame, form: forms.Typed) -> Response:
        """Make one as the form says."""
        _check_writer(frame, page)
        fields = page.fields(True, str(form.get(page.variant_of, "")))
        typed = forms.typed_of(form, fields)
        filled = forms.as_typed(fields, typed)
        body = forms.body_of(frame, fields, typed)
        made = forms.attempt(frame, filled, lambda: forms.create(frame, page, body))
        if made is None:
            return show_form(frame, page, filled, None, "", 422)
        if made.get("url") or made.get("token"):  # told only once: on this answer
            return frame.page("settings_told.html", page=page, made=made)
        return RedirectResponse(f"{page.path}?saved={made['id']}", 303)


def show_form(
    frame: Frame, page: Managed, filled: Filled, row: dict[str, Any] | None, version: str, status: int = 200
) -> Response:
    """The form of one row, or (row None) of a new one."""
    more = page.row_context(frame, row) if page.row_context is not None and row is not None else {}
    fields = _fields(page, row) if row is not None else page.fields(True, filled.one(page.variant_of))
    return frame.page(
        "settings_form.html", status, page=page, form=filled, fields=fields, row=row, version=version, **more
    )


def _fields(page: Managed, row: dict[str, Any]) -> list[Input]:
    return page.fields(False, str(row.get(page.variant_of, "")))


def _check_reader(frame: Frame, page: Managed) -> None:
    if not page.may_read(frame):
        raise Problem("admin-only")


def _check_writer(frame: Frame, page: Managed) -> None:
    if not frame.caller.is_admin:
        raise Problem("admin-only")
    if not page.may_write(frame):
        raise Problem("outside")
