"""Alertmanagers of the register (`/api/v1/outlets`), and what is for each of them."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from collector.outlets.alertmanager import Alertmanager
from collector.telling.values import rank
from inventory.database import Register
from inventory.models import Outlet, OutletKind, Region, table
from inventory.outlets import open_config
from inventory.sealing import UnsealError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AlertmanagerRow:
    """An Alertmanager of the register (`outlet`), and which incidents are for it."""

    name: str
    url: str
    path: str
    least_severity: str
    kinds: frozenset[str]

    def wants(self, incident: Any) -> bool:
        """Whether an incident is for it. What is over is always told."""
        if self.path and not any(incident[name].startswith(self.path) for name in ("path", "duty_path")):
            return False
        if self.kinds and incident["kind"] not in self.kinds:
            return False
        return rank(incident["severity"]) >= rank(self.least_severity) or incident["status"] in ("resolved", "merged")


class Chosen:
    """An Alertmanager that gets only what is for it."""

    def __init__(self, row: AlertmanagerRow, outlet: Alertmanager) -> None:
        self.row, self.outlet, self.name = row, outlet, row.name[:40]

    def send(self, incidents: list[Any], now: datetime) -> None:
        """Post those that it wants."""
        self.outlet.send([incident for incident in incidents if self.row.wants(incident)], now)

    def close(self) -> None:
        """Close the connection."""
        self.outlet.close()


def read_alertmanagers(register: Register) -> list[AlertmanagerRow]:
    """Those of the register that are enabled. One whose configuration cannot be opened is left out, and named in the log."""
    outlet, region = table(Outlet), table(Region)
    statement = (
        select(outlet, region.c.path.label("region_path"))
        .select_from(outlet.outerjoin(region, region.c.id == outlet.c.region_id))
        .where(outlet.c.kind == OutletKind.alertmanager, outlet.c.enabled)
        .order_by(outlet.c.id)
    )
    found = []
    with register.engine.connect() as connection:
        for row in connection.execute(statement).mappings():
            try:
                url = open_config(row["secret"], register.sealer)["url"] if register.sealer is not None else ""
            except (UnsealError, ValueError, KeyError) as error:
                log.warning("the Alertmanager %s cannot be used: %s", row["name"], error)
                continue
            if url:
                path = row["region_path"] or ("" if row["region_id"] is None else "//")
                kinds = frozenset(row["kinds"])
                found.append(AlertmanagerRow(row["name"], url, path, row["least_severity"], kinds))
    return found
