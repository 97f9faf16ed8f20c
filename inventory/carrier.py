"""What to tell the carrier of an incident, ready to be copied: circuit, place, since when, evidence, contact.

`carrier_text` is pure; `read_circuit` fetches what it needs, in five statements at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Literal

from sqlalchemy import or_, select
from sqlmodel import Session

from inventory.causes import evidence_sentences
from inventory.models import Device, Incident, Line, LineSite, NodeKind, Region, School, Site, table
from inventory.scope import Scope

Language = Literal["zh", "en"]

OPERATORS = {
    "telecom": ("中国电信", "China Telecom"),
    "unicom": ("中国联通", "China Unicom"),
    "mobile": ("中国移动", "China Mobile"),
    "cernet": ("教育网", "CERNET"),
    "broadcast": ("中国广电", "China Broadnet"),
}
"""Names of carriers by the register's word; others as they stand."""

MOST = 10
"""Circuits in one text."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """One line as the carrier knows it. place: where it ends, address: of that."""

    name: str
    circuit: str = ""
    operator: str = ""
    bandwidth_mbps: int | None = None
    place: str = ""
    address: str = ""
    far_place: str = ""


@dataclass(frozen=True, slots=True)
class CarrierCase:
    """An incident as the carrier must hear of it. evidence: as in `incident.cause_evidence`. until: when it was mended, None: still so."""

    number: int
    what: str
    since: datetime
    until: datetime | None = None
    circuits: Sequence[Circuit] = ()
    schools: int = 0
    pupils: int = 0
    evidence: Sequence[dict[str, Any]] = field(default_factory=tuple)
    contact: str = ""
    ticket: str = ""


def carrier_text(case: CarrierCase, language: Language, now: datetime, zone: tzinfo) -> str:
    """Lines of plain text, the most important first."""
    chinese = language == "zh"
    minutes = max(0, int(((case.until or now) - case.since).total_seconds() // 60))
    found = [f"【故障申报】{case.what}" if chinese else f"Fault report: {case.what}"]
    for circuit in case.circuits[:MOST]:
        found += _circuit_lines(circuit, chinese)
    if len(case.circuits) > MOST:
        more = len(case.circuits) - MOST
        found.append(f"另有 {more} 条电路" if chinese else f"and {more} more circuits")
    found.append(
        f"中断开始：{_at(case.since, zone)}（已 {minutes} 分钟）"
        if chinese
        else f"Down since: {_at(case.since, zone)} ({minutes} min)"
    )
    if case.until is not None:
        found.append(f"恢复时间：{_at(case.until, zone)}" if chinese else f"Mended: {_at(case.until, zone)}")
    if case.schools:
        found.append(
            f"影响：学校 {case.schools:,} 所，学生 {case.pupils:,} 人"
            if chinese
            else f"Cut off: {_many(case.schools, 'school')}, {_many(case.pupils, 'pupil')}"
        )
    said = evidence_sentences(case.evidence, language)
    if said:
        found.append("依据：" if chinese else "Evidence:")
        found += [f"  - {one.text}" for one in said]
    if case.contact:
        found.append(f"现场联系人：{case.contact}" if chinese else f"Contact on site: {case.contact}")
    if case.ticket:
        found.append(f"贵方工单号：{case.ticket}" if chinese else f"Your ticket: {case.ticket}")
    found.append(f"我方事件号：#{case.number}" if chinese else f"Our incident: #{case.number}")
    return "\n".join(found) + "\n"


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _at(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _circuit_lines(circuit: Circuit, chinese: bool) -> list[str]:
    names = OPERATORS.get(circuit.operator)
    operator = names[0 if chinese else 1] if names else circuit.operator
    first = " ".join(
        part
        for part in (
            operator,
            ("电路" if chinese else "circuit") + f" {circuit.circuit}" if circuit.circuit else circuit.name,
            f"{circuit.bandwidth_mbps:,} Mbit/s" if circuit.bandwidth_mbps else "",
        )
        if part
    )
    place = ("，" if chinese else ", ").join(part for part in (circuit.place, circuit.address) if part)
    found = [("电路：" if chinese else "Circuit: ") + first]
    if place:
        found.append(("地点：" if chinese else "Place: ") + place)
    if circuit.far_place:
        found.append(("对端：" if chinese else "Far end: ") + circuit.far_place)
    return found


def read_circuit(session: Session, number: int, scope: Scope) -> CarrierCase:
    """The case of one incident, with the lines and places of the caller's part alone. KeyError where there is none."""
    incident = table(Incident)
    row = session.connection().execute(select(incident).where(incident.c.id == number)).mappings().first()
    if row is None:
        raise KeyError(number)
    lines = _lines(session, scope, row)
    return CarrierCase(
        number=number,
        what=row["root_name"],
        since=row["from_at"],
        until=row["resolved_at"] if row["status"] in ("resolved", "merged") else None,
        circuits=lines,
        schools=row["schools"] if scope.everything else 0,
        pupils=row["pupils"] if scope.everything else 0,
        evidence=tuple(row["cause_evidence"] or ()),
        contact=contact_of(session, scope, row),
        ticket=row["ticket"],
    )


