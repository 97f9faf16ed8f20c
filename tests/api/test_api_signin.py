"""Signing in and out, sessions and their ends, CSRF, tokens, links, passwords."""

from contextlib import closing
from datetime import timedelta

import httpx
import pytest
from conftest import PASSWORD, Web, running
from sqlalchemy import update

from api.security import COOKIE, PRE_COOKIE
from api.sessions import Ends, is_over
from api.settings import ApiSettings
from api.signin import safe_next
from api.throttle import FREE_TRIES, Throttle
from inventory.models import LoginSession, utcnow
from inventory.users import find_user, make_login_link, reset_password


def _post_login(client: httpx.Client, name: str, password: str, **more: str) -> httpx.Response:
    client.get("/login")
    return client.post("/login", data={"name": name, "password": password, "csrf": client.cookies[PRE_COOKIE], **more})


def test_signing_in_gives_a_cookie_that_no_script_reads_and_leads_on(own_web: Web) -> None:
    client = own_web.client()
    answer = _post_login(client, "root", PASSWORD, next="/schools?q=x")
    assert (answer.status_code, answer.headers["location"]) == (303, "/schools?q=x")
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith(COOKIE))
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "secure" not in cookie.lower()
    me = client.get("/api/v1/me").json()
    assert (me["name"], me["via"], bool(me["csrf"])) == ("root", "session", True)
    out = client.post("/logout", data={"csrf": me["csrf"]})
    assert out.status_code == 303
    assert client.get("/api/v1/me").status_code == 401


def test_the_cookie_is_secure_behind_tls(own_web: Web) -> None:
    settings = ApiSettings(behind_tls=True)
    with running(own_web.register, own_web.state_dir, settings) as url, httpx.Client(base_url=url) as client:
        page = client.get("/login")
        csrf = page.headers["set-cookie"].split("=", 1)[1].split(";")[0]
        answer = client.post(
            "/login",
            data={"name": "root", "password": PASSWORD, "csrf": csrf},
            headers={"cookie": f"{PRE_COOKIE}={csrf}"},
        )
        assert answer.status_code == 303
        assert all("Secure" in value for value in answer.headers.get_list("set-cookie"))


def test_a_wrong_name_and_a_wrong_password_read_the_same(own_web: Web) -> None:
    for name, password in (("root", "wrong"), ("nobody", PASSWORD), ("", "")):
        answer = _post_login(own_web.client(**{"accept-language": "en"}), name, password)
        assert answer.status_code == 401
        assert answer.json()["title"] == "The name or the password is wrong"
    page = _post_login(own_web.client(accept="text/html"), "root", "wrong")
    assert page.status_code == 401
    assert page.headers["content-type"].startswith("text/html")


def test_signing_in_needs_the_token_of_its_form(own_web: Web) -> None:
    client = own_web.client()
    client.get("/login")
    body = {"name": "root", "password": PASSWORD}
    assert client.post("/login", data=body).status_code == 403
    assert client.post("/login", data={**body, "csrf": "x"}).status_code == 403
    client.cookies.clear()
    assert client.post("/login", data={**body, "csrf": ""}).status_code == 403


def test_many_wrong_passwords_make_everyone_at_that_name_wait(own_web: Web) -> None:
    client = own_web.client()
    statuses = [_post_login(client, "looker", "wrong").status_code for _ in range(FREE_TRIES + 1)]
    assert statuses == [401] * FREE_TRIES + [429]
    waiting = _post_login(client, "looker", PASSWORD)
    assert waiting.status_code == 429
    assert 1 <= int(waiting.headers["retry-after"]) <= 60
    page = _post_login(own_web.client(accept="text/html"), "looker", PASSWORD)
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) >= 1


def test_the_wait_doubles_is_bounded_and_forgotten() -> None:
    throttle = Throttle(longest=60)
    waits = []
    for number in range(14):
        throttle.fail("a", float(number * 100))
        waits.append(throttle.wait("a", float(number * 100)))
    assert waits[: FREE_TRIES - 1] == [0.0] * (FREE_TRIES - 1)
    assert waits[FREE_TRIES - 1 : FREE_TRIES + 4] == [2, 4, 8, 16, 32]
    assert waits[-1] == 60
    assert throttle.wait("b", 0) == 0
    throttle.fail("a", 1e6)
    assert throttle.wait("a", 1e6) == 0, "an hour later it counts anew"
    throttle.succeed("a")
    assert throttle.wait("a", 1e6) == 0


def test_the_throttle_keeps_a_bounded_memory() -> None:
    throttle = Throttle(longest=60, size=3)
    for key in "abcd":
        for _ in range(FREE_TRIES):
            throttle.fail(key, 0)
    assert [throttle.wait(key, 0) > 0 for key in "abcd"] == [False, True, True, True]


def test_a_cookie_needs_its_csrf_token_for_every_change(web: Web) -> None:
    with closing(web.sign_in("root")) as client:
        token = client.headers.pop("x-csrf-token")
        body = {"name": "x", "place_id": web.province.counties[0]}
        assert client.get("/api/v1/schools").status_code == 200
        for headers in ({}, {"x-csrf-token": ""}, {"x-csrf-token": "wrong"}):
            answer = client.post("/api/v1/schools", json=body, headers=headers)
            assert answer.status_code == 403
            assert answer.json()["type"].endswith(":csrf")
        assert client.post("/logout", data={"csrf": "wrong"}).status_code == 403
        right = client.post("/api/v1/schools", json={**body, "name": ""}, headers={"x-csrf-token": token})
        assert right.status_code == 422


