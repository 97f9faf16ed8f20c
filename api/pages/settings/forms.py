"""From what was typed to a change by the resource's own rules; what is wrong is named at its field."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request

from api.errors import Problem, Wrong, problem_body, wrong_of
from api.pages.frame import Frame
from api.pages.queries.named import find_school, school_name
from api.pages.settings.inputs import Filled, Input, dig, nest
from api.pages.settings.managed import Managed
from api.resources.machine import MAX_ID
from api.resources.reading import etag_of, list_rows, read_row
from api.resources.writing import create_row, delete_row, update_row
from api.security import register_of
from api.words import say, say_field


async def _form(request: Request) -> FormData:
    return await request.form()


Typed = Annotated[FormData, Depends(_form)]
"""The form that came with a request."""


def typed_of(form: FormData, inputs: Sequence[Input]) -> dict[str, list[str]]:
    """By field, the texts that were typed."""
    return {one.name: [str(value)[:4000] for value in form.getlist(one.name)] for one in inputs}


def empty(inputs: Sequence[Input]) -> Filled:
    """A form with what it begins with."""
    return Filled({one.name: ([] if one.kind == "many" else one.initial) for one in inputs})


def filled_with(frame: Frame, inputs: Sequence[Input], row: Mapping[str, Any]) -> Filled:
    """A form that shows a row."""
    shown = {one.name: one.show(dig(row, one.name), frame.clock.zone) for one in inputs}
    for one in inputs:
        if one.kind == "school" and dig(row, one.name) is not None:
            shown[one.name] = school_name(frame, int(dig(row, one.name)))
    return Filled(shown)


def as_typed(inputs: Sequence[Input], typed: Mapping[str, list[str]]) -> Filled:
    """A form that shows again what was typed; secrets are to be typed again."""
    shown: dict[str, str | list[str]] = {}
    for one in inputs:
        given = typed.get(one.name, [])
        shown[one.name] = given if one.kind == "many" else "" if one.kind == "secret" else (given[0] if given else "")
    return Filled(shown)


def body_of(frame: Frame, inputs: Sequence[Input], typed: Mapping[str, list[str]]) -> dict[str, Any]:
    """What the call takes. An object of which nothing was typed is left out: what is set stays."""
    named = {one.name: _named(frame, one, typed.get(one.name, [])) for one in inputs}
    body = nest({one.name: one.read(named[one.name], frame.clock.zone) for one in inputs})
    for outer in {one.name.split(".")[0] for one in inputs if "." in one.name}:
        given = [
            text
            for one in inputs
            if one.name.startswith(f"{outer}.") and one.kind != "choice"
            for text in named[one.name]
        ]
        if not any(text.strip() for text in given):
            body.pop(outer, None)
    return body


def _named(frame: Frame, one: Input, typed: list[str]) -> list[str]:
    """A school's name or code as its id; one that is not found (or not the only one) becomes an id that nothing has."""
    if one.kind != "school" or not typed or not typed[0].strip():
        return typed
    return [str(find_school(frame, typed[0].strip()) or MAX_ID)]


def attempt(frame: Frame, form: Filled, act: Callable[[], Any]) -> Any:
    """What `act` gives; None where it was refused, which `form` then says."""
    try:
        return act()
    except ValidationError as error:
        wrong = [wrong_of({**item, "loc": ("body", *item["loc"])}) for item in error.errors()]
        form.problem = say("invalid", _language(frame), count=len(wrong))
        _note(frame, form, wrong)
    except Problem as problem:
        form.problem = str(problem_body(problem, frame.request)["title"])
        _note(frame, form, problem.errors)
    return None


def _note(frame: Frame, form: Filled, wrong: Sequence[Wrong]) -> None:
    """At its field, or at that whose object holds it; else with the form itself."""
    for one in wrong:
        said = say_field(one.kind, _language(frame), one.message or one.kind)
        if one.expected:
            said = f"{said} ({one.expected})"
        name = next((name for name in form.values if one.field == name or one.field.startswith(f"{name}.")), None)
        if name is not None:
            form.errors[name] = said
        else:
            form.problem = f"{form.problem} {one.field}: {said}" if one.field else f"{form.problem} {said}"


def _language(frame: Frame) -> Any:
    return frame.locale


def rows_of(frame: Frame, page: Managed) -> list[dict[str, Any]]:
    """The rows that the caller may see, in the page's order."""
    query = page.resource.query(limit=page.limit, sort=page.order)
    return list(list_rows(page.resource, frame.session, frame.caller, query)["items"])


def create(frame: Frame, page: Managed, values: Mapping[str, Any]) -> dict[str, Any]:
    """Make a row."""
    assert page.resource.create is not None, page.name
    body: BaseModel = page.resource.create.model_validate(values)
    return create_row(page.resource, register_of(frame.request), frame.caller, body)


def change(frame: Frame, page: Managed, number: int, values: Mapping[str, Any], match: str) -> dict[str, Any]:
    """Change a row; `match`: the version that the form showed."""
    assert page.resource.update is not None, page.name
    body: BaseModel = page.resource.update.model_validate(values)
    return update_row(page.resource, register_of(frame.request), frame.caller, number, body, match)


def take_away(frame: Frame, page: Managed, number: int, match: str) -> bool:
    """Delete a row."""
    delete_row(page.resource, register_of(frame.request), frame.caller, number, match)
    return True


def read(frame: Frame, page: Managed, number: int) -> tuple[dict[str, Any], str]:
    """A row as the call shows it, and its version."""
    row = read_row(page.resource, frame.session, frame.caller, number)
    return row, etag_of(row)
