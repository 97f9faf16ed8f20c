"""What is not watched or silenced now: why, by whom, until when, its share; also as a metric."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from pages_web import PagesWeb, keep_fresh, pages_web
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import select

from inventory.models import Incident, Maintenance, NodeState, Outlet, Region, School, Silence, Unseen, utcnow


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesWeb]:
    with pages_web(tmp_path_factory.mktemp("unwatched")) as served:
        yield served


def row(page: httpx.Response, why: str) -> int:
    """The count beside a why."""
    found = re.search(rf"{why}(?:</a>)?</span></td><td class=\"num\"[^>]*>([\d,]+)<", page.text)
    assert found, why
    return int(found.group(1))


def test_each_school_that_nobody_would_be_told_of_counts_once_with_its_why(web: PagesWeb) -> None:
    keep_fresh(web.register)
    client = web.as_("admin")
    before = client.get("/not-watched")
    assert (row(before, "没有登记网关"), row(before, "从未上线")) == (3, 3)
    assert "6 所学校现在出事不会通知任何人" in before.text
    assert "共 60 所，占 10 %" in before.text
    until = utcnow() + timedelta(hours=2)
    with web.register.write() as session:
        county = session.exec(select(Region).where(Region.code == "140105")).one()
        session.add(
            Maintenance(region_id=county.id, from_at=utcnow(), until_at=until, reason="割接", created_by="张工")
        )
        incident = session.exec(select(Incident).where(Incident.severity == "critical")).one()
        session.add(
            Silence(incident_id=incident.id, from_at=utcnow(), until_at=until, reason="已知", created_by="李工")
        )
        session.add(
            Maintenance(
                region_id=county.id, from_at=utcnow() - timedelta(days=2), until_at=utcnow() - timedelta(days=1)
            )
        )
        schools = session.exec(select(School).where(School.place_id == county.id)).all()
        unwatched = [
            one
            for one in schools
            if not session.get(NodeState, ("school", one.id))
            or session.get(NodeState, ("school", one.id)).state == "not_seen"
        ]
        cut = len(incident.cut)
    page = client.get("/not-watched")
    assert row(page, "维护窗口") == len(schools) - len(unwatched)
    assert row(page, "静默") == cut == 6
    for word in ("割接", "张工", "已知", "李工", "小店区", f"#{incident.id}"):
        assert word in page.text, word
    total = 6 + len(schools) - len(unwatched) + cut
    assert f"{total} 所学校现在出事不会通知任何人" in page.text


def test_the_share_is_a_metric_for_those_who_see_the_whole(web: PagesWeb) -> None:
    with httpx.Client(base_url=web.address) as client:
        text = client.get("/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    counts = {sample.labels["why"]: sample.value for sample in families["edunet_schools_unattended"].samples}
    assert counts["no_gateway"] == counts["not_seen"] == 3
    assert set(counts) == {
        "no_gateway",
        "not_seen",
        "blind",
        "tcp_only",
        "unknown",
        "planned_off",
        "maintenance",
        "silenced",
    }
    assert "edunet_schools_unattended" not in web.as_("xiaodian").get("/metrics").text


def test_blind_zones_and_broken_ways_out_stand_there_too(web: PagesWeb) -> None:
    with web.register.write() as session:
        session.add(Unseen(zone="north", shard=3, from_at=utcnow(), reason="blind"))
        session.add(Outlet(name="坏渠道", kind="wecom", failing_since=utcnow(), last_error="errcode 45009"))
    page = web.as_("admin").get("/not-watched").text
    for word in ("地址区 north，分片 3", "失去视野", "坏渠道", "errcode 45009"):
        assert word in page, word
    viewer = web.as_("xiaodian").get("/not-watched").text
    assert "坏渠道" not in viewer


def test_a_silence_is_ended_from_there(web: PagesWeb) -> None:
    with web.register.write() as session:
        session.add(
            Silence(kind="school", node_id=1, from_at=utcnow(), until_at=utcnow() + timedelta(hours=1), reason="结束我")
        )
    client = web.as_("admin")
    page = client.get("/not-watched").text
    number = re.search(r'结束我.*?action="/silences/(\d+)/end"', page, re.S).group(1)
    token = re.search(r'data-csrf="([^"]+)"', page).group(1)
    assert client.post(f"/silences/{number}/end", data={"csrf": token}).headers["location"] == "/not-watched"
    assert "结束我" not in client.get("/not-watched").text
    assert "/silences/" not in web.as_("xiaodian").get("/not-watched").text


def test_a_county_sees_only_its_own_even_in_the_counts(web: PagesWeb) -> None:
    page = web.as_("xiaodian").get("/not-watched")
    assert "洪洞" not in page.text
    assert "李工" not in page.text
    assert row(page, "静默") == 0
    assert "共 6 所" in page.text


def test_old_data_mean_that_nobody_watches(web: PagesWeb) -> None:
    from inventory.models import Feed

    with web.register.write() as session:
        for feed in session.exec(select(Feed)):
            feed.at = utcnow() - timedelta(minutes=9)
    said = web.as_("admin").get("/not-watched").text
    keep_fresh(web.register)
    assert "现在没有任何监测" in said
