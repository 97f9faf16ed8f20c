"""Vantage points in the judge's process: what they are given, what they hand in, how they fare.

`answer_*` are called by the threads of the socket, and take the clock and the parts alone; the rest belongs to the judge's thread.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from collector.plan import Plan
from collector.report import RoundReport
from collector.rounds.messages import ShardRound
from collector.vantage.merging import Merging
from collector.vantage.part import Part, VantageRow, part_of
from collector.vantage.words import LATE_S, Hearsay, read_bundle
from inventory.database import Register
from inventory.models import VantagePoint, Zone, table

PARTS_KEPT = 6
"""Parts of each vantage point that reports may still speak of."""

UP_S = 30.0
"""A vantage point that has handed nothing in for so long is not up."""


@dataclass(frozen=True)
class VantageRows:
    """The vantage points that count, as the register has them."""

    rows: tuple[VantageRow, ...]


@dataclass(frozen=True)
class VantageRound:
    """Checked reports of one vantage point, on their way to the judge's thread."""

    number: int
    reports: tuple[Hearsay, ...]


@dataclass
class Fare:
    """How one vantage point fares. reported_at, asked_at: when it last handed in, and last asked for its part (None: not since this start)."""

    name: str
    reported_at: float | None = None
    asked_at: float | None = None
    reports: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    detail: dict[str, Any] = field(default_factory=dict)


def read_vantages(register: Register) -> tuple[VantageRow, ...]:
    """The vantage points in use."""
    point, zone = table(VantagePoint), table(Zone)
    statement = (
        select(point.c.id, point.c.name, zone.c.name, point.c.references)
        .join(zone, zone.c.id == point.c.zone_id, isouter=True)
        .where(point.c.enabled)
        .order_by(point.c.id)
    )
    with register.engine.connect() as connection:
        return tuple(
            VantageRow(number, name, of, tuple(word for word in references.split(",") if word))
            for number, name, of, references in connection.execute(statement)
        )


