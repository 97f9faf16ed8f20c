"""Vantage points in the register: making one, and how each fares by what the judge's process last said (row `vantages` of `feed`)."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory.models import Feed, VantagePoint, Zone, table, utcnow
from inventory.users import hash_token
from inventory.words import say

STATES = ("sees", "blind", "silent", "never", "off")
"""How one may fare; each is a text of the catalogue."""

FIGURES = ("offset_s", "round_trip_s", "dropped", "waiting", "reports")
"""What is shown of it in figures."""

SILENT_S = 120.0
"""A vantage point of which nothing has come for so long is silent, even where no judge runs that would say so."""


def new_token() -> str:
    """A vantage point's token."""
    return "edv_" + secrets.token_urlsafe(32)


def make_vantage(
    session: Session, name: str, zone: str, references: str, place: str, actor: str
) -> tuple[VantagePoint, str]:
    """A new one, and its token. ValueError says in the language of the command what is wrong."""
    point, zones = table(VantagePoint), table(Zone)
    if not 0 < len(name) <= 40:
        raise ValueError(say("A name has 1 to 40 characters."))
    if session.connection().execute(select(point.c.id).where(point.c.name == name)).first() is not None:
        raise ValueError(say("There is a vantage point {name} already.", name=name))
    zone_id = session.connection().execute(select(zones.c.id).where(zones.c.name == zone)).scalar() if zone else None
    if zone and zone_id is None:
        raise ValueError(say("There is no zone {name}.", name=zone))
    token = new_token()
    made = VantagePoint(
        name=name,
        place=place[:120],
        zone_id=zone_id,
        references=references,
        token_hash=hash_token(token),
        created_by=actor,
    )
    session.add(made)
    session.flush()
    return made, token


def read_fares(session: Session) -> Mapping[str, Any]:
    """{id as text: how it fares} as the judge's process last said."""
    feed = table(Feed)
    found = session.connection().execute(select(feed.c.detail).where(feed.c.name == "vantages")).scalar()
    return found if isinstance(found, dict) else {}


def fare_of(row: Mapping[str, Any], fares: Mapping[str, Any]) -> dict[str, Any]:
    """State (sees, blind, silent, never, off), age and figures of one row (`id`, `enabled`)."""
    fare = fares.get(str(row["id"])) or {}
    at = fare.get("reported_at")
    if not row["enabled"]:
        state = "off"
    elif at is None:
        state = "never"
    elif not fare.get("up") or utcnow().timestamp() - at > SILENT_S:
        state = "silent"
    else:
        state = "blind" if fare.get("blind") and not fare.get("sees") else "sees"
    return {
        "state": state,
        "reported_at": datetime.fromtimestamp(at, UTC) if at is not None else None,
        "blind": list(fare.get("blind") or ()),
        "detail": {name: fare[name] for name in FIGURES if name in fare},
    }


def list_vantages(session: Session) -> list[dict[str, Any]]:
    """All of them with how they fare, by name."""
    point, zone = table(VantagePoint), table(Zone)
    columns = (point.c.id, point.c.name, point.c.place, point.c.references, point.c.enabled)
    statement = (
        select(*columns, zone.c.name.label("zone"))
        .join(zone, zone.c.id == point.c.zone_id, isouter=True)
        .order_by(point.c.name)
    )
    fares = read_fares(session)
    rows = [dict(row) for row in session.connection().execute(statement).mappings()]
    return [{**row, **fare_of(row, fares)} for row in rows]
