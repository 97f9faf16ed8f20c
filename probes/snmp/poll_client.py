"""v1 targets in a reading round: asked one by one, a few threads wide, by `probes.snmp.client`.

Such targets are few (old UPSs, which know no GETBULK). Their answers join the columns of the batch.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from probes.snmp.ber import Oid, Value
from probes.snmp.client import NoAnswerError, SnmpClient, SnmpError
from probes.snmp.oids import IF_COLUMNS, SYS_UPTIME, parse_oid
from probes.snmp.poll_loop import Limits
from probes.snmp.poll_state import COUNTER32, NAME_COLUMNS, NARROW_COLUMNS, SnmpReadings

if TYPE_CHECKING:
    from probes.snmp.poll import SnmpTargets

WORKERS = 16
_COLUMNS = [parse_oid(oid) for _, oid in IF_COLUMNS]
_NARROW = [parse_oid(oid) for _, oid in NARROW_COLUMNS]
_NAMES = [parse_oid(oid) for _, oid in NAME_COLUMNS]
_T = TypeVar("_T")

Rows = dict[int, tuple[int, list[int]]]
"""ifIndex → (present bits, nine values)."""


class _Reading:
    """What one device said."""

    def __init__(self) -> None:
        self.uptime: int | None = None
        self.rows: Rows = {}
        self.complete = False
        self.failure = ""


def read_singly(
    readings: SnmpReadings, targets: "SnmpTargets", members: np.ndarray, limits: Limits, *, walk: bool
) -> SnmpReadings:
    """The readings with those of `members` (int[k]) added."""
    found = _each(targets, members, limits, lambda client: _read(client, walk))
    for number, reading in found.items():
        readings.answered[number] = reading.uptime is not None or bool(reading.rows)
        readings.complete[number] = reading.complete
        readings.uptime[number] = reading.uptime or 0
        readings.values += sum(present.bit_count() for present, _ in reading.rows.values())
        readings.values += reading.uptime is not None
        if reading.failure:
            readings.failures[number] = reading.failure
    if any(reading.rows for reading in found.values()):
        _join(readings, {number: reading.rows for number, reading in found.items()})
    return readings


def names_singly(
    found: dict[int, dict[int, list[bytes]]], targets: "SnmpTargets", members: np.ndarray, limits: Limits
) -> None:
    """Add the names of the ports of `members` to `found`: {target: {ifIndex: [ifName, ifDescr, ifAlias]}}."""

    def read(client: SnmpClient) -> dict[int, list[bytes]]:
        rows: dict[int, list[bytes]] = {}
        for column, values in enumerate(_walk(client, _NAMES)[0]):
            for index, value in values.items():
                if isinstance(value.data, bytes):
                    rows.setdefault(index, [b"", b"", b""])[column] = value.data
        return rows

    found.update(_each(targets, members, limits, read))


def _each(
    targets: "SnmpTargets", members: np.ndarray, limits: Limits, work: Callable[[SnmpClient], _T]
) -> dict[int, _T]:
    def one(number: int) -> _T:
        address, port = targets.addresses[number], targets.ports[number]
        attempts = min(limits.attempts, 3)
        with SnmpClient(
            address, port, targets.credentials[number], timeout_s=limits.deadline_s / (attempts + 1), attempts=attempts
        ) as client:
            client.deadline = time.monotonic() + limits.deadline_s
            return work(client)

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="snmp") as pool:
        done = {int(number): pool.submit(one, int(number)) for number in members}
        results = {}
        for number, future in done.items():
            try:
                results[number] = future.result()
            except (SnmpError, OSError):
                continue
        return results


def _read(client: SnmpClient, walk: bool) -> _Reading:
    reading = _Reading()
    try:
        uptime = client.get([SYS_UPTIME]).get(SYS_UPTIME)
        if uptime is not None and isinstance(uptime.data, int):
            reading.uptime = uptime.data
        if not walk:
            reading.complete = True
            return reading
        columns, whole = _walk(client, _COLUMNS)
        bits, narrow_whole = 0, True
        if columns[0] and not columns[2] and not columns[3]:
            narrow, narrow_whole = _walk(client, _NARROW)
            columns[2], columns[3] = narrow[0], narrow[1]
            megabits = {i: Value(v.tag, v.data // 1_000_000) for i, v in narrow[2].items() if isinstance(v.data, int)}
            columns[8], bits = columns[8] or megabits, COUNTER32
        reading.rows = _rows(columns, bits)
        reading.complete = whole and narrow_whole
    except (SnmpError, OSError) as failure:
        reading.failure = str(failure)
    return reading


def _walk(client: SnmpClient, columns: list[Oid]) -> tuple[list[dict[int, Value]], bool]:
    """Each column as {ifIndex: value}, and whether all came."""
    try:
        found, whole = client.walk(columns), True
    except NoAnswerError as error:
        if len(error.args) < 2:
            raise
        found, whole = error.args[1], False
    return [{index[0]: value for index, value in found[column].items() if len(index) == 1} for column in columns], whole


def _rows(columns: list[dict[int, Value]], bits: int) -> Rows:
    rows: Rows = {}
    for number, column in enumerate(columns):
        for index, value in column.items():
            if not isinstance(value.data, int) or not 0 <= value.data < 1 << 64:
                continue
            present, values = rows.get(index, (0, [0] * len(columns)))
            values[number] = value.data
            rows[index] = present | 1 << number | (bits if number in (2, 3) else 0), values
    return rows


def _join(readings: SnmpReadings, added: dict[int, Rows]) -> None:
    """Put the rows of single devices into their places among the batch's."""
    counts = np.diff(readings.offsets)
    owner = np.repeat(np.arange(len(counts)), counts)
    extra = [(number, index, *rows[index]) for number, rows in sorted(added.items()) for index in sorted(rows)]
    order = np.argsort(np.concatenate((owner, [number for number, *_ in extra])), kind="stable")
    readings.if_index = np.concatenate((readings.if_index, np.array([e[1] for e in extra], np.int32)))[order]
    readings.present = np.concatenate((readings.present, np.array([e[2] for e in extra], np.uint16)))[order]
    readings.columns = np.concatenate((readings.columns, np.array([e[3] for e in extra], np.uint64)))[order]
    for number, rows in added.items():
        counts[number] += len(rows)
    readings.offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
