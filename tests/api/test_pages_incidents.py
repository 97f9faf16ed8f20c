"""The list of incidents: filters, export; never-said ones are hidden; devices that never spoke SNMP."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from openpyxl import load_workbook
from pages_web import PagesWeb, pages_web
from sqlmodel import select

from inventory.models import Device, Feed, Incident, Outage, Region, School, utcnow


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesWeb]:
    with pages_web(tmp_path_factory.mktemp("incidents")) as served:
        with served.register.write() as session:
            session.add(Incident(key="never said", root_name="没人说过", from_at=utcnow(), status="resolved"))
        yield served


def names(page: httpx.Response) -> list[str]:
    """What failed, row by row."""
    assert page.status_code == 200, page.text[:1000]
    return re.findall(r'class="thing" href="/incidents/\d+">([^<]+)<', page.text)


def test_incidents_are_filtered_by_place_kind_severity_cause_date_and_root(web: PagesWeb) -> None:
    client = web.as_("admin")
    ask = lambda **filters: len(names(client.get("/incidents", params=filters)))  # noqa: E731
    assert ask() == 6
    assert ask(region="141024") == 1
    assert ask(region="140100") == 2
    assert ask(kind="degraded") == 1
    assert ask(severity="critical") == 1
    assert ask(cause="power") == 1
    assert ask(state="mended") == 1
    assert ask(state="open") == 5
    assert ask(q="洪洞") == 1
    assert ask(q="#1") == 1
    day = (utcnow() - timedelta(days=30)).date().isoformat()
    assert ask(until=day) == 0
    assert ask(**{"from": day}) == 6
    assert ask(**{"from": "no day"}) == 6
    assert names(client.get("/incidents?sort=severity"))[0].startswith("洪洞县教育局")


def test_an_incident_that_was_never_said_is_in_no_list_unless_asked_for(web: PagesWeb) -> None:
    client = web.as_("admin")
    assert "没人说过" not in client.get("/incidents").text
    listed = client.get("/api/v1/incidents", params={"count": True}).json()
    assert listed["total"] == 6
    assert client.get("/api/v1/incidents", params={"count": True, "unsaid": True}).json()["total"] == 7


def test_incidents_are_taken_away_as_csv_and_as_a_workbook(web: PagesWeb) -> None:
    client = web.as_("admin")
    lines = client.get("/incidents?format=csv&region=141024").text.strip().splitlines()
    assert lines[0].startswith("\ufeff编号,状态,级别")
    assert len(lines) == 2
    assert "SX20261124-018" in lines[1]
    assert "停电" in lines[1]
    book = load_workbook(io.BytesIO(client.get("/incidents?format=xlsx").content))
    rows = list(book.active.iter_rows(values_only=True))
    assert rows[0][0] == "编号"
    assert len(rows) == 7
    cut = next(row for row in rows if row[2] == "特别严重")
    assert cut[9] == 6
    assert cut[8] >= 8040


def test_a_workbook_holds_no_formula_and_no_control_character(web: PagesWeb) -> None:
    with web.register.write() as session:
        row = session.exec(select(Incident).where(Incident.severity == "critical")).one()
        kept, row.owner = row.owner, "=1+1\x07"
    book = load_workbook(io.BytesIO(web.as_("admin").get("/incidents?format=xlsx&severity=critical").content))
    with web.register.write() as session:
        session.exec(select(Incident).where(Incident.severity == "critical")).one().owner = kept
    assert next(book.active.iter_rows(min_row=2, values_only=True))[12] == "'=1+1"


def test_another_part_of_the_province_is_in_no_list_and_no_file(web: PagesWeb) -> None:
    client = web.as_("xiaodian")
    for path in ("/incidents", "/incidents?region=141024", "/incidents?format=csv", "/incidents?cause=power"):
        assert "洪洞县" not in client.get(path).text, path


class Knowing:
    """In the collector's place: knows which devices never spoke SNMP."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers

    def feed(self) -> dict[str, object]:
        return {"snmp_not_yet_seen": self.numbers}


def test_devices_that_never_answered_by_snmp_are_a_list(web: PagesWeb) -> None:
    with web.register.write() as session:
        device = session.exec(select(Device).where(Device.name == "GW-3140105000")).one()
        number = device.id
        row = session.get_one(Feed, "judge")
        row.detail = {**row.detail, "snmp_not_yet_seen": 1}
    client, link = web.as_("admin"), web.app.state.link
    assert "从未应答过 SNMP" in client.get("/devices").text
    web.app.state.link = Knowing([number])
    try:
        page, foreign = client.get("/devices?snmp=unseen"), web.as_("hongdong").get("/devices?snmp=unseen")
    finally:
        web.app.state.link = link
    assert re.findall(r'class="thing" href="/devices/(\d+)"', page.text) == [str(number)]
    assert 'class="thing"' not in foreign.text
    assert client.get("/devices?snmp=unseen").status_code == 200


