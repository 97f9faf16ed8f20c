"""The pages in Debian's Chromium: looked at in every size, language and theme; nothing from outside, no error, no sideways scrolling."""

import os
from datetime import timedelta

import pytest
from browser_site import OUTPUT, Site, number_of, until
from pages_server import keep_fresh
from sqlmodel import select

from inventory.models import Feed, Incident, NodeState, School, State, WallLink, utcnow
from inventory.users import hash_token

FIRST_VISIT, LATER_VISIT = 150 * 1024, 30 * 1024
"""Bytes on the wire of a page without charts (PAGES.md, Phone)."""

PAGES = {
    "board": "/",
    "schools": "/schools",
    "lines": "/lines",
    "devices": "/devices",
    "school-down": "洪洞县第一中学",
    "school-up": "小店区实验小学",
    "device": "/devices?kind=gateway",
    "incident": "/incidents/1",
    "region": "/regions/140000",
    "start": "/start",
    "legend": "/legend",
}


@pytest.mark.parametrize(("locale", "theme"), [("zh", "light"), ("en", "dark")])
@pytest.mark.parametrize(("size", "label"), [((1440, 900), "1440"), ((360, 780), "360")])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_and_complains_of_nothing(
    site: Site, name: str, size: tuple[int, int], label: str, locale: str, theme: str
) -> None:
    keep_fresh(site.register)
    path = PAGES[name] if PAGES[name].startswith("/") else f"/schools/{number_of(site, PAGES[name])}"
    page = site.open(path, size, locale, theme)
    if name == "device":
        page.click("a.thing >> nth=9")
        page.wait_for_selector("#device-live")
    if name == "school-up":
        page.locator("[data-curve]").last.scroll_into_view_if_needed()  # curves are loaded when they come near
        page.wait_for_selector("[data-curve='rtt'] canvas", state="attached")
    page.screenshot(path=OUTPUT / f"{name}-{label}-{locale}-{theme}.png", full_page=label == "360")
    site.check(page)


MORE_PAGES = {
    "incidents": "/incidents",
    "correcting": "/incidents?correct=1",
    "why": "/why?q=hongdong",
    "windows": "/windows",
    "window-new": "/windows/new?kind=school&node_id=1",
    "not-watched": "/not-watched",
    "settings": "/settings",
    "outlets": "/settings/outlets",
    "outlet": "/settings/outlets/1",
    "notice-rules": "/settings/notice-rules",
    "roster": "/settings/roster",
    "exam-new": "/settings/exams/new",
    "degraded-rules": "/settings/degraded-rules",
    "cause-rules": "/settings/cause-rules",
    "wall-links": "/settings/walls",
    "vantage-points": "/settings/vantages",
    "vantage-new": "/settings/vantages/new",
    "vantage": "/settings/vantages/1",
    "outages": "/outages",
    "outages-correcting": "/outages?correct=1&kind=school",
    "silences": "/silences",
    "silence-new": "/silences/new?q=hongdong",
    "silence-of-a-school": "/silences/new?subject=school:1",
    "deliveries": "/deliveries",
    "calendar": "/settings/calendar?month=2026-10",
    "diagnose": "/devices/1/diagnose",
}
"""Looked at once on a desktop and once on a phone; with EDUNET_ALL_PICTURES, in both languages on both."""

LOOKS = [((1440, 900), "zh", "light"), ((360, 780), "en", "dark")]
if os.environ.get("EDUNET_ALL_PICTURES"):
    LOOKS += [((1440, 900), "en", "dark"), ((360, 780), "zh", "light")]


@pytest.mark.parametrize(("size", "locale", "theme"), LOOKS)
@pytest.mark.parametrize("name", MORE_PAGES)
def test_another_page_fits_and_complains_of_nothing(
    site: Site, name: str, size: tuple[int, int], locale: str, theme: str
) -> None:
    keep_fresh(site.register)
    page = site.open(MORE_PAGES[name], size, locale, theme)
    page.screenshot(path=OUTPUT / f"{name}-{size[0]}-{locale}-{theme}.png", full_page=size[0] == 360)
    site.check(page)


