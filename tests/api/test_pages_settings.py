"""The pages of settings: a list and a form for each kind of thing, by the rules of the calls; who may, within which part."""

import html
import re
from collections.abc import Iterator

import httpx
import pytest
from pages_web import PASSWORD, PagesWeb, pages_web, sign_in
from sqlmodel import select

from api.pages.settings.pages import PAGES
from inventory.models import (
    AuditEntry,
    CauseRule,
    Contact,
    Delivery,
    Duty,
    EscalationStep,
    Outlet,
    Region,
    School,
    utcnow,
)
from inventory.users import create_user

FORMS: dict[str, dict[str, object]] = {
    "outlets": {"kind": "wecom", "name": "省中心群", "config.url": "https://robot.example/send?key=s3cret", "least_severity": "major",
                "language": "zh", "per_minute": "20", "enabled": "1"},
    "notice-rules": {"name": "单所学校", "position": "10", "classes": ["school"], "times": "class", "delay_s": "180", "night": "morning",
                     "least_schools": "0", "least_pupils": "0", "raise_by": "0", "enabled": "1", "severity": ""},
    "escalation": {"level": "city", "severity": "minor", "after_minutes": "30", "enabled": "1"},
    "contacts": {"name": "王值班", "phone": "13800000000", "mail": "wang@edu.example", "school_id": "小店区实验小学"},
    "roster": {"contact_id": "1", "from_at": "2026-11-23T08:00", "until_at": "2026-11-23T20:00", "weekly": "1", "position": "1"},
    "terms": {"name": "2026 秋季学期", "first_on": "2026-09-01", "last_on": "2027-01-22", "levels": ["primary", "junior"]},
    "class-hours": {"name": "小学作息", "spans": "08:00-11:40，14:00-17:20", "weekdays": ["1", "2", "3", "4", "5"]},
    "special-days": {"name": "雪天停课", "kind": "holiday", "first_on": "2026-12-08", "last_on": "2026-12-09", "as_weekday": ""},
    "exams": {"name": "高考", "from_at": "2027-06-07T08:00", "until_at": "2027-06-07T17:00", "levels": ["senior"]},
    "habits": {"school_id": "小店区实验小学", "kind": "night", "off_from": "21:30", "off_until": "22:30", "on_by": "07:30"},
    "degraded-rules": {"name_zh": "教学点丢包", "measure": "line_loss_percent", "severity": "minor", "raise_at": "10", "clear_at": "5.5",
                       "raise_after_s": "120", "clear_after_s": "300", "raise_rounds": "2", "clear_rounds": "2", "during": "always",
                       "at_least": "1", "levels": ["teaching_point"], "enabled": "1"},
    "asking": {"name": "老款摄像机", "position": "10", "vendor": "hik*", "model": "*", "pause_ms": "100", "enabled": "1"},
    "vantages": {"name": "datong", "place": "大同，移动专线", "zone_id": "1", "references": "10.2.0.1", "enabled": "1"},
    "walls": {"name": "大厅", "locale": "zh"},
}  # fmt: skip
"""What is typed into each form for a new row."""

ORDER = [page for page in PAGES if page.name != "roster"] + [page for page in PAGES if page.name == "roster"]
"""A turn needs a person."""


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesWeb]:
    with pages_web(tmp_path_factory.mktemp("settings")) as served:
        with served.register.write() as session:
            here = session.exec(select(Region).where(Region.code == "140105")).one().id
            create_user(session, "countyadmin", PASSWORD, role="administrator", region_id=here)
        yield served


def token(client: httpx.Client) -> str:
    return re.search(r'data-csrf="([^"]+)"', client.get("/legend").text).group(1)


def post(client: httpx.Client, path: str, **fields: object) -> httpx.Response:
    return client.post(path, data={"csrf": token(client), **fields})


def fields_of(page: str) -> dict[str, list[str]]:
    """What a form would send as it stands."""
    form = re.search(r'<form class="form" method="post".*?</form>', page, re.S).group(0)
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input\b[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or "checked" in tag):
            found.setdefault(name.group(1), []).append(html.unescape(value.group(1)) if value else "on")
    for name, inner in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.findall(r'<option value="([^"]*)" selected>', inner)
        found[name] = [html.unescape(chosen[0])] if chosen else [""]
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S):
        found[name] = [html.unescape(text)]
    return found


