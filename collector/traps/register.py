"""The register's addresses and credentials as the receiver of traps needs them: made with each plan, in the judge's process."""

from collections import defaultdict

import numpy as np
from sqlalchemy import select

from collector.credentials import probe_credential
from collector.plan import Plan
from collector.traps.listeners import narrow
from collector.traps.messages import Senders
from inventory.database import Register
from inventory.models import Address, table
from inventory.models import Credential as StoredCredential
from inventory.sealing import Sealer, UnsealError
from probes.snmp.credential import Credential


def read_senders(register: Register, plan: Plan) -> Senders:
    """Every address of the devices that are asked, with the credentials by which their traps are believed.

    These are the one by which the device is asked, and those of its zone: a community for traps alone is a further credential of the zone (decision 0091).
    """
    targets = plan.targets
    number = {device: i for i, device in enumerate(targets.device_id.tolist())}
    zones = {zone.id: i for i, zone in enumerate(targets.zones)}
    address = table(Address)
    packed: list[bytes] = []
    zone_of: list[int] = []
    device_of: list[int] = []
    with register.engine.connect() as connection:
        query = select(address.c.device_id, address.c.zone_id, address.c.packed).order_by(address.c.id)
        for device, zone, sixteen in connection.execute(query):
            if device in number and zone in zones:
                packed.append(narrow(sixteen))
                zone_of.append(zones[zone])
                device_of.append(number[device])
    of_zone, credentials = _zone_credentials(register, targets.credentials)
    return Senders(
        version=plan.version,
        device_id=targets.device_id,
        own=targets.credential,
        packed=packed,
        zone=np.array(zone_of, np.int32),
        device=np.array(device_of, np.int32),
        zones=tuple(zone.name for zone in targets.zones),
        of_zone=tuple(tuple(of_zone.get(zone.id, ())) for zone in targets.zones),
        credentials=credentials,
    )


def _zone_credentials(
    register: Register, known: tuple[Credential, ...]
) -> tuple[dict[int, list[int]], tuple[Credential, ...]]:
    """(zone → indices of its credentials, all credentials: those of the plan, then those that no device is asked by)."""
    found: dict[int, list[int]] = defaultdict(list)
    credentials = list(known)
    index = {credential: i for i, credential in enumerate(known)}
    if register.key_file is None:
        return found, known
    sealer = Sealer(register.key_file)
    with register.session() as session:
        column = table(StoredCredential).c
        numbers = session.connection().execute(
            select(column.id).where(column.zone_id.is_not(None), column.region_id.is_(None)).order_by(column.id)
        )
        for (number,) in numbers.all():
            row = session.get(StoredCredential, number)
            try:
                assert row is not None
                credential = probe_credential(row, sealer)
            except (UnsealError, ValueError):
                continue  # the plan and `edunet check` say so
            if credential not in index:
                index[credential] = len(credentials)
                credentials.append(credential)
            found[int(row.zone_id or 0)].append(index[credential])
    return found, tuple(credentials)
