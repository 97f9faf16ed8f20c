"""Every text of the pages stands in both catalogues; none is written in a template or in code."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from api.pages.extraction import catalogue_file, find_texts
from api.pages.texts import LOCALES, catalogue

PAGES = Path(__file__).parents[2] / "api" / "pages"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def texts() -> set[object]:
    return set(find_texts())


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_translated(locale: str, texts: set[object]) -> None:
    with catalogue_file(locale).open("rb") as file:
        entries = read_po(file, locale=locale)
    known = {
        entry.id
        for entry in entries
        if entry.id and all([entry.string] if isinstance(entry.string, str) else entry.string)
    }
    missing = {text for text in texts if text not in known}
    assert not missing
    assert not {entry.id for entry in entries if entry.id and entry.id not in texts}, "texts that nothing uses"


def test_translations_keep_the_placeholders() -> None:
    for locale in LOCALES:
        with catalogue_file(locale).open("rb") as file:
            entries = read_po(file, locale=locale)
        for entry in entries:
            originals = [entry.id] if isinstance(entry.id, str) else list(entry.id)
            strings = [entry.string] if isinstance(entry.string, str) else list(entry.string)
            wanted = set(re.findall(r"%\((\w+)\)s", originals[-1]))
            for number, string in enumerate(strings if entry.id else []):
                named = set(re.findall(r"%\((\w+)\)s", string))
                # English may say the one without its number: "or what is above it".
                assert named == wanted or (number == 0 < len(strings) - 1 and named < wanted), (locale, entry.id)
                assert "%" not in re.sub(r"%\(\w+\)s", "", string), (locale, entry.id)


def test_the_chinese_catalogue_is_chinese() -> None:
    latin = {"/", "AP", "UPS", "English", "SNMP"}
    with catalogue_file("zh").open("rb") as file:
        for entry in read_po(file, locale="zh"):
            for string in [entry.string] if isinstance(entry.string, str) else entry.string:
                if entry.id and re.search(r"[A-Za-z]{2}", re.sub(r"%\(\w+\)s", "", string)):
                    assert CHINESE.search(string) or string in latin, entry.id


def test_the_english_catalogue_has_no_chinese() -> None:
    with catalogue_file("en").open("rb") as file:
        for entry in read_po(file, locale="en"):
            if entry.id != "language.other":
                assert not CHINESE.search(str(entry.string)), entry.id


@pytest.mark.parametrize(
    "path",
    sorted([*(PAGES / "templates").glob("*.html"), *(PAGES / "static").glob("*.js")]),
    ids=lambda path: path.name,
)
def test_no_chinese_stands_outside_the_catalogues(path: Path) -> None:
    text = path.read_text().replace("'、'", "").replace("replace('市', '')", "")
    assert not CHINESE.search(text)


@pytest.mark.parametrize("path", sorted((PAGES / "templates").glob("*.html")), ids=lambda path: path.name)
def test_no_english_words_stand_in_a_template(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->", " ", path.read_text(), flags=re.S)
    text = re.sub(r"<code[^>]*>.*?</code>|<option[^>]*>.*?</option>|<[^>]*>", " ", text, flags=re.S)
    words = set(re.findall(r"[A-Za-z]{3,}", text)) - {"SNMP", "UDP", "CSV", "XLSX", "MAC", "edunet"}
    assert not words


def test_words_of_the_signs_are_those_of_the_contract() -> None:
    zh = catalogue("zh").ugettext
    words = {
        "up": "正常",
        "down": "断网",
        "degraded": "劣化",
        "flapping": "抖动",
        "maintenance": "维护",
        "planned_off": "计划关闭",
        "not_seen": "未上线",
        "agent_silent": "无 SNMP",
        "doubtful": "存疑",
        "unknown": "未知",
    }
    assert {state: zh(f"state.{state}") for state in words} == words
