"""Packed bands."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.database import Register
from inventory.history import (
    BANDS,
    DeviceBand,
    HistoryWriter,
    PortBand,
    forget,
    pack,
    read_curve,
    retention_start,
    unpack,
)

T0 = datetime(2026, 9, 1, 23, 50, tzinfo=UTC)


def test_what_was_put_is_read_with_gaps(register: Register) -> None:
    bands = [DeviceBand(1, T0 + timedelta(minutes=5 * step), 0.01 * step, 0.001, 0.1, 0.0, 60) for step in (0, 1, 4)]
    with register.session() as session:
        assert HistoryWriter(session).put(bands) == 2
        session.commit()
        curve = read_curve(session, 1, "", T0, T0 + timedelta(minutes=30))
    assert curve["at"] == [int(T0.timestamp()) + 300 * step for step in range(6)]
    assert [None if value is None else round(value, 4) for value in curve["rtt_median_seconds"]] == [
        0,
        0.01,
        None,
        None,
        0.04,
        None,
    ]
    assert curve["probes"] == [60, 60, None, None, 60, None]


def test_a_band_is_replaced_and_its_neighbours_stay(register: Register) -> None:
    at = T0 - timedelta(hours=3)
    with register.session() as session:
        writer = HistoryWriter(session)
        writer.put([PortBand(1, "GE0/0/1", at, 1e9, 2e9, 3e9, 4e9), PortBand(1, "GE0/0/2", at, 5, 5, 5, 5)])
        writer.put([PortBand(1, "GE0/0/1", at + timedelta(minutes=5), 1, 2, 3, 4)])
        writer.put([PortBand(1, "GE0/0/1", at, 7, 8, 9, 10)])
        curve = read_curve(session, 1, "GE0/0/1", at, at + timedelta(minutes=10))
        other = read_curve(session, 1, "GE0/0/2", at, at + timedelta(minutes=10))
    assert (curve["in_bps"], curve["out_max_bps"]) == ([7, 1], [10, 4])
    assert other["in_bps"] == [5, None]


def test_silence_is_loss_and_not_a_gap(sqlite: Register) -> None:
    with sqlite.session() as session:
        HistoryWriter(session).put([DeviceBand(1, T0, math.nan, math.nan, math.nan, 1.0, 60)])
        curve = read_curve(session, 1, "", T0, T0 + timedelta(minutes=5))
    assert (curve["rtt_median_seconds"], curve["loss_ratio"]) == ([None], [1.0])


def test_old_days_are_forgotten(register: Register) -> None:
    with register.session() as session:
        HistoryWriter(session).put([DeviceBand(1, T0 - timedelta(days=days), 1, 1, 1, 0, 1) for days in range(10)])
        assert forget(session, retention_start(T0, 7)) == 2
        curve = read_curve(session, 1, "", T0 - timedelta(days=10), T0 + timedelta(minutes=5))
    assert sum(value is not None for value in curve["probes"]) == 8


def test_a_thousand_targets_are_written_at_once(register: Register) -> None:
    with register.session() as session:
        writer = HistoryWriter(session)
        for step in range(2):
            writer.put(
                [DeviceBand(number, T0 + timedelta(minutes=5 * step), 1, 1, 1, 0, number) for number in range(1000)]
            )
        session.commit()
        assert read_curve(session, 999, "", T0, T0 + timedelta(minutes=10))["probes"] == [999, 999]


@given(st.sets(st.integers(0, BANDS - 1)), st.sampled_from([4, 5]))
def test_packing_loses_nothing(present: set[int], columns: int) -> None:
    bands = np.full((BANDS, columns), np.nan, dtype=np.float32)
    for band in present:
        bands[band] = [band + column for column in range(columns)]
    np.testing.assert_array_equal(unpack(pack(bands)), bands)


@pytest.mark.parametrize("packed", [b"", b"\x03" + b"\0" * 40])
def test_other_bytes_are_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="history"):
        unpack(packed)
