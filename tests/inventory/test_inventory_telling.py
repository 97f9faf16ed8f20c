"""Whether people can be told: what `edunet check` finds; the text for the carrier."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from inventory.carrier import CarrierCase, Circuit, carrier_text
from inventory.checking_telling import check_telling
from inventory.database import Register
from inventory.models import Contact, Duty, Outlet, utcnow

ZONE = ZoneInfo("Asia/Shanghai")


def _codes(register: Register, now: datetime | None = None, alertmanager: bool = False) -> dict[str, Any]:
    with register.session() as session:
        return {
            one.code: one.params.get("names") for one in check_telling(session, now or utcnow(), ZONE, alertmanager)
        }


def test_it_is_named_that_nobody_will_be_told(register: Register) -> None:
    assert set(_codes(register)) == {"no_outlet"}
    assert _codes(register, alertmanager=True) == {}
    with register.write() as session:
        session.add(Outlet(name="off", kind="wecom", enabled=False))
    assert set(_codes(register)) == {"no_outlet"}


def test_outlets_without_a_second_path_and_failing_ones_are_named(register: Register) -> None:
    with register.write() as session:
        spare = Outlet(name="spare", kind="sms")
        session.add(spare)
        session.flush()
        session.add(Outlet(name="group", kind="wecom", fallback_id=spare.id, failing_since=utcnow()))
        session.add(Outlet(name="am", kind="alertmanager"))
    assert _codes(register) == {"no_second_path": "spare", "outlet_fails": "group"}


def test_a_night_without_anybody_on_duty_is_named(register: Register) -> None:
    now = datetime(2026, 12, 1, 4, 0, tzinfo=UTC)  # noon
    with register.write() as session:
        person = Contact(name="甲", phone="138")
        spare = Outlet(name="am", kind="alertmanager")
        session.add_all([person, spare])
        session.flush()
        session.add(Outlet(name="sms", kind="sms", roster=True, fallback_id=spare.id))
    assert _codes(register, now) == {"roster_empty": "20:00, 22:00, 00:00, 02:00, 04:00, 06:00"}
    evening = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)  # 19:00, a week before
    with register.write() as session:
        turn = Duty(contact_id=person.id or 0, from_at=evening, until_at=evening + timedelta(hours=6), weekly=True)
        session.add(turn)
    assert _codes(register, now) == {"roster_empty": "02:00, 04:00, 06:00"}
    with register.write() as session:
        turn.until_at = evening + timedelta(hours=12)
        session.add(turn)
    assert _codes(register, now) == {}


CASE = CarrierCase(
    number=7,
    what="第一小学专线",
    since=datetime(2026, 12, 1, 0, 0, tzinfo=UTC),
    circuits=(Circuit("专线 1", "TY-0351-118", "unicom", 500, "小店区 第一小学", "学府街 1 号", "小店机房"),),
    schools=1,
    pupils=800,
    evidence=({"kind": "far_port_down", "for": ["line"], "data": {"name": "agg", "port": "GE0/0/1"}},),
    contact="王老师 0351-7000000",
    ticket="CT-1",
)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "zh",
            "【故障申报】第一小学专线\n"
            "电路：中国联通 电路 TY-0351-118 500 Mbit/s\n"
            "地点：小店区 第一小学，学府街 1 号\n"
            "对端：小店机房\n"
            "中断开始：2026-12-01 08:00:00（已 90 分钟）\n"
            "影响：学校 1 所，学生 800 人\n"
            "依据：\n"
            "  - 对端端口（agg 的 GE0/0/1）已断开。\n"
            "现场联系人：王老师 0351-7000000\n"
            "贵方工单号：CT-1\n"
            "我方事件号：#7\n",
        ),
        (
            "en",
            "Fault report: 第一小学专线\n"
            "Circuit: China Unicom circuit TY-0351-118 500 Mbit/s\n"
            "Place: 小店区 第一小学, 学府街 1 号\n"
            "Far end: 小店机房\n"
            "Down since: 2026-12-01 08:00:00 (90 min)\n"
            "Cut off: 1 school, 800 pupils\n"
            "Evidence:\n"
            "  - The port of the far end (GE0/0/1 of agg) is down.\n"
            "Contact on site: 王老师 0351-7000000\n"
            "Your ticket: CT-1\n"
            "Our incident: #7\n",
        ),
    ],
)
def test_the_carrier_is_told_circuit_place_time_evidence_and_contact(language: Any, text: str) -> None:
    assert carrier_text(CASE, language, CASE.since + timedelta(minutes=90), ZONE) == text
