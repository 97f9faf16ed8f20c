"""Planned off in the judge's process: which incidents are of a school's own making (`inventory/calendars/planned.py`), and until when.

The judge knows nothing of it: its notices are the same with and without. What is planned off is written to `incident.planned_until`, before
which nobody is told; the nodes' states are `planned_off`; their outages count as planned for that long.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select

from collector.judge.values import IncidentView, NodeView
from collector.ledger import Row, moment
from collector.plan import Plan
from inventory.calendars import Calendars, calendar_mark, read_calendars
from inventory.calendars.planned import HabitRow, Silence, Verdict, planned_off
from inventory.database import Register
from inventory.models import Habit, HabitStatus, NodeKind, parse_node_id, table

AGAIN_S = 60.0
"""A verdict is looked at again at least this often: it ends with time, and with an exam that is declared meanwhile."""


class HabitBook(NamedTuple):
    """What verdicts rest on."""

    habits: Mapping[int, tuple[HabitRow, ...]]
    calendars: Calendars


class HabitReader:
    """Reads habits and calendars anew when something has changed. For one thread."""

    def __init__(self, register: Register, every_s: float = 15.0) -> None:
        self.register, self.every_s = register, every_s
        self._mark: tuple[Any, ...] | None = None
        self._due = 0.0

    def look(self, now: float) -> HabitBook | None:
        """The book, where it is another than that of the last call; at most every `every_s`."""
        if now < self._due:
            return None
        self._due = now + self.every_s
        with self.register.session() as session:
            mark = calendar_mark(session)
            if mark == self._mark:
                return None
            habits = read_habits(session)
            calendars = read_calendars(session, self.register.timezone, list(habits))
        self._mark = mark
        return HabitBook(habits, calendars)


def read_habits(session: Any) -> dict[int, tuple[HabitRow, ...]]:
    """{school: its habits that nobody has rejected}"""
    row = table(Habit)
    found: dict[int, list[HabitRow]] = defaultdict(list)
    for one in session.connection().execute(select(row).where(row.c.status != HabitStatus.rejected)):
        found[one.school_id].append(HabitRow.of(one))
    return {school: tuple(rows) for school, rows in found.items()}


@dataclass(frozen=True, slots=True)
class Change:
    """Another word on an incident. nodes, schools: whose states and outages it concerns. since: from when they were silent."""

    key: str
    verdict: Verdict
    nodes: tuple[str, ...]
    schools: tuple[int, ...]
    since: float
    at: float

    def incident_row(self) -> Row:
        """Columns of `incident`: once it is over, the end stays."""
        if self.verdict:
            assert self.verdict.until is not None
            return {"planned_until": moment(self.verdict.until), "planned_why": self.verdict.why()}
        if self.verdict.reason in ("over", "exam"):
            return {"planned_until": moment(self.at), "planned_why": self.verdict.why()}
        return {"planned_until": None, "planned_why": self.verdict.why()}

    def span(self) -> tuple[float, float]:
        """What of the outage is planned."""
        return self.since, max(self.since, self.verdict.until if self.verdict.until is not None else self.at)

    def evidence(self) -> Row:
        """For `outage.evidence`."""
        start, end = self.span()
        return {"planned_off": {"from": moment(start).isoformat(), "until": moment(end).isoformat()}}


@dataclass(slots=True)
class _Known:
    """The last verdict on an incident, and of what. due: when it is looked at again."""

    of: tuple[Any, ...]
    verdict: Verdict
    due: float
    told: bool


class PlannedOff:
    """The verdicts of one bench. `until`: {incident: end} of those that hold now."""

    def __init__(self) -> None:
        self.book = HabitBook({}, Calendars())
        self.until: dict[str, float] = {}
        self._known: dict[str, _Known] = {}

    def set_book(self, book: HabitBook) -> None:
        """Other habits or calendars: every incident is looked at again."""
        self.book = book
        for known in self._known.values():
            known.due = 0.0

    def look(
        self,
        views: Mapping[str, IncidentView],
        plan: Plan,
        state: Callable[[str], NodeView],
        line_down: Callable[[str], bool],
        now: float,
    ) -> list[Change]:
        """What has changed. line_down: whether the port word of a line (node) is down."""
        for key in [key for key in self._known if key not in views]:
            del self._known[key]
            self.until.pop(key, None)
        if not self.book.habits and not self.until:
            return []
        found = []
        for key, view in views.items():
            if view.status == "resolving":
                continue
            change = self._look_at(key, view, plan, state, line_down, now)
            if change is not None:
                found.append(change)
        return found

    def _look_at(
        self,
        key: str,
        view: IncidentView,
        plan: Plan,
        state: Callable[[str], NodeView],
        line_down: Callable[[str], bool],
        now: float,
    ) -> Change | None:
        known = self._known.get(key)
        of = (view.root, view.cluster, view.affected, view.flapping, view.since)
        if known is not None and known.of == of and now < known.due:
            return None
        silence = silence_of(view, plan, state, line_down)
        verdict = planned_off(silence, self.book.habits, self.book.calendars, now)
        # After a start nobody knows what was said of an open one: it is said again.
        told = known.told if known is not None else view.status == "open"
        due = min(now + AGAIN_S, verdict.until) if verdict.until is not None else now + AGAIN_S
        self._known[key] = _Known(of, verdict, due, told or bool(verdict))
        if verdict.until is not None:
            self.until[key] = verdict.until
        else:
            self.until.pop(key, None)
        before = known.verdict if known is not None else None
        same_nodes = known is not None and known.of == of
        if not verdict and (not told or (before is not None and not before)):
            return None  # it never was, or is no more
        if verdict and before is not None and before.until == verdict.until and same_nodes:
            return None
        nodes = tuple(sorted(view.affected_ids))
        since = min(silence.since.values(), default=view.since)
        return Change(key, verdict, nodes, tuple(sorted(silence.since)), since, now)


def silence_of(
    view: IncidentView, plan: Plan, state: Callable[[str], NodeView], line_down: Callable[[str], bool]
) -> Silence:
    """What is silent, in terms of schools. A root that stands at no school is above them; so is a line."""
    if view.root is not None:
        roots = [view.root]
    else:
        members = set(view.affected_ids)
        roots = [node for node in members if not _ups(plan, node) & members]
    since: dict[int, float] = {}
    down = False
    for root in roots:
        school = _school_of(plan, root)
        if school is None:
            return Silence({}, at_school=False)
        at = state(root).since
        since[school] = min(since.get(school, float("inf")), view.since if at is None or len(roots) == 1 else at)
        down = down or any(line_down(up) for up in _ups(plan, root))
    return Silence(since, at_school=True, line_down=down, flapping=view.flapping)


def _ups(plan: Plan, node: str) -> set[str]:
    i = plan.node_index.get(node)
    return set() if i is None else set(plan.nodes[i].up or ())


def _school_of(plan: Plan, node: str) -> int | None:
    """The school at which a device stands; None for a line, a site, a device of the network."""
    kind, _ = parse_node_id(node)
    i = plan.node_index.get(node)
    if kind != NodeKind.device or i is None or plan.node_school[i] < 0:
        return None
    return plan.schools[int(plan.node_school[i])].id


def off_spans(changes: Iterable[Change], plan: Plan) -> dict[str, tuple[float, float]]:
    """{school, as nodes name it: the span in which it is switched off}, for causes and traces."""
    found = {}
    for change in changes:
        for node in change.nodes:
            i = plan.node_index.get(node)
            name = plan.nodes[i].school if i is not None else None
            if name is not None:
                found[name] = change.span()
    return found
