"""The files that the pages load: vendored with checksums and licences, nothing from another host, no inline script, colours that can be read."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from api.pages.signs import STATES
from api.pages.static_files import asset_url, load_asset

PAGES = Path(__file__).parents[2] / "api" / "pages"
TEMPLATES = sorted((PAGES / "templates").glob("*.html"))
OWN_FILES = [*TEMPLATES, *sorted((PAGES / "static").iterdir()), PAGES / "vendor" / "tabler.css"]


def test_vendored_files_are_those_of_the_list() -> None:
    listed = tomllib.loads((PAGES / "vendor" / "vendor.toml").read_text())["file"]
    there = {path.name for path in (PAGES / "vendor").iterdir() if path.suffix in (".js", ".css")}
    assert {row["name"] for row in listed} == there
    for row in listed:
        data = (PAGES / "vendor" / row["name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"], row["name"]
        assert len(data) == row["bytes"]
        assert len((PAGES / "vendor" / row["licence_file"]).read_text()) > 300, row["licence_file"]


@pytest.mark.parametrize("path", OWN_FILES, ids=lambda path: path.name)
def test_no_file_refers_to_another_host(path: Path) -> None:
    text = path.read_text().replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")
    text = re.sub(r"/\*!.*?\*/", "", text, flags=re.S)
    assert not re.findall(r"""(?:https?:)?//[a-z0-9-]+\.[a-z]{2,}""", text)
    assert "@import" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_inline_script_or_style(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe\b", text)


def test_addresses_of_files_carry_their_checksum() -> None:
    asset = load_asset("edunet.css")
    assert asset is not None
    assert asset_url("edunet.css") == f"/assets/edunet.css?v={hashlib.sha256(asset.plain).hexdigest()[:12]}"
    assert load_asset("../routes.py") is None
    assert load_asset("vendor.toml") is None


def _themes() -> dict[str, dict[str, str]]:
    css = (PAGES / "static" / "edunet.css").read_text()
    light = re.search(r":root \{(.*?)\n\}", css, re.S).group(1)
    system = re.search(r':root:not\(\[data-theme="light"\]\) \{(.*?)\n\} \}', css, re.S).group(1)
    chosen = re.search(r':root\[data-theme="dark"\] \{(.*?)\n\}', css, re.S).group(1)
    found = {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for name, block in (("light", light), ("dark", system), ("chosen dark", chosen))
    }
    assert found["dark"] == found["chosen dark"]
    return found


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.1, 1.4.3)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_sign_can_be_read_on_its_grounds(theme: str) -> None:
    colours = _themes()[theme]
    for state in STATES:
        for ground in ("sheet", "ground", "hover", f"{state}-soft"):
            assert contrast(colours[state], colours[ground]) >= 4.5, f"{state} on {ground}, {theme}"
    for ink in ("ink", "soft", "brand"):
        for ground in ("sheet", "ground", "sunk", "hover", "down-soft"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, f"{ink} on {ground}, {theme}"
    for heat in ("heat-0", "heat-1", "heat-2"):
        assert contrast(colours["ink"], colours[heat]) >= 4.5, f"{heat}, {theme}"
    for heat in ("heat-3", "heat-4"):
        assert contrast("#ffffff", colours[heat]) >= 4.5, f"{heat}, {theme}"


def test_no_two_signs_share_a_colour() -> None:
    grey = {"not_seen", "not_watched"}
    for colours in _themes().values():
        shown = [colours[state] for state in STATES if state not in grey]
        assert len(set(shown)) == len(shown)
