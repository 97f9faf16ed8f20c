"""The demonstration province: pure, seeded data of Shanxi's network, as rows of the register's tables.

The wiring is a tree with some second ways: core (two routers) - 11 cities - 117 counties - schools. Ids are given here, from 1
in each table, because the register that takes them is fresh. Places are named by their GB/T 2260 code (`place`), which
`demo/register.py` turns into region ids.

Addresses: the core in 127.9.0.0/24, city k (from 0) in 127.(10+k).0.0/16, its county j in four /24 from the third octet 4 + 4 j.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from random import Random
from typing import Any

from demo import catalogue
from demo.catalogue import MODELS, Model
from inventory.regions import Division

Row = dict[str, Any]

SEED = 14
"""Of every random choice: two builds are equal."""

UPLINK_FIRST = 49
"""First uplink port of an aggregation device; the second line takes the next one."""

COUNTY_NETWORK_BITS = 22


@dataclass(slots=True)
class Province:
    """Rows by table; every row has its `id` where the table has one."""

    sites: list[Row] = field(default_factory=list)
    schools: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    line_sites: list[tuple[int, int]] = field(default_factory=list)
    devices: list[Row] = field(default_factory=list)
    addresses: list[tuple[int, str]] = field(default_factory=list)
    upstreams: list[tuple[int, int]] = field(default_factory=list)
    prefixes: list[Row] = field(default_factory=list)

    def site(self, **row: Any) -> Row:
        """Add a site."""
        row["id"] = len(self.sites) + 1
        self.sites.append(row)
        return row

    def device(self, site: Row, model: Model, name: str, address: str, rng: Random, **more: Any) -> Row:
        """Add a device with its address; serial and MAC are made up from `rng`."""
        number = len(self.devices) + 1
        row: Row = {
            "id": number,
            "site_id": site["id"],
            "kind": model.kind,
            "name": name,
            "vendor": model.vendor,
            "model": model.name,
            "serial": f"DEMO{model.kind[:2].upper()}{rng.randrange(16**8):08X}{number:05d}",
            "chassis_mac": f"02de{number:08x}",
            "sys_object_id": model.object_id,
            "sys_descr": model.descr,
            "sys_name": f"{model.kind}-{number}",
            "version": model.version,
            "owner": site.get("owner", ""),
            **more,
        }
        self.devices.append(row)
        self.addresses.append((number, address))
        return row

    def line(self, sites: Sequence[Row], **row: Any) -> Row:
        """Add a line that serves `sites`."""
        row["id"] = len(self.lines) + 1
        self.lines.append(row)
        self.line_sites += [(row["id"], site["id"]) for site in sites]
        return row

    def prefix(self, cidr: IPv4Network, purpose: str, **owner: Any) -> None:
        """Add an address range with its owner (`school_id`, `site_id`, `line_id`)."""
        self.prefixes.append({"id": len(self.prefixes) + 1, "cidr": str(cidr), "purpose": purpose, **owner})


@dataclass(slots=True)
class Hub:
    """A network site with the device that lines end on, and its next free port."""

    site: Row
    device: Row
    model: Model
    used: int = 0

    def next_port(self) -> str:
        """ifName of the next free port. ValueError when all are used."""
        self.used += 1
        if self.used >= UPLINK_FIRST:
            raise ValueError(f"no free port on {self.device['name']}")
        return self.model.port(self.used)


def build(divisions: Sequence[Division], seed: int = SEED) -> Province:
    """The whole province from its divisions (11 cities, 117 counties); the same for the same seed."""
    from demo.schools import add_county_schools

    rng = Random(seed)
    province, names, sequence = Province(), set[str](), [0]
    cores = _core(province, rng)
    cities = [d for d in divisions if d.level == "city"]
    for k, city in enumerate(cities):
        hub = _city(province, city, k, cores, rng)
        for j, county in enumerate(d for d in divisions if d.level == "county" and d.parent == city.code):
            network = IPv4Network((int(IPv4Address(f"127.{10 + k}.{4 + 4 * j}.0")), COUNTY_NETWORK_BITS))
            county_hub = _county(province, city, county, network, hub, rng)
            colleges = 2 if j == 0 else 0
            add_county_schools(province, city, county, network, county_hub, colleges, names, sequence, rng)
    return province


def _core(province: Province, rng: Random) -> list[Hub]:
    site = province.site(
        name="省教育专网核心机房",
        name_en="Core data centre",
        kind="datacentre",
        tier="core",
        place="140000",
        owner="省教育厅",
        address="太原市(演示)",
        contact_name="值班老师",
        contact_phone="000-5550000",
    )
    province.prefix(IPv4Network("127.9.0.0/24"), "core", site_id=site["id"])
    model = MODELS["core"][0]
    hubs = []
    for number in (1, 2):
        device = province.device(
            site, model, f"核心路由器{number}", f"127.9.0.{number}", rng, sys_name=f"core-{number}"
        )
        hubs.append(Hub(site, device, model))
    for number, kind in ((11, "server"), (12, "server"), (13, "ups"), (14, "sensor")):
        model = MODELS[kind][0]
        name = {"server": f"平台服务器{number - 10}", "ups": "核心机房UPS", "sensor": "核心机房温湿度"}[kind]
        device = province.device(site, model, name, f"127.9.0.{number}", rng)
        province.upstreams += [(device["id"], hub.device["id"]) for hub in hubs]
    return hubs


def _trunk(province: Province, below: Hub, above: Hub, name: str, mbps: int, index: int, seed: int) -> Row:
    """A line from `below` to `above`; index 0 is the primary one, 1 the backup."""
    key, operator, letters, hotline = catalogue.OPERATORS[(seed + index) % 3]
    number = len(province.lines) + 1
    return province.line(
        [below.site],
        name=f"{name} {operator}传输{'' if index == 0 else '(备)'}",
        operator=key,
        circuit=f"SX-{letters}-{number:06d}",
        role="primary" if index == 0 else "backup",
        bandwidth_mbps=mbps,
        upstream_site_id=above.site["id"],
        end_device_id=below.device["id"],
        end_port=below.model.port(UPLINK_FIRST + index),
        far_device_id=above.device["id"],
        far_port=above.next_port(),
        contact_name=f"{operator}客服",
        contact_phone=hotline,
    )


def _city(province: Province, city: Division, k: int, cores: list[Hub], rng: Random) -> Hub:
    site = province.site(
        name=f"{city.name}汇聚机房",
        name_en=f"{city.name_en} city site",
        kind="bureau",
        tier="city",
        place=city.code,
        owner=f"{city.name}教育局",
        contact_name="值班老师",
        contact_phone=f"000-5551{k:03d}",
    )
    province.prefix(IPv4Network(f"127.{10 + k}.0.0/24"), "city", site_id=site["id"])
    model = MODELS["aggregation"][0]
    device = province.device(site, model, f"{city.name}汇聚", f"127.{10 + k}.0.1", rng, sys_name=f"city-{city.code}")
    hub = Hub(site, device, model)
    _trunk(province, hub, cores[0], f"{city.name}—省核心", 20000, 0, k)
    if k % 4 == 0:  # Taiyuan and two others have a second way
        _trunk(province, hub, cores[1], f"{city.name}—省核心", 10000, 1, k)
    ups = province.device(site, MODELS["ups"][1], f"{city.name}汇聚UPS", f"127.{10 + k}.0.2", rng)
    province.upstreams.append((ups["id"], device["id"]))
    return hub


def _county(province: Province, city: Division, county: Division, network: IPv4Network, above: Hub, rng: Random) -> Hub:
    number = len(province.sites)
    site = province.site(
        name=f"{place_prefix(city, county)}汇聚机房",
        name_en=f"{county.name_en} county site",
        kind=rng.choice(("carrier", "bureau")),
        tier="county",
        place=county.code,
        owner=f"{county.name}教育局",
        contact_name="值班老师",
        contact_phone=f"000-5552{number % 1000:03d}",
    )
    infrastructure = next(network.subnets(new_prefix=27))
    province.prefix(infrastructure, "county", site_id=site["id"])
    model = MODELS["aggregation"][number % 3]
    prefix = place_prefix(city, county)
    device = province.device(
        site, model, f"{prefix}汇聚", str(infrastructure[1]), rng, sys_name=f"county-{county.code}"
    )
    hub = Hub(site, device, model)
    _trunk(province, hub, above, f"{prefix}—{city.name}", 10000, 0, number)
    if rng.random() < 0.25:
        _trunk(province, hub, above, f"{prefix}—{city.name}", 2000, 1, number)
    if rng.random() < 0.5:
        ups = province.device(site, MODELS["ups"][number % 2], f"{prefix}汇聚UPS", str(infrastructure[2]), rng)
        province.upstreams.append((ups["id"], device["id"]))
    return hub


def place_prefix(city: Division, county: Division) -> str:
    """How names in a county begin: districts carry their city's name, for 城区 and 郊区 occur more than once."""
    return city.name + county.name if county.name.endswith("区") else county.name
