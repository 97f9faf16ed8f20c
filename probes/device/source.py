"""Where a device's values come from: an agent over the network, or a recording; read once, kept, never asked twice."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from probes.snmp.ber import COUNTER32, COUNTER64, GAUGE32, INTEGER, OCTET_STRING, OPAQUE, TIME_TICKS, Oid, Value
from probes.snmp.client import NoAnswerError, RefusedError
from probes.snmp.text import decode_text

Column = dict[Oid, Value]
"""Rows of a column: index (the rest of the name) → value."""

NUMERIC_TAGS = frozenset({INTEGER, COUNTER32, GAUGE32, TIME_TICKS, COUNTER64})


class Source(Protocol):
    """What can be asked like one SNMP agent (`probes.snmp.client.SnmpClient`, `probes.device.recording.Recording`)."""

    def get(self, oids: Sequence[Oid]) -> dict[Oid, Value]:
        """The instances that are there. SnmpError where nothing answers."""
        ...

    def walk(self, columns: Sequence[Oid], budget_s: float | None = None) -> dict[Oid, Column]:
        """The rows of columns. NoAnswerError with what was read so far in `args[1]`."""
        ...


class Tables:
    """A device's scalars and columns, read at first use, several in one request, and kept.

    What could not be read within the time is empty, and `incomplete` names it; then nothing more is asked once the device is silent.
    """

    def __init__(self, source: Source, budget_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._end = clock() + budget_s
        self._columns: dict[Oid, Column] = {}
        self._scalars: dict[Oid, Value | None] = {}
        self.incomplete: list[str] = []
        self.silent = False

    def fetch(self, columns: Iterable[Oid] = (), scalars: Iterable[Oid] = (), what: str = "") -> None:
        """Read what is not known yet; `what` stands in `incomplete` where it fails."""
        missing = [oid for oid in dict.fromkeys(scalars) if oid not in self._scalars]
        if missing:
            self._scalars.update(dict.fromkeys(missing))
            self._try(lambda: self._scalars.update(self._source.get(missing)), what)
        unread = [column for column in dict.fromkeys(columns) if column not in self._columns]
        for column in unread:
            self._columns[column] = {}
        if unread:
            self._try(lambda: self._columns.update(self._source.walk(unread, self._left())), what)

    def pass_over(self, columns: Iterable[Oid]) -> None:
        """Never ask for these columns; those that are not known are empty."""
        for column in columns:
            self._columns.setdefault(column, {})

    def _left(self) -> float:
        return max(0.0, self._end - self._clock())

    def _try(self, read: Callable[[], None], what: str) -> None:
        if self.silent or self._left() <= 0:
            self.silent = True
            self._note(what)
            return
        try:
            read()
        except NoAnswerError as error:
            if len(error.args) > 1:
                self._columns.update(error.args[1])
            self._note(what)
            # A table that an agent cannot give is no silence: only when its first scalar fails too is it over.
            if self._left() <= 0 or not self._is_alive():
                self.silent = True
        except RefusedError:
            self._note(what)

    def _note(self, what: str) -> None:
        if what and what not in self.incomplete:
            self.incomplete.append(what)

    def _is_alive(self) -> bool:
        try:
            self._source.get([(1, 3, 6, 1, 2, 1, 1, 3, 0)])
        except NoAnswerError:
            return False
        return True

    def column(self, oid: Oid) -> Column:
        """A column's rows; empty where the device has none."""
        if oid not in self._columns:
            self.fetch([oid])
        return self._columns[oid]

    def scalar(self, oid: Oid) -> Value | None:
        """One instance; None where the device has none."""
        if oid not in self._scalars:
            self.fetch(scalars=[oid])
        return self._scalars[oid]


def number_of(value: Value | None) -> int | None:
    """The number of a numeric value; None for NULL, octets, and what is absent (an OCTET STRING of 8 octets is no counter)."""
    if value is None or value.tag not in NUMERIC_TAGS or not isinstance(value.data, int):
        return None
    return value.data


def text_of(value: Value | None) -> str | None:
    """The text of an OCTET STRING, blanks kept; None for what is none."""
    if value is None or value.tag not in (OCTET_STRING, OPAQUE) or not isinstance(value.data, bytes):
        return None
    return decode_text(value.data)


def raw_of(value: Value) -> str:
    """What the device said, as text: a number, the text of its octets, or an object identifier."""
    if isinstance(value.data, bytes):
        return decode_text(value.data)
    if isinstance(value.data, tuple):
        return ".".join(map(str, value.data))
    return "" if value.data is None else str(value.data)
