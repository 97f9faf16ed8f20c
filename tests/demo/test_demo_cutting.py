"""What falls silent when a node of the demonstration is cut, and which node is meant."""

import json
from pathlib import Path
from typing import Any

import pytest

from demo import faults
from demo.control import Control
from demo.network import Cut, Network
from demo.nodes import UnknownNodeError, combine, find


def silent(network: Network, *keys: str) -> set[int]:
    return network.silent(combine(network, keys))


def in_place(network: Network, code: str) -> set[int]:
    return {unit.id for unit in network.units.values() if unit.place.startswith(code)}


def lines_of_school(network: Network, school: int) -> list[int]:
    gateways = {u.id for u in network.units.values() if u.school == school and u.kind == "gateway"}
    return [c.id for c in network.circuits.values() if c.end and c.end[0] in gateways]


def test_nothing_is_silent_when_nothing_is_cut(network: Network) -> None:
    assert network.silent(Cut()) == set()


def test_a_county_takes_all_that_is_in_it_and_nothing_else(network: Network) -> None:
    assert silent(network, "region:140105") == in_place(network, "140105")


def test_a_city_takes_all_its_counties(network: Network) -> None:
    assert silent(network, "region:140900") == in_place(network, "1409")


def test_the_core_takes_everything(network: Network) -> None:
    assert silent(network, "region:140000") == set(network.units)


def test_a_school_with_two_lines_survives_the_cut_of_one(network: Network) -> None:
    two = next(s for s in network.schools if len(lines_of_school(network, s)) == 2)
    first, second = lines_of_school(network, two)
    assert silent(network, f"line:{first}") == set()
    both = silent(network, f"line:{first}", f"line:{second}")
    assert both == {u.id for u in network.units.values() if u.school == two}


def test_a_shared_line_takes_the_teaching_point_behind_it(network: Network) -> None:
    shared = next(c for c in network.circuits.values() if len(c.sites) == 2)
    assert {network.units[n].site for n in silent(network, f"line:{shared.id}")} == set(shared.sites)


def test_a_switch_takes_what_hangs_under_it_alone(network: Network) -> None:
    switch = next(u for u in network.units.values() if u.kind == "switch" and u.school)
    below = {unit for unit, ups in network.upstreams.items() if ups == (switch.id,)}
    assert silent(network, f"device:{switch.id}") == {switch.id} | below


def test_a_cut_line_takes_both_its_ports_down(network: Network) -> None:
    circuit = next(iter(network.circuits.values()))
    assert network.dead_ports(Cut(lines=frozenset({circuit.id}))) == {circuit.end, circuit.far}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("140105", "region:140105"),
        ("小店区", "region:140105"),
        ("太原", "region:140100"),
        ("device:12", "device:12"),
        ("line:7", "line:7"),
        (" school:3 ", "school:3"),
    ],
)
def test_nodes_are_found_by_id_code_and_name(network: Network, text: str, key: str) -> None:
    assert find(network, text).key == key


def test_a_school_is_found_by_its_code_and_by_a_part_of_its_name(network: Network) -> None:
    number, (name, code) = next(iter(network.schools.items()))
    assert find(network, code).key == find(network, name).key == f"school:{number}"


def test_an_ambiguous_name_lists_its_candidates(network: Network) -> None:
    with pytest.raises(UnknownNodeError) as caught:
        find(network, "第一中学")
    assert caught.value.count > 100
    assert all("第一中学" in node.name for node in caught.value.candidates)


@pytest.mark.parametrize("text", ["", "nobody", "device:999999", "line:x", "region:999999", "device:"])
def test_what_is_no_node_has_no_candidates(network: Network, text: str) -> None:
    with pytest.raises(UnknownNodeError) as caught:
        find(network, text)
    assert not text or caught.value.count == 0


def control(network: Network, keys: list[str]) -> tuple[Control, list[frozenset[int]]]:
    seen: list[frozenset[int]] = []
    return Control(network, keys, "namespace", lambda c: seen.append(c.addresses)), seen


def test_cut_and_mend_give_back_the_same_silence(network: Network) -> None:
    panel, seen = control(network, faults.standing(network))
    before = panel.addresses
    assert panel.answer({"do": "cut", "node": "140105"})["silent"] > len(before)
    assert panel.answer({"do": "cut", "node": "小店区"})["silent"] == len(seen[-1])
    assert panel.answer({"do": "mend", "node": "140105"})["silent"] == len(before)
    assert panel.addresses == before


def test_mending_a_county_mends_the_line_that_cut_it(network: Network) -> None:
    panel, _ = control(network, faults.standing(network))
    line = next(key for key in panel.keys if key.startswith("line:"))
    end = network.circuits[int(line[5:])].end
    assert end is not None
    assert line in panel.answer({"do": "mend", "node": network.units[end[0]].place})["faults"]


def test_mending_below_a_cut_says_that_it_is_still_silent(network: Network) -> None:
    panel, _ = control(network, ["region:140105"])
    school = next(u.school for u in network.units.values() if u.place == "140105" and u.school)
    assert panel.answer({"do": "mend", "node": f"school:{school}"})["still"] > 0


def test_the_standing_faults_are_one_of_each_kind(network: Network) -> None:
    panel, _ = control(network, faults.standing(network))
    rows = panel.faults()
    assert {row["kind"] for row in rows} == {"cut", "mute", "slow", "battery"}
    assert all(row["name"] != row["node"] for row in rows)
    assert panel.slow
    assert len(panel.mute) == 1
    schools = {network.units[n].school for n in network.silent(combine(network, [rows[0]["node"]]))}
    assert len(schools - {None}) >= 8


@pytest.mark.parametrize("request_", [{}, {"do": "cut"}, {"do": "dance", "node": "140105"}, {"do": "mend", "node": 7}])
def test_a_wrong_request_is_answered_by_an_error(network: Network, request_: dict[str, Any]) -> None:
    panel, _ = control(network, [])
    assert "error" in panel.answer(request_)


def test_faults_outlive_the_responder(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    assert faults.load(path, network) is None
    faults.save(path, ["region:140105", "slow:1"])
    assert faults.load(path, network) == ["region:140105", "slow:1"]
    path.write_text(json.dumps(["device:999999", "line:1", 5, "slow:x"]))
    assert faults.load(path, network) == ["line:1"]
    path.write_text("{")
    assert faults.load(path, network) is None
