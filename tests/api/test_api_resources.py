"""Every resource: lists, filters, paging, versions, clashes; on both databases."""

import pytest
from conftest import Web

from inventory.models import AuditEntry, table


def _new_school(web: Web, **more: object) -> dict:
    body = {"name": "新小学", "place_id": web.province.counties[0], **more}
    answer = web.client("root").post("/api/v1/schools", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_school_is_created_read_changed_and_deleted(any_web: Web) -> None:
    client = any_web.client("root")
    before = any_web.register.version()
    made = client.post(
        "/api/v1/schools", json={"name": "迎泽小学", "code": "2114999901", "place_id": any_web.province.counties[0]}
    )
    assert made.status_code == 201, made.text
    where, tag = made.headers["location"], made.headers["etag"]
    assert made.json()["state"] == "not_watched"
    assert made.json()["duty_id"] == any_web.province.bureaus[0]
    assert client.get(where).headers["etag"] == tag
    assert client.patch(where, json={"pupils": 7}).status_code == 428
    changed = client.patch(where, json={"pupils": 7}, headers={"if-match": tag})
    assert changed.status_code == 200, changed.text
    assert changed.json()["pupils"] == 7
    stale = client.patch(where, json={"pupils": 8}, headers={"if-match": tag})
    assert stale.status_code == 412
    assert stale.headers["etag"] == changed.headers["etag"]
    assert client.delete(where, headers={"if-match": tag}).status_code == 412
    assert client.delete(where, headers={"if-match": changed.headers["etag"]}).status_code == 204
    assert client.get(where).status_code == 404
    assert any_web.register.version() == before + 3


def test_each_change_is_audited_with_what_it_was_before(any_web: Web) -> None:
    school = _new_school(any_web, name="审计小学", note="old")
    client = any_web.client("root")
    client.patch(f"/api/v1/schools/{school['id']}", json={"note": "new"}, headers={"if-match": '"1"'})
    rows = client.get("/api/v1/audit", params={"resource": "schools", "resource_id": school["id"]}).json()["items"]
    assert [row["action"] for row in rows] == ["update", "create"]
    assert rows[0]["actor"] == "root"
    assert (rows[0]["before"]["note"], rows[0]["after"]["note"]) == ("old", "new")


def test_a_code_that_is_taken_or_was_ever_given_is_a_clash_that_names_the_field(any_web: Web) -> None:
    school = _new_school(any_web, name="甲", code="2114999911")
    client = any_web.client("root")
    again = client.post(
        "/api/v1/schools", json={"name": "乙", "code": "2114999911", "place_id": any_web.province.counties[0]}
    )
    assert again.status_code == 409
    assert again.json()["errors"][0]["field"] == "code"
    where = f"/api/v1/schools/{school['id']}"
    assert client.patch(where, json={"code": "2114999912"}, headers={"if-match": "*"}).status_code == 200
    reused = client.post(
        "/api/v1/schools", json={"name": "丙", "code": "2114999911", "place_id": any_web.province.counties[0]}
    )
    assert reused.status_code == 409


def test_paging_gives_each_row_once_in_any_order(any_web: Web) -> None:
    client = any_web.client("root")
    for sort in ("name", "-name", "code", "-pupils", "id", "-updated_at"):
        seen: list[int] = []
        cursor = None
        while True:
            params = {"limit": 3, "sort": sort, **({"cursor": cursor} if cursor else {})}
            page = client.get("/api/v1/schools", params=params).json()
            seen += [row["id"] for row in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        total = client.get("/api/v1/schools", params={"limit": 1, "count": True}).json()["total"]
        assert len(seen) == len(set(seen)) == total, sort


def test_the_total_comes_only_when_asked_for(any_web: Web) -> None:
    assert "total" not in any_web.client("root").get("/api/v1/devices").json()


@pytest.mark.parametrize("cursor", ["x", "e30=", "WyJuYW1lIiwxLCJ4Il0=", "WyJjb2RlIiwiIiwxXQ=="])
def test_a_cursor_of_another_list_is_refused(any_web: Web, cursor: str) -> None:
    answer = any_web.client("root").get("/api/v1/schools", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"


def test_schools_are_found_by_pinyin_code_state_and_region(any_web: Web) -> None:
    client = any_web.client("root")
    _new_school(any_web, name="晋祠小学")
    by = lambda **params: [row["name"] for row in client.get("/api/v1/schools", params=params).json()["items"]]  # noqa: E731
    assert by(q="jinci") == by(q="JCXX") == by(q="晋祠") == ["晋祠小学"]
    assert by(q="100%") == []
    assert [len(by(state="down")), len(by(state=["down", "up"]))] == [2, 10]
    assert len(by(state="down", region=any_web.province.counties[0])) == 1
    assert len(by(state="down", region=any_web.province.bureaus[0])) == 1
    assert len(by(state="down", region_code="140105")) == 1


def test_a_device_carries_its_addresses_and_upstreams(any_web: Web) -> None:
    client, province = any_web.client("root"), any_web.province
    body = {
        "name": "三楼交换机",
        "kind": "switch",
        "site_id": province.sites[0][1],
        "chassis_mac": "AA:BB:CC:00:11:22",
        "addresses": [{"ip": "10.9.0.1"}, {"zone": "carrier", "ip": "2001:DB8::0001", "primary": True}],
        "upstreams": [province.devices[0][1]],
    }
    made = client.post("/api/v1/devices", json=body)
    assert made.status_code == 201, made.text
    shown = made.json()
    assert shown["chassis_mac"] == "aabbcc001122"
    assert shown["upstreams"] == [province.devices[0][1]]
    assert shown["addresses"] == [
        {"zone": "carrier", "ip": "2001:db8::1", "primary": True},
        {"zone": "default", "ip": "10.9.0.1", "primary": False},
    ]
    assert shown["state"] == "not_seen"
    assert [row["id"] for row in client.get("/api/v1/devices", params={"q": "10.9.0."}).json()["items"]] == [
        shown["id"]
    ]
    assert [row["id"] for row in client.get("/api/v1/devices", params={"q": "sanlou"}).json()["items"]] == [shown["id"]]
    taken = client.post("/api/v1/devices", json={**body, "chassis_mac": None})
    assert taken.status_code == 409
    assert taken.json()["errors"][0]["field"] == "addresses.0.ip"
    where = f"/api/v1/devices/{shown['id']}"
    kept = client.patch(where, json={"room": "301"}, headers={"if-match": made.headers["etag"]}).json()
    assert kept["addresses"] == shown["addresses"]
    loop = client.patch(
        f"/api/v1/devices/{province.devices[0][1]}", json={"upstreams": [shown["id"]]}, headers={"if-match": "*"}
    )
    assert loop.status_code == 422
    assert loop.json()["errors"][0]["field"] == "upstreams.0"
    gone = client.delete(where, headers={"if-match": "*"})
    assert gone.status_code == 204
    assert client.get("/api/v1/devices", params={"ip": "10.9.0.1"}).json()["items"] == []


def test_a_line_serves_sites_and_keeps_them_when_others_change(any_web: Web) -> None:
    client, province = any_web.client("root"), any_web.province
    sites = province.sites[0][1:3]
    made = client.post("/api/v1/lines", json={"name": "共用", "sites": sites}).json()
    assert made["sites"] == sites
    where = f"/api/v1/lines/{made['id']}"
    assert client.patch(where, json={"note": "x"}, headers={"if-match": "*"}).json()["sites"] == sites
    assert client.patch(where, json={"sites": sites[:1]}, headers={"if-match": "*"}).json()["sites"] == sites[:1]
    assert client.patch(where, json={"sites": []}, headers={"if-match": "*"}).status_code == 422
    assert client.patch(where, json={"sites": [999999]}, headers={"if-match": "*"}).status_code == 422


def test_what_others_name_is_not_deleted(any_web: Web) -> None:
    client, province = any_web.client("root"), any_web.province
    answer = client.delete(f"/api/v1/sites/{province.sites[0][1]}", headers={"if-match": "*"})
    assert answer.status_code == 409
    assert "device" in answer.json()["title"]


def test_prefixes_are_canonical_and_found_by_an_address_in_them(any_web: Web) -> None:
    client, province = any_web.client("root"), any_web.province
    body = {"zone_id": province.zone, "cidr": "2001:DB8:1::/48", "school_id": province.schools[0][0]}
    made = client.post("/api/v1/prefixes", json=body)
    assert made.json()["cidr"] == "2001:db8:1::/48"
    assert client.post("/api/v1/prefixes", json=body).status_code == 409
    wrong = client.post("/api/v1/prefixes", json={**body, "cidr": "10.1.1.1/24"})
    assert wrong.json()["errors"][0]["field"] == "cidr"
    found = client.get("/api/v1/prefixes", params={"contains": "2001:db8:1::5"}).json()["items"]
    assert [row["cidr"] for row in found] == ["2001:db8:1::/48"]
    assert len(client.get("/api/v1/prefixes", params={"contains": "10.0.1.7"}).json()["items"]) == 1


def test_one_zone_is_the_default(any_web: Web) -> None:
    client = any_web.client("root")
    other = client.get("/api/v1/zones", params={"name": "carrier"}).json()["items"][0]
    client.patch(f"/api/v1/zones/{other['id']}", json={"default": True}, headers={"if-match": "*"})
    assert len(client.get("/api/v1/zones", params={"default": True}).json()["items"]) == 1
    client.patch(f"/api/v1/zones/{any_web.province.zone}", json={"default": True}, headers={"if-match": "*"})
    assert client.get("/api/v1/zones", params={"default": True}).json()["items"][0]["name"] == "default"


def test_a_credential_takes_its_secret_and_never_shows_it(any_web: Web) -> None:
    client = any_web.client("root")
    secret = {"user": "edu", "auth_key": "hidden-hidden", "priv_key": "hidden-hidden"}
    body = {"name": "v3", "version": "3", "zone_id": any_web.province.zone, "secret": secret}
    body |= {"auth_protocol": "sha256", "priv_protocol": "aes128"}
    made = client.post("/api/v1/credentials", json=body)
    assert made.status_code == 201, made.text
    listed = client.get("/api/v1/credentials").text
    audited = client.get("/api/v1/audit", params={"resource": "credentials"}).text
    assert "hidden" not in made.text + listed + audited
    with any_web.register.session() as session:
        assert "hidden" not in str(session.connection().execute(table(AuditEntry).select()).all())
    short = client.post("/api/v1/credentials", json={**body, "name": "short", "secret": {**secret, "auth_key": "x"}})
    assert short.json()["errors"][0]["field"] == "secret"
    rotated = client.patch(
        made.headers["location"], json={"secret": secret, "context": "x"}, headers={"if-match": made.headers["etag"]}
    )
    assert rotated.status_code == 200, rotated.text


def test_a_region_hangs_where_it_was_put(any_web: Web) -> None:
    client, province = any_web.client("root"), any_web.province
    body = {"level": "township", "name": "新镇", "parent_id": province.counties[0]}
    made = client.post("/api/v1/regions", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["path"] == f"{province.paths[0]}{made.json()['id']}/"
    moved = client.patch(made.headers["location"], json={"parent_id": 1}, headers={"if-match": "*"})
    assert moved.json()["errors"][0]["field"] == "parent_id"
    under = client.get("/api/v1/regions", params={"under": province.counties[0]}).json()["items"]
    assert {row["id"] for row in under} == {province.counties[0], made.json()["id"]}


def test_a_window_has_an_end_and_one_thing_that_it_is_for(any_web: Web) -> None:
    client, province = any_web.client("root"), any_web.province
    span = {"from_at": "2026-12-01T22:00:00+08:00", "until_at": "2026-12-02T02:00:00+08:00"}
    made = client.post("/api/v1/maintenance", json={"kind": "line", "node_id": province.lines[0][0], **span})
    assert made.status_code == 201, made.text
    assert made.json()["created_by"] == "root"
    assert made.json()["from_at"] == "2026-12-01T14:00:00Z"
    begun = client.post("/api/v1/maintenance", json={"region_id": 1, **span, "from_at": "2026-01-01T00:00:00Z"})
    assert client.delete(begun.headers["location"], headers={"if-match": "*"}).status_code == 409
    assert client.delete(made.headers["location"], headers={"if-match": f"W/{made.headers['etag']}"}).status_code == 204
    post = lambda body: client.post("/api/v1/maintenance", json=body).json()["errors"][0]["field"]  # noqa: E731
    assert post({"region_id": 1, "from_at": span["from_at"], "until_at": span["from_at"]}) == "until_at"
    assert post({"region_id": 1, "kind": "line", "node_id": 1, **span}) == "region_id"
    assert post({"kind": "line", "node_id": 999999, **span}) == "node_id"
    assert post({"region_id": 1, "from_at": "2026-12-01T22:00:00", "until_at": span["until_at"]}) == "from_at"


def test_outages_and_incidents_are_filtered_by_time_kind_and_school(any_web: Web) -> None:
    client, province = any_web.client("root"), any_web.province
    for name in ("outages", "incidents"):
        count = lambda _name=name, **params: len(client.get(f"/api/v1/{_name}", params=params).json()["items"])  # noqa: E731
        assert count(open=True) == 2
        assert count(open=False) == 0
        assert count(school_id=province.schools[0][0]) == 1
        assert count(until="2020-01-01T00:00:00Z") == 0
        assert count(**{"from": "2020-01-01T00:00:00Z"}) == 2
    assert len(client.get("/api/v1/outages", params={"level": "primary"}).json()["items"]) == 2
    assert len(client.get("/api/v1/outages", params={"region": province.counties[1]}).json()["items"]) == 1
    assert len(client.get("/api/v1/incidents", params={"region_id": province.counties[1]}).json()["items"]) == 1


def test_the_last_administrator_stays(any_web: Web) -> None:
    client = any_web.client("root")
    me = client.get("/api/v1/users", params={"name": "root"}).json()["items"][0]
    where = f"/api/v1/users/{me['id']}"
    assert client.patch(where, json={"role": "viewer"}, headers={"if-match": "*"}).status_code == 409
    assert client.patch(where, json={"disabled": True}, headers={"if-match": "*"}).status_code == 409
    assert client.delete(where, headers={"if-match": "*"}).status_code == 409
    assert client.get("/api/v1/me").status_code == 200


def test_names_of_users_differ_by_more_than_case(any_web: Web) -> None:
    answer = any_web.client("root").post("/api/v1/users", json={"name": "ROOT"})
    assert answer.status_code == 409


def test_what_stands_beside_the_resources_is_the_same_on_both_databases(any_web: Web) -> None:
    client, province = any_web.client("looker"), any_web.province
    device, school = province.devices[0][1], province.schools[0][0]
    for path in (
        "board",
        "coverage?by=level",
        "lookup?address=10.0.0.2",
        "lookup?address=10.0.1.9&zone=default",
        "prometheus/targets",
        f"curves?device={device}",
        f"schools/{school}/status",
    ):
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 200, (path, answer.text)
    with client.stream("GET", "/api/v1/events") as answer:
        assert next(answer.iter_lines()) == "retry: 3000"
    assert client.get("/-/ready").status_code == 200