CLIPPED = """() => {
  const right = document.querySelector('.incidents').closest('.sheet').getBoundingClientRect().right;
  return [...document.querySelectorAll('.call a')].filter((one) => one.getBoundingClientRect().right > right)
    .concat([...document.querySelectorAll('.tile')].filter((one) => one.scrollHeight > one.clientHeight + 1)).map((one) => one.outerHTML);
}"""
"""Numbers to call and counties of a wall that are not to be read in whole: nobody scrolls there."""


@pytest.mark.parametrize(("size", "locale", "theme"), LOOKS)
@pytest.mark.parametrize(
    ("blind", "said"),
    [
        (
            "main",
            {
                "zh": "采集程序看不见，由观测点看到：main（太原）",
                "en": "The collector is blind; others see: main (太原)",
            },
        ),
        (
            "dmz",
            {
                "zh": "采集程序看不见，也没有别处看得见：dmz",
                "en": "The collector cannot see, and nobody else does: dmz",
            },
        ),
    ],
)
def test_the_board_says_who_sees_when_the_collector_is_blind(
    site: Site, blind: str, said: dict[str, str], size: tuple[int, int], locale: str, theme: str
) -> None:
    keep_fresh(site.register)
    with site.register.write() as session:
        session.get_one(Feed, "rounds").detail = {"method": "raw", "self_ok": False, "blind": [blind]}
    page = site.open("/", size, locale, theme)
    page.screenshot(path=OUTPUT / f"board-blind-{blind}-{size[0]}-{locale}-{theme}.png", full_page=size[0] == 360)
    assert page.inner_text("#live .banner:not([hidden]) b").strip() == said[locale]
    site.check(page)
    wall = site.open("/?wall=1", (1920, 1080), locale, theme)
    wall.screenshot(path=OUTPUT / f"wall-blind-{blind}-{locale}-{theme}.png")
    with site.register.write() as session:
        session.get_one(Feed, "rounds").detail = {"method": "raw", "self_ok": True, "blind": []}
    assert wall.evaluate("document.documentElement.scrollHeight - window.innerHeight") <= 0
    assert wall.evaluate(CLIPPED) == []
    site.check(wall)


@pytest.mark.parametrize("size", [(1920, 1080), (3840, 2160)])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_wall_fills_its_screen_without_scrolling(site: Site, size: tuple[int, int], theme: str) -> None:
    keep_fresh(site.register)
    page = site.open("/?wall=1", size, theme=theme)
    page.screenshot(path=OUTPUT / f"wall-{size[0]}-{theme}.png")
    assert page.evaluate("document.documentElement.scrollHeight - window.innerHeight") <= 0
    value = page.eval_on_selector(".tally .value", "element => parseFloat(getComputedStyle(element).fontSize)")
    assert value >= size[0] * 0.04
    assert page.locator("header, nav, form").count() == 0
    assert page.evaluate(CLIPPED) == []
    site.check(page)


def test_a_wall_whose_data_are_old_says_so_and_still_fills_its_screen(site: Site) -> None:
    with site.register.write() as session:
        for row in session.exec(select(Feed)):
            row.at = utcnow() - timedelta(minutes=5)
    page = site.open("/?wall=1", (1920, 1080))
    page.wait_for_selector("body.is-stale")
    page.screenshot(path=OUTPUT / "wall-stale.png")
    assert "看板数据已过时" in page.inner_text("#live")
    assert page.evaluate("document.documentElement.scrollHeight - window.innerHeight") <= 0
    site.check(page)


def test_a_wall_whose_server_is_gone_says_so_by_its_own_clock(site: Site) -> None:
    """Opened by a link, without signing in: the same page, and it has no stream of events."""
    keep_fresh(site.register)
    with site.register.write() as session:
        session.add(WallLink(name="大厅", token_hash=hash_token("w" * 43)))
    signed_in, site.state = site.state, None
    page = site.open("/wall/" + "w" * 43, (1920, 1080))
    site.state = signed_in
    page.screenshot(path=OUTPUT / "wall-link.png")
    assert page.locator("header, nav, form").count() == 0
    assert not site.problems
    assert not page.is_visible("[data-gone]")
    page.route("**/*", lambda route: route.abort())
    page.evaluate("document.getElementById('live').dataset.at = new Date(Date.now() - 600000).toISOString()")
    page.wait_for_selector("body.is-stale", timeout=20_000)
    assert "服务器没有应答" in page.inner_text("[data-gone]")
    page.context.close()


