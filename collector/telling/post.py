"""The post: what waits for each audience, what of it goes in which message, by which way, and when. Pure; time is an argument.

Rates are kept by merging: whatever is due when an outlet may send again goes in one message. A way that fails is tried again after
growing pauses; meanwhile the next way of its chain takes over. Nothing is dropped but what nobody can be told any more.
"""

import heapq
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from collector.telling.values import Audience, Item, Way

FAILS = 3
FAILING_S = 60.0
"""A way is down after so many failures in a row, or when it has failed for so long: the next one takes over."""

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0

OLD_S = 60.0
"""What had to wait longer for its way is told as a summary of the time without it."""

GIVEN_UP_S = 86_400.0
"""What began and ended unsaid so long ago is not said any more."""

MOST_IN_MESSAGE = 20_000
MOST_REMEMBERED = 50_000


@dataclass(slots=True)
class Path:
    """How one outlet fares. free_at: not before it the next message; busy: one is on its way."""

    fails: int = 0
    failing_since: float | None = None
    next_try: float = 0.0
    free_at: float = 0.0
    busy: bool = False
    error: str = ""

    def is_down(self, now: float) -> bool:
        """Whether another way has to take over."""
        return self.failing_since is not None and (self.fails >= FAILS or now - self.failing_since >= FAILING_S)


