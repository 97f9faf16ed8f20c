"""Signs of states: colour, shape and word, the same on every page (PAGES.md, Signs).

A state's colour is the CSS class `s-STATE`, its shape the symbol `#sign-STATE` of `templates/signs.html`, its word the text
`state.STATE` of the catalogues.
"""

from inventory.models import State

STATES: tuple[State, ...] = (
    State.down,
    State.degraded,
    State.flapping,
    State.doubtful,
    State.agent_silent,
    State.maintenance,
    State.planned_off,
    State.unknown,
    State.not_seen,
    State.not_watched,
    State.up,
)
"""All states, worst first: the order of legends, filters and of `ORDER`."""

ORDER: dict[State, int] = {state: rank for rank, state in enumerate(STATES)}

SEVERITIES: tuple[str, ...] = ("critical", "major", "minor", "warning")
"""Severities of incidents, worst first."""
