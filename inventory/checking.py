"""What is not in order in the register: found by a few statements each, said as values."""

import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlmodel import Session

from inventory.calendars import read_calendars
from inventory.calendars.statutory import known_years
from inventory.credentials import open_secret, resolve_credentials
from inventory.database import Register
from inventory.models import Address, Credential, Device, DeviceKind, Line, LineSite, School, Site, Watch, Zone, table
from inventory.sealing import UnsealError
from inventory.vantages import list_vantages
from inventory.words import Language, say

NAMED = 5
"""So many are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not in order. level: error (it will not be watched as meant) or warning. code: stable, for scripts."""

    level: str
    code: str
    text: str
    params: dict[str, Any] = field(default_factory=dict)

    def render(self, lang: Language | None = None) -> str:
        """One sentence."""
        return say(self.text, lang, **self.params)


def _Text(text: str) -> str:
    """Marks a text for the catalogue (a test collects them)."""
    return text


def check_register(register: Register, today: date | None = None) -> list[Finding]:
    """Everything that is not in order, errors first. today: the local day, for calendars."""
    with register.session() as session:
        found = [*_addresses(session), *_lines(session), *_schools(session), *_doubles(session)]
        found += [*_credentials(session, register), *_zones(session), *_vantages(session), *_key_file(register)]
        found += _calendars(session, register, today or datetime.now(ZoneInfo(register.timezone)).date())
    return sorted(found, key=lambda finding: finding.level != "error")


def _several(level: str, code: str, text: str, names: Iterable[str | None]) -> list[Finding]:
    shown = [name or "-" for name in names]
    if not shown:
        return []
    listed = ", ".join(shown[:NAMED]) + (" ..." if len(shown) > NAMED else "")
    return [Finding(level, code, text, {"count": len(shown), "names": listed})]


def _names(session: Session, statement: Select[Any]) -> list[str]:
    return [str(name) for name in session.connection().execute(statement).scalars()]


def _addresses(session: Session) -> list[Finding]:
    device, address = table(Device), table(Address)
    bare = (
        select(device.c.name)
        .outerjoin(address, address.c.device_id == device.c.id)
        .where(address.c.id.is_(None), device.c.status == "active", device.c.watch != Watch.none)
        .order_by(device.c.id)
    )
    gateways = _names(session, bare.where(device.c.kind == DeviceKind.gateway))
    others = _names(session, bare.where(device.c.kind != DeviceKind.gateway))
    return [
        *_several("error", "gateway_without_address", _Text("{count} gateways have no address: {names}"), gateways),
        *_several("warning", "no_address", _Text("{count} devices that are watched have no address: {names}"), others),
    ]


def _lines(session: Session) -> list[Finding]:
    line, serves = table(Line), table(LineSite)
    live = line.c.status != "ended"
    above = select(line.c.name).where(line.c.upstream_site_id.is_(None), live).order_by(line.c.id)
    nothing = (
        select(line.c.name).outerjoin(serves, serves.c.line_id == line.c.id).where(serves.c.line_id.is_(None), live)
    )
    return [
        *_several(
            "warning",
            "line_without_upstream",
            _Text("{count} lines hang under no site: {names}"),
            _names(session, above),
        ),
        *_several(
            "error", "line_serves_nothing", _Text("{count} lines serve no site: {names}"), _names(session, nothing)
        ),
    ]


def _schools(session: Session) -> list[Finding]:
    school, site, device = table(School), table(Site), table(Device)
    active = school.c.status == "active"
    homeless = select(school.c.name).outerjoin(site, site.c.school_id == school.c.id).where(site.c.id.is_(None), active)
    with_gateway = select(site.c.school_id).join(device, device.c.site_id == site.c.id).where(
        device.c.kind == DeviceKind.gateway, device.c.status == "active", site.c.school_id.is_not(None)
    )  # fmt: skip
    unwatched = select(school.c.name).where(active, school.c.id.not_in(with_gateway)).order_by(school.c.id)
    return [
        *_several("error", "school_without_site", _Text("{count} schools have no site: {names}"), _names(session, homeless)),
        *_several("warning", "school_without_gateway", _Text("{count} schools have no gateway and so are not watched: {names}"), _names(session, unwatched)),
    ]  # fmt: skip


def _doubles(session: Session) -> list[Finding]:
    device = table(Device)

    def doubled(column: Any) -> list[str]:
        return _names(
            session, select(column).where(column.is_not(None), column != "").group_by(column).having(func.count() > 1)
        )

    return [
        *_several(
            "error",
            "double_engine_id",
            _Text("{count} engineIDs belong to several devices: {names}"),
            doubled(device.c.engine_id),
        ),
        *_several(
            "error",
            "double_serial",
            _Text("{count} serial numbers belong to several devices: {names}"),
            doubled(device.c.serial),
        ),
    ]


