"""How values stand in lists: small writers for columns."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup
from sqlmodel import SQLModel

from api.pages.frame import Frame
from api.pages.queries.named import names_of, school_name
from api.pages.queries.regions import region_names

Row = Mapping[str, Any]
Writer = Callable[[Frame, Row], Any]


def plain(name: str) -> Writer:
    """The value as it is; a dash where there is none."""
    return lambda frame, row: row[name] if row[name] not in (None, "") else "–"


def optional(name: str) -> Writer:
    """The value as it is, or nothing."""
    return lambda frame, row: row[name] or ""


def worded(name: str, group: str) -> Writer:
    """The catalogue's word `group.value`."""
    return lambda frame, row: frame.text(f"{group}.{row[name]}") if row[name] not in (None, "") else ""


def moment(name: str, ticking: bool = True, nothing: str = "–") -> Writer:
    """A time, with its age where that is of use; a dash where there is none."""

    def write(frame: Frame, row: Row) -> Any:
        at = row[name]
        if not isinstance(at, datetime):
            return nothing
        return frame.clock.since(at) if ticking else frame.clock.stamp(at)

    return write


def region(name: str = "region_id", nothing: str = "") -> Writer:
    """A region's name; `nothing` (a message) where it is the whole province."""

    def write(frame: Frame, row: Row) -> Any:
        if row[name] is None:
            return frame.text(nothing) if nothing else "–"
        return region_names(frame).get(row[name], "–")

    return write


def part(whole: str) -> Writer:
    """A school, a region, or (neither) the whole province."""
    of_region = region(nothing=whole)

    def write(frame: Frame, row: Row) -> Any:
        if row["school_id"] is not None:
            return school_name(frame, row["school_id"]) or "–"
        return of_region(frame, row)

    return write


def named(name: str, model: type[SQLModel]) -> Writer:
    """The name of the row that a column refers to."""
    return lambda frame, row: names_of(frame, model).get(row[name], "–") if row[name] is not None else "–"


def seconds(name: str) -> Writer:
    """A length of time; nothing where none is said."""

    def write(frame: Frame, row: Row) -> Any:
        if row[name] is None:
            return ""
        return frame.clock.duration(row[name]) if row[name] else frame.text("at once")

    return write


def span(first: str, last: str) -> Writer:
    """`21:30–22:30`."""
    return lambda frame, row: f"{row[first]}–{row[last]}"


def listed(name: str, group: str = "", nothing: str = "") -> Writer:
    """Several values, by commas; `nothing` (a message) for none."""

    def write(frame: Frame, row: Row) -> Any:
        values = [frame.text(f"{group}.{one}") if group else str(one) for one in row[name] or ()]
        joined = ("、" if frame.locale == "zh" else ", ").join(values)
        return joined or (frame.text(nothing) if nothing else "–")

    return write


def marked(mark: str, word: Any) -> Markup:
    """A word with a sign, in its colour."""
    return Markup(
        '<span class="state s-{0}"><svg class="sign" aria-hidden="true"><use href="#sign-{0}"/></svg>{1}</span>'
    ).format(mark, word)


def state_word(name: str, group: str, marks: Mapping[str, str]) -> Writer:
    """The catalogue's word of a state, with the sign that `marks` gives it."""
    return lambda frame, row: marked(marks.get(row[name], "unknown"), frame.text(f"{group}.{row[name]}"))


def health(frame: Frame, row: Row) -> Any:
    """How an outlet fares: works, fails since when and why, was never used, is off."""
    if not row["enabled"]:
        return marked("planned_off", frame.text("off"))
    if row["failing_since"] is not None:
        said = Markup('{}<span class="under">{} · {}</span>')
        since = frame.clock.since(row["failing_since"])
        return said.format(marked("down", frame.text("fails")), since, row["last_error"])
    if row["last_ok_at"] is not None:
        said = Markup('{}<span class="under">{}</span>')
        return said.format(marked("up", frame.text("works")), frame.clock.since(row["last_ok_at"]))
    return marked("not_seen", frame.text("not used yet"))
