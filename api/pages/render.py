"""Templates: one Jinja environment for each language, autoescaped, kept for the life of the process."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from api.pages.signs import ORDER, SEVERITIES, STATES
from api.pages.static_files import asset_url
from api.pages.texts import LOCALES, catalogue

MOST_TEXTS = 4000
"""Texts kept ready in a language: words that no catalogue has could else fill the memory."""

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
    say = _speaker(texts.ugettext)
    env.filters.update(n=write_number, bps=write_rate, called=_namer(locale), share=write_share)
    env.filters["number_at_end"] = number_at_end
    env.filters["worded"] = _worder(say)
    # In place of the extension's own `_`, which looks its function up in the context at each of the hundreds of calls of a list.
    env.globals.update(
        {
            "_": say,
            "word": say,
            "asset": asset_url,
            "locale": locale,
            "comma": "、" if locale == "zh" else ", ",
            "STATES": STATES,
            "SEVERITIES": SEVERITIES,
            "ORDER": ORDER,
        }
    )
    return env


def _speaker(gettext: Callable[[str], str]) -> Callable[..., Markup]:
    """Texts by their message, safe in HTML: what fills them is escaped."""
    known: dict[str, Markup] = {}

    def say(message: str, **values: object) -> Markup:
        text = known.get(message)
        if text is None:
            found = gettext(message)
            # A message that no catalogue has may be somebody's word, as a carrier's name: it is not ours to trust.
            text = escape(message) if found == message else Markup(found)
            if len(known) < MOST_TEXTS:
                known[message] = text
        return text % values if values else text

    return say


def _worder(say: Callable[..., Markup]) -> Callable[..., list[tuple[str, str]]]:
    def worded(values: Iterable[str], prefix: str = "") -> list[tuple[str, str]]:
        """(value, text) of each: what a filter offers. A value that the catalogue does not know by `prefix`, as a carrier's name, is its own text."""
        texts = ((value, say(f"{prefix}{value}")) for value in map(str, values))
        return [(value, value if text == f"{prefix}{value}" else text) for value, text in texts]

    return worded


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


def number_at_end(name: str) -> str:
    """The figures that a name ends in, after a space: of several switches of a school, which; "" where there are none."""
    figures = name[len(name.rstrip("0123456789")) :]
    return f" {figures}" if figures else ""


def _namer(locale: str) -> Any:
    def called(thing: Any) -> str:
        """The name of a region, school or site in the page's language."""
        english = getattr(thing, "name_en", "") if locale == "en" else ""
        return str(english or thing.name)

    return called
