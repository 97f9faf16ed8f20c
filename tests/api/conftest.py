"""The application on a real server: a province of two cities, people of both, and clients that are signed in."""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import fresh_database, has_postgres, postgres
from sqlmodel import Session, select

from api.app import create_app
from api.server import server_of
from api.settings import ApiSettings
from inventory.database import Register
from inventory.lookup import pack, parse_address, prefix_bounds
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
    Outage,
    Port,
    Prefix,
    Region,
    RegionTree,
    Role,
    School,
    SchoolLevel,
    Site,
    SiteKind,
    State,
    Zone,
    utcnow,
)
from inventory.regions import load_regions
from inventory.searching import device_search, school_search
from inventory.users import create_user, make_token

PASSWORD = "a long enough password"
_numbers = count()


@dataclass
class Province:
    """Ids of what `fill` made. counties: two, of different cities; each list has the things of the first, then the second."""

    counties: list[int] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    bureaus: list[int] = field(default_factory=list)
    schools: list[list[int]] = field(default_factory=list)
    sites: list[list[int]] = field(default_factory=list)
    devices: list[list[int]] = field(default_factory=list)
    lines: list[list[int]] = field(default_factory=list)
    zone: int = 0
    tokens: dict[str, str] = field(default_factory=dict)


@dataclass
class Web:
    """A running application. `url` without a slash at its end."""

    url: str
    register: Register
    province: Province
    state_dir: Path

    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, token: str = "", **headers: str) -> httpx.Client:
        """A client, with the named token of `province.tokens`, or a stranger's; closed with the application."""
        if token:
            headers["authorization"] = f"Bearer {self.province.tokens[token]}"
        client = httpx.Client(base_url=self.url, headers=headers, timeout=20)
        self.clients.append(client)
        return client

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Client:
        """A client with a session of this user, as a browser has it, and the CSRF token in its headers."""
        client = self.client()
        page = client.get("/login")
        csrf = client.cookies["edunet_form"]
        assert page.status_code == 200
        answer = client.post("/login", data={"name": name, "password": password, "csrf": csrf})
        assert answer.status_code == 303, answer.text
        me = client.get("/api/v1/me")
        if me.status_code == 200:
            client.headers["x-csrf-token"] = me.json()["csrf"]
        return client


def fill(register: Register) -> Province:
    """Two counties of two cities with five schools each, their gateways, switches, lines and prefixes; users and tokens."""
    province = Province()
    with register.write() as session:
        load_regions(session)
        zone = Zone(name="default", default=True)
        session.add_all([zone, Zone(name="carrier")])
        session.flush()
        province.zone = zone.id or 0
        for index, code in enumerate(("140105", "140212")):
            county = session.exec(select(Region).where(Region.code == code)).one()
            bureau = session.exec(select(Region).where(Region.tree == RegionTree.duty, Region.local_code == code)).one()
            province.counties.append(county.id or 0)
            province.paths.append(county.path)
            province.bureaus.append(bureau.id or 0)
            _fill_county(session, province, index, county, bureau)
        _add_people(session, province)
        _add_state(session, province)
    return province


def _fill_county(session: Session, province: Province, index: int, county: Region, bureau: Region) -> None:
    schools = [
        School(
            name=f"{county.name}第{number}小学",
            code=f"21140{index}{number:04d}",
            level=SchoolLevel.primary if number % 2 else SchoolLevel.junior,
            place_id=county.id or 0,
            duty_id=bureau.id,
            pupils=100 * number,
        )
        for number in range(1, 6)
    ]
    for school in schools:
        school.search = school_search(school)
    session.add_all(schools)
    session.flush()
    hub = Site(
        name=f"{county.name}机房", kind=SiteKind.bureau, tier="county", place_id=county.id or 0, duty_id=bureau.id
    )
    campuses = [Site(name="本部", school_id=school.id, place_id=county.id or 0, main=True) for school in schools]
    session.add_all([hub, *campuses])
    session.flush()
    devices = [Device(name=f"{county.name}-汇聚", kind=DeviceKind.aggregation, site_id=hub.id or 0, vendor="H3C")]
    for number, site in enumerate(campuses, 1):
        devices += [
            Device(name=f"gw-{index}-{number}", kind=DeviceKind.gateway, site_id=site.id or 0, vendor="Huawei"),
            Device(name=f"sw-{index}-{number}", kind=DeviceKind.switch, site_id=site.id or 0, vendor="Ruijie"),
        ]
    for number, device in enumerate(devices):
        device.serial, device.first_seen = f"SN{index}{number:03d}", utcnow()
        device.search = device_search(device)
    lines = [
        Line(
            name=f"专线 {index}-{number}",
            operator="telecom",
            circuit=f"C{index}-{number}",
            upstream_site_id=hub.id,
            bandwidth_mbps=1000,
            contact_phone="0351-10000",
        )
        for number in range(1, 6)
    ]
    session.add_all([*devices, *lines])
    session.flush()
    for number, device in enumerate(devices):
        ip = f"10.{index}.0.{number + 1}"
        session.add(Address(zone_id=province.zone, ip=ip, packed=pack(parse_address(ip)), device_id=device.id or 0))
        session.add(Port(device_id=device.id or 0, name="GE0/0/1", if_index=1, admin="up", oper="up"))
    for number, (line, site) in enumerate(zip(lines, campuses, strict=True), 1):
        session.add(LineSite(line_id=line.id or 0, site_id=site.id or 0))
        cidr, first, last, length = prefix_bounds(f"10.{index}.{number}.0/24")
        session.add(
            Prefix(zone_id=province.zone, cidr=cidr, first=first, last=last, length=length, school_id=site.school_id)
        )
    province.schools.append([school.id or 0 for school in schools])
    province.sites.append([hub.id or 0, *(site.id or 0 for site in campuses)])
    province.devices.append([device.id or 0 for device in devices])
    province.lines.append([line.id or 0 for line in lines])