def test_the_board_changes_by_itself_and_greys_when_its_data_are_old(site: Site) -> None:
    keep_fresh(site.register)
    page = site.open("/")
    page.wait_for_selector("#live")
    assert "8 所学校断网" in page.inner_text("h1")
    with site.register.write() as session:
        school = session.exec(select(School).where(School.name == "小店区实验小学")).one()
        state = session.get_one(NodeState, ("school", school.id))
        state.state = State.down
        for row in session.exec(select(Feed)):
            row.at = utcnow()
    until(page, "document.querySelector('h1').textContent.includes('9')")
    with site.register.write() as session:
        session.get_one(NodeState, ("school", school.id)).state = State.up
        for row in session.exec(select(Feed)):
            row.at = utcnow() - timedelta(minutes=5)
    page.wait_for_selector("body.is-stale", timeout=20_000)
    assert "看板数据已过时" in page.inner_text("#live")
    page.screenshot(path=OUTPUT / "board-stale.png")
    keep_fresh(site.register)
    page.wait_for_selector("body:not(.is-stale)", timeout=25_000)
    site.check(page)


def test_the_keyboard_leads_everywhere(site: Site) -> None:
    keep_fresh(site.register)
    page = site.open("/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.is_visible("dialog#help")
    page.screenshot(path=OUTPUT / "help.png")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/schools")
    page.keyboard.press("g")
    page.keyboard.press("b")
    page.wait_for_url(site.address + "/")
    site.check(page)


def test_filters_work_with_htmx_and_stay_in_the_address(site: Site) -> None:
    page = site.open("/schools")
    page.fill("#f-q", "hongdong")
    page.wait_for_url("**/schools?*q=hongdong*")
    until(page, "document.querySelectorAll('a.thing').length === 6")
    page.reload()
    assert page.locator("a.thing").count() == 6
    page.click(".chip.on .x")
    until(page, "document.querySelectorAll('a.thing').length === 50")
    site.check(page)


def test_reading_works_without_script(site: Site) -> None:
    page = site.open("/schools?state=down", script=False)
    assert page.locator("a.thing").count() == 8
    page.select_option("#f-level", "primary")
    page.click("button[data-plain]")
    assert page.locator("a.thing").count() == 2
    page.click("a.thing >> nth=0")
    assert "断网" in page.inner_text(".verdict")
    page.context.close()


def test_the_theme_is_changed_at_once_and_kept(site: Site) -> None:
    page = site.open("/legend")
    page.click(".tools summary")
    page.click("[data-theme-choice=dark]")
    until(page, "document.cookie.includes('edunet_theme=dark')")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    site.check(page)


@pytest.mark.parametrize("path", ["/", "/schools", "/incidents/1"])
def test_a_page_is_light(site: Site, path: str) -> None:
    keep_fresh(site.register)
    page = site.open("/legend", (360, 780))
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    for limit, first in ((FIRST_VISIT, True), (LATER_VISIT, False)):
        if first:
            session.send("Network.clearBrowserCache")
        sizes.clear()
        page.goto(site.address + path)
        page.wait_for_load_state("load")
        assert 0 < sum(sizes) <= limit, (path, sum(sizes))
    site.check(page)


def test_targets_are_large_on_a_phone(site: Site) -> None:
    keep_fresh(site.register)
    for path in (
        "/",
        "/schools",
        "/incidents",
        "/incidents/1",
        "/windows",
        "/windows/new",
        "/settings/outlets",
        "/settings/outlets/1",
        "/not-watched",
    ):
        page = site.open(path, (360, 780))
        small = page.evaluate(
            """[...document.querySelectorAll('main button, main input:not([type=hidden]):not([type=radio]):not([type=checkbox]), main select, .preset, .check, .switch, .mainnav a, .chip, .btn, .tile, .tools summary, .call a')]
            .map((one) => [one.getBoundingClientRect(), one.outerHTML.slice(0, 90)]).filter(([box]) => box.width && box.height < 43.5).map(([, html]) => html)"""
        )
        assert not small, small
        site.check(page)


def test_an_incident_names_what_it_cuts_off(site: Site) -> None:
    with site.register.session() as session:
        number = session.exec(select(Incident).where(Incident.severity == "critical")).one().id
    page = site.open(f"/incidents/{number}")
    assert page.locator("a.thing").count() == 6
    site.check(page)
