"""One kind of thing that is set: its list, its form, and what each says. A row of `pages.py` for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.pages.frame import Frame
from api.pages.settings.inputs import Input, _
from api.resources.machine import Resource


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list. write: a row as text or Markup. lead: the row's name, which links to its form."""

    title: str
    write: Callable[[Frame, Mapping[str, Any]], Any]
    lead: bool = False
    num: bool = False
    under: Callable[[Frame, Mapping[str, Any]], Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Managed:
    """A page at `/settings/{name}`. title, lead, empty, add, named: messages; `lead` says in one sentence what it is for.

    group: heading on the page of all settings. order: of rows. extra: a template above the list, with what `context` gives it; side:
    one beside a row's form, with what `row_context` gives it. mark: a class of the row in the list. remove: the word for taking away.
    switch: a field that a button of the list turns on and off. variants: more inputs by the value of the field `variant_of`, which is chosen
    first from `choose` (value, title, what it is for).
    """

    name: str
    group: str
    title: str
    lead: str
    add: str
    empty: str
    resource: Resource
    columns: Sequence[Column]
    inputs: Sequence[Input]
    order: str | None = None
    extra: str = ""
    context: Callable[[Frame, list[dict[str, Any]]], Mapping[str, Any]] | None = None
    side: str = ""
    row_context: Callable[[Frame, Mapping[str, Any]], Mapping[str, Any]] | None = None
    mark: Callable[[Mapping[str, Any]], str] = field(default=lambda row: "")
    limit: int = 500
    remove: str = _("Delete")
    switch: str = ""
    variants: Callable[[str], Sequence[Input]] | None = None
    variant_of: str = "kind"
    choose: Callable[[Frame], Sequence[tuple[str, str, str]]] | None = None

    @property
    def path(self) -> str:
        """Its address."""
        return f"/settings/{self.name}"

    def may_read(self, frame: Frame) -> bool:
        """Whether the caller may look at it."""
        return self.resource.readers == "all" or frame.caller.is_admin

    def may_write(self, frame: Frame) -> bool:
        """Whether the caller may change anything of it."""
        if self.resource.writers == "province" and not frame.scope.everything:
            return False
        return frame.caller.is_admin

    def fields(self, creating: bool, variant: str = "") -> list[Input]:
        """The inputs of one of the two forms, with those of the variant."""
        more = list(self.variants(variant)) if self.variants is not None and variant else []
        return [one for one in (*self.inputs, *more) if one.on in ("", "create" if creating else "update")]
