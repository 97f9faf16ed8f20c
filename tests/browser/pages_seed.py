"""A province of some 60 schools with states, incidents, outages and curves, as the collector would have left them."""

import math
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, select

from inventory.database import Register
from inventory.history import DeviceBand, HistoryWriter, PortBand
from inventory.models import (
    Address,
    Device,
    DeviceKind,
    Feed,
    Incident,
    Line,
    LineSite,
    NodeKind,
    NodeState,
    Notice,
    Outage,
    Port,
    Region,
    School,
    SchoolLevel,
    Site,
    SiteKind,
    State,
    Unseen,
    User,
    Zone,
)  # fmt: skip
from inventory.models.users import Role
from inventory.regions import duty_by_code, load_regions, place_by_code
from inventory.searching import device_search, school_search
from inventory.users import set_password

PASSWORD = "correct horse battery 42"
COUNTIES = ("140105", "140106", "140107", "140121", "140212", "140213", "141024", "141002", "140802", "140502")
LEVELS = (
    SchoolLevel.primary,
    SchoolLevel.junior,
    SchoolLevel.senior,
    SchoolLevel.kindergarten,
    SchoolLevel.nine_year,
    SchoolLevel.teaching_point,
)
NAMES = ("实验小学", "第一中学", "第二高级中学", "中心幼儿园", "育才学校", "石门教学点")
ENGLISH = (
    "Experimental Primary School",
    "No. 1 Middle School",
    "No. 2 Senior High School",
    "Central Kindergarten",
    "Yucai School",
    "Shimen Teaching Point",
)
CAMPUS = (
    (DeviceKind.switch, 2, "H3C", "S5130"), (DeviceKind.ap, 4, "Ruijie", "RG-AP820"),
    (DeviceKind.camera, 6, "Hikvision", "DS-2CD3T47"), (DeviceKind.ups, 1, "APC", "SMT1500"),
)  # fmt: skip
OPERATORS = (("unicom", "10010"), ("telecom", "10000"), ("mobile", "10086"))


