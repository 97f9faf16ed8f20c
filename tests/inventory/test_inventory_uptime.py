"""Uptime from the outage log: experienced and accountable, 24 × 7 and in class hours, unknown beside them."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from inventory import models as m
from inventory.calendars import Calendars, read_calendars
from inventory.calendars.covering import schools_covered
from inventory.calendars.sums import ClassTime
from inventory.calendars.windows import occurrences, write_occurrences
from inventory.database import Register
from inventory.regions import duty_by_code, load_regions, place_by_code
from inventory.spans import intersect, length, merge, subtract
from inventory.uptime import PARTIES, Down, Sums, down_of, read_uptime, sum_up
from inventory.verdicts import counted

ZONE = ZoneInfo("Asia/Shanghai")
H = 3600.0
CLASSES = ClassTime.of([(8 * H, 12 * H), (14 * H, 18 * H)])
DAY = (0.0, 24 * H)


def _sum(downs: list[Down], unseen: Any = (), work: Any = (), first: float | None = 0.0) -> tuple[Sums, Sums]:
    return sum_up(DAY, first, downs, unseen, work, CLASSES)


def test_a_day_without_an_outage_is_up() -> None:
    whole, taught = _sum([])
    assert (whole.total, whole.up, whole.down, whole.unknown) == (24 * H, 24 * H, 0, 0)
    assert (taught.total, taught.experienced, taught.accountable) == (8 * H, 1.0, 1.0)


def test_an_outage_counts_for_who_is_accountable_in_both_kinds_of_time() -> None:
    whole, taught = _sum([Down(11 * H, 15 * H, "carrier"), Down(20 * H, 21 * H)])
    assert whole.by == {**dict.fromkeys(PARTIES, 0.0), "carrier": 4 * H, "undecided": H}
    assert whole.experienced == pytest.approx(19 / 24)
    assert taught.by["carrier"] == 2 * H
    assert taught.down == 2 * H, "the evening is no class"
    assert taught.experienced == pytest.approx(6 / 8)


def test_work_and_what_was_switched_off_as_usual_are_planned() -> None:
    """Experienced counts them, accountable does not: two numbers."""
    off = Down(18 * H, 24 * H, "school", planned=((18 * H, 23 * H),))
    whole, taught = _sum([Down(7 * H, 9 * H, "carrier"), off], work=[(6 * H, 8.5 * H)])
    assert whole.by["planned"] == 1.5 * H + 5 * H
    assert (whole.by["carrier"], whole.by["school"]) == (0.5 * H, H)
    assert whole.experienced == pytest.approx(16 / 24)
    assert whole.accountable == pytest.approx(16 / 17.5)
    assert taught.by["planned"] == 0.5 * H


def test_a_persons_word_stands_over_windows() -> None:
    whole, _ = _sum([Down(7 * H, 9 * H, "carrier", by_hand=True)], work=[(6 * H, 10 * H)])
    assert (whole.by["carrier"], whole.by["planned"]) == (2 * H, 0)
    whole, _ = _sum([Down(7 * H, 9 * H, "planned", by_hand=True)])
    assert whole.by["planned"] == 2 * H


def test_what_nobody_saw_is_unknown_also_within_an_outage() -> None:
    whole, taught = _sum([Down(7 * H, 10 * H, "power")], unseen=[(9 * H, 13 * H), (9.5 * H, 10 * H)])
    assert (whole.unknown, whole.down, whole.up) == (4 * H, 2 * H, 18 * H)
    assert (taught.unknown, taught.down, taught.up) == (3 * H, H, 4 * H)


def test_nothing_counts_before_the_first_sight() -> None:
    whole, taught = _sum([Down(1 * H, 13 * H)], first=12 * H)
    assert (whole.total, whole.down, taught.total) == (12 * H, H, 4 * H)
    nothing, _ = _sum([], first=None)
    assert (nothing.total, nothing.experienced, nothing.accountable) == (0, None, None)


spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6)


@given(spans, spans)
def test_sets_of_time_are_sets(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    a, b = merge([(float(x), float(y)) for x, y in one]), merge([(float(x), float(y)) for x, y in other])
    plain = [{s for x, y in part for s in range(x, y)} for part in (one, other)]
    for found, wanted in ((intersect(a, b), plain[0] & plain[1]), (subtract(a, b), plain[0] - plain[1]), (a, plain[0])):
        assert {s for x, y in found for s in range(int(x), int(y))} == wanted
        assert length(found) == len(wanted)
        assert all(x < y for x, y in found)


downs = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 30), st.sampled_from(["", *PARTIES])), max_size=6)


@settings(deadline=None)
@given(downs, spans, spans, st.integers(0, 50))
def test_every_second_counts_once(found: list[Any], unseen: Any, work: Any, first: int) -> None:
    outages = [Down(a, a + n, who) for a, n, who in found]
    classes = ClassTime.of([(10.0, 30.0), (35.0, 60.0)])
    whole, taught = sum_up((5.0, 100.0), float(first), outages, unseen, work, classes)
    for sums in (whole, taught):
        assert sums.up + sums.down + sums.unknown == pytest.approx(sums.total)
        assert sum(sums.by.values()) == pytest.approx(sums.down)
        assert min(sums.up, sums.down, sums.unknown, *sums.by.values()) >= 0
    dark = {s for d in outages for s in range(int(d.from_t), int(d.until_t))}
    blind = {s for a, b in unseen for s in range(a, b)}
    seen = set(range(max(5, first), 100))
    assert whole.down == len((dark & seen) - blind)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def _add(session: Session, row: Any) -> int:
    session.add(row)
    session.flush()
    return int(row.id)


@pytest.fixture
def province(register: Register) -> dict[str, int]:
    """A county's hub, a line to a school, a school beside it, one elsewhere; everything seen since September."""
    ids: dict[str, int] = {}
    with register.write() as session:
        load_regions(session)
        zone = _add(session, m.Zone(name="z"))
        county = place_by_code(session)["140105"]
        ids["county"], ids["bureau"] = county.id or 0, duty_by_code(session)["140105"].id or 0
        ids["hub"] = _add(session, m.Site(name="hub", kind="bureau", tier="county", place_id=ids["county"]))
        ids["core"] = _add(session, m.Device(name="agg", kind="aggregation", site_id=ids["hub"]))
        for number, name in enumerate(("one", "two", "far")):
            place = ids["county"] if name != "far" else place_by_code(session)["140212"].id or 0
            duty = ids["bureau"] if name == "one" else None
            ids[name] = _add(session, m.School(name=name, level="primary", place_id=place, duty_id=duty))  # type: ignore[arg-type]  # as forms give it
            site = _add(session, m.Site(name=name, school_id=ids[name], place_id=place, main=True))
            gate = _add(
                session, m.Device(name=name, kind="gateway", site_id=site, first_seen=_at("2026-09-01T00:00:00"))
            )
            _add(
                session,
                m.Device(name=f"{name} switch", kind="switch", site_id=site, first_seen=_at("2026-08-01T00:00:00")),
            )
            _add(session, m.Address(zone_id=zone, ip=f"10.0.0.{number}", packed=b"\0" * 16, device_id=gate))
            ids[f"{name} site"], ids[f"{name} gate"] = site, gate
            if name == "one":
                ids["line"] = _add(session, m.Line(name="line", upstream_site_id=ids["hub"]))
                session.add(m.LineSite(line_id=ids["line"], site_id=site))
    return ids


