"""Why is this school down? Answered in one sentence from its name or code."""

from fastapi import APIRouter
from starlette.responses import Response

from api.pages.frame import Frame, PageFrame
from api.pages.queries.why import Why, ask_why
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
    contact = why.contact
    call = " ".join(part for part in (contact.operator, contact.name, contact.phone) if part) if contact else ""
    name = (why.school.name_en if locale == "en" else "") or why.school.name
    return Facts(name, why.state, why.since, stale, why.cause, call)
