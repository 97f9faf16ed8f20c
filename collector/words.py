"""Incidents in words: the root's name, severity, place and duty, from the plan. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.plan import Plan
from inventory.models import NodeKind, parse_node_id
from inventory.models.devices import DeviceKind


@dataclass(frozen=True)
class Place:
    """Where a thing lies and who answers for it, as ids and as paths of the two trees."""

    place_id: int | None = None
    duty_id: int | None = None
    path: str = "/"
    duty_path: str = ""


def node_name(plan: Plan, node: str) -> str:
    """The name of a device, line or site; the id itself where the plan does not know it."""
    kind, number = parse_node_id(node)
    if kind == NodeKind.device and number in plan.devices:
        return plan.devices[number].name
    if kind == NodeKind.line and number in plan.lines:
        return plan.lines[number].name
    if kind == NodeKind.site and number in plan.sites:
        return plan.sites[number].name
    return node


def node_place(plan: Plan, node: str) -> Place:
    """Where a node is: of a device, its site; of a line, the first site that it serves, else the one that it hangs under."""
    site = node_site(plan, node)
    if site is None:
        return Place()
    row = plan.sites[site]
    duty = row.duty_id
    if row.school_id is not None:
        school = plan.school_index.get(row.school_id)
        if school is not None:
            duty = plan.schools[school].duty_id or duty
    return region_place(plan, row.place_id, duty)


def region_place(plan: Plan, place_id: int | None, duty_id: int | None = None) -> Place:
    """A region as a place."""
    place = plan.regions.get(place_id) if place_id is not None else None
    duty = plan.regions.get(duty_id) if duty_id is not None else None
    return Place(place_id, duty_id, place.path if place else "/", duty.path if duty else "")


def shared_place(places: Sequence[Place]) -> Place:
    """The smallest region of each tree that holds all of these; of no places, none."""
    if not places:
        return Place()
    path, duty = (_shared([getattr(place, name) for place in places]) for name in ("path", "duty_path"))
    ids = [int(part) for part in path.split("/") if part]
    return Place(ids[-1] if ids else None, None, path, duty)


def _shared(paths: Sequence[str]) -> str:
    """The longest way down a tree that all paths share, `/1/12/`."""
    parts = [path.strip("/").split("/") for path in paths]
    shared = []
    for words in zip(*parts, strict=False):
        if len(set(words)) > 1 or not words[0]:
            break
        shared.append(words[0])
    return "/" + "".join(f"{word}/" for word in shared)


def node_site(plan: Plan, node: str) -> int | None:
    """The site that a node is at."""
    kind, number = parse_node_id(node)
    if kind == NodeKind.site:
        return number if number in plan.sites else None
    if kind == NodeKind.device and number in plan.devices:
        return plan.devices[number].site_id
    if kind == NodeKind.line and number in plan.lines:
        return plan.line_site.get(number) or plan.lines[number].upstream_site_id
    return None


def cluster_name(plan: Plan, by: str, value: str) -> str:
    """What a cluster's group is called."""
    if by == "upstream":
        return node_name(plan, value)
    if by == "region" and value.isdigit() and int(value) in plan.regions:
        return plan.regions[int(value)].name
    return value


def severity(plan: Plan, root: str | None, schools: int, pupils: int) -> str:
    """critical, major, minor or warning: by what failed and by how many it cuts off."""
    kind = None
    if root is not None:
        of, number = parse_node_id(root)
        kind = plan.devices[number].kind if of == NodeKind.device and number in plan.devices else None
    if kind == DeviceKind.core or schools >= 100 or pupils >= 50_000:
        return "critical"
    if kind == DeviceKind.aggregation or schools >= 5 or pupils >= 3_000:
        return "major"
    if schools >= 1:
        return "minor"
    return "warning"
