"""What would have been sent to whom: a rulebook on a recorded trace, on virtual time (`edunet replay --rules`).

Every outlet is taken to work; their rates are kept as they are live.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from collector.judge import Judge, Node
from collector.judge.values import plain
from collector.outlets.kinds import limit_of
from collector.telling.messages import Frame, write
from collector.telling.post import Outcome, Parcel, Post
from collector.telling.roster import duty_of
from collector.telling.rulebook import Rulebook, region_number, region_path
from collector.telling.rules import base_severity
from collector.telling.teller import Teller
from collector.telling.texts import Language, say
from collector.telling.times import calendar_of
from collector.telling.values import Ack, Calendar, Policy, Subject, Told, no_calendar
from collector.trace import Line, OffLine, Start, TopologyLine
from inventory.calendars.calendars import Calendars

ABSOLUTE = 1e8
"""Moments above are seconds since the epoch, others seconds of the trace."""

Output = dict[str, Any]


class Rehearsal:
    """Hears a trace's lines as a watcher of `collector.trace.replay`, and its notices by `follow`."""

    def __init__(self, book: Rulebook, judge: Judge) -> None:
        self.book, self.judge = book, judge
        self.post = Post()
        self.teller = Teller(Policy())
        self.messages = 0
        self._now = self._zero = 0.0
        self._started = False
        self._nodes: dict[str, Node] = {}
        self._parents: set[str] = set()
        self._off: dict[str, tuple[float, float]] = {}
        self._numbers: dict[str, int] = {}
        self._keys: list[str] = []
        self._count = 0
        self._subjects: dict[int, Subject] = {}
        self._since: tuple[float, dict[str, float]] = (-1.0, {})
        self._promises = sorted(book.promises, key=lambda one: one.at)
        self._acks: dict[int, Ack] = {}
        self._set_policy()

    def __call__(self, line: Line, judge: Judge) -> Iterator[Output]:
        """What falls due while the trace goes on."""
        if isinstance(line, TopologyLine):
            self._nodes |= {node.id: node for node in line.nodes}
            self._parents = {up for node in self._nodes.values() for up in node.up or ()}
        elif isinstance(line, OffLine):
            self._off[line.school] = (line.from_, line.to)
        elif isinstance(line, Start):
            self._zero, self._started = line.at.timestamp() - line.t, True
            self._set_policy()
        yield from self._go_on(judge.now)

    def follow(self, output: Iterable[Output]) -> Iterator[Output]:
        """The lines of a replay, with `message` lines among them at their time."""
        for line in output:
            if line["kind"] == "notice":
                yield from self._go_on(line["t"])
                yield line
                self._take(line)
                yield from self._go_on(line["t"])
            elif line["kind"] == "summary":
                yield from self._go_on(self.judge.now)
                yield {**line, "messages": self.messages}
            else:
                yield line

    # -- what the judge says ---------------------------------------------------------------------------------------

    def _take(self, line: Output) -> None:
        self._count += 1
        t = float(line["t"])
        number = self._numbers.setdefault(line["incident"], len(self._numbers) + 1)
        if number > len(self._keys):
            self._keys.append(line["incident"])
        subject = self._subject(number, line, t)
        if line["event"] == "resolved":
            subject.until_t = t
            if line["merged_into"] is not None:
                subject.merged_into = self._numbers.get(line["merged_into"], 0)
        self._subjects[number] = subject
        self.teller.take(Told(self._count, t, line["event"]), subject, t)
        if line["event"] == "resolved":
            self._acks.pop(number, None)
        self._drain()

    def _subject(self, number: int, line: Output, t: float) -> Subject:
        root, cluster = line["root"], line["cluster"]
        node = self._nodes.get(root) if root is not None else None
        region = (node.region if node is not None else None) or ""
        if cluster is not None:
            region = cluster["value"] if cluster["by"] == "region" else self._region_of(cluster["value"])
        cls = "cluster" if node is None else self._class_of(node)
        known = self._subjects.get(number)
        path = region_path(region) or "/"
        return Subject(
            id=number,
            cls=cls,
            base=base_severity("outage", cls, line["schools"], line["pupils"]),
            name=root if root is not None else f"{cluster['by']} {cluster['value']}",
            root=root or "",
            nodes=(root,) if root is not None else (),
            path=path,
            duty_path=path,
            school=region_number(node.school) if node is not None and node.school else 0,
            from_t=self._began(line, t) if known is None or line["event"] == "reopened" else known.from_t,
            affected=line["affected"],
            schools=line["schools"],
            pupils=line["pupils"],
            flapping=line["flapping"],
            possible=tuple(line["possible"]),
            planned_t=self._planned(node, t),
        )

    def _planned(self, node: Node | None, t: float) -> float | None:
        """Until when its school is switched off as usual; None where it is not."""
        start, end = self._off.get(node.school or "", (0.0, 0.0)) if node is not None else (0.0, 0.0)
        return end if start <= t < end else None

    def _region_of(self, node: str) -> str:
        known = self._nodes.get(node)
        return (known.region if known is not None else None) or ""

    def _class_of(self, node: Node) -> str:
        """What failed, by the node's role where the trace has one, else by its place in the topology."""
        if node.role == "core" or node.up == ():
            return "core"
        if not node.probe:
            return "line"
        if node.school is not None:
            return "school"
        if node.id in self._parents:
            return "city" if (node.region or "").endswith("00") else "county"
        return "device"

    def _began(self, line: Output, t: float) -> float:
        """When its first silence began, as the judge sees it."""
        if self._since[0] != self.judge.now:
            self._since = (self.judge.now, {view.key: view.since for view in self.judge.incidents()})
        return min(t, self._since[1].get(line["incident"], t))

    # -- time ------------------------------------------------------------------------------------------------------

    def _go_on(self, until: float) -> Iterator[Output]:
        """Everything that is due up to a time, in its order."""
        while True:
            times = [t for t in (self.teller.next_due(), self._next_post(), self._next_promise()) if t is not None]
            due = min(times, default=None)
            if due is None or due > until:
                return
            yield from self._step(due)

    def _next_post(self) -> float | None:
        return self.post.next_due(self._now) if len(self.post) else None

    def _step(self, t: float) -> Iterator[Output]:
        self._now = max(self._now, t)
        self._promise(t)
        self.teller.advance(self._now)
        self._drain()
        for parcel in self.post.pick(self._now):
            yield self._message(parcel)
            self.post.done(parcel, Outcome(ok=True), self._now)

    def _drain(self) -> None:
        changes = self.teller.drain()
        self.post.add(changes.new)
        for number in changes.unacked:
            self._acks.pop(number, None)

    def _next_promise(self) -> float | None:
        return max(self._now, self._promises[0].at) if self._promises else None

    def _promise(self, t: float) -> None:
        """Promises whose time has come; one for what is not open then is nothing."""
        while self._promises and self._promises[0].at <= t:
            given = self._promises.pop(0)
            for number, tale in self.teller.tales.items():
                if tale.subject.root == given.node:
                    self._acks[number] = Ack(given.at, given.until, tale.subject.affected, given.node)
            self.teller.set_acks(self._acks, t)

    # -- what comes out --------------------------------------------------------------------------------------------

    def _message(self, parcel: Parcel) -> Output:
        self.messages += 1
        way, items = parcel.way, parcel.items
        largest = max(items, key=lambda item: item.subject.pupils).subject
        persons = duty_of(self.teller.policy, largest, self._now)
        language: Language = "en" if way.language == "en" else "zh"
        frame = Frame(
            language,
            self.book.zone,
            self.book.page_url,
            zero=self._zero,
            duty=say(", ", language, "names").join(f"{one.name} {one.phone}".strip() for one in persons)
            if way.group
            else "",
        )
        return {
            "t": plain(self._now),
            "kind": "message",
            "outlet": way.name,
            "to": items[0].contact or None,
            "incidents": [
                {
                    "incident": self._keys[item.subject.id - 1],
                    "event": item.event,
                    "severity": item.subject.severity,
                    "level": item.level,
                    "due": plain(item.due),
                }
                for item in items
            ],
            "text": write(items, frame, limit_of(way.kind), self._now),
        }

    def _set_policy(self) -> None:
        book = self.book
        turns = tuple(
            replace(
                turn,
                from_t=self._shifted(turn.from_t),
                until_t=self._shifted(turn.until_t),
                last_t=None if turn.last_t is None else self._shifted(turn.last_t),
            )
            for turn in book.turns
        )
        hushes = tuple(
            replace(hush, from_t=self._shifted(hush.from_t), until_t=self._shifted(hush.until_t))
            for hush in book.hushes
        )
        calendar: Calendar = no_calendar
        if self._started:
            calendar = calendar_of(Calendars(book.calendar, str(book.zone)), self._zero)
        policy = Policy(book.rules, book.steps, book.ways, turns, hushes, calendar)
        self.teller.set_policy(policy, self._now)
        self.post.set_ways(book.ways)

    def _shifted(self, t: float) -> float:
        return t - self._zero if ABSOLUTE < t < float("inf") else t
