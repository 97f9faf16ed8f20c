"""Vantage points: other eyes than the collector's own."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from api.pages.frame import Frame
from api.pages.queries.named import names_of
from api.pages.settings.inputs import Input, _
from api.pages.settings.judging import GROUP
from api.pages.settings.managed import Column, Managed
from api.pages.settings.words import marked, named, optional, plain
from api.resources.vantages import VANTAGES
from inventory.models import Zone

MARKS = {"sees": "up", "blind": "unknown", "silent": "down", "never": "not_seen", "off": "planned_off"}

MUCH_S = 2.0
"""Seconds by which its clock differs that are worth a word."""


def _zones(frame: Frame) -> list[tuple[str, str]]:
    return [(str(number), name) for number, name in names_of(frame, Zone).items()]


def _state(frame: Frame, row: Mapping[str, Any]) -> Any:
    """Sees, is blind, hands nothing in; since when, and what of its clock."""
    said = [marked(MARKS[row["state"]], frame.text(f"vantage.{row['state']}"))]
    if row["reported_at"] is not None:
        said.append(Markup('<span class="under">{}</span>').format(frame.clock.since(row["reported_at"])))
    offset = row["detail"].get("offset_s") or 0.0
    if abs(offset) > MUCH_S:
        words = frame.text("its clock differs by %(seconds)s s, which is corrected", seconds=f"{offset:.0f}")
        said.append(Markup('<span class="under">{}</span>').format(words))
    if row["blind"]:
        words = frame.text("cannot see: %(zones)s", zones=", ".join(row["blind"]))
        said.append(Markup('<span class="under">{}</span>').format(words))
    return Markup("").join(said)


VANTAGE_PAGE = Managed(
    name="vantages",
    group=GROUP,
    title=_("Vantage points"),
    lead=_("Processes elsewhere that ping the same devices: what one of them sees is known, though the collector itself be blind."),
    add=_("Add a vantage point"),
    empty=_("No vantage point: when the collector is blind, nobody sees"),
    resource=VANTAGES,
    columns=(
        Column(_("field.name"), plain("name"), lead=True, under=optional("place")),
        Column(_("State"), _state),
        Column(_("Zone"), lambda frame, row: frame.text("every zone") if row["zone_id"] is None else named("zone_id", Zone)(frame, row)),
        Column(_("field.references"), plain("references")),
    ),
    inputs=(
        Input("name", "text", _("field.name"), _("Short, such as the city's."), required=True),
        Input("place", "text", _("Place"), _("Where it stands, by whose line.")),
        Input("zone_id", "choice", _("Zone"), choices=_zones, plain=True, nothing=_("every zone")),
        Input("references", "text", _("field.references"), _("Always reachable addresses near it: when they are silent, it is blind itself."), wide=True),
        Input("enabled", "check", _("In use"), initial="1"),
    ),
    order="name",
    switch="enabled",
    mark=lambda row: "" if row["enabled"] else "off",
    remove=_("Take away"),
)  # fmt: skip
