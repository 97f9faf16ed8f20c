"""What administrators have set, from the register, as the teller wants it."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from collector.telling.values import Calendar, Hush, Policy, Rule, Step, Turn, Way, no_calendar
from inventory.models import (
    Contact,
    Duty,
    EscalationStep,
    NoticeRule,
    Outlet,
    OutletKind,
    Region,
    Silence,
    table,
    utcnow,
)
from inventory.outlets import open_config
from inventory.sealing import Sealer, UnsealError

LEVELS = {"province": "province", "city": "city", "county": "county", "zone": "county", "township": "county"}
"""Of a region's level, the one at which its outlets and its people are told."""


@dataclass(frozen=True, slots=True)
class Outfit:
    """An outlet with what it needs to send. row_version: another one makes the sender anew. fault: why it cannot be used."""

    id: int
    name: str
    kind: str
    row_version: int
    config: dict[str, Any] = field(default_factory=dict, repr=False)
    alive_at: str = ""
    language: str = "zh"
    path: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Where a contact is reached."""

    name: str
    phone: str
    mail: str


@dataclass(frozen=True, slots=True)
class Orders:
    """All of it. outfits: the outlets told in words; alertmanagers: the others."""

    policy: Policy
    outfits: dict[int, Outfit]
    persons: dict[int, Person]


def read_orders(session: Session, sealer: Sealer | None, calendar: Calendar = no_calendar) -> Orders:
    """Rules, steps, outlets, turns, silences; seven statements."""
    regions = _regions(session)
    rows = _rows(session, Outlet)
    outfits = {
        row["id"]: outfit_of(row, sealer, regions)
        for row in rows
        if row["enabled"] and row["kind"] != OutletKind.alertmanager
    }
    persons = {row["id"]: Person(row["name"], row["phone"], row["mail"]) for row in _rows(session, Contact)}
    ways = {row["id"]: _way(row, outfits[row["id"]], regions) for row in rows if row["id"] in outfits}
    policy = Policy(
        rules=tuple(
            _rule(row, regions)
            for row in sorted(_rows(session, NoticeRule), key=lambda row: (row["position"], row["id"]))
            if row["enabled"]
        ),
        steps=tuple(
            Step(row["level"], row["severity"], row["after_minutes"] * 60.0, _path(row, regions))
            for row in _rows(session, EscalationStep)
            if row["enabled"]
        ),
        ways=ways,
        turns=tuple(_turn(row, persons, regions) for row in _rows(session, Duty)),
        hushes=tuple(_hush(row, regions) for row in _current_silences(session)),
        calendar=calendar,
    )
    return Orders(policy, outfits, persons)


def outfit_of(row: Any, sealer: Sealer | None, regions: dict[int, tuple[str, str]] | None = None) -> Outfit:
    """An outlet with its configuration in clear; with `fault` where it cannot be opened."""
    shared = {
        "id": row["id"],
        "name": row["name"],
        "kind": row["kind"],
        "row_version": row["row_version"],
        "alive_at": row["alive_at"],
        "language": row["language"],
        "path": _path(row, regions or {}),
    }
    if sealer is None:
        return Outfit(**shared, fault="there is no key to open its configuration")
    try:
        return Outfit(**shared, config=open_config(row["secret"], sealer))
    except (UnsealError, ValueError) as error:
        return Outfit(**shared, fault=f"its configuration cannot be opened: {error}")


def _regions(session: Session) -> dict[int, tuple[str, str]]:
    """{id: (path, level)}"""
    row = table(Region)
    found = session.connection().execute(select(row.c.id, row.c.path, row.c.level))
    return {number: (path, LEVELS.get(level, "county")) for number, path, level in found}


def _rows(session: Session, model: Any) -> list[Any]:
    row = table(model)
    return list(session.connection().execute(select(row).order_by(row.c.id)).mappings())


def _current_silences(session: Session) -> list[Any]:
    row = table(Silence)
    statement = select(row).where(row.c.until_at > utcnow()).order_by(row.c.id)
    return list(session.connection().execute(statement).mappings())


def _path(row: Any, regions: dict[int, tuple[str, str]]) -> str:
    """The path of a row's region; of one that is gone a path that holds nothing."""
    return "" if row["region_id"] is None else regions.get(row["region_id"], ("//", ""))[0]


def _level(row: Any, regions: dict[int, tuple[str, str]]) -> str:
    return "province" if row["region_id"] is None else regions.get(row["region_id"], ("", "province"))[1]


def _way(row: Any, outfit: Outfit, regions: dict[int, tuple[str, str]]) -> Way:
    personal = bool(row["roster"])
    return Way(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        path=_path(row, regions),
        level=_level(row, regions),
        language=row["language"],
        least_severity=row["least_severity"],
        kinds=frozenset(row["kinds"]),
        personal=personal,
        group=bool(outfit.config.get("to")) or row["kind"] not in ("mail", "sms"),
        fallback=row["fallback_id"],
        per_minute=row["per_minute"],
    )


def _rule(row: Any, regions: dict[int, tuple[str, str]]) -> Rule:
    return Rule(
        name=row["name"],
        classes=frozenset(row["classes"]),
        kinds=frozenset(row["kinds"]),
        times=row["times"],
        least_schools=row["least_schools"],
        least_pupils=row["least_pupils"],
        path=_path(row, regions),
        severity=row["severity"],
        raise_by=row["raise_by"],
        delay_s=row["delay_s"],
        night=row["night"],
    )


def _turn(row: Any, persons: dict[int, Person], regions: dict[int, tuple[str, str]]) -> Turn:
    person = persons.get(row["contact_id"], Person("", "", ""))
    return Turn(
        contact=row["contact_id"],
        name=person.name,
        level="school" if row["school_id"] is not None else _level(row, regions),
        from_t=row["from_at"].timestamp(),
        until_t=row["until_at"].timestamp(),
        weekly=row["weekly"],
        last_t=row["last_at"].timestamp() if row["last_at"] is not None else None,
        path=_path(row, regions),
        school=row["school_id"] or 0,
        position=row["position"],
        phone=person.phone,
        mail=person.mail,
    )


def _hush(row: Any, regions: dict[int, tuple[str, str]]) -> Hush:
    return Hush(
        row["from_at"].timestamp(),
        row["until_at"].timestamp(),
        node=f"{row['kind']}:{row['node_id']}" if row["kind"] else "",
        path=_path(row, regions),
        incident=row["incident_id"] or 0,
    )
