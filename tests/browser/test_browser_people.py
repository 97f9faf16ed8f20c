"""Who uses the pages otherwise than with a mouse on the whole province: somebody of one county, a keyboard alone, a printer."""

from collections.abc import Iterator

import pytest
from browser_site import OUTPUT, Site, number_of, until
from pages_server import keep_fresh

WALKED = (
    "/",
    "/schools",
    "/incidents/1",
    "/outages?correct=1&kind=school",
    "/silences",
    "/silences/new?q=hongdong",
    "/settings",
    "/settings/vantages/new",
    "/windows/new?kind=school&node_id=1",
    "/why?q=hongdong",
)

TAB = """() => {
  const one = document.activeElement;
  if (!one || one === document.body || one === document.documentElement) return null;
  const look = getComputedStyle(one), box = one.getBoundingClientRect();
  const inside = one.closest('.found');
  return {
    number: [...document.querySelectorAll('*')].indexOf(one), html: one.outerHTML.slice(0, 90),
    seen: look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) > 0 || look.boxShadow !== 'none' || one.type === 'date' || one.type === 'datetime-local',
    within: box.width > 0 && box.height > 0, sought: !!inside,
  };
}"""
"""What has the focus: which element, and whether one sees that it has it."""

REACHABLE = """() => [...document.querySelectorAll('main a[href], main button, main input:not([type=hidden]), main select, main textarea, main summary')]
  .filter((one) => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.tabIndex >= 0 && !one.closest('.found'))
  .filter((one) => one.type !== 'radio' || one.checked || !document.querySelector(`input[name="${one.name}"]:checked`))
  .map((one) => [[...document.querySelectorAll('*')].indexOf(one), one.outerHTML.slice(0, 90)])"""
"""What a mouse could click on; of radio buttons the chosen one, as the keyboard goes to it and by arrows on."""


@pytest.mark.parametrize("path", WALKED)
def test_the_keyboard_alone_reaches_everything_and_one_sees_where_it_is(site: Site, path: str) -> None:
    keep_fresh(site.register)
    page = site.open(path)
    page.wait_for_load_state("networkidle")
    wanted = dict(page.evaluate(REACHABLE))
    radios = page.locator("main input[type=radio]").count()
    visited: dict[int, str] = {}
    page.keyboard.press("Tab")
    first = page.evaluate(TAB)
    assert "skip" in first["html"], first
    for _ in range(len(wanted) * 3 + 120):
        page.keyboard.press("Tab")
        at = page.evaluate(TAB)
        if at is None:
            break
        assert at["seen"], at["html"]
        visited[at["number"]] = at["html"]
    missed = {number: html for number, html in wanted.items() if number not in visited}
    if radios:  # none is chosen: the keyboard goes to the first of a group
        missed = {number: html for number, html in missed.items() if 'type="radio"' not in html}
    assert not missed, missed
    site.check(page)


@pytest.fixture(scope="module")
def xiaodian(site: Site) -> object:
    """The session of somebody of Xiaodian's bureau."""
    before = site.state
    site.sign_in("xiaodian")
    session, site.state = site.state, before
    return session


@pytest.fixture
def county(site: Site, xiaodian: object) -> Iterator[Site]:
    """The site as somebody of Xiaodian's bureau sees it."""
    before, site.state = site.state, xiaodian
    yield site
    site.state = before


COUNTY_PAGES = {
    "board": "/",
    "schools": "/schools",
    "lines": "/lines",
    "devices": "/devices",
    "incidents": "/incidents",
    "outages": "/outages",
    "silences": "/silences",
    "windows": "/windows",
    "not-watched": "/not-watched",
    "settings": "/settings",
    "regions": "/regions",
    "why": "/why?q=hongdong",
    "legend": "/legend",
}


@pytest.mark.parametrize(("size", "locale"), [((1440, 900), "zh"), ((360, 780), "en")])
@pytest.mark.parametrize("name", COUNTY_PAGES)
def test_somebody_of_one_county_meets_no_error_and_nobody_elses_schools(
    county: Site, name: str, size: tuple[int, int], locale: str
) -> None:
    keep_fresh(county.register)
    page = county.open(COUNTY_PAGES[name], size, locale)
    page.screenshot(path=OUTPUT / f"county-{name}-{size[0]}-{locale}.png", full_page=size[0] == 360)
    text = page.inner_text("main")
    for other in ("Hongdong", "Pingcheng", "Yanhu") if locale == "en" else ("洪洞", "平城", "盐湖"):
        assert other not in text, other
    # What it may not do is not offered.
    assert page.locator("main form[method=post]").count() == 0
    county.check(page)


PRINTED = {
    "board": "/",
    "school": "洪洞县第一中学",
    "incident": "/incidents/1",
    "schools": "/schools?state=down",
    "outages": "/outages",
    "region": "/regions/140000",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PRINTED)
def test_a_page_on_paper_has_no_navigation_and_black_letters_on_white(site: Site, name: str, theme: str) -> None:
    keep_fresh(site.register)
    path = PRINTED[name] if PRINTED[name].startswith("/") else f"/schools/{number_of(site, PRINTED[name])}"
    page = site.open(path, (794, 1123), theme=theme)
    page.wait_for_load_state("networkidle")
    assert not site.problems, site.problems
    page.emulate_media(media="print", color_scheme=theme)
    page.screenshot(path=OUTPUT / f"print-{name}-{theme}.png", full_page=True)
    for part in ("header.top", "nav.mainnav", "form.filters", "footer.foot", "main .btn"):
        assert page.locator(part).locator("visible=true").count() == 0, part
    ground, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('main h1')).color]"
    )
    assert ground == "rgb(255, 255, 255)"
    assert sum(int(part) for part in ink[4:-1].split(",")[:3]) < 200, ink
    page.context.close()


def test_a_phone_sorts_a_list(site: Site) -> None:
    page = site.open("/schools", (360, 780))
    assert not page.is_visible("#f-sort")  # folded away: what was looked for stands in the first screen
    page.click("label[for=f-more]")
    page.select_option("#f-sort", "-pupils")
    page.wait_for_url("**/schools?*sort=-pupils*")
    until(page, "document.querySelector('td[data-label=学生数]').textContent.trim().replace(',', '') > 1900")
    site.check(page)
    page = site.open("/schools")
    assert not page.is_visible("#f-sort")  # here the heads sort
    site.check(page)
