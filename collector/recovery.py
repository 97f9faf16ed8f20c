"""What a starting collector takes from the database: the judge's memory, states with their sums, open outages, the last sign of life."""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select

from collector.schools import DEGRADED, UNKNOWN, UP
from collector.states import CODE, Sums
from inventory import log as store
from inventory.database import Register
from inventory.models import Feed, Incident, NodeKind, NodeState, table


@dataclass(frozen=True)
class Recovered:
    """State of the judge's process as it was last written."""

    memory: dict[str, Any] | None = None
    nodes: dict[str, Sums] = field(default_factory=dict)
    schools: dict[int, Sums] = field(default_factory=dict)
    open_outages: set[tuple[str, int]] = field(default_factory=set)
    stopped_at: float | None = None
    incident_ids: dict[str, int] = field(default_factory=dict)
    open_agents: dict[int, str] = field(default_factory=dict)
    """device -> key of its open agent_silent incident"""
    degraded: dict[str, Any] | None = None
    open_degraded: frozenset[str] = frozenset()
    """keys of open incidents of kind degraded"""
    causes: dict[str, Any] | None = None
    outages: dict[str, str] = field(default_factory=dict)
    """key -> status of the incidents of kind outage that are not over"""


def recover(register: Register) -> Recovered:
    """Read it all, in a few statements."""
    state, feed, incident = table(NodeState), table(Feed), table(Incident)
    nodes: dict[str, Sums] = {}
    schools: dict[int, Sums] = {}
    with register.session() as session:
        connection = session.connection()
        columns = (
            state.c.kind,
            state.c.node_id,
            state.c.state,
            state.c.since,
            state.c.up_s,
            state.c.down_s,
            state.c.unknown_s,
        )
        for kind, number, word, since, up_s, down_s, unknown_s in connection.execute(select(*columns)):
            sums = Sums(CODE.get(word, UNKNOWN), since.timestamp(), up_s, down_s, unknown_s)
            if kind == NodeKind.school:
                schools[number] = sums
            else:
                if sums.code == DEGRADED:  # a device or line that is up
                    sums = replace(sums, code=UP)
                nodes[f"{NodeKind(kind).value}:{number}"] = sums
        beat = connection.execute(select(feed.c.at).where(feed.c.name == "judge")).scalar()
        still_open = incident.c.status.in_(("pending", "open"))
        rows = connection.execute(
            select(incident.c.key, incident.c.id, incident.c.kind, incident.c.root_id, incident.c.status).where(
                still_open
            )
        ).all()
        return Recovered(
            memory=store.load_judge(session, "judge"),
            nodes=nodes,
            schools=schools,
            open_outages={(NodeKind(kind).value, number) for kind, number in store.open_outage_ids(session)},
            stopped_at=None if beat is None else beat.timestamp(),
            incident_ids={row.key: row.id for row in rows},
            causes=store.load_judge(session, "causes"),
            outages={row.key: row.status for row in rows if row.kind == "outage"},
            open_agents={row.root_id: row.key for row in rows if row.kind == "agent_silent"},
            degraded=store.load_judge(session, "degraded"),
            open_degraded=frozenset(row.key for row in rows if row.kind == "degraded"),
        )
