"""Which SNMP credential serves which device. Never tried in turn: each device has exactly one, or none.

The device's own; else that of the nearest region on the way from its site's county up the place tree; else that of its
zone. A device whose `snmp_version` is set passes over credentials of another version. Of several for the same region or
zone the oldest serves, and `edunet check` says that the others never will.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlmodel import Session

from inventory.models import Address, Credential, Device, Region, RegionTree, Site, Zone, table
from inventory.sealing import Sealer

VERSIONS = ("1", "2c", "3")
AUTH_PROTOCOLS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
PRIV_PROTOCOLS = ("des", "aes128", "aes192", "aes256")


@dataclass(frozen=True, slots=True)
class Secret:
    """What a credential keeps sealed. `repr` shows none of it. auth_key, priv_key: passphrases (RFC 3414 A.2), at least 8 characters."""

    community: str = ""
    user: str = ""
    auth_key: str = ""
    priv_key: str = ""

    def __repr__(self) -> str:
        return "Secret(***)"


def seal_secret(secret: Secret, sealer: Sealer) -> bytes:
    """The bytes for `Credential.secret`."""
    fields = {name: value for name in Secret.__slots__ if (value := getattr(secret, name))}
    return sealer.seal(json.dumps(fields, ensure_ascii=False).encode())


def open_secret(credential: Credential, sealer: Sealer) -> Secret:
    """The secret in clear, for the collector's plan alone. UnsealError where the key does not fit."""
    return Secret(**json.loads(sealer.unseal(credential.secret)))


def new_credential(
    name: str,
    version: str,
    secret: Secret,
    sealer: Sealer,
    *,
    auth: str = "",
    priv: str = "",
    context: str = "",
    zone_id: int | None = None,
    region_id: int | None = None,
) -> Credential:
    """A credential, not yet added. ValueError says what is wrong with it."""
    if version not in VERSIONS:
        raise ValueError(f"version {version!r}: one of {', '.join(VERSIONS)}")
    if version != "3":
        if not secret.community:
            raise ValueError(f"SNMPv{version} needs a community")
        auth = priv = ""
    else:
        _check_usm(secret, auth, priv)
    return Credential(
        name=name,
        version=version,
        zone_id=zone_id,
        region_id=region_id,
        auth_protocol=auth,
        priv_protocol=priv,
        context=context,
        secret=seal_secret(secret, sealer),
    )


def _check_usm(secret: Secret, auth: str, priv: str) -> None:
    if not secret.user:
        raise ValueError("SNMPv3 needs a user")
    if auth and auth not in AUTH_PROTOCOLS:
        raise ValueError(f"authentication {auth!r}: one of {', '.join(AUTH_PROTOCOLS)}")
    if priv and priv not in PRIV_PROTOCOLS:
        raise ValueError(f"privacy {priv!r}: one of {', '.join(PRIV_PROTOCOLS)}")
    if priv and not auth:
        raise ValueError("privacy needs authentication (RFC 3414)")
    for protocol, key, word in ((auth, secret.auth_key, "authentication"), (priv, secret.priv_key, "privacy")):
        if protocol and len(key) < 8:
            raise ValueError(f"the {word} passphrase needs at least 8 characters (RFC 3414, 11.2)")


class _Choice:
    """The rules above, over the few credentials of a register; asked once for each (county, zone, version) met."""

    def __init__(self, credentials: Iterable[tuple[int, str, int | None, int | None]], paths: dict[int, str]) -> None:
        self._by_region: dict[int, list[tuple[str, int]]] = {}
        self._by_zone: dict[int, list[tuple[str, int]]] = {}
        for number, version, region, zone in credentials:
            if region is not None:
                self._by_region.setdefault(region, []).append((version, number))
            elif zone is not None:
                self._by_zone.setdefault(zone, []).append((version, number))
        self._paths = paths
        self._known: dict[tuple[int, int | None, str], int | None] = {}

    def pick(self, place: int, zone: int | None, version: str) -> int | None:
        key = (place, zone, version)
        if key not in self._known:
            self._known[key] = self._search(place, zone, version)
        return self._known[key]

    def _search(self, place: int, zone: int | None, version: str) -> int | None:
        way = [int(part) for part in self._paths.get(place, "").split("/") if part]
        offers = [self._by_region.get(region, []) for region in reversed(way)]
        if zone is not None:
            offers.append(self._by_zone.get(zone, []))
        for offer in offers:
            for offered, number in offer:
                if version in ("", offered):
                    return number
        return None


def resolve_credentials(session: Session, device_ids: Iterable[int] | None = None) -> dict[int, int]:
    """{device_id: credential_id} of all devices (or of `device_ids`) that have one. Three statements, however many devices."""
    connection = session.connection()
    credential, region = table(Credential), table(Region)
    rows = connection.execute(
        select(credential.c.id, credential.c.version, credential.c.region_id, credential.c.zone_id).order_by(
            credential.c.id
        )
    ).all()
    paths = (
        connection.execute(select(region.c.id, region.c.path).where(region.c.tree == RegionTree.place)).tuples().all()
    )
    choice = _Choice([tuple(row) for row in rows], dict(paths))

    device, site, address = table(Device), table(Site), table(Address)
    statement = select(
        device.c.id, device.c.credential_id, device.c.snmp_version, site.c.place_id, address.c.zone_id
    ).select_from(
        device.join(site, site.c.id == device.c.site_id).outerjoin(
            address, and_(address.c.device_id == device.c.id, address.c.primary)
        )
    )
    if device_ids is not None:
        statement = statement.where(device.c.id.in_(list(device_ids)))
    found: dict[int, int] = {}
    for number, own, version, place, zone in connection.execute(statement):
        picked = own if own is not None else choice.pick(place, zone, version)
        if picked is not None:
            found[number] = picked
    return found


def credential_for(session: Session, device: Device) -> Credential | None:
    """The credential that serves one device, or None."""
    if device.id is None:
        return None
    number = resolve_credentials(session, [device.id]).get(device.id)
    return session.get(Credential, number) if number is not None else None


def default_zone(session: Session) -> Zone | None:
    """The zone meant where none is named: the one marked so, else the only one."""
    zone = table(Zone)
    rows = session.connection().execute(select(zone.c.id, zone.c.default).order_by(zone.c.id)).all()
    marked = [row.id for row in rows if row.default] or [row.id for row in rows if len(rows) == 1]
    return session.get(Zone, marked[0]) if marked else None
