"""What the pages say, to whom, and that they show nothing outside the caller's part."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pages_web import PASSWORD, PagesWeb, keep_fresh, pages_web, sign_in
from servers import fresh_database
from sqlmodel import select

from inventory.models import Device, Feed, Incident, Line, NodeState, School, SchoolLevel, Site, State, utcnow
from inventory.users import create_user

HERE, THERE = "小店区", "洪洞县"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesWeb]:
    with pages_web(tmp_path_factory.mktemp("pages")) as served:
        yield served


@pytest.fixture(scope="module")
def postgres_web(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[PagesWeb]:
    with pages_web(tmp_path_factory.mktemp("pages"), url=fresh_database(postgres_url, "pages")) as served:
        yield served


def text_of(page: httpx.Response) -> str:
    """The page's words, without tags."""
    assert page.status_code == 200, page.text[:2000]
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page.text, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def first(web: PagesWeb, model: type, *where: object):
    with web.register.session() as session:
        return session.exec(select(model).where(*where).order_by(model.id)).first()


def test_the_board_names_root_effect_age_and_whom_to_call(web: PagesWeb) -> None:
    keep_fresh(web.register)
    said = text_of(web.as_("admin").get("/"))
    assert "8 所学校断网" in said
    assert "8,468 名学生" in said
    for words in (
        "洪洞县教育局机房汇聚交换机",
        "6 所学校",
        "2 小时 14 分前",
        "张工",
        "SX20261124-018",
        "0351-7000123",
        "10000",
    ):
        assert words in said, words
    assert said.index("洪洞县教育局机房汇聚交换机") < said.index("SNMP 无应答")


def test_the_board_is_complete_in_english(web: PagesWeb) -> None:
    keep_fresh(web.register)
    said = text_of(web.as_("admin", "en").get("/"))
    assert "8 schools are cut off" in said
    assert "2 h 14 min ago" in said
    assert "China Telecom" in said


def test_an_old_feed_is_said_on_the_board_and_greys_it(web: PagesWeb) -> None:
    with web.register.write() as session:
        for row in session.exec(select(Feed)):
            row.at = utcnow() - timedelta(minutes=3)
    page = web.as_("admin").get("/")
    keep_fresh(web.register)
    assert "看板数据已过时" in page.text
    assert re.search(r'<body class="[^"]*is-stale', page.text)
    assert "看板数据已过时" not in web.as_("admin").get("/").text


def test_a_blind_collector_is_said_on_the_board(web: PagesWeb) -> None:
    with web.register.write() as session:
        row = session.get_one(Feed, "rounds")
        row.detail = {**row.detail, "self_ok": False, "blind": ["main"]}
        row.at = utcnow()
    page = web.as_("admin").get("/")
    with web.register.write() as session:
        row = session.get_one(Feed, "rounds")
        row.detail = {**row.detail, "self_ok": True, "blind": []}
    assert "采集程序看不见，也没有别处看得见" in page.text


@pytest.mark.parametrize("name", ["xiaodian", "xiaodian-bureau"])
def test_a_county_user_never_sees_another_county_not_even_a_count(web: PagesWeb, name: str) -> None:
    client = web.as_(name)
    for path in (
        "/",
        "/?wall=1",
        "/schools",
        "/lines",
        "/devices",
        "/incidents",
        "/search?q=x",
        "/schools?region=141024",
        "/regions",
    ):
        page = client.get(path, follow_redirects=True)
        said = text_of(page)
        for hidden in (THERE, "迎泽区", "3141024", "盐湖区"):
            assert hidden not in said.replace("value", ""), f"{hidden} on {path}"
    assert "6" in re.search(r"全部 (\d+)", text_of(client.get("/schools"))).group(1)
    assert "0 / 5" in text_of(client.get("/")) or "/ 6" in text_of(client.get("/"))


def test_things_of_another_county_are_not_found(web: PagesWeb) -> None:
    client = web.as_("xiaodian")
    school = first(web, School, School.name.startswith(THERE))
    device = first(web, Device, Device.name.startswith("GW-3141024"))
    line = first(web, Line, Line.name.startswith(f"{THERE}实验"))
    incident = first(web, Incident, Incident.severity == "critical")
    for path in (
        f"/schools/{school.id}",
        f"/schools/{school.id}/outages.csv",
        f"/devices/{device.id}",
        f"/devices/{device.id}/live",
        f"/lines/{line.id}",
        f"/incidents/{incident.id}",
        "/regions/141024",
    ):
        assert client.get(path).status_code == 404, path


