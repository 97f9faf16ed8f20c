"""An incident's own stretch of trace: the part of the network that it is about, and what was heard of that while it lasted. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from collector.causes.scene import Scene
from collector.trace import TopologyLine, parse

Line = dict[str, Any]

BEFORE_S, AFTER_S = 120.0, 180.0
"""What is given before the first silence, and after the end: `resolved` is said a minute after the answer."""


@dataclass(frozen=True)
class About:
    """What an incident is about: its root or its cluster, and when it lasted (until None: still)."""

    root: str | None
    cluster: tuple[str, str] | None
    since: float
    until: float | None


def stretch(lines: Iterable[Line], about: About) -> Iterator[Line]:
    """The trace of one incident, from lines in order. Its times count from its first line; `edunet replay` makes the same incident of it.

    Nothing where the lines do not reach back to the beginning, or know no topology.
    """
    start = about.since - BEFORE_S
    end = (about.until + AFTER_S) if about.until is not None else float("inf")
    topology: Line | None = None
    words: dict[str, dict[str, str]] = {}
    windows: list[Line] = []
    kept: frozenset[str] = frozenset()
    begun = False
    for line in lines:
        if line["t"] > end and line["kind"] == "round":
            return
        if line["t"] < start or topology is None:
            if line["kind"] == "topology":
                topology = line
            elif line["kind"] in ("maintenance", "planned_off"):
                windows.append(line)
            for node, facts in line.get("facts", {}).items():
                words.setdefault(node, {}).update(facts.get("ports") or {})
            continue
        if not begun:
            begun = True
            kept = nodes_of(topology, about)
            yield {"t": 0, "kind": "start", "at": datetime.fromtimestamp(start, UTC).isoformat(timespec="seconds")}
            yield _topology({**topology, "t": start}, kept, start)
            facts = {node: {"ports": ports} for node, ports in words.items() if node in kept and ports}
            if facts:
                yield {"t": 0, "kind": "round", "asked": [], "silent": [], "facts": facts}
            yield from (moved for line_ in windows if (moved := _of(line_, kept, start)) is not None)
        if line["kind"] == "topology":
            topology, kept = line, nodes_of(line, about) | kept
            kept &= {node["id"] for node in line["nodes"]}
            yield _topology(line, kept, start)
        elif (moved := _of(line, kept, start)) is not None:
            yield moved


def nodes_of(topology: Line, about: About) -> frozenset[str]:
    """The subtree of the root (or the whole group of the cluster), the schools of it, all that these hang under, and what else hangs under unasked ones of those."""
    parsed = parse(topology)
    assert isinstance(parsed, TopologyLine)
    scene = Scene()
    scene.set_topology(parsed.nodes)
    found = set(_heads(scene, about)) & scene.nodes.keys()
    waiting = list(found)
    while waiting:
        fresh = {child for child in scene.below.get(waiting.pop(), ()) if child not in found}
        found |= fresh
        waiting += fresh
    for node in list(found):
        found |= set(scene.of_school.get(scene.nodes[node].school or "", ()))
    for node in list(found):
        found |= scene.above(node)
    for node in list(found):
        if not scene.nodes[node].probe:
            below = scene.first_asked(node)
            found |= set(below) | {up for child in below for up in scene.above(child)}
    return frozenset(found)


def _heads(scene: Scene, about: About) -> Iterable[str]:
    if about.root is not None or about.cluster is None:
        return [about.root] if about.root is not None else []
    by, value = about.cluster
    if by == "upstream":
        return [value]
    return [node.id for node in scene.nodes.values() if getattr(node, by) == value]


def _topology(line: Line, kept: frozenset[str], start: float) -> Line:
    nodes: Sequence[Line] = [node for node in line["nodes"] if node["id"] in kept]
    # A port of a device that is not in the part would be an unknown id.
    told = [{**node, "port": None} if (node.get("port") or [""])[0] not in ("", *kept) else node for node in nodes]
    clean = [{key: value for key, value in node.items() if value is not None} for node in told]
    return {"t": round(line["t"] - start, 6), "kind": "topology", "nodes": clean}


def _of(line: Line, kept: frozenset[str], start: float) -> Line | None:
    """A line as far as it tells of these nodes, with its times from `start`; None where it tells nothing."""
    moved = {**line, "t": round(line["t"] - start, 6)}
    if line["kind"] == "round":
        asked = [node for node in line["asked"] if node in kept]
        facts = {node: facts for node, facts in line.get("facts", {}).items() if node in kept}
        for node, told in facts.items():
            if told.get("way") is not None and told["way"] not in kept:
                facts[node] = {key: value for key, value in told.items() if key != "way"}
        if not asked and not facts:
            return None
        moved |= {"asked": asked, "silent": [node for node in line["silent"] if node in kept]}
        moved.pop("facts", None)
        return moved | ({"facts": facts} if facts else {})
    if line["kind"] in ("maintenance", "trap") and line["node"] not in kept:
        return None
    if line["kind"] in ("maintenance", "planned_off"):
        moved |= {key: round(line[key] - start, 6) for key in ("from", "to")}
    return moved
