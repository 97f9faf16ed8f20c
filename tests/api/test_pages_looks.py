"""What a teacher and a carrier are told is true, in their language: no loss of an outage, no keys in a sentence, names in English."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from pages_web import PASSWORD, PagesWeb, keep_fresh, pages_web
from sqlmodel import Session, select

from api.pages.queries.contacts import Contact
from api.pages.queries.roots import Root
from api.pages.queries.slow import slowness_of
from api.pages.queries.why import Why
from api.pages.render import number_at_end
from api.pages.why import facts_of
from inventory.database import Register
from inventory.history import DeviceBand, HistoryWriter
from inventory.models import Device, Line, LineSite, NodeKind, Outage, School, SchoolLevel, Site, State, Zone, utcnow
from inventory.regions import load_regions
from inventory.users import create_user


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesWeb]:
    with pages_web(tmp_path_factory.mktemp("looks")) as served:
        keep_fresh(served.register)
        yield served


def text_of(page: httpx.Response) -> str:
    assert page.status_code == 200, page.text[:2000]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def line_of(session: Session, name: str) -> Line:
    """The line of a school of the seeded province."""
    statement = select(Line).join(LineSite, LineSite.line_id == Line.id).join(Site, Site.id == LineSite.site_id)
    return session.exec(statement.join(School, School.id == Site.school_id).where(School.name == name)).first()


def test_the_loss_of_an_outage_is_no_loss_of_the_line(web: PagesWeb) -> None:
    now = utcnow()
    with web.register.session() as session:
        line = line_of(session, "小店区实验小学")
        assert line.end_device_id
        writer = HistoryWriter(session)
        for minutes, loss in ((50, 0.0), (30, 1.0), (10, 0.0)):
            at = now - timedelta(minutes=minutes)
            writer.put([DeviceBand(line.end_device_id, at, 0.01, 0.01, 0.01, loss, 60)])
        assert slowness_of(session, [line], now)[line.id or 0].loss
        out = {"kind": NodeKind.device, "node_id": line.end_device_id, "cause": "upstream"}
        since = now - timedelta(minutes=36)
        session.add(Outage(**out, from_at=since, until_at=now - timedelta(minutes=24)))
        session.flush()
        assert line.id not in slowness_of(session, [line], now)
        session.rollback()


@pytest.mark.parametrize(
    ("locale", "root", "cause", "call"),
    [
        ("zh", None, "原平市汇聚", "中国电信 政企客服 10000"),
        ("en", Root("Yuanping site", "aggregation"), "Yuanping site: aggregation", "China Telecom 政企客服 10000"),
        (
            "en",
            Root("Yuanping site", "telecom"),
            "Yuanping site: line of China Telecom",
            "China Telecom 政企客服 10000",
        ),
        ("en", Root("Yuanping site", ""), "Yuanping site: line", "China Telecom 政企客服 10000"),
    ],
)
def test_the_sentence_knows_the_words_of_its_reader(locale: str, root: Root | None, cause: str, call: str) -> None:
    school = School(name="原平市第一中学", name_en="Yuanping No. 1", level=SchoolLevel.primary)
    contact = Contact("carrier", "政企客服", "10000", "telecom", "SX-1")
    why = Why(school, State.down, None, 1, 0, None, "原平市汇聚", contact, root)
    facts = facts_of(why, locale, False)
    assert (facts.cause, facts.call) == (cause, call)


def test_a_carrier_of_another_name_is_called_as_it_is_registered() -> None:
    why = Why(School(name="某校"), State.down, None, 1, 0, None, "某线", Contact("carrier", "", "1", "长城宽带"))
    assert facts_of(why, "zh", False).call == "长城宽带 1"


@pytest.mark.parametrize(("name", "end"), [("一中 交换机12", " 12"), ("一中 网关", ""), ("S5130", " 5130"), ("", "")])
def test_of_several_devices_of_a_kind_the_name_says_which(name: str, end: str) -> None:
    assert number_at_end(name) == end


def test_english_pages_name_devices_and_lines_by_place_and_kind(web: PagesWeb) -> None:
    with web.register.session() as session:
        line = line_of(session, "小店区实验小学")
        device = session.get(Device, line.end_device_id)
        assert device is not None
        school = session.exec(select(School).where(School.name == "小店区实验小学")).one()
    english = web.as_("admin", "en")
    named = f"{school.name_en}: gateway"
    assert named in text_of(english.get(f"/devices?school={school.id}"))
    page = english.get(f"/devices/{device.id}")
    assert f"<title>{named}" in page.text
    assert device.name in page.text
    assert f"{school.name_en}: line of" in text_of(english.get("/lines", params={"q": line.name}))
    assert device.name in web.as_("admin").get(f"/devices/{device.id}").text.split("</h1>")[0]


def test_a_region_says_at_its_head_how_many_schools_are_connected(web: PagesWeb) -> None:
    said = text_of(web.as_("admin").get("/regions/140105")).split("最严重")[0]
    up, of = (int(part) for part in re.search(r"当前在线 (\d+) / (\d+)", said).groups())  # type: ignore[union-attr]
    rows = web.as_("admin").get("/schools", params={"region": "140105", "state": "up"})
    assert of >= up > 0
    assert f'正常 <span class="count">{up}</span>' in re.sub(r"\s+", " ", rows.text)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesWeb]:
    """A register with regions, a zone and an administrator, nothing else."""

    def only_regions(register: Register) -> None:
        with register.write() as session:
            load_regions(session)
            session.add(Zone(name="main", default=True))
            create_user(session, "admin", PASSWORD, role="administrator")

    with pages_web(tmp_path_factory.mktemp("empty"), only_regions) as served:
        yield served


def send(web: PagesWeb, step: str, locale: str = "zh", **fields: str) -> httpx.Response:
    client = web.as_("admin", locale)
    csrf = re.search(r'data-csrf="([^"]+)"', client.get("/start").text)
    assert csrf
    return client.post(f"/start/{step}", data={**fields, "csrf": csrf.group(1)})


def at_input(page: str, name: str) -> str:
    """What is said is wrong with the input of this id; "" nothing."""
    found = re.search(rf'<span class="wrong" id="{name}-wrong" role="alert">([^<]*)<', page)
    return found.group(1) if found else ""


@pytest.mark.parametrize(
    ("wrong", "at", "zh", "en"),
    [
        ({"ip": "10.1.2.300"}, "d-ip", "不是合法的 IP 地址", "is no IP address"),
        ({"snmp_port": "161x"}, "d-port", "应为整数", "should be a whole number"),
        ({"region": "149999"}, "d-region", "没有这条记录，或不在您的管辖范围", "there is no such one, or it is outside your part"),
        ({"school": "  "}, "d-school", "不能为空", "must not be empty"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_said_at_its_input_and_nothing_typed_is_lost(
    empty: PagesWeb, wrong: dict[str, str], at: str, zh: str, en: str
) -> None:
    typed = {
        "school": "上庄小学", "level": "junior", "region": "140105", "kind": "switch", "ip": "10.1.2.3", "snmp_port": "1161", "watch": "icmp",
    } | wrong  # fmt: skip
    for locale, said in (("zh", zh), ("en", en)):
        answer = send(empty, "device", locale, **typed)
        assert answer.status_code == 422
        assert at_input(answer.text, at) == said
        for name, value in typed.items():
            kept = rf'name="{name}" value="{re.escape(value.strip())}"'
            chosen = rf'value="{re.escape(value)}" selected'
            assert re.search(kept, answer.text) or re.search(chosen, answer.text) or wrong.get(name) == "149999", name
    with empty.register.session() as session:
        assert session.exec(select(School)).first() is None


def test_an_address_that_is_taken_is_said_at_the_address_and_the_county_stays_chosen(empty: PagesWeb) -> None:
    first = send(empty, "device", school="桥头小学", level="primary", region="140106", kind="gateway", ip="10.9.9.9")
    assert (first.status_code, first.headers["location"]) == (303, "/start?region=140106#seen")
    assert 'value="140106" selected' in empty.as_("admin").get("/start?region=140106").text
    again = send(empty, "device", school="南关小学", level="primary", region="140106", kind="gateway", ip="10.9.9.9")
    assert again.status_code == 422
    assert at_input(again.text, "d-ip") == "已被使用"
    assert 'name="school" value="南关小学"' in again.text


def test_a_wrong_zone_or_credential_keeps_what_was_typed_but_no_secret(empty: PagesWeb) -> None:
    zone = send(empty, "zone", name="县区二", references="10.0.0.1, 10.0.0.999")
    assert zone.status_code == 422
    assert at_input(zone.text, "z-ref") == "格式不正确"
    assert 'name="references" value="10.0.0.1, 10.0.0.999"' in zone.text
    other = send(empty, "credential", name="只读三", version="3", user="reader", auth_protocol="sha256", auth_key="k")
    assert other.status_code == 422
    assert 'name="user" value="reader"' in other.text
    assert 'value="sha256" selected' in other.text
    assert 'value="k"' not in other.text
