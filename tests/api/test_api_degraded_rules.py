"""`/api/v1/degraded-rules`: who may read and write which, and what is refused."""

from typing import Any

import pytest
from conftest import Web

from inventory.rules import ship_rules, shipped_rules

PATH = "/api/v1/degraded-rules"
OWN: dict[str, Any] = {"name_zh": "丢包", "measure": "line_loss_percent", "raise_at": 10, "clear_at": 5}


@pytest.fixture
def shipped(web: Web) -> dict[str, dict[str, Any]]:
    """The shipped rules by key, as the province's administrator sees them."""
    ship_rules(web.register)
    rows = web.client("root").get(PATH, params={"limit": 500, "shipped": True}).json()["items"]
    return {row["key"]: row for row in rows}


def test_everybody_reads_the_rules_of_the_province(web: Web, shipped: dict[str, dict[str, Any]]) -> None:
    assert set(shipped) == {rule["key"] for rule in shipped_rules()}
    seen = web.client("looker").get(PATH, params={"limit": 500, "shipped": True}).json()["items"]
    assert {row["key"] for row in seen} == set(shipped)


def test_a_shipped_rule_is_changed_and_switched_off_but_never_deleted(
    web: Web, shipped: dict[str, dict[str, Any]]
) -> None:
    root, rule = web.client("root"), shipped["line-rtt"]
    match = {"if-match": f'"{rule["row_version"]}"'}
    answer = root.patch(f"{PATH}/{rule['id']}", json={"raise_at": 200, "enabled": False}, headers=match)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["raise_at"], answer.json()["enabled"], answer.json()["changed"]) == (200, False, True)
    assert ship_rules(web.register) == 0
    gone = root.delete(f"{PATH}/{rule['id']}", headers={"if-match": "*"})
    assert (gone.status_code, gone.json()["type"]) == (409, "urn:edunet:problem:shipped")


def test_a_countys_administrator_writes_rules_of_the_county_alone(web: Web, shipped: dict[str, dict[str, Any]]) -> None:
    county, (mine, other) = web.client("county"), web.province.counties
    made = county.post(PATH, json={**OWN, "region_id": mine, "replaces_id": shipped["line-loss"]["id"]})
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    assert made.json()["key"].startswith("own-")
    assert county.post(PATH, json=OWN).status_code == 403
    assert county.post(PATH, json={**OWN, "region_id": other}).status_code == 422
    everywhere = shipped["line-loss"]["id"]
    for change in ({"raise_at": 50}, {"region_id": mine}):
        assert county.patch(f"{PATH}/{everywhere}", json=change, headers={"if-match": "*"}).status_code == 403
    assert county.patch(f"{PATH}/{number}", json={"region_id": None}, headers={"if-match": "*"}).status_code == 403
    assert county.patch(f"{PATH}/{number}", json={"raise_at": 12}, headers={"if-match": "*"}).status_code == 200
    assert web.client("looker").post(PATH, json={**OWN, "region_id": mine}).status_code == 403
    theirs = web.client("root").post(PATH, json={**OWN, "region_id": other}).json()["id"]
    assert county.get(f"{PATH}/{theirs}").status_code == 404
    assert county.delete(f"{PATH}/{number}", headers={"if-match": "*"}).status_code == 204


@pytest.mark.parametrize(
    "change",
    [
        {"clear_at": 10},
        {"raise_at": 101},
        {"clear_at": -1},
        {"kinds": ["toaster"]},
        {"measure": "beauty"},
        {"raise_rounds": 0},
        {"severity": "odd"},
        {"replaces_id": 10_000},
        {"name_zh": ""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_rule_that_makes_no_sense_is_refused_and_the_field_named(web: Web, change: dict[str, Any]) -> None:
    answer = web.client("root").post(PATH, json={**OWN, **change})
    assert answer.status_code == 422
    assert next(iter(change)) in {error["field"].split(".")[0] for error in answer.json()["errors"]}


def test_a_rule_replaces_one_of_the_same_measure_alone(web: Web, shipped: dict[str, dict[str, Any]]) -> None:
    answer = web.client("root").post(PATH, json={**OWN, "replaces_id": shipped["line-rtt"]["id"]})
    assert answer.status_code == 422
