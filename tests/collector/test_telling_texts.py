"""Every text of a message stands in the catalogue, with the same parameters; nothing stands there that is never said."""

import ast
import re
from pathlib import Path
from string import Formatter

from collector.telling import messages
from collector.telling.texts import chinese, say
from collector.telling.values import SEVERITIES

TELLING = Path(messages.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff，、；：【]")

TABLES = {
    *messages.KINDS.values(),
    *messages.CAUSES.values(),
    *messages._MARKS.values(),
    *(text for text, _ in messages._COUNTS),
    *messages._UNITS,
    *messages._CUT_OFF,
    *SEVERITIES,
}
"""Texts that are said out of a table."""


def _said(call: ast.Call) -> set[tuple[str, str]]:
    """(context, text) of one call of `say` with its texts in plain sight."""
    context = call.args[2].value if len(call.args) > 2 and isinstance(call.args[2], ast.Constant) else ""
    first = call.args[0]
    choices = [first.body, first.orelse] if isinstance(first, ast.IfExp) else call.args[:1]
    return {
        (str(context), one.value) for one in choices if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


def texts() -> set[tuple[str, str]]:
    found = {("", text) for text in TABLES}
    for path in TELLING.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                found |= _said(node)
    # `_mark` falls back on it where an event has no mark of its own
    return found | {("", "[{kind}, {severity}{flapping}] ")}


def test_every_text_is_translated_and_no_translation_is_left_over() -> None:
    known = {entry for entry, text in chinese().items() if text}
    assert sorted(texts() - known) == []
    assert sorted(known - texts()) == []


def test_parameters_are_the_same_in_both_languages() -> None:
    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert [entry for entry, text in chinese().items() if names(entry[1]) != names(text)] == []


def test_chinese_stands_in_the_catalogue_alone() -> None:
    assert [entry for entry, text in chinese().items() if not CHINESE.search(text)] == []
    for path in TELLING.glob("*.py"):
        strings = [
            node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) for node in ast.walk(node)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]  # fmt: skip
        assert [text for text in strings if CHINESE.search(text)] == [], path.name


def test_what_is_not_in_the_catalogue_is_said_as_it_is() -> None:
    assert say("a {braced} word of a rule", "zh") == "a {braced} word of a rule"
    assert say(", ", "zh", "names") == "、"
    assert say(", ", "en", "names") == ", "