def outages(page: httpx.Response) -> list[tuple[str, str]]:
    """(number, name) of the rows that may be ticked."""
    assert page.status_code == 200, page.text[:1000]
    numbers = re.findall(r'name="outage" value="(\d+)"', page.text)
    return list(zip(numbers, re.findall(r'class="thing" href="/\w+s/\d+">([^<]+)<', page.text), strict=True))


def test_ticked_outages_are_corrected_together_and_the_first_verdict_stays(web: PagesWeb) -> None:
    client = web.as_("admin")
    listed = outages(client.get("/outages?kind=school&region=140105&correct=1"))
    assert len(listed) > 2
    assert all("小店" in name for _, name in listed)
    ticked = [number for number, _ in listed[:2]]
    token = re.search(r'data-csrf="([^"]+)"', client.get("/legend").text).group(1)
    said = {"csrf": token, "outage": ticked, "accountable": "carrier", "maintenance": "yes", "cause": "line"}
    back = "/outages?kind=school&region=140105"
    refused = client.post("/outages/correct", data={**said, "back": back})
    assert refused.headers["location"] == f"{back}&wrong=1", "without a reason"
    done = client.post("/outages/correct", data={**said, "reason": "割接通报 7 号", "back": back})
    assert done.headers["location"] == f"{back}&corrected=2"
    shown = client.get("/outages?state=corrected").text
    assert len(re.findall("割接通报 7 号", shown)) == 2
    assert "已更正，最初：" in shown
    with web.register.session() as session:
        row = session.get_one(Outage, int(ticked[0]))
        assert (row.cause, row.accountable, row.maintenance, row.corrected_by) == ("line", "carrier", True, "admin")
        assert row.first_maintenance is False
    assert client.post("/outages/correct", data={**said, "reason": "x", "back": "https://example.com"}).headers["location"].startswith("/outages")  # fmt: skip


def test_outages_of_another_part_are_neither_listed_nor_corrected(web: PagesWeb) -> None:
    with web.register.session() as session:
        other = session.exec(select(Region).where(Region.code == "141024")).one().id
        number = session.exec(select(Outage.id).where(Outage.place_id == other)).first()
    client = web.as_("xiaodian")
    assert "洪洞" not in client.get("/outages").text
    assert "洪洞" not in client.get("/outages?format=csv").text
    token = re.search(r'data-csrf="([^"]+)"', client.get("/legend").text).group(1)
    answer = client.post("/outages/correct", data={"csrf": token, "outage": [number], "cause": "line", "reason": "x"})
    assert answer.status_code == 403


def test_what_was_switched_off_as_usual_counts_as_planned_in_lists_exports_and_calls(web: PagesWeb) -> None:
    start, client = utcnow() - timedelta(hours=9), web.as_("admin")
    span = {"planned_off": {"from": start.isoformat(), "until": (start + timedelta(hours=6)).isoformat()}}
    with web.register.write() as session:
        school = session.exec(select(School).where(School.name.contains("小店"))).first()
        common = {"kind": "school", "node_id": school.id, "school_id": school.id, "place_id": school.place_id, "cause": "school"}  # fmt: skip
        common |= {"accountable": "school", "evidence": span, "from_at": start}
        rows = [Outage(until_at=start + timedelta(hours=hours), **common) for hours in (5, 8)]
        session.add_all(rows)
        session.flush()
        numbers = [row.id for row in rows]
    page = client.get("/outages?cause=school&kind=school").text
    assert "按惯例关闭" in page
    assert "属计划内" in page
    lines = client.get("/outages?cause=school&kind=school&format=csv").text.strip().splitlines()
    assert sorted(line.split(",")[9] for line in lines[1:]) == ["学校", "计划内"], lines
    assert "按惯例关闭" in client.get(f"/schools/{school.id}").text
    called = client.get("/api/v1/outages", params={"cause": "school"}).json()["items"]
    assert {row["id"]: (row["counts_for"], bool(row["planned_until"])) for row in called} == dict(
        zip(numbers, [("planned", False), ("school", True)], strict=True)
    )
