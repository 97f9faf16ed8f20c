"""Outlets, rules, the roster, silences, and what people do to an incident, by call."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from conftest import Web, web_on
from sqlalchemy import select

from inventory.models import AuditEntry, Incident, IncidentNote, Outlet, table, utcnow
from inventory.outlets import open_config


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """An application that this module may change at will."""
    directory = tmp_path_factory.mktemp("told")
    with web_on(f"sqlite:///{directory / 'edunet.db'}", directory) as web:
        yield web


KEY = "693a91f6-7xxx-4bc4"
WECOM = {"name": "值班群", "kind": "wecom", "config": {"url": f"https://robot.example/cgi-bin/webhook/send?key={KEY}"}}


def test_an_outlets_configuration_goes_in_sealed_and_never_comes_out(told: Web) -> None:
    client = told.client("root")
    made = client.post("/api/v1/outlets", json=WECOM)
    assert made.status_code == 201, made.text
    assert made.json()["target"] == "robot.example"
    listed = client.get("/api/v1/outlets")
    audit = client.get("/api/v1/audit", params={"limit": 500})
    assert KEY not in made.text + listed.text + audit.text
    with told.register.session() as session:
        row = session.get(Outlet, made.json()["id"])
        assert row is not None
        assert KEY.encode() not in row.secret
        assert told.register.sealer is not None
        assert open_config(row.secret, told.register.sealer) == {**WECOM["config"], "proxy": ""}


@pytest.mark.parametrize(
    ("kind", "config", "field"),
    [
        ("wecom", {}, "config.url"),
        ("wecom", {"url": "ftp://x/y"}, "config.url"),
        ("wecom", {"url": "https://x/y", "secret": "s"}, "config.secret"),
        ("mail", {"host": "mx", "sender": "a@b.cn", "port": 0}, "config.port"),
        ("sms", {"url": "https://gateway.example/", "most_characters": 3}, "config.most_characters"),
    ],
)
def test_a_wrong_configuration_is_named_and_not_repeated(told: Web, kind: str, config: Any, field: str) -> None:
    answer = told.client("root").post("/api/v1/outlets", json={"name": "wrong", "kind": kind, "config": config})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert "ftp://x" not in answer.text


def test_ways_that_take_over_for_each_other_come_to_an_end(told: Web) -> None:
    client = told.client("root")
    one = client.post("/api/v1/outlets", json={**WECOM, "name": "one"}).json()
    two = client.post("/api/v1/outlets", json={**WECOM, "name": "two", "fallback_id": one["id"]}).json()
    ring = client.patch(f"/api/v1/outlets/{one['id']}", json={"fallback_id": two["id"]}, headers={"if-match": "*"})
    assert [error["field"] for error in ring.json()["errors"]] == ["fallback_id"]
    used = client.delete(f"/api/v1/outlets/{one['id']}", headers={"if-match": "*"})
    assert used.status_code == 409


def test_a_countys_administrator_reads_the_provinces_rules_and_changes_only_its_own(told: Web) -> None:
    root, county = told.client("root"), told.client("county")
    rules = county.get("/api/v1/notice-rules").json()["items"]
    assert len(rules) >= 5
    assert rules == root.get("/api/v1/notice-rules").json()["items"]
    every = {"if-match": "*"}
    assert county.patch(f"/api/v1/notice-rules/{rules[0]['id']}", json={"delay_s": 1}, headers=every).status_code == 403
    home = told.province.counties[0]
    taken = county.patch(f"/api/v1/notice-rules/{rules[0]['id']}", json={"region_id": home}, headers=every)
    assert taken.status_code == 403
    assert county.delete(f"/api/v1/notice-rules/{rules[0]['id']}", headers=every).status_code == 403
    made = county.post("/api/v1/notice-rules", json={"name": "本县", "region_id": home, "delay_s": 60})
    assert made.status_code == 201
    assert county.post("/api/v1/notice-rules", json={"name": "全省", "delay_s": 60}).status_code == 403
    step = county.post("/api/v1/escalation-steps", json={"level": "city", "after_minutes": 5, "region_id": home})
    assert step.status_code == 201


def test_the_roster_is_of_the_own_part(told: Web) -> None:
    county, bounds = told.client("county"), {"from_at": "2026-12-01T08:00:00Z", "until_at": "2026-12-01T20:00:00Z"}
    home, foreign = told.province.counties
    person = county.post("/api/v1/contacts", json={"name": "甲", "phone": "0351-1234", "region_id": home})
    assert person.status_code == 201
    assert county.post("/api/v1/contacts", json={"name": "乙", "region_id": foreign}).status_code == 422
    assert county.post("/api/v1/contacts", json={"name": "丙"}).status_code == 403
    turn = {"contact_id": person.json()["id"], "region_id": home, **bounds, "weekly": True}
    assert county.post("/api/v1/duties", json=turn).status_code == 201
    late = county.post("/api/v1/duties", json={**turn, "until_at": "2026-12-01T07:00:00Z"})
    assert [error["field"] for error in late.json()["errors"]] == ["until_at"]
    assert told.client("looker").get("/api/v1/contacts").status_code == 403


def test_a_silence_has_an_end_and_one_thing_to_silence(told: Web) -> None:
    client, until = told.client("root"), (utcnow() + timedelta(hours=1)).isoformat()
    home = told.province.counties[0]
    made = client.post("/api/v1/silences", json={"region_id": home, "until_at": until, "reason": "已知"})
    assert made.status_code == 201, made.text
    assert made.json()["created_by"] == "root"
    assert made.json() in client.get("/api/v1/silences", params={"current": True}).json()["items"]
    assert client.post("/api/v1/silences", json={"region_id": home, "reason": "x"}).status_code == 422
    both = {"region_id": home, "kind": "device", "node_id": 1, "until_at": until, "reason": "x"}
    assert client.post("/api/v1/silences", json=both).status_code == 422
    begun = client.delete(f"/api/v1/silences/{made.json()['id']}", headers={"if-match": "*"})
    assert begun.status_code == 409


def _open_incident(told: Web) -> int:
    with told.register.session() as session:
        row = table(Incident)
        found = session.connection().execute(select(row.c.id).where(row.c.status == "open")).scalars().first()
    assert found is not None
    return int(found)


def test_what_people_do_to_an_incident_is_kept_in_its_timeline(told: Web) -> None:
    client, number = told.client("root"), _open_incident(told)
    path, until = f"/api/v1/incidents/{number}", (utcnow() + timedelta(hours=2)).isoformat()
    taken = client.post(f"{path}/acknowledge", json={"until": until, "text": "抢修中"})
    assert taken.status_code == 200, taken.text
    assert taken.json()["acknowledged_at"]
    assert taken.json()["promised_at"]
    assert client.post(f"{path}/acknowledge", json={"until": "2020-01-01T00:00:00Z"}).status_code == 422
    assert client.patch(path, json={"owner": "张工", "ticket": "CT-1"}).json()["owner"] == "张工"
    assert client.patch(path, json={"owner": "李工"}).json()["ticket"] == "CT-1"
    assert client.post(f"{path}/comments", json={"text": "已派人"}).status_code == 201
    assert client.delete(f"{path}/acknowledge").json()["acknowledged_at"] is None
    notes = client.get("/api/v1/incident-notes", params={"incident_id": number, "sort": "at"}).json()["items"]
    assert [(note["kind"], note["text"], note["by"]) for note in notes] == [
        ("acknowledged", "抢修中", "root"),
        ("owner", "张工", "root"),
        ("ticket", "CT-1", "root"),
        ("owner", "李工", "root"),
        ("comment", "已派人", "root"),
        ("unacknowledged", "", "root"),
    ]
    with told.register.session() as session:
        audited = session.connection().execute(
            select(table(AuditEntry).c.id).where(table(AuditEntry).c.resource == "incidents")
        )
        assert len(audited.all()) == 4


def test_what_is_over_is_not_acknowledged_and_strangers_to_it_see_nothing(told: Web) -> None:
    number = _open_incident(told)
    with told.register.write() as session:
        incident = session.get(Incident, number)
        assert incident is not None
        incident.status, incident.path, incident.duty_path = "resolved", "/1/", "/2/"
        session.add(incident)
    path = f"/api/v1/incidents/{number}"
    assert told.client("root").post(f"{path}/acknowledge", json={}).status_code == 409
    assert told.client("county").post(f"{path}/comments", json={"text": "x"}).status_code == 404
    assert told.client("county").get(f"{path}/carrier").status_code == 404
    with told.register.session() as session:
        notes = select(table(IncidentNote).c.text).where(table(IncidentNote).c.text == "x")
        assert session.connection().execute(notes).all() == []


@pytest.mark.parametrize(
    ("language", "words"), [("zh", ["故障申报", "电路", "中断开始"]), ("en", ["Circuit", "Down since"])]
)
def test_the_text_for_the_carrier_names_circuit_place_and_time(told: Web, language: str, words: list[str]) -> None:
    number = _open_incident(told)
    answer = told.client("root").get(f"/api/v1/incidents/{number}/carrier", params={"language": language})
    assert answer.status_code == 200
    text = answer.json()["text"]
    assert all(word in text for word in [*words, f"#{number}"]), text


def test_without_a_collector_a_test_message_says_so(told: Web) -> None:
    client = told.client("root")
    made = client.post("/api/v1/outlets", json={**WECOM, "name": "untested"}).json()
    assert client.post(f"/api/v1/outlets/{made['id']}/test").status_code == 503
    assert client.post("/api/v1/outlets/99999/test").status_code == 404
