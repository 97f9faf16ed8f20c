"""Lines that cannot deliver what is paid for, because the port that they end on negotiated less than their contract; and what is lost on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select
from sqlmodel import Session

from inventory.history import BAND_S, read_curve
from inventory.models import Line, NodeKind, Outage, Port, table
from inventory.scope import Scope

line, outage, port = table(Line), table(Outage), table(Port)

SHOWN = 5
"""Slow lines on the board at most."""
LOSS = 0.01
"""A mean loss of an hour from which it is said."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Slowness:
    """What keeps a line below its contract. port_bps: negotiated speed, None where it suffices; loss: share lost in the last hour, None where it is little.

    Bands in which the device was cut off count for no loss: that is an outage, with a cause of its own, which may not be the carrier's.
    """

    line: Any
    port_bps: int | None
    loss: float | None


def list_slow(session: Session, scope: Scope, limit: int = SHOWN) -> Sequence[Any]:
    """Lines (id, name, bandwidth_mbps, port_bps) whose port is slower than their contract, the worst first, one more than `limit` at most."""
    statement = (
        select(line.c.id, line.c.name, line.c.operator, line.c.bandwidth_mbps, port.c.speed_bps.label("port_bps"))
        .select_from(line.join(port, and_(port.c.device_id == line.c.end_device_id, port.c.name == line.c.end_port)))
        .where(line.c.status == "active", port.c.speed_bps > 0, port.c.speed_bps < line.c.bandwidth_mbps * 1_000_000)
        .order_by(port.c.speed_bps * 1.0 / line.c.bandwidth_mbps, line.c.id)
        .limit(limit + 1)
    )
    return session.connection().execute(scope.filter(statement, Line)).all()


def slowness_of(session: Session, lines: Sequence[Any], now: datetime) -> dict[int, Slowness]:
    """By line id, those of `lines` (rows of the register, within the caller's scope) with a port below the contract or with loss."""
    found: dict[int, Slowness] = {}
    for row in lines:
        if row.end_device_id is None or not row.end_port:
            continue
        statement = select(port.c.speed_bps).where(port.c.device_id == row.end_device_id, port.c.name == row.end_port)
        speed = session.connection().execute(statement).scalar()
        slow = speed if speed and row.bandwidth_mbps and speed < row.bandwidth_mbps * 1_000_000 else None
        loss = _loss(session, row.end_device_id, now) if row.role != "backup" else None
        if slow or loss:
            found[row.id] = Slowness(row, slow, loss)
    return found


def _loss(session: Session, device_id: int, now: datetime) -> float | None:
    curve = read_curve(session, device_id, "", now - HOUR, now)
    silent = _outages(session, device_id, now)
    known = [
        value
        for at, value in zip(curve["at"], curve["loss_ratio"], strict=True)
        if value is not None and not any(begin < at + BAND_S and at < end for begin, end in silent)
    ]
    mean = sum(known) / len(known) if known else 0.0
    return mean if mean >= LOSS else None


def _outages(session: Session, device_id: int, now: datetime) -> list[tuple[float, float]]:
    """The device's outages of the last hour, from the first miss, in seconds since 1970."""
    statement = select(outage.c.from_at, outage.c.from_earliest, outage.c.until_at, outage.c.until_latest).where(
        outage.c.kind == NodeKind.device,
        outage.c.node_id == device_id,
        or_(outage.c.until_at.is_(None), outage.c.until_at > now - HOUR),
    )
    return [
        ((row.from_earliest or row.from_at).timestamp(), (row.until_latest or row.until_at or now).timestamp())
        for row in session.connection().execute(statement)
    ]