class VantageDesk:
    """All vantage points. hand_in: puts a VantageRound before the judge's thread."""

    def __init__(self, clock: Callable[[], float], every: float, hand_in: Callable[[VantageRound], None]) -> None:
        self._clock, self._every, self._hand_in = clock, every, hand_in
        self._lock = threading.Lock()
        self._parts: dict[int, OrderedDict[str, Part]] = {}
        self.fares: dict[int, Fare] = {}
        self.rows: tuple[VantageRow, ...] = ()
        self.merging = Merging()
        self._plan: Plan | None = None
        self._here: dict[tuple[str, str, int], tuple[str, ...]] = {}

    # -- the plan's thread

    def prepare(self, plan: Plan, rows: Sequence[VantageRow]) -> None:
        """Another plan, or other vantage points: what each is given."""
        parts = {row.id: part_of(plan, row, self._every) for row in rows}
        with self._lock:
            for row in rows:
                kept = self._parts.setdefault(row.id, OrderedDict())
                kept[parts[row.id].name] = parts[row.id]
                kept.move_to_end(parts[row.id].name)
                while len(kept) > PARTS_KEPT:
                    kept.popitem(last=False)
                self.fares.setdefault(row.id, Fare(row.name)).name = row.name
            for gone in set(self._parts) - {row.id for row in rows}:
                del self._parts[gone]
                self.fares.pop(gone, None)

    # -- the socket's threads

    def answer_part(self, number: int, have: str) -> dict[str, Any] | None:
        """The part of a vantage point, or only its name where it has it already. None: it is not known (any more)."""
        with self._lock:
            kept = self._parts.get(number)
            part = next(reversed(kept.values())) if kept else None
            if part is not None:
                self.fares[number].asked_at = self._clock()
        if part is None:
            return None
        return {"now": self._clock(), "name": part.name, "part": None if have == part.name else part.as_value()}

    def answer_reports(self, number: int, value: Any) -> dict[str, Any] | None:
        """Take a bundle in. None: the vantage point is not known. Raises WrongBundleError."""
        with self._lock:
            parts = dict(self._parts.get(number, {}))
            fare = self.fares.get(number)
        if fare is None or not parts:
            return None
        now = self._clock()
        bundle = read_bundle(value, fare.name, parts, now)
        with self._lock:
            fare.reported_at = now
            fare.reports += len(bundle.reports)
            fare.refused += bundle.refused
            fare.detail = dict(bundle.detail)
        if bundle.reports:
            self._hand_in(VantageRound(number, bundle.reports))
        return {
            "now": self._clock(),
            "name": next(reversed(parts)),
            "taken": len(bundle.reports),
            "refused": dict(bundle.refused),
        }

    # -- the judge's thread

    def follow(self, plan: Plan) -> None:
        """The judge follows this plan now, with the rows that came before it."""
        self._plan = plan
        self._here = {}
        self.merging.follow(row.id for row in self.rows)

    def merge(self, message: VantageRound) -> list[RoundReport]:
        """What the judge is told of a vantage point's reports."""
        if message.number not in {row.id for row in self.rows}:
            return []  # taken away meanwhile
        now, told = self._clock(), []
        for said in message.reports:
            report = self.merging.take(message.number, said, self._ids_of(message.number, said), now)
            if report is not None:
                told.append(report)
        return told

    def saw(self, message: ShardRound) -> bool:
        """Whether a vantage point saw the shard of a round of our own on its tick."""
        plan = self._plan
        if plan is None or message.version != plan.version or message.tick < 0:
            return False
        return bool(self.merging.seen_by(plan.targets.zones[message.zone].name, message.shard, message.tick))

    def _ids_of(self, number: int, said: Hearsay) -> tuple[str, ...]:
        """The ids of a report's part and shard that the plan still asks; the same tuple for the plan's whole life."""
        key = (said.part, said.report.zone, said.report.shard)
        if key not in self._here:
            with self._lock:
                kept = self._parts.get(number)
                part = kept.get(said.part) if kept is not None else None
            plan = self._plan
            shard = part.by_key.get((said.report.zone, said.report.shard)) if part is not None else None
            if plan is None or shard is None:
                return ()
            index, target = plan.node_index, plan.node_target
            self._here[key] = tuple(node for node in shard.ids if node in index and target[index[node]] >= 0)
        return self._here[key]

    def hold(self, message: ShardRound) -> bool:
        """Whether a round of our own waits for the vantage points' words."""
        plan = self._plan
        if plan is None or not self.rows or message.self_ok or message.version != plan.version:
            return False
        return self.merging.hold(message, plan.targets.zones[message.zone].name, self._clock())

    def due(self) -> list[ShardRound]:
        """Rounds of our own whose waiting is over."""
        now = self._clock()
        self.merging.forget(now - LATE_S - 30.0)
        return self.merging.due(now)

    # -- what people see

    def detail(self) -> dict[str, Any]:
        """{id: how it fares}, for `feed`, the pages and the metrics."""
        now = self._clock()
        return {str(row.id): self._fare(row, now) for row in list(self.rows)}

    def _fare(self, row: VantageRow, now: float) -> dict[str, Any]:
        fare = self.fares.get(row.id, Fare(row.name))
        heard = self.merging.heard.get(row.id)
        blind = sorted(zone for zone, is_blind in dict(heard.blind).items() if is_blind) if heard is not None else []
        age = None if fare.reported_at is None else max(0.0, now - fare.reported_at)
        return {
            "name": row.name,
            "up": age is not None and age <= max(UP_S, 3 * self._every),
            "reported_at": fare.reported_at,
            "age_s": None if age is None else round(age, 1),
            "reports": fare.reports,
            "refused": dict(fare.refused),
            "blind": blind,
            "sees": sorted(zone for zone in (heard.good_at if heard is not None else ()) if row.id in self.merging.speaking(zone, now, self._every)),
            **fare.detail,
        }  # fmt: skip