def _lines(session: Session, scope: Scope, row: Any) -> list[Circuit]:
    line, serves, site, school, region = (table(model) for model in (Line, LineSite, Site, School, Region))
    far = site.alias("far")
    named = [int(node.split(":")[1]) for node in row["possible"] if node.startswith("line:")]
    wanted: list[Any] = [line.c.id.in_(named)]
    if row["root_kind"] == NodeKind.line:
        wanted.append(line.c.id == row["root_id"])
    elif row["root_kind"] == NodeKind.device and not named:
        of = select(table(Device).c.site_id).where(table(Device).c.id == row["root_id"]).scalar_subquery()
        wanted.append(serves.c.site_id == of)
    statement = (
        select(
            line.c.id,
            line.c.name,
            line.c.circuit,
            line.c.operator,
            line.c.bandwidth_mbps,
            site.c.name.label("site"),
            site.c.address,
            school.c.name.label("school"),
            region.c.name.label("region"),
            far.c.name.label("far"),
        )
        .select_from(
            line.join(serves, serves.c.line_id == line.c.id)
            .join(site, site.c.id == serves.c.site_id)
            .outerjoin(school, school.c.id == site.c.school_id)
            .outerjoin(region, region.c.id == site.c.place_id)
            .outerjoin(far, far.c.id == line.c.upstream_site_id)
        )
        .where(or_(*wanted), line.c.status != "ended")
        .order_by(line.c.id, site.c.main.desc())
    )
    found: dict[int, Circuit] = {}
    for one in session.connection().execute(scope.filter(statement, Site)):
        place = " ".join(part for part in (one.region, one.school or one.site) if part)
        found.setdefault(
            one.id,
            Circuit(one.name, one.circuit or "", one.operator, one.bandwidth_mbps, place, one.address, one.far or ""),
        )
    return list(found.values())


def contact_of(session: Session, scope: Scope, row: Any) -> str:
    """Name and number of the people at the place: of the root's site, its school, else the bureau; of a row of `incident`."""
    site, school, region = table(Site), table(School), table(Region)
    places: Any = None
    if row["root_kind"] == NodeKind.device:
        places = select(table(Device).c.site_id).where(table(Device).c.id == row["root_id"])
    elif row["root_kind"] == NodeKind.line:
        places = select(table(LineSite).c.site_id).where(table(LineSite).c.line_id == row["root_id"])
    elif row["root_kind"] == NodeKind.site:
        places = select(site.c.id).where(site.c.id == row["root_id"])
    connection = session.connection()
    if places is not None:
        statement = (
            select(site.c.contact_name, site.c.contact_phone, school.c.contact_name, school.c.contact_phone)
            .select_from(site.outerjoin(school, school.c.id == site.c.school_id))
            .where(site.c.id.in_(places))
            .order_by(site.c.id)
        )
        for own_name, own_phone, name, phone in connection.execute(scope.filter(statement, Site)):
            if own_phone or phone:
                return f"{own_name} {own_phone}".strip() if own_phone else f"{name or ''} {phone}".strip()
    bureau = connection.execute(
        select(region.c.contact_name, region.c.contact_phone, region.c.name).where(
            region.c.id == (row["duty_id"] or row["place_id"])
        )
    ).first()
    return (
        f"{bureau.contact_name or bureau.name} {bureau.contact_phone}".strip()
        if bureau and bureau.contact_phone
        else ""
    )
