"""Recordings of devices in the snmprec form (`OID|tag|value`): read as a source, written by `edunet probe device --walk`."""

import bisect
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from probes.snmp.ber import (
    COUNTER64,
    INTEGER,
    IP_ADDRESS,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OPAQUE,
    UNSIGNED,
    Oid,
    Value,
)
from probes.snmp.oids import format_oid, parse_oid
from probes.snmp.text import is_printable


class Recording:
    """A device as it answered once. Lines that hold no value (redacted by hand) are left out and counted in `bad_lines`."""

    def __init__(self, values: dict[Oid, Value], bad_lines: int = 0) -> None:
        self.values = values
        self.bad_lines = bad_lines
        self._names = sorted(values)

    @classmethod
    def load(cls, path: Path) -> "Recording":
        """Read a file; where a name comes twice the first counts."""
        values: dict[Oid, Value] = {}
        bad = 0
        for line in path.read_bytes().split(b"\n"):
            parts = line.split(b"|", 2)
            if len(parts) < 3:
                continue
            try:
                oid = parse_oid(parts[0].decode("ascii"))
                value = parse_value(parts[1].decode("ascii"), parts[2].rstrip(b"\r"))
            except ValueError:
                bad += 1
                continue
            values.setdefault(oid, value)
        return cls(values, bad)

    def get(self, oids: Sequence[Oid]) -> dict[Oid, Value]:
        """See `probes.device.source.Source`."""
        return {oid: self.values[oid] for oid in oids if oid in self.values}

    def walk(self, columns: Sequence[Oid], budget_s: float | None = None) -> dict[Oid, dict[Oid, Value]]:
        """See `probes.device.source.Source`."""
        return {column: dict(self._rows(column)) for column in columns}

    def _rows(self, column: Oid) -> Iterable[tuple[Oid, Value]]:
        at = bisect.bisect_right(self._names, column)
        while at < len(self._names) and self._names[at][: len(column)] == column:
            yield self._names[at][len(column) :], self.values[self._names[at]]
            at += 1


def parse_value(tag: str, text: bytes) -> Value:
    """The value of a line's tag (`4`, `4x`, `4e`, `65` ...) and text. ValueError where the text is none of its type."""
    found = re.fullmatch(r"(\d+)([xe]?)", tag)
    if not found:
        raise ValueError(f"tag {tag!r}")
    number, how = int(found[1]), found[2]
    if how == "x":
        octets = bytes.fromhex(text.decode("ascii"))
    elif how == "e":
        octets = text.decode("latin-1").encode().decode("unicode_escape").encode("latin-1")
    else:
        octets = text
    if number in (OCTET_STRING, OPAQUE):
        return Value(number, octets)
    if number == NULL:
        return Value(number, None)
    if number == IP_ADDRESS:
        return Value(number, octets if how == "x" else _parse_address(text))
    if number == OBJECT_IDENTIFIER:
        return Value(number, parse_oid(text.decode("ascii")) if text.strip() else ())
    if number == INTEGER:
        return Value(NULL, None) if not text.strip() else Value(number, int(text))
    if number in UNSIGNED:
        bits = 64 if number == COUNTER64 else 32
        return Value(number, int(text or b"0") % (1 << bits))
    raise ValueError(f"tag {tag!r}")


def _parse_address(text: bytes) -> bytes:
    parts = text.decode("ascii").strip().split(".")
    if len(parts) != 4:
        raise ValueError(f"address {text!r}")
    return bytes(int(part) for part in parts)


def format_line(oid: Oid, value: Value) -> str:
    """One line of a recording; octets that are no plain ASCII are written as hex."""
    data = value.data
    if isinstance(data, bytes):
        if value.tag == IP_ADDRESS and len(data) == 4:
            return f"{format_oid(oid)}|{value.tag}|{'.'.join(map(str, data))}"
        if value.tag == OCTET_STRING and (not data or (is_printable(data) and b"\0" not in data and data.isascii())):
            text = data.decode("ascii")
            if "\n" not in text and "\r" not in text:
                return f"{format_oid(oid)}|{value.tag}|{text}"
        return f"{format_oid(oid)}|{value.tag}x|{data.hex()}"
    if isinstance(data, tuple):
        return f"{format_oid(oid)}|{value.tag}|{format_oid(data)}"
    return f"{format_oid(oid)}|{value.tag}|{'' if data is None else data}"


def write_recording(path: Path, values: dict[Oid, Value]) -> None:
    """Write a recording, sorted by name, as snmpsim and `miniagent` read it."""
    path.write_text("".join(format_line(oid, values[oid]) + "\n" for oid in sorted(values)), encoding="ascii")
