"""The way from a school to the core as it is drawn: levels, links between them, and where it is broken. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from inventory.models import NodeKind, State

Link = Literal["ok", "cut", "dim", "end"]
GOOD = frozenset({State.up, State.degraded, State.agent_silent, State.flapping, State.maintenance})


@dataclass
class Stop:
    """One box: a school, line or site. root: what failed first. hidden: outside the caller's part, drawn without a name."""

    kind: NodeKind
    row: Any
    state: State
    root: bool = False
    hidden: bool = False


@dataclass
class Level:
    """Boxes side by side, and the link to the next level. via: the trunk lines that this link is."""

    stops: list[Stop]
    link: Link = "ok"
    broken: bool = False
    via: list[Stop] = field(default_factory=list)

    @property
    def state(self) -> State:
        """The best of its boxes: one way suffices."""
        states = [stop.state for stop in self.stops]
        for state in states:
            if state in GOOD:
                return state
        return states[0] if states else State.unknown


def draw_way(
    school: Any, state: State, lines: Sequence[Any], hops: Sequence[Any], root: tuple[NodeKind, int] | None
) -> list[Level]:
    """Levels from the school to the core. `hops`: `queries.school.read_way`. `root`: what the school is cut off by, where known."""
    levels = [Level([Stop(NodeKind.school, school, state, root is not None and _is_own(root, school, lines, hops))])]
    if lines:
        levels.append(Level([_stop(NodeKind.line, row, root) for row in lines]))
    for hop in hops:
        stops = [_stop(hop.kind, row, root, row.id in hop.hidden) for row in hop.rows]
        if hop.kind == NodeKind.line:
            levels[-1].via = stops
        else:
            levels.append(Level(stops))
    _mark_links(levels)
    return levels


def _stop(kind: NodeKind, row: Any, root: tuple[NodeKind, int] | None, hidden: bool = False) -> Stop:
    is_root = root is not None and (
        root == (kind, row.id) or (root[0] == NodeKind.device and root[1] in getattr(row, "device_ids", ()))
    )
    return Stop(kind, row, State(row.state), is_root, hidden)


def _is_own(root: tuple[NodeKind, int], school: Any, lines: Sequence[Any], hops: Sequence[Any]) -> bool:
    """Whether the root is the school's own gateway: a device of none of the sites above."""
    above = {number for hop in hops for row in hop.rows for number in getattr(row, "device_ids", ())}
    return root[0] == NodeKind.device and root[1] not in above


def _mark_links(levels: list[Level]) -> None:
    """The link beside the root is broken; all nearer to the school is dim: it may be well, nobody can tell."""
    for number, level in enumerate(levels):
        level.link = "end" if number == len(levels) - 1 else "ok"
    cut_at = _break(levels)
    if cut_at is None:
        return
    for number, level in enumerate(levels[:-1]):
        if number < cut_at:
            level.link = "dim"
        elif number == cut_at:
            level.link, level.broken = "cut", True


def _break(levels: list[Level]) -> int | None:
    """The number of the level whose link to the next is broken, or None."""
    for number, level in enumerate(levels):
        if any(stop.root for stop in level.via):
            return number
        if any(stop.root for stop in level.stops):
            is_site = level.stops[0].kind == NodeKind.site
            return number - 1 if is_site else number
    # No root is known: the highest level that is out.
    out = [number for number, level in enumerate(levels) if level.state == State.down]
    if not out:
        return None
    highest = max(out)
    return highest - 1 if levels[highest].stops[0].kind == NodeKind.site else min(highest, len(levels) - 2)
