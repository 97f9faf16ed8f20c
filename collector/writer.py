"""The thread that writes the ledger to the register: one transaction for all that is pending, tried again until it succeeds."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import Session

from collector.ledger import Batch, Ledger, Row
from inventory import log as store
from inventory.database import Register

log = logging.getLogger(__name__)

EVERY_S = 0.5
"""Seconds between two writes of what is not urgent."""

RETRY_S = 1.0


class Writer:
    """Takes the ledger and writes it. `on_notices` is told of each committed notice: (id, row)."""

    def __init__(
        self,
        register: Register,
        ledger: Ledger,
        on_notices: Callable[[list[tuple[int, Row]]], None],
        severities: Mapping[int, str] | None = None,
    ) -> None:
        """severities: of incidents, by id, as the rules have them: what the judge's side says of those is passed over."""
        self.register, self.ledger, self.on_notices = register, ledger, on_notices
        self.severities = severities if severities is not None else {}
        self.written = 0
        self.failures = 0
        self.last_s = 0.0
        self.incident_ids: dict[str, int] = {}
        self._over = threading.Event()

    def run(self) -> None:
        """Until `stop`; what is pending then is written first."""
        while True:
            over = self._over.is_set()
            batch = self.ledger.take(0.0 if over else EVERY_S)
            if len(batch):
                self._write(batch)
            elif over:
                return

    def stop(self) -> None:
        """Write what is there, then end."""
        self._over.set()
        self.ledger.wake()

    def _write(self, batch: Batch) -> None:
        for key, row in batch.incidents.items():
            ruled = self.severities.get(self.incident_ids.get(key, 0))
            if ruled is not None and "severity" in row:
                row["severity"] = ruled
        while True:
            begun = time.monotonic()
            try:
                with self.register.write() as session:
                    told = write_batch(session, batch, self.incident_ids)
            except SQLAlchemyError as error:
                self.failures += 1
                level = logging.WARNING if self.failures % 30 == 1 else logging.DEBUG
                log.log(level, "the register cannot be written, trying again: %s", error)
                if isinstance(error, IntegrityError):
                    _drop_what_is_gone(self.register, batch)
                if self._over.wait(RETRY_S) and self.failures > 3:
                    return
                continue
            self.last_s = time.monotonic() - begun
            self.written += len(batch)
            if told:
                self.on_notices(told)
            return


def write_batch(session: Session, batch: Batch, ids: dict[str, int]) -> list[tuple[int, Row]]:
    """All of a batch in the caller's transaction. ids: incident key -> id, kept up to date. The notices, with their ids."""
    if batch.incidents:
        _write_incidents(session, batch.incidents, ids)
    notices = [_with_incident(row, ids) for row in batch.notices]
    told = list(zip(store.add_notices(session, notices), notices, strict=True)) if notices else []
    for what, group in groupby(batch.outages, key=lambda entry: entry[0]):
        rows = [_with_incident(row, ids) for _, row in group]
        if what == "open":
            store.open_outages(session, rows)
        elif what == "amend":
            store.amend_outages(session, rows)
        else:
            store.update_outages(session, rows)
    if batch.verdicts:
        store.write_verdicts(session, {ids[key]: row for key, row in batch.verdicts.items() if key in ids})
    if batch.gone:
        store.forget_node_states(session, batch.gone)
    if batch.node_states:
        store.write_node_states(session, [_with_incident(row, ids) for row in batch.node_states.values()])
    for what, row in batch.unseen:
        _write_unseen(session, what, row)
    if batch.memory:
        store.save_judge_many(session, batch.memory)
    if batch.seen:
        store.mark_seen(session, batch.seen)
    if batch.facts:
        store.write_device_facts(session, [{"id": number, **row} for number, row in batch.facts.items()])
    if batch.ports:
        store.write_ports(session, list(batch.ports.values()))
    for name, row in batch.beats.items():
        store.beat(session, name, **row)
    return told


def _write_incidents(session: Session, incidents: dict[str, Row], ids: dict[str, int]) -> None:
    rows = [{k: v for k, v in {**row, "key": key}.items() if k != "merged_key"} for key, row in incidents.items()]
    ids |= store.upsert_incidents(session, rows)
    merged: list[Row] = [
        {"key": key, "merged_into": ids[row["merged_key"]]}
        for key, row in incidents.items()
        if row.get("merged_key") in ids
    ]
    if merged:
        store.upsert_incidents(session, merged)


def _with_incident(row: Row, ids: dict[str, int]) -> Row:
    """The row with ids for keys of incidents."""
    if not any(name.endswith("_key") for name in row) and "sentence" not in row:
        return row
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name == "incident_key":
            found["incident_id"] = ids.get(value) if value is not None else None
        elif name == "merged_key":
            found["merged_into"] = ids.get(value) if value is not None else None
        elif name != "sentence":
            found[name] = value
    return found


def _write_unseen(session: Session, what: str, row: Row) -> None:
    if what == "open":
        store.open_unseen(session, row["zone"], row["shard"], row["from_at"], row["reason"])
    elif what == "close":
        store.close_unseen(session, row["zone"], row["shard"], row["until_at"])
    elif what == "seen":
        store.see_unseen(session, row["zone"], row["shard"], row["from_at"], row["until_at"], row["least_s"])
    else:
        store.add_unseen(session, [row])


def _drop_what_is_gone(register: Register, batch: Batch) -> None:
    """A device that was deleted meanwhile takes its ports with it."""
    with register.engine.connect() as connection:
        known = {row[0] for row in connection.exec_driver_sql("SELECT id FROM device")}
    batch.ports = {key: row for key, row in batch.ports.items() if key[0] in known}
