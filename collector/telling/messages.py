"""What is said, in Chinese and English: one message from many things, within a limit, that suffices without its link. Pure.

Counts, the largest ones, a link; an update names its incident's number and 更正 (Correction).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Literal

from collector.telling.values import Item, Subject, rank

Language = Literal["zh", "en"]

LARGEST = 5
"""Incidents that a robot's message lists; the rest is counted."""

SEVERITY = {
    "critical": ("特别严重", "critical"),
    "major": ("严重", "major"),
    "minor": ("一般", "minor"),
    "warning": ("提示", "warning"),
}
KINDS = {"outage": ("断网", "down"), "agent_silent": ("SNMP 无应答", "SNMP silent"), "degraded": ("劣化", "degraded")}
CAUSES = {
    "line": ("线路", "line"),
    "power": ("停电", "power"),
    "upstream": ("上级网络", "upstream network"),
    "device": ("设备", "device"),
    "school": ("学校自行关机", "switched off by the school"),
    "planned": ("计划作业", "planned work"),
    "agent": ("SNMP 代理", "SNMP agent"),
}


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
        more = len(stories) - listed
        lines.append(f"另有 {more} 起" if frame.language == "zh" else f"and {more} more")
    return lines


def _single(story: Story, frame: Frame, now: float) -> list[str]:
    subject, zh = story.subject, frame.language == "zh"
    lines = [f"{_mark(story, frame.language)}{_name(subject)} #{subject.id}", _times(story, frame, now)]
    if subject.kind == "outage":
        lines.append(_figures(subject, zh))
    if subject.cause != "undetermined":
        cause = CAUSES.get(subject.cause, (subject.cause, subject.cause))[0 if zh else 1]
        lines.append(f"原因：{cause}" if zh else f"Cause: {cause}")
    elif subject.possible and story.event != "resolved":
        names = ("、" if zh else ", ").join(subject.possible[:3])
        lines.append(f"也可能是：{names}" if zh else f"It may as well be: {names}")
    call = frame.calls.get(subject.id, "")
    if call and story.event != "resolved":
        lines.append(f"请联系：{call}" if zh else f"Call: {call}")
    if subject.merged_into is not None:
        lines.append(f"已并入事件 #{subject.merged_into}" if zh else f"Now part of #{subject.merged_into}")
    return lines


def _terse(story: Story, frame: Frame, now: float) -> list[str]:
    subject, zh = story.subject, frame.language == "zh"
    said = (
        f"{_mark(story, frame.language)}{_name(subject)}#{subject.id}"
        + ("，" if zh else ", ")
        + _times(story, frame, now)
    )
    if subject.schools:
        said += (
            f"，学校 {subject.schools} 所学生 {subject.pupils} 人"
            if zh
            else f", {subject.schools} schools, {subject.pupils} pupils"
        )
    call = frame.calls.get(subject.id, "")
    if call and story.event != "resolved":
        said += f"，联系{call}" if zh else f", call {call}"
    return [said]


def _line(story: Story, frame: Frame, now: float) -> str:
    subject, zh = story.subject, frame.language == "zh"
    said = f"{_mark(story, frame.language)}{_name(subject)} #{subject.id}"
    if subject.schools:
        said += (
            f"，学校 {subject.schools} 所、学生 {subject.pupils} 人"
            if zh
            else f", {subject.schools} schools, {subject.pupils} pupils"
        )
    return said + ("，" if zh else ", ") + _times(story, frame, now)


def _mark(story: Story, language: Language) -> str:
    """What kind of word it is: 【断网·严重】, 【更正】, 【恢复】."""
    zh, subject = language == "zh", story.subject
    kind = KINDS.get(subject.kind, (subject.kind, subject.kind))[0 if zh else 1]
    severity = SEVERITY.get(subject.severity, (subject.severity, subject.severity))[0 if zh else 1]
    flap = ("·反复抖动" if zh else ", flapping") if subject.flapping and story.event != "resolved" else ""
    if story.event == "resolved":
        what = "已并入" if subject.merged_into is not None else "恢复"
        english = "Merged" if subject.merged_into is not None else "Resolved"
        return f"【{what}】" if zh else f"[{english}] "
    if story.event in ("updated", "lapsed"):
        what = "更正" if story.event == "updated" else "承诺时间已过"
        english = "Correction" if story.event == "updated" else "Promise lapsed"
        return f"【{what}·{kind}{flap}】" if zh else f"[{english}: {kind}{flap}] "
    again = {"reopened": ("再次", "again "), "escalated": ("升级·", "Escalated: ")}.get(story.event, ("", ""))
    return f"【{again[0]}{kind}·{severity}{flap}】" if zh else f"[{again[1]}{kind}, {severity}{flap}] "


