"""What counts: rules of degradation, causes that may hold somebody to account, how devices are asked."""

from collections.abc import Mapping
from typing import Any

from api.pages.frame import Frame
from api.pages.queries.regions import region_choices
from api.pages.settings.inputs import Input, _
from api.pages.settings.managed import Column, Managed
from api.pages.settings.words import moment, optional, plain, region, worded
from api.resources.asking import ASKING
from api.resources.causes import CAUSE_RULES
from api.resources.degraded_rules import DEGRADED_RULES
from inventory.causes import RULES, accountable_name, cause_name
from inventory.measures import BY_MEASURE, MEASURES
from inventory.models import DeviceKind, Measure, SchoolLevel
from inventory.words import say

GROUP = _("What counts")
WHOLE = _("The whole province")


def _measures(frame: Frame) -> list[tuple[str, str]]:
    chinese = frame.locale == "zh"
    return [
        (str(row.measure), (row.name_zh if chinese else row.name_en) + (f" ({row.unit})" if row.unit else ""))
        for row in MEASURES
    ]


def _name(frame: Frame, row: Mapping[str, Any]) -> str:
    return str((row["name_en"] if frame.locale == "en" else "") or row["name_zh"])


def _threshold(frame: Frame, row: Mapping[str, Any]) -> str:
    unit = BY_MEASURE[Measure(row["measure"])].unit
    more = row["raise_at"] > row["clear_at"]
    raised = f"{'≥' if more else '≤'} {row['raise_at']:g} {unit}".strip()
    cleared = f"{'≤' if more else '≥'} {row['clear_at']:g} {unit}".strip()
    return f"{raised} → {cleared}"


def _times(frame: Frame, row: Mapping[str, Any]) -> str:
    return f"{frame.clock.duration(row['raise_after_s'])} → {frame.clock.duration(row['clear_after_s'])}"


def _whom(frame: Frame, row: Mapping[str, Any]) -> str:
    parts = [frame.text(f"kind.{one}") for one in row["kinds"]] + [frame.text(f"level.{one}") for one in row["levels"]]
    parts += [row[name] for name in ("vendor", "model", "operator") if row[name]]
    return ("、" if frame.locale == "zh" else ", ").join(parts) or frame.text("everything")


DEGRADED_PAGE = Managed(
    name="degraded-rules",
    group=GROUP,
    title=_("Rules of degradation"),
    lead=_("From where on something works badly, and when it is good again."),
    add=_("Add a rule"),
    empty=_("No rule: nothing counts as degraded"),
    resource=DEGRADED_RULES,
    columns=(
        Column(_("Rule"), _name, lead=True, under=lambda frame, row: dict(_measures(frame)).get(row["measure"], "")),
        Column(_("Raised, cleared at"), _threshold, under=_times),
        Column(_("Of whom"), _whom),
        Column(_("Part"), region(nothing=WHOLE)),
        Column(_("Severity"), worded("severity", "severity")),
    ),
    inputs=(
        Input("name_zh", "text", _("Name in Chinese"), required=True),
        Input("name_en", "text", _("Name in English")),
        Input("measure", "choice", _("Measure"), choices=_measures, plain=True, required=True, on="create"),
        Input("severity", "choice", _("Severity"), choices=[(one, f"severity.{one}") for one in ("critical", "major", "minor", "warning")], required=True, initial="warning"),
        Input("raise_at", "number", _("Raised at"), _("From here on; where it is below the other, less is worse."), required=True),
        Input("clear_at", "number", _("Cleared at"), required=True),
        Input("raise_after_s", "number", _("Raised after"), unit=_("seconds"), initial="120"),
        Input("clear_after_s", "number", _("Cleared after"), unit=_("seconds"), initial="300"),
        Input("raise_rounds", "number", _("Raised after readings"), initial="2"),
        Input("clear_rounds", "number", _("Cleared after readings"), initial="2"),
        Input("during", "choice", _("Times"), choices=(("always", "during.always"), ("in_class", "during.in_class")), required=True, initial="always"),
        Input("at_least", "number", _("Devices at least"), _("Of shares: schools with fewer do not count."), initial="1"),
        Input("region_id", "region", _("Part"), choices=region_choices, plain=True, nothing=WHOLE),
        Input("vendor", "text", _("Vendor"), _("With * and ?; empty: any.")),
        Input("model", "text", _("Model"), _("With * and ?; empty: any.")),
        Input("operator", "text", _("Carrier"), _("With * and ?; empty: any.")),
        Input("kinds", "many", _("Kinds of devices"), _("None: all."), choices=[(one, f"kind.{one}") for one in DeviceKind], wide=True),
        Input("levels", "many", _("Levels"), _("None: all."), choices=[(one, f"level.{one}") for one in SchoolLevel], wide=True),
        Input("enabled", "check", _("In use"), initial="1"),
        Input("note", "text", _("Note"), wide=True),
    ),
    order="measure",
    switch="enabled",
    mark=lambda row: "" if row["enabled"] else "off",
)  # fmt: skip


