"""A world to try the teller in: policies, subjects, and a run on virtual time with outlets that fail and kills between any two steps."""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from collector.telling.post import Outcome, Parcel, Post, gap_s
from collector.telling.teller import Teller
from collector.telling.values import Ack, Item, Policy, Rule, Step, Subject, Told, Way

COUNTY = "/14/1401/140105/"

RULES = (
    Rule("places", classes=frozenset({"core", "city", "county"}), delay_s=0),
    Rule("schools", classes=frozenset({"school"}), delay_s=180, night="morning"),
)
STEPS = (Step("county"), Step("city", "minor", 1800), Step("city", "major", 0), Step("province", "minor", 7200))
WAYS = {
    1: Way(1, "county", "wecom", path=COUNTY, level="county"),
    2: Way(2, "city", "dingtalk", path="/14/1401/", level="city"),
    3: Way(3, "province", "mail"),
}
POLICY = Policy(RULES, STEPS, WAYS)


def subject(number: int = 1, cls: str = "school", **more: object) -> Subject:
    """A school of 800 pupils under a county, cut off since t = 0."""
    given: dict[str, object] = {
        "cls": cls,
        "base": "minor" if cls == "school" else "major",
        "name": f"n{number}",
        "root": f"device:{number}",
        "nodes": (f"device:{number}",),
        "path": COUNTY,
        "affected": 1,
        "schools": 1,
        "pupils": 800,
        **more,
    }
    return Subject(id=number, **given)  # type: ignore[arg-type]


@dataclass
class Heard:
    """One message as it arrived."""

    t: float
    outlet: int
    contact: str
    items: list[tuple[int, int, str]]
    """(incident, opening, event)"""
    detour: bool = False


@dataclass
class World:
    """Notices in, messages out. works(outlet, t): whether a sending succeeds."""

    policy: Policy = POLICY
    works: Callable[[int, float], bool] = lambda _outlet, _t: True
    heard: list[Heard] = field(default_factory=list)
    now: float = 0.0
    rows: list[Item] = field(default_factory=list)
    """What lies in the database: the objects themselves, but copied at a kill."""

    def __post_init__(self) -> None:
        self.notices: list[tuple[Told, Subject]] = []
        self.open: dict[int, tuple[Told, Subject]] = {}
        self.taken = 0
        self.acks: dict[int, Ack] = {}
        self.remarks: list[tuple[float, int, str]] = []
        self.attempts: list[tuple[float, int]] = []
        self._begin()

    def _begin(self) -> None:
        started = 0.0 if not self.rows else self.now + max(map(gap_s, self.policy.ways.values()), default=0.0)
        self.teller, self.post = Teller(self.policy), Post(started)
        self.post.set_ways(self.policy.ways)

    def say(self, event: str, about: Subject, t: float) -> None:
        """The judge says something, which is committed."""
        self.run(t)
        told = Told(len(self.notices) + 1, t, event)
        about = copy.copy(about)
        if event == "resolved":
            about.until_t = t
        self.notices.append((told, about))
        self.run(t)

    def run(self, until: float) -> None:
        """Let time go on."""
        while True:
            self._take()
            times = [self.teller.next_due(), self.post.next_due(self.now) if len(self.post) else None]
            due = min((t for t in times if t is not None), default=None)
            if due is None or due > until:
                break
            self.now = max(self.now, due)
            self.teller.advance(self.now)
            self._commit()
            for parcel in self.post.pick(self.now):
                self._send(parcel)
            self.post.drain_spared()
        self.now = max(self.now, until)

    def _take(self) -> None:
        while self.taken < len(self.notices):
            told, about = self.notices[self.taken]
            if told.event in ("opened", "reopened"):
                self.open[about.id] = (told, about)
            elif told.event == "resolved":
                self.open.pop(about.id, None)
                self.acks.pop(about.id, None)
            elif about.id in self.open:
                self.open[about.id] = (self.open[about.id][0], about)
            self.teller.take(told, copy.copy(about), self.now)
            self.taken += 1
            self._commit()

    def _commit(self) -> None:
        changes = self.teller.drain()
        self.rows += changes.new
        self.post.add(changes.new)
        self.remarks += [(one.t, one.incident, one.kind) for one in changes.remarks]
        for number in changes.unacked:
            self.acks.pop(number, None)

    def _send(self, parcel: Parcel, then: str = "") -> None:
        """then: "kill": it went out, and the mark was lost."""
        self.attempts.append((self.now, parcel.via.id))
        ok = self.works(parcel.via.id, self.now)
        if ok:
            items = [(item.subject.id, item.opening, item.event) for item in parcel.items]
            self.heard.append(Heard(self.now, parcel.via.id, parcel.items[0].contact, items, parcel.is_detour))
        if then != "kill":
            self.post.done(parcel, Outcome(ok, "" if ok else "refused"), self.now)

    def acknowledge(self, number: int, t: float, until: float | None = None) -> None:
        """Somebody acknowledges an open incident."""
        self.run(t)
        about = self.open[number][1]
        self.acks[number] = Ack(t, until, about.affected, about.root)
        self.teller.set_acks(self.acks, t)

    def kill(self, in_flight: bool = False) -> None:
        """kill -9 and a start. in_flight: after a message went out and before that was noted."""
        if in_flight:
            for parcel in self.post.pick(self.now):
                self._send(parcel, "kill")
        rows = [copy.copy(item) for item in self.rows]
        for item in rows:
            item.status = "waiting" if item.status == "claimed" else item.status
        self.rows = rows
        self._begin()
        for number, (opening, about) in self.open.items():
            mine = [r for r in rows if r.subject.id == number and r.opening == opening.id and r.status != "dropped"]
            self.teller.resume(copy.copy(about), opening, mine, self.now, self.acks.get(number))
        self.post.add([item for item in rows if item.status == "waiting"])

    def events(self, outlet: int | None = None, incident: int | None = None) -> list[tuple[float, int, str]]:
        """(t, outlet, event) of all that was heard, in order."""
        return [
            (one.t, one.outlet, event)
            for one in self.heard
            for number, _, event in one.items
            if outlet in (None, one.outlet) and incident in (None, number)
        ]


def busiest_minute(times: Iterable[float]) -> int:
    """The most messages in any 60 s."""
    ordered = sorted(times)
    return max((sum(1 for one in ordered if first <= one < first + 60) for first in ordered), default=0)


def with_ways(**ways: Way) -> Policy:
    """The policy with other outlets."""
    return replace(POLICY, ways={way.id: way for way in ways.values()})
