"""Why is this school down? Schools by name, pinyin or code, with their state and what they are cut off by: few statements for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlmodel import Session

from api.pages.queries.causes import cause_of, gateway_causes
from api.pages.queries.contacts import Contact, find_contacts
from api.pages.queries.roots import Root, describe_roots
from api.pages.signs import ORDER
from inventory.models import Incident, NodeKind, NodeState, School, State, table
from inventory.scope import Scope

incident, node, school = table(Incident), table(NodeState), table(School)

GOOD = (State.up, State.not_seen, State.not_watched)


@dataclass(frozen=True, slots=True)
class Why:
    """One school and what is known of it. cause: the root's name; "" unknown, None: outside the reader's part. root: what it is, where it has an English name."""

    school: Any
    state: State
    since: Any
    devices: int
    devices_up: int
    incident: Any
    cause: str | None
    contact: Contact | None
    root: Root | None = None


def ask_why(session: Session, scope: Scope, text: str, locale: str, limit: int) -> list[Why]:
    """Schools that `text` may mean: of exactly this code or name first, then the worst state first."""
    words = text.lower().split()[:6]
    if not words:
        return []
    causes = gateway_causes()
    exact = or_(school.c.code == text, school.c.name == text, func.lower(school.c.name_en) == text.lower())
    rank = case(dict(ORDER.items()), value=node.c.state, else_=ORDER[State.not_watched])
    statement = (
        select(
            school.c.id, school.c.name, school.c.name_en, school.c.code, school.c.pupils, school.c.contact_name, school.c.contact_phone,
            func.coalesce(node.c.state, State.not_watched).label("state"), node.c.since, node.c.devices, node.c.devices_up,
            cause_of(node, causes).label("cause"), exact.label("exact"),
        )
        .select_from(
            school.outerjoin(node, and_(node.c.kind == NodeKind.school, node.c.node_id == school.c.id)).outerjoin(
                causes, causes.c.school_id == school.c.id
            )
        )
        .where(school.c.status == "active", *(_holds(word) for word in words))
        .order_by(exact.desc(), rank, school.c.name)
        .limit(limit)
    )  # fmt: skip
    rows = session.connection().execute(scope.filter(statement, School)).all()
    if rows and rows[0].exact:
        rows = [row for row in rows if row.exact]
    return _explain(session, scope, rows, locale)


def _explain(session: Session, scope: Scope, rows: Sequence[Any], locale: str) -> list[Why]:
    wanted = {row.cause for row in rows if row.cause is not None and State(row.state) not in GOOD}
    seen = scope.filter(select(incident).where(incident.c.id.in_(wanted)), Incident)
    known = {row.id: row for row in session.connection().execute(seen)} if wanted else {}
    contacts = find_contacts(session, scope, list(known.values()))
    roots = describe_roots(session, locale, known.values())
    found = []
    for row in rows:
        state = State(row.state)
        blamed = row.cause if state not in GOOD else None
        of = known.get(blamed) if blamed is not None else None
        cause: str | None = ""
        if blamed is not None:
            cause = (of.root_name or of.cluster_value or "") if of else None
        contact = contacts.get(blamed) if blamed is not None else None
        found.append(
            Why(
                row, state, row.since, row.devices or 0, row.devices_up or 0, of, cause, contact, roots.get(blamed or 0)
            )
        )
    return found


def _holds(word: str) -> Any:
    plain = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return or_(
        school.c.search.like(f"%{plain}%", escape="\\"), func.lower(school.c.name_en).like(f"%{plain}%", escape="\\")
    )