@dataclass(slots=True)
class Queue:
    """What waits for one audience: ready in order, later by time."""

    ready: list[Item] = field(default_factory=list)
    later: list[tuple[float, int, Item]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message. way: the outlet that it is for; via: the one that sends it. lost_since: since when the way is (was) lost."""

    way: Way
    via: Way
    audience: Audience
    items: tuple[Item, ...]
    lost_since: float | None = None

    @property
    def is_detour(self) -> bool:
        """Whether another outlet sends it."""
        return self.via.id != self.way.id


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message. pause_s: how long the far side asks to be left alone."""

    ok: bool
    answer: str = ""
    pause_s: float = 0.0


def gap_s(way: Way) -> float:
    """Seconds between two messages, so that no 60 s hold more than the outlet takes, wherever they begin."""
    return 60.0 / way.per_minute * 1.01


class Post:
    """Queues and ways. One thread."""

    def __init__(self, not_before: float = 0.0) -> None:
        """not_before: the first message; after a start one gap later, for what went out just before it is not known."""
        self.not_before = not_before
        self.ways: Mapping[int, Way] = {}
        self.paths: dict[int, Path] = {}
        self.queues: dict[Audience, Queue] = {}
        self._count = 0
        self._said: OrderedDict[tuple[Audience, int, int, str], None] = OrderedDict()
        self._spared: list[Item] = []

    def __len__(self) -> int:
        return sum(len(queue.ready) + len(queue.later) for queue in self.queues.values())

    def lengths(self) -> dict[int, int]:
        """Things waiting, by outlet."""
        found = dict.fromkeys(self.ways, 0)
        for (way, _), queue in self.queues.items():
            found[way] = found.get(way, 0) + len(queue.ready) + len(queue.later)
        return found

    # -- what comes in ---------------------------------------------------------------------------------------------

    def set_ways(self, ways: Mapping[int, Way]) -> list[Item]:
        """The outlets in use. What waits for one that is gone is dropped, and given back."""
        self.ways = ways
        dropped = []
        for audience in [one for one in self.queues if one[0] not in ways]:
            queue = self.queues.pop(audience)
            for item in [*queue.ready, *(entry[2] for entry in queue.later)]:
                item.status, item.why = "dropped", "the outlet is gone or disabled"
                dropped.append(item)
        for number in [one for one in self.paths if one not in ways]:
            del self.paths[number]
        return dropped

    def add(self, items: Iterable[Item]) -> None:
        """Things to say."""
        for item in items:
            self._count += 1
            heapq.heappush(self.queues.setdefault(item.audience, Queue()).later, (item.due, self._count, item))

    def path(self, way: int) -> Path:
        """How an outlet fares."""
        return self.paths.setdefault(way, Path(free_at=self.not_before))

    # -- what goes out ---------------------------------------------------------------------------------------------

    def pick(self, now: float) -> list[Parcel]:
        """All messages that may go now. Each takes its items out of the queue and its way; `done` must follow."""
        parcels = []
        for audience in sorted(self._waiting(now), key=lambda one: self.queues[one].ready[0].due):
            way = self.ways[audience[0]]
            via = self._choose(way, now)
            if via is None:
                continue
            queue = self.queues[audience]
            items, queue.ready = queue.ready[:MOST_IN_MESSAGE], queue.ready[MOST_IN_MESSAGE:]
            if via.id != way.id and not via.personal:
                items = self._spare(items, (via.id, 0))
            if not items:
                continue
            for item in items:
                item.status, item.attempts = "claimed", item.attempts + 1
            parcels.append(Parcel(way, via, audience, tuple(items), self._lost_since(way, via, items, now)))
            self.path(via.id).busy = True
        return parcels

    def drain_spared(self) -> list[Item]:
        """What need not be sent by a detour, since those who listen there were told on their own account."""
        found, self._spared = self._spared, []
        return found

    def done(self, parcel: Parcel, outcome: Outcome, now: float) -> None:
        """A message went, or did not: then its items wait again, at the head of their queue."""
        path = self.path(parcel.via.id)
        path.busy = False
        path.free_at = now + gap_s(parcel.via)
        if outcome.ok:
            path.fails, path.failing_since, path.next_try, path.error = 0, None, 0.0, ""
            for item in parcel.items:
                item.status = "sent"
                self._remember(parcel.audience, item)
                if parcel.is_detour:
                    self._remember((parcel.via.id, parcel.audience[1] if parcel.via.personal else 0), item)
            return
        path.fails += 1
        path.failing_since = now if path.failing_since is None else path.failing_since
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(path.fails - 1, 10))
        path.next_try, path.error = now + max(pause, outcome.pause_s), outcome.answer[:300]
        queue = self.queues.setdefault(parcel.audience, Queue())
        for item in parcel.items:
            item.status, item.why = "waiting", path.error
        queue.ready[:0] = parcel.items

    def put_back(self, parcel: Parcel) -> None:
        """A message that was never tried: its items wait as before."""
        self.path(parcel.via.id).busy = False
        for item in parcel.items:
            item.status, item.attempts = "waiting", item.attempts - 1
        self.queues.setdefault(parcel.audience, Queue()).ready[:0] = parcel.items

    def next_due(self, now: float) -> float | None:
        """When something may be sent next; None: nothing waits, or all of it for an answer."""
        times = []
        for audience, queue in self.queues.items():
            due = now if queue.ready else queue.later[0][0] if queue.later else None
            if due is not None and audience[0] in self.ways:
                free = self._free_at(self.ways[audience[0]], max(due, now))
                if free is not None:
                    times.append(free)
        return min(times) if times else None

    def give_up_old(self, now: float) -> list[Item]:
        """Drop what began and ended unsaid more than a day ago; given back."""
        dropped = []
        for queue in self.queues.values():
            old = [item for item in queue.ready if item.due < now - GIVEN_UP_S]
            ended = {(item.subject.id, item.opening) for item in old if item.event == "resolved"}
            begun = {(item.subject.id, item.opening) for item in old if item.event != "resolved"}
            both = ended & begun
            gone = [item for item in old if (item.subject.id, item.opening) in both]
            for item in gone:
                item.status, item.why = "dropped", "unsaid for more than a day, and over"
            dropped += gone
            if gone:
                queue.ready = [item for item in queue.ready if item.status != "dropped"]
        return dropped

    # -- decisions -------------------------------------------------------------------------------------------------

    def _waiting(self, now: float) -> list[Audience]:
        """Audiences with something that is due."""
        found = []
        for audience, queue in list(self.queues.items()):
            while queue.later and queue.later[0][0] <= now:
                item = heapq.heappop(queue.later)[2]
                if item.status != "dropped":
                    queue.ready.append(item)
            if any(item.status == "dropped" for item in queue.ready):
                queue.ready = [item for item in queue.ready if item.status != "dropped"]
            if queue.ready:
                found.append(audience)
            elif not queue.later:
                del self.queues[audience]
        return found

    def _chain(self, way: Way) -> list[Way]:
        chain, seen = [way], {way.id}
        while (following := chain[-1].fallback) is not None and following in self.ways and following not in seen:
            seen.add(following)
            chain.append(self.ways[following])
        return chain

    def _choose(self, way: Way, now: float) -> Way | None:
        """The first way of the chain that is not down; one that is down is tried when its pause is over. None: wait."""
        for one in self._chain(way):
            path = self.path(one.id)
            if path.is_down(now) and (path.next_try > now or path.busy):
                continue
            return None if path.busy or path.next_try > now or path.free_at > now else one
        return None

    def _free_at(self, way: Way, due: float) -> float | None:
        """When what is due at `due` can be sent by some way of the chain; None: a way is busy, its answer comes first."""
        times: list[float] = []
        for one in self._chain(way):
            path = self.path(one.id)
            if path.busy:
                if not path.is_down(due):
                    return None
                continue
            times.append(max(due, path.next_try, path.free_at))
            if not path.is_down(due):
                break
        return min(times) if times else None

    def _lost_since(self, way: Way, via: Way, items: list[Item], now: float) -> float | None:
        since = self.path(way.id).failing_since
        if since is None or (via.id == way.id and now - since < OLD_S):
            return None
        return since if via.id != way.id or any(item.due < now - OLD_S for item in items) else None

    def _spare(self, items: list[Item], own: Audience) -> list[Item]:
        """Items without those that the listeners of a detour were told, or are about to be, on their own account."""
        waiting = {_key(own, item) for item in self.queues[own].ready} if own in self.queues else set()
        left = []
        for item in items:
            key = _key(own, item)
            if key in self._said or key in waiting:
                item.status, item.why = "sent", "the other way's listeners were told on their own account"
                self._spared.append(item)
            else:
                left.append(item)
        return left

    def _remember(self, audience: Audience, item: Item) -> None:
        self._said[_key(audience, item)] = None
        while len(self._said) > MOST_REMEMBERED:
            self._said.popitem(last=False)


def _key(audience: Audience, item: Item) -> tuple[Audience, int, int, str]:
    kind = "opened" if item.event in ("reopened", "escalated") else item.event
    return audience, item.subject.id, item.opening, kind
