"""What comes by the minute and slower (APScheduler): history, retention, full readings of devices, habits; and ports, when their names come.

Discovery and reports have no job yet: their issues are not open.
"""

import logging
import multiprocessing
import os
import queue
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from collector.curves import Curves
from collector.degraded.reading import SensorReader
from collector.facts import Facts
from collector.habits import learn_habits
from collector.neighbours import Neighbours
from collector.portlog import PortLog
from collector.retention import forget_old
from collector.rounds.messages import PortNames
from collector.ways import Ways
from inventory.database import Register
from inventory.models import utcnow

if TYPE_CHECKING:
    from collector.service import Service

log = logging.getLogger(__name__)

SOON_S = 15.0
"""What comes once an hour comes a first time so long after the start."""

NIGHTLY = (3, 10)
"""Hour and minute, local, of what comes once a day."""

LONGEST_APART_S = 3600.0
"""A job in a process of its own is ended after so long."""


class Job(NamedTuple):
    """A slow job. every_s None: once a night."""

    name: str
    every_s: float | None
    call: Callable[[], object]


class SlowJobs:
    """The slow jobs of one collector, each behind a guard: one that fails is logged and runs again next time."""

    def __init__(self, service: "Service") -> None:
        self.service = service
        self.curves = Curves(service.register, service.live)
        self.devices = Facts(service.register, service.live, service.ledger, service.settings)
        self.ports = PortLog(service.register, service.live, service.ledger)
        settings = service.settings
        self.sensors = SensorReader(
            service.live, service.sensors, settings.sensors_per_minute, settings.sensors_every_s
        )
        settings = service.settings
        self.neighbours = Neighbours(
            service.register, service.live, settings.links_keep_days, settings.learned_confidence
        )
        self.ways = Ways(service.live, service.take)
        self.devices.on_reading = self._take_reading
        self._scheduler: Any = None
        self._names: queue.SimpleQueue[PortNames | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin."""
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        hour, minute = NIGHTLY
        for job in self.jobs():
            trigger: Any = CronTrigger(hour=hour, minute=minute, timezone=self.service.register.timezone)
            more: dict[str, Any] = {"misfire_grace_time": 3600}
            if job.every_s is not None:
                trigger, more = IntervalTrigger(seconds=job.every_s, timezone="UTC"), {}
                if job.every_s >= 3600:
                    more["next_run_time"] = utcnow() + timedelta(seconds=SOON_S)
            self._scheduler.add_job(self._guard, trigger, id=job.name, args=(job.call,), **more)
        self._scheduler.start()
        threading.Thread(target=self._name_loop, name="names", daemon=True).start()

    def jobs(self) -> tuple[Job, ...]:
        """All of them, a row each."""
        register, days = self.service.register, self.service.settings.history_days
        return (
            Job("facts", 5, self.devices.run_some),
            Job("sensors", 2, lambda: self.sensors.run_some(2.0)),
            Job("curves", 20, self.curves.flush),
            Job("port_states", 15, self.ports.follow_states),
            Job("neighbours", 10, self.neighbours.run),
            Job("ways", 5, self.ways.run_some),
            Job("retention", 3600, lambda: forget_old(register, days)),
            Job("habits", None, lambda: run_apart(learn_habits_of, register.url, register.timezone)),
        )

    def stop(self) -> None:
        """End; a job that runs is not waited for."""
        self._names.put(None)
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)

    def take_names(self, message: PortNames) -> None:
        """Ports of devices, from the rounds."""
        self._names.put(message)

    def _take_reading(self, device: int, at: float, reading: dict[str, Any]) -> None:
        self.service.sensors.take(device, at, reading)
        self.neighbours.take(device, at, reading)

    def facts(self, device_id: int) -> dict[str, Any] | None:
        """What the last full reading of a device gave, or None."""
        return self.devices.known(device_id)

    def _name_loop(self) -> None:
        while (message := self._names.get()) is not None:
            self._guard(lambda message=message: self.ports.take(message))  # type: ignore[misc]

    def _guard(self, job: Any) -> None:
        try:
            job()
        except Exception:
            log.exception("a slow job failed")


def run_apart(work: Callable[..., object], *arguments: object) -> None:
    """Run in a process of its own, that yields to all others: what computes for long would hold up the judge's thread. RuntimeError where it fails."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments, daemon=True)
    process.start()
    process.join(LONGEST_APART_S)
    if process.exitcode is None:
        process.kill()
        process.join()
    if process.exitcode != 0:
        raise RuntimeError(f"{getattr(work, '__name__', work)} ended with {process.exitcode}")


def learn_habits_of(url: str, timezone: str) -> None:
    """`learn_habits`, in a process of its own."""
    os.nice(10)
    register = Register(url, timezone=timezone)
    try:
        learn_habits(register)
    finally:
        register.close()
