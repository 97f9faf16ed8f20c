"""Ping without SNMP: a state of its own, and an incident of kind `agent_silent`, without down time. Pure decisions."""

import numpy as np
from numpy.typing import NDArray

from collector.ledger import Row, moment
from collector.plan import Plan
from collector.shared import BY_PING, BY_TCP
from collector.targets import WATCH_ANY
from collector.words import node_name, node_place
from inventory.models import NodeKind


def silent_agents(
    plan: Plan,
    answered: NDArray[np.uint8],
    misses: NDArray[np.int32],
    rounds: int,
    before: NDArray[np.bool_],
    spoke: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """By target: answers otherwise, but its agent has been silent for `rounds` reading rounds.

    One that was so before stays so until its agent answers: an outage says nothing of it, nor does a start that has asked it once. One that never spoke
    SNMP (`spoke`) is not silent: a credential of its whole zone serves many devices that have no agent.
    """
    targets = plan.targets
    able = (targets.watch == WATCH_ANY) & (targets.credential >= 0) & (spoke | before)
    here = (answered & (BY_PING | BY_TCP)) != 0
    return np.asarray(able & (misses > 0) & ((here & (misses >= rounds)) | before), np.bool_)


def have_spoken(plan: Plan, reading_at: NDArray[np.float64]) -> NDArray[np.bool_]:
    """By target: SNMP has answered since this start, or the register holds what it once said."""
    known = np.fromiter(
        (plan.devices[d].sys_object_id != "" for d in plan.targets.device_id.tolist()), np.bool_, len(plan.targets)
    )
    return np.asarray(known | (reading_at > 0), np.bool_)


def agent_key(device_id: int, since: float) -> str:
    """The key of such an incident."""
    return f"agent-{device_id}-{int(since)}"


def agent_row(plan: Plan, node: int, since: float) -> Row:
    """The incident of one silent agent."""
    name = plan.nodes[node].id
    place = node_place(plan, name)
    return {
        "kind": "agent_silent",
        "status": "open",
        "severity": "warning",
        "root_kind": NodeKind.device,
        "root_id": int(name.split(":")[1]),
        "root_name": node_name(plan, name)[:160],
        "place_id": place.place_id,
        "duty_id": place.duty_id,
        "path": place.path,
        "duty_path": place.duty_path,
        "from_at": moment(since),
        "opened_at": moment(since),
        "affected": 1,
        "said_affected": 1,
    }
