"""Screens: the links of walls."""

from api.pages.queries.regions import region_choices
from api.pages.settings.inputs import Input, _
from api.pages.settings.managed import Column, Managed
from api.pages.settings.words import moment, optional, plain, region
from api.resources.walls import WALLS

GROUP = _("Screens")

WALL_LINKS = Managed(
    name="walls",
    group=GROUP,
    title=_("Wall screens"),
    lead=_("A link shows the board of one part on a wall without signing in, and nothing else. It can be revoked."),
    add=_("Make a link"),
    empty=_("No wall screen has a link yet"),
    resource=WALLS,
    columns=(
        Column(_("field.name"), plain("name"), lead=True, under=optional("created_by")),
        Column(_("Part"), region(nothing=_("The whole province"))),
        Column(_("Last used"), moment("used_at")),
        Column(_("Ends"), moment("expires_at", ticking=False)),
        Column(_("Made"), moment("created_at")),
    ),
    inputs=(
        Input("name", "text", _("field.name"), _("Where the screen hangs."), required=True),
        Input("region_id", "region", _("Part"), choices=region_choices, plain=True, nothing=_("The whole province")),
        Input("locale", "choice", _("Language"), choices=(("zh", "language.zh"), ("en", "language.en"))),
        Input("expires_at", "moment", _("Ends"), _("Empty: until it is revoked.")),
    ),
    order="name",
    remove=_("Revoke"),
)
