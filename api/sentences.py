"""A school in one sentence: its state, since when, why, whom to call. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from api.words import Language
from inventory.models import State

STATES: dict[State, tuple[str, str]] = {
    State.up: ("网络正常", "is up"),
    State.down: ("断网", "is cut off"),
    State.degraded: ("网络劣化", "is degraded"),
    State.flapping: ("网络抖动", "is flapping"),
    State.maintenance: ("维护中", "is in maintenance"),
    State.planned_off: ("计划关闭", "is off as planned"),
    State.not_seen: ("设备尚未上线", "has not been seen yet"),
    State.agent_silent: ("能 ping 通，但 SNMP 无应答", "answers ping, but not SNMP"),
    State.doubtful: ("存疑：该地址上应答的是另一台设备", "is doubtful: another device answers at its address"),
    State.unknown: ("状态未知", "cannot be judged now"),
    State.not_watched: ("未监测：没有登记网关", "is not watched: no gateway is registered"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentence tells. cause: the root's name; "" unknown, None: outside the reader's part. call: whom, and by what number."""

    name: str
    state: State
    since: datetime | None
    stale: bool
    cause: str | None = ""
    call: str = ""


def sentence(facts: Facts, language: Language, now: datetime, zone: ZoneInfo) -> str:
    """One sentence on a school: state, since when, for how long, why, whom to call; old data says so first."""
    chinese = language == "zh"
    parts = [facts.name + ("" if chinese else " ") + STATES[facts.state][0 if chinese else 1]]
    if facts.since is not None and facts.state is not State.not_watched:
        at, age = facts.since.astimezone(zone).strftime("%Y-%m-%d %H:%M"), length(now - facts.since, language)
        parts.append(f"自 {at} 起（{age}）" if chinese else f"since {at} ({age})")
    if facts.cause is None:
        parts.append("原因在上级网络" if chinese else "because of the network above")
    elif facts.cause:
        parts.append(f"原因：{facts.cause}" if chinese else f"because of {facts.cause}")
    if facts.call:
        parts.append(f"请联系 {facts.call}" if chinese else f"call {facts.call}")
    said = ("，" if chinese else ", ").join(parts) + ("。" if chinese else ".")
    if facts.stale:
        said = ("数据已过时：" if chinese else "The data are old: ") + said
    return said


def length(span: Any, language: Language) -> str:
    """A length of time in words: its two greatest units."""
    minutes = max(0, int(span.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    units = ((days, " 天", " d"), (hours, " 小时", " h"), (minutes, " 分", " min"))
    said = [f"{number}{zh if language == 'zh' else en}" for number, zh, en in units if number][:2]
    return " ".join(said) or ("不到 1 分钟" if language == "zh" else "less than 1 min")
