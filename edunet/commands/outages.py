"""edunet outages: the outage log."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import typer


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(outages)


def outages(
    only_open: bool = typer.Option(False, "--open", help="Those that last."),
    since: str | None = typer.Option(
        None, help="Those that ended after this or last: 24h, 7d, 2026-09-01, 2026-09-01T08:00."
    ),
    kind: str | None = typer.Option(None, help="school, line or device."),
    limit: int = typer.Option(1000, min=1, help="At most so many, the newest first."),
    real: bool = typer.Option(False, "--real", help="Of the real register, although the demonstration runs."),
    as_json: bool = typer.Option(False, "--json", help="JSON."),
) -> None:
    """List outages, the newest first. Example: `edunet outages --open --kind school --json`"""
    from edunet.registry import load_settings, open_register, running_demonstration
    from inventory.words import say

    zone = load_settings().timezone
    after = None
    if since is not None:
        after = parse_since(since, zone)
        if after is None:
            raise typer.BadParameter(
                say("not a time: {text}; expected 2026-09-01, 2026-09-01T08:00 or 24h, 7d", text=since)
            )
    if kind is not None and kind not in ("school", "line", "device", "site"):
        raise typer.BadParameter(say("--kind is school, line or device"))
    demonstration = None if real else running_demonstration()
    if demonstration is not None:
        print(say("Of the demonstration province, which is running; --real for the real register."), file=sys.stderr)
    rows = _read(demonstration or open_register(), only_open, after, kind, limit)
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        print(_line(row, zone))
    print(say("{count} outages.", count=len(rows)) if rows else say("No outages."))


def parse_since(text: str, zone: str) -> datetime | None:
    """An aware time from `24h`, `7d`, `30m`, or an ISO date or time in `zone`; None where it is none."""
    import re
    from zoneinfo import ZoneInfo

    from inventory.models import utcnow

    match = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if match:
        unit = {"m": "minutes", "h": "hours", "d": "days"}[match[2]]
        return utcnow() - timedelta(**{unit: int(match[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


def _read(register: Any, only_open: bool, after: datetime | None, kind: str | None, limit: int) -> list[dict[str, Any]]:
    from sqlalchemy import or_, select

    from inventory.models import Outage, table, utcnow
    from inventory.verdicts import counted

    now = utcnow()

    row = table(Outage)
    statement = select(row).order_by(row.c.from_at.desc(), row.c.id.desc()).limit(limit)
    if only_open:
        statement = statement.where(row.c.until_at.is_(None))
    if after is not None:
        statement = statement.where(or_(row.c.until_at.is_(None), row.c.until_at > after))
    if kind is not None:
        statement = statement.where(row.c.kind == kind)
    with register.engine.connect() as connection:
        found = connection.execute(statement).all()
        names = _names(connection, found)
    return [
        {
            "id": outage.id,
            "node": f"{outage.kind}:{outage.node_id}",
            "kind": str(outage.kind),
            "name": names.get((str(outage.kind), outage.node_id)),
            "from": outage.from_at.isoformat(),
            "until": outage.until_at.isoformat() if outage.until_at else None,
            "seconds": (outage.until_at - outage.from_at).total_seconds() if outage.until_at else None,
            "cause": outage.cause,
            "accountable": counted(outage, now).party,
            "explained": outage.explained,
            "incident": outage.incident_id,
        }
        for outage in found
    ]


def _names(connection: Any, outages: Sequence[Any]) -> dict[tuple[str, int], str]:
    """(kind, id) to name of the nodes of these outages."""
    from sqlalchemy import select

    from inventory.models import Device, Line, School, Site, table

    tables = {"device": table(Device), "line": table(Line), "school": table(School), "site": table(Site)}
    names = {}
    for kind, row in tables.items():
        numbers = sorted({outage.node_id for outage in outages if outage.kind == kind})
        for start in range(0, len(numbers), 500):
            query = select(row.c.id, row.c.name).where(row.c.id.in_(numbers[start : start + 500]))
            names.update({(kind, number): name for number, name in connection.execute(query)})
    return names


def _line(row: dict[str, Any], zone: str) -> str:
    from zoneinfo import ZoneInfo

    def local(text: str | None) -> str:
        return (
            datetime.fromisoformat(text).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S") if text else "-" * 19
        )

    return f"{local(row['from'])}  {local(row['until'])}  {row['kind']:6}  {row['name'] or row['node']}  {row['cause']}"
