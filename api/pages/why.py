"""Why is this school down? Answered in one sentence from its name or code."""

from babel.support import Translations
from fastapi import APIRouter
from starlette.responses import Response

from api.pages.frame import Frame, PageFrame
from api.pages.queries.roots import Root
from api.pages.queries.why import Why, ask_why
from api.pages.texts import catalogue
from api.sentences import Facts, sentence

router = APIRouter(include_in_schema=False)

SHOWN, OFFERED = 12, 6
"""Schools on the page, and under the search box, at most."""


@router.get("/why")
def show_why(frame: PageFrame) -> Response:
    """The sentence of the school that `q` means; several: a sentence for each, the worst first."""
    text = frame.request.query_params.get("q", "").strip()[:120]
    found = ask_why(frame.session, frame.scope, text, frame.locale, SHOWN)
    return frame.page("why.html", text=text, found=[(one, tell(frame, one)) for one in found])


@router.get("/why/quick")
def show_quick(frame: PageFrame) -> Response:
    """The same under the search box, while it is typed into."""
    text = frame.request.query_params.get("q", "").strip()[:120]
    found = ask_why(frame.session, frame.scope, text, frame.locale, OFFERED) if len(text) > 1 else []
    return frame.page("why_quick.html", text=text, found=[(one, tell(frame, one)) for one in found])


def tell(frame: Frame, why: Why) -> str:
    """One sentence on a school."""
    return sentence(
        facts_of(why, frame.locale, frame.freshness.stale),
        "zh" if frame.locale == "zh" else "en",
        frame.now,
        frame.clock.zone,
    )


def facts_of(why: Why, locale: str, stale: bool) -> Facts:
    """What the sentence tells."""
    words = catalogue(locale)
    contact = why.contact
    said = (_carrier(words, contact.operator), contact.name, contact.phone) if contact else ()
    name = (why.school.name_en if locale == "en" else "") or why.school.name
    cause = _root_name(words, why.root) if why.root and why.cause else why.cause
    return Facts(name, why.state, why.since, stale, cause, " ".join(part for part in said if part))


def _carrier(words: Translations, operator: str) -> str:
    """The carrier's name by the register's word; another's as it stands."""
    said = str(words.gettext(f"operator.{operator}"))
    return operator if said == f"operator.{operator}" else said


def _root_name(words: Translations, root: Root) -> str:
    """What failed as the pages call it: the place, then the kind of device or whose line."""
    if root.what == "school":
        return root.at
    kind = str(words.gettext(f"kind.{root.what}"))
    if kind == f"kind.{root.what}":
        line = words.gettext("line of %(carrier)s") % {"carrier": _carrier(words, root.what)}
        kind = line if root.what else words.gettext("node.line")
    return f"{root.at}: {kind}"
