"""Reading and writing traces: JSON lines in order of arrival (REPLAY.md, "In"). A fault names its line, and the id that it is about."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

from collector.judge import Judge, Node, TopologyError, UnknownNodeError
from collector.report import RoundReport

MOST_EVERY_S = 20.0
"""Rounds are at most so far apart (REPLAY.md)."""


class TraceError(ValueError):
    """A line that cannot be judged. line: counted from 1. node: the id that it is about, or None."""

    def __init__(self, line: int, message: str, node: str | None = None) -> None:
        super().__init__(f"line {line}: {message}")
        self.line, self.node = line, node


@dataclass(frozen=True, slots=True)
class Start:
    """When t = 0 was."""

    t: float
    at: datetime


@dataclass(frozen=True, slots=True)
class TopologyLine:
    """A whole topology."""

    t: float
    nodes: Sequence[Node]


@dataclass(frozen=True, slots=True)
class MaintenanceLine:
    """A window of work on a node, from <= t < to."""

    t: float
    node: str
    from_: float
    to: float


@dataclass(frozen=True, slots=True)
class TrapLine:
    """A trap that a node sent. port: ifName, where it named one; a key beyond REPLAY.md."""

    t: float
    node: str
    trap: str
    port: str = ""


@dataclass(frozen=True, slots=True)
class OffLine:
    """A school is known to be switched off, from <= t < to. A kind beyond REPLAY.md, which others pass over; evidence alone."""

    t: float
    school: str
    from_: float
    to: float


Line = Start | TopologyLine | RoundReport | MaintenanceLine | TrapLine | OffLine

Watcher = Callable[[Line, Judge], Iterable[dict[str, Any]]]
"""Hears each line after the judge has, and gives more lines of output."""


class _FieldError(ValueError):
    """A field that is not what it should be; becomes a TraceError where the line's number is known."""

    def __init__(self, message: str, node: str | None = None) -> None:
        super().__init__(message)
        self.node = node


