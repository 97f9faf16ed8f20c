"""Nobody sees or touches what is outside the own part of the province, not even as a count; every route asks who asks."""

import re
from contextlib import closing
from typing import Any

import httpx
import pytest
from conftest import Web
from fastapi import FastAPI

from api.app import create_app
from api.resources import RESOURCES
from api.security import changing_user, current_user, metrics_reader, page_user, public
from api.settings import ApiSettings
from api.vantage import vantage_caller

ASKERS = {current_user, page_user, changing_user, metrics_reader, vantage_caller}

PUBLIC = {
    ("GET", "/-/healthy"),
    ("GET", "/-/ready"),
    ("GET", "/-/heartbeat"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/login/link/{secret}"),
    ("POST", "/login/link/{secret}"),
    ("GET", "/openapi.json"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/language/{locale}"),
    ("GET", "/theme/{theme}"),
    ("GET", "/static/{name}"),
    ("GET", "/assets/{name}"),
    ("GET", "/favicon.ico"),
    ("GET", "/wall/{secret}"),  # tests/api/test_pages_walls.py
}
"""All that strangers may ask. A route that is not here stands on one of ASKERS."""

LISTS = ("schools", "sites", "lines", "devices", "ports", "prefixes", "regions", "outages", "incidents")


@pytest.fixture(scope="module")
def app(web: Web) -> FastAPI:
    return create_app(web.register, ApiSettings(), state_dir=web.state_dir, timezone="Asia/Shanghai")


def _routes(app: FastAPI) -> list[Any]:
    """Every route with its whole path, those of included routers too."""
    found: list[Any] = []
    for route in app.router.routes:
        contexts = getattr(route, "effective_route_contexts", None)
        found.extend(contexts() if contexts is not None else [route])
    return found


def _calls(app: FastAPI) -> set[tuple[str, str]]:
    return {(method, route.path) for route in _routes(app) for method in route.methods if method != "HEAD"}


def _asks(dependant: Any) -> bool:
    return dependant.call in ASKERS or any(_asks(inner) for inner in dependant.dependencies)


def _is_public(dependant: Any) -> bool:
    return dependant.call is public or any(_is_public(inner) for inner in dependant.dependencies)


def test_every_route_stands_on_a_dependency_that_asks_who_asks(app: FastAPI) -> None:
    assert {(method.upper(), path) for path, item in app.openapi()["paths"].items() for method in item} <= _calls(app)
    for route in _routes(app):
        named = {(method, route.path) for method in route.methods if method != "HEAD"}
        if named <= PUBLIC:
            continue
        assert _asks(route.dependant), f"{named} asks nobody: add current_user, page_user or metrics_reader"
        assert not _is_public(route.dependant), named


def test_a_stranger_is_let_in_nowhere_but_at_the_door(web: Web, app: FastAPI) -> None:
    """Every route of the application is really asked by a stranger."""
    calls = _calls(app) - PUBLIC
    assert len(calls) > 80
    with httpx.Client(base_url=web.url, headers={"x-forwarded-for": "192.0.2.1"}) as client:
        for method, path in sorted(calls):
            answer = client.request(method, re.sub(r"\{[^}]*\}", "1", path))
            sent_away = answer.status_code == 303 and answer.headers["location"].startswith("/login")
            assert answer.status_code == 401 or sent_away, (method, path, answer.status_code, answer.text[:200])


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("user", ["county", "looker", "bureau"])
def test_a_county_user_sees_only_its_own_and_counts_only_them(web: Web, name: str, user: str) -> None:
    everything = web.client("root").get(f"/api/v1/{name}", params={"limit": 500, "count": True}).json()
    own = web.client(user).get(f"/api/v1/{name}", params={"limit": 500, "count": True}).json()
    assert 0 < own["total"] == len(own["items"]) < everything["total"]
    foreign = {row["id"] for row in everything["items"]} - {row["id"] for row in own["items"]}
    for number in sorted(foreign)[:5]:
        assert web.client(user).get(f"/api/v1/{name}/{number}").status_code == 404


@pytest.mark.parametrize("user", ["county", "looker", "bureau"])
def test_lists_hold_exactly_the_own_rows(web: Web, user: str) -> None:
    province, client = web.province, web.client(user)
    for name, mine in (
        ("schools", province.schools[0]),
        ("sites", province.sites[0]),
        ("devices", province.devices[0]),
        ("lines", province.lines[0]),
    ):
        rows = client.get(f"/api/v1/{name}", params={"limit": 500}).json()["items"]
        assert {row["id"] for row in rows} == set(mine), name


def test_filters_do_not_reach_beyond_the_own_part(web: Web) -> None:
    client, province = web.client("looker"), web.province
    ask = lambda path, **params: client.get(f"/api/v1/{path}", params={"count": True, **params}).json()["total"]  # noqa: E731
    assert ask("schools", region=province.counties[1]) == 0
    assert ask("schools", region_code="140212") == 0
    assert ask("devices", site_id=province.sites[1][1]) == 0
    assert ask("devices", q="10.1.0.") == 0
    assert ask("outages", school_id=province.schools[1][0]) == 0
    assert ask("ports", device_id=province.devices[1][0]) == 0


def test_the_board_the_coverage_and_the_lookup_are_of_the_own_part(web: Web) -> None:
    client, province = web.client("looker"), web.province
    board = client.get("/api/v1/board").json()
    assert [row["root_name"] for row in board["incidents"]] == ["专线 0-1"]
    assert board["incidents"][0]["cut"] == [province.schools[0][0]]
    assert board["incidents_total"] == 1
    assert board["schools"] == {"down": 1, "up": 4, "total": 5}
    assert board["incidents"][0]["contact"]["phone"] == "0351-10000"
    assert client.get("/api/v1/coverage").json()["total"]["registered"] == 5
    assert client.get("/api/v1/coverage", params={"region": province.counties[1]}).status_code == 422
    assert client.get("/api/v1/lookup", params={"address": "10.1.0.1", "zone": "default"}).status_code == 404
    assert client.get("/api/v1/lookup", params={"address": "10.1.0.1"}).json() == {"items": []}
    assert client.get("/api/v1/lookup", params={"address": "10.0.0.2", "zone": "default"}).json()["by"] == "device"
    for path in (
        f"schools/{province.schools[1][0]}/status",
        f"devices/{province.devices[1][0]}/live",
        f"curves?device={province.devices[1][0]}",
        f"curves.csv?device={province.devices[1][0]}",
    ):
        assert client.get(f"/api/v1/{path}").status_code == 404, path


def test_an_incident_counts_for_a_county_only_its_own_schools(own_web: Web) -> None:
    """The root lies in the county, but cuts off the neighbour's school too."""
    from inventory.models import Incident, Outage

    province = own_web.province
    with own_web.register.write() as session:
        incident = session.get_one(Incident, 1)
        incident.cut, incident.schools, incident.pupils = [province.schools[1][4], province.schools[0][0]], 2, 600
        session.add(incident)
        assert session.get(Outage, 1) is not None
    mine = own_web.client("looker").get("/api/v1/incidents/1").json()
    assert (mine["cut"], mine["schools"], mine["pupils"]) == ([province.schools[0][0]], 1, 100)
    whole = own_web.client("reader").get("/api/v1/incidents/1").json()
    assert (whole["schools"], whole["pupils"]) == (2, 600)


def test_a_viewer_changes_nothing(web: Web) -> None:
    client, province = web.client("looker"), web.province
    for resource in RESOURCES:
        if resource.create is not None and resource.writers != "all":
            assert client.post(f"/api/v1/{resource.name}", json={"name": "x"}).status_code in (403, 422), resource.name
    for name, ids in (("schools", province.schools), ("devices", province.devices), ("lines", province.lines)):
        where = f"/api/v1/{name}/{ids[0][0]}"
        assert client.patch(where, json={"note": "x"}, headers={"if-match": "*"}).status_code == 403
        assert client.delete(where, headers={"if-match": "*"}).status_code == 403
    made = client.post("/api/v1/schools", json={"name": "x", "place_id": province.counties[0]})
    assert made.status_code == 403


def test_a_county_administrator_stays_within_the_county(own_web: Web) -> None:
    client, province = own_web.client("county"), own_web.province
    mine, other = province.counties
    before = own_web.client("root").get("/api/v1/audit", params={"limit": 500}).json()["items"]
    foreign = client.post("/api/v1/schools", json={"name": "x", "place_id": other})
    assert foreign.status_code == 422
    assert foreign.json()["errors"][0]["field"] == "place_id"
    moved = client.patch(
        f"/api/v1/schools/{province.schools[0][0]}", json={"place_id": other}, headers={"if-match": "*"}
    )
    assert moved.status_code == 422
    for path, body in (
        (f"schools/{province.schools[1][0]}", {"note": "x"}),
        (f"devices/{province.devices[1][0]}", {"note": "x"}),
        (f"lines/{province.lines[1][0]}", {"note": "x"}),
        (f"sites/{province.sites[1][0]}", {"note": "x"}),
    ):
        assert client.patch(f"/api/v1/{path}", json=body, headers={"if-match": "*"}).status_code == 404, path
    site = client.post("/api/v1/devices", json={"name": "x", "site_id": province.sites[1][1]})
    assert site.json()["errors"][0]["field"] == "site_id"
    line = client.post("/api/v1/lines", json={"name": "x", "sites": [province.sites[1][1]]})
    assert line.status_code == 422
    user = client.post("/api/v1/users", json={"name": "all-seeing", "role": "administrator"})
    assert user.status_code == 403, user.text
    zone = client.post("/api/v1/zones", json={"name": "x"})
    assert zone.status_code == 403
    wide = client.post("/api/v1/credentials", json={"name": "x", "zone_id": 1, "secret": {"community": "c"}})
    assert wide.status_code == 403
    raised = client.patch("/api/v1/users/3", json={"region_id": None}, headers={"if-match": "*"})
    assert raised.status_code == 403
    assert own_web.client("root").get("/api/v1/audit", params={"limit": 500}).json()["items"] == before
    own = client.post("/api/v1/schools", json={"name": "自己的", "place_id": mine})
    assert own.status_code == 201, own.text
    assert client.post("/api/v1/users", json={"name": "colleague", "region_id": mine}).status_code == 201


def test_what_tells_of_the_whole_installation_is_for_those_who_see_all_of_it(web: Web) -> None:
    assert web.client("county").get("/api/v1/audit", params={"count": True}).json()["total"] == 0
    assert web.client("looker").get("/api/v1/audit").status_code == 403
    assert web.client("looker").get("/api/v1/users").status_code == 403
    assert web.client("looker").get("/api/v1/credentials").status_code == 403
    assert {row["name"] for row in web.client("county").get("/api/v1/users").json()["items"]} == {"county", "looker"}


def test_tokens_are_ones_own(web: Web) -> None:
    names = {row["name"] for row in web.client("looker").get("/api/v1/tokens").json()["items"]}
    assert names == {"looker"}
    with closing(web.sign_in("looker")) as client:
        made = client.post("/api/v1/tokens", json={"name": "mine", "scope": "read"})
        assert made.status_code == 201, made.text
        secret = made.json()["token"]
        assert secret not in client.get(made.headers["location"]).text
        assert client.delete(made.headers["location"], headers={"if-match": made.headers["etag"]}).status_code in (
            204,
            412,
        )
    with httpx.Client(base_url=web.url, headers={"authorization": f"Bearer {web.province.tokens['looker']}"}) as client:
        assert client.post("/api/v1/tokens", json={"name": "child"}).status_code == 403


def test_an_incident_that_mended_before_it_was_said_is_none_of_the_past(own_web: Web) -> None:
    from inventory.models import Incident, utcnow

    with own_web.register.write() as session:
        for key, opened in (("never said", None), ("said", utcnow())):
            session.add(Incident(key=key, status="resolved", from_at=utcnow(), opened_at=opened, resolved_at=utcnow()))
    past = own_web.client("root").get("/api/v1/incidents", params={"open": False}).json()["items"]
    assert [row["key"] for row in past] == ["said"]
