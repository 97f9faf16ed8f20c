"""A case for each incident: its evidence so far and the verdict on it, followed until its devices have told what they were doing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.causes.gather import MOST_NAMED, State, Subject, gather
from collector.causes.scene import Scene
from collector.causes.values import Evidence, Verdict
from collector.causes.weigh import weigh
from collector.judge.values import GroupKey, IncidentView

AFTER_S = 1800.0
"""A case stays open so long after its incident: sysUpTime comes with the next reading, a start trap whenever it likes."""

AGAIN_S = 15.0
"""An open case is looked at again at least this often."""

TOGETHER_S = 60.0
"""Roots that fell silent this near to each other failed together."""

LEAST_OF_ONE = 3
"""So many lines of one carrier at once, of different upstreams, are no chance."""

MOST_PAST = 5000
"""Cases of past incidents that are kept."""

SHARE_OF_ONE = 0.8
"""Share that one carrier must have of all that failed at that moment."""


@dataclass
class Case:
    """One incident. evidence: by slot. devices: see `Subject`. affected: all that were silent because of it.

    watch: whose words matter to it. back: since when devices answer that were silent.
    """

    key: str
    root: str | None
    cluster: GroupKey | None
    since: float
    devices: tuple[str, ...] = ()
    affected: frozenset[str] = frozenset()
    until: float | None = None
    evidence: dict[tuple[str, str], Evidence] = field(default_factory=dict)
    verdict: Verdict = field(default_factory=Verdict)
    looked_at: float = float("-inf")
    watch: frozenset[str] = frozenset()
    back: dict[str, float] = field(default_factory=dict)


class Casebook:
    """All cases. `look` is called with what the judge sees now, and gives the cases on which the word has changed."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.cases: dict[str, Case] = {}
        self._agents: set[str] = set()

    def look(self, views: Mapping[str, IncidentView], state: State, now: float) -> list[Case]:
        """The cases whose verdict, evidence or devices have changed."""
        touched, self.scene.touched = self.scene.touched, set()
        changed = [case for key, view in views.items() if (case := self._follow(key, view, state, now, touched))]
        for key, case in list(self.cases.items()):
            if key in views:
                continue
            if case.until is None:
                case.until = now
                changed.append(case)  # the last word while it lasted holds for all that belonged to it
            elif now > case.until + AFTER_S:
                del self.cases[key]
            elif (
                touched
                and not case.watch.isdisjoint(touched)
                and self._add(case, self._subject(case, case.until), state, now)
            ):
                changed.append(case)
        self._find_carriers(views, changed)
        self._forget()
        return list({case.key: case for case in changed}.values())

    def _follow(self, key: str, view: IncidentView, state: State, now: float, touched: set[str]) -> Case | None:
        case = self.cases.get(key)
        first = case is None
        if case is None or (case.root, case.cluster) != (view.root, view.cluster):
            kept = case.evidence if case is not None else {}
            case = self.cases[key] = Case(key, view.root, view.cluster, view.since, evidence=dict(kept))
        case.until = None
        grown = not case.affected.issuperset(view.affected_ids)
        if grown or not case.devices:
            case.affected |= frozenset(view.affected_ids)
            case.devices = self._devices(case)
        due = first or grown or now >= case.looked_at + AGAIN_S or not case.watch.isdisjoint(touched)
        if not due:
            return None
        self._see_back(case, state, now)
        until = now if view.status == "resolving" else None
        found = self._add(case, self._subject(case, until, first and view.in_maintenance), state, now)
        return case if found or first or grown else None

    def _devices(self, case: Case) -> tuple[str, ...]:
        """Those whose silence it is: the root itself, the gateways on a line, the roots of a cluster."""
        scene = self.scene
        if case.root is not None and case.root in scene.nodes:
            return (case.root,) if scene.nodes[case.root].probe else tuple(scene.first_asked(case.root))
        ups = {node: scene.nodes[node].up or () for node in case.affected if node in scene.nodes}
        return tuple(sorted(node for node, above in ups.items() if not set(above) & case.affected))

    def _subject(self, case: Case, until: float | None, in_maintenance: bool = False) -> Subject:
        return Subject(
            case.root, case.cluster, case.since, until, case.devices, case.affected, in_maintenance, case.back
        )

    def _see_back(self, case: Case, state: State, now: float) -> None:
        """Since when those devices answer that were silent."""
        for device in case.affected.intersection(case.devices[:MOST_NAMED]):
            if state(device).state == "up":
                case.back.setdefault(device, now)
            else:
                case.back.pop(device, None)

    def _add(self, case: Case, subject: Subject, state: State, now: float) -> bool:
        """Put what is found to what is known, and weigh it. Whether anything is new."""
        before = (case.verdict, {piece.kind for piece in case.evidence.values()})
        for piece in gather(self.scene, subject, state, now):
            case.evidence[piece.slot] = piece
        case.looked_at = now
        case.watch = self._watch(case)
        case.verdict = weigh(case.evidence.values())
        return before != (case.verdict, {piece.kind for piece in case.evidence.values()})

    def _watch(self, case: Case) -> frozenset[str]:
        """Whose words matter: the devices, the owners of the ports that their lines end on, and the others of their schools."""
        scene, found = self.scene, {*case.devices[:50], *([case.root] if case.root is not None else ())}
        for device in list(found):
            node = scene.nodes.get(device)
            if node is None:
                continue
            lines = scene.lines_of(device) if node.probe else [device]
            found |= {owner for line in lines for owner, _ in scene.ends_of(line)}
            found |= set(scene.of_school.get(node.school or "", ()))
        return frozenset(found)

    def _find_carriers(self, views: Mapping[str, IncidentView], changed: list[Case]) -> None:
        """Several of one carrier at once, of different upstreams, and hardly any of others."""
        if len(self.scene.operators) < 2 or not changed:
            return
        roots = [
            (view.since, node.operator, key)
            for key, view in views.items()
            if view.root is not None and (node := self.scene.nodes.get(view.root)) is not None and node.operator
        ]
        fresh = {case.key for case in changed}
        for since, operator in sorted({(since, operator) for since, operator, key in roots if key in fresh}):
            near = [(of, key) for at, of, key in roots if abs(at - since) <= TOGETHER_S]
            mine = [key for of, key in near if of == operator]
            ups = {self.scene.nodes[views[key].root or ""].up for key in mine}
            if len(mine) >= max(LEAST_OF_ONE, SHARE_OF_ONE * len(near)) and len(ups) > 1:
                for key in mine:
                    self._same_operator(self.cases[key], len(mine), operator, changed)

    def _same_operator(self, case: Case, count: int, operator: str, changed: list[Case]) -> None:
        piece = Evidence("same_operator", case.since, "", {"count": count, "value": operator})
        if case.evidence.get(piece.slot) is None or case.evidence[piece.slot].data["count"] < count:
            case.evidence[piece.slot] = piece
            case.verdict = weigh(case.evidence.values())
            changed.append(case)

    def _forget(self) -> None:
        past = [case for case in self.cases.values() if case.until is not None]
        for case in sorted(past, key=lambda case: case.until or 0.0)[: max(0, len(past) - MOST_PAST)]:
            del self.cases[case.key]

    def look_at_agents(self, state: State) -> list[Case]:
        """Cases of devices that answer while their agent is silent, each given once; of one that is silent itself it tells nothing."""
        for node in self._agents - self.scene.agents.keys():
            self._agents.discard(node)
        fresh = [node for node in self.scene.agents if node not in self._agents and state(node).state == "up"]
        self._agents |= set(fresh)
        return [agent_case(node, self.scene.agents[node]) for node in fresh]

    # -- memory

    def snapshot(self) -> dict[str, Any]:
        """Evidence of all cases, JSON-able: a verdict does not go back to undetermined because the collector was started again."""
        return {
            case.key: {
                "root": case.root,
                "cluster": case.cluster,
                "since": case.since,
                "until": case.until,
                "devices": list(case.devices),
                "affected": sorted(case.affected)[:500],
                "evidence": [piece.as_memory() for piece in case.evidence.values()],
            }
            for case in self.cases.values()
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on from a snapshot."""
        for key, value in kept.items():
            pieces = [Evidence.of_memory(piece) for piece in value["evidence"]]
            cluster = tuple(value["cluster"]) if value["cluster"] else None
            case = Case(
                key, value["root"], cluster, value["since"], tuple(value["devices"]), frozenset(value["affected"])
            )
            case.until, case.evidence = value["until"], {piece.slot: piece for piece in pieces}
            case.verdict = weigh(pieces)
            self.cases[key] = case


def agent_case(node: str, since: float) -> Case:
    """The case of an incident of kind `agent_silent`: it answers, so that only its agent can be the cause."""
    piece = Evidence("agent_silent", since, node)
    return Case(f"agent-{node}", node, None, since, (node,), evidence={piece.slot: piece}, verdict=weigh([piece]))


def evidence_rows(case: Case, names: Iterable[tuple[str, str]] = ()) -> list[dict[str, Any]]:
    """As `incident.cause_evidence` has it, oldest first. names: of nodes, where they have better ones than their ids."""
    known = dict(names)
    pieces = sorted(case.evidence.values(), key=lambda piece: (piece.at, piece.kind, piece.node))
    return [piece.as_row(known.get(piece.node)) for piece in pieces]
