"""The demonstration's schools in one county: campus, line, gateway and what stands behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from random import Random

from demo import catalogue, names
from demo.catalogue import MODELS, SWITCH_UPLINK, Model
from demo.province import Hub, Province, Row, place_prefix
from inventory.regions import Division

COUNTY_PLAN = (
    "bureau",
    "senior",
    "junior",
    "nine_year",
    "primary",
    "primary",
    "primary",
    "kindergarten",
    "kindergarten",
    "teaching_point",
)
"""What every county has; the teaching point hangs behind a central school's line where there is one to spare."""

KIND_NAMES = {
    "switch": "交换机",
    "ap": "无线AP",
    "camera": "摄像头",
    "recorder": "录像机",
    "ups": "UPS",
    "server": "服务器",
    "sensor": "温湿度",
}
ROOMS = {
    "switch": ("信息机房", "教学楼弱电间", "实验楼弱电间", "图书馆弱电间", "宿舍弱电间"),
    "ap": ("阶梯教室", "教学楼一层", "教学楼二层", "食堂", "图书馆", "操场"),
    "camera": ("校门", "操场", "教学楼走廊", "食堂", "围墙东侧"),
}


@dataclass(slots=True)
class Campus:
    """A school under construction: its row, site, network gear's vendor index and free addresses."""

    school: Row
    site: Row
    vendor: int
    hosts: Iterator[str]
    gateway: Row
    gateway_model: Model


def county_levels(rng: Random, district: bool, colleges: int) -> list[str]:
    """The levels of a county's schools, 11 to 16 of them."""
    levels = list(COUNTY_PLAN)
    levels += ["vocational"] if rng.random() < 0.6 else []
    levels += ["special"] if rng.random() < 0.4 else []
    levels += ["adult"] if rng.random() < 0.15 else []
    levels += ["twelve_year"] if rng.random() < 0.2 else []
    levels += ["senior", "primary", "kindergarten"] if district else ["teaching_point"]
    return levels + ["higher"] * colleges


def add_county_schools(
    province: Province,
    city: Division,
    county: Division,
    network: IPv4Network,
    hub: Hub,
    colleges: int,
    taken: set[str],
    sequence: list[int],
    rng: Random,
) -> None:
    """Add all schools of one county under its `hub`. `taken` and `sequence` go on from county to county."""
    subnets = network.subnets(new_prefix=27)
    next(subnets)  # the county's own devices
    prefix, counts = place_prefix(city, county), dict[str, int]()
    central: tuple[Row, Campus] | None = None
    for level in county_levels(rng, county.name.endswith("区"), colleges):
        number = counts[level] = counts.get(level, -1) + 1
        named = (city.name, city.name_en) if level == "higher" else (prefix, county.name_en)
        name = names.school_name(named, level, number, rng, taken)
        school = _school(province, county, level, name, sequence, rng)
        campus = _campus(province, county, school, next(subnets), rng)
        if level == "teaching_point" and central and rng.random() < 0.5:
            line, host = central
            province.line_sites.append((line["id"], campus.site["id"]))
            campus.site["note"] = f"经{host.school['name']}专线接入"
        else:
            line = _lines(province, campus, hub, rng)
        if level == "nine_year":
            central = (line, campus)
        _equip(province, campus, rng)


def _school(
    province: Province, county: Division, level: str, name: tuple[str, str], sequence: list[int], rng: Random
) -> Row:
    sequence[0] += 1
    number = sequence[0]
    least, most = catalogue.PUPILS[level]
    pupils = int(rng.triangular(least, most, least + (most - least) / 3)) if most else 0
    rural = any(village in name[0] for village in names.VILLAGES)
    digits = f"0{90000 + number:05d}" if level == "higher" else f"{number:06d}"
    row: Row = {
        "id": number,
        "name": name[0],
        "name_en": name[1],
        "code": f"{catalogue.CATEGORY[level]}14{digits}",
        "level": level,
        "kind": "private" if level == "kindergarten" and rng.random() < 0.4 else "public",
        "setting": "rural" if rural else "urban" if county.name.endswith(("区", "市")) else "town",
        "place": county.code,
        "pupils": pupils or None,
        "classes": max(1, round(pupils / 42)) if pupils else None,
        "contact_name": names.person(rng),
        "contact_phone": names.phone(number),
    }
    province.schools.append(row)
    return row


