"""The thread that tells people: hears the judge's notices from the register, lets the teller decide, and the post send.

Durable: what was decided is committed together with how far the notices were taken, a message's rows are claimed before it goes and
marked after. A kill in between sends at most that one message again. Each outlet sends in a thread of its own, one message at a time.
"""

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from collector.outlets.sending import Message
from collector.settings import CollectorSettings
from collector.telling import store
from collector.telling.desk import Desk
from collector.telling.policy import Orders, read_orders
from collector.telling.post import Outcome, Parcel, Post, gap_s
from collector.telling.teller import Changes, Teller
from collector.telling.times import calendar_of
from collector.telling.values import Calendar, Item, Policy, Subject, no_calendar
from collector.telling.watch import Counts, Health
from inventory.calendars.reading import calendar_mark, read_calendars
from inventory.database import Register
from inventory.models import AuditEntry, table

log = logging.getLogger(__name__)

LOOK_S = 2.0
"""Seconds between two looks at what administrators set, and at acknowledgements."""

IDLE_S = 1.0
FAILED_S = 5.0
RULES_EVERY_S = 60.0
HOUR_S = 3600.0
AT_ONCE = 8
"""Messages on their way at a time."""


@dataclass(frozen=True, slots=True)
class _Answer:
    parcel: Parcel
    outcome: Outcome
    key: str
    text: str