class Seeder:
    """Fills a register. `now`: when it is."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self.zone = Zone(name="main", default=True)
        session.add(self.zone)
        load_regions(session)
        session.flush()
        self.places = place_by_code(session)
        self.duties = duty_by_code(session)
        self.octets = 10
        self.schools: list[School] = []
        self.gateways: dict[int, Device] = {}
        self.lines: dict[int, list[Line]] = {}

    def add(self, row):
        self.session.add(row)
        self.session.flush()
        return row

    def state(self, kind: NodeKind, number: int, state: State, ago: float = 40 * 86400, **more: object) -> None:
        since = self.now - timedelta(seconds=ago)
        self.session.add(NodeState(kind=kind, node_id=number, state=state, since=since, seen_at=self.now, **more))

    def device(self, site: Site, kind: DeviceKind, name: str, vendor: str, model: str, seen: bool = True) -> Device:
        first = self.now - timedelta(days=61) if seen else None
        device = self.add(
            Device(
                name=name,
                kind=kind,
                site_id=site.id,
                vendor=vendor,
                model=model,
                serial=f"SN{self.octets:08d}",
                first_seen=first,
            )
        )
        self.octets += 1
        ip = f"127.{10 + self.octets // 65000}.{self.octets // 250 % 250}.{self.octets % 250 + 1}"
        self.session.add(Address(zone_id=self.zone.id, ip=ip, packed=b"", device_id=device.id))
        device.search = device_search(device)
        return device

    def network(self) -> None:
        """Core, cities and counties with their trunk lines."""
        province = self.places["140000"]
        core = self.add(
            Site(
                name="省教育城域网核心",
                name_en="Provincial core",
                kind=SiteKind.datacentre,
                tier="core",
                place_id=province.id,
            )
        )
        self.state(NodeKind.device, self.device(core, DeviceKind.core, "core-1", "Huawei", "NE40E-X8").id, State.up)
        self.county_sites: dict[str, Site] = {}
        cities: dict[str, Site] = {}
        for code in COUNTIES:
            city = code[:4] + "00"
            if city not in cities:
                row = self.places[city]
                cities[city] = self.site_above(
                    row, "city", f"{row.name}汇聚机房", f"{row.name_en} aggregation", core, "100G"
                )
            row = self.places[code]
            self.county_sites[code] = self.site_above(
                row, "county", f"{row.name}教育局机房", f"{row.name_en} bureau", cities[city], "10G"
            )

    def site_above(self, row: Region, tier: str, name: str, english: str, upstream: Site, rate: str) -> Site:
        site = self.add(
            Site(
                name=name,
                name_en=english,
                kind=SiteKind.bureau,
                tier=tier,
                place_id=row.id,
                contact_name="王工",
                contact_phone="0351-7000123",
            )
        )
        device = self.device(site, DeviceKind.aggregation, f"agg-{row.code}", "H3C", "S10508")
        self.state(NodeKind.device, device.id, State.up)
        line = self.add(
            Line(
                name=f"{row.name}—{upstream.name} {rate}",
                operator="unicom",
                circuit=f"LTGX{row.code}",
                bandwidth_mbps=10000,
                upstream_site_id=upstream.id,
            )
        )
        self.session.add(LineSite(line_id=line.id, site_id=site.id))
        self.state(NodeKind.line, line.id, State.up)
        return site

    def school(self, code: str, number: int) -> School:
        place, level = self.places[code], LEVELS[number % 6]
        school = self.add(
            School(
                name=f"{place.name}{NAMES[number % 6]}", name_en=f"{place.name_en} {ENGLISH[number % 6]}", code=f"3{code}{number:03d}", level=level,
                place_id=place.id, duty_id=self.duties[code].id, pupils=None if number % 6 == 5 else 320 + 173 * (number % 11),
                contact_name="李老师", contact_phone="139 0000 0000",
            )
        )  # fmt: skip
        school.search = school_search(school)
        self.schools.append(school)
        site = self.add(
            Site(
                name="本部",
                kind=SiteKind.campus,
                school_id=school.id,
                place_id=place.id,
                main=True,
                address=f"{place.name}学府路 {number} 号",
            )
        )
        if number % 17 == 16:  # a school that nobody watches
            return school
        gateway = self.device(site, DeviceKind.gateway, f"GW-{school.code}", "Huawei", "AR651", seen=number % 17 != 15)
        self.gateways[school.id] = gateway
        self.ports(gateway)
        self.lines[school.id] = [self.line(code, school, site, gateway, number, 0)]
        if level == SchoolLevel.senior:
            self.lines[school.id].append(self.line(code, school, site, gateway, number, 1))
        for kind, count, vendor, model in CAMPUS:
            for index in range(count):
                device = self.device(site, kind, f"{kind}-{school.code}-{index + 1}", vendor, model)
                self.state(
                    NodeKind.device,
                    device.id,
                    State.down if kind == DeviceKind.camera and index == 5 and number % 4 == 0 else State.up,
                    86400 * 3,
                )
        return school

    def line(self, code: str, school: School, site: Site, gateway: Device, number: int, index: int) -> Line:
        operator, phone = OPERATORS[(number + index) % 3]
        line = self.add(
            Line(
                name=f"{school.name}{'备用' if index else ''}专线", operator=operator, circuit=f"TYE{code}{number:04d}{index}", role="backup" if index else "primary",
                bandwidth_mbps=200 if index else 500, upstream_site_id=self.county_sites[code].id, end_device_id=gateway.id, end_port=f"GigabitEthernet0/0/{index}",
                contact_name="政企客户经理", contact_phone=phone,
            )
        )  # fmt: skip
        self.session.add(LineSite(line_id=line.id, site_id=site.id))
        self.state(NodeKind.line, line.id, State.up)
        return line

    def ports(self, gateway: Device) -> None:
        for index in range(28):
            up = index < 2 or index % 3 == 0
            self.session.add(
                Port(device_id=gateway.id, name=f"GigabitEthernet0/0/{index}", if_index=index + 1, if_type=6, speed_bps=10**9, admin="down" if index == 27 else "up",
                     oper="up" if up else "down", monitored=index < 2, alias="uplink" if index < 2 else "")
            )  # fmt: skip
        self.session.add(Port(device_id=gateway.id, name="Vlanif10", if_index=100, if_type=53, admin="up", oper="up"))

    def everything_up(self) -> None:
        for school in self.schools:
            gateway = self.gateways.get(school.id)
            if gateway is None:
                continue
            if gateway.first_seen is None:
                self.state(NodeKind.device, gateway.id, State.not_seen, 0)
                self.state(NodeKind.school, school.id, State.not_seen, 0)
                continue
            self.state(NodeKind.device, gateway.id, State.up)
            self.state(NodeKind.school, school.id, State.up, devices=14, devices_up=13 if school.id % 4 == 1 else 14)
            self.outage(
                school,
                self.now - timedelta(days=school.id % 40 + 3, hours=4),
                timedelta(minutes=17 * (school.id % 9 + 1)),
            )

    def outage(self, school: School, at: datetime, length: timedelta | None, incident: Incident | None = None) -> None:
        place = {
            "school_id": school.id,
            "place_id": school.place_id,
            "duty_id": school.duty_id,
            "incident_id": incident.id if incident else None,
        }
        until = at + length if length else None
        self.session.add(
            Outage(
                kind=NodeKind.school,
                node_id=school.id,
                from_at=at,
                until_at=until,
                cause="line" if school.id % 3 == 0 else "undetermined",
                **place,
            )
        )
        self.session.add(
            Outage(kind=NodeKind.device, node_id=self.gateways[school.id].id, from_at=at, until_at=until, **place)
        )

    def incident(self, severity: str, ago: float, **more: object) -> Incident:
        at = self.now - timedelta(seconds=ago)
        row = Incident(
            key=f"i{int(ago)}{severity}",
            severity=severity,
            from_at=at,
            status="open",
            opened_at=at + timedelta(seconds=25),
            **more,
        )
        self.add(row)
        self.session.add(
            Notice(
                incident_id=row.id,
                event="opened",
                at=at + timedelta(seconds=25),
                affected=row.affected,
                schools=row.schools,
                pupils=row.pupils,
            )
        )
        return row

    def fail(self, schools: list[School], row: Incident, ago: float, root: int | None) -> None:
        for school in schools:
            for kind, number in ((NodeKind.school, school.id), (NodeKind.device, self.gateways[school.id].id)):
                state = self.session.get(NodeState, (kind, number))
                state.state, state.since = State.down, self.now - timedelta(seconds=ago)
                state.incident_id = row.id if kind == NodeKind.device else None  # the collector names it of devices
                state.reason = "root" if number == root else "explained"
                state.devices_up = 0
            self.outage(school, self.now - timedelta(seconds=ago), None, row)

    def watched(self, code: str) -> list[School]:
        return [
            school
            for school in self.schools
            if school.code[1:7] == code and (gateway := self.gateways.get(school.id)) and gateway.first_seen
        ]

    def faults(self) -> None:
        """A county cut at its bureau, a line cut, a silent gateway, a silent agent, a slow line; one mended."""
        county = self.watched("141024")
        site = self.county_sites["141024"]
        place = self.places["141024"]
        pupils = sum(school.pupils or 0 for school in county)
        agg = self.session.exec(select(Device).where(Device.site_id == site.id)).one()
        common = {
            "place_id": place.id,
            "path": place.path,
            "duty_path": self.duties["141024"].path,
            "duty_id": self.duties["141024"].id,
        }
        cut = self.incident(
            "critical", 8040, root_kind=NodeKind.device, root_id=agg.id, root_name=f"{place.name}教育局机房汇聚交换机 agg-141024",
            affected=len(county) + 1, schools=len(county), pupils=pupils, cut=[school.id for school in county], owner="张工", cause="power",
            promised_at=self.now + timedelta(minutes=50), ticket="SX20261124-018", evidence={"sysUpTime": 12, "port": "XGE1/0/1 down"}, **common,
        )  # fmt: skip
        self.fail(county, cut, 8040, None)
        self.session.get(NodeState, (NodeKind.device, agg.id)).state = State.down
        self.single("140106", 1, "major", 1520, NodeKind.line)
        self.single("140802", 0, "major", 260, NodeKind.device)
        slow = self.watched("140212")[2]
        row = self.incident(
            "minor",
            19000,
            kind="degraded",
            root_kind=NodeKind.line,
            root_id=self.lines[slow.id][0].id,
            root_name=self.lines[slow.id][0].name,
            affected=1,
            acknowledged_at=self.now - timedelta(hours=2),
            **self.where(slow),
        )
        self.session.get(NodeState, (NodeKind.school, slow.id)).state = State.degraded
        self.session.get(NodeState, (NodeKind.school, slow.id)).incident_id = row.id
        quiet = self.watched("140502")[1]
        self.incident(
            "warning",
            93000,
            kind="agent_silent",
            root_kind=NodeKind.device,
            root_id=self.gateways[quiet.id].id,
            root_name=self.gateways[quiet.id].name,
            affected=1,
            **self.where(quiet),
        )
        self.session.get(NodeState, (NodeKind.device, self.gateways[quiet.id].id)).state = State.agent_silent
        old = self.watched("140107")[0]
        mended = self.incident(
            "major",
            30000,
            root_kind=NodeKind.line,
            root_id=self.lines[old.id][0].id,
            root_name=self.lines[old.id][0].name,
            affected=1,
            said_schools=1,
            cut=[old.id],
            **self.where(old),
        )
        mended.status, mended.resolved_at = "resolved", self.now - timedelta(seconds=27100)

    def where(self, school: School) -> dict[str, object]:
        place = self.session.get(Region, school.place_id)
        duty = self.session.get(Region, school.duty_id)
        return {"place_id": place.id, "path": place.path, "duty_id": duty.id, "duty_path": duty.path}

    def single(self, code: str, index: int, severity: str, ago: float, kind: NodeKind) -> None:
        school = self.watched(code)[index]
        gateway, line = self.gateways[school.id], self.lines[school.id][0]
        root = line if kind == NodeKind.line else gateway
        more = {} if kind == NodeKind.line else {"possible": [f"line:{line.id}"], "status": "open"}
        more.pop("status", None)
        row = self.incident(
            severity,
            ago,
            root_kind=kind,
            root_id=root.id,
            root_name=root.name,
            affected=1,
            schools=1,
            pupils=school.pupils or 0,
            cut=[school.id],
            **self.where(school),
            **more,
        )
        self.fail([school], row, ago, gateway.id)
        if kind == NodeKind.line:
            state = self.session.get(NodeState, (NodeKind.line, line.id))
            state.state, state.since, state.incident_id, state.reason = (
                State.down,
                self.now - timedelta(seconds=ago),
                row.id,
                "root",
            )

    def curves(self) -> None:
        rows: list[DeviceBand | PortBand] = []
        gateways = [
            self.gateways[school.id]
            for school in (*self.watched("140105")[:2], *self.watched("141024")[:1], *self.watched("140106")[1:2])
        ]
        for band in range(289):
            at = self.now - timedelta(seconds=300 * (288 - band))
            hour = (at + timedelta(hours=8)).hour + at.minute / 60
            busy = math.exp(-(((hour - 10) / 2.6) ** 2)) + 0.8 * math.exp(-(((hour - 15.500) / 2.2) ** 2))
            for gateway in gateways:
                wave = 1 + 0.18 * math.sin(band * 0.7 + gateway.id)
                if 120 <= band < 129:
                    continue  # a gap: nobody looked
                rtt = 0.0042 * wave + 0.004 * busy
                rows.append(
                    DeviceBand(
                        gateway.id, at, rtt, rtt * 0.8, rtt * (1.25 + 0.9 * busy), 0.04 if 200 < band < 206 else 0.0, 60
                    )
                )
                rows.append(
                    PortBand(
                        gateway.id,
                        "GigabitEthernet0/0/0",
                        at,
                        3.9e8 * busy * wave + 6e6,
                        9e7 * busy * wave + 2e6,
                        4.6e8 * busy,
                        1e8 * busy,
                    )
                )
        HistoryWriter(self.session).put(rows)

    def feed(self) -> None:
        for name in ("judge", "rounds"):
            self.session.add(
                Feed(
                    name=name,
                    at=self.now - timedelta(seconds=2),
                    detail={"method": "raw", "self_ok": True, "blind": []},
                )
            )
        self.session.add(
            Unseen(
                zone="main",
                from_at=self.now - timedelta(days=12, hours=9),
                until_at=self.now - timedelta(days=12, hours=3),
                reason="stopped",
            )
        )
        self.session.add(
            Unseen(
                zone="main",
                from_at=self.now - timedelta(days=33, hours=20),
                until_at=self.now - timedelta(days=32, hours=2),
                reason="stopped",
            )
        )

    def users(self) -> None:
        jian = self.places["140105"]
        for name, role, region in (
            ("admin", Role.administrator, None),
            ("xiaodian", Role.viewer, jian.id),
            ("xiaodian-bureau", Role.viewer, self.duties["140105"].id),
            ("hongdong", Role.viewer, self.places["141024"].id),
        ):
            user = self.add(User(name=name, role=role, region_id=region))
            set_password(self.session, user, PASSWORD, must_change=False)


def seed_province(register: Register, now: datetime | None = None, faults: bool = True) -> None:
    """Fill an empty register whose schema is up to date."""
    with register.session() as session:
        seeder = Seeder(session, now or datetime.now(UTC))
        seeder.network()
        number = 0
        for code in COUNTIES:
            for _ in range(6):
                seeder.school(code, number)
                number += 1
        seeder.session.flush()
        seeder.everything_up()
        session.flush()
        if faults:
            seeder.faults()
        seeder.curves()
        seeder.feed()
        seeder.users()
        for region in (seeder.duties[code] for code in COUNTIES):
            region.contact_name, region.contact_phone = "信息中心值班", "0351-7000456"
        session.commit()
