"""The message catalogues: Babel's .po files, read once and kept. Chinese first, English complete."""

from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from starlette.requests import Request

LOCALES: tuple[str, ...] = ("zh", "en")
"""Languages of the pages, the first is the default."""

COOKIE = "edunet_locale"

_FOLDER = Path(__file__).parent / "locales"


@lru_cache(maxsize=len(LOCALES))
def catalogue(locale: str) -> Translations:
    """The catalogue of `locale`, compiled in memory from `locales/LOCALE/LC_MESSAGES/pages.po`."""
    with (_FOLDER / locale / "LC_MESSAGES" / "pages.po").open("rb") as file:
        entries = read_po(file, locale=locale)
    compiled = BytesIO()
    write_mo(compiled, entries)
    compiled.seek(0)
    return Translations(compiled)


def choose_locale(request: Request, preferred: str = "") -> str:
    """The language of an answer: the cookie's, else the user's own, else the browser's, else Chinese."""
    for wanted in (request.cookies.get(COOKIE, ""), preferred):
        if wanted in LOCALES:
            return wanted
    for part in request.headers.get("accept-language", "").split(","):
        language = part.split(";")[0].strip().split("-")[0].lower()
        if language in LOCALES:
            return language
    return LOCALES[0]
