"""The pure parts of the pages: days of uptime, the way to the core, the front panel, times in words."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.clock import Clock, write_duration
from api.pages.enabling import commands_for
from api.pages.listing import ListAddress
from api.pages.panel import lay_out, order_of
from api.pages.queries.school import Hop
from api.pages.render import write_rate, write_share
from api.pages.texts import catalogue
from api.pages.uptime import merge, split_days
from api.pages.way import draw_way
from inventory.models import DeviceKind, NodeKind, State

T0 = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
STARTS = [T0 + timedelta(days=day) for day in range(4)]
NOW = T0 + timedelta(days=3, hours=12)
hours = st.integers(0, 90).map(lambda hour: T0 + timedelta(hours=hour))
spans = st.lists(st.tuples(hours, hours), max_size=6)


def span(begin: float, end: float) -> tuple[datetime, datetime]:
    return T0 + timedelta(hours=begin), T0 + timedelta(hours=end)


def test_a_day_is_split_into_up_down_unknown_and_not_yet() -> None:
    days = split_days(STARTS, NOW, T0 + timedelta(hours=6), [span(10, 12), span(11, 13)], [span(30, 40)])
    assert (days[0].off, days[0].down, days[0].up) == (6 * 3600, 3 * 3600, 15 * 3600)
    assert (days[1].unknown, days[1].up) == (10 * 3600, 14 * 3600)
    assert days[3].off == 12 * 3600


def test_an_outage_that_nobody_saw_is_unknown_not_down() -> None:
    (day, *_) = split_days(STARTS, NOW, T0, [span(0, 10)], [span(5, 24)])
    assert (day.down, day.unknown, day.up) == (5 * 3600, 19 * 3600, 0)


def test_what_was_never_seen_has_no_day() -> None:
    assert all(day.seen == 0 and day.off == 86400 for day in split_days(STARTS, NOW, None, [span(1, 2)], []))


@given(spans, spans)
def test_a_day_always_sums_up_to_its_length(
    down: list[tuple[datetime, datetime]], unknown: list[tuple[datetime, datetime]]
) -> None:
    for day in split_days(STARTS, NOW, T0 + timedelta(hours=3), down, unknown):
        assert day.up + day.down + day.unknown + day.off == 86400
        assert min(day.up, day.down, day.unknown, day.off) >= 0


@given(spans)
def test_merged_spans_are_apart_and_in_order(given_spans: list[tuple[datetime, datetime]]) -> None:
    merged = merge(given_spans)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(merged))


@dataclass
class Thing:
    id: int
    state: State
    device_ids: tuple[int, ...] = ()


def way_of(
    line: State, county: State, root: tuple[NodeKind, int] | None, school: State = State.down
) -> list[tuple[str, bool]]:
    hops = [
        Hop(NodeKind.site, [Thing(1, county, (11,))]),
        Hop(NodeKind.line, [Thing(9, State.up)]),
        Hop(NodeKind.site, [Thing(2, State.up, (22,))]),
    ]
    return [(level.link, level.broken) for level in draw_way(Thing(5, school), school, [Thing(7, line)], hops, root)]


@pytest.mark.parametrize(
    ("line", "county", "root", "drawn"),
    [
        (State.down, State.up, (NodeKind.line, 7), [("dim", False), ("cut", True), ("ok", False), ("end", False)]),
        (State.up, State.up, (NodeKind.device, 33), [("cut", True), ("ok", False), ("ok", False), ("end", False)]),
        (
            State.unknown,
            State.down,
            (NodeKind.device, 11),
            [("dim", False), ("cut", True), ("ok", False), ("end", False)],
        ),
        (
            State.unknown,
            State.down,
            (NodeKind.line, 9),
            [("dim", False), ("dim", False), ("cut", True), ("end", False)],
        ),
        (
            State.unknown,
            State.unknown,
            (NodeKind.device, 22),
            [("dim", False), ("dim", False), ("cut", True), ("end", False)],
        ),
        (State.down, State.up, None, [("dim", False), ("cut", True), ("ok", False), ("end", False)]),
    ],
    ids=["line", "own gateway", "county", "trunk", "city", "no root is known"],
)
def test_the_way_is_broken_where_the_root_is(
    line: State, county: State, root: tuple[NodeKind, int] | None, drawn: list[tuple[str, bool]]
) -> None:
    assert way_of(line, county, root) == drawn


def test_a_whole_way_has_no_break() -> None:
    assert way_of(State.up, State.up, None, State.up) == [("ok", False)] * 3 + [("end", False)]


def port(
    name: str, index: int, oper: str = "up", admin: str = "up", kind: int | None = 6, monitored: bool = False
) -> SimpleNamespace:
    return SimpleNamespace(
        name=name, if_index=index, oper=oper, admin=admin, if_type=kind, alias="", speed_bps=10**9, monitored=monitored
    )


def test_ports_stand_in_port_order_and_logical_ones_apart() -> None:
    rows = [port("GE0/0/10", 1), port("GE0/0/2", 2), port("Vlanif1", 3), port("XGE0/0/1", 4), port("NULL0", 5, kind=1)]
    physical, logical = lay_out(rows, [])
    assert [socket.name for socket in physical] == ["GE0/0/2", "GE0/0/10", "XGE0/0/1"]
    assert [socket.name for socket in logical] == ["NULL0", "Vlanif1"]
    assert order_of("a2", 1) < order_of("a10", 0)


def test_an_uplink_that_is_down_is_a_fault_and_a_live_reading_wins() -> None:
    rows = [port("ge1", 1, "down"), port("ge2", 2, "down"), port("ge3", 3, admin="down"), port("ge4", 4, "down")]
    physical, _ = lay_out(rows, ["ge1"], {"ge4": {"oper": "up", "in_bps": 5.0, "out_bps": 6.0}})
    assert [socket.look for socket in physical] == ["fault", "down", "off", "up"]
    assert physical[3].in_bps == 5.0


def test_times_are_written_in_the_zone_with_their_age() -> None:
    clock = Clock(datetime(2026, 11, 24, 2, 26, tzinfo=UTC), ZoneInfo("Asia/Shanghai"), catalogue("zh").ugettext)
    assert clock.short(datetime(2026, 11, 24, 0, 12, tzinfo=UTC)) == "08:12"
    assert clock.short(datetime(2026, 11, 23, 0, 12, tzinfo=UTC)) == "11-23 08:12"
    assert clock.ago(datetime(2026, 11, 24, 0, 12, tzinfo=UTC)) == "2 小时 14 分前"
    assert len(clock.days(90)) == 90
    assert clock.days(90)[-1] == clock.midnight(clock.now)


def test_lengths_have_their_two_largest_units() -> None:
    english = catalogue("en").ugettext
    assert [write_duration(seconds, english) for seconds in (0, 45, 60, 3600, 3661, 90061, -5)] == [
        "0 s",
        "45 s",
        "1 min",
        "1 h",
        "1 h 1 min",
        "1 d 1 h",
        "0 s",
    ]


def test_shares_are_never_rounded_to_all_or_nothing() -> None:
    assert [write_share(*pair) for pair in ((1, 1), (0, 5), (999999, 1000000), (1, 1000000), (1, 0), (1, 3))] == [
        "100 %",
        "0 %",
        ">99.99 %",
        "<0.01 %",
        "–",
        "33.33 %",
    ]
    assert [write_rate(value) for value in (None, 0, 999, 2.34e7, 5e8, 1e10)] == [
        "–",
        "0 bit/s",
        "999 bit/s",
        "23.4 Mbit/s",
        "500 Mbit/s",
        "10 Gbit/s",
    ]


def test_an_address_of_a_list_changes_one_thing_and_goes_to_its_first_page() -> None:
    at = ListAddress("/schools", {"q": "a b", "state": "down"}, "-name", 3)
    assert at.url(state=None) == "/schools?q=a+b&sort=-name"
    assert at.url(page=4).endswith("page=4")
    assert at.sort_url("name") == "/schools?q=a+b&state=down&sort=name"
    assert at.offset == 100


@pytest.mark.parametrize(
    ("vendor", "kind", "oid", "says"),
    [
        ("Huawei", "gateway", "", "usm-user v3 USER"),
        ("华为", "switch", "", "acl 2999"),
        ("", "switch", "1.3.6.1.4.1.2011.2.23.1", "snmp-agent"),
        ("海康威视", "camera", "", "Configuration > Network"),
        ("H3C", "switch", "", "snmp-agent"),
    ],
)
def test_a_silent_device_has_the_commands_of_its_vendor(vendor: str, kind: str, oid: str, says: str) -> None:
    found = commands_for(vendor, DeviceKind(kind), oid)
    assert found is not None
    assert says in found.text
    assert "{" not in found.text.replace("{ ", "")


def test_a_vendor_that_nobody_knows_has_no_commands() -> None:
    assert commands_for("Nobody Ltd", DeviceKind.switch, "") is None
