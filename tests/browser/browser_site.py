"""Debian's Chromium, signed in to the seeded application: what the tests of pages share."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pages_seed import PASSWORD, seed_province
from pages_server import make_register, serve_pages
from settings_seed import seed_settings
from sqlmodel import select

from inventory.database import Register
from inventory.models import School

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OUTPUT = Path(__file__).parents[1] / "output"


@dataclass
class Site:
    """The seeded application, and a browser that is signed in to it."""

    address: str
    register: Register
    browser: sync_api.Browser
    state: object = None
    problems: list[str] = field(default_factory=list)

    def open(
        self,
        path: str,
        size: tuple[int, int] = (1440, 900),
        locale: str = "zh",
        theme: str = "light",
        script: bool = True,
    ) -> sync_api.Page:
        """A page in a fresh context; what its console, its network and its scripts complain of is noted in `problems`."""
        self.problems.clear()
        context = self.browser.new_context(
            storage_state=self.state, viewport={"width": size[0], "height": size[1]}, color_scheme=theme, java_script_enabled=script,
            locale="zh-CN" if locale == "zh" else "en-US",
        )  # fmt: skip
        context.add_cookies([{"name": "edunet_locale", "value": locale, "url": self.address}])
        page = context.new_page()
        page.on(
            "console",
            lambda message: self.problems.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on(
            "request",
            lambda request: self.problems.append(request.url) if _is_foreign(request.url, self.address) else None,
        )
        page.on(
            "response",
            lambda answer: self.problems.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
        )
        page.goto(self.address + path)
        return page

    def sign_in(self, name: str) -> None:
        """From here on, pages are opened by this user."""
        self.state = None
        page = self.open("/schools")
        assert page.url.endswith("/login?next=%2Fschools")
        page.screenshot(path=OUTPUT / "sign-in.png")
        page.fill("#name", name)
        page.fill("#password", PASSWORD)
        page.click("form[action='/login'] button")
        page.wait_for_url("**/schools")
        self.state = page.context.storage_state()
        self.check(page)

    def check(self, page: sync_api.Page) -> None:
        """No complaint, and nothing sticks out sideways."""
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, page.url
        assert not self.problems, self.problems
        page.context.close()


def until(page: sync_api.Page, expression: str, seconds: float = 20) -> None:
    """Wait until a JavaScript expression is true. Playwright's own wait_for_function needs eval in the page, which our policy refuses."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"never true: {expression}"
        page.wait_for_timeout(50)


def _is_foreign(url: str, address: str) -> bool:
    return urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != urlsplit(address).netloc


@contextmanager
def a_site(directory: Path) -> Iterator[Site]:
    """A seeded application on a free port, and a browser that its administrator is signed in with."""
    register = make_register(directory / "edunet.db")
    seed_province(register)
    seed_settings(register)
    OUTPUT.mkdir(exist_ok=True)
    with serve_pages(register, directory) as (address, _app), sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        site = Site(address, register, browser)
        site.sign_in("admin")
        yield site
        browser.close()
    register.close()


def number_of(site: Site, name: str) -> int:
    with site.register.session() as session:
        return session.exec(select(School).where(School.name == name)).one().id or 0
