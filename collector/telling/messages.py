"""What is said, in Chinese and English: one message from many things, within a limit, that suffices without its link. Pure.

Counts, the largest ones, a link; an update names its incident's number and 更正 (Correction). The Chinese of each text is in the catalogue (`texts.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Literal

from collector.telling.texts import Language, say
from collector.telling.values import Item, Subject, rank

LARGEST = 5
"""Incidents that a robot's message lists; the rest is counted."""

KINDS = {"outage": "down", "agent_silent": "SNMP silent", "degraded": "degraded"}
"""What an incident's kind is called; severities are called by their own names."""

CAUSES = {
    "line": "line",
    "power": "power",
    "upstream": "upstream network",
    "device": "device",
    "school": "switched off by the school",
    "planned": "planned work",
    "agent": "SNMP agent",
}
"""What a cause is called."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much a kind of outlet takes. unit: bytes of UTF-8, or characters. listed: incidents named in one message."""

    most: int = 100_000
    unit: Literal["bytes", "characters"] = "characters"
    listed: int = LARGEST
    terse: bool = False
    """One line an incident, no link: an SMS."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds the incidents. calls: {incident: whom to call}; duty: who is on; lost_since and way: of a path that was lost.

    zero: the epoch's seconds of t = 0, of a trace.
    """

    language: Language
    zone: tzinfo = UTC
    page_url: str = ""
    calls: Mapping[int, str] = field(default_factory=dict)
    duty: str = ""
    way: str = ""
    lost_since: float | None = None
    detour: bool = False
    zero: float = 0.0


def size_of(text: str, unit: str) -> int:
    """Length in a limit's unit."""
    return len(text.encode()) if unit == "bytes" else len(text)


def write(items: Sequence[Item], frame: Frame, limit: Limit, now: float) -> str:
    """One message for all items, never longer than the limit."""
    stories = stories_of(items)
    head = _path_line(frame, now)
    tail = [] if limit.terse else _tail(stories, frame)
    for listed in range(min(limit.listed, len(stories)), -1, -1):
        body = _body(stories, listed, frame, limit, now)
        text = "\n".join([*head, *body, *tail])
        if size_of(text, limit.unit) <= limit.most:
            return text
    return cut("\n".join([*head, *_body(stories, 0, frame, limit, now)]), limit)


def cut(text: str, limit: Limit) -> str:
    """`text`, or its beginning with an ellipsis, within the limit; no character is broken."""
    if size_of(text, limit.unit) <= limit.most:
        return text
    if limit.unit == "characters":
        return text[: limit.most - 1] + "…"
    return text.encode()[: limit.most - 3].decode(errors="ignore") + "…"


@dataclass(slots=True)
class Story:
    """All that a message says of one incident. event: the last word; came_and_went: it began and ended unsaid."""

    subject: Subject
    event: str
    level: str = ""
    came_and_went: bool = False


def stories_of(items: Sequence[Item]) -> list[Story]:
    """One for each incident, what goes on before what is over, the largest first."""
    by_incident: dict[tuple[int, int], list[Item]] = {}
    for item in items:
        by_incident.setdefault((item.subject.id, item.opening), []).append(item)
    last: dict[int, Story] = {}
    for (number, _), mine in by_incident.items():
        events = [item.event for item in mine]
        over = "resolved" in events
        begun = any(event in ("opened", "reopened", "escalated") for event in events)
        event = "resolved" if over else next((one for one in events if one in _BEGINNINGS), events[-1])
        last[number] = Story(mine[-1].subject, event, mine[-1].level, over and begun)
    return sorted(last.values(), key=_largest)


_BEGINNINGS = ("opened", "reopened", "escalated")


def _largest(story: Story) -> tuple[bool, int, int, int, int, int]:
    subject = story.subject
    return (
        story.event == "resolved",
        -rank(subject.severity),
        -subject.pupils,
        -subject.schools,
        -subject.affected,
        subject.id,
    )


# -- lines -------------------------------------------------------------------------------------------------------------


def _body(stories: Sequence[Story], listed: int, frame: Frame, limit: Limit, now: float) -> list[str]:
    if len(stories) == 1 and listed:
        return _terse(stories[0], frame, now) if limit.terse else _single(stories[0], frame, now)
    lines = [_counts(stories, frame.language)]
    lines += [_line(story, frame, now) for story in stories[:listed]]
    if listed < len(stories):
        lines.append(say("and {more} more", frame.language, more=len(stories) - listed))
    return lines


def _single(story: Story, frame: Frame, now: float) -> list[str]:
    subject, language = story.subject, frame.language
    lines = [f"{_mark(story, language)}{_name(subject)} #{subject.id}", _times(story, frame, now)]
    if subject.kind == "outage":
        lines.append(say(_CUT_OFF[story.event == "resolved"], language, **_figures(subject)))
    if subject.cause != "undetermined":
        cause = say(CAUSES.get(subject.cause, subject.cause), language)
        lines.append(say("Cause: {cause}", language, cause=cause))
    elif subject.possible and story.event != "resolved":
        names = say(", ", language, "names").join(subject.possible[:3])
        lines.append(say("It may as well be: {names}", language, names=names))
    call = _call(story, frame)
    if call:
        lines.append(say("Call: {contact}", language, contact=call))
    if subject.merged_into is not None:
        lines.append(say("Now part of #{incident}", language, incident=subject.merged_into))
    return lines


