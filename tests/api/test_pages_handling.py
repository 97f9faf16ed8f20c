"""An incident's page and what people do there; diagnosing; windows of work; why a school is down."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pages_web import PASSWORD, PagesWeb, keep_fresh, pages_web, sign_in
from sqlmodel import select

from api.pages import diagnosis
from api.pages.diagnosis import Pace
from api.pages.story import tell
from inventory.models import (
    Delivery,
    Device,
    Incident,
    IncidentNote,
    Line,
    Maintenance,
    Outage,
    Region,
    School,
    Silence,
    State,
    utcnow,
)
from inventory.users import create_user


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesWeb]:
    with pages_web(tmp_path_factory.mktemp("handling")) as served:
        with served.register.write() as session:
            here = session.exec(select(Region).where(Region.code == "140105")).one().id
            create_user(session, "countyadmin", PASSWORD, role="administrator", region_id=here)
        yield served


def post(client: httpx.Client, path: str, **fields: object) -> httpx.Response:
    token = re.search(r'data-csrf="([^"]+)"', client.get("/legend").text).group(1)
    return client.post(path, data={"csrf": token, **fields})


def number_of(web: PagesWeb, severity: str = "critical") -> int:
    with web.register.session() as session:
        return session.exec(select(Incident).where(Incident.severity == severity, Incident.status == "open")).first().id


def words(page: httpx.Response) -> str:
    assert page.status_code == 200, page.text[:500]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_an_incident_is_acknowledged_owned_commented_and_ticketed_by_its_page(web: PagesWeb) -> None:
    client, number = web.as_("admin"), number_of(web)
    page = f"/incidents/{number}"
    assert post(client, f"{page}/acknowledge", span="60", text="抢修中").status_code == 303
    assert post(client, f"{page}/handle", owner="李工", ticket="SX-9").status_code == 303
    assert post(client, f"{page}/comment", text="光缆已找到断点").status_code == 303
    with web.register.session() as session:
        row = session.get_one(Incident, number)
        assert (row.owner, row.ticket) == ("李工", "SX-9")
        assert row.promised_at is not None
        assert timedelta(minutes=58) < row.promised_at - utcnow() < timedelta(minutes=61)
    said = words(client.get(page))
    for word in ("李工", "SX-9", "光缆已找到断点", "抢修中", "认领", "承诺"):
        assert word in said, word
    assert "李工" in words(client.get("/"))
    assert post(client, f"{page}/unacknowledge").status_code == 303
    with web.register.session() as session:
        assert session.get_one(Incident, number).acknowledged_at is None


def test_what_cannot_be_done_is_said_on_the_page(web: PagesWeb) -> None:
    client, number = web.as_("admin"), number_of(web)
    for path, fields in (("comment", {"text": " "}), ("acknowledge", {"span": "at", "at": ""}), ("acknowledge", {"span": "at", "at": "2020-01-01T00:00"}),
                         ("silence", {"span": "at", "at": "nonsense", "reason": "x"}), ("silence", {"span": "60", "reason": ""})):  # fmt: skip
        answer = post(client, f"/incidents/{number}/{path}", **fields)
        assert answer.status_code == 422, (path, fields)
        assert 'class="banner bad"' in answer.text
    with web.register.session() as session:
        mended = session.exec(select(Incident).where(Incident.status == "resolved")).first().id
    late = post(client, f"/incidents/{mended}/acknowledge", span="60")
    assert late.status_code == 422
    assert "已结束" in late.text


def test_a_viewer_sees_an_incident_and_can_do_nothing_to_it(web: PagesWeb) -> None:
    viewer, number = web.as_("hongdong"), number_of(web)
    page = viewer.get(f"/incidents/{number}")
    assert page.status_code == 200
    assert "/acknowledge" not in page.text
    assert "/diagnose" not in page.text
    for act in ("acknowledge", "unacknowledge", "comment", "handle", "silence"):
        assert post(viewer, f"/incidents/{number}/{act}", text="x", span="60", reason="x").status_code == 403, act
    assert post(viewer, "/incidents/correct", incident=number, cause="line", reason="x").status_code == 403
    assert client_without_token(web, number) == 403


def client_without_token(web: PagesWeb, number: int) -> int:
    return web.as_("admin").post(f"/incidents/{number}/comment", data={"text": "x"}).status_code


def test_another_countys_incident_is_not_there(web: PagesWeb) -> None:
    client, number = sign_in(web.address, "countyadmin"), number_of(web)
    for act in ("acknowledge", "comment", "handle", "silence"):
        answer = post(client, f"/incidents/{number}/{act}", text="x", span="60", reason="x")
        assert answer.status_code == 404, act
    assert client.get(f"/incidents/{number}/carrier.txt").status_code == 404
    answer = post(client, "/incidents/correct", incident=number, cause="line", reason="x")
    assert answer.headers["location"].endswith("wrong=1")
    with web.register.session() as session:
        assert session.get_one(Incident, number).corrected_at is None
    client.close()


def test_an_incident_is_silenced_until_a_time_and_the_silence_ended(web: PagesWeb) -> None:
    client, number = web.as_("admin"), number_of(web)
    assert post(client, f"/incidents/{number}/silence", span="morning", reason="校舍拆除").status_code == 303
    with web.register.session() as session:
        row = session.exec(select(Silence).where(Silence.incident_id == number)).one()
        assert row.until_at.astimezone(UTC).hour == 0  # 08:00 in China
        assert row.until_at > utcnow()
    assert "静默至" in words(client.get(f"/incidents/{number}"))
    assert post(client, f"/silences/{row.id}/end", next="//evil.example").headers["location"] == "/not-watched"
    with web.register.session() as session:
        assert session.get_one(Silence, row.id).until_at <= utcnow()
    assert "静默至" not in words(client.get(f"/incidents/{number}"))


def test_the_carriers_text_is_ready_to_copy(web: PagesWeb) -> None:
    client = web.as_("admin")
    with web.register.session() as session:
        row = session.exec(select(Incident).where(Incident.root_kind == "line", Incident.status == "open")).first()
        circuit = session.get_one(Line, row.root_id).circuit
    text = client.get(f"/incidents/{row.id}/carrier.txt")
    assert text.headers["content-type"].startswith("text/plain")
    assert circuit in text.text
    page = client.get(f"/incidents/{row.id}").text
    assert 'data-copy="#carrier-text"' in page
    assert circuit in page
    assert "Fault report" in web.as_("admin", "en").get(f"/incidents/{row.id}/carrier.txt").text


def test_causes_are_corrected_in_bulk_and_the_first_verdict_stays(web: PagesWeb) -> None:
    client = web.as_("admin")
    assert "/incidents/correct" not in client.get("/incidents").text
    page = client.get("/incidents?correct=1&severity=major")
    ticks = re.findall(r'name="incident" value="(\d+)"', page.text)
    assert len(ticks) == 3
    answer = post(client, "/incidents/correct", incident=ticks, cause="line", accountable="carrier", maintenance="",
                  reason="运营商确认", back="/incidents?correct=1&severity=major")  # fmt: skip
    assert answer.headers["location"] == "/incidents?correct=1&severity=major&corrected=3"
    with web.register.session() as session:
        for number in ticks:
            row = session.get_one(Incident, int(number))
            assert (row.cause, row.accountable, row.first_cause, row.corrected_why) == (
                "line", "carrier", "undetermined", "运营商确认",
            )  # fmt: skip
            for outage in session.exec(select(Outage).where(Outage.incident_id == row.id)):
                assert outage.cause == "line"
    said = words(client.get(f"/incidents/{ticks[0]}"))
    assert "最初判定" in said
    assert "运营商确认" in said
    nothing = post(client, "/incidents/correct", cause="line", reason="x", back="//evil.example/incidents")
    assert nothing.headers["location"] == "/incidents?wrong=1"


def test_the_timeline_tells_what_fell_silent_what_was_said_and_done(web: PagesWeb) -> None:
    number = number_of(web)
    with web.register.write() as session:
        at = utcnow()
        session.add(IncidentNote(incident_id=number, by="", kind="escalated", text="市级", at=at))
        for outlet in ("群一", "群二"):
            session.add(
                Delivery(
                    outlet_id=1,
                    outlet=outlet,
                    incident_id=number,
                    event="opened",
                    status="sent",
                    queued_at=at,
                    due_at=at,
                    sent_at=at,
                )
            )
    said = words(web.as_("admin").get(f"/incidents/{number}"))
    for word in ("失去应答", "群一", "群二", "上报", "6 所学校"):
        assert word in said, word
    assert "群一" not in words(web.as_("hongdong").get(f"/incidents/{number}"))


def test_outages_that_begin_together_are_one_entry() -> None:
    start = datetime(2026, 11, 24, 8, tzinfo=UTC)
    row = lambda number, seconds, until=None: Outage(  # noqa: E731
        id=number, kind="device", node_id=number, from_at=start + timedelta(seconds=seconds), until_at=until
    )
    entries = tell([row(1, 0), row(2, 5), row(3, 100, start + timedelta(hours=1))], [], [], [], State.down)
    assert [(entry.kind, entry.count) for entry in entries] == [("silent", 2), ("silent", 1), ("back", 1)]
    assert entries[0].names == [("device", 1), ("device", 2)]


def test_an_incident_offers_its_own_stretch_of_trace_to_those_who_see_everything(web: PagesWeb) -> None:
    number, link = number_of(web), web.app.state.link

    class Recorder:
        def trace(self, root: str | None, cluster: object, since: float, until: float | None) -> bytes:
            return b'{"t": 0, "kind": "start"}\n' if root and until is None else b""

    web.app.state.link = Recorder()
    try:
        found = web.as_("admin").get(f"/incidents/{number}/trace.jsonl")
    finally:
        web.app.state.link = link
    assert found.text.startswith('{"t": 0')
    assert "attachment" in found.headers["content-disposition"]
    assert f"/incidents/{number}/trace.jsonl" in web.as_("admin").get(f"/incidents/{number}").text
    viewer = web.as_("hongdong")
    assert viewer.get(f"/incidents/{number}/trace.jsonl").status_code == 403
    assert "trace.jsonl" not in viewer.get(f"/incidents/{number}").text
    assert web.as_("admin").get(f"/incidents/{number}/trace.jsonl").status_code == 503


class Prober:
    """In the collector's place: answers probes as `collector/diagnosis.py` does."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []

    def probe(self, number: int, module: str) -> dict[str, object]:
        self.asked.append((number, module))
        said: dict[str, dict[str, object]] = {
            "icmp": {"ok": True, "sent": 5, "received": 4, "rtt_seconds": 0.0123},
            "snmp": {"ok": False, "error": "no response"},
            "path": {"ok": False, "hops": [{"ttl": 1, "address": "10.0.0.1", "rtt_seconds": 0.001, "reached": False},
                                           {"ttl": 2, "address": None, "rtt_seconds": None, "reached": False}]},
        }  # fmt: skip
        return {"module": module, "device": number, "duration_s": 0.5, **said[module]}


