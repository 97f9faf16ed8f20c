"""Which port is which: names that survive a renumbering of ifIndex (RFC 2863, 3.1.5). Pure.

A port is known by its ifName; where that is empty or another port of the device has the same, by its ifDescr; then by
`#ifIndex`, which promises nothing over a restart.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

MAX_NAME = 120
"""Characters of a port's name that are kept (the register's column)."""


class PortName(NamedTuple):
    """A port by the name that it is known by, with what else it says of itself."""

    if_index: int
    name: str
    descr: str
    alias: str


def name_ports(told: Mapping[int, tuple[str, str, str]]) -> list[PortName]:
    """Ports in order of ifIndex, each with a name that no other has. told: ifIndex -> (ifName, ifDescr, ifAlias)."""
    clean = {index: tuple(_clean(text) for text in texts) for index, texts in told.items()}
    names = Counter(texts[0] for texts in clean.values())
    descrs = Counter(texts[1] for texts in clean.values())
    chosen = {i: name for i, (name, _, _) in clean.items() if name and names[name] == 1}
    taken = set(chosen.values())
    for index, (_, descr, _) in clean.items():
        if index not in chosen:
            unique = descr and descrs[descr] == 1 and descr not in taken
            chosen[index] = descr if unique else f"#{index}"
    return [PortName(i, chosen[i], clean[i][1], clean[i][2]) for i in sorted(clean)]


def renumbered(old: Mapping[int, str], new: Mapping[int, str]) -> dict[str, tuple[int, int]]:
    """Ports that kept their name but got another ifIndex: name -> (old, new). Both: ifIndex -> name."""
    before = {name: index for index, name in old.items()}
    return {name: (before[name], index) for index, name in new.items() if name in before and before[name] != index}


def _clean(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())[:MAX_NAME]
