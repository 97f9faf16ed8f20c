"""Whether people can be told: outlets, second paths, tonight's roster."""

from datetime import datetime, timedelta, tzinfo

from sqlalchemy import select
from sqlmodel import Session

from inventory.checking import Finding, _several, _Text
from inventory.duties import goes_on
from inventory.models import Duty, Outlet, OutletKind, table

NIGHT_HOURS = (20, 22, 0, 2, 4, 6)
"""Of the coming night, local time."""


def check_telling(session: Session, now: datetime, zone: tzinfo, alertmanager: bool) -> list[Finding]:
    """What keeps people from being told. alertmanager: whether the settings name one."""
    row = table(Outlet)
    outlets = list(session.connection().execute(select(row).where(row.c.enabled).order_by(row.c.id)).mappings())
    if not outlets and not alertmanager:
        return [Finding("warning", "no_outlet", _Text("nobody will be told of an outage: there is no outlet"))]
    told = [one for one in outlets if one["kind"] != OutletKind.alertmanager]
    here = {one["id"] for one in outlets}
    single = [one["name"] for one in told if one["fallback_id"] not in here]
    failing = [one["name"] for one in told if one["failing_since"] is not None]
    second = _Text("{count} outlets have no second path, which a cut of the internet needs: {names}")
    return [
        *_several("warning", "no_second_path", second, single),
        *_several("warning", "outlet_fails", _Text("{count} outlets fail now: {names}"), failing),
        *_roster(session, now, zone, any(one["roster"] for one in told)),
    ]


def _roster(session: Session, now: datetime, zone: tzinfo, needed: bool) -> list[Finding]:
    """Hours of the coming night at which nobody at all is on duty; nothing where there is no roster and no outlet needs one."""
    row = table(Duty)
    turns = list(session.connection().execute(select(row)).mappings())
    if not turns and not needed:
        return []
    evening = now.astimezone(zone).replace(hour=NIGHT_HOURS[0], minute=0, second=0, microsecond=0)
    times = [evening + timedelta(hours=(hour - NIGHT_HOURS[0]) % 24) for hour in NIGHT_HOURS]
    empty = [
        at.strftime("%H:%M")
        for at in times
        if not any(
            goes_on(
                at.timestamp(),
                turn["from_at"].timestamp(),
                turn["until_at"].timestamp(),
                turn["weekly"],
                turn["last_at"].timestamp() if turn["last_at"] is not None else None,
            )
            for turn in turns
        )
    ]
    if not empty:
        return []
    text = _Text("nobody is on duty tonight at {names}")
    return [Finding("warning", "roster_empty", text, {"names": ", ".join(empty)})]