def test_a_school_cut_off_from_above_says_so_without_naming_what(web: PagesWeb) -> None:
    keep_fresh(web.register)
    with web.register.write() as session:
        school = session.exec(select(School).where(School.name.startswith(THERE))).first()
        incident = session.exec(select(Incident).where(Incident.severity == "critical")).one()
        kept = (incident.path, incident.duty_path)
        incident.path = "/1/"
    client = web.as_("hongdong")
    board, page = text_of(client.get("/")), text_of(client.get(f"/schools/{school.id}"))
    with web.register.write() as session:
        session.get_one(Incident, incident.id).path = kept[0]
    assert "上级网络故障" in board
    assert "6 所学校" in board
    assert "上级网络发生故障" in page
    assert "汇聚交换机" not in page
    assert "省教育城域网核心" not in page


def test_a_school_page_says_in_one_sentence_what_is_wrong_and_draws_the_break(web: PagesWeb) -> None:
    school = first(web, School, School.name == "洪洞县第一中学")
    page = web.as_("admin").get(f"/schools/{school.id}")
    said = text_of(page)
    assert "断网" in said
    assert "根因" in said
    assert "故障点" in said
    assert page.text.count('class="break"') == 1
    assert "拨打 0351-7000123" in said


def test_a_school_that_is_well_says_so(web: PagesWeb) -> None:
    said = text_of(web.as_("admin").get(f"/schools/{first(web, School, School.name == '小店区实验小学').id}"))
    assert "网络正常" in said
    assert "14 台设备中 13 台在线" in said


def test_names_are_escaped_everywhere(web: PagesWeb) -> None:
    evil = "<script>alert(1)</script>"
    with web.register.write() as session:
        place = session.exec(select(School)).first().place_id
        school = School(name=evil, search=evil, place_id=place, level=SchoolLevel.other)
        session.add(school)
        session.flush()
        site = Site(name=evil, school_id=school.id, place_id=place)
        session.add(site)
        session.flush()
        device = Device(name=evil, site_id=site.id, search=evil)
        session.add(device)
        session.flush()
        numbers = (school.id, site.id, device.id)
    client = web.as_("admin")
    for path in (
        f"/schools?q={evil}",
        f"/schools/{numbers[0]}",
        f"/devices/{numbers[2]}",
        f"/devices?q={evil}",
        f"/lines?q={evil}",
    ):
        page = client.get(path)
        assert "<script>alert" not in page.text, path
        assert "&lt;script&gt;" in page.text, path
    with web.register.write() as session:
        for model, number in ((Device, numbers[2]), (Site, numbers[1]), (School, numbers[0])):
            session.delete(session.get_one(model, number))


def test_lists_filter_sort_page_and_are_found_by_pinyin(web: PagesWeb) -> None:
    client = web.as_("admin")
    assert "共 60 条" in text_of(client.get("/schools"))
    assert "共 8 条" in text_of(client.get("/schools?state=down"))
    assert "共 24 条" in text_of(client.get("/schools?region=140100"))
    assert "共 6 条" in text_of(client.get("/schools?q=hongdong"))
    assert "共 10 条" in text_of(client.get("/schools?level=senior"))
    first_page, second = client.get("/schools?sort=name"), client.get("/schools?sort=name&page=2")
    assert first_page.text.count('class="thing"') == 50
    assert second.text.count('class="thing"') == 10
    assert "aria-sort=ascending" in first_page.text


def test_a_list_is_given_in_part_to_htmx(web: PagesWeb) -> None:
    part = web.as_("admin").get("/schools?state=down", headers={"hx-request": "true", "hx-target": "list"})
    assert "<html" not in part.text
    assert "共 8 条" in part.text


def test_a_csv_has_every_row_and_no_formula(web: PagesWeb) -> None:
    with web.register.write() as session:
        school = session.exec(select(School).where(School.name == "小店区育才学校")).one()
        school.name = "=HYPERLINK(1)"
    answer = web.as_("admin").get("/schools?format=csv")
    with web.register.write() as session:
        session.get_one(School, school.id).name = "小店区育才学校"
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.startswith("\ufeff学校,")
    assert len(answer.text.strip().splitlines()) == 61
    assert "'=HYPERLINK(1)" in answer.text


