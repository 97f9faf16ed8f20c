"""A wall screen's link: made and revoked by administrators; it opens the board of its part, and nothing else."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from pages_web import PagesWeb, keep_fresh, pages_web
from sqlmodel import select

from inventory.models import AuditEntry, Region, WallLink, utcnow
from inventory.users import create_user, hash_token

PASSWORD = "wall-admin-password"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesWeb]:
    with pages_web(tmp_path_factory.mktemp("walls")) as served:
        yield served


def csrf_of(client: httpx.Client) -> str:
    return re.search(r'data-csrf="([^"]+)"', client.get("/legend").text).group(1)


def make(web: PagesWeb, region: str = "", name: str = "值班室", **more: str) -> str:
    """Make a link by the page's form; its path."""
    client = web.as_("admin")
    body = {"csrf": csrf_of(client), "name": name, "region_id": region, "locale": "zh", **more}
    page = client.post("/settings/walls/new", data=body)
    assert page.status_code == 200, page.text[:500]
    return re.search(r"(/wall/[\w-]{40,})", page.text).group(1)


def county(web: PagesWeb, code: str) -> str:
    with web.register.session() as session:
        return str(session.exec(select(Region).where(Region.code == code)).one().id)


@pytest.fixture
def stranger(web: PagesWeb) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web.address, headers={"accept": "text/html"}) as client:
        yield client


def test_a_link_opens_the_board_of_its_part_without_signing_in(web: PagesWeb, stranger: httpx.Client) -> None:
    keep_fresh(web.register)
    whole, part = stranger.get(make(web)), stranger.get(make(web, county(web, "140105")))
    assert whole.status_code == part.status_code == 200
    assert "8 所学校断网" in whole.text
    assert "洪洞县" in whole.text
    assert "洪洞县" not in part.text
    assert re.search(r'<body class="wall[^"]*alone-wall', part.text)
    assert "<form" not in part.text
    assert "<nav" not in part.text
    assert 'data-csrf=""' in part.text


def test_a_link_opens_nothing_else(web: PagesWeb, stranger: httpx.Client) -> None:
    link = make(web)
    secret = link.rsplit("/", 1)[1]
    assert not stranger.get(link).headers.get("set-cookie")
    for path in ("/", "/?wall=1", "/schools", "/incidents", "/settings", "/schools/1", "/devices/1/live"):
        answer = stranger.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/login"), path
    bearer = {"authorization": f"Bearer {secret}"}
    for path in ("/api/v1/board", "/api/v1/schools", "/api/v1/events", "/api/v1/walls"):
        assert stranger.get(path, headers={"accept": "application/json"}).status_code == 401, path
        assert stranger.get(path, headers={"accept": "application/json", **bearer}).status_code == 401, path
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert stranger.request(method, link).status_code == 405
    assert stranger.get(f"{link}/schools").status_code == 404
    assert stranger.get(link, params={"wall": "0"}).text.count("<nav") == 0


def test_the_links_pages_ask_only_for_themselves(web: PagesWeb, stranger: httpx.Client) -> None:
    link = make(web)
    page = stranger.get(link).text
    assert set(re.findall(r'hx-get="([^"]+)"', page)) == {link}
    assert "data-alone" in page
    part = stranger.get(link, headers={"hx-request": "true", "hx-target": "live"}).text
    assert "<html" not in part
    assert f'hx-get="{link}"' in part


def test_a_revoked_ended_or_wrong_link_shows_nothing(web: PagesWeb, stranger: httpx.Client) -> None:
    link = make(web, name="撤销我")
    assert stranger.get(link).status_code == 200
    client = web.as_("admin")
    with web.register.session() as session:
        row = session.exec(select(WallLink).where(WallLink.token_hash == hash_token(link.rsplit("/", 1)[1]))).one()
    shown = client.get(f"/settings/walls/{row.id}")
    version = re.search(r'name="match" value="([^"]+)"', shown.text).group(1).replace("&#34;", '"')
    body = {"csrf": csrf_of(client), "match": version}
    assert client.post(f"/settings/walls/{row.id}/delete", data=body).status_code == 303
    gone = stranger.get(link)
    assert gone.status_code == 410
    assert "已撤销" in gone.text
    assert "洪洞" not in gone.text
    assert stranger.get("/wall/" + "x" * 43).status_code == 410
    ended = make(web, name="到期")
    with web.register.write() as session:
        found = session.exec(select(WallLink).where(WallLink.name == "到期")).one()
        found.expires_at = utcnow() - timedelta(seconds=1)
    assert stranger.get(ended).status_code == 410


def test_only_the_links_fingerprint_is_kept_and_its_last_use_is_seen(web: PagesWeb, stranger: httpx.Client) -> None:
    link = make(web, name="指纹")
    secret = link.rsplit("/", 1)[1]
    stranger.get(link)
    with web.register.session() as session:
        row = session.exec(select(WallLink).where(WallLink.name == "指纹")).one()
        assert row.token_hash == hash_token(secret)
        assert row.used_at is not None
        assert not [one for one in session.exec(select(AuditEntry)) if secret in str(one.after)]
    page = web.as_("admin").get("/settings/walls").text
    assert "指纹" in page
    assert secret not in page


def test_who_may_make_links_and_for_what(web: PagesWeb) -> None:
    viewer = web.as_("xiaodian")
    assert viewer.get("/settings/walls").status_code == 403
    assert viewer.get("/settings/walls/new").status_code == 403
    assert "/settings/walls" not in viewer.get("/settings").text
    assert web.as_("admin").post("/settings/walls/new", data={"name": "x"}).status_code == 403
    here, there = county(web, "140105"), county(web, "141024")
    with web.register.write() as session:
        create_user(session, "countyadmin", PASSWORD, role="administrator", region_id=int(here))
    client = httpx.Client(base_url=web.address, headers={"accept": "text/html"})
    client.get("/login")
    data = {"name": "countyadmin", "password": PASSWORD, "csrf": client.cookies["edunet_form"]}
    assert client.post("/login", data=data).status_code == 303
    token = csrf_of(client)
    for region in ("", there):
        refused = client.post("/settings/walls/new", data={"csrf": token, "name": "越界", "region_id": region})
        assert refused.status_code == 422, region
        assert "/wall/" not in refused.text.replace("/settings/walls", "")
    made = client.post("/settings/walls/new", data={"csrf": token, "name": "本县", "region_id": here})
    assert made.status_code == 200
    listed = client.get("/settings/walls").text
    assert "本县" in listed
    assert "全省" not in listed
    with web.register.session() as session:
        assert not session.exec(select(WallLink).where(WallLink.name == "越界")).all()
    client.close()


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(web: PagesWeb) -> None:
    client = web.as_("admin")
    page = client.post("/settings/walls/new", data={"csrf": csrf_of(client), "name": "", "expires_at": "no time"})
    assert page.status_code == 422
    assert 'value="no time"' in page.text
    assert page.text.count('class="wrong"') == 2


def test_a_link_that_a_call_makes_is_told_once(web: PagesWeb, stranger: httpx.Client) -> None:
    client = web.as_("admin")
    made = client.post("/api/v1/walls", json={"name": "by call"}, headers={"x-csrf-token": csrf_of(client)}).json()
    assert stranger.get(made["url"]).status_code == 200
    assert client.get(f"/api/v1/walls/{made['id']}").json().get("url") is None