def _times(story: Story, frame: Frame, now: float) -> str:
    subject, zh = story.subject, frame.language == "zh"
    until = subject.until_t if story.event == "resolved" and subject.until_t is not None else now
    since, span = _clock(subject.from_t, now, frame), length(until - subject.from_t, frame.language)
    if story.event == "resolved":
        return f"{since} 起，历时 {span}" if zh else f"since {since}, lasted {span}"
    return f"自 {since} 起（{span}）" if zh else f"since {since} ({span})"


def _figures(subject: Subject, zh: bool) -> str:
    return (
        f"影响学校 {subject.schools} 所、学生 {subject.pupils} 人、设备 {subject.affected} 台"
        if zh
        else f"Cut off: {subject.schools} schools, {subject.pupils} pupils, {subject.affected} devices"
    )


def _counts(stories: Sequence[Story], language: Language) -> str:
    zh = language == "zh"
    tests: list[tuple[Callable[[Story], bool], str, str]] = [
        (lambda one: one.event in _BEGINNINGS, "新增 {} 起", "{} new"),
        (lambda one: one.event in ("updated", "lapsed"), "更正 {} 起", "{} corrected"),
        (lambda one: one.event == "resolved" and not one.came_and_went, "恢复 {} 起", "{} resolved"),
        (lambda one: one.came_and_went, "其间发生并已恢复 {} 起", "{} came and went"),
    ]
    parts = []
    for test, chinese, english in tests:
        count = sum(map(test, stories))
        if count:
            parts.append((chinese if zh else english).format(count))
    going = [one.subject for one in stories if one.event != "resolved"]
    schools, pupils = sum(one.schools for one in going), sum(one.pupils for one in going)
    said = ("、" if zh else ", ").join(parts)
    if schools:
        said += (
            f"；共影响学校 {schools} 所、学生 {pupils} 人" if zh else f"; {schools} schools, {pupils} pupils cut off"
        )
    return ("【汇总】" if zh else "[Summary] ") + said


def _path_line(frame: Frame, now: float) -> list[str]:
    if frame.lost_since is None:
        return []
    since, zh = _clock(frame.lost_since, now, frame), frame.language == "zh"
    if frame.detour:
        return [
            f"（备用通道：“{frame.way}”自 {since} 起不可用）"
            if zh
            else f"(second path: {frame.way!r} has failed since {since})"
        ]
    return [
        f"（通道“{frame.way}”自 {since} 中断后已恢复，其间情况汇总如下）"
        if zh
        else f"(path {frame.way!r} is back; it was lost since {since}: what happened meanwhile)"
    ]


def _tail(stories: Sequence[Story], frame: Frame) -> list[str]:
    lines = []
    zh = frame.language == "zh"
    if frame.duty and any(story.event != "resolved" for story in stories):
        lines.append(f"值班：{frame.duty}" if zh else f"On duty: {frame.duty}")
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
    zh = language == "zh"
    units = ((days, " 天", " d"), (hours, " 小时", " h"), (minutes, " 分钟", " min"))
    said = [f"{number}{chinese if zh else english}" for number, chinese, english in units if number][:2]
    if not said:
        return "不到 1 分钟" if zh else "less than 1 min"
    return " ".join(said)


def alive_text(schools: int, open_incidents: int, language: Language) -> str:
    """The daily sign of life."""
    if language == "zh":
        return f"【平安】edunet 运行正常：监测学校 {schools} 所，当前未恢复事件 {open_incidents} 起"
    return f"[Alive] edunet lives: {schools} schools, {open_incidents} open"


def test_text(name: str, by: str, language: Language) -> str:
    """What the test button sends."""
    if language == "zh":
        return f"【测试】这是 edunet 经“{name}”发出的测试消息（{by}），无需处理"
    return f"[Test] edunet sends this through {name!r} as a test ({by}); nothing need be done"
