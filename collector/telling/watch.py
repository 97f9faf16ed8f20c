"""Figures of the sending: counts and delays for the metrics, and the health of outlets for their page."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session

from collector.telling.post import Outcome, Parcel, Post
from inventory.models import Outlet, table

BUCKETS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
"""Seconds: upper bounds of the delays' histogram."""

NOTED = timedelta(seconds=30)


@dataclass
class Counts:
    """Since the start, by outlet. delays: how many fell into each bucket, the last is beyond all; sums of seconds."""

    messages: Counter[int] = field(default_factory=Counter)
    failures: Counter[int] = field(default_factory=Counter)
    detours: Counter[int] = field(default_factory=Counter)
    delays: dict[int, list[int]] = field(default_factory=dict)
    delay_sums: dict[int, float] = field(default_factory=dict)
    last_delay_s: float = 0.0
    alive: dict[int, date] = field(default_factory=dict)

    def sent(self, parcel: Parcel, delays: list[float]) -> None:
        """A message went."""
        self.messages[parcel.via.id] += 1
        self.detours[parcel.way.id] += int(parcel.is_detour)
        buckets = self.delays.setdefault(parcel.way.id, [0] * (len(BUCKETS) + 1))
        for delay in delays:
            buckets[bisect_left(BUCKETS, delay)] += 1
        self.delay_sums[parcel.way.id] = self.delay_sums.get(parcel.way.id, 0.0) + sum(delays)
        self.last_delay_s = max(delays, default=0.0)

    def failed(self, parcel: Parcel) -> None:
        """A message did not go."""
        self.failures[parcel.via.id] += 1

    def shown(self, names: dict[int, str]) -> dict[str, Any]:
        """By the outlets' names."""

        def name(way: int) -> str:
            return names.get(way, str(way))

        return {
            "messages": {name(way): count for way, count in self.messages.items()},
            "failures": {name(way): count for way, count in self.failures.items()},
            "detours": {name(way): count for way, count in self.detours.items() if count},
            "delays": {name(way): list(buckets) for way, buckets in self.delays.items()},
            "delay_sums": {name(way): round(total, 3) for way, total in self.delay_sums.items()},
            "last_delay_s": round(self.last_delay_s, 3),
        }


class Health:
    """How outlets fare, in their rows: what goes well is noted at most every half minute, what fails each time."""

    def __init__(self) -> None:
        self._noted: dict[int, datetime] = {}

    def note(self, session: Session, outlet: int, outcome: Outcome, now: datetime) -> None:
        """The outcome of one message."""
        row = table(Outlet)
        if not outcome.ok:
            self._noted.pop(outlet, None)
            since = session.connection().execute(select(row.c.failing_since).where(row.c.id == outlet)).scalar()
            values = {"last_error_at": now, "last_error": outcome.answer[:300], "failing_since": since or now}
        elif now - self._noted.get(outlet, now - 2 * NOTED) < NOTED:
            return
        else:
            self._noted[outlet] = now
            values = {"last_ok_at": now, "failing_since": None}
        session.connection().execute(update(row).where(row.c.id == outlet).values(**values))

    def down(self, post: Post, now: float) -> list[int]:
        """Outlets that do not work now."""
        return [way for way, path in list(post.paths.items()) if path.is_down(now)]
