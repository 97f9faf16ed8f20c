"""No text of the register without its translation, and the same parameters in both languages."""

import re
from pathlib import Path

import pytest

from inventory.imports import KINDS
from inventory.imports.problems import MESSAGES
from inventory.vantages import STATES
from inventory.words import _chinese, language, say

ROOT = Path(__file__).parents[2]
SOURCES = [*(ROOT / "inventory").rglob("*.py"), *(ROOT / "edunet" / "commands" / f"{name}.py" for name in ("imports", "zone", "credential", "user", "outages", "outlet", "check", "version", "vantage")), ROOT / "edunet" / "registry.py", ROOT / "edunet" / "mishaps.py", ROOT / "edunet" / "secrets_input.py"]  # fmt: skip


def _texts() -> set[str]:
    found = set(MESSAGES.values()) | set(STATES)
    found |= {column.help_en for kind in KINDS.values() for column in kind.columns if column.required}
    for path in SOURCES:
        source = path.read_text(encoding="utf-8")
        found |= set(re.findall(r'read_secret\([^()]*, "([a-z ]+)"\)', source))
        found |= set(re.findall(r'\b(?:say|Words|_Text)\(\s*"((?:[^"\\]|\\.)*)"', source))
    return found


def test_every_text_is_translated() -> None:
    assert sorted(text for text in _texts() if text not in _chinese()) == []


def test_no_translation_is_left_over() -> None:
    assert sorted(set(_chinese()) - _texts()) == []


def test_parameters_are_the_same_in_both_languages() -> None:
    wrong = [
        text
        for text, chinese in _chinese().items()
        if set(re.findall(r"{\w+}", text)) != set(re.findall(r"{\w+}", chinese))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "C", "EDUNET_LANG": "zh"}, "zh"),
    ],
)
def test_the_language_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("EDUNET_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == expected
    assert say("row {row}", None, row=3) == {"zh": "第 3 行", "en": "row 3"}[expected]