@pytest.fixture
def prober(web: PagesWeb, monkeypatch: pytest.MonkeyPatch) -> Iterator[Prober]:
    monkeypatch.setattr(diagnosis, "pace", Pace())
    link, prober = web.app.state.link, Prober()
    web.app.state.link = prober
    yield prober
    web.app.state.link = link


def gateway(web: PagesWeb, name: str = "GW-3140105000") -> int:
    with web.register.session() as session:
        return session.exec(select(Device).where(Device.name == name)).one().id


def test_a_device_is_diagnosed_now(web: PagesWeb, prober: Prober) -> None:
    client, number = web.as_("admin"), gateway(web)
    for module, wanted in (
        ("icmp", "5 次 ping 有 4 次应答，12.30 ms"),
        ("snmp", "no response"),
        ("path", "第 1 跳 10.0.0.1 之后中断"),
    ):
        assert wanted in words(post(client, f"/devices/{number}/diagnose", module=module)), module
    assert prober.asked == [(number, "icmp"), (number, "snmp"), (number, "path")]
    part = client.get(f"/devices/{number}/diagnose", headers={"hx-request": "true"})
    assert part.text.count('hx-trigger="load"') == 3
    assert post(client, f"/devices/{number}/diagnose", module="device").status_code == 404
    assert f"/devices/{number}/diagnose" in client.get(f"/devices/{number}").text