def _uptime(register: Register, schools: list[int], start: str, end: str) -> dict[int, Any]:
    with register.session() as session:
        calendars = read_calendars(session, "Asia/Shanghai", schools)
        return read_uptime(session, schools, _at(start), _at(end), calendars)


def test_the_log_gives_both_numbers_of_each_school(register: Register, province: dict[str, int]) -> None:
    one, two = province["one"], province["two"]
    with register.write() as session:
        for school, start, end, more in (
            (one, "2026-11-23T09:00:00", "2026-11-23T11:00:00", {"accountable": "carrier"}),
            (one, "2026-11-23T20:00:00", None, {}),
            (two, "2026-11-20T00:00:00", "2026-11-23T09:00:00", {"maintenance": True}),
            (two, "2026-11-23T15:00:00", "2026-11-23T16:00:00", {"evidence": {"planned_off": {
                "from": _at("2026-11-23T15:00:00").isoformat(), "until": _at("2026-11-23T15:30:00").isoformat()}}}),
        ):  # fmt: skip
            until = _at(end) if end else None
            session.add(m.Outage(kind="school", node_id=school, from_at=_at(start), until_at=until, **more))  # type: ignore[arg-type]  # as forms give it
        session.add(m.Unseen(zone="z", from_at=_at("2026-11-23T10:30:00"), until_at=_at("2026-11-23T11:30:00")))
        session.add(m.Unseen(zone="other", from_at=_at("2026-11-23T00:00:00")))
    found = _uptime(register, [one, two, province["far"]], "2026-11-23T00:00:00", "2026-11-24T00:00:00")
    first = found[one]
    assert first.around_the_clock.by["carrier"] == 1.5 * H
    assert (first.around_the_clock.unknown, first.around_the_clock.by["undecided"]) == (H, 4 * H)
    assert first.in_class.down == 1.5 * H
    assert not first.known
    second = found[two]
    assert second.around_the_clock.by["planned"] == 9.5 * H
    assert second.around_the_clock.by["undecided"] == 0.5 * H
    assert second.in_class.by["planned"] == 1.5 * H
    assert found[province["far"]].around_the_clock.up == 23 * H
    empty = _uptime(register, [one], "2026-08-01T00:00:00", "2026-08-15T00:00:00")[one]
    assert empty.around_the_clock.total == 0, "its gateway was seen later"


