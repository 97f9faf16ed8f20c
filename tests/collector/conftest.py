"""Fixtures: a small register on loopback addresses, collectors that are really started, a namespace in which addresses are cut."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from collector_world import Collector, Namespace, World
from sqlmodel import Session

from inventory.database import Register, raise_version
from inventory.models import DeviceKind, Line, LineSite, Region, Site, SiteKind, Watch, Zone

sys.path.insert(0, str(Path(__file__).parents[1]))  # for servers.py
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))  # for province.py, the province made in bulk


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """An empty province with its network, addresses of its own for each worker and test."""
    (tmp_path / "run").mkdir(mode=0o700)
    register = Register(f"sqlite:///{tmp_path / 'edunet.db'}", tmp_path / "secret.key")
    register.migrate()
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    made = World(register, tmp_path, str(130 + worker % 15 * 8 + hash(request.node.name) % 8))
    _network(made)
    yield made
    register.close()


@pytest.fixture
def collectors(world: World) -> Iterator[Callable[..., Collector]]:
    """Make collectors on the world; all are ended."""
    made: list[Collector] = []

    def make(**settings: Any) -> Collector:
        made.append(Collector(world, **settings))
        return made[-1]

    yield make
    for collector in made:
        if collector.process is not None and collector.process.poll() is None:
            collector.process.kill()
            collector.process.wait()
        collector.log.close()


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A namespace of its own."""
    made = Namespace()
    yield made
    made.close()


def _network(world: World) -> None:
    with Session(world.register.engine) as session:
        province = Region(level="province", code="140000", name="山西省", path="/")
        session.add(province)
        session.flush()
        city = Region(level="city", code="140100", name="太原市", parent_id=province.id)
        session.add(city)
        session.flush()
        county = Region(level="county", code="140105", name="小店区", parent_id=city.id)
        session.add(county)
        session.flush()
        province.path = f"/{province.id}/"
        city.path = f"{province.path}{city.id}/"
        county.path = f"{city.path}{county.id}/"
        zone = Zone(name="main", default=True)
        core = Site(name="core", kind=SiteKind.datacentre, tier="core", place_id=int(province.id or 0))
        pop = Site(name="pop", kind=SiteKind.carrier, tier="county", place_id=int(county.id or 0))
        session.add_all([zone, core, pop])
        session.flush()
        world.ids = {"county": county.id or 0, "zone": zone.id or 0, "core_site": core.id or 0, "pop": pop.id or 0}
        session.commit()
    world.device("core", DeviceKind.core, world.ids["core_site"], "1.1", watch=Watch.icmp)
    world.device("agg", DeviceKind.aggregation, world.ids["pop"], "1.2", watch=Watch.icmp)
    trunk = world.add(Line(name="trunk", upstream_site_id=world.ids["core_site"]))
    with world.register.write() as session:
        session.add(LineSite(line_id=trunk, site_id=world.ids["pop"]))
        raise_version(session)
