"""The state machine: of notices, rules, roster, silences, acknowledgements and time it makes what is to be said to whom.

Time is an argument everywhere. It holds what is open; all that must survive a kill lies in its items (rows of `delivery`), in the
incidents and in the notices, of which `resume` makes it again. What it decided since the last `drain` is to be committed together
with how far the notices were taken.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from collector.telling.roster import listeners
from collector.telling.rules import hushed_until, level_delays, ruling_of, told_at
from collector.telling.values import LEVELS, Ack, Audience, Item, Policy, Remark, Subject, Told, rank

MOST_BEFORE_END = 4
"""Most things said of one cause to one audience before its end: with `resolved` five."""

UPDATE_GAPS_S = (60.0, 300.0, 1800.0)
"""At least this long between what was said and the first, second and third thing after it."""

REVIEW_S = 600.0
"""What is open is looked at again: class hours, exams and nights begin and end."""

GROWN = 1.5
"""An acknowledgement is void when the incident has grown by more than half."""


@dataclass(slots=True)
class Said:
    """What one audience was told in this life of the incident. count: what was said or is on its way."""

    opened: Item
    last_t: float
    count: int = 1
    next: Item | None = None
    """An update that waits."""


@dataclass(slots=True)
class Tale:
    """An open incident. floor: nothing that was held is due before it (a promise that lapsed, a silence that ended, a raised severity)."""

    subject: Subject
    opening: Told
    ack: Ack | None = None
    floor: float = 0.0
    done: set[str] = field(default_factory=set)
    told: dict[Audience, Said] = field(default_factory=dict)
    wake: float | None = None
    ruled: str = ""
    hushed: bool = False

    @property
    def since(self) -> float:
        """From when its delay runs."""
        return self.opening.t if self.opening.event == "reopened" else min(self.subject.from_t, self.opening.t)


@dataclass(slots=True)
class Changes:
    """What was decided. unacked: {incident: since when it had been acknowledged}. severities: {incident: after the rules}."""

    new: list[Item] = field(default_factory=list)
    dropped: list[Item] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    unacked: dict[int, float] = field(default_factory=dict)
    severities: dict[int, str] = field(default_factory=dict)
    closed: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.new or self.dropped or self.remarks or self.unacked or self.severities or self.closed)


class Teller:
    """Decides. One thread."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.tales: dict[int, Tale] = {}
        self._wakes: list[tuple[float, int]] = []
        self._changes = Changes()

    # -- what comes in ---------------------------------------------------------------------------------------------

    def set_policy(self, policy: Policy, now: float) -> None:
        """Other rules, outlets, turns or silences. What nobody could be told of is looked at again at once, the rest when it is due."""
        self.policy = policy
        for tale in self.tales.values():
            if not tale.told:
                tale.done.clear()
            self._wake(tale, now)

    def take(self, told: Told, subject: Subject, now: float) -> None:
        """A notice of the judge, in order, with the incident as it is now."""
        if told.event in ("opened", "reopened"):
            tale = self.tales[subject.id] = Tale(subject, told)
            self._review(tale, now)
            return
        known = self.tales.get(subject.id)
        if known is None:
            return
        self.refresh(subject, now)
        if told.event == "resolved":
            self._end(known, told, now)
        else:
            known.floor = max(known.floor, told.t)
            self._update(known, told, now)
            self._review(known, now)

    def refresh(self, subject: Subject, now: float) -> None:
        """An incident's figures as they are now: what waits says them, and an acknowledgement of something smaller is void."""
        tale = self.tales.get(subject.id)
        if tale is None:
            return
        severity, planned = tale.subject.severity, tale.subject.planned_t
        for one in fields(Subject):
            setattr(tale.subject, one.name, getattr(subject, one.name))
        tale.subject.severity = severity
        if subject.planned_t != planned:
            self._wake(tale, now)
        if tale.ack is not None and _outgrown(tale.ack, subject):
            self._unack(tale, now, "void", {"affected": subject.affected, "root": subject.root})

    def set_acks(self, acks: Mapping[int, Ack], now: float) -> None:
        """All acknowledgements that hold in the register; those that are not there any more were taken back."""
        for number, ack in acks.items():
            tale = self.tales.get(number)
            if tale is not None and (tale.ack is None or tale.ack.t != ack.t or tale.ack.until != ack.until):
                tale.ack = ack
                if _outgrown(ack, tale.subject):
                    self._unack(tale, now, "void", {"affected": tale.subject.affected, "root": tale.subject.root})
                self._wake(tale, now)
        for number, tale in self.tales.items():
            if tale.ack is not None and number not in acks:
                tale.ack, tale.floor = None, max(tale.floor, now)
                self._wake(tale, now)

    def resume(
        self, subject: Subject, opening: Told, items: Iterable[Item], now: float, ack: Ack | None = None
    ) -> None:
        """Go on with an open incident after a start. items: those of this life, in order, but for what was dropped."""
        tale = self.tales[subject.id] = Tale(subject, opening, ack)
        for item in items:
            said = tale.told.get(item.audience)
            if said is None:
                tale.told[item.audience] = Said(item, item.due)
            else:
                said.count += 1
                said.last_t = max(said.last_t, item.due)
                said.next = item if item.status == "waiting" and not item.attempts else None
            if item.level:
                tale.done.add(item.level)
        self._wake(tale, now)

    # -- time ------------------------------------------------------------------------------------------------------

    def next_due(self) -> float | None:
        """When something may fall due next."""
        while self._wakes:
            t, number = self._wakes[0]
            tale = self.tales.get(number)
            if tale is not None and tale.wake == t:
                return t
            heapq.heappop(self._wakes)
        return None

    def advance(self, now: float) -> None:
        """Let time go on to `now`."""
        while (due := self.next_due()) is not None and due <= now:
            _, number = heapq.heappop(self._wakes)
            tale = self.tales[number]
            tale.wake = None
            at = max(due, tale.opening.t)
            if tale.ack is not None and tale.ack.until is not None and tale.ack.until <= now:
                self._lapse(tale, tale.ack.until, now)
            self._review(tale, at if at > now - REVIEW_S else now)

    def drain(self) -> Changes:
        """What was decided since the last call."""
        found, self._changes = self._changes, Changes()
        return found

    # -- decisions -------------------------------------------------------------------------------------------------

    def _review(self, tale: Tale, now: float) -> None:
        """Tell the levels that are due, and come back when the next is."""
        subject, policy = tale.subject, self.policy
        ruling = ruling_of(subject, policy.rules, policy.calendar(subject, now))
        if ruling.severity != tale.ruled:
            if tale.ruled and rank(ruling.severity) > rank(tale.ruled):
                tale.floor = max(tale.floor, now)
            tale.ruled = subject.severity = ruling.severity
            self._changes.severities[subject.id] = ruling.severity
        hushed = hushed_until(subject, policy.hushes, now)
        if hushed is None and tale.hushed:
            tale.floor = max(tale.floor, now)
        tale.hushed = hushed is not None
        if hushed is not None:
            self._wake(tale, min(hushed, now + REVIEW_S))
            return
        delays = level_delays(subject, subject.severity, policy.steps)
        start = tale.since + ruling.delay_s
        wakes, lowest = [now + REVIEW_S], None
        for level in sorted(delays, key=lambda one: (delays[one], LEVELS.index(one))):
            due = max(told_at(start + delays[level], subject, ruling.morning, policy.calendar), tale.opening.t)
            if due > now:
                wakes.append(due)
            elif tale.ack is None or due <= tale.ack.t:
                lowest = level if lowest is None else lowest
                if level not in tale.done:
                    self._tell(tale, level, due, now, escalated=delays[level] > min(delays.values()))
        if lowest is not None and not tale.told:
            self._tell_above(tale, lowest, max(start, tale.opening.t), now)
        if tale.ack is not None and tale.ack.until is not None:
            wakes.append(tale.ack.until)
        self._wake(tale, min(wakes))

    def _tell(self, tale: Tale, level: str, due: float, now: float, escalated: bool) -> None:
        tale.done.add(level)
        subject = tale.subject
        told: list[str] = []
        for audience, name in listeners(self.policy, subject, subject.severity, level, now):
            if audience in tale.told:
                continue
            event = "escalated" if escalated and tale.told else tale.opening.event
            item = self._item(tale, audience, event, max(due, tale.floor), now, level, [tale.opening.id])
            item.contact = name
            tale.told[audience] = Said(item, item.due)
            told.append(name or self.policy.ways[audience[0]].name)
        if escalated and told:
            data = {"level": level, "told": told}
            self._changes.remarks.append(Remark(subject.id, max(due, tale.floor), "escalated", "", data))

    def _tell_above(self, tale: Tale, lowest: str, due: float, now: float) -> None:
        """Where nobody listens at the levels that are due, the nearest above is told: never nobody."""
        for level in [*LEVELS[LEVELS.index(lowest) + 1 :], *reversed(LEVELS[: LEVELS.index(lowest)])]:
            self._tell(tale, level, due, now, escalated=False)
            if tale.told:
                return
            tale.done.discard(level)

    def _update(self, tale: Tale, told: Told, now: float) -> None:
        if hushed_until(tale.subject, self.policy.hushes, now) is None:
            for audience in tale.told:
                self._say_more(tale, audience, "updated", told.id, now)

    def _say_more(self, tale: Tale, audience: Audience, event: str, notice: int, now: float) -> None:
        """One thing more, unless what waits will say it, or too much was said. The last state wins."""
        said = tale.told[audience]
        waiting = next((one for one in (said.opened, said.next) if one is not None and one.status == "waiting"), None)
        if waiting is not None:
            waiting.notices += [notice] if notice else []
            if event == "lapsed" and waiting is said.next:
                waiting.event = event
            return
        if said.count >= MOST_BEFORE_END:
            return
        due = max(now, said.last_t + UPDATE_GAPS_S[min(said.count, len(UPDATE_GAPS_S)) - 1])
        said.next = self._item(tale, audience, event, due, now, said.opened.level, [notice] if notice else [])
        said.next.contact = said.opened.contact
        said.count, said.last_t = said.count + 1, due

    def _end(self, tale: Tale, told: Told, now: float) -> None:
        """Whoever was told is told that it is over, exactly once; what waits beside that is not said any more."""
        for audience, said in tale.told.items():
            if said.next is not None and said.next.status == "waiting" and not said.next.attempts:
                said.next.status, said.next.why = "dropped", "over before it was due"
                self._changes.dropped.append(said.next)
            item = self._item(tale, audience, "resolved", told.t, now, said.opened.level, [told.id])
            item.contact = said.opened.contact
        del self.tales[tale.subject.id]
        self._changes.closed.append(tale.subject.id)

    def _lapse(self, tale: Tale, at: float, now: float) -> None:
        self._unack(tale, at, "lapsed", {})
        for audience in tale.told:
            self._say_more(tale, audience, "lapsed", 0, now)

    def _unack(self, tale: Tale, at: float, kind: str, data: dict[str, object]) -> None:
        assert tale.ack is not None
        self._changes.unacked[tale.subject.id] = tale.ack.t
        self._changes.remarks.append(Remark(tale.subject.id, at, kind, "", {"by": tale.ack.by, **data}))
        tale.ack, tale.floor = None, max(tale.floor, at)
        self._wake(tale, at)

    def _item(
        self, tale: Tale, audience: Audience, event: str, due: float, now: float, level: str, notices: list[int]
    ) -> Item:
        item = Item(audience, tale.subject, event, due, now, tale.opening.id, level, notices)
        self._changes.new.append(item)
        return item

    def _wake(self, tale: Tale, t: float) -> None:
        if tale.wake is not None and tale.wake <= t:
            return
        tale.wake = t
        heapq.heappush(self._wakes, (t, tale.subject.id))


def _outgrown(ack: Ack, subject: Subject) -> bool:
    return subject.affected > GROWN * ack.affected or (ack.root != "" and subject.root != ack.root)
