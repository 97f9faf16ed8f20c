"""How values stand in lists: small writers for columns."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup

from api.pages.frame import Frame
from api.pages.queries.regions import region_names

Row = Mapping[str, Any]
Writer = Callable[[Frame, Row], Any]


def plain(name: str) -> Writer:
    """The value as it is; a dash where there is none."""
    return lambda frame, row: row[name] if row[name] not in (None, "") else "–"


def worded(name: str, group: str) -> Writer:
    """The catalogue's word `group.value`."""
    return lambda frame, row: frame.text(f"{group}.{row[name]}") if row[name] not in (None, "") else "–"


def moment(name: str) -> Writer:
    """A time with its age; a dash where there is none."""

    def write(frame: Frame, row: Row) -> Any:
        at = row[name]
        return frame.clock.since(at if isinstance(at, datetime) else None)

    return write


def region(name: str = "region_id", nothing: str = "") -> Writer:
    """A region's name; `nothing` (a message) where it is the whole province."""

    def write(frame: Frame, row: Row) -> Any:
        if row[name] is None:
            return frame.text(nothing) if nothing else "–"
        return region_names(frame).get(row[name], "–")

    return write


def switch(name: str, on: str, off: str) -> Writer:
    """On with the sign of up, off with that of planned off."""

    def write(frame: Frame, row: Row) -> Any:
        good = bool(row[name])
        mark, word = ("up", on) if good else ("planned_off", off)
        return Markup(
            '<span class="state s-{0}"><svg class="sign" aria-hidden="true"><use href="#sign-{0}"/></svg>{1}</span>'
        ).format(mark, frame.text(word))

    return write


def listed(name: str, group: str = "") -> Writer:
    """Several values, by commas."""

    def write(frame: Frame, row: Row) -> Any:
        values = [frame.text(f"{group}.{one}") if group else str(one) for one in row[name] or ()]
        return ("、" if frame.locale == "zh" else ", ").join(values) or "–"

    return write
