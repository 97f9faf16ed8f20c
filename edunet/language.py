"""The command's own words in Chinese: its help, and click's and typer's frames (usage, errors), by `locales/zh/LC_MESSAGES/command.po`.

English is the key, as in `inventory/words.py`, which also says which language a command speaks. A test finds what lacks a translation.
"""

import gettext
import re
from functools import cache
from pathlib import Path
from typing import Any

from inventory.words import language

CATALOGUE = Path(__file__).parent / "locales" / "zh" / "LC_MESSAGES" / "command.po"


@cache
def chinese() -> dict[str, str]:
    """The catalogue: English text to Chinese."""
    from babel.messages.pofile import read_po

    with CATALOGUE.open("rb") as file:
        found = read_po(file, locale="zh")
    return {str(message.id): str(message.string) for message in found if message.id and message.string}


def speak() -> None:
    """Let click and typer speak the command's language. To be called before either is imported: they ask gettext by name."""
    if language() != "zh":
        return
    known, one, several = chinese(), gettext.gettext, gettext.ngettext

    def say(message: str) -> str:
        return known.get(message) or one(message)

    def count(msgid1: str, msgid2: str, n: int) -> str:
        return known.get(msgid2) or several(msgid1, msgid2, n)

    # Not a .mo file: gettext would look for it by LANGUAGE alone and know nothing of EDUNET_LANG.
    gettext.gettext, gettext.ngettext = say, count


SENTENCES = (
    "No such command {name}. Did you mean {others}?",
    "No such command {name}.",
    "No such option: {name} (Possible options: {others})",
    "No such option: {name}",
    "Missing command.",
    "Missing argument {name}.",
    "Missing option {name}.",
    "Invalid value for {name}: {message}",
    "Invalid value: {message}",
    "Got unexpected extra argument(s) ({rest})",
    "Option {name} requires an argument.",
    "Option {name} does not take a value.",
    "Value {value} is not a valid {kind}.",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be a valid number, unable to parse string as a number",
    "Input should be greater than or equal to {least}",
    "Input should be less than or equal to {most}",
    "{label} {name} does not exist.",
    "{label} {name} is a directory.",
)
"""What typer says of wrong use in English alone: its copy of click has no gettext. The first that fits counts."""


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    known = chinese()
    found = []
    for sentence in SENTENCES:
        parts = re.split(r"\{(\w+)\}", sentence)
        pattern = "".join(f"(?P<{part}>.+)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
        found.append((re.compile(pattern, re.DOTALL), known.get(sentence, sentence)))
    return tuple(found)


def in_language(sentence: str) -> str:
    """One of typer's `SENTENCES` in the command's language; any other as it is."""
    if language() != "zh":
        return sentence
    for pattern, chinese_one in _patterns():
        match = pattern.fullmatch(sentence)
        if match:
            return chinese_one.format(**{name: in_language(text) for name, text in match.groupdict().items()})
    return sentence


def texts_of(command: Any) -> list[str]:
    """All texts of a click command and its subcommands that its help shows."""
    found = [command.help or "", command.short_help or "", *(getattr(p, "help", None) or "" for p in command.params)]
    for each in getattr(command, "commands", {}).values():
        found += texts_of(each)
    return [text for text in found if text]


def translate(command: Any) -> None:
    """Put the help of a click command and of its subcommands into the command's language."""
    if language() != "zh":
        return
    known = chinese()
    command.help = known.get(command.help, command.help)
    command.short_help = known.get(command.short_help, command.short_help)
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = known.get(parameter.help, parameter.help)
    for each in getattr(command, "commands", {}).values():
        translate(each)
