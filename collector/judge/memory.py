"""The judge's memory as JSON-able values, so that any judge goes on where another stopped (docs/judging.md).

What follows from something else is not kept but worked out again. Columns are packed (zlib, base64): 100,000 nodes come to a few hundred kB.
"""

import base64
import json
import math
import zlib
from dataclasses import asdict, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

import numpy as np

from collector.judge.causes import Cause, Cluster, Incident
from collector.judge.judge import Judge
from collector.judge.record import Entry, Sums
from collector.judge.topology import Layout, check
from collector.judge.values import Node, Notice, Rules, Transition
from collector.judge.words import COLUMNS, DOWN

VERSION = 2
"""Raised when what is kept changes; a snapshot of another version is refused."""

SUMS = ("down", "unknown", "last_t", "last_every", "last")


def dump(judge: Judge) -> dict[str, Any]:
    """All that `judge` knows."""
    desk, roots = judge.desk, judge.roots
    return {
        "version": VERSION,
        "series": desk.series,
        "at": judge.at.isoformat() if judge.at else None,
        "now": _number(judge.now),
        **_pack_topology(judge),
        "seen": _pack(np.array(judge.seen, bool)),
        "answered_late": sorted(judge.answered_late),
        "ports": [[*port, _number(t), down] for port, (t, down) in judge.port_words.items()],
        "ticks": [[*key, t] for key, t in judge.ticks.items()],
        "everys": [[*key, every] for key, every in judge.everys.items()],
        "words": {name: _pack(getattr(judge.words, name)) for name, _, _ in COLUMNS},
        "record": _dump_record(judge),
        "roots": {
            "kind": _pack(np.array(roots.kind, np.int8)),
            "root": _pack(np.array(roots.root, np.int64)),
            "since": _pack(np.array(roots.since, np.float64)),
            "held_until": [[n, until] for n, until in roots.held_until.items()],
        },
        "windows": [[n, *window] for n, windows in judge.windows.by_node.items() for window in windows],
        "agenda": [[phase, number, due] for (phase, number), due in judge.agenda.due.items()],
        "causes": [_dump_values(asdict(cause)) for cause in desk.causes.values()],
        "clusters": [
            _dump_values(asdict(cluster) | {"members": list(cluster.members.items())})
            for cluster in desk.clusters.open.values()
        ],
        "awaiting": [[root, sorted(waiting)] for root, waiting in desk.awaiting.items()],
        "outbox": [asdict(notice) for notice in desk.outbox],
        "transitions": [asdict(transition) for transition in judge.follower.kept],
        "counts": [desk.number, desk.opened, desk.merged, desk.notices],
        "wait_s": desk.wait_s,
    }


def load(kept: dict[str, Any], rules: Rules | None, follow: bool) -> Judge:
    """The judge of a snapshot. Raises ValueError for one of another version."""
    if kept.get("version") != VERSION:
        raise ValueError(f"a snapshot of version {kept.get('version')}, not {VERSION}")
    judge = Judge(rules, follow, kept["series"])
    judge.at = datetime.fromisoformat(kept["at"]) if kept["at"] else None
    judge.now = judge.desk.now = float(kept["now"])
    for node_id in _unpack_text(kept["ids"]):
        judge.names.add(node_id)
    judge.seen = _unpack(kept["seen"]).tolist()
    judge.answered_late = set(kept["answered_late"])
    judge.port_words = {(device, name): (float(t), down) for device, name, t, down in kept["ports"]}
    judge.ticks = {(zone, shard, tick): t for zone, shard, tick, t in kept["ticks"]}
    judge.everys = {(zone, shard): every for zone, shard, every in kept["everys"]}
    for name, _, _ in COLUMNS:
        # A snapshot from before `told_from` was kept goes on with what then stood for it.
        setattr(judge.words, name, _unpack(kept["words"].get(name, kept["words"]["blind_from"])))
    _load_record(judge, kept["record"])
    for n, start, end in kept["windows"]:
        judge.windows.add(n, start, end)
    for phase, number, due in kept["agenda"]:
        judge.agenda.put(phase, number, due)
    _load_layout(judge, kept, [Node(*map(_tuple, values)) for values in _unpack_text(kept["nodes"])])
    _load_desk(judge, kept)
    judge.follower.kept = [_transition(value) for value in kept["transitions"]]
    return judge


def _load_layout(judge: Judge, kept: dict[str, Any], nodes: list[Node]) -> None:
    layout = judge.layout = judge.desk.layout = Layout(check(nodes, judge.names), judge.names)
    layout.work_out(judge.seen)
    roots, down = judge.roots, (judge.words.good == DOWN).tolist()
    roots.grow(len(judge.names))
    roots.relayout(layout, [asked and silent for asked, silent in zip(layout.asked, down, strict=True)])
    for name in ("kind", "root", "since"):
        setattr(roots, name, _unpack(kept["roots"][name]).tolist())
    roots.held_until = dict(kept["roots"]["held_until"])
    roots.port_down = judge.port_nodes_down()
    roots.recount()
    judge.desk.schools.relayout(layout, judge.words)
    judge.desk.groups.relayout(layout, roots)