def read(lines: Iterable[str | bytes]) -> Iterator[tuple[int, Line]]:
    """(number, line) of each line that means something; unknown kinds, unknown keys and empty lines are passed over. Raises TraceError."""
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            decoded = text.decode("utf-8-sig" if number == 1 else "utf-8") if isinstance(text, bytes) else text
            value = json.loads(decoded, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise TraceError(number, f"not JSON: {error}") from None
        try:
            line = parse(value)
        except _FieldError as wrong:
            raise TraceError(number, str(wrong), wrong.node) from None
        if line is not None:
            yield number, line


def replay(lines: Iterable[str | bytes], judge: Judge, watchers: Sequence[Watcher] = ()) -> Iterator[dict[str, Any]]:
    """Lines of output: notices as they fall due, what watchers say, then the summary. Raises TraceError."""
    for number, line in read(lines):
        try:
            feed(judge, line)
        except (TopologyError, UnknownNodeError) as error:
            raise TraceError(number, str(error), error.node) from None
        yield from (notice.as_line() for notice in judge.take_notices())
        for watcher in watchers:
            yield from watcher(line, judge)
    yield from (notice.as_line() for notice in judge.advance(judge.now))
    yield judge.summary()


def feed(judge: Judge, line: Line) -> None:
    """Hand one line to the judge."""
    match line:
        case RoundReport():
            judge.take_round(line)
        case TopologyLine():
            judge.set_topology(line.t, line.nodes)
        case MaintenanceLine():
            judge.take_maintenance(line.t, line.node, line.from_, line.to)
        case TrapLine():
            judge.take_trap(line.t, line.node, line.trap)
        case Start():
            judge.start(line.at)


def parse(value: Any) -> Line | None:
    """One decoded line; None for a kind that is not known."""
    if not isinstance(value, dict):
        raise _FieldError("a line is a JSON object")
    kind = value.get("kind")
    if not isinstance(kind, str):
        raise _FieldError('"kind" must be a string')
    parser = PARSERS.get(kind)
    return parser(value, _number(value, "t")) if parser else None


def _start(value: dict[str, Any], t: float) -> Start:
    try:
        return Start(t, datetime.fromisoformat(_text(value, "at")))
    except ValueError as error:
        raise _FieldError(f'"at": {error}') from None


def _topology(value: dict[str, Any], t: float) -> TopologyLine:
    nodes = value.get("nodes")
    if not isinstance(nodes, list):
        raise _FieldError('"nodes" must be a list')
    return TopologyLine(t, [_node(node) for node in nodes])


def _node(value: Any) -> Node:
    if not isinstance(value, dict):
        raise _FieldError("a node is a JSON object")
    node_id = _text(value, "id")
    try:
        up, port, pupils = value.get("up"), value.get("port"), value.get("pupils")
        if pupils is not None and (type(pupils) is not int or pupils < 0):
            raise _FieldError('"pupils" must be a whole number')
        if port is not None and len(_texts(port, "port")) != 2:
            raise _FieldError('"port" must be [device, ifName]')
        return Node(
            id=node_id,
            up=None if up is None else tuple(_texts(up, "up")),
            probe=_flag(value, "probe"),
            port=None if port is None else (port[0], port[1]),
            region=_word(value, "region"),
            operator=_word(value, "operator"),
            model=_word(value, "model"),
            school=_word(value, "school"),
            edge=_word(value, "class") == "edge",
            pupils=pupils,
            seen=_flag(value, "seen"),
            role=role if (role := _word(value, "class")) != "edge" else None,
        )
    except _FieldError as wrong:
        raise _FieldError(f"{node_id}: {wrong}", node_id) from None


def _round(value: dict[str, Any], t: float) -> RoundReport:
    asked, every, tick, shard = value.get("asked"), value.get("every"), value.get("tick"), value.get("shard")
    every_s = 5.0 if every is None else _number(value, "every")
    if not 0 < every_s <= MOST_EVERY_S:
        raise _FieldError(f'"every" must be above 0 and at most {MOST_EVERY_S:g} s')
    for name, count in (("tick", tick), ("shard", shard)):
        if count is not None and type(count) is not int:
            raise _FieldError(f'"{name}" must be a whole number')
    return RoundReport(
        t=t,
        asked="all" if asked == "all" else _texts(asked, "asked"),
        silent=_texts(value["silent"], "silent") if value.get("silent") is not None else (),
        self_ok=_flag(value, "self_ok"),
        collector=_word(value, "collector") or "",
        zone=_word(value, "zone") or "",
        shard=shard or 0,
        tick=tick,
        every=every_s,
        facts=_facts(value.get("facts")),
    )


def _facts(value: Any) -> dict[str, dict[str, Any]]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _FieldError('"facts" must be an object')
    for node, facts in value.items():
        if not isinstance(facts, dict) or not isinstance(facts.get("ports") or {}, dict):
            raise _FieldError(f'{node}: its facts must be an object, and their "ports" too', node)
        _word(facts, "way")
    return value


def _maintenance(value: dict[str, Any], t: float) -> MaintenanceLine:
    return MaintenanceLine(t, _text(value, "node"), _number(value, "from"), _number(value, "to"))


def _trap(value: dict[str, Any], t: float) -> TrapLine:
    return TrapLine(t, _text(value, "node"), _word(value, "trap") or "", _own(value, "port", str) or "")


def _off(value: dict[str, Any], t: float) -> OffLine | None:
    school, start, end = _own(value, "school", str), _own(value, "from", float, int), _own(value, "to", float, int)
    return None if school is None or start is None or end is None else OffLine(t, school, start, end)


def _own(value: dict[str, Any], key: str, *kinds: type) -> Any:
    """A key that REPLAY.md does not know: whoever means something else by it is passed over, as the page says."""
    found = value.get(key)
    return found if type(found) in kinds else None


PARSERS: dict[str, Callable[[dict[str, Any], float], Line | None]] = {
    "start": _start,
    "topology": _topology,
    "round": _round,
    "maintenance": _maintenance,
    "trap": _trap,
    "planned_off": _off,
}


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _number(value: dict[str, Any], key: str) -> float:
    number = value.get(key)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise _FieldError(f'"{key}" must be a number')
    try:
        seconds = float(number)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise _FieldError(f'"{key}" is out of range')
    return seconds


def _text(value: dict[str, Any], key: str) -> str:
    text = value.get(key)
    if not isinstance(text, str):
        raise _FieldError(f'"{key}" must be a string')
    return text


def _word(value: dict[str, Any], key: str) -> str | None:
    return None if value.get(key) is None else _text(value, key)


def _flag(value: dict[str, Any], key: str) -> bool:
    flag = value.get(key, True)
    if not isinstance(flag, bool):
        raise _FieldError(f'"{key}" must be true or false')
    return flag


def _texts(value: Any, key: str) -> list[str]:
    if not isinstance(value, list) or not set(map(type, value)) <= {str}:
        raise _FieldError(f'"{key}" must be a list of ids')
    return value


class TraceWriter:
    """Writes a trace, a line at a time, as `--record` does."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def write(self, line: Line) -> None:
        """Append one line, and see it on its way."""
        json.dump(as_value(line), self.out, ensure_ascii=False, separators=(",", ":"))
        self.out.write("\n")
        self.out.flush()


def as_value(line: Line) -> dict[str, Any]:
    """A line as JSON has it."""
    match line:
        case RoundReport():
            return line.as_line()
        case TopologyLine():
            return {"t": line.t, "kind": "topology", "nodes": [node_value(node) for node in line.nodes]}
        case MaintenanceLine():
            return {"t": line.t, "kind": "maintenance", "node": line.node, "from": line.from_, "to": line.to}
        case TrapLine():
            port = {"port": line.port} if line.port else {}
            return {"t": line.t, "kind": "trap", "node": line.node, "trap": line.trap, **port}
        case OffLine():
            return {"t": line.t, "kind": "planned_off", "school": line.school, "from": line.from_, "to": line.to}
        case Start():
            return {"t": line.t, "kind": "start", "at": line.at.isoformat()}


def node_value(node: Node) -> dict[str, Any]:
    """A node as a topology line has it: defaults are left out."""
    value: dict[str, Any] = {"id": node.id}
    if node.up is not None:
        value["up"] = list(node.up)
    if node.port is not None:
        value["port"] = list(node.port)
    if node.edge or node.role:
        value["class"] = "edge" if node.edge else node.role
    for key in ("probe", "seen"):
        if not getattr(node, key):
            value[key] = False
    for key in ("region", "operator", "model", "school", "pupils"):
        if getattr(node, key) is not None:
            value[key] = getattr(node, key)
    return value