def test_every_page_answers_in_both_languages(web: PagesWeb) -> None:
    school, device, line, incident = (first(web, model) for model in (School, Device, Line, Incident))
    for locale, lang in (("zh", "zh-CN"), ("en", "en")):
        client = web.as_("admin", locale)
        for path in ("/", "/?wall=1", "/schools", "/lines", "/devices", "/incidents", "/legend", "/start", "/regions/140000", "/regions/140105", "/account/password",
                     f"/schools/{school.id}", f"/devices/{device.id}", f"/lines/{line.id}", f"/incidents/{incident.id}"):  # fmt: skip
            page = client.get(path)
            assert page.status_code == 200, path
            assert f'lang="{lang}"' in page.text, path


def test_the_language_is_kept_with_the_user(web: PagesWeb) -> None:
    client = sign_in(web.address, "hongdong")
    client.cookies.delete("edunet_locale")
    csrf = re.search(r'data-csrf="([^"]+)"', client.get("/").text).group(1)
    assert client.post("/account/language", data={"locale": "en", "next": "/legend"}).status_code == 403
    answer = client.post("/account/language", data={"locale": "en", "next": "/legend", "csrf": csrf})
    assert answer.headers["location"] == "/legend"
    assert "What the signs mean" in client.get("/legend").text
    another = sign_in(web.address, "hongdong", "")
    assert "What the signs mean" in another.get("/legend").text
    client.close()
    another.close()


def test_a_search_for_one_thing_leads_there(web: PagesWeb) -> None:
    school = first(web, School, School.name == "小店区实验小学")
    device = first(web, Device, Device.name == "GW-3140105000")
    client = web.as_("admin")
    assert client.get("/search", params={"q": "小店区实验小学"}).headers["location"] == f"/schools/{school.id}"
    assert client.get("/search", params={"q": "gw-3140105000"}).headers["location"] == f"/devices/{device.id}"


def test_strangers_are_sent_to_sign_in_and_errors_are_pages(web: PagesWeb) -> None:
    with httpx.Client(base_url=web.address, headers={"accept": "text/html"}) as client:
        assert client.get("/schools").headers["location"] == "/login?next=%2Fschools"
        assert 'action="/login"' in client.get("/login").text
    missing = web.as_("admin").get("/schools/999999")
    assert missing.status_code == 404
    assert "没有找到" in missing.text