def _load_desk(judge: Judge, kept: dict[str, Any]) -> None:
    desk = judge.desk
    for value in kept["causes"]:
        cause = Cause(**_with_spans(_load_values(value)))
        desk.causes[cause.node] = cause
    for value in kept["clusters"]:
        members = dict(value["members"])
        cluster = Cluster(**(_load_values(value) | {"members": members}))
        desk.clusters.open[cluster.number] = cluster
    desk.waiting = {n for n in desk.causes if desk.waits(n)}
    desk.awaiting = {root: set(waiting) for root, waiting in kept["awaiting"]}
    desk.outbox = [_notice(value) for value in kept["outbox"]]
    desk.number, desk.opened, desk.merged, desk.notices = kept["counts"]
    desk.wait_s = kept["wait_s"]


def _with_spans(value: dict[str, Any]) -> dict[str, Any]:
    """Spans are pairs again. A snapshot from before they were kept has their sums, which go on as one span."""
    start = max(value["cause_t"], value["floor_t"])
    seconds, _ = value.pop("unknown_s", 0.0), value.pop("flap_unknown_s", 0.0)
    spans = value.get("unseen", [[start, start + seconds]] if seconds and start > -math.inf else [])
    return value | {"unseen": [(float(begin), float(end)) for begin, end in spans]}


def _dump_record(judge: Judge) -> dict[str, Any]:
    record = judge.record
    asked: dict[int, int] = {}
    packed: list[dict[str, str]] = []
    entries: list[list[Any]] = []
    for entry in record.entries:
        if id(entry.idx) not in asked:
            asked[id(entry.idx)] = len(packed)
            packed.append(_pack(entry.idx))
        silent = _pack(entry.silent) if len(entry.silent) else None
        entries.append([entry.t, entry.serial, entry.every, entry.good, asked[id(entry.idx)], silent])
    return {
        "asked": packed,
        "entries": entries,
        "folded": {name: _pack(getattr(record.folded, name)) for name in SUMS},
        "counts_from": _pack(record.counts_from),
        "serial": record.serial,
    }


def _load_record(judge: Judge, kept: dict[str, Any]) -> None:
    record = judge.record
    asked = [_unpack(packed) for packed in kept["asked"]]
    nobody = np.zeros(0, np.int64)
    record.entries = [
        Entry(t, serial, every, good, asked[which], nobody if silent is None else _unpack(silent))
        for t, serial, every, good, which, silent in kept["entries"]
    ]
    record.folded = Sums(0)
    for name in SUMS:
        setattr(record.folded, name, _unpack(kept["folded"][name]))
    record.counts_from = _unpack(kept["counts_from"])
    record.serial = kept["serial"]


def _pack(column: Any) -> dict[str, str]:
    little = np.ascontiguousarray(column).astype(column.dtype.newbyteorder("<"), copy=False)
    return {"type": little.dtype.str, "data": base64.b64encode(zlib.compress(little.tobytes(), 1)).decode()}


def _unpack(packed: dict[str, str]) -> Any:
    data = zlib.decompress(base64.b64decode(packed["data"]))
    column = np.frombuffer(data, packed["type"])
    return column.astype(column.dtype.newbyteorder("="))


def _number(value: float) -> float | str:
    """JSON has no infinity."""
    return value if math.isfinite(value) else str(value)


def _dump_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _dump_values(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_dump_values(inner) for inner in value]
    return _number(value) if isinstance(value, float) else value


def _load_values(value: dict[str, Any]) -> dict[str, Any]:
    """Fields of a Cause, Cluster or Incident."""
    loaded: dict[str, Any] = {}
    for key, inner in value.items():
        if key in ("open", "last", "incident"):
            loaded[key] = _incident(inner)
        elif inner in ("inf", "-inf") and key != "key":
            loaded[key] = float(inner)
        elif key == "undo" and inner is not None:
            loaded[key] = (float(inner[0]), inner[1], inner[2])
        else:
            loaded[key] = inner
    return loaded


def _incident(value: dict[str, Any] | None) -> Incident | None:
    if value is None:
        return None
    loaded: dict[str, Any] = {
        key: float(inner) if inner in ("inf", "-inf") and key != "id" else inner for key, inner in value.items()
    }
    loaded["cluster"] = tuple(loaded["cluster"]) if loaded["cluster"] else None
    return Incident(**loaded | {"said": tuple(loaded["said"]), "possible": tuple(loaded["possible"])})


def _pack_topology(judge: Judge) -> dict[str, str]:
    """`ids`, and `nodes` as lists of their fields: packed once for each topology."""
    if not judge.layout.packed:
        nodes = [_fields(node) for n in judge.layout.order if (node := judge.layout.nodes[n]) is not None]
        judge.layout.packed = {"ids": _pack_text(judge.names.ids), "nodes": _pack_text(nodes)}
    return judge.layout.packed


def _pack_text(value: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 1)).decode()


def _unpack_text(packed: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(packed)))


_fields = attrgetter(*(field.name for field in fields(Node)))


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _notice(value: dict[str, Any]) -> Notice:
    cluster = tuple(value["cluster"]) if value["cluster"] else None
    return Notice(**value | {"possible": tuple(value["possible"]), "cluster": cluster})


def _transition(value: dict[str, Any]) -> Transition:
    return Transition(**value | {"amends": tuple(tuple(span) for span in value["amends"])})
