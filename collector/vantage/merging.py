"""What the judge is told of several collectors' words on one tick. Pure: no clock, no I/O.

A blind word of our own is held back while a vantage point still speaks, until it has spoken of the tick, or for a moment: else every node would be unknown and
known again on each tick. A blind word of a vantage point is never told: it counts for nothing.

A vantage point's silence counts only of what it has heard before: what never answered there (ping filtered, another carrier's wall) is not silent, but out of
its sight. That is remembered here, not there, so that a vantage point that was started anew goes on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from collector.report import RoundReport
from collector.rounds.messages import ShardRound
from collector.vantage.words import Hearsay

Tick = tuple[str, int, int]
"""(zone, shard, tick)"""

SPEAKS_ROUNDS = 3.0
"""A vantage point speaks of a zone where its last good report is at most so many rounds old."""


@dataclass
class Heard:
    """What one vantage point has been heard of: by id, for as long as it is the same row."""

    answered: set[str] = field(default_factory=set)
    good_at: dict[str, float] = field(default_factory=dict)
    """zone -> t of its last good report"""
    blind: dict[str, bool] = field(default_factory=dict)
    """zone -> whether its last report was blind"""
    proven: dict[tuple[str, int], tuple[tuple[str, ...], frozenset[str], tuple[str, ...]]] = field(default_factory=dict)
    """(zone, shard) -> (ids, those out of its sight, the rest): the rest is the same tuple while nothing changes, for the judge knows it by that"""


@dataclass(frozen=True)
class Held:
    """A blind round of our own that waits. tick: whose other words it waits for."""

    message: ShardRound
    zone: str
    until: float


class Merging:
    """One thread only. `now` is the judge's time."""

    def __init__(self) -> None:
        self.heard: dict[int, Heard] = {}
        self._seen: dict[Tick, dict[int, float]] = {}
        self._held: dict[Tick, Held] = {}

    def follow(self, ids: Iterable[int]) -> None:
        """These are the vantage points; what others said is forgotten."""
        wanted = set(ids)
        self.heard = {number: of for number, of in self.heard.items() if number in wanted}

    # -- what vantage points say

    def take(self, number: int, said: Hearsay, ids: tuple[str, ...], now: float) -> RoundReport | None:
        """What the judge is told of a report; None: nothing. ids: the part's shard, as far as the plan still has it (the same tuple each time).

        The same report again is nothing.
        """
        report = said.report
        assert report.tick is not None
        key = (report.zone, report.shard, report.tick)
        mine = self.heard.setdefault(number, Heard())
        if number in self._seen.get(key, ()):
            return None
        newest = mine.good_at.get(report.zone, float("-inf"))
        if report.t >= newest:
            mine.blind[report.zone] = not report.self_ok
        if not report.self_ok:
            return None
        mine.good_at[report.zone] = max(newest, report.t)
        self._seen.setdefault(key, {})[number] = report.t
        asked = ids if said.asked is None else tuple(sorted(set(said.asked).intersection(ids)))
        silent = set(report.silent)
        mine.answered.update(node for node in asked if node not in silent)
        unproven = silent - mine.answered
        if unproven:
            asked = _within_sight(mine, (report.zone, report.shard), asked, frozenset(unproven))
        if silent:
            silent = silent.intersection(asked)
        return replace(report, asked=asked, silent=sorted(silent)) if asked else None

    def seen_by(self, zone: str, shard: int, tick: int) -> tuple[int, ...]:
        """The vantage points that saw a shard on a tick."""
        return tuple(self._seen.get((zone, shard, tick), ()))

    def speaking(self, zone: str, now: float, every: float) -> list[int]:
        """The vantage points that see a zone now."""
        return [
            number
            for number, of in self.heard.items()
            if not of.blind.get(zone, True) and now - of.good_at.get(zone, float("-inf")) <= SPEAKS_ROUNDS * every
        ]

    # -- what our own rounds say

    def hold(self, message: ShardRound, zone: str, now: float) -> bool:
        """Whether a round of our own has to wait: a blind one of which a vantage point may still speak."""
        if message.self_ok or message.tick < 0 or message.kind != "liveness":
            return False
        key = (zone, message.shard, message.tick)
        if key in self._seen or not self.speaking(zone, now, message.every):
            return False
        self._held[key] = Held(message, zone, now + message.every)
        return True

    def due(self, now: float) -> list[ShardRound]:
        """Rounds of our own that have waited long enough, or of whose tick a vantage point has spoken."""
        ready = [key for key, held in self._held.items() if key in self._seen or held.until <= now]
        return [self._held.pop(key).message for key in ready]

    def forget(self, before: float) -> None:
        """Ticks that nobody may speak of any more."""
        if len(self._seen) > 64:
            self._seen = {key: by for key, by in self._seen.items() if max(by.values()) >= before}


def _within_sight(of: Heard, key: tuple[str, int], asked: tuple[str, ...], unproven: frozenset[str]) -> tuple[str, ...]:
    ids, out, rest = of.proven.get(key, ((), frozenset(), ()))
    if ids is not asked or out != unproven:
        rest = tuple(node for node in asked if node not in unproven)
        of.proven[key] = (asked, unproven, rest)
    return rest