class Telling:
    """Making it opens nothing; `run` blocks until `stop`."""

    def __init__(
        self,
        register: Register,
        settings: CollectorSettings,
        may_notify: bool,
        timezone: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """may_notify False: it decides (severity, promises that lapse), and nobody is ever told."""
        self.register, self.settings, self.may_notify, self.clock = register, settings, may_notify, clock
        self.zone = ZoneInfo(timezone)
        self.teller, self.post = Teller(Policy()), Post()
        self.desk = Desk(register, self.zone, settings.page_url)
        self.orders = Orders(Policy(), {}, {})
        self.severities: dict[int, str] = {}
        """Incidents whose severity the rules have changed: the writer keeps it so."""
        self.counts, self.health = Counts(), Health()
        self.looked_at = 0.0
        """When it last went round (steady time)."""
        self._cursor = 0
        self._unwritten = Changes()
        self._answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._unmarked: list[_Answer] = []
        self._news = threading.Event()
        self._over = threading.Event()
        self._mark: tuple[Any, ...] = ()
        self._calendar_mark: tuple[Any, ...] = ()
        self._calendar: Calendar = no_calendar
        self._looks = self._rules = self._hourly = 0.0
        self._names: dict[int, str] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="outlet")
        self._complaints = 0
        self._shown: dict[str, Any] = self._show()

    # -- from other threads ----------------------------------------------------------------------------------------

    def wake(self) -> None:
        """There are new notices in the register."""
        self._news.set()

    def stop(self) -> None:
        """End it. What is on its way may be sent again after the next start."""
        self._over.set()
        self._news.set()

    def detail(self) -> dict[str, Any]:
        """For the feed and the metrics, as it stood when it last went round."""
        return self._shown

    def is_alive(self) -> bool:
        """Whether it has gone round lately."""
        return self.clock() - self.looked_at < 60.0

    # -- the thread ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until `stop`."""
        begun = False
        while not self._over.is_set():
            try:
                if not begun:
                    self._begin()
                    begun = True
                self._go_round()
                self._complaints = 0
                pause = self._pause()
            except SQLAlchemyError as error:  # locked or gone for a while: nothing is forgotten
                if self._complaints % 30 == 0:
                    log.warning("the register cannot be used for messages, trying again: %s", error)
                self._complaints += 1
                pause = IDLE_S
            except Exception:  # the schools are watched on, whatever is wrong here; the heartbeat fails meanwhile
                log.exception("telling failed: it begins anew from the register")
                begun, pause = False, FAILED_S
            self._news.wait(pause)
            self._news.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.desk.close()

    def _pause(self) -> float:
        now = self.clock()
        times = [self.teller.next_due(), self.post.next_due(now) if len(self.post) else None]
        due = min((t for t in times if t is not None), default=now + IDLE_S)
        return min(IDLE_S, max(0.02, due - now))

    def _show(self) -> dict[str, Any]:
        lengths = {self._names.get(way, str(way)): number for way, number in self.post.lengths().items()}
        down = self.health.down(self.post, self.clock())
        return {
            "outlets": sorted(lengths),
            "waiting": lengths,
            "open": len(self.teller.tales),
            **self.counts.shown(self._names),
            "down": sorted(self._names.get(way, str(way)) for way in down),
        }

    def _go_round(self) -> None:
        now = self.clock()
        self._commit()
        self._mark_answers()
        self._follow(now)
        self._hear(now)
        self.teller.advance(now)
        self._commit()
        self._send(now)
        if now >= self._hourly:
            self._hourly = now + HOUR_S
            self._tidy(now)
        self._shown = self._show()
        self.looked_at = now

    # -- beginning -------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Go on where the register says that it stood. What is on its way from before is not waited for, and may be sent again."""
        now = self.clock()
        self._unwritten, self._answers, self._unmarked = Changes(), queue.SimpleQueue(), []
        self._read_orders(now)
        with self.register.session() as session:
            self._cursor = store.read_cursor(session)
            connection = session.connection()
            stories = store.read_open(connection, self._cursor)
            unsent = store.read_unsent(connection)
            wanted = [number for number, _, _ in stories] + [row["incident_id"] for row in unsent if row["incident_id"]]
            subjects = store.read_subjects(connection, wanted)
            acks = store.read_acks(connection)
        self.teller = Teller(self.orders.policy)
        self.post = Post(now + max(map(gap_s, self.orders.policy.ways.values()), default=0.0))
        self.post.set_ways(self.orders.policy.ways)
        items: dict[int, Item] = {}
        for number, opening, rows in stories:
            if number not in subjects:
                continue
            mine = [store.item_of(row, subjects[number]) for row in rows]
            items |= {item.id: item for item in mine}
            self.teller.resume(subjects[number], opening, mine, now, acks.get(number))
        waiting = []
        for row in unsent:
            subject = subjects.get(row["incident_id"] or 0, Subject(id=0, kind=row["event"]))
            waiting.append(items.get(row["id"]) or store.item_of(row, subject))
        self.post.add(waiting)
        self._drop_for(self.post.set_ways(self.orders.policy.ways))

    # -- what administrators set -----------------------------------------------------------------------------------

    def _follow(self, now: float) -> None:
        if now < self._looks:
            return
        self._looks = now + LOOK_S
        with self.register.session() as session:
            mark = (
                session.connection().execute(select(func.max(table(AuditEntry).c.id))).scalar(),
                calendar_mark(session),
            )
            acks = store.read_acks(session.connection()) if self.teller.tales else {}
            held = store.read_held(session.connection()) if self.teller.tales else set()
            held |= {number for number, tale in self.teller.tales.items() if (tale.subject.planned_t or 0.0) > now}
            grown = store.read_subjects(session.connection(), (set(acks) | held) & set(self.teller.tales))
        self.teller.set_acks(acks, now)
        for subject in grown.values():
            self.teller.refresh(subject, now)
        if mark != self._mark or now >= self._rules:
            self._mark = mark
            self._read_orders(now)

    def _read_orders(self, now: float) -> None:
        self._rules = now + RULES_EVERY_S
        with self.register.session() as session:
            mark = calendar_mark(session)
            if mark != self._calendar_mark:
                self._calendar = calendar_of(read_calendars(session, str(self.zone)))
                self._calendar_mark = mark
            orders = read_orders(session, self.register.sealer, self._calendar)
        if not self.may_notify:
            orders = Orders(Policy(orders.policy.rules, orders.policy.steps, {}, calendar=self._calendar), {}, {})
        for outfit in orders.outfits.values():
            if outfit.fault and self.orders.outfits.get(outfit.id) != outfit:
                log.warning("the outlet %s cannot be used: %s", outfit.name, outfit.fault)
        changed = orders.policy != self.orders.policy
        self.orders = orders
        self._names |= {outfit.id: outfit.name for outfit in orders.outfits.values()}
        self.desk.equip(orders)
        if changed:
            self.teller.set_policy(orders.policy, now)
            self._drop_for(self.post.set_ways(orders.policy.ways))

    def _drop_for(self, items: list[Item]) -> None:
        self._unwritten.dropped += items

    # -- what the judge says ---------------------------------------------------------------------------------------

    def _hear(self, now: float) -> None:
        with self.register.engine.connect() as connection:
            news = store.read_news(connection, self._cursor)
            subjects = store.read_subjects(connection, [number for _, number in news]) if news else {}
        for told, number in news:
            self._cursor = told.id
            if number in subjects:
                self.teller.take(told, subjects[number], now)
        if news:
            self._unwritten.closed.append(0)  # so that the cursor is written
            self._news.set()

    def _commit(self) -> None:
        """Write what was decided; where that fails it is tried again before anything else."""
        changes, mine = self.teller.drain(), self._unwritten
        for name in ("new", "dropped", "remarks", "closed"):
            getattr(mine, name).extend(getattr(changes, name))
        mine.unacked |= changes.unacked
        mine.severities |= changes.severities
        if not mine:
            return
        with self.register.write() as session:
            store.write_changes(session, mine, self._cursor, self._names)
            raised = self._raised(mine)
            store.write_severities(session, raised)
        self._unwritten = Changes()
        self.severities |= raised
        for number in mine.closed:
            self.severities.pop(number, None)
        self.post.add(item for item in mine.new if item.status == "waiting")

    def _raised(self, changes: Changes) -> dict[int, str]:
        """Of outages whose severity the rules change; the judge's own words are left alone."""
        found = {}
        for number, severity in changes.severities.items():
            tale = self.teller.tales.get(number)
            if tale is None or tale.subject.kind != "outage":
                continue
            if severity != tale.subject.base or number in self.severities:
                found[number] = severity
        return found

    # -- sending ---------------------------------------------------------------------------------------------------

    def _send(self, now: float) -> None:
        if not self.may_notify:
            return
        self.post.add(self._signs_of_life(now))
        parcels = self.post.pick(now)
        spared = self.post.drain_spared()
        if not parcels and not spared:
            return
        messages: list[tuple[Parcel, Message]] = []
        try:
            with self.register.write() as session:
                moment = store.moment(now)
                store.mark_spared(session, spared, moment)
                for parcel in parcels:
                    message = self.desk.write(session, parcel, uuid.uuid4().hex, now)
                    store.claim(session, parcel.items, message.key, moment)
                    messages.append((parcel, message))
        except SQLAlchemyError:
            for parcel in parcels:
                self.post.put_back(parcel)
            raise
        for parcel, message in messages:
            self._pool.submit(self._send_one, parcel, message, self._answers)

    def _send_one(self, parcel: Parcel, message: Message, answers: "queue.SimpleQueue[_Answer]") -> None:
        """In a thread of the pool."""
        try:
            outcome = self.desk.send(parcel.via.id, message)
        except Exception as error:  # a sender that fails is an outlet that fails
            log.exception("the outlet %s failed", parcel.via.name)
            outcome = Outcome(False, type(error).__name__)
        answers.put(_Answer(parcel, outcome, message.key, message.text))
        self._news.set()

    def _mark_answers(self) -> None:
        while not self._answers.empty():
            self._unmarked.append(self._answers.get())
        if not self._unmarked:
            return
        with self.register.write() as session:
            for answer in self._unmarked:
                parcel, moment = answer.parcel, store.moment(self.clock())
                if answer.outcome.ok:
                    delays = store.mark_sent(session, parcel.items, parcel.via.id, answer.key, answer.text, moment)
                    self.counts.sent(parcel, delays)
                else:
                    store.mark_failed(session, parcel.items, answer.outcome.answer)
                    self.counts.failed(parcel)
                self.health.note(session, parcel.via.id, answer.outcome, moment)
        for answer in self._unmarked:
            self.post.done(answer.parcel, answer.outcome, self.clock())
            if not answer.outcome.ok:
                log.warning("the outlet %s did not take a message: %s", answer.parcel.via.name, answer.outcome.answer)
        self._unmarked = []

    def _signs_of_life(self, now: float) -> list[Item]:
        """The daily ones that are due, as rows already."""
        local = datetime.fromtimestamp(now, self.zone)
        wanted = []
        with self.register.engine.connect() as connection:
            for outfit in self.orders.outfits.values():
                if not outfit.alive_at or self.counts.alive.get(outfit.id) == local.date():
                    continue
                hour, minute = map(int, outfit.alive_at.split(":"))
                due = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
                if not due <= local:
                    continue
                self.counts.alive[outfit.id] = local.date()
                if (local - due).total_seconds() < HOUR_S and not store.alive_today(connection, outfit.id, due):
                    wanted.append(Item((outfit.id, 0), Subject(id=0, kind="alive"), "alive", due.timestamp(), now))
        if wanted:
            with self.register.write() as session:
                store.add_items(session, wanted, self._names)
        return wanted

    def _tidy(self, now: float) -> None:
        dropped = self.post.give_up_old(now)
        with self.register.write() as session:
            store.mark_dropped(session, dropped)
            store.forget_deliveries(session, store.moment(now) - store.KEPT)