def _credentials(session: Session, register: Register) -> list[Finding]:
    device = table(Device)
    served = resolve_credentials(session)
    asked = select(device.c.id, device.c.name).where(device.c.watch == Watch.snmp, device.c.status == "active")
    missing = [name for number, name in session.connection().execute(asked) if number not in served]
    sealed, never, seen = [], [], set()
    for row in session.scalars(select(Credential).order_by(table(Credential).c.id)):
        if register.sealer is not None:
            try:
                open_secret(row, register.sealer)
            except (UnsealError, ValueError, TypeError):
                sealed.append(row.name)
        place = (row.region_id, row.zone_id if row.region_id is None else None, row.version)
        if place in seen and place[:2] != (None, None):
            never.append(row.name)
        seen.add(place)
    named = {
        number for number in session.connection().execute(select(device.c.credential_id).distinct()).scalars() if number
    }
    names_named = {row.name for row in session.scalars(select(Credential)) if row.id in named}
    never = [name for name in never if name not in names_named]
    return [
        *_several("error", "no_credential", _Text("{count} devices watched by SNMP have no credential: {names}"), missing),
        *_several("error", "cannot_unseal", _Text("{count} credentials cannot be unsealed with this key: {names}"), sealed),
        *_several("warning", "credential_never_serves", _Text("{count} credentials will never serve, an older one stands before them: {names}"), never),
    ]  # fmt: skip


def _zones(session: Session) -> list[Finding]:
    zone = table(Zone)
    rows = session.connection().execute(select(zone.c.name, zone.c.default, zone.c.references)).all()
    found = []
    if len(rows) > 1 and not any(row.default for row in rows):
        found.append(Finding("warning", "no_default_zone", _Text("there are several zones and none is the default")))
    blind = [row.name for row in rows if not row.references.strip()]
    if blind:
        text = _Text("zone {names} has no reference targets, so the collector cannot tell its own blindness well")
        found.append(Finding("warning", "no_references", text, {"names": ", ".join(blind)}))
    return found


def _vantages(session: Session) -> list[Finding]:
    """Vantage points that hand nothing in, and those that could not tell their own blindness."""
    rows = [row for row in list_vantages(session) if row["enabled"]]
    quiet = [row["name"] for row in rows if row["state"] in ("never", "silent")]
    weak = [row["name"] for row in rows if not row["references"].strip()]
    return [
        *_several("warning", "vantage_silent", _Text("{count} vantage points have handed no reports in: {names}"), quiet),
        *_several("warning", "vantage_no_references", _Text("{count} vantage points have no reference targets, so they cannot tell their own blindness well: {names}"), weak),
    ]  # fmt: skip


def _key_file(register: Register) -> list[Finding]:
    path = register.key_file
    if path is None or not path.exists() or not stat.S_IMODE(path.stat().st_mode) & 0o077:
        return []
    return [
        Finding(
            "warning",
            "key_file_open",
            _Text("the key file {path} can be read by others: chmod 600"),
            {"path": str(path)},
        )
    ]


NEXT_YEAR_FROM = (11, 20)
"""Month and day from when next year's holidays should be known: they are published in October or November."""


def _calendars(session: Session, register: Register, today: date) -> list[Finding]:
    """What no calendar declares today, and holidays that are, or soon will be, beyond what is known."""
    calendars = read_calendars(session, register.timezone)
    school = table(School)
    active = session.connection().execute(select(school.c.id, school.c.name).where(school.c.status == "active"))
    without: dict[str, list[str]] = {"term": [], "hours": []}
    for number, name in active:
        for word in calendars.plan(calendars.school(number), today).missing:
            if word in without:
                without[word].append(name)
    _, last = known_years()
    found = [
        *_several("warning", "no_term", _Text("{count} schools have no term in this half-year, so every weekday counts as one in term: {names}"), without["term"]),
        *_several("warning", "no_class_hours", _Text("{count} schools have no class hours, so usual ones are taken: {names}"), without["hours"]),
    ]  # fmt: skip
    if today.year > last:
        text = _Text("statutory holidays are known until {year} only, weekdays hold since then: update chinesecalendar")
        found.append(Finding("warning", "holidays_unknown", text, {"year": last}))
    elif today.year == last and (today.month, today.day) >= NEXT_YEAR_FROM:
        text = _Text("statutory holidays are known until the end of {year}: update chinesecalendar")
        found.append(Finding("warning", "holidays_end", text, {"year": last}))
    return found
