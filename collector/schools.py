"""Whether each school is cut off: summed up from its gateways, by sites (DESIGN.md, "cut off"). Pure, over arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collector.plan import Plan

UNKNOWN, UP, DOWN, NOT_SEEN, DEGRADED, NOT_WATCHED, PLANNED_OFF, MAINTENANCE = range(8)
"""Codes of states; the first four are also those of nodes. What is planned off, or worked on, is down, and only shown as what it is."""

WORDS = ("unknown", "up", "down", "not_seen", "degraded", "not_watched", "planned_off", "maintenance")
"""The words of `inventory.models.State`, by code."""


@dataclass(frozen=True)
class SchoolStates:
    """By school, in the plan's order: its state, and how many of its watched devices there are and answer."""

    state: NDArray[np.uint8]
    devices: NDArray[np.int64]
    devices_up: NDArray[np.int64]


def school_states(plan: Plan, node_state: NDArray[np.uint8]) -> SchoolStates:
    """node_state: codes by node. All sites down: cut off; some down: degraded; no gateway anywhere: not watched.

    A site is up when any of its gateways answers, down when none does and at least one is known to be down: a second gateway
    that was never seen, or is unknown, hides no outage.
    """
    gates = node_state[plan.gate_node] if len(plan.gate_node) else np.zeros(0, np.uint8)
    sites = len(plan.site_school)
    up, down, unknown = (np.bincount(plan.gate_site, gates == code, sites) > 0 for code in (UP, DOWN, UNKNOWN))
    site_up = up
    site_unknown = ~up & unknown
    site_down = ~up & ~unknown & down
    schools = len(plan.schools)

    def count(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(plan.site_school, which, schools).astype(np.int64)

    n, n_up, n_down, n_unknown = count(np.ones(sites, np.bool_)), count(site_up), count(site_down), count(site_unknown)
    state = np.full(schools, NOT_WATCHED, np.uint8)
    state[n > 0] = NOT_SEEN
    state[n_unknown > 0] = UNKNOWN
    state[(n_down > 0) & (n_up == 0) & (n_unknown == 0)] = DOWN
    state[(n_up > 0)] = UP
    state[(n_up > 0) & (n_down > 0)] = DEGRADED
    mine = (plan.node_school >= 0) & (plan.node_target >= 0)
    where = plan.node_school[mine]
    answering = node_state[mine] == UP
    return SchoolStates(
        state,
        np.bincount(where, minlength=schools).astype(np.int64),
        np.bincount(where, answering, schools).astype(np.int64),
    )
