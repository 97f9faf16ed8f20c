"""Real agents: imported from CSV, polled (v2c, v3, IPv6), scraped by a real Prometheus, shown, killed, and told to a real Alertmanager."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from field import RECORDED, SHARED, SNMPD, Field, open_field, until
from servers import alerts

from probes.icmp import open_pinger


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    with ExitStack() as stack:
        yield open_field(tmp_path_factory.mktemp("field"), stack)


def can_ping() -> bool:
    """Whether there is a better way here than TCP, as the collector chooses it."""
    pinger = open_pinger()
    pinger.close()
    return pinger.method != "tcp"


def expected(name: str) -> dict[str, Any]:
    return dict(json.loads((SHARED / "devices" / f"{name}.expected.json").read_text()))


def ports_of(field: Field, name: str) -> dict[int, dict[str, Any]]:
    found = field.get("/api/v1/ports", device_id=field.ids[name], limit=200)
    return {row["if_index"]: row for row in found["items"]}


@pytest.mark.server
def test_every_agent_is_up_and_told_what_it_is(field: Field) -> None:
    assert len(field.ids) == len(RECORDED) + len(SNMPD)
    for name in field.ids:
        until(lambda name=name: field.state_of(name) == "up", f"{name} is up")
        until(
            lambda name=name: field.get(f"/api/v1/devices/{field.ids[name]}")["sys_object_id"], f"{name} told its kind"
        )
    for name in RECORDED:
        device = field.get(f"/api/v1/devices/{field.ids[name]}")
        assert device["sys_object_id"] == expected(name)["device"]["sysObjectID"], name
    for name in SNMPD:
        device = field.get(f"/api/v1/devices/{field.ids[name]}")
        assert (device["sys_name"], device["sys_descr"].split()[0]) == (name, "Linux")
    assert field.get("/api/v1/board")["schools"]["up"] == 2


@pytest.mark.server
def test_every_recorded_port_is_in_the_register_and_on_the_page(field: Field) -> None:
    for name in RECORDED:
        wanted = {port["ifIndex"]: port for port in expected(name).get("ports", [])}
        until(lambda name=name, wanted=wanted: set(wanted) <= set(ports_of(field, name)), f"all ports of {name}")
        rows = ports_of(field, name)
        page = field.page.get(f"/devices/{field.ids[name]}").raise_for_status().text
        assert name in page
        for index, port in wanted.items():
            assert rows[index]["oper"] == port.get("ifOperStatus", rows[index]["oper"]), (name, index)
            assert rows[index]["descr"] == port.get("differs_from_capture", {}).get("ifDescr", port.get("ifDescr", rows[index]["descr"])), (name, index)  # fmt: skip
    for name in SNMPD:
        until(lambda name=name: any(p["name"] == "lo" for p in ports_of(field, name).values()), f"ports of {name}")
        live = until(lambda name=name: _with_rates(field, name), f"rates of {name}")
        assert any(port["in_bps"] for port in live), "the loopback carries the asking itself"
        assert "lo" in field.page.get(f"/devices/{field.ids[name]}/live").raise_for_status().text


def _with_rates(field: Field, name: str) -> list[dict[str, Any]]:
    ports = field.get(f"/api/v1/devices/{field.ids[name]}/live").get("ports") or []
    return ports if any(port["in_bps"] for port in ports) else []


@pytest.mark.server
def test_prometheus_scrapes_the_figures_and_finds_the_targets(field: Field) -> None:
    until(lambda: [v for _, v in field.query('up{job="edunet"}')] == [1.0], "Prometheus scrapes with the token")
    until(lambda: [v for _, v in field.query('up{job="tokenless"}')] == [0.0], "without the token it is refused")
    base = str(field.page.base_url)
    assert httpx.get(f"{base}/api/v1/prometheus/targets", trust_env=False).status_code in (401, 403)
    for name, number in field.ids.items():
        one = f'{{job="edunet",device="{number}"}}'
        until(lambda one=one: [v for _, v in field.query(f"probe_success{one}")] == [1.0], f"{name} in Prometheus")
    for name in ("vrp_5720", *SNMPD):
        one = f'{{job="edunet",device="{field.ids[name]}"}}'
        rows = until(lambda one=one: field.query(f"ifHCInOctets{one}"), f"{name}'s counters in Prometheus")
        assert {labels["name"] for labels, _ in rows} == {name}
    watched = {"v2c-agent": f"{field.net}.200.1", "v3-agent": f"{field.net}.200.2", "v6-agent": "::1"}
    watched["vrp_5720"] = field.recorded["vrp_5720"]
    for name, address in watched.items():
        for job in ("probe", "snmp") if can_ping() else ("snmp",):
            one = f'{{job="{job}",instance="{address}"}}'
            until(lambda one=one: [v for _, v in field.query(f"probe_success{one}")] == [1.0], f"/{job} of {name}")
        one = f'{{job="snmp",instance="{address}"}}'
        until(lambda one=one: field.query(f"ifHCInOctets{one}"), f"/snmp tells {name}'s ports")


@pytest.mark.server
def test_agents_that_die_stand_on_the_board_and_in_alertmanager_until_they_are_started_again(field: Field) -> None:
    if not can_ping():
        pytest.skip("nothing may ping here: no agent can be silent while its address answers")
    dead = {("outage", "v2c-agent"), ("agent_silent", "v3-agent")}
    roots = {("outage", f"device:{field.ids['v2c-agent']}"), ("agent_silent", f"device:{field.ids['v3-agent']}")}
    for name in ("v2c-agent", "v3-agent"):
        until(lambda name=name: field.state_of(name) == "up", f"{name} is up")
    assert not field.board()
    for name in ("v2c-agent", "v3-agent"):
        field.agents[name].kill()
    until(lambda: field.board() == dead, "an outage and a silent agent on the board")
    until(
        lambda: {(one["labels"]["kind"], one["annotations"]["root"]) for one in alerts(field.alertmanager)} == roots,
        "both in Alertmanager",
    )
    assert (field.state_of("v2c-agent"), field.state_of("v3-agent")) == ("down", "agent_silent")
    assert "v2c-agent" in field.page.get("/").text
    outages = field.get("/api/v1/outages", kind="device")["items"]
    assert [row["node_id"] for row in outages if row["until_at"] is None] == [field.ids["v2c-agent"]]
    for name in ("v2c-agent", "v3-agent"):
        field.agents[name].start()
        until(lambda name=name: field.state_of(name) == "up", f"{name} is up again")
    until(lambda: not field.board(), "the board is empty again")
    until(lambda: not alerts(field.alertmanager), "Alertmanager is empty again")
