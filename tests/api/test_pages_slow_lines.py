"""A line below its contract is shown as what it is; what failed has an English name; what was never said was never mended."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from pages_web import PagesWeb, keep_fresh, pages_web
from sqlmodel import select

from inventory.models import Incident, Line, LineSite, NodeKind, Port, School, Site, utcnow


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesWeb]:
    with pages_web(tmp_path_factory.mktemp("slow")) as served:
        keep_fresh(served.register)
        yield served


@pytest.fixture(scope="module")
def slow(web: PagesWeb) -> tuple[int, int, str]:
    """(line, school, line's name): a port of 小店区 that negotiated 10 Mbit/s."""
    with web.register.write() as session:
        statement = (
            select(Line, Site).join(LineSite, LineSite.line_id == Line.id).join(Site, Site.id == LineSite.site_id)
        )
        school = session.exec(select(School).where(School.name == "小店区实验小学")).one()
        line, _ = session.exec(statement.where(Site.school_id == school.id)).one()
        port = session.exec(select(Port).where(Port.device_id == line.end_device_id, Port.name == line.end_port)).one()
        port.speed_bps = 10_000_000
        session.add(port)
        return line.id or 0, school.id or 0, line.name


def text_of(page: httpx.Response) -> str:
    assert page.status_code == 200, page.text[:2000]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_a_slow_line_is_on_the_board_and_on_its_pages(web: PagesWeb, slow: tuple[int, int, str]) -> None:
    line, school, name = slow
    board = text_of(web.as_("admin").get("/"))
    assert "跑不到签约带宽的专线" in board
    assert board.index("跑不到签约带宽的专线") < board.index(name)
    for path in (f"/schools/{school}", f"/lines/{line}"):
        said = text_of(web.as_("admin").get(path))
        assert "端口只协商到 10 Mbit/s" in said, path
        assert "低于签约的 500 Mbit/s" in said, path


def test_a_line_that_suffices_is_not_called_slow(web: PagesWeb, slow: tuple[int, int, str]) -> None:
    said = text_of(web.as_("admin").get(f"/lines/{slow[0] + 2}"))
    assert "端口只协商到" not in said


def test_what_failed_has_an_english_name_where_its_place_has_one(web: PagesWeb) -> None:
    board = text_of(web.as_("admin", "en").get("/"))
    assert re.search(r"Hongtong bureau: aggregation", board), board
    assert "洪洞县教育局机房汇聚交换机" in text_of(web.as_("admin").get("/"))


def test_what_was_blamed_but_never_said_is_not_called_mended(web: PagesWeb) -> None:
    now = utcnow()
    with web.register.write() as session:
        session.add(
            Incident(
                key="never-said",
                severity="major",
                status="resolved",
                root_kind=NodeKind.device,
                root_id=1,
                root_name="误判的汇聚",
                from_at=now - timedelta(seconds=20),
                resolved_at=now - timedelta(seconds=9),
            )
        )
    assert "误判的汇聚" not in text_of(web.as_("admin").get("/"))
    assert "误判的汇聚" not in text_of(web.as_("admin").get("/incidents"))


def test_another_countys_slow_line_is_not_shown(web: PagesWeb, slow: tuple[int, int, str]) -> None:
    assert slow[2] in text_of(web.as_("xiaodian").get("/"))
    board = text_of(web.as_("hongdong").get("/"))
    assert "跑不到签约带宽的专线" not in board
    assert slow[2] not in board
