"""The demonstration province is well-formed."""

import re
from collections import Counter
from ipaddress import ip_address, ip_network
from itertools import pairwise

from demo.province import Province, build
from inventory.database import Register
from inventory.regions import divisions

CODE = re.compile(r"^(11|2[12]|3[1-7]|4[12]|51|9[123])14\d{6}$")  # FIELD.md 2.1


def test_it_has_the_size_that_was_promised(province: Province) -> None:
    kinds = Counter(device["kind"] for device in province.devices)
    assert len(province.schools) >= 1300
    assert len(province.devices) >= 5000
    assert {"gateway", "switch", "ap", "camera", "ups"} <= set(kinds)
    counties = {site["place"] for site in province.sites if site["tier"] == "county"}
    assert len(counties) == 117
    assert len([site for site in province.sites if site["tier"] == "city"]) == 11


def test_every_county_has_schools_of_many_levels(province: Province) -> None:
    by_county: dict[str, set[str]] = {}
    for school in province.schools:
        by_county.setdefault(school["place"], set()).add(school["level"])
    assert len(by_county) == 117
    assert all(len(levels) >= 7 for levels in by_county.values())


def test_codes_fit_the_shape_and_are_unique(province: Province) -> None:
    codes = [school["code"] for school in province.schools]
    assert all(CODE.match(code) for code in codes)
    assert len(set(codes)) == len(codes)


def test_names_are_unique_in_both_languages_where_people_choose_by_them(province: Province) -> None:
    names = [school["name"] for school in province.schools]
    assert len(set(names)) == len(names)
    assert not [school["name_en"] for school in province.schools if re.search("[一-鿿]", school["name_en"])]
    assert len({line["name"] for line in province.lines}) == len(province.lines)


def test_telephone_numbers_cannot_exist(province: Province) -> None:
    phones = {row["contact_phone"] for row in (*province.schools, *province.sites)}
    assert all(phone.startswith("000-") for phone in phones)
    assert {line["contact_phone"] for line in province.lines} == {"10000", "10010", "10086"}


def test_addresses_are_loopback_ones_inside_their_schools_prefix(province: Province) -> None:
    by_site = {row["site_id"]: ip_network(row["cidr"]) for row in province.prefixes}
    address = dict(province.addresses)
    assert len(set(address.values())) == len(province.devices)
    for device in province.devices:
        ip = ip_address(address[device["id"]])
        assert ip in ip_network("127.0.0.0/8")
        assert ip not in ip_network("127.0.0.0/16")
        assert ip in by_site[device["site_id"]]


def test_prefixes_do_not_overlap(province: Province) -> None:
    networks = sorted(ip_network(row["cidr"]) for row in province.prefixes)
    assert not [pair for pair in pairwise(networks) if pair[0].overlaps(pair[1])]


def test_a_port_ends_one_line(province: Province) -> None:
    ends = [(line["end_device_id"], line["end_port"]) for line in province.lines]
    ends += [(line["far_device_id"], line["far_port"]) for line in province.lines]
    assert len(set(ends)) == len(ends)


def test_some_schools_have_two_lines_and_some_points_share_one(province: Province) -> None:
    lines_of = Counter(site for _, site in province.line_sites)
    sites_of = Counter(line for line, _ in province.line_sites)
    assert sum(1 for count in lines_of.values() if count == 2) > 20
    assert sum(1 for count in sites_of.values() if count == 2) > 10


def test_the_same_seed_gives_the_same_province(province: Province) -> None:
    assert build(divisions()) == province
    assert build(divisions(), seed=15) != province


def test_the_collectors_plan_finds_nothing_wrong_with_it(demo_register: Register) -> None:
    from collector.plan import build_plan

    plan = build_plan(demo_register)
    assert not plan.warnings


def test_every_school_of_the_demonstration_has_a_calendar(demo_register: Register) -> None:
    from datetime import UTC, date, datetime

    from inventory.calendars import read_calendars

    with demo_register.session() as session:
        calendars = read_calendars(session, demo_register.timezone)
    today = datetime.now(UTC).date()
    days = {date(today.year, month, 15) for month in range(1, 13)}
    missing = {
        word for place in calendars.places.values() for day in days for word in calendars.plan(place, day).missing
    }
    assert missing <= {"holidays"}, "what statutory holidays are not known yet nobody can declare"
