"""Verdicts are corrected afterwards, in bulk, with a reason, within the own part; the first verdict stays."""

from typing import Any

import pytest
from conftest import Web
from sqlmodel import select

from inventory.models import AuditEntry, DeviceUpstream, Incident, Link, NodeKind, Outage, utcnow


def _correct(web: Web, who: str, **body: Any) -> Any:
    return web.client(who).post("/api/v1/outages/correct", json=body)


def _outages(web: Web) -> list[dict[str, Any]]:
    rows = web.client("root").get("/api/v1/outages", params={"sort": "from_at"}).json()["items"]
    return sorted(rows, key=lambda row: row["id"])


def test_an_incident_is_corrected_with_its_outages_and_the_first_verdict_stays(own_web: Web) -> None:
    with own_web.register.write() as session:
        outage = session.get_one(Outage, 1)
        outage.cause, outage.accountable = "power", "power"
        session.add(outage)
    answer = _correct(
        own_web, "root", incidents=[1], cause="line", accountable="carrier", reason="carrier found the cut"
    )
    assert answer.json() == {"outages": 1, "incidents": 1}
    first, other = _outages(own_web)
    assert (first["cause"], first["accountable"], first["corrected_by"]) == ("line", "carrier", "root")
    assert (first["first_cause"], first["first_accountable"]) == ("power", "power")
    assert first["corrected_why"] == "carrier found the cut"
    assert (other["cause"], other["first_cause"], other["corrected_at"]) == ("undetermined", None, None)
    incident = own_web.client("root").get("/api/v1/incidents/1").json()
    assert (incident["cause"], incident["first_cause"]) == ("line", "undetermined")
    # Another correction leaves the very first verdict.
    assert _correct(own_web, "root", ids=[1], maintenance=True, accountable="planned", reason="x").status_code == 200
    again = _outages(own_web)[0]
    assert (again["first_cause"], again["first_accountable"], again["maintenance"]) == ("power", "power", True)
    assert again["cause"] == "line"


def test_a_correction_is_in_the_audit(own_web: Web) -> None:
    assert _correct(own_web, "root", ids=[1, 2], cause="power", reason="blackout").json()["outages"] == 2
    with own_web.register.session() as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "correct")).one()
    assert entry.actor == "root"
    assert entry.after == {"cause": "power", "reason": "blackout"}
    assert entry.before is not None
    assert entry.before["outages"] == [1, 2]
    assert entry.before["verdicts"][0]["count"] == 2


def test_a_filter_chooses_and_the_scope_narrows_it(own_web: Web) -> None:
    now = utcnow()
    with own_web.register.write() as session:
        for index in range(2):
            session.add(
                Outage(
                    kind=NodeKind.device,
                    node_id=own_web.province.devices[index][1],
                    place_id=own_web.province.counties[index],
                    from_at=now,
                )
            )
    assert _correct(own_web, "county", where={"kind": "device"}, cause="device", reason="x").json()["outages"] == 1
    assert _correct(own_web, "root", where={"kind": "device"}, cause="device", reason="x").json()["outages"] == 2
    region = {"region": own_web.province.counties[1], "kind": "device"}
    assert _correct(own_web, "root", where=region, cause="device", reason="x").json()["outages"] == 1


@pytest.mark.parametrize(
    ("who", "body", "status", "field"),
    [
        ("county", {"ids": [1, 2], "cause": "line", "reason": "x"}, 422, "ids.1"),
        ("county", {"incidents": [2], "cause": "line", "reason": "x"}, 422, "incidents.0"),
        ("looker", {"ids": [1], "cause": "line", "reason": "x"}, 403, None),
        ("root", {"ids": [1], "cause": "line"}, 422, "reason"),
        ("root", {"ids": [1], "cause": "line", "reason": "  "}, 422, "reason"),
        ("root", {"ids": [1], "reason": "x"}, 422, "cause"),
        ("root", {"ids": [1], "where": {"kind": "device"}, "cause": "line", "reason": "x"}, 422, "ids"),
        ("root", {"where": {}, "cause": "line", "reason": "x"}, 422, "where"),
        ("root", {"ids": [1], "cause": "gremlins", "reason": "x"}, 422, "cause"),
    ],
)
def test_what_is_not_allowed_changes_nothing(
    web: Web, who: str, body: dict[str, Any], status: int, field: str | None
) -> None:
    answer = _correct(web, who, **body)
    assert answer.status_code == status, answer.text
    if field is not None:
        assert answer.json()["errors"][0]["field"] == field
    with web.register.session() as session:
        assert [row.corrected_at for row in session.exec(select(Outage))] == [None, None]
        assert [row.cause for row in session.exec(select(Incident))] == ["undetermined"] * 2


def test_rules_against_carriers_wait_for_an_administrator_of_the_province(own_web: Web) -> None:
    rules = {row["name"]: row for row in own_web.client("looker").get("/api/v1/cause_rules").json()["items"]}
    assert {row["approved"] for row in rules.values() if row["accountable"] == "carrier"} == {False}
    where = f"/api/v1/cause_rules/{rules['line_other_way']['id']}"
    approve = lambda who: own_web.client(who).patch(where, json={"approved": True}, headers={"if-match": "*"})  # noqa: E731
    assert approve("county").status_code == 403
    assert approve("root").json()["approved_by"] == "root"
    assert own_web.client("root").get(where).json()["approved_at"] is not None
    taken_back = own_web.client("root").patch(where, json={"approved": False}, headers={"if-match": "*"}).json()
    assert (taken_back["approved"], taken_back["approved_by"], taken_back["approved_at"]) == (False, "", None)


def test_a_lines_addresses_are_addresses(own_web: Web) -> None:
    client, line = own_web.client("root"), own_web.province.lines[0][0]
    change = lambda text: client.patch(f"/api/v1/lines/{line}", json={"far_address": text}, headers={"if-match": "*"})  # noqa: E731
    assert change("10.9.0.1").json()["far_address"] == "10.9.0.1"
    assert change("the far end").json()["errors"][0]["field"] == "far_address"
    assert change("").json()["far_address"] is None


def test_contradictions_of_learned_and_declared_links_are_listed_for_the_own_part(own_web: Web) -> None:
    hub, gateway, switch = own_web.province.devices[0][:3]
    with own_web.register.write() as session:
        session.add(DeviceUpstream(device_id=switch, upstream_id=hub))
        session.add(
            Link(
                from_device_id=gateway,
                from_port="GE1",
                to_device_id=switch,
                to_port="GE24",
                source="lldp",
                confidence=0.95,
                seen_at=utcnow(),
            )
        )
    path = "/api/v1/topology/findings"
    for who in ("root", "looker"):
        found = own_web.client(who).get(path).json()["items"]
        assert [(one["kind"], one["device_id"], one["declared"][0]["device_id"]) for one in found] == [
            ("contradiction", switch, hub)
        ]
        assert found[0]["learned"][0]["device_id"] == gateway
        assert (found[0]["learned"][0]["port"], found[0]["learned"][0]["remote_port"]) == ("GE24", "GE1")
    assert own_web.client("root").get(path, params={"kind": "proposal"}).json() == {"items": []}


def test_an_incidents_trace_is_for_users_of_the_whole_province_and_says_when_it_cannot_be_had(web: Web) -> None:
    assert web.client("looker").get("/api/v1/incidents/1/trace").status_code == 403
    assert web.client("root").get("/api/v1/incidents/999/trace").status_code == 404
    assert web.client("root").get("/api/v1/incidents/1/trace").status_code == 503  # no collector runs here
