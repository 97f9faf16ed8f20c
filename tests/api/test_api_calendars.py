"""`/api/v1/terms`, `class-hours`, `special-days`, `exams`, `habits`, and repeating windows of work."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import Web

from inventory.models import Region, utcnow

TERM = {"name": "秋季学期", "first_on": "2026-09-01", "last_on": "2027-01-22"}
HOURS = {"levels": ["primary"], "spans": ["14:00-17:20", "08:00-11:40"]}
SNOW = {"name": "雪天停课", "kind": "holiday", "first_on": "2026-12-08", "last_on": "2026-12-09"}
EXAM = {"name": "高考", "from_at": "2036-06-07T08:00:00+08:00", "until_at": "2036-06-07T17:00:00+08:00"}
ROWS: dict[str, dict[str, Any]] = {"terms": TERM, "class-hours": HOURS, "special-days": SNOW, "exams": EXAM}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_a_calendar_is_made_read_changed_and_deleted(any_web: Web, name: str) -> None:
    client, before = any_web.client("root"), any_web.register.version()
    made = client.post(f"/api/v1/{name}", json={**ROWS[name], "region_id": any_web.province.counties[0]})
    assert made.status_code == 201, made.text
    where, tag = made.headers["location"], made.headers["etag"]
    changed = client.patch(where, json={"name": "x", "levels": ["senior", "junior"]}, headers={"if-match": tag})
    assert changed.status_code == 200, changed.text
    assert changed.json()["levels"] == ["junior", "senior"]
    assert client.patch(where, json={"name": "y"}, headers={"if-match": tag}).status_code == 412
    assert client.delete(where, headers={"if-match": changed.headers["etag"]}).status_code == 204
    assert any_web.register.version() == before, "the collector's plan is not built from calendars"


@pytest.mark.parametrize("name", ROWS)
def test_a_county_writes_its_own_calendar_and_reads_those_above_it(web: Web, name: str) -> None:
    province = web.province
    with web.register.session() as session:
        city = session.get_one(Region, province.counties[0]).parent_id
    root, county, looker = web.client("root"), web.client("county"), web.client("looker")
    whole = root.post(f"/api/v1/{name}", json=ROWS[name]).json()["id"]
    above = root.post(f"/api/v1/{name}", json={**ROWS[name], "region_id": city}).json()["id"]
    other = root.post(f"/api/v1/{name}", json={**ROWS[name], "region_id": province.counties[1]}).json()["id"]
    foreign = root.post(f"/api/v1/{name}", json={**ROWS[name], "school_id": province.schools[1][0]}).json()["id"]
    own = county.post(f"/api/v1/{name}", json={**ROWS[name], "region_id": province.counties[0]}).json()["id"]
    mine = county.post(f"/api/v1/{name}", json={**ROWS[name], "school_id": province.schools[0][0]}).json()["id"]
    seen = {row["id"] for row in looker.get(f"/api/v1/{name}", params={"limit": 500}).json()["items"]}
    assert {whole, above, own, mine} <= seen
    assert not {other, foreign} & seen
    for number in (whole, above):
        for answer in (
            county.patch(f"/api/v1/{name}/{number}", json={"name": "x"}, headers={"if-match": "*"}),
            county.delete(f"/api/v1/{name}/{number}", headers={"if-match": "*"}),
        ):
            assert answer.status_code == 403, answer.text
    assert county.delete(f"/api/v1/{name}/{other}", headers={"if-match": "*"}).status_code == 404
    assert county.post(f"/api/v1/{name}", json=ROWS[name]).status_code == 403
    assert county.post(f"/api/v1/{name}", json={**ROWS[name], "region_id": city}).status_code == 422
    bureau = {**ROWS[name], "region_id": province.bureaus[1]}  # of the other tree, another's
    assert county.post(f"/api/v1/{name}", json=bureau).status_code == 403
    assert looker.post(f"/api/v1/{name}", json={**ROWS[name], "region_id": province.counties[0]}).status_code == 403


@pytest.mark.parametrize(
    ("name", "change", "field"),
    [
        ("terms", {"last_on": "2026-08-01"}, "last_on"),
        ("terms", {"last_on": "2028-08-01"}, "last_on"),
        ("terms", {"region_id": 1, "school_id": 1}, "school_id"),
        ("class-hours", {"spans": ["11:40-08:00"]}, "spans"),
        ("class-hours", {"spans": ["08:00-10:00", "09:00-11:00"]}, "spans"),
        ("class-hours", {"spans": ["8-10"]}, "spans.0"),
        ("class-hours", {"weekdays": [8]}, "weekdays.0"),
        ("class-hours", {"levels": ["university"]}, "levels.0"),
        ("special-days", {"kind": "feast"}, "kind"),
        ("special-days", {"as_weekday": 5}, "as_weekday"),
        ("exams", {"until_at": EXAM["from_at"]}, "until_at"),
        ("exams", {"until_at": "2037-06-07T17:00:00+08:00"}, "until_at"),
        ("exams", {"from_at": "2036-06-07T08:00:00"}, "from_at"),
    ],
)
def test_what_is_no_calendar_is_refused_by_field(web: Web, name: str, change: dict[str, Any], field: str) -> None:
    answer = web.client("root").post(f"/api/v1/{name}", json={**ROWS[name], **change})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_class_hours_are_kept_in_order(web: Web) -> None:
    made = web.client("root").post("/api/v1/class-hours", json=HOURS).json()
    assert made["spans"] == ["08:00-11:40", "14:00-17:20"]
    assert made["weekdays"] == [1, 2, 3, 4, 5]


def test_a_habit_is_declared_changed_and_rejected_by_name(own_web: Web) -> None:
    client, school = own_web.client("county"), own_web.province.schools[0][0]
    body = {"school_id": school, "kind": "night", "off_from": "21:30", "off_until": "00:30", "on_by": "07:30"}
    made = client.post("/api/v1/habits", json=body)
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["declared"], shown["status"], shown["confidence"]) == (True, "approved", 1.0)
    assert shown["approved_by"]
    assert client.post("/api/v1/habits", json=body).status_code == 409
    rejected = client.patch(
        made.headers["location"], json={"status": "rejected"}, headers={"if-match": made.headers["etag"]}
    )
    assert rejected.json()["status"] == "rejected"
    assert rejected.json()["off_from"] == "21:30"
    foreign = {**body, "school_id": own_web.province.schools[1][0]}
    assert client.post("/api/v1/habits", json=foreign).status_code == 422
    for change in ({"off_until": "21:30"}, {"on_by": "25:00"}, {"valid_from": "2026-09-02", "valid_to": "2026-09-01"}):
        assert client.post("/api/v1/habits", json={**body, "kind": "weekend", **change}).status_code == 422


def _window(web: Web, **more: Any) -> dict[str, Any]:
    start = (utcnow() + timedelta(days=1)).replace(hour=1, minute=0, second=0, microsecond=0)
    return {
        "region_id": web.province.counties[0],
        "from_at": start.isoformat(),
        "until_at": (start + timedelta(hours=2)).isoformat(),
        **more,
    }


def test_a_repeating_window_has_all_its_occurrences_and_an_end(any_web: Web) -> None:
    client = any_web.client("root")
    body = _window(any_web)
    start = datetime.fromisoformat(body["from_at"])
    until = (start + timedelta(days=20)).isoformat()
    made = client.post("/api/v1/maintenance", json={**body, "repeat": "daily", "repeat_until": until})
    assert made.status_code == 201, made.text
    shown = made.json()
    assert datetime.fromisoformat(shown["next_from_at"]) == start
    assert shown["warnings"] == []
    with any_web.register.session() as session:
        from inventory.calendars.windows import spans_between

        spans = [
            s
            for s in spans_between(session, start - timedelta(days=1), start + timedelta(days=99))
            if s[0] == shown["id"]
        ]
    assert [s[1] for s in spans] == [start + timedelta(days=n) for n in range(20)]
    shorter = client.patch(
        made.headers["location"],
        json={"repeat_until": (start + timedelta(days=3)).isoformat()},
        headers={"if-match": made.headers["etag"]},
    )
    assert shorter.status_code == 200, shorter.text
    with any_web.register.session() as session:
        spans = spans_between(session, start - timedelta(days=1), start + timedelta(days=99))
        assert len([s for s in spans if s[0] == shown["id"]]) == 3
    assert client.delete(made.headers["location"], headers={"if-match": "*"}).status_code == 204
    with any_web.register.session() as session:
        assert not [s for s in spans_between(session, start, start + timedelta(days=99)) if s[0] == shown["id"]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"repeat": "daily"}, "repeat_until"),
        ({"repeat": "daily", "repeat_until": "2036-01-01T00:00:00Z"}, "repeat_until"),
        ({"repeat": "hourly"}, "repeat"),
        ({"repeat": "daily", "weekdays": [1], "repeat_until": "+20"}, "weekdays"),
        ({"repeat": "daily", "until_at": "+3", "repeat_until": "+20"}, "until_at"),
    ],
)
def test_a_series_without_an_end_or_over_itself_is_refused(web: Web, change: dict[str, Any], field: str) -> None:
    body = _window(web)
    start = datetime.fromisoformat(body["from_at"])
    change = {
        key: (start + timedelta(days=int(value))).isoformat() if isinstance(value, str) and value[0] == "+" else value
        for key, value in change.items()
    }
    answer = web.client("root").post("/api/v1/maintenance", json={**body, **change})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_a_window_inside_an_exam_is_warned_of(own_web: Web) -> None:
    client, province = own_web.client("root"), own_web.province
    body = _window(own_web)
    start = datetime.fromisoformat(body["from_at"]).astimezone(UTC)
    span = {"from_at": (start + timedelta(hours=1)).isoformat(), "until_at": (start + timedelta(hours=5)).isoformat()}
    for levels, name in ((["primary"], "here"), (["higher"], "not here")):
        exam = {"name": name, "region_id": province.counties[0], "levels": levels, **span}
        assert client.post("/api/v1/exams", json=exam).status_code == 201
    client.post("/api/v1/exams", json={"name": "far", "school_id": province.schools[1][0], **span})

    def names(**more: Any) -> list[str]:
        made = client.post("/api/v1/maintenance", json={**body, **more}).json()
        return [warning["name"] for warning in made["warnings"]]

    assert names() == ["here"]
    assert names(region_id=province.bureaus[0]) == ["here"], "the other tree's region of the same schools"
    assert names(region_id=province.counties[1]) == ["far"]
    node: dict[str, Any] = {"region_id": None}
    assert names(**node, kind="school", node_id=province.schools[0][0]) == ["here"]
    assert names(**node, kind="line", node_id=province.lines[0][0]) == ["here"]
    assert names(**node, kind="device", node_id=province.devices[1][1]) == ["far"]
    early = {
        "from_at": (start - timedelta(days=3)).isoformat(),
        "until_at": (start - timedelta(days=3, hours=-2)).isoformat(),
    }
    assert names(**early) == []
    weekly = {"repeat": "daily", "repeat_until": (start + timedelta(days=3)).isoformat()}
    assert names(**early, **weekly) == ["here"], "a later occurrence falls into it"


def test_a_schools_uptime_is_told_in_both_ways_and_only_within_the_own_part(web: Web) -> None:
    school = web.province.schools[0][0]
    until = utcnow()
    start = until - timedelta(days=3)
    params = {"from": start.isoformat(), "until": until.isoformat()}
    found = web.client("looker").get(f"/api/v1/schools/{school}/uptime", params=params)
    assert found.status_code == 200, found.text
    body = found.json()
    whole, taught = body["around_the_clock"], body["in_class"]
    assert whole["down_s"] > 0, "it is cut off"
    assert whole["up_s"] + whole["down_s"] + whole["unknown_s"] == pytest.approx(whole["total_s"])
    assert sum(whole["by"].values()) == pytest.approx(whole["down_s"])
    assert 0 <= whole["experienced"] <= 1
    assert taught["total_s"] <= whole["total_s"]
    assert isinstance(body["calendar_known"], bool)
    foreign = web.province.schools[1][0]
    assert web.client("looker").get(f"/api/v1/schools/{foreign}/uptime").status_code == 404
    assert web.client("looker").get(f"/api/v1/schools/{school}/uptime").status_code == 200
    late = {"from": until.isoformat(), "until": start.isoformat()}
    assert web.client("looker").get(f"/api/v1/schools/{school}/uptime", params=late).status_code == 422


def test_uptime_of_all_schools_is_listed_by_pages_within_the_own_part(web: Web) -> None:
    root, looker, province = web.client("root"), web.client("looker"), web.province
    whole = root.get("/api/v1/uptime").json()
    assert [row["school_id"] for row in whole["items"]] == sorted(n for part in province.schools for n in part)
    assert whole["next"] is None
    seen, after = [], None
    for _ in range(9):
        params = {
            "limit": 4,
            **({"after": after} if after else {}),
            "from": whole["from_at"],
            "until": whole["until_at"],
        }
        page = root.get("/api/v1/uptime", params=params).json()
        seen += page["items"]
        after = page["next"]
        if after is None:
            break
    assert seen == whole["items"]
    single = root.get(f"/api/v1/schools/{seen[0]['school_id']}/uptime", params=params).status_code
    assert single == 422, "limit is not known there"
    mine = looker.get("/api/v1/uptime").json()["items"]
    assert {row["school_id"] for row in mine} == set(province.schools[0])
    assert looker.get("/api/v1/uptime", params={"region": province.counties[1]}).json()["items"] == []
    other = root.get("/api/v1/uptime", params={"region_code": "140212"}).json()["items"]
    assert {row["school_id"] for row in other} == set(province.schools[1])


def test_what_nobody_is_told_of_is_listed_with_why_by_whom_and_until_when(own_web: Web) -> None:
    from sqlmodel import select

    from inventory.models import Incident

    root, province = own_web.client("root"), own_web.province
    now = utcnow()
    span = {"from_at": (now - timedelta(hours=1)).isoformat(), "until_at": (now + timedelta(hours=3)).isoformat()}
    made = root.post("/api/v1/maintenance", json={"region_id": province.counties[0], "reason": "割接", **span}).json()
    silence = {"kind": "school", "node_id": province.schools[1][0], "until_at": span["until_at"], "reason": "known"}
    assert root.post("/api/v1/silences", json=silence).status_code == 201
    with own_web.register.write() as session:
        incident = session.exec(select(Incident).where(Incident.status == "open")).first()
        assert incident is not None
        incident.planned_until, incident.planned_why = (
            now + timedelta(hours=2),
            {"reason": "habit", "habits": ["night"]},
        )
        session.add(incident)
        name, path = incident.root_name, incident.path
    whole = root.get("/api/v1/not-watched")
    assert whole.status_code == 200, whole.text
    body = whole.json()
    assert body["total"] == 10
    assert body["schools"] == sum(body["why"].values()) > 0
    (window,) = [row for row in body["maintenance"] if row["id"] == made["id"]]
    assert (window["region_id"], window["reason"], window["schools"]) == (province.counties[0], "割接", 5)
    assert window["created_by"]
    (silent,) = body["silences"]
    assert (silent["kind"], silent["node_id"], silent["reason"], silent["schools"]) == (
        "school",
        province.schools[1][0],
        "known",
        1,
    )
    assert [(row["name"], row["why"]["habits"]) for row in body["planned_off"]] == [(name, ["night"])]
    mine = own_web.client("looker").get("/api/v1/not-watched").json()
    assert mine["total"] == 5
    assert mine["silences"] == []
    assert len(mine["planned_off"]) == int(path.startswith(province.paths[0]))
