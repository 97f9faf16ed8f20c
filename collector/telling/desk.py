"""From a parcel to a message, and to its sender: who is called, what may be said, by which address."""

import threading
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session

from collector.outlets.kinds import KINDS, limit_of
from collector.outlets.sending import Message, Sender, scrub
from collector.telling.messages import Frame, alive_text, stories_of, write
from collector.telling.policy import Orders, Outfit
from collector.telling.post import Outcome, Parcel
from collector.telling.roster import duty_of
from collector.telling.store import open_count
from collector.telling.texts import Language, say
from collector.telling.values import Policy
from inventory.carrier import OPERATORS, contact_of
from inventory.database import Register
from inventory.models import Incident, Line, NodeKind, Region, School, table
from inventory.scope import Scope

NAMED = 5
"""Incidents of one message of which it is looked up whom to call."""

ROWS = 1000
"""Incidents that a message has for machines."""


class Desk:
    """Writes and sends. `write` in the teller's thread, `send` in any, one message of an outlet at a time."""

    def __init__(self, register: Register, zone: ZoneInfo, page_url: str) -> None:
        self.register, self.zone, self.page_url = register, zone, page_url
        self.orders = Orders(Policy(), {}, {})
        self._senders: dict[int, tuple[int, Sender]] = {}
        self._lock = threading.Lock()

    def equip(self, orders: Orders) -> None:
        """Other outlets: senders whose configuration has changed are made anew at their next message."""
        with self._lock:
            self.orders = orders

    def close(self) -> None:
        """Let go of connections."""
        with self._lock:
            for _, sender in self._senders.values():
                sender.close()
            self._senders = {}

    # -- writing ---------------------------------------------------------------------------------------------------

    def write(self, session: Session, parcel: Parcel, key: str, now: float) -> Message:
        """One message for a parcel, in the words and within the limits of the outlet that sends it."""
        way, via = parcel.way, parcel.via
        language: Language = "en" if way.language == "en" else "zh"
        items = [item for item in parcel.items if item.event != "alive"]
        to = self._addresses(parcel)
        if not items:
            schools, going = self._counts(session, way.path)
            return Message(alive_text(schools, going, language), key, to, language=language)
        largest = stories_of(items)[:NAMED]
        numbers = [story.subject.id for story in largest if story.event != "resolved"]
        for number, names in possible_names(session, numbers).items():
            for story in largest:
                if story.subject.id == number:
                    story.subject.possible = names
        on_duty = [] if parcel.audience[1] else duty_of(self.orders.policy, largest[0].subject, now)
        frame = Frame(
            language,
            self.zone,
            self.page_url,
            calls=calls_of(session, numbers, language),
            duty=say(", ", language, "names").join(f"{one.name} {one.phone}".strip() for one in on_duty),
            way=way.name,
            lost_since=parcel.lost_since,
            detour=parcel.is_detour,
        )
        config = self.orders.outfits[via.id].config if via.id in self.orders.outfits else {}
        text = write(items, frame, limit_of(via.kind, config), now)
        going_on = any(item.event != "resolved" for item in items)
        mentions = [one.phone for one in on_duty if one.phone] if going_on else []
        return Message(text, key, to, mentions, language, [_row(item) for item in items[:ROWS]])

    def _addresses(self, parcel: Parcel) -> list[str]:
        person = self.orders.persons.get(parcel.audience[1])
        if person is None:
            return []
        address = person.phone if parcel.via.kind == "sms" else person.mail if parcel.via.kind == "mail" else ""
        return [address] if address else []

    def _counts(self, session: Session, path: str) -> tuple[int, int]:
        """Active schools and open incidents of an outlet's part."""
        school, region = table(School), table(Region)
        statement = select(func.count()).select_from(school).where(school.c.status == "active")
        if path:
            within = select(region.c.id).where(region.c.path.like(f"{path}%"))
            statement = statement.where(school.c.place_id.in_(within) | school.c.duty_id.in_(within))
        connection = session.connection()
        return int(connection.execute(statement).scalar_one()), open_count(connection, path)

    # -- sending ---------------------------------------------------------------------------------------------------

    def send(self, outlet: int, message: Message) -> Outcome:
        """Send by an outlet; its answer without anything secret."""
        with self._lock:
            outfit = self.orders.outfits.get(outlet)
        if outfit is None:
            return Outcome(False, "the outlet is gone")
        if outfit.fault:
            return Outcome(False, outfit.fault)
        outcome = self._sender(outfit).send(message)
        return Outcome(outcome.ok, scrub(outcome.answer, outfit.config), outcome.pause_s)

    def _sender(self, outfit: Outfit) -> Sender:
        with self._lock:
            known = self._senders.get(outfit.id)
            if known is not None and known[0] == outfit.row_version:
                return known[1]
            sender = KINDS[outfit.kind].make(outfit.config)
            self._senders[outfit.id] = (outfit.row_version, sender)
        if known is not None:
            known[1].close()
        return sender


def calls_of(session: Session, incidents: list[int], language: Language) -> dict[int, str]:
    """{incident: whom to call}: of a line (the root, or a possible one) its carrier, else the people of the place."""
    incident, line = table(Incident), table(Line)
    connection = session.connection()
    found: dict[int, str] = {}
    for row in connection.execute(select(incident).where(incident.c.id.in_(incidents))).mappings():
        lines = [int(node.split(":")[1]) for node in row["possible"] if node.startswith("line:")]
        if row["root_kind"] == NodeKind.line:
            lines.insert(0, row["root_id"])
        circuit = next(
            (
                one
                for one in connection.execute(select(line).where(line.c.id.in_(lines)).order_by(line.c.id))
                if one.contact_phone
            ),
            None,
        )
        if circuit is None:
            found[row["id"]] = contact_of(session, Scope(), row)
            continue
        names = OPERATORS.get(circuit.operator, (circuit.operator, circuit.operator))
        parts = (names[0 if language == "zh" else 1], circuit.contact_name, circuit.contact_phone, circuit.circuit)
        found[row["id"]] = " ".join(part for part in parts if part)
    return found


def possible_names(session: Session, incidents: list[int]) -> dict[int, tuple[str, ...]]:
    """{incident: names of the lines that may as well be its root}."""
    incident, line = table(Incident), table(Line)
    connection = session.connection()
    found = {}
    for number, nodes in connection.execute(
        select(incident.c.id, incident.c.possible).where(incident.c.id.in_(incidents))
    ):
        lines = [int(node.split(":")[1]) for node in nodes if node.startswith("line:")][:3]
        if lines:
            names = select(line.c.name).where(line.c.id.in_(lines)).order_by(line.c.id)
            found[number] = tuple(connection.execute(names).scalars())
    return found


def _row(item: Any) -> dict[str, Any]:
    """An incident for machines."""
    subject = item.subject
    return {
        "incident": subject.id,
        "event": item.event,
        "kind": subject.kind,
        "severity": subject.severity,
        "root": subject.root,
        "name": subject.name,
        "region": subject.region,
        "since": subject.from_t,
        "until": subject.until_t,
        "affected": subject.affected,
        "schools": subject.schools,
        "pupils": subject.pupils,
        "flapping": subject.flapping,
        "cause": subject.cause,
        "merged_into": subject.merged_into,
    }
