"""Writes the demonstration's past (`demo/past.py`) into its register: outages, incidents, unseen spans, curves."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session

from demo.agents import Rates, line_rates
from demo.faults import SLOW_PREFIX, standing
from demo.network import Network
from demo.past import (
    Event,
    Span,
    curve_days,
    cut_out,
    device_bands,
    past_events,
    port_bands,
    touches,
    unseen_spans,
    variant_of,
)
from demo.register import ZONE, read_network
from inventory.database import Register
from inventory.history import pack
from inventory.log import add_unseen
from inventory.models import HistoryDay, Incident, NodeKind, Outage, Region, School, Site, complete, table, utcnow

SHAPES = 16
"""Different curves of RTT."""

SHARDS = 4
"""Unseen spans are written for so many shards: the plan of the demonstration has two, a changed one may have more."""

Row = dict[str, Any]


def write_past(register: Register, now: datetime | None = None) -> None:
    """Give a register that has just been filled its past, in one transaction; none where there is one already."""
    now = now or utcnow()
    network = read_network(register)
    events = past_events(network, now)
    with register.write() as session:
        if session.connection().execute(select(table(Outage).c.id).limit(1)).first():
            return
        _write_outages(session, network, events)
        spans = unseen_spans(now)
        add_unseen(
            session,
            [
                {"zone": ZONE, "shard": shard, "from_at": begin, "until_at": end, "reason": reason}
                for begin, end, reason in spans
                for shard in range(SHARDS)
            ],
        )
        rows = list(_curves(network, events, [(begin, end) for begin, end, _ in spans], now))
        session.connection().execute(insert(table(HistoryDay)), rows)


def _write_outages(session: Session, network: Network, events: Iterable[Event]) -> None:
    places, pupils = _places(session), _pupils(session)
    incidents, outages = [], []
    for number, event in enumerate(events, 1):
        incidents.append(_incident(number, event, places[event.root.site], pupils))
        outages += list(_outages(number, event, network, places))
    connection = session.connection()
    connection.execute(insert(table(Incident)), [complete(Incident, row) for row in incidents])
    connection.execute(insert(table(Outage)), [complete(Outage, row) for row in outages])


def _incident(number: int, event: Event, place: Mapping[str, Any], pupils: Mapping[int, int]) -> Row:
    many = len(event.schools) > 1
    cut = sorted(event.schools, key=lambda school: -pupils.get(school, 0))
    figures = {
        "affected": len(event.gateways) + many,
        "schools": len(cut),
        "pupils": sum(pupils.get(s, 0) for s in cut),
    }
    return {
        "id": number,
        "key": f"demo-{number}",
        "status": "resolved",
        "severity": "major" if many else "minor",
        "root_kind": NodeKind.device,
        "root_id": event.root.id,
        "root_name": event.root.name,
        "place_id": place["place_id"],
        "duty_id": place["duty_id"],
        "path": place["path"],
        "duty_path": place["duty_path"],
        "from_at": event.from_at,
        "opened_at": event.from_at,
        "resolved_at": event.until_at,
        "updated_at": event.until_at,
        "cut": cut[:200],
        "cause": event.cause,
        **figures,
        **{f"said_{name}": value for name, value in figures.items()},
    }


def _outages(number: int, event: Event, network: Network, places: Mapping[int, Mapping[str, Any]]) -> Iterable[Row]:
    many = len(event.schools) > 1
    nodes: list[tuple[NodeKind, int, int, bool]] = [(NodeKind.device, event.root.id, event.root.site, False)]
    for gateway in event.gateways:
        unit = network.units[gateway]
        if gateway != event.root.id:
            nodes.append((NodeKind.device, gateway, unit.site, many))
        if unit.school:
            nodes.append((NodeKind.school, unit.school, unit.site, many))
    for kind, node, site, explained in nodes:
        place = places[site]
        yield {
            "kind": kind,
            "node_id": node,
            "school_id": place["school_id"],
            "place_id": place["place_id"],
            "duty_id": place["duty_id"],
            "from_at": event.from_at,
            "until_at": event.until_at,
            "cause": "upstream" if explained else event.cause,
            "accountable": event.accountable,
            "incident_id": number,
            "explained": explained,
        }


def _curves(network: Network, events: Iterable[Event], unseen: list[Span], now: datetime) -> Iterable[Row]:
    """A row for each gateway and each line's end port, and day; days without anything of their own share their packed bytes."""
    slow = frozenset(int(key[len(SLOW_PREFIX) :]) for key in standing(network) if key.startswith(SLOW_PREFIX))
    rates, down = line_rates(network, slow), _down(events)
    lossy = {circuit.end[0] for n in slow if (circuit := network.circuits[n]).end}
    for day in curve_days(now):
        blind = [span for span in unseen if touches(span, day)]
        known: dict[tuple[Any, ...], bytes] = {}
        for unit in network.units.values():
            if unit.kind not in ("gateway", "core", "aggregation"):
                continue
            cut = [span for span in down.get(unit.id, ()) if touches(span, day)]
            key: tuple[Any, ...] = ("rtt", variant_of(unit.id, SHAPES), unit.id in lossy)
            if cut or key not in known:
                bands = device_bands(day, now, key[1], unit.id in lossy)
                packed = pack(cut_out(cut_out(bands, day, cut, gone=False), day, blind, gone=True))
            else:
                packed = known[key]
            if not cut:
                known[key] = packed
            yield _history(unit.id, "", day, packed)
        yield from _line_curves(network, rates, slow, down, blind, day, now)


def _line_curves(
    network: Network,
    rates: Mapping[int, Rates],
    slow: frozenset[int],
    down: Mapping[int, list[Span]],
    blind: list[Span],
    day: date,
    now: datetime,
) -> Iterable[Row]:
    known: dict[tuple[float, float], bytes] = {}
    for circuit in network.circuits.values():
        if circuit.end is None:
            continue
        rate = rates[circuit.id]
        key = (rate.down, rate.up)
        cut = [span for span in down.get(circuit.end[0], ()) if touches(span, day)]
        if cut or key not in known:
            bands = port_bands(day, now, rate, int(rate.down) % 97, circuit.id in slow)
            packed = pack(cut_out(bands, day, [*cut, *blind], gone=True))
        else:
            packed = known[key]
        if not cut:
            known[key] = packed
        yield _history(*circuit.end, day, packed)


def _history(device: int, port: str, day: date, packed: bytes) -> Row:
    return {"device_id": device, "port": port, "day": day, "bands": packed}


def _down(events: Iterable[Event]) -> dict[int, list[Span]]:
    """When each gateway and root was down."""
    found: dict[int, list[Span]] = {}
    for event in events:
        for unit in {event.root.id, *event.gateways}:
            found.setdefault(unit, []).append((event.from_at, event.until_at))
    return found


def _places(session: Session) -> dict[int, Mapping[str, Any]]:
    """Of each site its school, its regions and their paths."""
    site, place, duty = table(Site), table(Region).alias("place"), table(Region).alias("duty")
    statement = select(
        site.c.id, site.c.school_id, site.c.place_id, site.c.duty_id, place.c.path, duty.c.path.label("duty_path")
    ).select_from(site.join(place, place.c.id == site.c.place_id).outerjoin(duty, duty.c.id == site.c.duty_id))
    rows = session.connection().execute(statement).mappings()
    return {row["id"]: {**row, "duty_path": row["duty_path"] or ""} for row in rows}


def _pupils(session: Session) -> dict[int, int]:
    row = table(School)
    return {number: pupils or 0 for number, pupils in session.connection().execute(select(row.c.id, row.c.pupils))}