@pytest.mark.parametrize("page", ORDER, ids=lambda page: page.name)
def test_a_thing_is_made_shown_changed_and_taken_away_by_form(web: PagesWeb, page: object) -> None:
    client = web.as_("admin")
    if page.resource.create is not None:
        made = post(client, f"{page.path}/new", **FORMS[page.name])
        assert made.status_code in (200, 303), re.findall(
            r'class="wrong"[^>]*>([^<]+)|<b>([^<]+)</b></span></p>', made.text
        )
    listed = client.get(page.path)
    assert listed.status_code == 200
    found = re.findall(rf'class="thing" href="{page.path}/(\d+)"', listed.text)
    assert found
    number = max(map(int, found))
    shown = client.get(f"{page.path}/{number}")
    assert shown.status_code == 200
    if page.resource.update is not None:
        sent = fields_of(shown.text)
        for name, value in FORMS.get(page.name, {}).items():
            if name in sent and not name.startswith("config"):
                wanted = [str(one) for one in value] if isinstance(value, list) else [str(value)]
                assert set(sent[name]) == set(wanted) or name == "spans", name
        again = client.post(f"{page.path}/{number}", data=sent)
        assert again.status_code == 303, re.findall(r'class="wrong"[^>]*>([^<]+)', again.text)
        late = client.post(f"{page.path}/{number}", data={**sent, "match": '"999"'})
        assert late.status_code == 422
        assert "已被他人修改" in late.text


def test_every_page_of_settings_is_complete_in_both_languages(web: PagesWeb) -> None:
    for locale, word in (("zh", "设置"), ("en", "Settings")):
        client = web.as_("admin", locale)
        index = client.get("/settings").text
        assert word in index
        for page in PAGES:
            assert f'href="{page.path}"' in index, page.name
            assert client.get(page.path).status_code == 200, page.name
            if page.resource.create is not None:
                new = client.get(f"{page.path}/new")
                assert new.status_code == 200, page.name
                if locale == "zh":
                    assert "<form" in new.text or page.choose


def test_a_viewer_looks_and_may_not_act(web: PagesWeb) -> None:
    viewer = web.as_("xiaodian")
    assert viewer.get("/settings").status_code == 200
    for page in PAGES:
        secret = page.resource.readers == "administrators"
        assert viewer.get(page.path).status_code == (403 if secret else 200), page.name
        assert viewer.get(f"{page.path}/new").status_code in (403, 404, 422), page.name
        if page.name in FORMS:
            assert post(viewer, f"{page.path}/new", **FORMS[page.name]).status_code == 403, page.name
        assert f"{page.path}/new" not in viewer.get(page.path).text, page.name
    assert viewer.get("/deliveries").status_code == 403


def test_forms_need_the_sessions_token(web: PagesWeb) -> None:
    client = web.as_("admin")
    for page in PAGES:
        if page.name in FORMS:
            assert client.post(f"{page.path}/new", data=FORMS[page.name]).status_code == 403, page.name


def test_an_administrator_of_a_county_sets_only_what_is_its_own(web: PagesWeb) -> None:
    client = sign_in(web.address, "countyadmin")
    with web.register.session() as session:
        ids = {code: session.exec(select(Region).where(Region.code == code)).one().id for code in ("140105", "141024")}
    for region, status in (("", 422), (ids["141024"], 422), (ids["140105"], 303)):
        answer = post(client, "/settings/terms/new", **{**FORMS["terms"], "name": "县里的", "region_id": region})
        assert answer.status_code == status, region
        answer = post(client, "/settings/escalation/new", **{**FORMS["escalation"], "region_id": region})
        assert answer.status_code == status, region
    assert post(client, "/settings/exams/new", **{**FORMS["exams"], "school_id": "洪洞县第一中学"}).status_code == 422
    assert "洪洞县" not in client.get("/settings/exams/new").text
    assert post(client, "/settings/asking/new", **FORMS["asking"]).status_code == 403
    client.close()


