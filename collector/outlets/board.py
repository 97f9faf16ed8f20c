"""The outlets in use, and the thread that sends: what the judge said goes out, is tried again, and is logged with how it went."""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx
from sqlalchemy import exists, or_, select
from sqlalchemy.exc import SQLAlchemyError

from collector.ledger import Row
from collector.outlets.alertmanager import Alertmanager
from collector.outlets.alertmanagers import AlertmanagerRow, Chosen, read_alertmanagers
from collector.settings import CollectorSettings
from inventory import log as store
from inventory.database import Register
from inventory.models import Incident, Notice, Region, node_id, table, utcnow

log = logging.getLogger(__name__)

RESTORED = timedelta(minutes=15)
"""After a start incidents resolved since then are said again: that they ended always arrives."""

UNSAID = timedelta(hours=24)
"""Notices of that time that never went out (a kill between notice and sending) are sent after a start."""


LOOK_S = 3.0
"""Seconds between two looks at the register's Alertmanagers."""


class Outlet(Protocol):
    """A way out. `send` raises httpx.HTTPError where it did not arrive."""

    name: str

    def send(self, incidents: list[Any], now: datetime) -> None:
        """Say how these incidents are."""

    def close(self) -> None:
        """Let go of connections."""


def outlets_of(settings: CollectorSettings, rows: Sequence[AlertmanagerRow] = ()) -> list[Outlet]:
    """The Alertmanager that the settings name, and those of the register."""
    found: list[Outlet] = []
    if settings.alertmanager_url:
        found.append(Alertmanager(settings.alertmanager_url, settings.alertmanager_resend_s, settings.page_url))
    for row in rows:
        made = Alertmanager(row.url, settings.alertmanager_resend_s, settings.page_url)
        found.append(Chosen(row, made))
    return found


class Outlets:
    """Sends in a thread of its own; an outlet that does not answer holds up nobody but itself."""

    def __init__(self, register: Register, settings: CollectorSettings, may_notify: bool, timezone: str) -> None:
        self.register, self.settings, self.may_notify, self.timezone = register, settings, may_notify, timezone
        self.outlets: list[Outlet] = []
        self.sent = self.failed = 0
        self.last_delay_s = 0.0
        self._waiting: list[tuple[int, Row]] = []
        self._due: dict[int, list[Row]] = {}
        self._some = threading.Condition()
        self._over = False
        self._restoring = False
        self._complaints = 0
        self._rows: list[AlertmanagerRow] | None = None
        self._look_at = 0.0

    def take(self, notices: list[tuple[int, Row]]) -> None:
        """Notices that are in the register now: (id, row)."""
        with self._some:
            self._waiting += notices
            self._some.notify()

    def restore(self) -> None:
        """After a start all that is open is said again at once, what ended lately, and what was never sent."""
        self._restoring = True
        if self.may_notify and outlets_of(self.settings, read_alertmanagers(self.register)):
            self.take(unsaid(self.register, utcnow()))

    def run(self) -> None:
        """Until `stop`."""
        if not self.may_notify:
            return
        resend_at, pause = 0.0, 0.0
        while not self._over:
            with self._some:
                if not self._waiting or pause:
                    self._some.wait(pause or min(1.0, self.settings.alertmanager_resend_s / 2))
                for _, row in self._waiting:
                    self._due.setdefault(self._number(row), []).append(row)
                self._waiting = []
            if self._follow():
                resend_at = 0.0
            if not self.outlets:
                self._due = {}
                continue
            resend = time.monotonic() >= resend_at
            if not self._due and not resend:
                continue
            try:
                ok = self._send(resend)
            except SQLAlchemyError as error:  # locked or gone for a while: what is due stays due
                ok = False
                log.warning("the register cannot be used for notices, trying again: %s", error)
            pause = 0.0 if ok else min(30.0, max(1.0, pause * 2))
            if ok and resend:
                resend_at = time.monotonic() + self.settings.alertmanager_resend_s
        for outlet in self.outlets:
            outlet.close()

    def stop(self) -> None:
        """End it; what is open is said again after the next start."""
        with self._some:
            self._over = True
            self._some.notify()

    def detail(self) -> dict[str, Any]:
        """For the feed."""
        return {
            "enabled": self.may_notify,
            "outlets": [outlet.name for outlet in self.outlets],
            "sent": self.sent,
            "failed": self.failed,
            "waiting": sum(map(len, self._due.values())),
            "delay_s": round(self.last_delay_s, 3),
        }

    def _follow(self) -> bool:
        """Take over what the register has of Alertmanagers now; whether that is new."""
        if time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + LOOK_S
        try:
            rows = read_alertmanagers(self.register)
        except SQLAlchemyError as error:
            log.warning("the register cannot be read for Alertmanagers: %s", error)
            return False
        if rows == self._rows:
            return False
        for outlet in self.outlets:
            outlet.close()
        self._rows, self.outlets = rows, outlets_of(self.settings, rows)
        return True

    def _number(self, row: Row) -> int:
        return int(row["incident_id"])

    def _send(self, everything: bool) -> bool:
        incidents = read_incidents(self.register, list(self._due), everything, self._restoring)
        ok = True
        for outlet in self.outlets:
            now = utcnow()
            try:
                outlet.send(incidents, now)
                self._note(outlet, now, "")
                self.sent += len(incidents)
            except httpx.HTTPError as error:
                ok = False
                self.failed += 1
                if self._complaints % 20 == 0:
                    log.warning("%s cannot be reached, trying again: %s", outlet.name, error)
                self._complaints += 1
                self._note(outlet, None, f"{type(error).__name__}: {error}")
        if ok:
            self._due, self._restoring, self._complaints = {}, False, 0
        return ok

    def _note(self, outlet: Outlet, sent_at: datetime | None, error: str) -> None:
        """Log each sending once, and again when its outcome changes."""
        rows = []
        for notices in self._due.values():
            for row in notices:
                if error and row.get("noted"):
                    continue
                row["noted"] = True
                kept = {k: v for k, v in row.items() if k not in ("noted", "incident_key", "merged_key")}
                rows.append({**kept, "outlet": outlet.name, "sent_at": sent_at, "error": error[:300]})
                if sent_at is not None:
                    self.last_delay_s = max(0.0, (sent_at - row["at"]).total_seconds())
        if rows:
            with self.register.write() as session:
                store.add_notices(session, rows)


