"""Makes the small storms beside it: `python tests/collector/traces/make.py`. Their `.said.json` holds what is to be said, read and found right."""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from test_judge_examples import Spans, Value, trace

from collector.judge import Judge
from collector.trace import replay


def county(number: int, schools: int) -> list[Value]:
    """A county with lines, each to one school's gateway; every fourth school has two lines."""
    nodes: list[Value] = [{"id": f"cnty-{number}", "up": ["core"], "region": str(140100 + number)}]
    for i in range(schools):
        gateway = f"gw-{number}-{i}"
        lines = [f"line-{number}-{i}-{k}" for k in range(2 if i % 4 == 0 else 1)]
        nodes += [
            {
                "id": line,
                "up": [f"cnty-{number}"],
                "probe": False,
                "port": [gateway, f"GE0/0/{k}"],
                "operator": "unicom",
            }
            for k, line in enumerate(lines)
        ]
        nodes.append({"id": gateway, "up": lines, "school": f"s-{number}-{i}", "pupils": 300 + i})
        nodes.append({"id": f"cam-{number}-{i}", "up": [gateway], "class": "edge"})
    return nodes


def names(number: int, count: int, start: int = 0) -> list[str]:
    return [f"gw-{number}-{i}" for i in range(start, start + count)]


NODES = [{"id": "core", "up": []}, *county(1, 8), *county(2, 8)]


def county_cut() -> list[Value]:
    """A county is cut for ten minutes; its gateways take up to two more to boot; one does not come back."""
    silent: Spans = {"cnty-1": [(100, 700)]}
    silent |= {gateway: [(100, 720 + 15 * i)] for i, gateway in enumerate(names(1, 7))}
    return trace(NODES, silent | {"gw-1-7": [(100, 1500)]}, end=1800)


def township_power() -> list[Value]:
    """Six of a county's eight lose power within a minute; a backup of two hours for the rest."""
    return trace(NODES, {gateway: [(200 + 10 * i, 900)] for i, gateway in enumerate(names(2, 6))})


def line_and_backup() -> list[Value]:
    """A school's first line is down and it answers by the second; then its gateway fails as well."""

    def facts(t: float) -> Value:
        if 400 <= t < 600:
            return {}
        return {
            "gw-1-0": {"ports": {"GE0/0/0": "down" if 100 <= t < 800 else "up", "GE0/0/1": "up"}, "way": "line-1-0-1"}
        }

    return trace(NODES, {"gw-1-0": [(400, 600)]}, facts=facts)


def blind_collector() -> list[Value]:
    """The collector's own uplink fails, and everything is silent to it; a county was really cut before."""
    everything: Spans = {node["id"]: [(300, 500)] for node in NODES if node.get("probe", True)}
    for node in ["cnty-2", *names(2, 8)]:
        everything[node] = [(250, 800)]
    return trace(NODES, everything, blind=(300, 495))


def flapping_county() -> list[Value]:
    """A county's uplink flaps for half an hour."""
    spans: list[tuple[float, float]] = [(t, t + 30) for t in range(100, 1900, 75)]
    return trace(NODES, dict.fromkeys(["cnty-1", *names(1, 8)], spans), end=2400)


STORMS: dict[str, Any] = {
    made.__name__: made for made in (county_cut, township_power, line_and_backup, blind_collector, flapping_county)
}

if __name__ == "__main__":
    for name, make in STORMS.items():
        lines = [json.dumps(line, separators=(",", ":")) for line in make()]
        path = Path(__file__).parent / f"{name}.jsonl"
        path.write_text("\n".join(lines) + "\n")
        output = list(replay(lines, Judge()))[:-1]
        said = [f"{n['event']} {n['root'] or n['cluster']['value']} {n['affected']}" for n in output]
        path.with_suffix(".said.json").write_text(json.dumps(said, indent=0) + "\n")
