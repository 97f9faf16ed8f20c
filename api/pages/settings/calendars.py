"""When: terms, class hours, special days, exams, habits of switching off."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from api.pages.frame import Frame
from api.pages.queries.named import school_name
from api.pages.queries.regions import region_choices
from api.pages.settings.inputs import Input, _
from api.pages.settings.managed import Column, Managed
from api.pages.settings.words import listed, moment, optional, part, plain, span, state_word, worded
from api.resources.calendars import CLASS_HOURS, EXAMS, SPECIAL_DAYS, TERMS
from api.resources.habits import HABITS
from inventory.models import DayKind, HabitKind, HabitStatus, SchoolLevel

GROUP = _("When")
WHOLE = _("The whole province")

LEVELS = Input(
    "levels", "many", _("Levels"), _("None: all."), choices=[(one, f"level.{one}") for one in SchoolLevel], wide=True
)
WHOSE = (
    Input("region_id", "region", _("Part"), choices=region_choices, plain=True, nothing=WHOLE, on="create"),
    Input("school_id", "school", _("Or one school"), _("Name, pinyin or code."), on="create"),
)
NOTE = Input("note", "text", _("Note"), wide=True)
WEEKDAYS = [(str(day), f"weekday.{day}") for day in range(1, 8)]

TERM_PAGE = Managed(
    name="terms",
    group=GROUP,
    title=_("Terms"),
    lead=_("First and last day of each term; outside them it is a vacation."),
    add=_("Add a term"),
    empty=_("No term yet: every school day of the statutory calendar counts as one in term"),
    resource=TERMS,
    columns=(
        Column(_("Term"), plain("name"), lead=True, under=optional("note")),
        Column(_("Part"), part(WHOLE)),
        Column(_("Levels"), listed("levels", "level", _("all"))),
        Column(_("First day"), plain("first_on")),
        Column(_("Last day"), plain("last_on")),
    ),
    inputs=(
        Input("name", "text", _("field.name"), required=True),
        *WHOSE,
        Input("first_on", "day", _("First day"), required=True),
        Input("last_on", "day", _("Last day"), required=True),
        LEVELS,
        NOTE,
    ),
)

HOURS_PAGE = Managed(
    name="class-hours",
    group=GROUP,
    title=_("Class hours"),
    lead=_("The hours that uptime in class hours is counted by, and that rules may name."),
    add=_("Add class hours"),
    empty=_("No class hours yet: the built-in ones hold"),
    resource=CLASS_HOURS,
    columns=(
        Column(_("field.name"), lambda frame, row: row["name"] or frame.text("Class hours"), lead=True),
        Column(_("Part"), part(WHOLE)),
        Column(_("Levels"), listed("levels", "level", _("all"))),
        Column(_("Days"), listed("weekdays", "weekday")),
        Column(_("Hours"), listed("spans")),
    ),
    inputs=(
        Input("name", "text", _("field.name")),
        *WHOSE,
        Input("spans", "words", _("Hours"), _("Such as 08:00-11:40 14:00-17:20."), required=True),
        Input("weekdays", "many", _("Days"), choices=WEEKDAYS, wide=True),
        Input("valid_from", "day", _("From")),
        Input("valid_to", "day", _("End")),
        LEVELS,
    ),
)

SPECIAL_PAGE = Managed(
    name="special-days",
    group=GROUP,
    title=_("Special days"),
    lead=_("Days off and make-up days that stand over the statutory calendar."),
    add=_("Add a day"),
    empty=_("No special day yet: the statutory calendar holds"),
    resource=SPECIAL_DAYS,
    columns=(
        Column(_("field.name"), plain("name"), lead=True, under=optional("note")),
        Column(_("Kind"), worded("kind", "day")),
        Column(_("Part"), part(WHOLE)),
        Column(_("Levels"), listed("levels", "level", _("all"))),
        Column(_("First day"), plain("first_on")),
        Column(_("Last day"), plain("last_on")),
    ),
    inputs=(
        Input("name", "text", _("field.name"), required=True),
        Input("kind", "choice", _("Kind"), choices=[(one, f"day.{one}") for one in DayKind], required=True),
        *WHOSE,
        Input("first_on", "day", _("First day"), required=True),
        Input("last_on", "day", _("Last day"), required=True),
        Input("as_weekday", "choice", _("Class hours as on"), choices=WEEKDAYS, nothing=_("its own weekday")),
        LEVELS,
        NOTE,
    ),
)

EXAM_PAGE = Managed(
    name="exams",
    group=GROUP,
    title=_("Exams"),
    lead=_("While an exam goes on severity rises, and nothing counts as switched off."),
    add=_("Add an exam"),
    empty=_("No exam is entered"),
    resource=EXAMS,
    columns=(
        Column(_("Exam"), plain("name"), lead=True, under=optional("note")),
        Column(_("Part"), part(WHOLE)),
        Column(_("Levels"), listed("levels", "level", _("all"))),
        Column(_("From"), moment("from_at", ticking=False)),
        Column(_("End"), moment("until_at", ticking=False)),
    ),
    inputs=(
        Input("name", "text", _("field.name"), required=True),
        *WHOSE,
        Input("from_at", "moment", _("From"), required=True),
        Input("until_at", "moment", _("End"), required=True),
        LEVELS,
        NOTE,
    ),
)


def _school(frame: Frame, row: Mapping[str, Any]) -> Any:
    name = school_name(frame, row["school_id"])
    return Markup('<a href="/schools/{}">{}</a>').format(row["school_id"], name) if name else "–"


def _kept(frame: Frame, row: Mapping[str, Any]) -> str:
    if row["declared"]:
        return frame.text("declared")
    return frame.text("%(kept)s of %(chances)s times", kept=row["kept"], chances=row["chances"])


HABIT_PAGE = Managed(
    name="habits",
    group=GROUP,
    title=_("Schools that switch off"),
    lead=_("What was declared or learned from the outage log: only then is a silent school planned off, not cut off."),
    add=_("Declare a habit"),
    empty=_("No school is known to switch off: every silent school counts as cut off"),
    resource=HABITS,
    columns=(
        Column(_("When"), worded("kind", "habit"), lead=True),
        Column(_("School"), _school),
        Column(_("Off"), span("off_from", "off_until")),
        Column(_("On again by"), plain("on_by")),
        Column(_("Known from"), _kept),
        Column(_("State"), state_word("status", "habit_status", {"approved": "up", "learned": "doubtful", "rejected": "planned_off"}), under=optional("approved_by")),
    ),
    inputs=(
        Input("school_id", "school", _("School"), _("Name, pinyin or code."), required=True, on="create"),
        Input("kind", "choice", _("When"), choices=[(one, f"habit.{one}") for one in HabitKind], required=True, on="create"),
        Input("status", "choice", _("State"), choices=[(one, f"habit_status.{one}") for one in HabitStatus], required=True, on="update"),
        Input("off_from", "time", _("Switches off from"), required=True),
        Input("off_until", "time", _("Switches off until"), _("Earlier: over midnight."), required=True),
        Input("on_by", "time", _("On again by"), required=True),
        Input("valid_from", "day", _("From")),
        Input("valid_to", "day", _("End")),
        NOTE,
    ),
)  # fmt: skip