def unsaid(register: Register, now: datetime) -> list[tuple[int, Row]]:
    """Notices of the judge, (id, row), of which no sending succeeded."""
    notice = table(Notice)
    sent = notice.alias()
    went_out = exists().where(
        sent.c.incident_id == notice.c.incident_id,
        sent.c.event == notice.c.event,
        sent.c.at == notice.c.at,
        sent.c.sent_at.is_not(None),
    )
    wanted = select(notice).where(notice.c.outlet == "", notice.c.at > now - UNSAID, ~went_out).order_by(notice.c.id)
    with register.engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(wanted).mappings()]
    return [(int(row.pop("id")), row) for row in rows]


def read_incidents(register: Register, ids: list[int], open_too: bool, ended_too: bool) -> list[Any]:
    """Incidents as rows with `region` and `root_node`: these, all that are open, and those that ended lately; none that is planned off."""
    incident, region = table(Incident), table(Region)
    # Switched off as usual: nobody is told before it should be on again (`collector/planned.py`).
    due = or_(incident.c.planned_until.is_(None), incident.c.planned_until <= utcnow())
    wanted: list[Any] = [incident.c.id.in_(ids)]
    if open_too:
        wanted.append((incident.c.status == "open") & incident.c.opened_at.is_not(None))
    if ended_too:
        wanted.append(incident.c.resolved_at > utcnow() - RESTORED)
    with register.engine.connect() as connection:
        names = {
            row.id: (row.code, row.name)
            for row in connection.execute(select(region.c.id, region.c.code, region.c.name))
        }
        rows = (
            connection.execute(select(incident).where(or_(*wanted), incident.c.opened_at.is_not(None), due))
            .mappings()
            .all()
        )
    found = []
    for row in rows:
        code, name = names.get(row["place_id"], ("", ""))
        root = node_id(row["root_kind"], row["root_id"]) if row["root_id"] is not None else ""
        cluster = f"{row['cluster_by']}:{row['cluster_value']}" if row["cluster_by"] else ""
        found.append({**row, "region": code or name or "", "root_node": root or cluster})
    return found
