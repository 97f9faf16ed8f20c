"""What comes by the minute and slower (APScheduler): history, retention, full readings of devices; and ports, when their names come."""

import logging
import queue
import threading
from typing import TYPE_CHECKING, Any

from apscheduler.schedulers.background import BackgroundScheduler

from collector.curves import Curves
from collector.degraded.reading import SensorReader
from collector.facts import Facts
from collector.neighbours import Neighbours
from collector.portlog import PortLog
from collector.retention import forget_old
from collector.rounds.messages import PortNames

if TYPE_CHECKING:
    from collector.service import Service

log = logging.getLogger(__name__)


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
        self.neighbours = Neighbours(service.register, service.live, service.settings.links_keep_days)
        self.devices.on_reading = self._take_reading
        self._scheduler: Any = None
        self._names: queue.SimpleQueue[PortNames | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin."""
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        days = self.service.settings.history_days
        for seconds, job in (
            (5, self.devices.run_some),
            (2, lambda: self.sensors.run_some(2.0)),
            (20, self.curves.flush),
            (15, self.ports.follow_states),
            (10, self.neighbours.run),
            (3600, lambda: forget_old(self.service.register, days)),
        ):
            self._scheduler.add_job(self._guard, "interval", seconds=seconds, args=(job,))
        self._scheduler.start()
        threading.Thread(target=self._name_loop, name="names", daemon=True).start()

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
        return self.devices.known.get(device_id)

    def _name_loop(self) -> None:
        while (message := self._names.get()) is not None:
            self._guard(lambda message=message: self.ports.take(message))  # type: ignore[misc]

    def _guard(self, job: Any) -> None:
        try:
            job()
        except Exception:
            log.exception("a slow job failed")
