"""The register's texts for users, in Chinese and English: `locales/zh/LC_MESSAGES/inventory.po`, of which English is the key.

The catalogue is read as it is (.po) by Babel at first use; nothing need be compiled. A test finds texts without translation.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any, Literal

Language = Literal["zh", "en"]

CATALOGUE = Path(__file__).parent / "locales" / "zh" / "LC_MESSAGES" / "inventory.po"


def language() -> Language:
    """The language of a command: EDUNET_LANG (zh or en), else LC_ALL, LC_MESSAGES, LANG; Chinese where one of these is, else English."""
    for name in ("EDUNET_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "").lower()
        if value:
            return "zh" if value.startswith("zh") else "en"
    return "en"


def say(text: str, lang: Language | None = None, /, **params: Any) -> str:
    """`text` in a language (None: that of the command), with its {params} filled in."""
    known = text if (lang or language()) == "en" else _chinese().get(text, text)
    return known.format(**params) if params else known


@cache
def _chinese() -> dict[str, str]:
    from babel.messages.pofile import read_po

    with CATALOGUE.open("rb") as file:
        return {
            str(message.id): str(message.string)
            for message in read_po(file, locale="zh")
            if message.id and message.string
        }
