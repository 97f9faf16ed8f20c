"""The last hours of trace on disk, and an incident's own stretch of it: `edunet replay` makes the same incident of that."""

import json
from pathlib import Path
from typing import Any

import pytest
from collector_world import World
from sqlmodel import select
from test_causes_log import BEGIN, Desk

from collector.judge import Judge
from collector.ring import Ring, read_lines, segments
from collector.stretch import AFTER_S, BEFORE_S, About, stretch
from collector.trace import replay
from inventory.models import Incident


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    return Ring(tmp_path / "trace", hours=24, megabytes=100)


def written(ring: Ring) -> Path:
    """Its directory, when all that was taken has been written."""
    ring.stop()
    ring.run()
    return ring.directory


def incidents(desk: Desk) -> list[Incident]:
    with desk.world.register.session() as session:
        return list(session.exec(select(Incident).where(Incident.opened_at.is_not(None)).order_by(Incident.id)))  # type: ignore[union-attr, arg-type]  # columns


def replayed(directory: Path, incident: Incident) -> list[dict[str, Any]]:
    """The notices that a replay of the incident's own trace gives."""
    root = f"{incident.root_kind}:{incident.root_id}" if incident.root_id else None
    cluster = (incident.cluster_by, incident.cluster_value or "") if incident.cluster_by else None
    until = incident.resolved_at.timestamp() if incident.resolved_at else None
    since = incident.from_at.timestamp()
    about = About(root, cluster, since, until)
    lines = read_lines(directory, since - BEFORE_S, (until or since) + AFTER_S)
    text = [json.dumps(line) for line in stretch(lines, about)]
    assert text
    return [line for line in replay(text, Judge(follow=False)) if line["kind"] == "notice"]


def storm(world: World, ring: Ring) -> Desk:
    """Two schools behind one county, one elsewhere; the county's device fails, then a gateway alone, while another one is silent all the time."""
    for number in (1, 2, 3):
        world.school(number)
    desk = Desk(world)
    desk.bench.record = ring.take
    desk.bench.follow(desk.plan, BEGIN)
    desk.rounds(0, 300, set())
    desk.rounds(300, 420, {"agg", "gw1", "gw2", "gw3"})
    desk.rounds(420, 900, {"gw3"}, {"agg": {"ports": {}}})
    desk.rounds(900, 1000, {"gw3", "gw1"})
    desk.rounds(1000, 1300, {"gw3"})
    return desk


def test_an_incidents_own_trace_gives_the_same_incident(world: World, ring: Ring) -> None:
    desk = storm(world, ring)
    directory = written(ring)
    found = incidents(desk)
    names = {incident.root_name: incident for incident in found}
    assert {"agg", "gw1", "gw3"} <= names.keys()
    for name in ("agg", "gw1"):
        incident = names[name]
        notices = [notice for notice in replayed(directory, incident) if notice["root"] == f"device:{incident.root_id}"]
        assert [notice["event"] for notice in notices] == ["opened", "resolved"]
        first = incident.from_at.timestamp() - BEFORE_S
        assert incident.opened_at is not None
        assert incident.resolved_at is not None
        assert notices[0]["t"] == pytest.approx(incident.opened_at.timestamp() - first, abs=0.01)
        assert notices[1]["t"] == pytest.approx(incident.resolved_at.timestamp() - first, abs=0.01)
        said = (notices[0]["affected"], notices[0]["schools"], notices[0]["pupils"])
        assert said == (incident.said_affected, incident.said_schools, incident.said_pupils)


def test_only_the_part_that_it_is_about_is_in_it(world: World, ring: Ring) -> None:
    desk = storm(world, ring)
    directory = written(ring)
    gateway = next(incident for incident in incidents(desk) if incident.root_name == "gw1")
    since = gateway.from_at.timestamp()
    about = About(f"device:{gateway.root_id}", None, since, since + 100)
    lines = list(stretch(read_lines(directory, since - BEFORE_S, since + 300), about))
    topology = next(line for line in lines if line["kind"] == "topology")
    kept = {node["id"] for node in topology["nodes"]}
    ids = world.ids
    assert {f"device:{ids[name]}" for name in ("gw1", "agg", "core")} <= kept
    assert f"device:{ids['gw2']}" not in kept
    asked = {node for line in lines if line["kind"] == "round" for node in line["asked"]}
    assert asked <= kept
    assert lines[0]["kind"] == "start"


def test_what_is_not_kept_gives_nothing(world: World, ring: Ring) -> None:
    storm(world, ring)
    directory = written(ring)
    assert (
        list(stretch(read_lines(directory, BEGIN - 900, BEGIN - 800), About("device:3", None, BEGIN - 800, None))) == []
    )


def test_the_ring_is_bounded_by_hours_and_by_size(tmp_path: Path) -> None:
    ring = Ring(tmp_path, hours=3, megabytes=1)
    topology = {"t": 0.0, "kind": "topology", "nodes": [{"id": "g", "up": []}]}
    for line in (topology, *({"t": float(t), "kind": "trap", "node": "g", "trap": "x"} for t in range(0, 36000, 600))):
        ring.take(line)
    ring.stop()
    ring.run()
    began = [int(path.name.split(".")[0]) for path in segments(tmp_path)]
    assert began == [18000, 21600, 25200, 28800, 32400]
    first = next(iter(read_lines(tmp_path, 18000, 18001)))
    assert (first["kind"], first["t"]) == ("topology", 18000.0)  # each can be read alone
    small = Ring(tmp_path, hours=3, megabytes=0)
    small.take({"t": 36000.0, "kind": "trap", "node": "g", "trap": "x"})
    small.stop()
    small.run()
    assert len(segments(tmp_path)) == 1


def test_a_list_of_asked_nodes_is_written_once_and_read_whole(tmp_path: Path) -> None:
    ring, nodes = Ring(tmp_path, 24, 100), [f"device:{n}" for n in range(2000)]
    ring.take({"t": 0.0, "kind": "topology", "nodes": [{"id": node} for node in nodes]})
    for t in range(5, 605, 5):
        ring.take({"t": float(t), "kind": "round", "zone": "z", "shard": 0, "asked": list(nodes), "silent": [nodes[7]]})
    ring.stop()
    ring.run()
    rounds = [line for line in read_lines(tmp_path, 0, 600) if line["kind"] == "round"]
    assert len(rounds) == 120
    assert all(line["asked"] == nodes for line in rounds)
    assert segments(tmp_path)[0].stat().st_size < 30_000


def test_a_segment_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    ring = Ring(tmp_path, 24, 100)
    ring.take({"t": 0.0, "kind": "topology", "nodes": []})
    for t in range(200):
        ring.take({"t": float(t), "kind": "trap", "node": f"device:{t * 7919}", "trap": "linkDown"})
    ring.stop()
    ring.run()
    path = segments(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:-40])
    assert 0 < len(list(read_lines(tmp_path, 0, 200))) <= 201