def test_no_page_takes_many_statements(web: PagesWeb) -> None:
    from sqlalchemy import event

    seen: list[str] = []
    event.listen(web.register.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    client = web.as_("admin")
    school = first(web, School, School.name == "洪洞县第一中学")
    for path, most in (("/", 22), ("/schools", 12), ("/devices", 12), ("/lines", 12), (f"/schools/{school.id}", 40),
                       ("/incidents", 12), ("/incidents/1", 36), ("/not-watched", 24), ("/why?q=hongdong", 14), ("/windows", 16),
                       ("/settings/roster", 12), ("/settings/calendar", 16)):  # fmt: skip
        seen.clear()
        client.get(path)
        reads = [statement for statement in seen if statement.lstrip().upper().startswith("SELECT")]
        assert len(reads) <= most, f"{path}: {len(reads)}"


def test_a_viewer_has_no_first_steps(web: PagesWeb) -> None:
    assert web.as_("xiaodian").get("/start").status_code == 403
    assert "/start" not in web.as_("xiaodian").get("/").text


def test_an_empty_register_leads_to_a_device_that_is_registered(tmp_path: Path) -> None:
    def only_an_administrator(register) -> None:
        with register.write() as session:
            create_user(session, "admin", PASSWORD, role="administrator")

    with pages_web(tmp_path, only_an_administrator) as web:
        client = web.as_("admin")
        board = client.get("/")
        assert "尚未登记学校" in board.text
        csrf = re.search(r'data-csrf="([^"]+)"', board.text).group(1)

        def step(which: str, **fields: str) -> httpx.Response:
            return client.post(f"/start/{which}", data={**fields, "csrf": csrf}, follow_redirects=True)

        assert "133" in step("regions").text
        assert "main · 默认" in step("zone", name="main", references="127.0.0.1").text
        wrong = step("credential", name="read", version="2c", community="")
        assert wrong.status_code == 422
        assert "read · v2c" in step("credential", name="read", version="2c", community="s3cret-word").text
        bad = step("device", school="三小", region="140105", ip="10.1.2.300")
        assert bad.status_code == 422
        assert first(web, School) is None
        good = step("device", school="三小", region="140105", ip="127.9.0.1", snmp_port="16100", watch="any")
        assert "等待首次应答" in good.text
        assert "127.9.0.1" in good.text
        again = step("device", school="三小", region="140105", ip="127.9.0.1")
        assert again.status_code == 422
        with web.register.write() as session:
            device = session.exec(select(Device)).one()
            device.first_seen = utcnow()
            session.add(NodeState(kind="device", node_id=device.id, state=State.up, since=utcnow()))
        assert "后上线" in client.get("/start/seen").text
        assert "s3cret-word" not in client.get("/start").text


def test_an_import_names_each_wrong_cell_and_writes_nothing(web: PagesWeb) -> None:
    client = web.as_("admin")
    csrf = re.search(r'data-csrf="([^"]+)"', client.get("/start").text).group(1)

    def send(text: str, act: str, who: httpx.Client = client, token: str = csrf) -> httpx.Response:
        return who.post(
            "/start/import",
            data={"kind": "schools", "act": act, "csrf": token},
            files={"file": ("三校.csv", text.encode())},
        )

    wrong = send("name,county\n新小学,不存在县\n,小店区\n", "write")
    assert wrong.status_code == 422
    assert "不存在县" in wrong.text
    assert "B2" in wrong.text
    assert "A3" in wrong.text
    right = "name,county\n桥头新小学,小店区\n"
    assert "尚未写入" in send(right, "check").text
    assert first(web, School, School.name == "桥头新小学") is None
    assert "新增 1 条" in send(right, "write").text
    made = first(web, School, School.name == "桥头新小学")
    assert made is not None
    with web.register.write() as session:
        for site in session.exec(select(Site).where(Site.school_id == made.id)):
            session.delete(site)
        session.flush()
        session.delete(session.get_one(School, made.id))
    viewer = web.as_("xiaodian")
    token = re.search(r'data-csrf="([^"]+)"', viewer.get("/").text).group(1)
    assert send(right, "write", viewer, token).status_code == 403
    assert client.get("/start/template/schools.xlsx").content[:2] == b"PK"


class Stand:
    """In the collector's place: what its socket says of a device (`collector/live.py`)."""

    def device(self, number: int) -> dict[str, object]:
        port = {
            "ifIndex": 4,
            "ifName": "GigabitEthernet0/0/3",
            "ifAdminStatus": "up",
            "ifOperStatus": "up",
            "speed_bps": 10**9,
            "in_bps": 2.5e8,
            "out_bps": 1e6,
        }
        sensors = [{"class": "temperature", "descr": "Board", "value": 41.5}]
        trap = {"at": 1e9, "trap": "linkDown", "security": "authPriv", "source": "10.0.0.9", "ifName": "GE0/0/5"}
        return {
            "as_of": 1.0,
            "device": number,
            "by": ["icmp", "snmp"],
            "rtt_median_seconds": 0.0042,
            "loss_ratio": 0.0,
            "sysUpTime": 8_640_000,
            "ports": [port],
            "sensors": sensors,
            "traps": [trap],
        }


def test_live_readings_stand_on_the_devices_page_and_their_absence_is_said(web: PagesWeb) -> None:
    device = first(web, Device, Device.name == "GW-3140105000")
    client = web.as_("admin")
    assert "采集程序没有应答" in client.get(f"/devices/{device.id}/live").text
    link = web.app.state.link
    web.app.state.link = Stand()
    try:
        said = text_of(client.get(f"/devices/{device.id}/live"))
    finally:
        web.app.state.link = link
    for words in ("250 Mbit/s", "4.20 ms", "1 天", "41.5 °C", "ICMP, SNMP", "0 %"):
        assert words in said, words
    for words in ("主动上报", "linkDown", "authPriv", "GE0/0/5"):
        assert words in said, words


def test_every_page_answers_on_postgresql(postgres_web: PagesWeb) -> None:
    keep_fresh(postgres_web.register)
    school = first(postgres_web, School, School.name == "洪洞县第一中学")
    device, line, incident = (first(postgres_web, model) for model in (Device, Line, Incident))
    for name in ("admin", "xiaodian", "xiaodian-bureau"):
        client = postgres_web.as_(name)
        for path in ("/", "/?wall=1", "/schools?q=shiyan&region=140105&level=primary&state=up", "/schools?format=csv", "/lines?q=专线&region=140105",
                     "/devices?q=127&region=140105&kind=gateway&sort=-since", "/incidents", "/regions/140105", "/search?q=GW-3140105000"):  # fmt: skip
            assert client.get(path, follow_redirects=True).status_code == 200, (name, path)
    client = postgres_web.as_("admin")
    assert "8 所学校断网" in client.get("/").text
    for path in (
        f"/schools/{school.id}",
        f"/devices/{device.id}",
        f"/lines/{line.id}",
        f"/incidents/{incident.id}",
        "/start",
        "/start/seen",
    ):
        assert client.get(path).status_code == 200, path
