"""Who is told: outlets, rules of severity and delay, steps of escalation, people and their turns, silences."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.pages.frame import Frame
from api.pages.queries.named import choices_of
from api.pages.queries.regions import region_choices
from api.pages.queries.telling import recent_deliveries
from api.pages.settings.inputs import Input, _
from api.pages.settings.managed import Column, Managed
from api.pages.settings.roster import duty_week
from api.pages.settings.words import health, listed, moment, named, optional, part, plain, region, seconds, worded
from api.resources.outlets import OUTLETS
from api.resources.telling import CONTACTS, DUTIES, ESCALATION_STEPS, NOTICE_RULES
from inventory.models import Contact, Outlet, OutletKind
from inventory.models.telling import INCIDENT_CLASSES, SEVERITIES, TELL_LEVELS, TIMES

GROUP = _("Who is told")
WHOLE = _("The whole province")

SEVERITY_CHOICES = [(one, f"severity.{one}") for one in reversed(SEVERITIES)]
KIND_CHOICES = [
    ("outage", "incident.down"),
    ("degraded", "incident.degraded"),
    ("agent_silent", "incident.agent_silent"),
]
PART = Input("region_id", "region", _("Part"), choices=region_choices, plain=True, nothing=WHOLE)

_URL = Input(
    "config.url", "secret", _("Address"), _("The whole address with its key; it is sealed and never shown again.")
)
_SIGN = Input("config.secret", "secret", _("Key of the signature"), _("Empty: not signed."))
_TO = Input("config.to", "words", _("Fixed recipients"), _("Besides those on duty, separated by spaces."), wide=True)
CONFIGS: Mapping[str, tuple[str, Sequence[Input]]] = {
    OutletKind.wecom: (_("A robot in a WeCom group; the message fits its 2,048 bytes."), (_URL,)),
    OutletKind.dingtalk: (_("A robot in a DingTalk group, signed where it asks for it."), (_URL, _SIGN)),
    OutletKind.feishu: (_("A robot in a Feishu group, signed where it asks for it."), (_URL, _SIGN)),
    OutletKind.mail: (
        _("A mail server of your own; to fixed addresses and to those on duty."),
        (
            Input("config.host", "text", _("Server")),
            Input("config.port", "number", _("Port"), initial="587"),
            Input("config.tls", "choice", _("Encryption"), choices=(
                ("starttls", "tls.starttls"), ("tls", "tls.tls"), ("none", "tls.none")), required=True),
            Input("config.user", "text", _("User")),
            Input("config.password", "secret", _("Password")),
            Input("config.sender", "text", _("Sender")),
            _TO,
        ),
    ),
    OutletKind.sms: (
        _("An SMS gateway over HTTP: works where the internet does not, if the gateway is inside."),
        (
            _URL,
            Input("config.method", "choice", _("Method"), choices=(("POST", "POST"), ("GET", "GET")), plain=True, required=True),
            Input("config.content_type", "choice", _("Content type"), plain=True, required=True, choices=tuple(
                (one, one) for one in ("application/json", "application/x-www-form-urlencoded", "text/plain"))),
            Input("config.headers", "pairs", _("Headers"), _("A line each, name: value; they are sealed.")),
            Input("config.body", "area", _("Body"), _("{phone} and {text} stand for the two."),
                  initial='{"phone": "{phone}", "text": "{text}"}'),
            Input("config.ok", "text", _("Taken where the answer holds"), _("A pattern; empty: any success by HTTP.")),
            _TO,
        ),
    ),
    OutletKind.webhook: (_("JSON by POST to a system of your own, signed."), (_URL, _SIGN)),
    OutletKind.apprise: (_("Whatever else Apprise reaches, by its address."), (_URL,)),
    OutletKind.alertmanager: (_("An Alertmanager that routes further; it is kept in step."), (_URL,)),
}  # fmt: skip
"""By kind: what it is for, and what it needs to know."""


def _inputs_of(kind: str) -> Sequence[Input]:
    return CONFIGS[kind][1] if kind in CONFIGS else ()


def _kinds(frame: Frame) -> Sequence[tuple[str, str, str]]:
    return [(kind, f"outlet.{kind}", lead) for kind, (lead, _inputs) in CONFIGS.items()]


def _kind_and_target(frame: Frame, row: Mapping[str, Any]) -> str:
    kind = row["kind"]
    return " · ".join(part for part in (frame.text(f"outlet.{kind}"), row["target"]) if part)


def _others(frame: Frame) -> list[tuple[str, str]]:
    return choices_of(frame, Outlet)


def _people(frame: Frame) -> list[tuple[str, str]]:
    return choices_of(frame, Contact)


OUTLET_PAGE = Managed(
    name="outlets",
    group=GROUP,
    title=_("Ways out"),
    lead=_("Robots, mail, SMS and others that carry notices; another takes over where one fails."),
    add=_("Add a way out"),
    empty=_("No way out yet: incidents stand on the board, but nobody is told"),
    resource=OUTLETS,
    columns=(
        Column(_("field.name"), plain("name"), lead=True, under=lambda frame, row: _kind_and_target(frame, row)),
        Column(_("Health"), health),
        Column(_("Part"), region(nothing=WHOLE)),
        Column(_("From severity"), worded("least_severity", "severity")),
        Column(_("Takes over"), named("fallback_id", Outlet)),
        Column(_("Sign of life"), plain("alive_at")),
    ),
    inputs=(
        Input("kind", "choice", _("Kind"), choices=[(kind, f"outlet.{kind}") for kind in CONFIGS], required=True, on="create"),
        Input("name", "text", _("field.name"), required=True),
        PART,
        Input("least_severity", "choice", _("From severity"), choices=SEVERITY_CHOICES, required=True, initial="warning"),
        Input("kinds", "many", _("Kinds of incidents"), _("None: all."), choices=KIND_CHOICES),
        Input("language", "choice", _("Language"), choices=(("zh", "language.zh"), ("en", "language.en")), required=True),
        Input("fallback_id", "choice", _("Takes over when it fails"), choices=_others, plain=True, nothing=_("none")),
        Input("alive_at", "text", _("Daily sign of life at"), _("HH:MM; empty: none.")),
        Input("per_minute", "number", _("Most messages a minute"), initial="20"),
        Input("roster", "check", _("To those on duty"), _("Mail and SMS.")),
        Input("enabled", "check", _("In use"), initial="1"),
        Input("note", "text", _("Note"), wide=True),
    ),
    order="name",
    switch="enabled",
    variants=_inputs_of,
    choose=_kinds,
    side="settings_outlet.html",
    row_context=lambda frame, row: {"deliveries": recent_deliveries(frame, row["id"])},
)  # fmt: skip

NOTICE_RULE_PAGE = Managed(
    name="notice-rules",
    group=GROUP,
    title=_("Severity and delay"),
    lead=_("What is told at once, what may wait some minutes, and what waits for the morning."),
    add=_("Add a rule"),
    empty=_("No rule yet: every incident is told at once with the severity that the judge gave it"),
    resource=NOTICE_RULES,
    columns=(
        Column(_("Order"), plain("position"), num=True),
        Column(_("Rule"), plain("name"), lead=True, under=optional("note")),
        Column(_("What failed"), listed("classes", "class", _("everything"))),
        Column(_("Times"), worded("times", "times")),
        Column(_("Severity"), lambda frame, row: _severity(frame, row)),
        Column(_("Delay"), seconds("delay_s"), under=worded("night", "night")),
    ),
    inputs=(
        Input("name", "text", _("field.name"), required=True),
        Input("position", "number", _("Order"), _("Lower ones come first; each effect comes from the first rule that fits."), initial="100"),
        Input("classes", "many", _("What failed"), _("None: everything."), choices=[(one, f"class.{one}") for one in INCIDENT_CLASSES], wide=True),
        Input("kinds", "many", _("Kinds of incidents"), _("None: all."), choices=KIND_CHOICES, wide=True),
        Input("times", "choice", _("Times"), choices=[(one, f"times.{one}") for one in TIMES], required=True, initial="any"),
        PART,
        Input("least_schools", "number", _("At least this many schools"), initial="0"),
        Input("least_pupils", "number", _("At least this many pupils"), initial="0"),
        Input("severity", "choice", _("Severity becomes"), choices=SEVERITY_CHOICES),
        Input("raise_by", "number", _("Or is raised by"), _("Steps; -1 lowers it by one."), initial="0"),
        Input("delay_s", "number", _("Told after"), _("From its beginning; empty: as other rules say."), unit=_("seconds")),
        Input("night", "choice", _("At night"), choices=(("at_once", "night.at_once"), ("morning", "night.morning"))),
        Input("enabled", "check", _("In use"), initial="1"),
        Input("note", "text", _("Note"), wide=True),
    ),
    order="position",
    switch="enabled",
    mark=lambda row: "" if row["enabled"] else "off",
)  # fmt: skip


def _severity(frame: Frame, row: Mapping[str, Any]) -> str:
    severity = row["severity"]
    said = [frame.text(f"severity.{severity}")] if severity else []
    if row["raise_by"]:
        said.append(f"{row['raise_by']:+d}")
    return " ".join(said) or frame.text("as it is")


ESCALATION_PAGE = Managed(
    name="escalation",
    group=GROUP,
    title=_("Escalation"),
    lead=_("Who is told next when nobody has acknowledged: school, county, city, province."),
    add=_("Add a step"),
    empty=_("No step yet: every level is told at once"),
    resource=ESCALATION_STEPS,
    columns=(
        Column(_("Reaches"), worded("level", "tell"), lead=True),
        Column(_("From severity"), worded("severity", "severity")),
        Column(_("After"), lambda frame, row: frame.clock.duration(row["after_minutes"] * 60) if row["after_minutes"] else frame.text("at once")),
        Column(_("Part"), region(nothing=WHOLE)),
    ),
    inputs=(
        Input("level", "choice", _("Reaches"), choices=[(one, f"tell.{one}") for one in TELL_LEVELS], required=True),
        Input("severity", "choice", _("From severity"), choices=SEVERITY_CHOICES, required=True, initial="warning"),
        Input("after_minutes", "number", _("After"), _("Without an acknowledgement; 0: at once."), unit=_("minutes"), initial="0"),
        Input("region_id", "region", _("Part"), _("The steps of the nearest region count."), choices=region_choices, plain=True, nothing=WHOLE),
        Input("enabled", "check", _("In use"), initial="1"),
    ),
    order="after_minutes",
    switch="enabled",
    mark=lambda row: "" if row["enabled"] else "off",
)  # fmt: skip

CONTACT_PAGE = Managed(
    name="contacts",
    group=GROUP,
    title=_("People"),
    lead=_("Who may be on duty, and how they are reached."),
    add=_("Add a person"),
    empty=_("Nobody is entered yet"),
    resource=CONTACTS,
    columns=(
        Column(_("field.name"), plain("name"), lead=True, under=optional("note")),
        Column(_("Part"), part(WHOLE)),
        Column(_("Phone"), plain("phone")),
        Column(_("Mail"), plain("mail")),
    ),
    inputs=(
        Input("name", "text", _("field.name"), required=True),
        Input("phone", "text", _("Phone"), _("For calls and SMS.")),
        Input("mail", "text", _("Mail")),
        PART,
        Input("school_id", "school", _("Or one school"), _("Name, pinyin or code.")),
        Input("note", "text", _("Note"), wide=True),
    ),
    order="name",
)

DUTY_PAGE = Managed(
    name="roster",
    group=GROUP,
    title=_("Duty roster"),
    lead=_("Who is on duty for which part, week by week."),
    add=_("Add a turn"),
    empty=_("Nobody has a turn yet"),
    resource=DUTIES,
    columns=(
        Column(_("Who"), named("contact_id", Contact), lead=True, under=optional("note")),
        Column(_("Part"), part(WHOLE)),
        Column(_("From"), moment("from_at", ticking=False)),
        Column(_("End"), moment("until_at", ticking=False)),
        Column(_("Repeats"), lambda frame, row: frame.text("every week") if row["weekly"] else frame.text("once")),
        Column(_("Called"), lambda frame, row: frame.text("first") if row["position"] == 1 else frame.text("stands by")),
    ),
    inputs=(
        Input("contact_id", "choice", _("Who"), choices=_people, plain=True, required=True),
        PART,
        Input("school_id", "school", _("Or one school"), _("Name, pinyin or code.")),
        Input("from_at", "moment", _("From"), required=True),
        Input("until_at", "moment", _("End"), required=True),
        Input("weekly", "check", _("Comes again every week")),
        Input("last_at", "moment", _("Last time before"), _("Empty: for ever.")),
        Input("position", "number", _("Called as number"), _("1 is called first, 2 stands by."), initial="1"),
        Input("note", "text", _("Note"), wide=True),
    ),
    order="from_at",
    extra="settings_roster.html",
    context=lambda frame, rows: {"week": duty_week(frame, rows)},
)  # fmt: skip
