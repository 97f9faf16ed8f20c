"""Templates: one Jinja environment for each language, autoescaped, kept for the life of the process."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.pages.signs import ORDER, SEVERITIES, STATES
from api.pages.static_files import asset_url
from api.pages.texts import LOCALES, catalogue

_FOLDERS: list[str] = [str(Path(__file__).parent / "templates")]


def add_templates(folder: Path) -> None:
    """Let templates of `folder` be rendered too (they may extend `base.html`): for parts above, such as the demonstration."""
    if str(folder) not in _FOLDERS:
        _FOLDERS.append(str(folder))
        environment.cache_clear()


@lru_cache(maxsize=len(LOCALES))
def environment(locale: str) -> Environment:
    """The environment of one language, with its texts and filters."""
    env = Environment(
        loader=FileSystemLoader(list(_FOLDERS)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    texts = catalogue(locale)
    env.install_gettext_callables(texts.ugettext, texts.ungettext, newstyle=True)  # type: ignore[attr-defined]  # by the i18n extension
    env.filters.update(n=write_number, bps=write_rate, called=_namer(locale), share=write_share)
    env.globals.update(
        asset=asset_url, locale=locale, STATES=STATES, SEVERITIES=SEVERITIES, ORDER=ORDER, word=texts.ugettext
    )
    return env


def render(locale: str, template: str, context: Mapping[str, Any]) -> str:
    """`template` in the language `locale`."""
    return environment(locale).get_template(template).render(context)


def write_number(value: float | int | None, places: int = 0) -> str:
    """With thousands separated; an unknown one is a dash, never 0."""
    return "–" if value is None else f"{value:,.{places}f}"


def write_rate(value: float | None) -> str:
    """Bits per second with three figures and a unit: `23.4 Mbit/s`."""
    if value is None:
        return "–"
    for size, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")):
        if value >= size:
            shown = value / size
            return f"{shown:.{0 if shown >= 100 or shown == int(shown) else 1}f} {unit}"
    return f"{value:.0f} bit/s"


def write_share(part: float, whole: float) -> str:
    """A share in percent, never rounded up to 100 or down to 0."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.01:
        return "<0.01 %"
    if 99.99 < percent < 100:
        return ">99.99 %"
    return f"{percent:.2f}".rstrip("0").rstrip(".") + " %"


def _namer(locale: str) -> Any:
    def called(thing: Any) -> str:
        """The name of a region, school or site in the page's language."""
        english = getattr(thing, "name_en", "") if locale == "en" else ""
        return str(english or thing.name)

    return called
