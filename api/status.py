"""Is this school all right; if not, since when, why, who acts? `/api/v1/schools/{id}/status`, in one sentence."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.board import is_stale, read_feed
from api.errors import Problem
from api.pages.queries.contacts import find_contacts
from api.pages.queries.school import read_school
from api.resources.machine import MAX_ID
from api.resources.routes import answer, problems
from api.security import Caller, register_of
from api.words import Language, language_of
from inventory.models import State, utcnow

router = APIRouter(tags=["schools"])

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


class StatusAnswer(BaseModel):
    """One sentence, and the states that it was made of."""

    as_of: datetime
    id: int
    name: str
    sentence: str
    state: State
    since: datetime | None
    stale: bool
    devices: dict[str, int]
    lines: list[dict[str, Any]]
    incident: dict[str, Any] | None
    contact: dict[str, str] | None


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


@router.get(
    "/schools/{number}/status",
    response_model=StatusAnswer,
    responses=problems(401, 403, 404, 422),
    operation_id="read_school_status",
)
def read_status(request: Request, caller: Caller, number: Annotated[int, Path(ge=1, le=MAX_ID)]) -> Response:
    """One sentence on a school, and what it was made of."""
    now, language = utcnow(), language_of(request)
    with register_of(request).session() as session:
        rows = read_school(session, caller.scope, number)
        if rows is None:
            raise Problem("not-found")
        found = find_contacts(session, caller.scope, [rows.incident]) if rows.incident is not None else {}
        stale = is_stale(read_feed(session, now))
    contact = found.get(rows.incident.id) if rows.incident is not None else None
    shown = (
        {name: getattr(contact, name) for name in ("role", "name", "phone", "operator", "circuit")} if contact else None
    )
    facts = Facts(
        name=rows.school.name if language == "zh" else rows.school.name_en or rows.school.name,
        state=rows.word,
        since=rows.state.since if rows.state is not None else None,
        stale=stale,
        cause=None if rows.hidden_cause else rows.incident.root_name if rows.incident is not None else "",
        call=" ".join(part for part in (contact.operator, contact.name, contact.phone) if part) if contact else "",
    )
    return answer(
        {
            "as_of": now,
            "id": number,
            "name": rows.school.name,
            "sentence": sentence(facts, language, now, ZoneInfo(request.app.state.timezone)),
            "state": facts.state,
            "since": facts.since,
            "stale": stale,
            "devices": {
                "watched": rows.state.devices if rows.state is not None else 0,
                "up": rows.state.devices_up if rows.state is not None else 0,
                "registered": len(rows.devices),
            },
            "lines": [
                {"id": line.id, "name": line.name, "role": line.role, "state": line.state, "since": line.since}
                for line in rows.lines
            ],
            "incident": _incident(rows.incident),
            "contact": shown,
        }
    )


def _incident(row: Any) -> dict[str, Any] | None:
    if row is None:
        return None
    return {name: getattr(row, name) for name in ("id", "key", "kind", "severity", "root_name", "cause", "from_at")}
