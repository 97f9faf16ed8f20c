"""What each kind of evidence weighs, as data: how much it speaks for a cause, and how much against others.

Weights are shares of 1. Several pieces for one cause add up as independent witnesses do, 1 - (1 - a)(1 - b); what speaks against takes its
share away. They are judgements, not measurements; `tests/collector/traces/` holds for each cause a storm where it is right and one where
nothing may be concluded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Weight:
    """For which causes a piece speaks and against which; slot: pieces that exclude each other; rule: the one that a cause by it follows."""

    supports: Mapping[str, float] = field(default_factory=dict)
    opposes: Mapping[str, float] = field(default_factory=dict)
    slot: str = ""
    rule: str = ""


WEIGHTS: dict[str, Weight] = {
    "maintenance": Weight(
        {"planned": 0.95}, {"line": 0.8, "power": 0.8, "upstream": 0.8, "device": 0.8, "school": 0.8}
    ),
    "habit": Weight({"school": 0.8}, {"line": 0.5, "power": 0.3, "device": 0.3}),
    "other_way": Weight(
        {"line": 0.9}, {"power": 0.9, "school": 0.9, "device": 0.5, "upstream": 0.3}, rule="line_other_way"
    ),
    # A far port that goes down says that the link is gone: the fibre, or whatever should hold its other end up.
    "far_port_down": Weight({"line": 0.4, "power": 0.4, "device": 0.2}, slot="far_port", rule="line_end"),
    "far_port_up": Weight({"device": 0.45}, {"line": 0.7, "power": 0.5, "school": 0.5}, slot="far_port"),
    "near_port_down": Weight({"line": 0.5}, {"power": 0.5, "school": 0.8}, rule="line_end"),
    "link_down_trap": Weight({"line": 0.5}, {"power": 0.4, "school": 0.4, "device": 0.3}, rule="line_end"),
    "start_trap": Weight({"power": 0.3, "device": 0.35, "school": 0.2}, {"line": 0.6}),
    "restarted": Weight({"power": 0.45, "device": 0.4, "school": 0.3}, {"line": 0.8, "upstream": 0.2}, slot="uptime"),
    "ran_on": Weight({"line": 0.5}, {"power": 0.9, "school": 0.95, "device": 0.5}, slot="uptime", rule="line_end"),
    "ups_on_battery": Weight({"power": 0.7}, {"line": 0.4, "device": 0.3, "school": 0.5}, slot="ups"),
    "ups_on_mains": Weight({}, {"power": 0.6}, slot="ups"),
    "site_answers": Weight({"device": 0.35}, {"power": 0.8, "school": 0.8}, slot="site"),
    "site_silent": Weight({"power": 0.45, "school": 0.2}, {"device": 0.5}, slot="site"),
    "same_operator": Weight({"line": 0.7}, {"power": 0.3, "device": 0.5, "school": 0.5}, rule="line_group"),
    "same_region": Weight({"power": 0.35, "line": 0.3}, {"device": 0.5, "school": 0.5}),
    "same_upstream": Weight({"power": 0.3, "line": 0.35}, {"device": 0.5, "school": 0.5}),
    "same_model": Weight({"device": 0.7}, {"line": 0.5, "power": 0.3, "school": 0.5}),
    "network_device": Weight({"upstream": 0.8}, {"line": 0.3, "school": 0.9, "power": 0.3, "device": 0.3}),
    "agent_silent": Weight({"agent": 0.8}),
}
"""kind of evidence: its weight."""

DECIDE = 0.6
"""A cause is concluded from this score on, if it stands out from the next by `MARGIN`."""

MARGIN = 0.25
