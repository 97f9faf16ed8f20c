"""Curves without a metrics store (DESIGN.md, rule 12): 5-minute bands, packed by target and UTC day.

Layout of `HistoryDay.bands`: 1 byte kind (1 device, 2 port), 36 bytes bitmap of the bands that are there (288 bits, the
highest of a byte first), then zlib of the present bands' columns, float32 little-endian, column after column. A day of a
gateway takes 2 to 5 KiB; bands that are missing take nothing and are gaps in the curve.
"""

import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlmodel import Session

from inventory.log import upsert
from inventory.models import HistoryDay, table

BAND_S = 300
BANDS = 86_400 // BAND_S
DEVICE_COLUMNS = ("rtt_median_seconds", "rtt_p5_seconds", "rtt_p95_seconds", "loss_ratio", "probes")
PORT_COLUMNS = ("in_bps", "out_bps", "in_max_bps", "out_max_bps")

_BITMAP = BANDS // 8
_CHUNK = 400

Bands = NDArray[np.float32]
"""Shape (288, columns), NaN where nothing is known."""


class DeviceBand(NamedTuple):
    """Five minutes of one device. at: any time inside the band, aware. RTTs in seconds, NaN where nothing answered; loss a share 0 to 1; probes: how many."""

    device_id: int
    at: datetime
    rtt_median_seconds: float
    rtt_p5_seconds: float
    rtt_p95_seconds: float
    loss_ratio: float
    probes: int


class PortBand(NamedTuple):
    """Five minutes of one port (ifName) in bit/s: means and highest rates."""

    device_id: int
    port: str
    at: datetime
    in_bps: float
    out_bps: float
    in_max_bps: float
    out_max_bps: float


_Key = tuple[int, str, date]


class HistoryWriter:
    """Writes bands of many targets at once, in the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, rows: Iterable[DeviceBand | PortBand]) -> int:
        """Set bands; one that is there is replaced. How many days were written."""
        new: dict[_Key, list[tuple[int, tuple[float, ...]]]] = {}
        for row in rows:
            at = row.at.astimezone(UTC)
            band = (at.hour * 3600 + at.minute * 60 + at.second) // BAND_S
            if isinstance(row, PortBand):
                new.setdefault((row.device_id, row.port, at.date()), []).append((band, row[3:]))
            else:
                new.setdefault((row.device_id, "", at.date()), []).append((band, row[2:]))
        keys = list(new)
        for start in range(0, len(keys), _CHUNK):
            self._write(keys[start : start + _CHUNK], new)
        return len(keys)

    def _write(self, keys: Sequence[_Key], new: dict[_Key, list[tuple[int, tuple[float, ...]]]]) -> None:
        known = _stored(self._session, keys)
        rows = []
        for key in keys:
            columns = len(PORT_COLUMNS if key[1] else DEVICE_COLUMNS)
            bands = unpack(known[key]) if key in known else np.full((BANDS, columns), np.nan, dtype=np.float32)
            for band, values in new[key]:
                bands[band] = values
            rows.append({"device_id": key[0], "port": key[1], "day": key[2], "bands": pack(bands)})
        upsert(self._session, HistoryDay, rows, ("device_id", "port", "day"))


def read_curve(session: Session, device_id: int, port: str, from_: datetime, until: datetime) -> dict[str, list[Any]]:
    """A curve as columns: `at` (epoch seconds of each band's beginning), then DEVICE_COLUMNS (port "") or PORT_COLUMNS, None in gaps.

    Every band that touches [from_, until) is there, known or not.
    """
    first, last = int(from_.timestamp()) // BAND_S, -(-int(until.timestamp()) // BAND_S)
    columns = PORT_COLUMNS if port else DEVICE_COLUMNS
    values = np.full((max(0, last - first), len(columns)), np.nan, dtype=np.float32)
    row = table(HistoryDay)
    statement = select(row.c.day, row.c.bands).where(
        row.c.device_id == device_id,
        row.c.port == port,
        row.c.day >= from_.astimezone(UTC).date(),
        row.c.day <= until.astimezone(UTC).date(),
    )
    for day, packed in session.connection().execute(statement):
        offset = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // BAND_S - first
        start, stop = max(0, offset), min(len(values), offset + BANDS)
        if start < stop:
            values[start:stop] = unpack(packed)[start - offset : stop - offset]
    curve: dict[str, list[Any]] = {"at": [band * BAND_S for band in range(first, last)]}
    for number, name in enumerate(columns):
        column = values[:, number]
        curve[name] = [None if gap else float(value) for value, gap in zip(column, np.isnan(column), strict=True)]
    return curve


def forget(session: Session, before: datetime) -> int:
    """Drop the days that ended before `before`. How many rows went."""
    row = table(HistoryDay)
    day = before.astimezone(UTC).date()
    return session.connection().execute(delete(row).where(row.c.day < day)).rowcount


def pack(bands: Bands) -> bytes:
    """The bytes of a day; its columns tell whether it is a device's or a port's."""
    present = ~np.isnan(bands).all(axis=1)
    kind = 1 if bands.shape[1] == len(DEVICE_COLUMNS) else 2
    columns = np.ascontiguousarray(bands[present].T.astype("<f4"))
    return bytes([kind]) + np.packbits(present).tobytes() + zlib.compress(columns.tobytes(), 1)


def unpack(packed: bytes) -> Bands:
    """The bands of a day. ValueError where the bytes are not of this layout."""
    if len(packed) < 1 + _BITMAP or packed[0] not in (1, 2):
        raise ValueError("no packed day of history")
    columns = len(DEVICE_COLUMNS) if packed[0] == 1 else len(PORT_COLUMNS)
    present = np.unpackbits(np.frombuffer(packed, dtype=np.uint8, count=_BITMAP, offset=1)).astype(bool)
    bands = np.full((BANDS, columns), np.nan, dtype=np.float32)
    flat = np.frombuffer(zlib.decompress(packed[1 + _BITMAP :]), dtype="<f4")
    bands[present] = flat.reshape(columns, -1).T
    return bands


def retention_start(now: datetime, days: int) -> datetime:
    """From when history is kept: midnight UTC, `days` whole days before today."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days)


def _stored(session: Session, keys: Sequence[_Key]) -> dict[_Key, bytes]:
    row = table(HistoryDay)
    statement = select(row.c.device_id, row.c.port, row.c.day, row.c.bands).where(
        row.c.device_id.in_({key[0] for key in keys}), row.c.day.in_({key[2] for key in keys})
    )
    wanted = set(keys)
    return {
        key: packed
        for *parts, packed in session.connection().execute(statement)
        if (key := (parts[0], parts[1], parts[2])) in wanted
    }
