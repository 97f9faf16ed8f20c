"""`/api/v1/asking`: how devices are asked, by model."""

import pytest
from conftest import Web

RULE = {"name": "老款摄像机", "vendor": "hik*", "model": "DS-2CD?", "bulk": False, "pause_ms": 200, "max_bindings": 9}


def test_a_rule_is_made_read_changed_and_raises_the_plans_version(any_web: Web) -> None:
    client, before = any_web.client("root"), any_web.register.version()
    made = client.post("/api/v1/asking", json=RULE)
    assert made.status_code == 201, made.text
    shown = made.json()
    assert RULE.items() <= shown.items()
    assert shown["budget_requests"] is None
    changed = client.patch(
        made.headers["location"],
        json={"columns_off": "ifindiscards ifOutDiscards", "sys_object_id": ".1.3.6.1.4.1.39165."},
        headers={"if-match": made.headers["etag"]},
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["columns_off"] == "ifInDiscards,ifOutDiscards"
    assert changed.json()["sys_object_id"] == "1.3.6.1.4.1.39165"
    assert any_web.register.version() == before + 2
    assert client.post("/api/v1/asking", json=RULE).status_code == 409


@pytest.mark.parametrize(
    ("field", "value"),
    [("columns_off", "ifOperStatus"), ("columns_off", "ifNonsense"), ("pause_ms", 9999), ("budget_seconds", 60)],
)
def test_what_no_device_can_be_asked_with_is_refused(web: Web, field: str, value: object) -> None:
    answer = web.client("root").post("/api/v1/asking", json={"name": f"{field} {value}", field: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_only_the_whole_installations_administrators_change_them(web: Web) -> None:
    client = web.client("county")
    assert client.get("/api/v1/asking").status_code == 200
    assert client.post("/api/v1/asking", json={"name": "mine"}).status_code == 403
