"""Ports, as the devices told them: `/api/v1/ports`, to be read. Rates are in `/api/v1/devices/{id}/live`."""

from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import func

from api.resources.machine import Id, ListQuery, Resource, Text, contains
from inventory.models import Port, table


class PortRead(BaseModel):
    """A row of IF-MIB. `name`: ifName, where empty or doubled ifDescr, then `#ifIndex`. `speed_bps`: ifHighSpeed in bit/s."""

    id: int
    device_id: int
    name: str
    if_index: int
    descr: str = ""
    alias: str = ""
    if_type: int | None = None
    speed_bps: int | None = None
    mac: str | None = None
    admin: str = ""
    oper: str = ""
    monitored: bool
    seen_at: datetime | None = None


class PortQuery(ListQuery):
    """Filters of the list."""

    device_id: Id | None = None
    name: Text | None = None
    admin: Text | None = None
    oper: Text | None = None
    monitored: bool | None = None


_own = table(Port)

PORTS = Resource(
    name="ports",
    model=Port,
    read=PortRead,
    query=PortQuery,
    deletable=False,
    sorts={"if_index": _own.c.if_index, "name": _own.c.name},
    search=contains(func.lower(_own.c.name + " " + _own.c.alias)),
)