def _conclusion(frame: Frame, row: Mapping[str, Any]) -> str:
    return say(RULES.get(row["name"], row["name"]), "zh" if frame.locale == "zh" else "en")


def _cause(frame: Frame, row: Mapping[str, Any]) -> str:
    return cause_name(row["cause"], "zh" if frame.locale == "zh" else "en")


def _accountable(frame: Frame, row: Mapping[str, Any]) -> str:
    return accountable_name(row["accountable"], "zh" if frame.locale == "zh" else "en")


CAUSE_PAGE = Managed(
    name="cause-rules",
    group=GROUP,
    title=_("Causes and accountability"),
    lead=_("Conclusions are always shown with their evidence; nobody is held to account by one until it is approved here."),
    add="",
    empty=_("No conclusion is known"),
    resource=CAUSE_RULES,
    columns=(
        Column(_("Conclusion"), _conclusion, lead=True, under=optional("note")),
        Column(_("Cause"), _cause),
        Column(_("Accountable once approved"), _accountable),
        Column(_("Approved by"), plain("approved_by"), under=moment("approved_at", ticking=False, nothing="")),
    ),
    inputs=(
        Input("approved", "check", _("Approved"), _("From now on its conclusions count against whom it names.")),
        Input("note", "text", _("By which agreement"), wide=True),
    ),
    switch="approved",
)  # fmt: skip

ASKING_PAGE = Managed(
    name="asking",
    group=GROUP,
    title=_("How devices are asked"),
    lead=_("Gentler or sparser, for models that cannot bear the ordinary way."),
    add=_("Add a rule"),
    empty=_("No rule: every device is asked in the ordinary way"),
    resource=ASKING,
    columns=(
        Column(_("Order"), plain("position"), num=True),
        Column(_("Rule"), plain("name"), lead=True, under=optional("note")),
        Column(_("Vendor"), plain("vendor")),
        Column(_("Model"), plain("model")),
        Column(_("Pause (ms)"), plain("pause_ms"), num=True),
        Column(_("Columns left out"), plain("columns_off")),
    ),
    inputs=(
        Input("name", "text", _("field.name"), required=True),
        Input("position", "number", _("Order"), _("Lower ones come first."), initial="100"),
        Input("vendor", "text", _("Vendor"), _("With * and ?; empty: any."), initial="*"),
        Input("model", "text", _("Model"), _("With * and ?; empty: any."), initial="*"),
        Input("sys_object_id", "text", _("sysObjectID begins with")),
        Input("pause_ms", "number", _("Pause between requests"), unit="ms"),
        Input("max_bindings", "number", _("Most values in an answer")),
        Input("max_repetitions", "number", _("Most rows in an answer")),
        Input("every_rounds", "number", _("Only in every so many rounds")),
        Input("columns_off", "text", _("Columns left out"), _("Names of IF-MIB, separated by commas."), wide=True),
        Input("enabled", "check", _("In use"), initial="1"),
        Input("note", "text", _("Note"), wide=True),
    ),
    order="position",
    switch="enabled",
    mark=lambda row: "" if row["enabled"] else "off",
)  # fmt: skip
