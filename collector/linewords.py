"""The word on a line, from all that is known of it: its ports, its addresses, and the way that the school takes. Pure.

Where a line has nothing but a port that it ends on, the judge has that port's word itself (REPLAY.md, `port`); else what is said here is
the word of a port of the line's own, ("line:45", "word").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Word = Literal["up", "down"]

WORD = "word"
"""Name of the port of a line's own."""


@dataclass
class LineFacts:
    """What was last heard. Addresses say nothing until they have answered once: a carrier's router may be deaf to pings.

    way: whether the school's gateway takes this line, as it last said; was_way: it has taken it before.
    """

    backup: bool = False
    ports: dict[tuple[str, str], bool] = field(default_factory=dict)
    near: bool | None = None
    far: bool | None = None
    way: bool | None = None
    was_way: bool = False

    def hear_address(self, near: bool, answered: bool) -> None:
        """An address was pinged."""
        name = "near" if near else "far"
        if answered or getattr(self, name) is not None:
            setattr(self, name, answered)

    def hear_way(self, mine: bool) -> None:
        """The gateway has told by which way it sends."""
        self.way, self.was_way = mine, self.was_way or mine

    def word(self, gateway_up: bool | None) -> Word | None:
        """What follows; None: nothing new, the word before stands. gateway_up: whether the school's gateway answers; None: nobody knows.

        The school's own address on the line answers: it is up, whatever a port says. A port down, or the gateway there by another way
        while this line's address is not: down. The gateway sends by it: up. It has left the line for another one: down, unless it is
        the backup, which is left whenever the primary comes back.
        """
        if self.near:
            return "up"
        if False in self.ports.values():
            return "down"
        if gateway_up:
            if self.near is False:  # seconds old; a way is a minute old, and tables list routes of dead links
                return "down"
            if self.way is not None and (self.way or (self.was_way and not self.backup)):
                return "up" if self.way else "down"
        if self.far is False:
            return "down"
        return "up" if self.ports or self.far else None


class LineBook:
    """Facts by line, of those that have a word of their own."""

    def __init__(self) -> None:
        self.lines: dict[int, LineFacts] = {}

    def follow(self, backups: Mapping[int, bool]) -> None:
        """Another plan's lines: {line: whether it is a backup}; what is known of those that remain stays."""
        before, self.lines = self.lines, {}
        for line, backup in backups.items():
            facts = before.get(line, LineFacts())
            facts.backup = backup
            self.lines[line] = facts
