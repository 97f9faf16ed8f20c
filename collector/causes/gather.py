"""Which evidence there is on one incident: a function for each kind of witness."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from collector.causes.scene import Scene
from collector.causes.values import Evidence
from collector.judge.values import GroupKey, NodeView

AROUND_S = 90.0
"""A trap this near to the beginning of an outage belongs to it."""

SLACK_S = 30.0
"""Clocks, rounds and slow boots: a device that started this little before its silence was seen started in it."""

BATTERY_S = 8 * 3600.0
"""A UPS that went on battery longer ago says nothing of this silence."""

FRESH_S = 900.0
"""What a UPS said of its mains power holds for so long."""

CONFIRM_S = 30.0
"""A line is down and its school answers: so long after, every round has asked the school again. Before that its last answer may be older than the cut."""

SETTLE_S = 15.0
"""So long after the first silence the others of a school have been asked too."""

MOST_NAMED = 5
"""Devices of one incident whose uptimes and traps are looked at."""

ClusterKinds = {
    "operator": "same_operator",
    "region": "same_region",
    "upstream": "same_upstream",
    "model": "same_model",
}

State = Callable[[str], NodeView]


@dataclass(frozen=True, slots=True)
class Subject:
    """What evidence is looked for. devices: those that are silent (or, of a line, end on it); affected: all that were silent.

    until: when it answered again, or None: after that what is seen tells nothing of the outage but the devices' own words.
    in_maintenance: a window was open when it fell silent. back: of devices that were silent and answer, since when.
    """

    root: str | None
    cluster: GroupKey | None
    since: float
    until: float | None
    devices: tuple[str, ...]
    affected: frozenset[str]
    in_maintenance: bool
    back: Mapping[str, float]


def gather(scene: Scene, subject: Subject, state: State, now: float) -> Iterator[Evidence]:
    """All evidence that can be seen now."""
    if subject.until is None:
        yield from _maintenance(subject)
        yield from _habit(scene, subject)
        yield from _network(scene, subject)
        yield from _cluster(subject)
        other_way = list(_other_way(scene, subject, state, now))
        yield from other_way
        yield from _ports(scene, subject, state)
        if not other_way and now >= subject.since + SETTLE_S:
            yield from _site(scene, subject, state)
    yield from _power(scene, subject)
    yield from _traps(scene, subject)
    yield from _uptimes(scene, subject)


def _maintenance(subject: Subject) -> Iterator[Evidence]:
    """A window that was open when it fell silent; one that is declared for what is silent already is no cause."""
    if subject.in_maintenance:
        yield Evidence("maintenance", subject.since, subject.root or "")


def _habit(scene: Scene, subject: Subject) -> Iterator[Evidence]:
    for device in subject.devices[:1]:
        node = scene.nodes.get(device)
        if node is not None and scene.is_off(node.school, subject.since):
            yield Evidence("habit", subject.since, node.school or "")


def _network(scene: Scene, subject: Subject) -> Iterator[Evidence]:
    """An asked node of no school with others below it that fell silent. One inferred from their silence is no witness of itself."""
    root = scene.nodes.get(subject.root or "")
    if root is None or not root.probe or root.school is not None or root.role in ("ups", "gateway"):
        return
    if len(subject.affected) > 1:
        yield Evidence("network_device", subject.since, root.id)


def _cluster(subject: Subject) -> Iterator[Evidence]:
    if subject.cluster is not None:
        by, value = subject.cluster
        yield Evidence(ClusterKinds[by], subject.since, "", {"count": len(subject.affected), "value": value})


def _other_way(scene: Scene, subject: Subject, state: State, now: float) -> Iterator[Evidence]:
    """An unasked root below which every gateway answers all the same: it takes another way.

    A gateway that was silent too may be back by the line itself, whose port is read once a minute: the port must have been
    read down again since.
    """
    root = scene.nodes.get(subject.root or "")
    if (
        root is None
        or root.probe
        or root.port is None
        or now < subject.since + CONFIRM_S
        or state(root.id).state != "out"
    ):
        return
    said = max(scene.ports_said.get(port, float("-inf")) for port in (root.port, *scene.ends_of(root.id)))
    answering = [device for device in subject.devices if state(device).state == "up"]
    known = all(said > subject.back[device] for device in answering if device in subject.back)
    if answering and known and len(answering) == len(subject.devices):
        yield Evidence("other_way", now, root.id)


def _ports(scene: Scene, subject: Subject, state: State) -> Iterator[Evidence]:
    """What the ports say on which the lines in question end, at the far end and at the school."""
    root = scene.nodes.get(subject.root or "")
    if root is not None and not root.probe:
        lines = [root.id]
    elif len(subject.devices) == 1 and subject.devices[0] in scene.nodes:
        lines = scene.lines_of(subject.devices[0])
    else:
        return
    far: list[Evidence] = []
    for owner, name in [port for line in lines for port in scene.ends_of(line)]:
        heard = scene.ports.get((owner, name))
        if heard is None or owner in lines:
            continue
        at, word = heard
        if owner in subject.devices:
            if word == "down" and state(owner).state == "up":
                yield Evidence("near_port_down", at, owner, {"port": name})
        else:
            far.append(Evidence("far_port_down" if word == "down" else "far_port_up", at, owner, {"port": name}))
    # Of several lines one that is up is enough: the gateway could have been reached by it.
    up = [piece for piece in far if piece.kind == "far_port_up"]
    yield from up[:1] or far[:1]


def _power(scene: Scene, subject: Subject) -> Iterator[Evidence]:
    schools = {scene.nodes[device].school for device in subject.devices[:MOST_NAMED] if device in scene.nodes} - {None}
    for school in sorted(school for school in schools if school is not None):
        for ups in scene.of_school.get(school, ()):
            since, word = scene.power_at(ups, subject.since + SLACK_S) or (0.0, "")
            if word == "battery" and subject.since - since <= BATTERY_S:
                yield Evidence("ups_on_battery", since, ups)
            elif word == "mains" and subject.until is None and subject.since - scene.power_said[ups] <= FRESH_S:
                yield Evidence("ups_on_mains", scene.power_said[ups], ups)


def _site(scene: Scene, subject: Subject, state: State) -> Iterator[Evidence]:
    """The other devices of the school that do not hang under what failed: their silence or answer is a witness of its own."""
    if len(subject.devices) != 1 or subject.devices[0] not in scene.nodes:
        return
    device = subject.devices[0]
    failed = {device, *subject.affected} | ({subject.root} if subject.root is not None else set())
    mates = [
        node
        for node in scene.of_school.get(scene.nodes[device].school or "", ())
        if node not in failed and scene.nodes[node].probe and not scene.above(node) & failed
    ]
    seen = [state(node) for node in mates]
    up = sum(view.state == "up" for view in seen)
    out = sum(view.state == "out" for view in seen)
    if up:
        yield Evidence("site_answers", subject.since, device, {"count": up})
    elif out >= 2:
        yield Evidence("site_silent", subject.since, device, {"count": out})


def _traps(scene: Scene, subject: Subject) -> Iterator[Evidence]:
    end = subject.until if subject.until is not None else float("inf")
    for device in subject.devices[:MOST_NAMED]:
        for trap in scene.traps.get(device, ()):
            if (
                trap.name == "linkDown"
                and abs(trap.t - subject.since) <= AROUND_S
                and _is_an_end(scene, device, trap.port)
            ):
                yield Evidence("link_down_trap", trap.t, device, {"port": trap.port})
            elif trap.name in ("coldStart", "warmStart") and subject.since - SLACK_S <= trap.t <= end + AROUND_S:
                yield Evidence("start_trap", trap.t, device, {"trap": trap.name})
        for line in scene.lines_of(device) if device in scene.nodes else ():
            for owner, name in scene.ends_of(line):
                for trap in scene.traps.get(owner, ()) if owner not in subject.devices else ():
                    if trap.name == "linkDown" and trap.port == name and abs(trap.t - subject.since) <= AROUND_S:
                        yield Evidence("far_port_down", trap.t, owner, {"port": name})


def _is_an_end(scene: Scene, device: str, port: str) -> bool:
    """Whether a linkDown of a school's device may be that of its line: the port that a line ends on, or one that was not named."""
    lines = scene.lines_of(device) if device in scene.nodes else []
    mine = [name for line in lines for owner, name in scene.ends_of(line) if owner == device]
    return not port or not mine or port in mine


def _uptimes(scene: Scene, subject: Subject) -> Iterator[Evidence]:
    """What devices that were silent say afterwards of how long they have been running."""
    for device in subject.devices[:MOST_NAMED]:
        read = scene.uptimes.get(device)
        if read is None or device not in subject.affected or read.t <= subject.since or read.wrapped:
            continue
        if read.boot >= subject.since - SLACK_S:
            yield Evidence("restarted", read.boot, device)
        else:
            yield Evidence("ran_on", read.t, device)
