"""What people have set and done in the seeded province: ways out, a roster, windows, a silence, calendars, notes on an incident."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

from inventory.database import Register
from inventory.models import (
    ClassHours,
    Contact,
    Delivery,
    Duty,
    EscalationStep,
    Exam,
    Feed,
    Habit,
    Incident,
    IncidentNote,
    Line,
    Maintenance,
    NoticeRule,
    Outage,
    Outlet,
    Region,
    School,
    Silence,
    SpecialDay,
    Term,
    VantagePoint,
    WallLink,
    Zone,
)  # fmt: skip

ZONE = ZoneInfo("Asia/Shanghai")


def seed_settings(register: Register) -> None:
    """Add it all to a province of `seed_province`."""
    now = datetime.now(UTC)
    with register.session() as session:
        region = session.exec(select(Region).where(Region.code == "140105", Region.tree == "place")).one()
        city = session.exec(select(Region).where(Region.code == "140100", Region.tree == "place")).one()
        _telling(session, region, city, now)
        _roster(session, region, city, now)
        _calendars(session, region, now)
        _windows(session, region, now)
        _story(session, now)
        _corrected(session, now)
        _vantages(session, now)
        session.add(WallLink(name="省电教馆值班室", token_hash="a" * 64, used_at=now, created_by="admin"))
        session.add(WallLink(name="小店区教育局大厅", token_hash="b" * 64, region_id=region.id, created_by="admin"))
        session.commit()


def _telling(session: Session, region: Region, city: Region, now: datetime) -> None:
    mail = Outlet(
        name="值班邮箱",
        kind="mail",
        target="mail.edu.example:587 · duty@edu.example",
        least_severity="minor",
        roster=True,
    )
    group = Outlet(
        name="省中心值班群",
        kind="wecom",
        target="qyapi.weixin.example",
        last_ok_at=now - timedelta(minutes=3),
        alive_at="08:30",
    )
    broken = Outlet(name="太原市钉钉群", kind="dingtalk", target="oapi.dingtalk.example", region_id=city.id, last_error_at=now,
                    last_error="errcode 310000: keywords not in content", failing_since=now - timedelta(minutes=41))  # fmt: skip
    session.add(mail)
    session.flush()
    group.fallback_id = mail.id
    session.add_all([group, broken])
    session.flush()
    for number, (event, status, delay) in enumerate(
        (("opened", "sent", 2.1), ("updated", "sent", 4.0), ("escalated", "waiting", None), ("opened", "dropped", None))
    ):
        at = now - timedelta(minutes=130 - number * 20)
        session.add(Delivery(outlet_id=group.id, outlet=group.name, incident_id=1, event=event, queued_at=at, due_at=at, status=status, delay_s=delay,
                             sent_at=at if status == "sent" else None, error="no way took it" if status == "dropped" else "",
                             body="【断网】洪洞县教育局机房汇聚交换机 断网 6 所学校"))  # fmt: skip
    if not session.exec(select(NoticeRule)).first():
        session.add(
            NoticeRule(
                name="核心、市、县级立即通知",
                position=10,
                classes=["core", "city", "county"],
                delay_s=0,
                night="at_once",
            )
        )
        session.add(
            NoticeRule(name="单所学校等三分钟", position=20, classes=["school", "line"], delay_s=180, night="morning")
        )
        session.add(NoticeRule(name="考试期间升一级", position=30, times="exam", raise_by=1, enabled=False))
    if not session.exec(select(EscalationStep)).first():
        session.add_all(
            [
                EscalationStep(level=level, after_minutes=after)
                for level, after in (("county", 0), ("city", 30), ("province", 120))
            ]
        )


def _roster(session: Session, region: Region, city: Region, now: datetime) -> None:
    people = [Contact(name=name, phone=phone, region_id=place.id) for name, phone, place in (
        ("张建国", "13800000001", region), ("李红梅", "13800000002", region), ("王志强", "13900000003", city))]  # fmt: skip
    session.add_all(people)
    session.flush()
    monday = datetime.combine(now.astimezone(ZONE).date(), time(8), ZONE)
    monday -= timedelta(days=monday.weekday() + 7)
    for day in range(7):
        person = people[day % 2]
        begin = monday + timedelta(days=day)
        session.add(
            Duty(
                contact_id=person.id,
                region_id=region.id,
                from_at=begin,
                until_at=begin + timedelta(hours=24),
                weekly=True,
            )
        )
    session.add(
        Duty(
            contact_id=people[2].id, region_id=city.id, from_at=monday, until_at=monday + timedelta(days=7), weekly=True
        )
    )
    session.add(
        Duty(
            contact_id=people[0].id,
            region_id=city.id,
            from_at=monday,
            until_at=monday + timedelta(days=7),
            weekly=True,
            position=2,
        )
    )


def _calendars(session: Session, region: Region, now: datetime) -> None:
    today = now.astimezone(ZONE).date()
    session.add(Term(name="秋季学期", first_on=date(today.year, 9, 1), last_on=date(today.year + 1, 1, 22)))
    session.add(ClassHours(name="小学作息", levels=["primary"], spans=["08:00-11:40", "14:00-17:20"]))
    session.add(
        SpecialDay(
            name="雪天停课",
            kind="holiday",
            region_id=region.id,
            first_on=today.replace(day=3),
            last_on=today.replace(day=4),
        )
    )
    session.add(
        Exam(
            name="期中考试",
            region_id=region.id,
            from_at=now + timedelta(days=2),
            until_at=now + timedelta(days=2, hours=8),
        )
    )
    school = session.exec(select(School)).first()
    session.add(
        Habit(
            school_id=school.id,
            kind="night",
            off_from="21:30",
            off_until="22:30",
            on_by="07:30",
            confidence=0.93,
            kept=27,
            chances=29,
        )
    )


def _windows(session: Session, region: Region, now: datetime) -> None:
    line = session.exec(select(Line).where(Line.name.startswith("小店区"))).first()
    school = session.exec(select(School).where(School.name == "小店区育才学校")).one()
    session.add(
        Maintenance(
            kind="line",
            node_id=line.id,
            from_at=now - timedelta(minutes=20),
            until_at=now + timedelta(minutes=100),
            reason="光缆割接",
            created_by="张工",
        )
    )
    session.add(
        Maintenance(
            kind="school",
            node_id=school.id,
            from_at=now + timedelta(hours=9),
            until_at=now + timedelta(hours=12),
            reason="机房停电检修",
            created_by="admin",
        )
    )
    session.add(
        Maintenance(
            region_id=region.id,
            from_at=now - timedelta(days=3),
            until_at=now - timedelta(days=3, hours=-2),
            reason="核心升级",
            created_by="admin",
        )
    )
    other = session.exec(select(School).where(School.name.startswith("盐湖区"))).first()
    session.add(
        Silence(
            kind="school",
            node_id=other.id,
            from_at=now,
            until_at=now + timedelta(hours=7),
            reason="校舍拆除，已知",
            created_by="admin",
        )
    )


def _story(session: Session, now: datetime) -> None:
    row = session.exec(select(Incident).where(Incident.severity == "critical")).one()
    row.cause_confidence, row.cause_rule = 0.86, "power"
    row.cause_evidence = [
        {"kind": "ups_on_battery", "for": ["power"], "against": ["line"], "data": {"name": "UPS-141024"}, "at": (now - timedelta(minutes=139)).timestamp()},
        {"kind": "far_port_up", "for": [], "against": ["line"], "data": {"name": "临汾市汇聚机房", "port": "XGE1/0/7"}},
    ]  # fmt: skip
    row.acknowledged_at = now - timedelta(minutes=95)
    for minutes, by, kind, text in (
        (95, "张工", "acknowledged", "已联系供电公司"),
        (60, "", "escalated", "市级"),
        (31, "admin", "comment", "发电机在路上"),
    ):
        data = {"until": (now + timedelta(minutes=50)).isoformat()} if kind == "acknowledged" else {}
        session.add(
            IncidentNote(
                incident_id=row.id, at=now - timedelta(minutes=minutes), by=by, kind=kind, text=text, data=data
            )
        )


def _corrected(session: Session, now: datetime) -> None:
    """Of the outages that are over, one was corrected, and one was work that nobody had announced."""
    over = session.exec(select(Outage).where(Outage.until_at != None).order_by(Outage.from_at.desc()).limit(2)).all()  # noqa: E711
    for row, cause, why in zip(
        over, ("power", "undetermined"), ("变电站检修通知单 0412", "学校机房搬迁，事后补报"), strict=True
    ):
        row.first_cause, row.cause = row.cause, cause
        row.maintenance = cause == "undetermined"
        row.corrected_by, row.corrected_why, row.corrected_at = "admin", why, now - timedelta(hours=5)


def _vantages(session: Session, now: datetime) -> None:
    """One that sees, one that its own blindness hinders, one that never came, one that is switched off."""
    zone = session.exec(select(Zone)).one()
    points = [
        VantagePoint(name=name, place=place, references=references, enabled=enabled, zone_id=only, token_hash=mark * 64)
        for name, place, references, enabled, only, mark in (
            ("太原", "市局机房，电信专线", "127.0.0.1, 127.0.0.2", True, None, "a"),
            ("临汾", "市局机房，联通专线", "127.0.0.3", True, zone.id, "b"),
            ("运城", "", "", True, None, "c"),
            ("大同", "借用的旧服务器", "", False, None, "d"),
        )
    ]
    session.add_all(points)
    session.flush()
    fares = {
        str(point.id): {"name": point.name, "up": True, "reported_at": (now - timedelta(seconds=4)).timestamp(), "age_s": 4.0,
                        "reports": 812, "refused": {}, "blind": blind, "sees": sees, "offset_s": offset}
        for point, blind, sees, offset in zip(points, ([], ["main"]), (["main"], []), (0.1, 41.0), strict=False)
    }  # fmt: skip
    session.add(Feed(name="vantages", at=now, detail=fares))
