"""The demonstration's past: 90 days of outages with their causes, spans that nobody saw, a week of curves. Pure, seeded.

It is as invented as the province, and lies in the demonstration's register alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

import numpy as np
from numpy.typing import NDArray

from demo.agents import Rates
from demo.network import Network, Unit
from demo.traffic import MONDAY_S, SHANGHAI_S, WEEK_S, load, mix
from inventory.history import BAND_S, BANDS, DEVICE_COLUMNS, PORT_COLUMNS

DAYS = 90
CURVE_DAYS = 7
COUNTY_EVENTS = 14
PROBES_IN_BAND = 60
"""A liveness round every 5 s."""

CAUSES: tuple[tuple[str, str, float], ...] = (
    ("line", "carrier", 0.42),
    ("power", "power", 0.26),
    ("undetermined", "", 0.20),
    ("device", "school", 0.08),
    ("planned", "planned", 0.04),
)
"""Cause, who is accountable, how often."""

Span = tuple[datetime, datetime]
Bands = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Event:
    """A past outage: its root, and what it cut off (`gateways` and `schools` with the root's own)."""

    root: Unit
    from_at: datetime
    until_at: datetime
    cause: str
    accountable: str
    gateways: tuple[int, ...]
    schools: tuple[int, ...]


def past_events(network: Network, now: datetime, seed: int = 14) -> list[Event]:
    """Past outages in order of time, none of them within two hours of `now`; a school has one at a time."""
    rng = Random(seed)
    gateways = [u for u in network.units.values() if u.kind == "gateway" and u.school]
    hubs = [u for u in network.units.values() if u.kind == "aggregation" and u.tier == "county"]
    by_place: dict[str, list[Unit]] = {}
    for unit in gateways:
        by_place.setdefault(unit.place, []).append(unit)
    events = [_event(rng, now, hub, by_place.get(hub.place, []), 55.0) for hub in rng.sample(hubs, COUNTY_EVENTS)]
    for unit in gateways:
        rate = 5.0 if rng.random() < 0.06 else 0.7
        events += [_event(rng, now, unit, [unit], 22.0) for _ in range(_poisson(rng, rate))]
    return _without_overlaps(sorted(events, key=lambda e: (e.from_at, e.root.id)))


def unseen_spans(now: datetime) -> list[tuple[datetime, datetime, str]]:
    """When nobody looked: an upgrade, a night of power cut at the collector, a blind quarter of an hour."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return [
        (day - timedelta(days=61, hours=3), day - timedelta(days=61, hours=1, minutes=10), "stopped"),
        (day - timedelta(days=23, minutes=50), day - timedelta(days=23, minutes=35), "blind"),
        (day - timedelta(days=3, hours=7), day - timedelta(days=3, hours=6, minutes=35), "stopped"),
    ]


def curve_days(now: datetime) -> list[date]:
    """The UTC days of the curves, today the last."""
    today = now.astimezone(UTC).date()
    return [today - timedelta(days=number) for number in range(CURVE_DAYS, -1, -1)]


def device_bands(day: date, now: datetime, variant: int, lossy: bool = False) -> Bands:
    """A day of RTT and loss, shape (288, 5): a quiet loopback with the load of lessons; `lossy`: one ping in six is lost."""
    rng = np.random.default_rng((day.toordinal(), variant))
    level = _load_of(day)
    base = 0.00006 + 0.00001 * (variant % 8)
    median = _round(base * (0.8 + 0.5 * level) * (1 + 0.1 * rng.standard_normal(BANDS)), 1e-5)
    bands = np.empty((BANDS, len(DEVICE_COLUMNS)), np.float32)
    bands[:, 0] = median
    bands[:, 1] = _round(median * 0.75, 1e-5)
    bands[:, 2] = _round(median * (1.5 + 1.5 * level), 1e-5)
    bands[:, 3] = _round(0.16 + 0.03 * rng.standard_normal(BANDS), 1 / 60) if lossy else 0.0
    bands[:, 4] = PROBES_IN_BAND
    return _until(bands, day, now)


def port_bands(day: date, now: datetime, rates: Rates, variant: int, steady: bool = False) -> Bands:
    """A day of a line's traffic at the school's end, shape (288, 4), bit/s; the same curve that the agents' counters follow."""
    rng = np.random.default_rng((day.toordinal(), variant, 1))
    level = np.ones(BANDS) if steady else _load_of(day)
    wobble = np.clip(1 + 0.04 * rng.standard_normal(BANDS), 0.8, 1.2) if not steady else np.ones(BANDS)
    share = _round(level * wobble, 1 / 128)
    bands = np.empty((BANDS, len(PORT_COLUMNS)), np.float32)
    for column, rate in enumerate((rates.down, rates.up)):
        bands[:, column] = share * rate * 8
        bands[:, column + 2] = share * rate * 8 * (1.0 if steady else 1.15)
    return _until(bands, day, now)


def cut_out(bands: Bands, day: date, spans: Iterable[Span], gone: bool) -> Bands:
    """A copy in which the bands of `spans` are empty (`gone`), or, of a device, hold nothing but lost pings."""
    copy = bands.copy()
    for first, last in (_bands_of(span, day) for span in spans):
        copy[first:last, :] = np.nan
        if not gone:
            copy[first:last, 3], copy[first:last, 4] = 1.0, PROBES_IN_BAND
    return copy


def touches(span: Span, day: date) -> bool:
    """Whether a span has a band of a day."""
    first, last = _bands_of(span, day)
    return last > first


def _bands_of(span: Span, day: date) -> tuple[int, int]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    first = (span[0] - midnight).total_seconds() // BAND_S
    last = -((midnight - span[1]).total_seconds() // BAND_S)
    return int(np.clip(first, 0, BANDS)), int(np.clip(last, 0, BANDS))


def _event(rng: Random, now: datetime, root: Unit, gateways: Sequence[Unit], median_minutes: float) -> Event:
    minutes = min(720.0, max(2.0, rng.lognormvariate(0, 0.9) * median_minutes))
    latest = timedelta(days=DAYS - 1) - timedelta(hours=15)
    until = now - timedelta(hours=2) - rng.random() * latest
    cause, accountable, _ = rng.choices(CAUSES, [c[2] for c in CAUSES])[0]
    return Event(
        root,
        until - timedelta(minutes=minutes),
        until,
        cause,
        accountable,
        tuple(u.id for u in gateways),
        tuple(sorted({u.school for u in gateways if u.school})),
    )


def _without_overlaps(events: Iterable[Event]) -> list[Event]:
    busy: dict[int, datetime] = {}
    kept = []
    for event in events:
        if all(busy.get(school, event.from_at) <= event.from_at for school in event.schools):
            kept.append(event)
            busy.update(dict.fromkeys(event.schools, event.until_at + timedelta(minutes=10)))
    return kept


def _poisson(rng: Random, mean: float) -> int:
    number, product, limit = 0, rng.random(), float(np.exp(-mean))
    while product > limit:
        number += 1
        product *= rng.random()
    return number


def _load_of(day: date) -> NDArray[np.float64]:
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + SHANGHAI_S - MONDAY_S
    return np.array([load((start + band * BAND_S) % WEEK_S) for band in range(BANDS)])


def _round(values: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """To whole steps, above none: fewer different values pack into fewer bytes."""
    return np.maximum(np.round(values / step), 0.0) * step


def _until(bands: Bands, day: date, now: datetime) -> Bands:
    """Nothing is known of the future."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    bands[max(0, int((now - midnight).total_seconds() // BAND_S)) :, :] = np.nan
    return bands


def variant_of(number: int, variants: int) -> int:
    """Which of a few shapes a device or line has."""
    return mix(number) % variants