def test_sessions_end_when_idle_and_in_any_case() -> None:
    now, ends = utcnow(), Ends(timedelta(hours=1), timedelta(hours=10))
    minute = timedelta(minutes=1)
    assert not is_over(now - 9 * 60 * minute, now - 59 * minute, now, ends)
    assert is_over(now - 9 * 60 * minute, now - 61 * minute, now, ends)
    assert is_over(now - 601 * minute, now, now, ends)


def test_a_page_that_refreshes_itself_does_not_keep_a_session_alive(own_web: Web) -> None:
    client = own_web.sign_in("root")
    long_ago = utcnow() - timedelta(hours=7)

    def age(moment: object) -> None:
        with own_web.register.write() as session:
            session.connection().execute(update(LoginSession).values(used_at=moment))

    def used_lately() -> bool:
        with own_web.register.session() as session:
            row = session.get_one(LoginSession, 1)
            return utcnow() - row.used_at < timedelta(minutes=1)

    age(long_ago)
    assert client.get("/api/v1/board", headers={"x-refresh": "1"}).status_code == 200
    assert not used_lately()
    assert client.get("/api/v1/board").status_code == 200
    assert used_lately()
    age(utcnow() - timedelta(hours=9))
    assert client.get("/api/v1/board").status_code == 401
    assert client.get("/", headers={"accept": "text/html"}).headers["location"].startswith("/login?next=")


def test_a_link_signs_in_once_and_looking_at_it_uses_nothing(own_web: Web) -> None:
    with own_web.register.write() as session:
        secret = make_login_link(session, find_user(session, "reader"))
    url = f"/login/link/{secret}"
    for _ in range(3):  # chats and mail filters look at links
        assert own_web.client().get(url).status_code == 200
    client = own_web.client()
    client.get(url)
    assert client.post(url, data={"csrf": "wrong"}).status_code == 403
    assert client.post(url, data={"csrf": client.cookies[PRE_COOKIE]}).status_code == 303
    assert client.get("/api/v1/me").json()["name"] == "reader"
    other = own_web.client()
    assert other.get(url).status_code == 410
    assert other.post(url, data={"csrf": other.cookies[PRE_COOKIE]}).status_code == 410


def test_who_must_change_the_password_does_nothing_else_before(own_web: Web) -> None:
    with own_web.register.write() as session:
        password = reset_password(session, find_user(session, "looker"))
    client = own_web.client()
    answer = _post_login(client, "looker", password, next="/schools")
    assert answer.headers["location"] == "/account/password"
    assert client.get("/api/v1/schools").json()["type"].endswith(":must-change")
    assert client.get("/").headers["location"] == "/account/password"
    page = client.get("/account/password")
    assert page.status_code == 200
    with own_web.register.session() as session:
        csrf = session.get_one(LoginSession, 1).csrf
    form = {"old": password, "new": "an even longer one", "again": "an even longer one", "csrf": csrf}
    assert client.post("/account/password", data={**form, "old": "wrong"}).status_code == 422
    assert client.post("/account/password", data={**form, "again": "x"}).json()["errors"][0]["field"] == "again"
    weak = client.post("/account/password", data={**form, "new": "short", "again": "short"})
    assert weak.json()["errors"][0]["field"] == "new"
    assert client.post("/account/password", data=form).status_code == 303
    assert client.get("/api/v1/schools").status_code == 200


def test_a_new_password_ends_the_other_sessions(own_web: Web) -> None:
    one, other = own_web.sign_in("reader"), own_web.sign_in("reader")
    answer = one.post("/api/v1/me/password", json={"old": PASSWORD, "new": "an even longer one"})
    assert answer.status_code == 204, answer.text
    assert other.get("/api/v1/me").status_code == 401
    own_web.sign_in("looker")


@pytest.mark.parametrize("token", ["expired", "metrics"])
def test_a_token_is_for_what_it_is_for(web: Web, token: str) -> None:
    answer = web.client(token).get("/api/v1/schools")
    assert answer.status_code == (401 if token == "expired" else 403)


def test_a_read_token_reads_and_a_wrong_one_is_no_stranger(web: Web) -> None:
    client = web.client("readonly")
    assert client.get("/api/v1/schools").status_code == 200
    assert client.post("/api/v1/schools", json={}).json()["type"].endswith(":token-scope")
    wrong = web.client(authorization="Bearer nonsense")
    assert wrong.get("/api/v1/schools").status_code == 401
    assert "invalid_token" in wrong.get("/metrics").headers["www-authenticate"]


def test_a_disabled_user_is_out_at_once(own_web: Web) -> None:
    session, root = own_web.sign_in("looker"), own_web.client("root")
    user = root.get("/api/v1/users", params={"name": "looker"}).json()["items"][0]
    answer = root.patch(f"/api/v1/users/{user['id']}", json={"disabled": True}, headers={"if-match": "*"})
    assert answer.status_code == 200, answer.text
    assert session.get("/api/v1/me").status_code == 401
    assert own_web.client("looker").get("/api/v1/me").status_code == 401
    assert _post_login(own_web.client(), "looker", PASSWORD).status_code == 401


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/schools?q=1", "/schools?q=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\nSet-Cookie: x", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_nowhere_else(asked: str, led: str) -> None:
    assert safe_next(asked) == led