def _add_people(session: Session, province: Province) -> None:
    people = {
        "root": create_user(session, "root", PASSWORD, Role.administrator),
        "reader": create_user(session, "reader", PASSWORD, Role.viewer),
        "county": create_user(session, "county", PASSWORD, Role.administrator, province.counties[0]),
        "looker": create_user(session, "looker", PASSWORD, Role.viewer, province.counties[0]),
        "bureau": create_user(session, "bureau", PASSWORD, Role.viewer, province.bureaus[0]),
    }
    for name, user in people.items():
        province.tokens[name] = make_token(session, user, name, "write")
    province.tokens["readonly"] = make_token(session, people["root"], "readonly", "read")
    province.tokens["metrics"] = make_token(session, people["root"], "metrics", "metrics")
    province.tokens["expired"] = make_token(
        session, people["root"], "expired", "write", utcnow() - timedelta(seconds=1)
    )


def _add_state(session: Session, province: Province) -> None:
    """The first school of each county is cut off by its line; the judge and the rounds are alive."""
    now = utcnow()
    for name in ("judge", "rounds"):
        session.add(Feed(name=name, at=now + timedelta(hours=1), stale_after=15))
    for index in range(2):
        since = now - timedelta(minutes=10)
        school = session.get_one(School, province.schools[index][0])
        incident = Incident(
            key=f"i{index}",
            status="open",
            severity="minor",
            root_kind=NodeKind.line,
            root_id=province.lines[index][0],
            root_name=f"专线 {index}-1",
            place_id=province.counties[index],
            duty_id=province.bureaus[index],
            path=province.paths[index],
            duty_path=session.get_one(Region, province.bureaus[index]).path,
            from_at=since,
            affected=2,
            schools=1,
            pupils=100,
            cut=[school.id],
        )
        session.add(incident)
        session.flush()
        for number, school_id in enumerate(province.schools[index]):
            session.add(
                NodeState(
                    kind=NodeKind.school,
                    node_id=school_id,
                    state=State.up if number else State.down,
                    since=since,
                    incident_id=None if number else incident.id,
                    devices=2,
                    devices_up=2 if number else 0,
                )
            )
        session.add(
            Outage(
                kind=NodeKind.school,
                node_id=school.id or 0,
                school_id=school.id,
                place_id=province.counties[index],
                duty_id=province.bureaus[index],
                from_at=since,
                incident_id=incident.id,
            )
        )


@contextmanager
def running(register: Register, state_dir: Path, settings: ApiSettings | None = None) -> Iterator[str]:
    """The application on a free port of loopback; yields its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    settings = settings or ApiSettings()
    settings.listen = f"127.0.0.1:{listener.getsockname()[1]}"
    server = server_of(create_app(register, settings, state_dir=state_dir, timezone="Asia/Shanghai"), settings)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield f"http://{settings.listen}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def until(done: Callable[[], object], seconds: float = 15) -> None:
    """Wait until `done()` is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    if not has_postgres():
        pytest.skip("Debian's postgresql is not installed")
    with postgres() as url:
        yield url


@contextmanager
def web_on(url: str, directory: Path, settings: ApiSettings | None = None) -> Iterator[Web]:
    """A filled register at `url`, served."""
    register = Register(url, directory / "secret.key")
    register.migrate()
    province = fill(register)
    (directory / "run").mkdir(exist_ok=True)
    with running(register, directory, settings) as address:
        web = Web(address, register, province, directory)
        yield web
        for client in web.clients:
            client.close()
    register.close()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One application for a module whose tests change nothing that others look at, on SQLite."""
    directory = tmp_path_factory.mktemp("web")
    with web_on(f"sqlite:///{directory / 'edunet.db'}", directory) as web:
        yield web


@pytest.fixture
def own_web(tmp_path: Path) -> Iterator[Web]:
    """An application of this test's own, on SQLite."""
    with web_on(f"sqlite:///{tmp_path / 'edunet.db'}", tmp_path) as web:
        yield web


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)], scope="module")
def any_web(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One application for a module on each database."""
    directory = tmp_path_factory.mktemp("web")
    if request.param == "sqlite":
        url = f"sqlite:///{directory / 'edunet.db'}"
    else:
        url = fresh_database(request.getfixturevalue("postgres_url"), f"web{next(_numbers)}")
    with web_on(url, directory) as web:
        yield web
