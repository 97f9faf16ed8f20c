"""The messages' texts: `locales/zh/LC_MESSAGES/telling.po`, of which English is the key. Each message has the language of its outlet.

A text that is one in English and several in Chinese has a context (msgctxt). A test names what has no translation, and what nothing says any more.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal

Language = Literal["zh", "en"]

CATALOGUE = Path(__file__).parent / "locales" / "zh" / "LC_MESSAGES" / "telling.po"


def say(text: str, language: Language, context: str = "", /, **params: Any) -> str:
    """`text` in a language, with its {params} filled in. What is not in the catalogue (a rule's own words) is said as it is."""
    known = text if language == "en" else chinese().get((context, text), text)
    return known.format(**params) if params else known


@cache
def chinese() -> dict[tuple[str, str], str]:
    """The catalogue: (context, English) to Chinese."""
    from babel.messages.pofile import read_po

    with CATALOGUE.open("rb") as file:
        found = read_po(file, locale="zh")
    return {(one.context or "", str(one.id)): str(one.string) for one in found if one.id and one.string}