def test_the_secret_of_a_way_out_is_never_shown_and_stays_when_nothing_is_typed(web: PagesWeb) -> None:
    client = web.as_("admin")
    post(client, "/settings/outlets/new", **{**FORMS["outlets"], "name": "密钥"})
    with web.register.session() as session:
        row = session.exec(select(Outlet).where(Outlet.name == "密钥")).one()
        sealed = row.secret
        assert not [one for one in session.exec(select(AuditEntry)) if "s3cret" in str(one.after)]
    shown = client.get(f"/settings/outlets/{row.id}")
    assert "s3cret" not in shown.text
    assert "robot.example" in shown.text
    sent = {**fields_of(shown.text), "note": ["改备注"]}
    assert client.post(f"/settings/outlets/{row.id}", data=sent).status_code == 303
    with web.register.session() as session:
        kept = session.get_one(Outlet, row.id)
        assert (kept.secret, kept.note) == (sealed, "改备注")
    wrong = post(client, "/settings/outlets/new", **{**FORMS["outlets"], "name": "坏", "config.url": "no address"})
    assert wrong.status_code == 422
    assert "no address" not in wrong.text


class Robot:
    """In the collector's place: takes test messages."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []

    def test_outlet(self, number: int, by: str) -> dict[str, object]:
        self.asked.append((number, by))
        return {"as_of": 1.0, "ok": False, "outlet": "省中心群", "answer": "errcode 93000", "wall_s": 0.1}


def test_a_test_message_shows_what_the_far_side_said(web: PagesWeb) -> None:
    client = web.as_("admin")
    with web.register.session() as session:
        number = session.exec(select(Outlet)).first().id
    headers = {"hx-request": "true", "x-csrf-token": token(client)}
    assert "采集程序没有应答" in client.post(f"/settings/outlets/{number}/test", headers=headers).text
    link, robot = web.app.state.link, Robot()
    web.app.state.link = robot
    try:
        said = client.post(f"/settings/outlets/{number}/test", headers=headers).text
    finally:
        web.app.state.link = link
    assert "errcode 93000" in said
    assert robot.asked == [(number, "admin")]
    assert post(web.as_("xiaodian"), f"/settings/outlets/{number}/test").status_code == 403


def test_a_rule_is_switched_on_and_off_from_the_list(web: PagesWeb) -> None:
    client = web.as_("admin")
    post(client, "/settings/escalation/new", **FORMS["escalation"])
    with web.register.session() as session:
        number = session.exec(select(EscalationStep)).first().id
    for wanted in (False, True):
        assert post(client, f"/settings/escalation/{number}/switch", match="*").status_code == 303
        with web.register.session() as session:
            assert session.get_one(EscalationStep, number).enabled is wanted
    assert post(web.as_("xiaodian"), f"/settings/escalation/{number}/switch", match="*").status_code == 403


def test_a_cause_counts_against_nobody_until_it_is_approved_here(web: PagesWeb) -> None:
    client = web.as_("admin")
    with web.register.session() as session:
        rule = session.exec(select(CauseRule)).first()
        assert not rule.approved
    assert post(client, f"/settings/cause-rules/{rule.id}/switch", match="*").status_code == 303
    with web.register.session() as session:
        row = session.get_one(CauseRule, rule.id)
        assert (row.approved, row.approved_by) == (True, "admin")
    assert post(client, "/settings/cause-rules/new").status_code in (404, 405, 422)


def test_the_roster_says_who_is_on_duty_now_and_in_each_week(web: PagesWeb) -> None:
    client = web.as_("admin")
    now = utcnow()
    with web.register.write() as session:
        person = Contact(name="李在岗")
        session.add(person)
        session.flush()
        begin = now.replace(hour=0, minute=0)
        session.add(
            Duty(
                contact_id=person.id,
                from_at=begin.replace(year=2025),
                until_at=begin.replace(year=2025, hour=23, minute=59),
                weekly=True,
            )
        )
        hour = now.replace(minute=0, second=0)
        session.add(Duty(contact_id=person.id, from_at=hour.replace(year=2025), until_at=now.replace(year=2030)))
    page = client.get("/settings/roster").text
    assert re.search(r"当前值班.*李在岗", page, re.S)
    assert "李在岗" in client.get("/settings/roster?week=2026-03-02").text
    assert client.get("/settings/roster?week=nonsense").status_code == 200


def test_the_log_of_deliveries_is_listed_filtered_and_taken_away(web: PagesWeb) -> None:
    with web.register.write() as session:
        outlet = session.exec(select(Outlet)).first()
        for status, error in (("sent", ""), ("dropped", "no route")):
            session.add(Delivery(outlet_id=outlet.id, outlet=outlet.name, incident_id=1, event="opened", queued_at=utcnow(),
                                 due_at=utcnow(), sent_at=utcnow(), delay_s=3.5, status=status, error=error, body="洪洞县断网"))  # fmt: skip
    client = web.as_("admin")
    assert client.get("/deliveries").text.count("<tr>") == 3
    assert client.get("/deliveries?state=dropped").text.count("<tr>") == 2
    assert "no route" in client.get(f"/deliveries?outlet={outlet.id}&format=csv").text
    assert "no route" in client.get(f"/settings/outlets/{outlet.id}").text


def test_schools_are_offered_while_a_name_is_typed_and_only_the_own(web: PagesWeb) -> None:
    params = {"field": "school_id", "school_id": "shiyan"}
    offered = web.as_("admin").get("/settings/offer/schools", params=params).text
    assert "小店区实验小学" in offered
    assert "洪洞县" not in web.as_("xiaodian").get("/settings/offer/schools", params=params).text
    with web.register.session() as session:
        assert session.exec(select(School).where(School.name == "小店区实验小学")).one()


def test_deleting_names_what_goes_and_leaves_an_audit_entry(web: PagesWeb) -> None:
    client = web.as_("admin")
    post(client, "/settings/terms/new", **{**FORMS["terms"], "name": "要删除的"})
    number = max(
        map(int, re.findall(r'class="thing" href="/settings/terms/(\d+)"', client.get("/settings/terms").text))
    )
    shown = client.get(f"/settings/terms/{number}").text
    assert "“要删除的”将被移除" in shown
    version = fields_of(shown)["match"][0]
    assert post(client, f"/settings/terms/{number}/delete", match='"77"').status_code == 409
    assert post(client, f"/settings/terms/{number}/delete", match=version).status_code == 303
    assert client.get(f"/settings/terms/{number}").status_code == 404
    with web.register.session() as session:
        last = session.exec(select(AuditEntry).where(AuditEntry.action == "delete")).all()[-1]
        assert (last.resource, last.resource_id, last.before["name"]) == ("terms", number, "要删除的")


def test_the_month_shows_which_days_have_classes_and_where_the_known_years_end(web: PagesWeb) -> None:
    client = web.as_("admin")
    october = client.get("/settings/calendar?month=2026-10").text
    cells = re.findall(r'<td class="(\w+)[^"]*">.*?</td>', october, re.S)
    assert "国庆节" in october
    assert {"classes", "holiday", "off"} <= set(cells)
    assert "尚未收录" not in october
    far = client.get("/settings/calendar?month=2040-03").text
    assert "2040 年的法定节假日尚未收录" in far
    assert "2040" in web.as_("admin", "en").get("/settings/calendar?month=2040-03").text
    assert client.get("/settings/calendar?month=nonsense&region=999999&school=x").status_code == 200
    post(
        client,
        "/settings/special-days/new",
        name="校庆停课",
        kind="holiday",
        school_id="小店区实验小学",
        first_on="2026-11-11",
        last_on="2026-11-11",
    )
    of_school = client.get("/settings/calendar", params={"month": "2026-11", "school": "小店区实验小学"}).text
    assert "校庆停课" in of_school
    assert "校庆停课" not in client.get("/settings/calendar?month=2026-11").text
    viewer = web.as_("xiaodian")
    assert viewer.get("/settings/calendar").status_code == 200
    assert "洪洞" not in viewer.get("/settings/calendar?school=洪洞县第一中学").text.replace(
        'value="洪洞县第一中学"', ""
    ).replace("“洪洞县第一中学”", "")
