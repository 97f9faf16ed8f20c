"""A vantage point's token opens its two calls and nothing else, and no other token opens them."""

from conftest import Web

from inventory.checking import check_register
from inventory.log import beat
from inventory.models import VantagePoint
from inventory.vantages import SILENT_S, make_vantage


def test_a_vantage_points_token_opens_its_two_calls_and_nothing_else(own_web: Web) -> None:
    with own_web.register.write() as session:
        made, token = make_vantage(session, "datong", "", "10.2.0.1", "大同", "test")
        number = made.id
        assert "edv_" not in str(made.model_dump())
    own_web.province.tokens["vantage"] = token
    mine, root = own_web.client("vantage"), own_web.client("root")
    for client in (own_web.client(), root, own_web.client("looker")):
        assert client.get("/api/v1/vantage/part").status_code == 401
        assert client.post("/api/v1/vantage/reports", json={}).status_code == 401
    assert mine.get("/api/v1/vantage/part").status_code == 503  # no collector runs here
    assert mine.post("/api/v1/vantage/reports", json={"version": 1, "reports": []}).status_code == 503
    assert mine.post("/api/v1/vantage/reports", content=b"x" * 2_000_001).status_code == 413
    for path in ("/api/v1/schools", "/api/v1/vantages", "/metrics?all=1", "/"):
        assert mine.get(path).status_code in (401, 422), path

    shown = root.get(f"/api/v1/vantages/{number}")
    assert (shown.json()["state"], shown.json().get("token")) == ("never", None)
    assert "token_hash" not in shown.text
    assert root.post("/api/v1/vantages", json={"name": "x"}).status_code == 403  # a token makes no token
    off = root.patch(f"/api/v1/vantages/{number}", json={"enabled": False}, headers={"if-match": shown.headers["etag"]})
    assert (off.status_code, off.json()["state"]) == (200, "off")
    assert mine.get("/api/v1/vantage/part").status_code == 401


def test_how_a_vantage_point_fares_is_what_the_judges_process_last_said(own_web: Web) -> None:
    now = 4e9  # in the future: never too old
    with own_web.register.write() as session:
        for name in ("sees", "blind", "silent", "old", "never"):
            make_vantage(session, name, "", "", "", "test")
        session.flush()
        ids = {row.name: str(row.id) for row in session.query(VantagePoint).all()}
        fares = {
            "sees": {"up": True, "reported_at": now, "sees": ["edu"], "offset_s": 7.0},
            "blind": {"up": True, "reported_at": now, "blind": ["edu"], "sees": []},
            "silent": {"up": False, "reported_at": now},
            "old": {"up": True, "reported_at": 1e9 - SILENT_S},
        }
        beat(session, "vantages", detail={ids[name]: {"name": name, **fare} for name, fare in fares.items()})
    rows = {row["name"]: row for row in own_web.client("root").get("/api/v1/vantages").json()["items"]}
    assert {name: rows[name]["state"] for name in ids} == {
        "sees": "sees", "blind": "blind", "silent": "silent", "old": "silent", "never": "never",
    }  # fmt: skip
    assert rows["sees"]["detail"]["offset_s"] == 7.0
    found = {one.code: one.render("en") for one in check_register(own_web.register)}
    assert "never" in found["vantage_silent"]
    assert "sees" not in found["vantage_silent"]