def test_windows_cover_what_hangs_under_them(register: Register, province: dict[str, int]) -> None:
    with register.session() as session:
        covered = lambda **window: {  # noqa: E731
            name for name in ("one", "two", "far")
            if province[name] in schools_covered(session, {"region_id": None, "kind": None, "node_id": None, **window})
        }  # fmt: skip
        assert covered(region_id=province["county"]) == {"one", "two"}
        assert covered(region_id=province["bureau"]) == {"one"}
        assert covered(kind="school", node_id=province["far"]) == {"far"}
        assert covered(kind="line", node_id=province["line"]) == {"one"}
        assert covered(kind="device", node_id=province["core"]) == {"one"}, "the other hangs under no line of the hub's"
        assert covered(kind="site", node_id=province["hub"]) == {"one"}
        assert covered(kind="device", node_id=province["two gate"]) == {"two"}
        assert covered(kind="device", node_id=province["two gate"] + 1) == set(), "a switch cuts no school off"
        assert covered(kind="device", node_id=99_999) == set()


def test_an_outage_within_a_window_is_planned_for_that_long(register: Register, province: dict[str, int]) -> None:
    one = province["one"]
    with register.write() as session:
        session.add(
            m.Outage(
                kind="school", node_id=one, from_at=_at("2026-11-22T23:00:00"), until_at=_at("2026-11-23T05:00:00")
            )
        )
        first = (_at("2026-11-16T01:00:00"), _at("2026-11-16T03:00:00"))
        row = m.Maintenance(
            kind="line",
            node_id=province["line"],
            from_at=first[0],
            until_at=first[1],
            repeat="weekly",
            repeat_until=_at("2026-12-20T00:00:00"),
        )
        number = _add(session, row)
        write_occurrences(session, row, ZONE, now=_at("2026-11-01T00:00:00"))
        session.add(
            m.Maintenance(
                kind="device",
                node_id=province["one gate"],
                from_at=_at("2026-11-23T02:00:00"),
                until_at=_at("2026-11-23T04:00:00"),
            )
        )
    assert number
    found = _uptime(register, [one], "2026-11-22T00:00:00", "2026-11-24T00:00:00")[one].around_the_clock
    assert (found.down, found.by["planned"], found.by["undecided"]) == (6 * H, 3 * H, 3 * H)


@pytest.mark.parametrize(
    ("repeat", "weekdays", "first", "days", "wanted"),
    [
        ("daily", (), "2026-11-23T22:00:00", 3, ["2026-11-23", "2026-11-24", "2026-11-25"]),
        ("weekly", (), "2026-11-23T22:00:00", 15, ["2026-11-23", "2026-11-30", "2026-12-07"]),
        ("weekly", (1, 3), "2026-11-23T22:00:00", 8, ["2026-11-23", "2026-11-25", "2026-11-30"]),
        ("monthly", (), "2026-10-31T22:00:00", 62, ["2026-10-31", "2026-11-30", "2026-12-31"]),
    ],
)
def test_series_repeat_at_the_same_local_time_until_their_end(
    repeat: str, weekdays: tuple[int, ...], first: str, days: int, wanted: list[str]
) -> None:
    start = _at(first)
    found = occurrences(start, start + timedelta(hours=3), repeat, weekdays, start + timedelta(days=days), ZONE)
    assert [a.astimezone(ZONE).date().isoformat() for a, _ in found] == wanted
    assert {(a.astimezone(ZONE).hour, b - a) for a, b in found} == {(22, timedelta(hours=3))}
    endless = occurrences(start, start + timedelta(hours=3), repeat, weekdays, start + timedelta(days=9999), ZONE)
    assert endless[-1][1] <= start + timedelta(days=366)


