"""Fields of forms: how they are shown, and how what was typed becomes what the call takes. Pure but for the clock's zone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

Kind = Literal[
    "text",
    "area",
    "number",
    "check",
    "choice",
    "many",
    "moment",
    "day",
    "time",
    "secret",
    "region",
    "words",
    "pairs",
    "school",
]
Choices = Sequence[tuple[str, str]]
"""(value, message)."""

ABSENT = object()
"""Nothing was typed, and the call's own default holds."""


def _(message: str) -> str:
    """Marks a text for the catalogues."""
    return message


@dataclass(frozen=True, slots=True)
class Input:
    """One field. name: the call's field, `outer.inner` inside an object. label, hint: messages.

    choices: of a `choice` or `many`, or a function of the page's frame that finds them; `plain`: their words are names, not messages.
    nothing: the word for none chosen; "" where one must be. on: which form has it. initial: what an empty form shows.
    """

    name: str
    kind: Kind
    label: str
    hint: str = ""
    required: bool = False
    choices: Choices | Callable[[Any], Choices] = ()
    plain: bool = False
    nothing: str = ""
    on: Literal["", "create", "update"] = ""
    initial: str = ""
    wide: bool = False
    unit: str = ""

    def options(self, frame: Any) -> Choices:
        """(value, words) in the page's language."""
        found = self.choices(frame) if callable(self.choices) else self.choices
        return found if self.plain else [(value, frame.text(message)) for value, message in found]

    def read(self, typed: Sequence[str], zone: ZoneInfo) -> Any:
        """What the call takes. What cannot be read is handed on as it was typed: the call's own checks name what is wrong."""
        if self.kind == "many":
            return [_whole(one) for one in typed if one != ""]
        text = typed[0].strip() if typed else ""
        if self.kind == "words":
            return [word for word in text.replace("，", " ").replace(",", " ").replace("、", " ").split() if word]
        if self.kind == "pairs":
            return _pairs(text)
        if self.kind == "check":
            return bool(text)
        if self.kind == "secret" and not text:
            return ABSENT
        if not text and self.kind in ("number", "moment", "day", "time", "region", "school"):
            return None
        if self.kind == "choice" and not text and self.nothing:
            return None
        read = _READ.get(self.kind)
        return read(text, zone) if read is not None else text

    def show(self, value: Any, zone: ZoneInfo) -> str | list[str]:
        """What the form shows of a value."""
        if self.kind == "many":
            return [str(one) for one in value or ()]
        if self.kind == "words":
            return " ".join(str(one) for one in value or ())
        if self.kind == "check":
            return "1" if value else ""
        if self.kind == "secret" or value is None:
            return ""
        if isinstance(value, datetime):
            return value.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
        if self.kind == "time":
            return str(value)[:5]
        if isinstance(value, float) and value == int(value):
            return str(int(value))
        return str(value)


def _whole(text: str) -> Any:
    return int(text) if text.lstrip("-").isdecimal() else text


def _pairs(text: str) -> dict[str, str]:
    """Lines of `name: value`."""
    lines = (line.partition(":") for line in text.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _colon, value in lines}


def _number(text: str, zone: ZoneInfo) -> Any:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def _moment(text: str, zone: ZoneInfo) -> Any:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _day(text: str, zone: ZoneInfo) -> Any:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


_READ: dict[str, Callable[[str, ZoneInfo], Any]] = {
    "number": _number, "moment": _moment, "day": _day,
    "region": lambda text, zone: _whole(text), "school": lambda text, zone: _whole(text),
}  # fmt: skip


@dataclass
class Filled:
    """A form in the making: what it shows, and what is wrong with it. `errors` by field; those of no field stand in `problem`."""

    values: dict[str, str | list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    problem: str = ""

    def one(self, name: str) -> str:
        """The text of a field."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else (value[0] if value else "")

    def many(self, name: str) -> list[str]:
        """The chosen values of a field."""
        value = self.values.get(name, [])
        return [value] if isinstance(value, str) else value


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """{"a.b": 1} as {"a": {"b": 1}}; what is ABSENT is left out."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        if value is ABSENT:
            continue
        *way, last = name.split(".")
        inner = nested
        for part in way:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return nested


def dig(row: Mapping[str, Any], name: str) -> Any:
    """The value of `a.b` in nested mappings, None where there is none."""
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