def _terse(story: Story, frame: Frame, now: float) -> list[str]:
    subject, language = story.subject, frame.language
    said = (
        f"{_mark(story, language)}{_name(subject)}#{subject.id}"
        + say(", ", language, "clauses")
        + _times(story, frame, now)
    )
    if subject.schools:
        said += say(", {schools} schools, {pupils} pupils", language, "SMS", **_figures(subject))
    call = _call(story, frame)
    return [said + say(", call {contact}", language, contact=call) if call else said]


def _line(story: Story, frame: Frame, now: float) -> str:
    subject, language = story.subject, frame.language
    said = f"{_mark(story, language)}{_name(subject)} #{subject.id}"
    if subject.schools:
        said += say(", {schools} schools, {pupils} pupils", language, **_figures(subject))
    return said + say(", ", language, "clauses") + _times(story, frame, now)


def _call(story: Story, frame: Frame) -> str:
    """Whom to call; empty where it is over."""
    return "" if story.event == "resolved" else frame.calls.get(story.subject.id, "")


_CUT_OFF = (
    "Cut off: {schools} schools, {pupils} pupils, {devices} devices",
    "Were cut off: {schools} schools, {pupils} pupils, {devices} devices",
)


def _figures(subject: Subject) -> dict[str, int]:
    return {"schools": subject.schools, "pupils": subject.pupils, "devices": subject.affected}


def _mark(story: Story, language: Language) -> str:
    """What kind of word it is: 【断网·严重】, 【更正】, 【恢复】."""
    subject = story.subject
    if story.event == "resolved":
        return say("[Resolved] " if subject.merged_into is None else "[Merged] ", language)
    words = {
        "kind": say(KINDS.get(subject.kind, subject.kind), language),
        "severity": say(subject.severity, language),
        "flapping": say(", flapping", language) if subject.flapping else "",
    }
    return say(_MARKS.get(story.event, "[{kind}, {severity}{flapping}] "), language, **words)


_MARKS = {
    "updated": "[Correction: {kind}{flapping}] ",
    "lapsed": "[Promise lapsed: {kind}{flapping}] ",
    "reopened": "[again {kind}, {severity}{flapping}] ",
    "escalated": "[Escalated: {kind}, {severity}{flapping}] ",
}


def _times(story: Story, frame: Frame, now: float) -> str:
    subject, language = story.subject, frame.language
    over = story.event == "resolved"
    until = subject.until_t if over and subject.until_t is not None else now
    words = {"since": _clock(subject.from_t, now, frame), "span": length(until - subject.from_t, language)}
    return say("since {since}, lasted {span}" if over else "since {since} ({span})", language, **words)


_COUNTS: tuple[tuple[str, Callable[[Story], bool]], ...] = (
    ("{count} new", lambda one: one.event in _BEGINNINGS),
    ("{count} corrected", lambda one: one.event in ("updated", "lapsed")),
    ("{count} resolved", lambda one: one.event == "resolved" and not one.came_and_went),
    ("{count} came and went", lambda one: one.came_and_went),
)


def _counts(stories: Sequence[Story], language: Language) -> str:
    counted = [(text, sum(map(test, stories))) for text, test in _COUNTS]
    parts = [say(text, language, count=count) for text, count in counted if count]
    going = [one.subject for one in stories if one.event != "resolved"]
    schools, pupils = sum(one.schools for one in going), sum(one.pupils for one in going)
    said = say("[Summary] ", language) + say(", ", language, "names").join(parts)
    if schools:
        said += say("; {schools} schools, {pupils} pupils cut off", language, schools=schools, pupils=pupils)
    return said


def _path_line(frame: Frame, now: float) -> list[str]:
    if frame.lost_since is None:
        return []
    words = {"way": frame.way, "since": _clock(frame.lost_since, now, frame)}
    if frame.detour:
        return [say("(second path: {way!r} has failed since {since})", frame.language, **words)]
    return [say("(path {way!r} is back; it was lost since {since}: what happened meanwhile)", frame.language, **words)]


def _tail(stories: Sequence[Story], frame: Frame) -> list[str]:
    lines = []
    if frame.duty and any(story.event != "resolved" for story in stories):
        lines.append(say("On duty: {names}", frame.language, names=frame.duty))
    if frame.page_url:
        base = frame.page_url.rstrip("/")
        lines.append(f"{base}/incidents/{stories[0].subject.id}" if len(stories) == 1 else f"{base}/incidents")
    return lines


def _name(subject: Subject) -> str:
    """What failed, and where: the region before a name that does not say it."""
    name = (subject.name or subject.root or "?")[:80]
    return name if not subject.region or subject.region in name else f"{subject.region[:40]} {name}"


def _clock(t: float, now: float, frame: Frame) -> str:
    at, today = (datetime.fromtimestamp(one + frame.zero, frame.zone) for one in (t, now))
    return at.strftime("%H:%M" if at.date() == today.date() else "%m-%d %H:%M")


def length(seconds: float, language: Language) -> str:
    """A length of time in words: its two greatest units."""
    minutes = max(0, int(seconds // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    said = [say(text, language, number=n) for n, text in zip((days, hours, minutes), _UNITS, strict=True) if n][:2]
    return " ".join(said) or say("less than 1 min", language)


_UNITS = ("{number} d", "{number} h", "{number} min")


def alive_text(schools: int, open_incidents: int, language: Language) -> str:
    """The daily sign of life."""
    return say(
        "[Alive] edunet lives: {schools} schools, {incidents} open", language, schools=schools, incidents=open_incidents
    )


def test_text(name: str, by: str, language: Language) -> str:
    """What the test button sends."""
    return say(
        "[Test] edunet sends this through {name!r} as a test ({by}); nothing need be done", language, name=name, by=by
    )