def test_a_changed_series_keeps_what_has_begun(register: Register, province: dict[str, int]) -> None:
    start = _at("2026-11-20T01:00:00")
    now = start + timedelta(days=2, hours=1)  # within the third
    with register.write() as session:
        row = m.Maintenance(
            region_id=province["county"],
            from_at=start,
            until_at=start + timedelta(hours=2),
            repeat="daily",
            repeat_until=start + timedelta(days=10),
        )
        number = _add(session, row)
        write_occurrences(session, row, ZONE, now=start - timedelta(days=1))
        assert len(_occurrences(session, number)) == 10
        row.repeat_until = now
        write_occurrences(session, row, ZONE, now=now)
        left = _occurrences(session, number)
        assert [a for a, _ in left] == [start + timedelta(days=n) for n in range(3)]
        assert left[-1][1] == now, "what goes on ends with the series"
        assert left[0][1] == start + timedelta(hours=2), "what is past stays as it was"


def _occurrences(session: Session, number: int) -> list[tuple[datetime, datetime]]:
    from sqlmodel import select

    own = m.MaintenanceOccurrence
    rows = session.exec(select(own).where(own.maintenance_id == number).order_by(m.table(own).c.from_at)).all()
    return [(row.from_at.astimezone(UTC), row.until_at.astimezone(UTC)) for row in rows]


def test_a_province_of_schools_is_summed_up_quickly_enough() -> None:
    """2,000 schools that share a calendar work out their class hours once."""
    calendars = Calendars()
    start = _at("2026-09-01T00:00:00").timestamp()
    times = [calendars.class_time(calendars.school(n), start, start + 90 * 86_400) for n in range(2000)]
    assert len({id(calendars.timetable(calendars.school(n))) for n in range(2000)}) == 1
    assert len(calendars._times) == 1
    assert times[0].total == times[-1].total > 0
    assert calendars.plan(calendars.school(1), date(2026, 9, 1)).classes


@pytest.mark.parametrize(
    ("until_h", "span_h", "more", "said"),
    [
        (4, None, {}, ("school", None)),
        (4, 6, {}, ("planned", None)),
        (4, 4, {}, ("planned", None)),
        (None, 6, {}, ("planned", None)),
        (None, 2, {}, ("school", 2)),
        (8, 6, {}, ("school", 6)),
        (8, 6, {"maintenance": True}, ("planned", None)),
        (4, 6, {"corrected_at": True}, ("school", None)),
        (4, 6, {"corrected_at": True, "maintenance": True}, ("planned", None)),
        (4, 6, {"corrected_at": True, "accountable": ""}, ("", None)),
    ],
)
def test_a_list_says_of_whom_an_outage_is_as_the_uptime_counts_it(
    until_h: int | None, span_h: int | None, more: dict[str, Any], said: tuple[str, int | None]
) -> None:
    start, now = datetime(2026, 11, 29, tzinfo=UTC), datetime(2026, 11, 29, 5, tzinfo=UTC)
    hour = timedelta(hours=1)
    span = {"from": start.isoformat(), "until": (start + (span_h or 0) * hour).isoformat()}
    facts = {"accountable": "school", "maintenance": False, "corrected_at": None, **more}
    row = SimpleNamespace(
        from_at=start,
        until_at=None if until_h is None else start + until_h * hour,
        evidence={} if span_h is None else {"planned_off": span},
        **facts,
    )
    found = counted(row, now)
    assert found[:2] == (said[0], None if said[1] is None else start + said[1] * hour)
    down = down_of(row, (row.until_at or now).timestamp())
    window = (down.from_t, down.until_t)
    sums, _ = sum_up(window, window[0], [down], [], [], CLASSES)
    party = found.party or "undecided"
    rest = sums.down - (span_h or 0) * 3600 if found.planned_until else sums.down
    assert sums.by[party] == rest > 0
