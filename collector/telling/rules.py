"""Severity, delay, escalation times, silences: pure functions of (subject, rules, time)."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.telling.values import LEVELS, SEVERITIES, Calendar, Hush, Moment, Rule, Step, Subject, covers, rank

MORNING_STEP_S = 900.0
MORNING_MOST_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules make of a subject at a time. morning: at night it waits till the night is over."""

    severity: str
    delay_s: float
    morning: bool


def ruling_of(subject: Subject, rules: Sequence[Rule], moment: Moment) -> Ruling:
    """Each effect from the first rule that fits and names it; `raise_by` adds up. With no rule: at once, day and night."""
    severity, night = "", ""
    delay: float | None = None
    raised = 0
    for rule in rules:
        if not fits(rule, subject, moment):
            continue
        severity = severity or rule.severity
        night = night or rule.night
        delay = rule.delay_s if delay is None else delay
        raised += rule.raise_by
    level = min(len(SEVERITIES) - 1, max(0, rank(severity or subject.base) + raised))
    return Ruling(SEVERITIES[level], delay or 0.0, night == "morning")


def fits(rule: Rule, subject: Subject, moment: Moment) -> bool:
    """Whether a rule's conditions hold."""
    if rule.classes and subject.cls not in rule.classes:
        return False
    if rule.kinds and subject.kind not in rule.kinds:
        return False
    if subject.schools < rule.least_schools or subject.pupils < rule.least_pupils:
        return False
    if not covers(rule.path, subject):
        return False
    now = {"class": moment.in_class, "night": moment.night, "exam": moment.exam, "holiday": moment.holiday}
    return now.get(rule.times, True)


def base_severity(kind: str, cls: str, schools: int, pupils: int, given: str = "warning") -> str:
    """Severity before the rules, as `collector/words.py` has it on the board: by what failed, and by how many it cuts off."""
    if kind != "outage":
        return given
    if cls == "core" or schools >= 100 or pupils >= 50_000:
        return "critical"
    if cls in ("city", "county") or schools >= 5 or pupils >= 3_000:
        return "major"
    return "minor" if schools >= 1 else "warning"


def told_at(t: float, subject: Subject, morning: bool, calendar: Calendar) -> float:
    """`t`, or the end of the night in which it lies where the subject waits for the morning."""
    if not morning:
        return t
    at = t
    while calendar(subject, at).night and at < t + MORNING_MOST_S:
        at = (at // MORNING_STEP_S + 1) * MORNING_STEP_S
    return at


def level_delays(subject: Subject, severity: str, steps: Sequence[Step]) -> dict[str, float]:
    """By level, seconds from when the first are told. Of a level the steps of the nearest region count. With no step at all: the county."""
    found: dict[str, float] = {}
    for level in LEVELS:
        mine = [step for step in steps if step.level == level and covers(step.path, subject)]
        if not mine:
            continue
        nearest = max(len(step.path) for step in mine)
        delays = [step.after_s for step in mine if len(step.path) == nearest and rank(step.severity) <= rank(severity)]
        if delays:
            found[level] = min(delays)
    return found or {"county": 0.0}


def hushed_until(subject: Subject, hushes: Sequence[Hush], t: float) -> float | None:
    """When the silence over a subject ends, or its being switched off as usual; None where there is neither at `t`."""
    ends = [hush.until_t for hush in hushes if hush.from_t <= t < hush.until_t and _is_of(hush, subject)]
    if subject.planned_t is not None and subject.planned_t > t:
        ends.append(subject.planned_t)
    return max(ends) if ends else None


def _is_of(hush: Hush, subject: Subject) -> bool:
    if hush.incident:
        return hush.incident == subject.id
    if hush.node:
        return hush.node in subject.nodes
    return bool(hush.path) and covers(hush.path, subject)
