"""Finds every text of the pages, and brings the catalogues up to date: `python -m api.pages.extraction`.

New texts are added empty, those that nothing uses are taken out; translations are kept. English texts are their own translation.
"""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from api.pages.texts import LOCALES
from api.pages.words import WORDS

_HERE = Path(__file__).parent
_METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
_OPTIONS = {
    "templates/**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "silent": "false", "newstyle_gettext": "true"}
}
_KEYWORDS = {"self._": None, "_": None, "gettext": None, "ngettext": (1, 2), "text": None, "number_text": (1, 2)}

Message = str | tuple[str, ...]


def find_texts(folder: Path = _HERE) -> Iterator[Message]:
    """Every text: a message, or (singular, plural)."""
    for _, _, message, _, _ in extract_from_dir(folder, _METHODS, _OPTIONS, _KEYWORDS):
        yield message if isinstance(message, str) else tuple(message)
    yield from WORDS


def catalogue_file(locale: str) -> Path:
    """The .po file of a language."""
    return _HERE / "locales" / locale / "LC_MESSAGES" / "pages.po"


def update(locale: str) -> Catalog:
    """The catalogue of a language brought up to date, and written."""
    path = catalogue_file(locale)
    old = Catalog(locale=locale)
    if path.exists():
        with path.open("rb") as file:
            old = read_po(file, locale=locale)
    new = Catalog(locale=locale, project="edunet", charset="utf-8", fuzzy=False)
    for message in sorted(set(find_texts()), key=str):
        key = message if isinstance(message, str) else message[0]
        known = old.get(key)
        new.add(message, known.string if known and known.string else _own(locale, message))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, new, width=140, omit_header=False, sort_output=True, include_previous=False)
    return new


def _own(locale: str, message: Message) -> Message:
    """English needs no translation of its own sentences; keys such as `state.down` do."""
    if locale == "en" and not (isinstance(message, str) and message in WORDS and "." in message):
        return message
    return "" if isinstance(message, str) else ("",)


if __name__ == "__main__":
    for _locale in LOCALES:
        update(_locale)
