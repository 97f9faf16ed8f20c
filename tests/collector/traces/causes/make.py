"""Makes the traces of this folder: for each cause one where it is right, and one where nothing may be concluded. `python make.py`."""

import json
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent


def school(
    n: int, lines: tuple[str, ...], op: Any = "unicom", up: str = "cnty", port: Any = None, extra: tuple[Any, ...] = ()
) -> list[dict[str, Any]]:
    """A school's lines and its gateway."""
    nodes: list[dict[str, Any]] = []
    for i, line in enumerate(lines):
        node: dict[str, Any] = {
            "id": line,
            "up": [up],
            "probe": False,
            "operator": op if isinstance(op, str) else op[i],
        }
        if port:
            node["port"] = port[i]
        nodes.append(node)
    nodes.append(
        {
            "id": f"gw{n}",
            "up": list(lines),
            "class": "gateway",
            "school": f"s{n}",
            "pupils": 100 * n,
            "operator": op if isinstance(op, str) else None,
        }
    )
    if not isinstance(op, str):
        nodes[-1].pop("operator")
    return [*nodes, *extra]


NET = [{"id": "core", "up": [], "class": "core"}, {"id": "cnty", "up": ["core"], "class": "aggregation"}]


def write(
    name: str, expect: Any, nodes: Any, silent: Any, until: int = 400, facts: Any = (), lines: Any = (), every: int = 20
) -> None:
    """One file. silent: {node: [(from, to)]}; facts: [(t, {node: {...}})]; lines: other lines of the trace."""
    out = [{"t": 0, "kind": "expect", **expect}, {"t": 0, "kind": "topology", "nodes": nodes}]
    events: list[tuple[int, int, Any]] = []
    for t in range(every, until + 1, every):
        quiet = sorted(n for n, spans in silent.items() for a, b in spans if a <= t < b)
        events.append(
            (t, 0, {"t": t, "kind": "round", "tick": t // every, "every": every, "asked": "all", "silent": quiet})
        )
    for t, f in facts:
        events.append((t, 1, {"t": t, "kind": "round", "every": every, "asked": [], "silent": [], "facts": f}))
    events += [(line["t"], 2, line) for line in lines]
    out += [e for _, _, e in sorted(events, key=lambda e: (e[0], e[1]))]
    (OUT / f"{name}.jsonl").write_text(
        "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in out)
    )


two = (
    NET + school(1, ("l1", "l1b"), ("unicom", "telecom"), port=(["cnty", "GE1"], ["cnty", "GE9"])) + school(2, ("l2",))
)
one = NET + school(1, ("l1",), port=(["cnty", "GE1"],)) + school(2, ("l2",), "telecom")
write(
    "line",
    {
        "root": "l1",
        "cause": "line",
        "rule": "line_other_way",
        "why": "the primary line is down, the school answers by its backup",
    },
    two,
    {},
    facts=[
        (30, {"cnty": {"ports": {"GE1": "up", "GE9": "up"}}}),
        (100, {"cnty": {"ports": {"GE1": "down"}}}),
        (300, {"cnty": {"ports": {"GE1": "up"}}}),
    ],
)
write(
    "line-undetermined",
    {
        "root": "l1",
        "cause": "undetermined",
        "why": "the far port is down and the gateway silent: a cut fibre and a school without power look alike",
    },
    one,
    {"gw1": [(100, 300)]},
    facts=[
        (30, {"cnty": {"ports": {"GE1": "up"}}}),
        (105, {"cnty": {"ports": {"GE1": "down"}}}),
        (300, {"cnty": {"ports": {"GE1": "up"}}}),
    ],
)
write(
    "line-end",
    {
        "root": "l1",
        "cause": "line",
        "rule": "line_end",
        "why": "the far port was down, and the gateway ran on meanwhile",
    },
    one,
    {"gw1": [(100, 300)]},
    facts=[
        (30, {"cnty": {"ports": {"GE1": "up"}}}),
        (105, {"cnty": {"ports": {"GE1": "down"}}}),
        (300, {"cnty": {"ports": {"GE1": "up"}}}),
        (330, {"gw1": {"sysUpTime": 90000000}}),
    ],
)
counties = [{"id": "core", "up": [], "class": "core"}] + [
    {"id": f"cnty{c}", "up": ["core"], "class": "aggregation"} for c in "abc"
]
group = (
    counties
    + [n for i, c in enumerate("abc", 1) for n in school(i, (f"l{i}",), "unicom", f"cnty{c}")]
    + [n for i, c in enumerate("abc", 4) for n in school(i, (f"l{i}",), "telecom", f"cnty{c}")]
)
write(
    "line-group",
    {
        "root": "gw1",
        "cause": "line",
        "rule": "line_group",
        "why": "three schools of one carrier in three counties within a minute, none of the other's",
    },
    group,
    {f"gw{i}": [(100, 300)] for i in (1, 2, 3)},
)
write(
    "line-group-undetermined",
    {"root": "gw1", "cause": "undetermined", "why": "the same, but all three gateways had been off"},
    group,
    {f"gw{i}": [(100, 300)] for i in (1, 2, 3)},
    facts=[(340, {f"gw{i}": {"sysUpTime": 5000} for i in (1, 2, 3)})],
)
ups = {"id": "ups1", "up": ["gw1"], "class": "ups", "school": "s1"}
withups = NET + school(1, ("l1",), extra=(ups,)) + school(2, ("l2",), "telecom")
write(
    "power",
    {
        "root": "gw1",
        "cause": "power",
        "rule": "power",
        "why": "the UPS went on battery a quarter of an hour before, and was empty at last",
    },
    withups,
    {"gw1": [(1000, 1300)], "ups1": [(1000, 1300)]},
    until=1500,
    facts=[(60, {"ups1": {"ups": "mains"}}), (120, {"ups1": {"ups": "battery"}}), (1400, {"gw1": {"sysUpTime": 9000}})],
)
write(
    "power-undetermined",
    {
        "root": "gw1",
        "cause": "undetermined",
        "why": "the UPS was on battery, but the gateway ran on through the outage: the power was not it",
    },
    withups,
    {"gw1": [(1000, 1300)], "ups1": [(1000, 1300)]},
    until=1500,
    facts=[
        (60, {"ups1": {"ups": "mains"}}),
        (120, {"ups1": {"ups": "battery"}}),
        (1400, {"gw1": {"sysUpTime": 90000000}}),
    ],
)
write(
    "upstream",
    {
        "root": "cnty",
        "cause": "upstream",
        "rule": "upstream",
        "why": "the county's own device is silent with all below",
    },
    one,
    {n: [(100, 300)] for n in ("cnty", "gw1", "gw2")},
)
hidden = [{"id": "core", "up": [], "class": "core"}, {"id": "town", "up": ["core"], "probe": False}] + [
    {"id": f"gw{i}", "up": ["town"], "class": "gateway", "school": f"s{i}"} for i in (1, 2)
]
write(
    "upstream-undetermined",
    {
        "root": "town",
        "cause": "undetermined",
        "why": "what lies between is inferred from the silence of both schools: nobody saw the town's device itself",
    },
    hidden,
    {n: [(100, 300)] for n in ("gw1", "gw2")},
)
mate = (
    NET
    + school(1, ("l1",), port=(["cnty", "GE1"],))
    + [{"id": "cam-net", "up": ["core"], "school": "s1", "class": "switch"}]
    + school(2, ("l2",), "telecom")
)
write(
    "device",
    {
        "root": "gw1",
        "cause": "device",
        "rule": "device",
        "why": "its line's far port is up, another device of the school answers by another network",
    },
    mate,
    {"gw1": [(100, 300)]},
    facts=[(30, {"cnty": {"ports": {"GE1": "up"}}}), (130, {"cnty": {"ports": {"GE1": "up"}}})],
)
write(
    "device-undetermined",
    {"root": "gw1", "cause": "undetermined", "why": "it started again: a fault of its own, or no power"},
    mate[:-3] + school(2, ("l2",), "telecom"),
    {"gw1": [(100, 300)], "cam-net": []},
    facts=[(340, {"gw1": {"sysUpTime": 6000}})],
)
plain = NET + school(1, ("l1",)) + school(2, ("l2",), "telecom")
off = [{"t": 0, "kind": "planned_off", "school": "s1", "from": 80, "to": 320}]
write(
    "school",
    {
        "root": "gw1",
        "cause": "school",
        "rule": "school",
        "why": "this school switches off at this time, and its gateway started again",
    },
    plain,
    {"gw1": [(100, 300)]},
    facts=[(340, {"gw1": {"sysUpTime": 6000}})],
    lines=off,
)
write(
    "school-undetermined",
    {
        "root": "gw1",
        "cause": "undetermined",
        "why": "this school switches off at this time, but its gateway ran on: something else cut it off",
    },
    plain,
    {"gw1": [(100, 300)]},
    facts=[(340, {"gw1": {"sysUpTime": 90000000}})],
    lines=off,
)
write(
    "planned",
    {"root": "gw1", "cause": "planned", "rule": "planned", "why": "it fell silent in a window"},
    plain,
    {"gw1": [(100, 300)]},
    lines=[{"t": 40, "kind": "maintenance", "node": "gw1", "from": 80, "to": 350}],
)
write(
    "planned-undetermined",
    {"root": "gw1", "cause": "undetermined", "why": "the window was opened for what was silent already"},
    plain,
    {"gw1": [(100, 300)]},
    lines=[{"t": 40, "kind": "maintenance", "node": "gw1", "from": 180, "to": 350}],
)
write(
    "agent",
    {"root": "gw1", "cause": "agent", "rule": "agent", "why": "it answers ping, its agent nothing"},
    plain,
    {},
    facts=[(100, {"gw1": {"snmp": "silent"}})],
)
write(
    "agent-undetermined",
    {"root": "gw1", "cause": "undetermined", "why": "the agent was silent, and then the whole device"},
    plain,
    {"gw1": [(100, 300)]},
    facts=[(150, {"gw1": {"snmp": "silent"}})],
)
