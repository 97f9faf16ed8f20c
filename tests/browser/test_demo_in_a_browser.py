"""The whole program as a person meets it: `edunet up`, the one-time link, a county cut and mended by the page's buttons."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser_site import CHROMIUM, FLAGS, OUTPUT

sync_api = pytest.importorskip("playwright.sync_api")

COUNTY, CITY = "140428", "140400"
"""Zhangzi, of which no standing fault of the demonstration takes anything."""
PATIENCE = 120.0
"""Seconds for the start of everything on a slow machine."""
ON_THE_BOARD = 15.0
"""Seconds within which the board must show what was cut (the project's promise)."""

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Debian's chromium is not installed")

WORDS = {"zh": ("长子县", "断网"), "en": ("Zhangzi", "outage")}


@dataclass
class Province:
    """A running demonstration, and a browser that is signed in to it."""

    address: str
    browser: sync_api.Browser
    state: object

    def open(self, path: str, size: tuple[int, int], locale: str) -> sync_api.Page:
        context = self.browser.new_context(
            storage_state=self.state,
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN" if locale == "zh" else "en-US",
        )
        context.add_cookies([{"name": "edunet_locale", "value": locale, "url": self.address}])
        page = context.new_page()
        page.goto(self.address + path)
        return page


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def until(page: sync_api.Page, expression: str, seconds: float, what: str) -> float:
    """Wait until a JavaScript expression is true; the seconds that it took."""
    begin = time.monotonic()
    while not page.evaluate(expression):
        assert time.monotonic() - begin < seconds, f"{what}: not within {seconds} s\n{page.inner_text('body')[:2000]}"
        page.wait_for_timeout(200)
    return time.monotonic() - begin


def link_of(process: subprocess.Popen[bytes], output: Path) -> str:
    """The one-time link that the program prints."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = re.search(r"http://\S+/login/link/\S+", output.read_text(errors="replace"))
        if found:
            return found.group()
        assert process.poll() is None, output.read_text(errors="replace")
        time.sleep(0.2)
    raise AssertionError(output.read_text(errors="replace"))


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """`edunet up` in a state directory of its own, on free ports; ended by what Ctrl-C sends."""
    directory: Path = tmp_path_factory.mktemp("up")
    page_port, snmp_port = free_ports(2)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("EDUNET_")},
        "EDUNET_STATE_DIR": str(directory / "state"),
        "EDUNET_API__LISTEN": f"127.0.0.1:{page_port}",
        "EDUNET_DEMO__SNMP_PORT": str(snmp_port),
    }
    program = Path(sys.executable).with_name("edunet")
    output = directory / "output"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [program, "up"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        link = link_of(process, output)
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            yield Province(f"http://127.0.0.1:{page_port}", browser, sign_in(browser, link))
            browser.close()
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


def sign_in(browser: sync_api.Browser, link: str) -> object:
    """Follow the one-time link and press its button: a page that is merely looked at spends no link."""
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(link)
    page.click("main form button")
    page.wait_for_url(lambda url: "/login" not in url)
    state = context.storage_state()
    page.goto(link)
    if page.locator("main form button").count():
        page.click("main form button")
    assert page.locator("#live").count() == 0, "the link worked twice"
    context.close()
    return state


def watched(page: sync_api.Page) -> None:
    """Wait until the board is live and most schools are known to answer."""
    ready = "!!document.querySelector('#live[data-stale=\"0\"]') && +document.querySelector('#live').dataset.down < 100"
    until(page, ready, PATIENCE, "the board is live")


def press(province: Province, do: str, locale: str, size: tuple[int, int]) -> None:
    """The button of the county on the demonstration's page."""
    page = province.open("/demo", size, locale)
    button = page.locator(f"form[action='/demo/{do}'] button[data-node='{COUNTY}']").first
    if not button.is_visible():
        page.locator(f"details:has(button[data-node='{COUNTY}']) > summary").first.click()
    button.click()
    page.wait_for_url(f"**/demo?done={do}*")
    page.screenshot(path=OUTPUT / f"demo-{do}-{locale}-{size[0]}.png")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.context.close()


@pytest.mark.parametrize(("locale", "size"), [("zh", (1440, 900)), ("en", (360, 780))])
def test_a_county_is_cut_and_mended_by_the_page(province: Province, locale: str, size: tuple[int, int]) -> None:
    OUTPUT.mkdir(exist_ok=True)
    county, outage = WORDS[locale]
    board = province.open("/", size, locale)
    watched(board)
    rows = (
        f"[...document.querySelectorAll('table.incidents tbody tr')].filter(row => row.innerText.includes('{county}'))"
    )
    until(board, f"{rows}.length === 0", PATIENCE, "the county is well before")
    press(province, "cut", locale, size)
    until(board, f"{rows}.length > 0", ON_THE_BOARD, "the county is on the board")
    schools = f"{rows}.map(row => +(row.querySelector('.big')?.innerText ?? 0)).reduce((a, b) => a + b, 0)"
    until(board, f"{schools} >= 10", PATIENCE, "with all its schools")
    text = board.evaluate(f"{rows}.map(row => row.innerText).join('|')")
    assert outage in text
    board.screenshot(path=OUTPUT / f"demo-board-cut-{locale}-{size[0]}.png")
    assert board.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    press(province, "mend", locale, size)
    until(board, f"{rows}.length === 0", PATIENCE, "the county is gone from the board")
    board.screenshot(path=OUTPUT / f"demo-board-mended-{locale}-{size[0]}.png")
    board.context.close()
