"""All pages of settings, a row each, in the order in which the page of all settings shows them."""

from api.pages.settings import calendars, judging, screens, telling, vantages
from api.pages.settings.managed import Managed

PAGES: tuple[Managed, ...] = (
    telling.OUTLET_PAGE,
    telling.NOTICE_RULE_PAGE,
    telling.ESCALATION_PAGE,
    telling.DUTY_PAGE,
    telling.CONTACT_PAGE,
    calendars.TERM_PAGE,
    calendars.HOURS_PAGE,
    calendars.SPECIAL_PAGE,
    calendars.EXAM_PAGE,
    calendars.HABIT_PAGE,
    judging.DEGRADED_PAGE,
    judging.CAUSE_PAGE,
    judging.ASKING_PAGE,
    vantages.VANTAGE_PAGE,
    screens.WALL_LINKS,
)
"""All of them."""

GROUPS: tuple[str, ...] = (telling.GROUP, calendars.GROUP, judging.GROUP, screens.GROUP)
"""Headings of the page of all settings, in order."""
