"""The plain engine's short cut through the answers that nearly all agents give: short lengths, numbers only.

`walk.py` as plain Python takes an answer apart byte by byte, at 2.6 us a value; this looks names up whole, at 1 us. It changes nothing unless
every varbind is of the usual form; all else goes through `walk.py`. The differential tests hold both equal to the compiled engine, which
never comes here (docs/decisions/0010).
"""

from typing import Any

_MOST = bytes({2: 4, 0x41: 4, 0x42: 4, 0x43: 4, 0x46: 8}.get(tag, 0) for tag in range(256))
"""Bytes of a number by its tag, one more where a zero leads."""
_KNOWN_NAMES = 200_000

Cell = tuple[int, int, int]
"""Column, ifIndex, value."""


class Names:
    """What a name on the wire means: column and ifIndex by the bytes of the OID, learnt as they come."""

    def __init__(self, prefixes: list[bytes]) -> None:
        """`prefixes`: BER content of the columns."""
        self.prefixes = prefixes
        self.known: dict[bytes, tuple[int, int]] = {}

    def learn(self, name: bytes) -> tuple[int, int]:
        """(column, ifIndex) of a name, (-1, -1) of all others."""
        found = (-1, -1)
        for column, prefix in enumerate(self.prefixes):
            if prefix and name.startswith(prefix):
                index = index_of(name[len(prefix) :])
                if index > 0:
                    found = (column, index)
        if len(self.known) >= _KNOWN_NAMES:
            self.known.clear()
        self.known[name] = found
        return found


def index_of(suffix: bytes) -> int:
    """The single sub-identifier of these bytes, or -1."""
    if not 1 <= len(suffix) <= 5 or suffix[-1] & 128:
        return -1
    value = 0
    for byte in suffix[:-1]:
        if byte < 128:
            return -1
        value = value << 7 | byte & 127
    value = value << 7 | suffix[-1]
    return value if value <= 0x7FFFFFFF else -1


def read_cells(
    names: Names, data: bytes, at: int, end: int, order: list[int], cursors: list[int]
) -> tuple[list[Cell], int] | None:
    """The varbinds in `data[at:end]` as (cells, columns that ended: a mask), or None where any has an unusual form.

    `order`: the columns asked, as they follow each other; `cursors`: the last ifIndex of each column, moved on here.
    """
    known, most, learn = names.known, _MOST, names.learn
    cells: list[Cell] = []
    keep, turn, last, ended, from_bytes = cells.append, 0, len(order), 0, int.from_bytes
    while at < end:
        place = at + 4 + data[at + 3]
        first = place + 2
        length = data[place + 1]
        stop = first + length
        size = data[at + 1]
        if size > 127 or stop - at - 2 != size or data[at] != 0x30 or data[at + 2] != 6 or stop > end:
            return None
        name = data[at + 4 : place]
        column, index = known.get(name) or learn(name)
        due = order[turn]
        turn += 1
        if turn == last:
            turn = 0
        at = stop
        if column != due or index <= cursors[due] or ended >> due & 1:
            if column == due and not ended >> due & 1:
                return None  # a name that does not increase: walk.py counts it
            ended |= 1 << due
            continue
        tag = data[place]
        if tag > 127:
            ended |= 1 << due
            continue
        cursors[due] = index
        limit = most[tag]
        if not limit or not length or (tag == 2 and data[first] > 127):
            return None
        if length > limit and (length != limit + 1 or tag == 2 or data[first]):
            return None
        keep((due, index, from_bytes(data[first:stop], "big")))
    return cells, ended


def divide_scalars(data: bytes, at: int, end: int, count: int, cells: Any) -> int:
    """Note in `cells` (as `walk._divide` does) where the first `count` varbinds lie; returns where the next begins, -1 where they are unusual."""
    try:
        for k in range(count):
            size, place = data[at + 1], at + 4 + data[at + 3]
            stop = at + 2 + size
            if size > 127 or data[at] != 0x30 or data[at + 2] != 6 or place + 2 + data[place + 1] != stop or stop > end:
                return -1
            cells[k * 5], cells[k * 5 + 1], cells[k * 5 + 2] = at + 4, data[at + 3], data[place]
            cells[k * 5 + 3], cells[k * 5 + 4] = place + 2, data[place + 1]
            at = stop
    except IndexError:
        return -1
    return at


def absorb(walk: Any, device: int, data: bytes, at: int, end: int, asked: int) -> bool:
    """Take the varbinds in as `Walk._apply` does; False, and nothing done, where they are not of the usual form."""
    order = [column for column in range(9) if asked >> column & 1]
    if asked >> 9 or walk.ended[device] & asked or not order:
        return False
    cursors = [walk.cursors[device, column] for column in range(9)]
    try:
        found = read_cells(walk.plain_names, data, at, end, order, cursors)
    except IndexError:
        return False
    if found is None or not found[0]:
        return False
    cells, ended = found
    if walk.count[device] + len(cells) > 4096:
        return False  # perhaps too many ports: walk.py counts them
    seen = row = -1
    flat, present, mask = walk.plain_values, walk.row_present, 0
    for column, index, value in cells:
        if index != seen:
            if seen >= 0:
                present[row] |= mask
            row, seen, mask = walk._row(device, index), index, 0
        flat[row * 9 + column] = value
        mask |= 1 << column
    present[row] |= mask
    if asked & 12 and any(column in (2, 3) for column, _, _ in cells):
        walk.wide[device] = 1
    for column in order:
        walk.cursors[device, column] = cursors[column]
    walk.tally[1] += len(cells)
    walk.ended[device] |= ended
    if cells and not walk.dialect[device]:
        walk.proven[device] = 1
    return True
