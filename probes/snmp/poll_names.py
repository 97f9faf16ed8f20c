"""Names of ports by the batch: ifName, ifDescr and ifAlias (RFC 2863), asked now and then, not every round."""

from typing import TYPE_CHECKING

import numpy as np

from probes import engine as engines
from probes.snmp.poll_loop import Lane, Limits, RoundLoop
from probes.snmp.poll_state import DONE, NAME_COLUMNS, NOTHING, oid_bytes
from probes.snmp.text import decode_text

if TYPE_CHECKING:
    from probes.snmp.poll import SnmpPoller, SnmpTargets

_OCTET_STRING = 4
_COLUMNS = len(NAME_COLUMNS)
_PREFIXES = tuple(oid_bytes(oid) for _, oid in NAME_COLUMNS)
_MOST_PORTS = 4096


class NameLoop(RoundLoop):
    """A round whose answers are strings: kept as bytes by device, ifIndex and column."""

    found: dict[int, dict[int, list[bytes]]]

    def take(self, lane: Lane, count: int, now: float) -> None:
        """Read the varbinds of `count` packets; what is not a string in one of the columns ends that column."""
        channel, decode = lane.channel, engines.load("walk").decode
        answered = []
        for i in range(count):
            length = channel.into_lengths[i]
            if length < 0:
                continue
            packet = bytes(channel.into[i * channel.size : i * channel.size + length])
            device = self.walk.admit(packet, bytes(channel.sources[i * 28 : i * 28 + 28]), self._us(now))
            if device < 0:
                continue
            answered.append(device)
            message = decode(packet)
            if message is not None and message[4] == 0:
                self._keep(device, [(oid, tag, content) for oid, tag, content, _ in message[6]])
        self.follow(lane, np.array(answered, np.int32), now)

    def _keep(self, device: int, varbinds: list[tuple[bytes, int, bytes]]) -> None:
        arrays = self.arrays
        asked, ended = int(arrays.asked[device]), int(arrays.ended[device])
        order = [column for column in range(_COLUMNS) if asked >> column & 1]
        rows = self.found.setdefault(device, {})
        if not varbinds:
            ended |= asked
        for place, (oid, tag, content) in enumerate(varbinds):
            column = order[place % len(order)]
            if ended >> column & 1:
                continue
            index = _index_of(oid, _PREFIXES[column]) if tag < 0x80 else -1
            if index <= arrays.cursors[device, column] or len(rows) >= _MOST_PORTS:
                ended |= 1 << column
                continue
            arrays.cursors[device, column] = index
            if tag == _OCTET_STRING:
                rows.setdefault(index, [b""] * _COLUMNS)[column] = content
        arrays.ended[device] = ended
        if ended == NOTHING:
            arrays.state[device] = DONE


def _index_of(oid: bytes, prefix: bytes) -> int:
    """The one sub-identifier behind the prefix, or -1."""
    rest = oid[len(prefix) :]
    if not oid.startswith(prefix) or not 1 <= len(rest) <= 5:
        return -1
    if rest[-1] & 128 or any(not byte & 128 for byte in rest[:-1]):
        return -1
    value = 0
    for byte in rest:
        value = value << 7 | byte & 127
    return value if value <= 0x7FFFFFFF else -1


def read_names(
    poller: "SnmpPoller", targets: "SnmpTargets", members: np.ndarray, limits: Limits
) -> list[dict[int, tuple[str, str, str]]]:
    """Of each target {ifIndex: (ifName or else ifDescr, ifDescr, ifAlias)}; empty where nobody was asked or nothing came."""
    arrays, pace = poller.arrays(targets), targets.pace
    arrays.ended[:] = NOTHING & ~((1 << _COLUMNS) - 1)
    arrays.repetitions[:] = pace.rows()
    arrays.width[:] = np.minimum(pace.width, _COLUMNS)
    lanes = poller.lanes(targets, members, limits)
    clock = poller.clock([lane.channel for lane in lanes])
    loop = NameLoop(poller.walk(arrays, NAME_COLUMNS), arrays, lanes, limits, clock, pace.pauses_s())
    loop.found = {}
    loop.run()
    return [_decode(loop.found.get(number, {})) for number in range(len(targets))]


def _decode(rows: dict[int, list[bytes]]) -> dict[int, tuple[str, str, str]]:
    named = {}
    for index in sorted(rows):
        name, description, alias = (decode_text(content) for content in rows[index])
        named[index] = (name or description, description, alias)
    return named
