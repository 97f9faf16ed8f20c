"""Answers kept for a moment are never older than the register, and never one person's in another's hands."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Web
from sqlmodel import Session, select
from starlette.responses import Response

from api import keeping
from api.keeping import CSRF_MARK, NAME_MARK, Commits, Keeper
from inventory.models import School, User

PAGES = ("/", "/schools", "/lines", "/devices", "/incidents", "/schools/1", "/devices/1", "/lines/1", "/regions/140105")


@pytest.fixture(autouse=True)
def _kept_for_long(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing gets too old here, so that only the register's change can make an answer anew."""
    monkeypatch.setattr(keeping, "KEEP_S", 3600.0)
    return


def test_a_commit_of_anybody_is_told(any_web: Web) -> None:
    web = any_web
    commits = Commits(web.register)
    before = commits.mark()
    assert before is not None
    assert commits.mark() == before
    with web.register.write() as session:
        session.exec(select(School)).first().pupils = 4321  # type: ignore[union-attr]  # there are schools
    assert commits.mark() != before
    commits.close()


def test_an_answer_is_made_once_until_something_changes(web: Web) -> None:
    keeper, made = Keeper(web.register), []
    answers = [keeper.answer("list", lambda: made.append(1) or Response(b"one")).body for _ in range(3)]
    assert answers == [b"one"] * 3
    assert len(made) == 1
    with web.register.write() as session:
        session.exec(select(School)).first().pupils = 99  # type: ignore[union-attr]
    assert keeper.answer("list", lambda: Response(b"two")).body == b"two"
    keeper.commits.close()


def test_what_changed_while_an_answer_was_made_makes_the_next_one_anew(any_web: Web) -> None:
    web = any_web
    keeper = Keeper(web.register)

    def make() -> Response:
        with web.register.write() as session:
            session.exec(select(School)).first().pupils = 77  # type: ignore[union-attr]
        return Response(b"before")

    assert keeper.answer("list", make).body == b"before"
    assert keeper.answer("list", lambda: Response(b"after")).body == b"after"
    keeper.commits.close()


def test_a_failed_answer_is_not_kept(web: Web) -> None:
    keeper = Keeper(web.register)
    assert keeper.answer("x", lambda: Response(b"gone", 404)).status_code == 404
    assert keeper.answer("x", lambda: Response(b"here")).body == b"here"
    keeper.commits.close()


def test_twenty_people_at_once_cost_one(web: Web) -> None:
    keeper, made = Keeper(web.register), []
    with ThreadPoolExecutor(20) as pool:
        bodies = list(
            pool.map(lambda _: keeper.answer("list", lambda: made.append(1) or Response(b"one")).body, range(20))
        )
    assert bodies == [b"one"] * 20
    assert len(made) == 1
    keeper.commits.close()


def test_a_new_school_stands_in_a_list_that_was_just_read(web: Web) -> None:
    client = web.client("root")
    before = client.get("/api/v1/schools?limit=200").json()["items"]
    body = {"name": "新来的小学", "level": "primary", "place_id": web.province.counties[0]}
    assert client.post("/api/v1/schools", json=body).status_code == 201
    after = client.get("/api/v1/schools?limit=200").json()["items"]
    assert len(after) == len(before) + 1
    assert "新来的小学" in web.sign_in("root").get("/schools?q=新来的").text


def test_nobody_sees_another_ones_name_or_token(web: Web) -> None:
    with web.register.write() as session:
        rename(session, "reader", 'r<b>"')
    people = [web.sign_in("root"), web.sign_in('r<b>"')]
    for page in PAGES:
        texts = [person.get(page).text for person in people]
        tokens = [re.search(r'data-csrf="([^"]+)"', text).group(1) for text in texts]  # type: ignore[union-attr]
        assert tokens == [person.headers["x-csrf-token"] for person in people], page
        for text in texts:
            assert CSRF_MARK not in text, page
            assert NAME_MARK not in text, page
        assert "r&lt;b&gt;&#34;" in texts[1] or "r&lt;b&gt;&quot;" in texts[1], page
        assert ['<span class="wide">root</span>' in text for text in texts] == [True, False], page


def test_two_administrators_share_a_page_and_not_its_parts_outside_their_subtrees(web: Web) -> None:
    whole, county = web.sign_in("root"), web.sign_in("county")
    outside = "gw-1-1"
    assert outside in whole.get("/devices").text
    assert outside not in county.get("/devices").text
    assert outside not in web.client("county").get("/api/v1/devices").text
    assert outside in web.client("root").get("/api/v1/devices").text


def test_headers_do_not_pile_up_on_a_kept_answer(web: Web) -> None:
    client = web.client("root")
    answers = [client.get("/api/v1/schools") for _ in range(3)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3
    assert all(len(answer.headers.get_list("x-request-id")) == 1 for answer in answers)


def rename(session: Session, name: str, new: str) -> None:
    """Give a user another name."""
    session.exec(select(User).where(User.name == name)).one().name = new