def test_diagnosing_is_for_administrators_of_the_part_and_at_a_bounded_pace(
    web: PagesWeb, prober: Prober, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = gateway(web)
    assert post(web.as_("xiaodian"), f"/devices/{number}/diagnose").status_code == 403
    county = sign_in(web.address, "countyadmin")
    with web.register.session() as session:
        foreign = session.exec(select(Device.name).where(Device.name.startswith("GW-3141024"))).first()
    assert post(county, f"/devices/{number}/diagnose").status_code == 200
    assert post(county, f"/devices/{gateway(web, foreign)}/diagnose").status_code == 404
    county.close()
    monkeypatch.setattr(diagnosis, "pace", Pace(2, 60))
    client = web.as_("admin")
    prober.asked.clear()
    assert [post(client, f"/devices/{number}/diagnose").status_code for _ in range(3)] == [200, 200, 429]
    assert len(prober.asked) == 2


def test_the_pace_lets_on_when_the_time_has_passed() -> None:
    pace = Pace(2, 10)
    assert [pace.wait(1, now) for now in (0.0, 1.0)] == [0.0, 0.0]
    assert pace.wait(1, 2.0) == 8.0
    assert pace.wait(2, 2.0) == 0.0
    assert pace.wait(1, 10.5) == 0.0


def test_a_collector_that_is_gone_is_said(web: PagesWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "pace", Pace())
    assert "采集程序没有应答" in words(post(web.as_("admin"), f"/devices/{gateway(web)}/diagnose"))


def school(web: PagesWeb, name: str = "小店区实验小学") -> int:
    with web.register.session() as session:
        return session.exec(select(School).where(School.name == name)).one().id


def test_a_window_of_work_takes_three_taps_from_a_schools_page(web: PagesWeb) -> None:
    client, number = web.as_("admin"), school(web)
    link = (
        re.search(r'href="(/windows/new\?[^"]+)"', client.get(f"/schools/{number}").text).group(1).replace("&amp;", "&")
    )
    form = client.get(link)
    assert "小店区实验小学" in form.text
    assert re.search(r'value="60" checked', form.text)
    before = utcnow()
    assert post(client, "/windows/new", kind="school", node_id=number, span="60", reason="换交换机").status_code == 303
    with web.register.session() as session:
        row = session.exec(select(Maintenance).where(Maintenance.reason == "换交换机")).one()
        assert abs((row.until_at - row.from_at) - timedelta(hours=1)) < timedelta(seconds=1)
        assert before - timedelta(seconds=1) <= row.from_at <= utcnow()
        assert row.created_by == "admin"
    listed = words(client.get("/windows"))
    assert "正在进行 1 项维护" in listed
    assert "换交换机" in listed
    assert post(client, f"/windows/{row.id}/end", match="*").status_code == 303
    with web.register.session() as session:
        assert session.get_one(Maintenance, row.id).until_at <= utcnow()
    assert "当前没有维护" in words(client.get("/windows"))


def test_windows_of_a_region_tonight_at_other_times_and_every_week(web: PagesWeb) -> None:
    client = web.as_("admin")
    with web.register.session() as session:
        region = session.exec(select(Region).where(Region.code == "140105")).one().id
    assert post(client, "/windows/new", region_id=region, span="tonight", reason="夜里").status_code == 303
    custom = {"span": "custom", "from_at": "2027-03-01T09:00", "until_at": "2027-03-01T11:00"}
    assert post(client, "/windows/new", region_id=region, **custom, reason="别的时间").status_code == 303
    weekly = {
        **custom,
        "span": "weekly",
        "repeat": "weekly",
        "weekdays": ["1", "3"],
        "repeat_until": "2027-05-01T00:00",
    }
    assert post(client, "/windows/new", school="小店区实验小学", **weekly, reason="每周").status_code == 303
    with web.register.session() as session:
        rows = {row.reason: row for row in session.exec(select(Maintenance))}
    assert rows["夜里"].until_at.astimezone(UTC).hour == 22  # 06:00 in China
    assert rows["别的时间"].from_at == datetime(2027, 3, 1, 1, tzinfo=UTC)
    assert (rows["每周"].repeat, rows["每周"].weekdays, rows["每周"].kind) == ("weekly", [1, 3], "school")
    said = words(client.get("/windows"))
    assert "即将开始" in said
    assert "每周 周一 周三" in said
    for reason in ("别的时间", "每周"):
        assert post(client, f"/windows/{rows[reason].id}/end", match="*").status_code == 303
    with web.register.session() as session:
        assert not {row.reason for row in session.exec(select(Maintenance))} & {"别的时间", "每周"}


def test_a_window_without_an_end_or_outside_ones_part_is_refused(web: PagesWeb) -> None:
    client = web.as_("admin")
    for fields in ({"span": "60"}, {"span": "custom", "kind": "school", "node_id": school(web), "from_at": "2027-03-01T09:00", "until_at": ""},
                   {"span": "60", "school": "没有这所学校"}):  # fmt: skip
        assert post(client, "/windows/new", **fields).status_code == 422, fields
    county = sign_in(web.address, "countyadmin")
    foreign = school(web, "洪洞县第一中学")
    assert county.get(f"/windows/new?kind=school&node_id={foreign}").status_code == 404
    assert post(county, "/windows/new", kind="school", node_id=foreign, span="60").status_code in (404, 422)
    county.close()
    viewer = web.as_("xiaodian")
    assert viewer.get("/windows").status_code == 200
    assert viewer.get("/windows/new").status_code == 403
    assert post(viewer, "/windows/new", kind="school", node_id=school(web), span="60").status_code == 403
    assert "/windows/new" not in viewer.get(f"/schools/{school(web)}").text


def test_why_a_school_is_down_in_one_sentence_from_its_name_or_code(web: PagesWeb) -> None:
    keep_fresh(web.register)
    client = web.as_("admin")
    with web.register.session() as session:
        code = session.exec(select(School).where(School.name == "洪洞县第一中学")).one().code
    for asked in ("洪洞县第一中学", code):
        said = words(client.get("/why", params={"q": asked}))
        assert re.search(
            r"洪洞县第一中学断网，自 [\d: -]+起（.*?），原因：洪洞县教育局机房汇聚交换机 agg-141024，请联系", said
        ), said[:600]
        calls = client.get("/api/v1/why", params={"q": asked}).json()
        assert len(calls["items"]) == 1
        assert "原因：洪洞县教育局机房汇聚交换机" in calls["items"][0]["sentence"]
    assert "网络正常" in words(client.get("/why", params={"q": "小店区实验小学"}))
    several = client.get("/why", params={"q": "hongdong"})
    assert several.text.count('class="verdict') == 6
    assert "没有符合" in words(client.get("/why", params={"q": "不存在"}))
    assert client.get("/why").status_code == 200
    english = words(web.as_("admin", "en").get("/why", params={"q": code}))
    assert "is cut off" in english
    quick = client.get("/why/quick", params={"q": "洪洞县第一"}).text
    assert "断网" in quick
    assert 'hx-get="/why/quick"' in client.get("/").text


def test_why_knows_nothing_of_another_county(web: PagesWeb) -> None:
    client = web.as_("xiaodian")
    assert "没有符合" in words(client.get("/why", params={"q": "洪洞县第一中学"}))
    assert client.get("/api/v1/why", params={"q": "hongdong"}).json()["items"] == []
    assert "洪洞" not in re.sub(r"搜索“[^”]*”", "", client.get("/why/quick", params={"q": "洪洞县"}).text).replace(
        "q=", ""
    )
    with web.register.write() as session:
        row = session.get_one(Incident, number_of(web))
        kept, row.path = row.path, "/1/"
    said = words(web.as_("hongdong").get("/why", params={"q": "洪洞县第一中学"}))
    with web.register.write() as session:
        session.get_one(Incident, row.id).path = kept
    assert "原因在上级网络" in said
    assert "汇聚交换机" not in said


def test_a_county_or_a_node_is_silenced_by_page_and_lifted(web: PagesWeb) -> None:
    client = web.as_("countyadmin")
    page = client.get("/silences/new?q=小店区")
    region = re.search(r'name="subject" value="(region:\d+)"', page.text).group(1)
    assert re.findall(r'value="school:\d+"', page.text), "schools of that name are offered too"
    assert post(client, "/silences/new", subject=region, span="240", reason="全区停电检修").status_code == 303
    assert post(client, "/silences/new", subject=region, span="240").status_code == 422, "no reason"
    assert post(client, "/silences/new", subject=region, span="at", reason="无期限").status_code == 422, "no end"
    far = post(client, "/silences/new", subject=region, span="at", at="2100-01-01T00:00", reason="百年")
    assert far.status_code == 422
    assert post(client, "/silences/new", subject="castle:1", span="60", reason="x").status_code == 422
    with web.register.session() as session:
        (row,) = session.exec(select(Silence).where(Silence.reason == "全区停电检修")).all()
        assert (row.kind, row.created_by, f"region:{row.region_id}") == ("", "countyadmin", region)
        assert timedelta(hours=3) < row.until_at - utcnow() < timedelta(hours=5)
    for path in ("/silences", "/not-watched"):
        shown = words(client.get(path))
        assert all(word in shown for word in ("全区停电检修", "countyadmin", "小店区")), path
    assert post(client, f"/silences/{row.id}/end", next="/silences?ended=1").headers["location"] == "/silences?ended=1"
    with web.register.session() as session:
        assert session.get_one(Silence, row.id).until_at <= utcnow()


def test_nobody_silences_or_finds_what_lies_outside_of_his_part(web: PagesWeb) -> None:
    client = web.as_("countyadmin")
    with web.register.session() as session:
        other = session.exec(select(Region).where(Region.code == "141024")).one()
        school = session.exec(select(School).where(School.place_id == other.id)).first()
        assert school is not None
    assert 'name="subject"' not in client.get(f"/silences/new?q={other.name}").text
    assert school.name not in client.get(f"/silences/new?subject=school:{school.id}").text
    for subject in (f"region:{other.id}", f"school:{school.id}"):
        assert post(client, "/silences/new", subject=subject, span="60", reason="不该").status_code == 422, subject
    assert post(web.as_("xiaodian"), "/silences/new", subject="region:1", span="60", reason="x").status_code == 403
    part = client.get("/silences/new?q=网关", headers={"hx-request": "true", "hx-target": "subjects"})
    assert part.text.strip().startswith('<div id="subjects"')
    with web.register.session() as session:
        assert session.exec(select(Silence).where(Silence.reason == "不该")).all() == []


def test_a_county_is_told_why_it_gets_no_trace(web: PagesWeb) -> None:
    client = web.as_("countyadmin")
    with web.register.write() as session:
        here = session.exec(select(Region).where(Region.code == "140105")).one()
        mine = Incident(key="county's own", root_name="本县", path=here.path, place_id=here.id, from_at=utcnow(), opened_at=utcnow(), status="open")  # fmt: skip
        session.add(mine)
        session.flush()
        number = mine.id
    assert "只提供给全省用户" in words(client.get(f"/incidents/{number}"))
    assert client.get(f"/incidents/{number}/trace.jsonl").status_code == 403