def _campus(province: Province, county: Division, school: Row, subnet: IPv4Network, rng: Random) -> Campus:
    site = province.site(
        name=school["name"],
        name_en=school["name_en"],
        kind="campus",
        tier="",
        school_id=school["id"],
        place=county.code,
        owner="学校",
        contact_name=school["contact_name"],
        contact_phone=school["contact_phone"],
    )
    province.prefix(subnet, "school", school_id=school["id"], site_id=site["id"])
    hosts = (str(host) for host in subnet.hosts())
    vendor = rng.choice((0, 1, 2, 3))
    model = MODELS["gateway"][vendor]
    gateway = province.device(
        site, model, f"{school['name']} 网关", next(hosts), rng, room="信息机房", sys_name=f"gw-{school['code']}"
    )
    return Campus(school, site, vendor, hosts, gateway, model)


def _lines(province: Province, campus: Campus, hub: Hub, rng: Random) -> Row:
    """The school's primary line, and for some a second one of another operator; the primary is given back."""
    level = campus.school["level"]
    chance = {"higher": 1.0, "senior": 0.45, "bureau": 0.3, "twelve_year": 0.2, "vocational": 0.15}.get(level, 0.02)
    first = rng.randrange(3)
    primary = _line(province, campus, hub, first, 0, rng)
    if rng.random() < chance:
        _line(province, campus, hub, (first + 1) % 3, 1, rng)
    return primary


def _line(province: Province, campus: Campus, hub: Hub, operator: int, index: int, rng: Random) -> Row:
    key, word, letters, hotline = catalogue.OPERATORS[operator]
    number = len(province.lines) + 1
    return province.line(
        [campus.site],
        name=f"{campus.school['name']} {word}专线{'' if index == 0 else '(备)'}",
        operator=key,
        circuit=f"{campus.school['place']}-{letters}-{number:06d}",
        role="primary" if index == 0 else "backup",
        bandwidth_mbps=rng.choice(catalogue.BANDWIDTH[campus.school["level"]]) // (1 if index == 0 else 2),
        upstream_site_id=hub.site["id"],
        end_device_id=campus.gateway["id"],
        end_port=campus.gateway_model.port(1 + index),
        far_device_id=hub.device["id"],
        far_port=hub.next_port(),
        contact_name=f"{word}政企客服",
        contact_phone=hotline,
    )


def _equip(province: Province, campus: Campus, rng: Random) -> None:
    """Switches under the gateway; what is small under the switches in turn, or under the gateway where there is none."""
    switches: list[Row] = []
    for kind, count in catalogue.LEVELS[campus.school["level"]].items():
        for number in range(count):
            models = MODELS[kind]
            model = models[campus.vendor % 3] if kind in ("switch", "ap") else models[rng.randrange(len(models))]
            rooms = ROOMS.get(kind, ("信息机房",))
            room = rooms[number % len(rooms)]
            suffix = f"{number + 1}" if count > 1 else ""
            name = f"{campus.school['name']} {KIND_NAMES[kind]}{suffix}"
            device = province.device(campus.site, model, name, next(campus.hosts), rng, room=room)
            above = switches[number % len(switches)] if kind != "switch" and switches else campus.gateway
            province.upstreams.append((device["id"], above["id"]))
            if kind == "switch":
                switches.append(device)


__all__ = ["COUNTY_PLAN", "SWITCH_UPLINK", "add_county_schools", "county_levels"]
